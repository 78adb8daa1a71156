"""A body by rotation matrices: joints, a spread of surface points, and their gradients."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from poseloop.body.joints import PARENTS
from poseloop.body.model import BodyModel


def _climbs() -> list[list[int]]:
    """For hops of 1, 2, 4 and 8 joints: each joint's ancestor that far up, or 24, past the root."""
    once = [24 if parent < 0 else parent for parent in PARENTS] + [24]
    climbs = [once]
    while set(climbs[-1]) != {24}:
        climbs.append([climbs[-1][above] for above in climbs[-1]])
    return climbs[:-1]


UP = [max(parent, 0) for parent in PARENTS]
"""Parent of each joint; the pelvis is its own."""
_CLIMBS = _climbs()


class Posed(NamedTuple):
    """Joints of a posed body.

    rotations : (B, 24, 3, 3)
        From the rest pose to the camera or world.
    joints : (B, 24, 3)
        Metres, relative to the pelvis.
    """

    rotations: Tensor
    joints: Tensor


def select(values: Tensor, rows: Sequence[int]) -> Tensor:
    """Rows of the second axis; half the time of indexing by a list, backward above all."""
    return values.index_select(1, torch.tensor(rows, device=values.device))


def pose_joints(rotmats: Tensor, rest_joints: Tensor) -> Posed:
    """Forward kinematics by rotation matrices.

    Every joint's transform is composed with that of the joint above, then with that of two above,
    of four and of eight, which by then hold as many: four products for a chain of nine joints.

    Parameters
    ----------
    rotmats : (B, 24, 3, 3)
        The pelvis in the camera or world, every other joint in its parent's frame.
    rest_joints : (B, 24, 3) or (24, 3)
        Metres.
    """
    rest = rest_joints.expand(len(rotmats), 24, 3)
    bones = rest - select(rest, UP)
    # The batch last: products of small matrices are then sums of long vectors. A fourth row makes
    # transforms of homogeneous coordinates, a 25th joint is one that moves nothing.
    moves = torch.cat([rotmats, bones.unsqueeze(-1)], -1).permute(2, 3, 1, 0)
    moves = nn.functional.pad(moves, (0, 0, 0, 1, 0, 0, 0, 1))
    moves[3, 3] = 1
    moves[:3, :3, 24] = torch.eye(3, dtype=rest.dtype, device=rest.device).unsqueeze(-1)
    for climb in _CLIMBS:
        above = moves.index_select(2, torch.tensor(climb, device=moves.device))
        moves = (above.unsqueeze(2) * moves).sum(1)
    moves = moves[:3, :, :24].permute(3, 2, 0, 1)
    return Posed(moves[..., :3], moves[..., 3])


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
