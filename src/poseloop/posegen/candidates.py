"""Where each method's pictures come from, and which rendered pairs are dropped."""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import roma
import torch
from torch import Tensor, nn

from poseloop.body.joints import MIRROR
from poseloop.motion.augment import mirror_pose
from poseloop.posegen.config import FilterConfig
from poseloop.posegen.estimator import Estimator
from poseloop.posegen.estimator_training import joint_errors, locate_all
from poseloop.posegen.generator import Bounds, Drawn
from poseloop.posegen.imageset import ImageSet

# Pictures turned at a time.
_BATCH = 64


def scattered_poses(prior: Tensor, bounds: Bounds, count: int, generator: torch.Generator) -> Drawn:
    """Random poses of the prior (N, 72) before cameras uniform within the bounds."""
    rows = torch.randint(len(prior), (count,), generator=generator)
    return Drawn(prior[rows], _uniform(bounds, count, generator).camera)


def limit_poses(bounds: Bounds, count: int, generator: torch.Generator) -> Drawn:
    """Random poses within joint limits, each coordinate by itself, before uniform cameras.

    Coordinates are drawn near the middle of their range (a triangular distribution), as tables of
    joint ranges describe how far joints go, not how often.
    """
    first, second = (_uniform(bounds, count, generator) for _ in range(2))
    return Drawn((first.pose + second.pose) / 2, first.camera)


def _uniform(bounds: Bounds, count: int, generator: torch.Generator) -> Drawn:
    share = 2 * torch.rand((count, len(bounds.middle)), generator=generator) - 1
    return Drawn.from_values(bounds.middle + bounds.reach * share.to(bounds.middle.device))


def turned(images: ImageSet, degrees: float, generator: torch.Generator) -> ImageSet:
    """Pictures turned in their plane by up to `degrees` and scaled a little, labels with them.

    The augmentation of poses that needs no new pictures: it moves camera roll and scale only.
    """
    count = len(images)
    angle = np.radians(degrees) * (2 * torch.rand(count, generator=generator) - 1)
    scale = 1 + 0.15 * (2 * torch.rand(count, generator=generator) - 1)
    cosine, sine = angle.cos(), angle.sin()
    # The sampling map has y downward; it takes places of the new picture to the old one.
    turn = torch.stack([cosine, -sine, sine, cosine], -1).view(-1, 2, 2)
    affine = nn.functional.pad(turn / scale[:, None, None], (0, 1))
    moved = np.concatenate(
        [
            _resampled(
                images.rgb[start : start + _BATCH], images.mask[start : start + _BATCH], part
            )
            for start, part in zip(range(0, count, _BATCH), affine.split(_BATCH), strict=True)
        ]
    )
    zero = torch.zeros_like(angle)
    spin = roma.rotvec_to_rotmat(torch.stack([zero, zero, angle], -1))
    orient = spin @ roma.rotvec_to_rotmat(torch.from_numpy(images.global_orient))
    joints = torch.from_numpy(images.joints) @ spin.mT
    joints2d = torch.from_numpy(images.joints2d) @ spin[:, :2, :2].mT * scale[:, None, None]
    camera = images.camera.copy()
    camera[:, 2] += np.degrees(angle.numpy())
    return ImageSet(
        rgb=moved[..., :3],
        mask=moved[..., 3],
        global_orient=roma.rotmat_to_rotvec(orient).numpy(),
        body_pose=images.body_pose,
        betas=images.betas,
        joints=joints.numpy(),
        joints2d=joints2d.numpy(),
        camera=camera,
        clip=images.clip,
        body_id=images.body_id,
    )


def _resampled(rgb: np.ndarray, mask: np.ndarray, affine: Tensor) -> np.ndarray:
    """Pictures and masks (B, S, S, 4) uint8 under affine maps (B, 2, 3) of places."""
    planes = torch.from_numpy(np.concatenate([rgb, mask[..., None]], -1)).float().movedim(-1, 1)
    grid = nn.functional.affine_grid(affine, list(planes.shape), align_corners=False)
    moved = nn.functional.grid_sample(planes, grid, padding_mode="border", align_corners=False)
    return moved.movedim(1, -1).round().clamp(0, 255).to(torch.uint8).numpy()


def mirrored(images: ImageSet) -> ImageSet:
    """The same pictures seen in a mirror: left and right change places in pose and joints."""
    swap = np.asarray(MIRROR)
    global_orient, body_pose = mirror_pose(images.global_orient, images.body_pose)
    return replace(
        images,
        rgb=np.ascontiguousarray(images.rgb[:, :, ::-1]),
        mask=np.ascontiguousarray(images.mask[:, :, ::-1]),
        global_orient=global_orient,
        body_pose=body_pose,
        joints=images.joints[:, swap] * np.float32([-1, 1, 1]),
        joints2d=images.joints2d[:, swap] * np.float32([-1, 1]),
        camera=images.camera * np.float32([-1, 1, -1, 1]),
    )


class Verdict(NamedTuple):
    """What the filter says of N pairs.

    kept : (N,) bool array
    reasons : dict
        Pairs rejected, by reason: `range`, `not_finite`, `fidelity`, `hardness`; a pair is
        counted under the first that applies.
    hardness, fidelity : (N,) arrays
        Error over the reference, and share of joints found near their label.
    """

    kept: np.ndarray
    reasons: dict[str, int]
    hardness: np.ndarray
    fidelity: np.ndarray


def judge_pairs(
    images: ImageSet,
    inside: np.ndarray,
    estimate: Callable[[np.ndarray], Tensor],
    check: Estimator,
    config: FilterConfig,
    reference: float,
    capped: bool,
) -> Verdict:
    """Check rendered pairs.

    Parameters
    ----------
    inside : (N,) bool array
        Whether each pose is within the body's range.
    estimate : function
        Pictures (N, S, S, 3) uint8 to joints (N, 24, 3), metres.
    check : Estimator
        The independent keypoint check.
    reference : float
        Mean error on ordinary pictures, metres.
    capped : bool
        Whether pairs that are too hard are dropped.
    """
    hardness = joint_errors(estimate(images.rgb), torch.from_numpy(images.joints)) / reference
    hardness = hardness.numpy()
    fidelity = label_fidelity(check, images, config.radius)
    tests = {
        "range": inside,
        "not_finite": np.isfinite(hardness),
        "fidelity": fidelity >= config.fidelity,
        "hardness": (hardness <= config.hardness) | (not capped),
    }
    kept = np.ones(len(images), bool)
    reasons = {}
    for reason, passed in tests.items():
        reasons[reason] = int((kept & ~passed).sum())
        kept &= passed
    return Verdict(kept, reasons, hardness, fidelity)


def label_fidelity(check: Estimator, images: ImageSet, radius: float) -> np.ndarray:
    """Share (N,) of joints that the check finds within `radius` picture widths of their label."""
    found = locate_all(check, images.rgb)
    apart = (found - torch.from_numpy(images.joints2d)).norm(dim=-1)
    return (apart < radius).float().mean(1).numpy()
