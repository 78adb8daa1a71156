"""The choice of renderer by name."""

from collections.abc import Sequence
from typing import Literal, Protocol

from poseloop.render.cameras import Camera
from poseloop.render.mesh import Light, Mesh, Pictures

Backend = Literal["raycast", "pyrender"]
"""`raycast` gives the same pictures on every machine and needs no driver; `pyrender` uses GL."""


class Renderer(Protocol):
    """What both back ends offer."""

    def render(self, mesh: Mesh, cameras: Sequence[Camera], light: Light) -> Pictures:
        """Pictures of `mesh` for every camera."""
        ...


def make_renderer(backend: Backend, size: int, supersample: int = 1) -> Renderer:
    """Renderer of size x size pictures.

    Raises
    ------
    UserError
        `pyrender` was asked for and there is no EGL.
    """
    # Imported on choice: importing pyrender needs a GL library, and embreex an x86 processor.
    if backend == "pyrender":
        from poseloop.render.gl import PyrenderRenderer

        return PyrenderRenderer(size, supersample)
    from poseloop.render.raycast import RaycastRenderer

    return RaycastRenderer(size, supersample)
