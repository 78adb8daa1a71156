"""Errors of hypotheses against the truth, millimetres."""

import torch
from torch import Tensor

from poseloop.hmr.geometry import align
from poseloop.hmr.skeleton_body import COMMON_JOINTS, Bodies, SkeletonBody


def body_errors(body: SkeletonBody, found: Bodies, truth: Bodies) -> dict[str, Tensor]:
    """`mpjpe`, `pa_mpjpe`, `pve`, `pa_pve` (B, M) of M bodies for each of B true ones (B).

    All are taken from the pelvis; MPJPE is over `COMMON_JOINTS`, PVE over the body's chosen
    vertices, each with its own Procrustes alignment (fact sheet ADHMR 6.1).
    """
    joints, vertices = body.surface(found)
    true_joints, true_vertices = (part.unsqueeze(1) for part in body.surface(truth))
    joints, true_joints = joints[..., COMMON_JOINTS, :], true_joints[..., COMMON_JOINTS, :]
    return {
        "mpjpe": _apart(joints, true_joints),
        "pa_mpjpe": _apart(align(joints, true_joints), true_joints),
        "pve": _apart(vertices, true_vertices),
        "pa_pve": _apart(align(vertices, true_vertices), true_vertices),
    }


def _apart(first: Tensor, second: Tensor) -> Tensor:
    return 1000 * torch.linalg.vector_norm(first - second, dim=-1).mean(-1)
