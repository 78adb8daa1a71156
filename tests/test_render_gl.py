import numpy as np
import pytest
from test_render_raycast import LIGHT, lopsided, mesh_of

from poseloop.render.backend import make_renderer
from poseloop.render.cameras import Camera, orthographic_cameras
from poseloop.runtime.errors import UserError


@pytest.fixture(scope="module")
def renderers():
    try:
        gl = make_renderer("pyrender", 96)
    except UserError as fault:
        pytest.skip(str(fault))
    yield gl, make_renderer("raycast", 96)
    gl.close()


@pytest.mark.render
def test_back_ends_agree(renderers):
    cameras = (*orthographic_cameras(), Camera(0.0, 2.0))
    in_gl, cast = (renderer.render(mesh_of(lopsided()), cameras, LIGHT) for renderer in renderers)
    # GL's multisampled depth answers for a point up to 0.4 pixels off the centre.
    assert (in_gl.mask != cast.mask).mean() < 5e-3
    both = (in_gl.mask > 0) & (cast.mask > 0)
    for name, limit in (("rgb", 2), ("normal", 3)):
        difference = np.abs(getattr(in_gl, name).astype(int) - getattr(cast, name).astype(int))
        assert difference[both].mean() < limit


def test_missing_gl_names_the_packages(monkeypatch):
    pyrender = pytest.importorskip("pyrender")

    def fail(*_):
        raise ImportError("no EGL")

    monkeypatch.setattr(pyrender, "OffscreenRenderer", fail)
    with pytest.raises(UserError, match="libegl1 libgl1-mesa-dri"):
        make_renderer("pyrender", 32)
