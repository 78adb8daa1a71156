"""The body as the loop needs it: joints and a share of the vertices, from rotation matrices.

Skinning every vertex of every hypothesis would cost more than sampling it. A fixed, even choice of
vertices gives the same per-vertex error to within the spread of the mean.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from poseloop.body.joints import JOINT, LEVELS, PARENTS
from poseloop.body.model import BodyModel
from poseloop.runtime.errors import UserError

COMMON_JOINTS = (8, 5, 2, 1, 4, 7, 21, 19, 17, 16, 18, 20, 12, 15)
"""The 14 joints over which MPJPE is taken: both legs, both arms, neck and head.

SMPL's own joints stand for those that Human3.6M's regressor gives (fact sheet ADHMR 6.1): the open
body has no such regressor."""


LEAF_PARENTS = tuple(
    JOINT[name] for name in ("head", "left_hand", "right_hand", "left_foot", "right_foot")
)
"""Joints that end in a leaf: the 29 points of HybrIK are SMPL's 24 joints and these five ends."""


class Bodies(NamedTuple):
    """Rotations (..., 24, 3, 3) in parents' frames, betas (..., B), camera (..., 3)."""

    rotations: Tensor
    betas: Tensor
    camera: Tensor

    def to(self, device: torch.device) -> "Bodies":
        """The same on another device."""
        return Bodies(*(value.to(device) for value in self))


class SkeletonBody(nn.Module):
    """Joints and a subset of vertices of SMPL bodies.

    Parameters
    ----------
    body : BodyModel
    vertices : int
        Number of vertices to keep, evenly along the file's order.

    Raises
    ------
    UserError
        The body has fewer vertices.
    """

    def __init__(self, body: BodyModel, vertices: int) -> None:
        super().__init__()
        if vertices > len(body.v_template):
            raise UserError(f"vertices: {vertices}, but the body has {len(body.v_template)}")
        chosen = torch.linspace(0, len(body.v_template) - 1, vertices).round().long()
        shapes = torch.einsum("jv,vck->jck", body.joint_regressor, body.shapedirs)
        posedirs = body.posedirs.view(len(body.posedirs), -1, 3)[:, chosen]
        leaves = [_farthest(body, joint) for joint in LEAF_PARENTS]
        for name, value in (
            ("leaves", body.v_template[leaves]),
            ("leaf_shapes", body.shapedirs[leaves]),
            ("rest", body.rest_joints()[0]),
            ("rest_shapes", shapes),
            ("template", body.v_template[chosen]),
            ("shapedirs", body.shapedirs[chosen]),
            ("posedirs", posedirs.reshape(len(posedirs), -1)),
            ("weights", body.weights[chosen]),
        ):
            self.register_buffer(name, value.clone())

    def rest_joints(self, betas: Tensor) -> Tensor:
        """Joints of the rest pose: (..., B) to (..., 24, 3), metres."""
        return self.rest + torch.einsum("jck,...k->...jc", self.rest_shapes, betas)

    def rest_points(self, betas: Tensor) -> Tensor:
        """The 24 joints and five leaves of the rest pose: (..., B) to (..., 29, 3), metres."""
        leaves = self.leaves + torch.einsum("jck,...k->...jc", self.leaf_shapes, betas)
        return torch.cat([self.rest_joints(betas), leaves], -2)

    def points(self, bodies: Bodies) -> Tensor:
        """The 24 joints and five leaves (..., 29, 3) from the pelvis, metres."""
        shape = bodies.rotations.shape[:-3]
        rest = self.rest_points(bodies.betas).reshape(-1, 29, 3)
        world, joints = self._chain(bodies.rotations.reshape(-1, 24, 3, 3), rest[:, :24])
        parents = list(LEAF_PARENTS)
        ends = (rest[:, 24:] - rest[:, parents]).unsqueeze(-1)
        leaves = joints[:, parents] + (world[:, parents] @ ends).squeeze(-1)
        return torch.cat([joints, leaves], 1).view(*shape, 29, 3)

    def _chain(self, rotations: Tensor, rest: Tensor) -> tuple[Tensor, Tensor]:
        """World rotations (N, 24, 3, 3) and joints (N, 24, 3) from the pelvis."""
        turns: list[Tensor] = [rotations[:, 0]] + [rotations[:, 0]] * 23
        places: list[Tensor] = [torch.zeros_like(rest[:, 0])] * 24
        for level in LEVELS[1:]:
            parents = [PARENTS[joint] for joint in level]
            carried = torch.stack([turns[parent] for parent in parents], 1)
            start = torch.stack([places[parent] for parent in parents], 1)
            bones = (rest[:, level] - rest[:, parents]).unsqueeze(-1)
            ends = start + (carried @ bones).squeeze(-1)
            turned = carried @ rotations[:, level]
            for index, joint in enumerate(level):
                turns[joint], places[joint] = turned[:, index], ends[:, index]
        return torch.stack(turns, 1), torch.stack(places, 1)

    def joints(self, bodies: Bodies) -> Tensor:
        """Joints (..., 24, 3) from the pelvis, metres."""
        shape = bodies.rotations.shape[:-3]
        rest = self.rest_joints(bodies.betas).reshape(-1, 24, 3)
        return self._chain(bodies.rotations.reshape(-1, 24, 3, 3), rest)[1].view(*shape, 24, 3)

    def surface(self, bodies: Bodies) -> tuple[Tensor, Tensor]:
        """Joints (..., 24, 3) and vertices (..., V, 3) from the pelvis, metres."""
        shape = bodies.rotations.shape[:-3]
        local = bodies.rotations.reshape(-1, 24, 3, 3)
        betas = bodies.betas.reshape(len(local), -1)
        rest = self.rest_joints(betas)
        world, joints = self._chain(local, rest)
        features = (local[:, 1:] - torch.eye(3, device=local.device)).reshape(len(local), -1)
        shaped = self.template + torch.einsum("vck,nk->nvc", self.shapedirs, betas)
        shaped = shaped + (features @ self.posedirs).view(len(local), -1, 3)
        shift = joints - (world @ rest.unsqueeze(-1)).squeeze(-1)
        moves = torch.cat([world.reshape(len(local), 24, 9), shift], 2)
        blended = self.weights @ moves
        turn, shift = blended[..., :9].view(*blended.shape[:2], 3, 3), blended[..., 9:]
        vertices = (turn @ shaped.unsqueeze(-1)).squeeze(-1) + shift
        return joints.view(*shape, 24, 3), vertices.view(*shape, -1, 3)


def _farthest(body: BodyModel, joint: int) -> int:
    """The vertex of a joint's own part that is farthest from the joint."""
    own = torch.from_numpy((body.parts == joint).nonzero()[0])
    distance = (body.v_template[own] - body.rest_joints()[0, joint]).norm(dim=1)
    return int(own[distance.argmax()])
