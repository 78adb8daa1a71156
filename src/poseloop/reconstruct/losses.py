"""How far a mesh is from its views: normals where both see a body, silhouettes around it."""

import torch

from poseloop.reconstruct.rendering import visible_normals
from poseloop.reconstruct.silhouette import silhouette_distance
from poseloop.reconstruct.targets import Targets
from poseloop.reconstruct.topology import Edges
from poseloop.reconstruct.visibility import Visibility


def view_losses(
    vertices: torch.Tensor,
    faces: torch.Tensor,
    edges: Edges,
    targets: Targets,
    see: Visibility,
    reach: float,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Losses of normals and of silhouettes, weighted by view (fact sheet 4.5).

    Both are sums over pixels, divided by the number of pixels of the target masks, so that they
    do not depend on how much of the picture the body fills.

    Parameters
    ----------
    vertices : (V, 3) tensor
        View frame.
    reach : float
        Pixels; a silhouette counts by its signed distance, cut at this, as a share of it. At half
        a pixel this is the difference of covered areas; wider, a limb feels where it belongs.

    Returns
    -------
    normal, mask : scalars
    """
    azimuths, size = targets.azimuths, targets.size
    visible = see(vertices, faces)
    seen = torch.zeros(targets.mask.numel(), dtype=torch.bool, device=vertices.device)
    seen[visible.pixel] = True
    weights = targets.weights.to(vertices)
    area = targets.mask.sum().clamp_min(1)

    predicted = visible_normals(vertices, faces, visible, azimuths, size)
    wanted = targets.normal.reshape(-1, 3)[visible.pixel]
    certainty = targets.mask.reshape(-1)[visible.pixel]
    view = visible.pixel // size**2
    # Where the picture is unsure its vector is short: compared with a vector as short, it asks
    # for its direction with as little weight.
    difference = (certainty[:, None] * predicted - wanted).abs().sum(-1)
    normal = (weights[view] * difference).sum() / area

    shape = targets.mask.shape
    distance = silhouette_distance(
        vertices, faces, edges, seen.view(shape).cpu().numpy(), azimuths, reach
    )
    apart = (distance - targets.distance.clamp(-reach, reach)).abs() / (2 * reach)
    mask = (weights * apart.flatten(1).sum(1)).sum() / area
    return normal, mask
