"""pyrender back end over EGL: needs libegl1 and libgl1-mesa-dri, or a GPU driver with EGL."""

import os
from collections.abc import Sequence

import numpy as np

from poseloop.render.cameras import Camera
from poseloop.render.mesh import Light, Mesh, Pictures, to_pictures
from poseloop.runtime.errors import UserError

os.environ.setdefault("PYOPENGL_PLATFORM", "egl")  # read once, when OpenGL is first imported
if not hasattr(np, "infty"):
    np.infty = np.inf  # pyrender 0.1.45 uses the name that NumPy 2 removed

_INSTALL = (
    "the pyrender back end needs EGL: install it (Debian: apt-get install libegl1 "
    "libgl1-mesa-dri) or set the back end to raycast"
)
_FAR = 8.0


class PyrenderRenderer:
    """Renders S x S pictures in GL, supersampled by supersample x supersample.

    Colours are painted and shaded at the vertices with the light of `Light.shade`, so that both
    back ends show the same person; GL interpolates, sees and hides. Small patterns are blurred
    over a face, unlike the ray caster's.

    Raises
    ------
    UserError
        There is no EGL on this machine; the message names the packages.
    """

    def __init__(self, size: int, supersample: int = 1) -> None:
        try:
            import pyrender

            self._renderer = pyrender.OffscreenRenderer(size * supersample, size * supersample)
        except Exception as fault:  # each missing piece of GL fails with a type of its own
            raise UserError(f"{_INSTALL} ({type(fault).__name__}: {fault})") from fault
        self._pyrender = pyrender
        self.supersample = supersample

    def render(self, mesh: Mesh, cameras: Sequence[Camera], light: Light) -> Pictures:
        """Pictures of `mesh` (view frame, AABB diagonal near 1) for every camera."""
        shaded = light.shade(mesh.paint(mesh.attributes), mesh.normals)
        colour_scene = self._scene(mesh, shaded)
        normal_scene = self._scene(mesh, mesh.normals * 0.5 + 0.5)
        images = [self._one(colour_scene, normal_scene, camera) for camera in cameras]
        return to_pictures(np.stack(images), self.supersample)

    def close(self) -> None:
        """Free the GL context."""
        self._renderer.delete()

    def _scene(self, mesh: Mesh, colours: np.ndarray) -> object:
        primitive = self._pyrender.Primitive(
            positions=mesh.vertices.astype(np.float32),
            indices=mesh.faces.astype(np.uint32),
            color_0=np.concatenate([colours, np.ones((len(colours), 1))], 1).astype(np.float32),
            material=self._pyrender.MetallicRoughnessMaterial(doubleSided=True),
        )
        scene = self._pyrender.Scene(bg_color=[0.0, 0.0, 0.0, 0.0])
        scene.add(self._pyrender.Mesh([primitive]))
        return scene

    def _one(self, colour_scene: object, normal_scene: object, camera: Camera) -> np.ndarray:
        flags = self._pyrender.RenderFlags.FLAT
        rgb, depth = self._draw(colour_scene, camera, flags)
        normal, _ = self._draw(normal_scene, camera, flags)
        seen = (depth > 0)[..., None]
        samples = [rgb / np.float32(255.0), normal / np.float32(127.5) - 1.0, np.ones_like(seen)]
        return np.concatenate(samples, axis=2).astype(np.float32) * seen

    def _draw(self, scene: object, camera: Camera, flags: int) -> tuple[np.ndarray, np.ndarray]:
        pose = np.eye(4)
        pose[:3, :3] = camera.rotation.T
        if np.isinf(camera.distance):
            distance = _FAR / 2
            lens = self._pyrender.OrthographicCamera(0.5, 0.5, znear=0.05, zfar=_FAR)
        else:
            distance = camera.distance
            angle = 2.0 * np.arctan(0.5 / distance)
            lens = self._pyrender.PerspectiveCamera(angle, aspectRatio=1.0, znear=0.05)
        pose[:3, 3] = camera.rotation[2] * distance
        node = scene.add(lens, pose=pose)
        try:
            return self._renderer.render(scene, flags=flags)
        finally:
            scene.remove_node(node)
