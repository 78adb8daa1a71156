"""Errors of hypotheses against the truth, millimetres."""

from collections.abc import Sequence

import torch
from torch import Tensor

from poseloop.hmr.geometry import align
from poseloop.hmr.scorer_config import ERRORS
from poseloop.hmr.skeleton_body import COMMON_JOINTS, Bodies, SkeletonBody


def body_errors(
    body: SkeletonBody, found: Bodies, truth: Bodies, names: Sequence[str] = ERRORS
) -> dict[str, Tensor]:
    """Errors (B, M) of M bodies for each of B true ones (B), by name.

    All are taken from the pelvis; MPJPE is over `COMMON_JOINTS`, PVE over the body's chosen
    vertices, each with its own Procrustes alignment (fact sheet ADHMR 6.1).
    """
    joints, vertices = body.surface(found)
    true_joints, true_vertices = (part.unsqueeze(1) for part in body.surface(truth))
    points = {
        "mpjpe": (joints[..., COMMON_JOINTS, :], true_joints[..., COMMON_JOINTS, :]),
        "pve": (vertices, true_vertices),
    }
    errors = {}
    for name in names:
        own, true = points[name.removeprefix("pa_")]
        errors[name] = _apart(align(own, true) if name.startswith("pa_") else own, true)
    return errors


def _apart(first: Tensor, second: Tensor) -> Tensor:
    return 1000 * torch.linalg.vector_norm(first - second, dim=-1).mean(-1)
