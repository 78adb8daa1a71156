"""A body by rotation matrices: joints, a spread of surface points, and their gradients."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from poseloop.body.joints import PARENTS
from poseloop.body.model import BodyModel


def _levels() -> list[list[int]]:
    """Joints by their depth in the tree: those of one level depend only on the level above."""
    depth = [0] * 24
    for joint in range(1, 24):
        depth[joint] = depth[PARENTS[joint]] + 1
    return [[j for j in range(24) if depth[j] == d] for d in range(max(depth) + 1)]


LEVELS = _levels()
"""Joints by depth in SMPL's tree; the first level is the pelvis."""
_ORDER = [joint for level in LEVELS for joint in level]
_BACK = [_ORDER.index(joint) for joint in range(24)]


class Posed(NamedTuple):
    """Joints of a posed body.

    rotations : (B, 24, 3, 3)
        From the rest pose to the camera or world.
    joints : (B, 24, 3)
        Metres, relative to the pelvis.
    """

    rotations: Tensor
    joints: Tensor


def pose_joints(rotmats: Tensor, rest_joints: Tensor) -> Posed:
    """Forward kinematics by rotation matrices, level by level of the tree.

    Parameters
    ----------
    rotmats : (B, 24, 3, 3)
        The pelvis in the camera or world, every other joint in its parent's frame.
    rest_joints : (B, 24, 3) or (24, 3)
        Metres.
    """
    rest = rest_joints.expand(len(rotmats), 24, 3)
    parents = torch.tensor(PARENTS)
    turned, placed = [rotmats[:, :1]], [torch.zeros_like(rest[:, :1])]
    above = LEVELS[0]
    for level in LEVELS[1:]:
        up = [above.index(PARENTS[joint]) for joint in level]
        parent = turned[-1][:, up]
        bone = rest[:, level] - rest[:, parents[level]]
        placed.append(placed[-1][:, up] + (parent @ bone.unsqueeze(-1)).squeeze(-1))
        turned.append(parent @ rotmats[:, level])
        above = level
    return Posed(torch.cat(turned, 1)[:, _BACK], torch.cat(placed, 1)[:, _BACK])


class SurfaceBody(nn.Module):
    """Rest joints of a shape, and evenly spread points of the skin for PVE.

    SMPL's skinning and blend shapes on `count` of the body's vertices: the mean over them stands
    for the mean over all, at a fraction of the cost. Joints are linear in betas, so they need no
    vertices at all.

    Parameters
    ----------
    body : BodyModel
    count : int
        Surface points, every n-th vertex.
    """

    def __init__(self, body: BodyModel, count: int) -> None:
        super().__init__()
        points = np.linspace(0, len(body.v_template) - 1, count).round().astype(np.int64)
        rows = torch.from_numpy(points)
        posedirs = body.posedirs.view(207, -1, 3)
        self.num_betas = body.num_betas
        self._keep("mean_joints", body.rest_joints()[0])
        dirs = torch.einsum("jv,vck->jck", body.joint_regressor, body.shapedirs)
        self._keep("joint_dirs", dirs)
        self._keep("template", body.v_template[rows])
        self._keep("shapedirs", body.shapedirs[rows])
        self._keep("posedirs", posedirs[:, rows].flatten(1))
        self._keep("weights", body.weights[rows])

    def _keep(self, name: str, value: Tensor) -> None:
        # The body has a file of its own: it is no part of an estimator's weights.
        self.register_buffer(name, value, persistent=False)

    @property
    def device(self) -> torch.device:
        """Where its arrays are."""
        return self.template.device

    def rest_joints(self, betas: Tensor) -> Tensor:
        """Joints of the rest pose: (B, K) to (B, 24, 3), metres."""
        return self.mean_joints + torch.einsum("jck,bk->bjc", self.joint_dirs, betas)

    def surface(self, rotmats: Tensor, betas: Tensor) -> Tensor:
        """Surface points (B, P, 3), metres, relative to the pelvis; arguments as in `Posed`."""
        rest = self.rest_joints(betas)
        rotations, joints = pose_joints(rotmats, rest)
        shaped = self.template + torch.einsum("pck,bk->bpc", self.shapedirs, betas)
        feature = (rotmats[:, 1:] - torch.eye(3, device=self.device)).flatten(1)
        shaped = shaped + (feature @ self.posedirs).view(len(betas), -1, 3)
        offset = joints - (rotations @ rest.unsqueeze(-1)).squeeze(-1)
        turn = torch.einsum("pj,bjcd->bpcd", self.weights, rotations)
        shift = torch.einsum("pj,bjc->bpc", self.weights, offset)
        return (turn @ shaped.unsqueeze(-1)).squeeze(-1) + shift
