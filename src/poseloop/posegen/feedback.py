"""Four ways to tell the generator where the estimator errs (fact sheet PoseGen 1.4 and 8).

`detached`, as released: the estimate is a constant and only the label moves. `through_render`: the
gradient of the error through render and estimator. `score_function`: antithetic random changes and
the error's difference. `difficulty_net`: the gradient of a network that predicts the error.
"""

from collections.abc import Callable

import roma
import torch
from torch import Tensor, nn

from poseloop.posegen.config import Feedback, FeedbackConfig
from poseloop.posegen.estimator import Estimator
from poseloop.posegen.estimator_training import joint_errors
from poseloop.posegen.field import ArticulatedField, Scene
from poseloop.posegen.generator import FEATURES, Bounds, Drawn, describe
from poseloop.posegen.skeleton import pose_joints
from poseloop.posegen.views import camera_rotation, crop_of


class Probe:
    """Renders poses at low resolution on white and asks the estimator.

    Parameters
    ----------
    field : ArticulatedField
    rest_joints : (M, 24, 3)
        Skeletons of its subjects.
    estimator : Estimator
        In evaluation mode; its weights are not changed.
    reference : float
        The base estimator's mean error on ordinary pictures, metres: the unit of hardness.
    size, input_size : int
        Pixels of the render and of the estimator's pictures.
    """

    def __init__(
        self,
        field: ArticulatedField,
        rest_joints: Tensor,
        estimator: Estimator,
        reference: float,
        size: int,
        input_size: int,
    ) -> None:
        self.field = field
        self.rest_joints = rest_joints
        self.estimator = estimator
        self.reference = reference
        self.size = size
        self.input_size = input_size

    def scene(self, drawn: Drawn, subject: Tensor) -> Scene:
        """Skeletons and cameras of poses, differentiable."""
        return scene_of_drawn(drawn, subject, self.rest_joints)

    def joints(self, scene: Scene) -> Tensor:
        """What the estimator sees (B, 24, 3) in pictures of the scenes, metres."""
        shown = self.field.render(scene, self.size)
        white = shown.colour + (1 - shown.opacity)[..., None]
        pictures = white.movedim(-1, 1) * 2 - 1
        if self.size != self.input_size:
            pictures = nn.functional.interpolate(
                pictures, size=self.input_size, mode="bilinear", align_corners=False
            )
        return self.estimator(pictures.contiguous(memory_format=torch.channels_last)).joints

    @torch.no_grad()
    def hardness(self, drawn: Drawn, subject: Tensor) -> Tensor:
        """The estimator's error (B,) on renders of poses, over the reference."""
        scene = self.scene(drawn, subject)
        return self.hardness_of(self.joints(scene), scene)

    def hardness_of(self, joints: Tensor, scene: Scene) -> Tensor:
        """The error (B,) of joints that the estimator saw, over the reference."""
        return joint_errors(joints, scene.joints) / self.reference


def scene_of_drawn(drawn: Drawn, subject: Tensor, rest_joints: Tensor) -> Scene:
    """Skeletons and cameras of poses and of subjects (B,), differentiable."""
    rotmats = roma.rotvec_to_rotmat(drawn.pose.reshape(-1, 24, 3))
    azimuth, elevation, roll, distance = drawn.camera.unbind(1)
    turn = camera_rotation(azimuth, elevation, roll)
    rotmats = torch.cat([(turn @ rotmats[:, 0]).unsqueeze(1), rotmats[:, 1:]], dim=1)
    posed = pose_joints(rotmats, rest_joints[subject])
    centre, size = crop_of(posed.joints)
    subject = subject.to(distance.device)
    return Scene(subject, posed.rotations, posed.joints, centre, size, distance)


class DifficultyNet(nn.Module):
    """Pose and camera to the error that they cause, over the error on ordinary poses."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(FEATURES, hidden),
            nn.LeakyReLU(0.1),
            nn.Linear(hidden, hidden),
            nn.LeakyReLU(0.1),
            nn.Linear(hidden, 1),
        )

    def forward(self, drawn: Drawn) -> Tensor:
        """Predicted hardness (B,)."""
        return self.layers(describe(drawn))[:, 0]


def hinge(hardness: Tensor, config: FeedbackConfig, capped: bool) -> Tensor:
    """Loss (B,) of hardness, the error over that on ordinary poses (fact sheet 4, PoseAug).

    Zero within `slack` of the target, squared distance from the target outside; uncapped, the
    harder the better, which is the release's form.
    """
    if not capped:
        return -hardness
    away = hardness - config.target
    return torch.where(away.abs() > config.slack, away.square(), torch.zeros_like(away))


def feedback_loss(
    mode: Feedback,
    raw: Tensor,
    subject: Tensor,
    bounds: Bounds,
    probe: Probe,
    loss_of: Callable[[Tensor], Tensor],
    noise: float,
    generator: torch.Generator,
    difficulty: DifficultyNet | None = None,
) -> tuple[Tensor, Tensor]:
    """Scalar whose gradient in `raw` is the mode's direction, and the hardness (B,) it measured.

    Parameters
    ----------
    raw : (B, 76)
        The generator's output.
    loss_of : function
        Hardness (B,) to loss (B,).
    noise : float
        Standard deviation of the score function's changes of `raw`.
    """
    drawn = bounds(raw)
    if mode == "difficulty_net":
        hardness = difficulty(drawn)
        return loss_of(hardness).mean(), hardness.detach()
    if mode == "score_function":
        change = noise * torch.randn(raw.shape, generator=generator).to(raw.device)
        up, down = (
            probe.hardness(bounds(raw.detach() + sign * change), subject) for sign in (1, -1)
        )
        slope = (loss_of(up) - loss_of(down)) / (2 * noise**2)
        # Its gradient in raw is slope * change: the antithetic estimate of the loss's gradient.
        return (slope[:, None] * change * raw).sum(1).mean(), (up + down) / 2
    scene = probe.scene(drawn, subject)
    if mode == "detached":
        with torch.no_grad():
            joints = probe.joints(scene)
    else:
        joints = probe.joints(scene)
    hardness = probe.hardness_of(joints, scene)
    return loss_of(hardness).mean(), hardness.detach()


def direction_correlation(
    mode: Feedback,
    raw: Tensor,
    subject: Tensor,
    bounds: Bounds,
    probe: Probe,
    generator: torch.Generator,
    step: float,
    noise: float,
    difficulty: DifficultyNet | None = None,
) -> float:
    """Correlation of a mode's predicted change of error with the real one, over random changes.

    Each sample is moved by +-`step` along a random direction of `raw`; the prediction is the
    mode's gradient along it, the truth the difference of the errors on renders.
    """
    raw = raw.detach().requires_grad_()
    loss, _ = feedback_loss(
        mode, raw, subject, bounds, probe, lambda value: value, noise, generator, difficulty
    )
    (gradient,) = torch.autograd.grad(loss * len(raw), raw)
    predicted, real = [], []
    for _ in range(8):
        way = torch.randn(raw.shape, generator=generator).to(raw.device)
        way = way / way.norm(dim=1, keepdim=True)
        up, down = (
            probe.hardness(bounds(raw.detach() + sign * step * way), subject) for sign in (1, -1)
        )
        real.append((up - down) / (2 * step))
        predicted.append((gradient * way).sum(1))
    table = torch.stack([torch.cat(predicted), torch.cat(real)])
    return float(torch.corrcoef(table)[0, 1])
