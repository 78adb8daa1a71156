"""Forward kinematics of SMPL's 24 joints, without the mesh."""

import roma
import torch
from torch import Tensor

from poseloop.body.joints import PARENTS


def joint_transforms(
    global_orient: Tensor, body_pose: Tensor, rest_joints: Tensor
) -> tuple[Tensor, Tensor]:
    """Orientation and position of each joint, before translation.

    Parameters
    ----------
    global_orient : (B, 3)
        Axis-angle, radians.
    body_pose : (B, 69)
        Axis-angle of joints 1 to 23, each in its parent's frame.
    rest_joints : (24, 3) or (B, 24, 3)
        Joints of the rest pose, metres.

    Returns
    -------
    rotations : (B, 24, 3, 3)
        From the rest pose to the world.
    joints : (B, 24, 3)
        Metres; the pelvis stays where it is at rest, as in SMPL.
    """
    pose = torch.cat([global_orient, body_pose], dim=1).reshape(-1, 24, 3)
    local = roma.rotvec_to_rotmat(pose)
    rest = rest_joints.expand(len(pose), 24, 3)
    rotations, positions = [local[:, 0]], [rest[:, 0]]
    for joint in range(1, 24):
        parent = PARENTS[joint]
        bone = (rest[:, joint] - rest[:, parent]).unsqueeze(-1)
        positions.append(positions[parent] + (rotations[parent] @ bone).squeeze(-1))
        rotations.append(rotations[parent] @ local[:, joint])
    return torch.stack(rotations, dim=1), torch.stack(positions, dim=1)


def forward_kinematics(
    global_orient: Tensor, body_pose: Tensor, rest_joints: Tensor, transl: Tensor | None = None
) -> Tensor:
    """Positions of the joints (B, 24, 3), metres; arguments as in `joint_transforms`.

    `transl` (B, 3) is added; SMPL turns the body about the pelvis of the rest pose.
    """
    _, joints = joint_transforms(global_orient, body_pose, rest_joints)
    return joints if transl is None else joints + transl.unsqueeze(1)
