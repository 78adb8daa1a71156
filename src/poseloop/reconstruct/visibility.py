"""Which triangle each pixel of each orthographic view sees: the part that has no gradient."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from poseloop.render.cameras import Camera, view_rotation
from poseloop.render.raycast import cast
from poseloop.runtime.errors import UserError


@dataclass(frozen=True)
class Visible:
    """The H pixels that see the surface, over C views of S x S pixels.

    pixel : (H,) int64
        Flat index into (C, S, S).
    triangle : (H,) int64
    """

    pixel: torch.Tensor
    triangle: torch.Tensor


Visibility = Callable[[torch.Tensor, torch.Tensor], Visible]
"""Vertices (V, 3) in the view frame and faces (F, 3) to what every view sees of them."""


def raycast_visibility(azimuths: Sequence[float], size: int) -> Visibility:
    """Visibility by embree, on the CPU, through pixel centres."""
    cameras = [Camera(float(azimuth)) for azimuth in azimuths]

    def see(vertices: torch.Tensor, faces: torch.Tensor) -> Visible:
        hits = cast(vertices.detach().cpu().numpy(), faces.cpu().numpy(), cameras, size)
        pixel = torch.from_numpy(hits.pixel).long()
        triangle = torch.from_numpy(hits.triangle).long()
        return Visible(pixel.to(vertices.device), triangle.to(vertices.device))

    return see


def nvdiffrast_visibility(azimuths: Sequence[float], size: int) -> Visibility:
    """Visibility by nvdiffrast's rasteriser, on the GPU that holds the mesh.

    Raises
    ------
    UserError
        nvdiffrast is not installed.
    """
    try:
        import nvdiffrast.torch as dr
    except ImportError as fault:
        raise UserError("rasteriser: nvdiffrast is not installed; set it to raycast") from fault
    context = dr.RasterizeCudaContext()

    def see(vertices: torch.Tensor, faces: torch.Tensor) -> Visible:
        # Clip space: the picture is [-0.5, 0.5] wide, its rows grow downwards, and a surface near
        # the camera has a small depth.
        scale = vertices.new_tensor([2.0, -2.0, -1.0])
        local = to_views(vertices.detach(), azimuths) * scale
        clip = torch.cat([local, torch.ones_like(local[..., :1])], -1).contiguous()
        picture, _ = dr.rasterize(context, clip, faces.int(), (size, size))
        index = picture[..., 3].reshape(-1).long()
        pixel = torch.nonzero(index).squeeze(1)
        return Visible(pixel, index[pixel] - 1)

    return see


_RASTERISERS = {"raycast": raycast_visibility, "nvdiffrast": nvdiffrast_visibility}


def make_visibility(rasteriser: str, azimuths: Sequence[float], size: int) -> Visibility:
    """Visibility by name; both agree but for pixels whose centre lies on an edge.

    Raises
    ------
    UserError
        The rasteriser is not installed.
    """
    return _RASTERISERS[rasteriser](azimuths, size)


def to_views(points: torch.Tensor, azimuths: Sequence[float]) -> torch.Tensor:
    """Points (V, 3) of the view frame in every camera's frame: (C, V, 3), right, up, nearer."""
    rotations = [torch.from_numpy(view_rotation(float(azimuth))) for azimuth in azimuths]
    return torch.einsum("cij,vj->cvi", torch.stack(rotations).to(points), points)
