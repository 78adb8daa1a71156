"""A captured skeleton in motion, before it is retargeted."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class SourceMotion:
    """Rotations of a skeleton that is not SMPL's.

    Attributes
    ----------
    name : str
    times : (T,) seconds
    parents : tuple
        Of the S source joints, -1 for the root; parents precede children.
    offsets : (S, 3)
        From the parent, in the rest pose, in the source's own unit.
    rotations : (T, S, 3, 3)
        In the parent's frame; identity is the rest pose.
    root : (T, 3)
        Position of the root.
    joints : dict
        Source joint at an SMPL joint, by SMPL's joint name. At least pelvis, neck, and on both
        sides hip, knee, ankle, shoulder, elbow and wrist.
    chest, head : int
        Source joints that carry the orientation of SMPL's spine3 and head.
    """

    name: str
    times: Tensor
    parents: tuple[int, ...]
    offsets: Tensor
    rotations: Tensor
    root: Tensor
    joints: dict[str, int]
    chest: int
    head: int

    def forward(self) -> tuple[Tensor, Tensor]:
        """World orientations (T, S, 3, 3) and positions (T, S, 3) of the source joints."""
        rotations: list[Tensor] = []
        positions: list[Tensor] = []
        for joint, parent in enumerate(self.parents):
            local = self.rotations[:, joint]
            if parent < 0:
                rotations.append(local)
                positions.append(self.root)
            else:
                rotations.append(rotations[parent] @ local)
                positions.append(positions[parent] + rotations[parent] @ self.offsets[joint])
        return torch.stack(rotations, dim=1), torch.stack(positions, dim=1)

    def rest(self) -> Tensor:
        """Joints of the rest pose, root at the origin: (S, 3)."""
        positions: list[Tensor] = []
        for offset, parent in zip(self.offsets, self.parents, strict=True):
            positions.append(torch.zeros_like(offset) if parent < 0 else positions[parent] + offset)
        return torch.stack(positions)

    def in_smpl_axes(self) -> "SourceMotion":
        """The same motion with y up at rest, facing +z, left towards +x.

        The source's axes are read off its rest pose, to the nearest axis.
        """
        rest = self.rest()
        left = _nearest_axis(rest[self.joints["left_hip"]] - rest[self.joints["right_hip"]])
        trunk = rest[self.joints["neck"]] - rest[self.joints["pelvis"]]
        up = _nearest_axis(trunk - trunk @ left * left)
        change = torch.stack([left, up, torch.linalg.cross(left, up)])
        return replace(
            self,
            offsets=self.offsets @ change.T,
            rotations=change @ self.rotations @ change.T,
            root=self.root @ change.T,
        )


def _nearest_axis(direction: Tensor) -> Tensor:
    axis = torch.zeros_like(direction)
    largest = direction.abs().argmax()
    axis[largest] = direction[largest].sign()
    return axis
