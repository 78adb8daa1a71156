"""The initial mesh: a body fitted to six views by their masks and normals alone.

Fact sheet DrPose 4.5, step 2. The views' own pixels are the only evidence: no joint of the truth,
no judge and no reward is asked, so that none of them is its own witness afterwards.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import roma
import torch
from torch import nn

from poseloop.body.model import BodyModel
from poseloop.reconstruct.config import BodyFit
from poseloop.reconstruct.losses import view_losses
from poseloop.reconstruct.targets import Targets
from poseloop.reconstruct.topology import Edges, mesh_edges
from poseloop.reconstruct.visibility import Visibility

KINDS = ("library", "estimate")
"""Where a start pose comes from."""


@dataclass(frozen=True)
class Start:
    """A pose from which a body is fitted: axis-angle, radians, view frame; one of `KINDS`."""

    global_orient: torch.Tensor
    body_pose: torch.Tensor
    kind: str = KINDS[0]


@dataclass(frozen=True)
class FittedBody:
    """A posed body and how well it fits.

    vertices : (V, 3) tensor
        View frame, normalised units.
    loss : float
    trials : dict
        Of every kind of start, the loss of its best trial; infinite if there was none.
    """

    vertices: torch.Tensor
    loss: float
    trials: dict[str, float]


class BodyPose(nn.Module):
    """Pose, shape, size and place of one body, rotations as six numbers (Zhou et al. 2019).

    Parameters
    ----------
    global_orient, body_pose : (3,), (69,) tensors
        Axis-angle, radians, view frame. Size and place start where the body's bounding box has a
        diagonal of one and its middle at the origin: all views are normalised so (fact sheet
        DrPose 4.2).
    """

    def __init__(
        self, body: BodyModel, global_orient: torch.Tensor, body_pose: torch.Tensor
    ) -> None:
        super().__init__()
        rotations = roma.rotvec_to_rotmat(torch.cat([global_orient, body_pose]).view(24, 3))
        self.register_buffer("start", rotations[..., :2].clone())
        self.rotations = nn.Parameter(self.start.clone())
        self.betas = nn.Parameter(self.start.new_zeros(1, body.num_betas))
        with torch.no_grad():
            vertices = body(global_orient[None], body_pose[None]).vertices[0]
        middle, diagonal = bounding_box(vertices)
        self.log_size = nn.Parameter(-diagonal.log())
        self.transl = nn.Parameter(-middle / diagonal)

    def forward(self, body: BodyModel) -> torch.Tensor:
        """Vertices (V, 3), view frame, normalised units."""
        rotvec = roma.rotmat_to_rotvec(roma.special_gramschmidt(self.rotations)).reshape(1, 72)
        vertices = body(rotvec[:, :3], rotvec[:, 3:], self.betas).vertices[0]
        return vertices * self.log_size.exp() + self.transl


def bounding_box(vertices: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Middle (3,) and diagonal () of the box around vertices (V, 3)."""
    low, high = vertices.amin(0), vertices.amax(0)
    return (low + high) / 2, (high - low).norm()


def fit_body(
    body: BodyModel,
    starts: Sequence[Start],
    targets: Targets,
    see: Visibility,
    config: BodyFit,
) -> FittedBody:
    """Try every start for a few steps, then go on from the best."""
    faces = torch.from_numpy(body.faces).to(targets.mask.device)
    edges = mesh_edges(body.faces)
    device = targets.mask.device
    poses = [
        BodyPose(body, start.global_orient.to(device), start.body_pose.to(device))
        for start in starts
    ]
    total = config.trial_steps + config.steps
    reaches = torch.logspace(*(torch.tensor(r).log10().item() for r in config.reach), total)
    trials = [
        _descend(body, pose, faces, edges, targets, see, config, reaches[: config.trial_steps])
        for pose in poses
    ]
    best = min(range(len(trials)), key=trials.__getitem__)
    pose, rest = poses[best], reaches[config.trial_steps :]
    loss = _descend(body, pose, faces, edges, targets, see, config, rest)
    least = {
        kind: min(
            (trial for trial, start in zip(trials, starts, strict=True) if start.kind == kind),
            default=float("inf"),
        )
        for kind in KINDS
    }
    return FittedBody(pose(body).detach(), loss, least)


def _descend(
    body: BodyModel,
    pose: BodyPose,
    faces: torch.Tensor,
    edges: Edges,
    targets: Targets,
    see: Visibility,
    config: BodyFit,
    reaches: torch.Tensor,
) -> float:
    """Adam with the published schedule; `pose` is moved in place, its last loss returned."""
    optimizer = torch.optim.Adam(
        [
            {"params": [pose.rotations, pose.transl], "lr": config.learning_rate},
            {"params": [pose.betas, pose.log_size], "lr": config.shape_learning_rate},
        ],
        amsgrad=True,
    )
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer,
        factor=0.5,
        patience=config.patience,
        min_lr=config.least_learning_rate,
    )
    for reach in reaches.tolist():
        optimizer.zero_grad()
        vertices = pose(body)
        normal, mask = view_losses(vertices, faces, edges, targets, see, reach)
        middle, diagonal = bounding_box(vertices)
        loss = (
            config.normal_weight * normal
            + config.mask_weight * mask
            + config.shape_weight * pose.betas.square().mean()
            + config.pose_weight * (pose.rotations - pose.start).square().mean()
            + config.frame_weight * ((diagonal - 1).square() + middle.square().sum())
        )
        loss.backward()
        optimizer.step()
        schedule.step(loss.item())
    return loss.item()
