"""Losses of the estimators, their training on ordinary poses, and their files."""

from pathlib import Path

import numpy as np
import roma
import torch
from torch import Tensor, nn

from poseloop.body.model import BodyModel
from poseloop.multiview.fitting import Row, fit
from poseloop.posegen.config_estimators import EstimatorConfig, EstimatorsConfig, LossWeights
from poseloop.posegen.estimator import Estimate, Estimator, make_estimator, to_input
from poseloop.posegen.imageset import ImageSet
from poseloop.posegen.skeleton import SurfaceBody
from poseloop.posegen.swing_twist import decompose
from poseloop.runtime.checkpoints import Checkpoints
from poseloop.runtime.errors import UserError
from poseloop.runtime.kernels import sample_at
from poseloop.runtime.rebuilding import rebuilding
from poseloop.runtime.seeds import derive_seed, torch_rng
from poseloop.runtime.weights import load_into, read_weights, write_weights

_BATCH = 100


class Labels:
    """Labels of a picture set as tensors, where the body is.

    Attributes
    ----------
    rgb : (N, S, S, 3) uint8, on the CPU
    rotmats, betas, joints, joints2d, twists
        As in `Estimate`.
    """

    def __init__(self, images: ImageSet, body: SurfaceBody) -> None:
        pose = np.concatenate([images.global_orient, images.body_pose], axis=1).reshape(-1, 24, 3)
        self.rgb = torch.from_numpy(images.rgb)
        self.rotmats = roma.rotvec_to_rotmat(torch.from_numpy(pose).to(body.device))
        self.betas, self.joints, self.joints2d = (
            torch.from_numpy(part).to(body.device)
            for part in (images.betas, images.joints, images.joints2d)
        )
        self.twists = decompose(self.rotmats, body.rest_joints(self.betas))

    def __len__(self) -> int:
        return len(self.rgb)


def estimator_loss(estimate: Estimate, labels: Labels, index: Tensor, w: LossWeights) -> Tensor:
    """Weighted sum of losses of a batch of `labels`; a scalar."""
    total = w.joints * (estimate.joints - labels.joints[index]).norm(dim=-1).mean()
    total = total + w.joints2d * (estimate.joints2d - labels.joints2d[index]).abs().mean()
    total = total + w.rotations * (estimate.rotmats - labels.rotmats[index]).square().mean()
    total = total + w.betas * (estimate.betas - labels.betas[index]).square().mean()
    if estimate.coordinates is not None:
        distance = (estimate.coordinates - labels.joints[index]).norm(dim=-1).mean()
        total = total + w.coordinates * distance
        total = total + w.twist * (estimate.twists - labels.twists[index]).square().mean()
        total = total + w.heat * heat_loss(estimate.log_heat, labels.joints2d[index])
    return total


def heat_loss(log_heat: Tensor, joints2d: Tensor) -> Tensor:
    """Cross-entropy of heat maps against maps that are bilinear around the true places; a scalar.

    Maps learn where to look from it sooner than from the expected place alone, whose gradient all
    but vanishes while a map is flat.

    Parameters
    ----------
    log_heat, joints2d : (B, 24, H, H), (B, 24, 2)
        As in `Estimate`.
    """
    places = (2 * joints2d * joints2d.new_tensor([1.0, -1.0])).clamp(-1, 1)
    maps = log_heat.flatten(0, 1).unsqueeze(1)
    return -sample_at(maps, places.flatten(0, 1).unsqueeze(1)).mean()


def jittered(rgb: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Input pictures (B, 3, S, S) with each colour channel scaled by 1 +- `strength`."""
    gain = 1 + strength * (2 * torch.rand((len(rgb), 3, 1, 1), generator=generator) - 1)
    return ((to_input(rgb) + 1) * gain.to(rgb.device) - 1).clamp(-1, 1)


@torch.no_grad()
def estimate_all(estimator: Estimator, rgb: np.ndarray) -> Estimate:
    """Estimates, on the CPU, of N pictures (N, S, S, 3) uint8, in evaluation mode."""
    device = estimator.body.device
    parts = [estimator(to_input(part.to(device))) for part in torch.from_numpy(rgb).split(_BATCH)]
    return Estimate(
        *(
            None if values[0] is None else torch.cat(values).cpu()
            for values in zip(*parts, strict=True)
        )
    )


@torch.no_grad()
def locate_all(estimator: Estimator, rgb: np.ndarray) -> Tensor:
    """Joints (N, 24, 2) in pictures (N, S, S, 3) uint8, as `Estimate.joints2d`, on the CPU."""
    parts, device = torch.from_numpy(rgb).split(_BATCH), estimator.body.device
    return torch.cat([estimator.locate(to_input(part.to(device))).cpu() for part in parts])


def joint_errors(joints: Tensor, truth: Tensor) -> Tensor:
    """MPJPE (B,), metres, of root-relative joints (B, 24, 3): the mean leaves out the root."""
    return (joints - truth)[:, 1:].norm(dim=-1).mean(-1)


def train_estimator(
    config: EstimatorsConfig,
    name: str,
    images: ImageSet,
    validation: dict[str, ImageSet],
    body: SurfaceBody,
    checkpoints: Checkpoints,
) -> tuple[Estimator, list[Row]]:
    """Train the estimator `name`; returns its weight average and the log.

    Parameters
    ----------
    body : SurfaceBody
        On the device to train on.
    images : ImageSet
        Ordinary pictures.
    validation : dict
        Picture sets whose MPJPE (mm) is logged as `mpjpe_<name>`.
    """
    entry = config.estimators[name]
    torch.manual_seed(derive_seed(config.seed, "posegen", name, "weights"))
    labels = Labels(images, body)
    estimator = make_estimator(entry, body, images.rgb.shape[1])
    estimator = estimator.to(body.device, memory_format=torch.channels_last)
    estimator.initialise(labels.rotmats)

    def backward(step: int) -> Row:
        estimator.train()
        generator = torch_rng(config.seed, "posegen", name, "step", step)
        index = torch.randint(len(labels), (entry.batch_size,), generator=generator)
        pictures = labels.rgb[index].to(body.device)
        pictures = jittered(pictures, config.colour_jitter, generator)
        loss = estimator_loss(estimator(pictures), labels, index, entry.loss)
        loss.backward()
        return {"loss": float(loss.detach())}

    def validate(average: nn.Module) -> Row:
        average.eval()
        return {
            f"mpjpe_{key}": float(
                1000
                * joint_errors(
                    estimate_all(average, held.rgb).joints, torch.from_numpy(held.joints)
                ).mean()
            )
            for key, held in validation.items()
        }

    average, rows = fit(
        estimator,
        backward,
        entry.steps,
        entry.optimizer,
        config.ema_decay,
        checkpoints,
        validate,
        config.validate_every,
    )
    return average.eval(), rows


def save_estimator(
    path: str | Path, estimator: Estimator, entry: EstimatorConfig, size: int
) -> None:
    """Write weights and settings as one safetensors file; the body is not part of it."""
    state = estimator.state_dict()
    write_weights(path, state, {"estimator": entry.model_dump(), "size": size})


def load_estimator(path: str | Path, body: SurfaceBody) -> tuple[Estimator, EstimatorConfig]:
    """Read what `save_estimator` wrote, in evaluation mode, with its settings; where the body is.

    Raises
    ------
    UserError
        The file is missing, is no estimator, or has another number of betas than the body.
    """
    state, metadata = read_weights(path)
    if "estimator" not in metadata:
        raise UserError(f"{path}: not the weights of an estimator of pose")
    with rebuilding(path, state):
        entry = EstimatorConfig.model_validate(metadata["estimator"])
        estimator = make_estimator(entry, body, metadata["size"])
    load_into(estimator, state, path)
    return estimator.to(body.device, memory_format=torch.channels_last).eval(), entry


def surface_body(body: BodyModel, points: int) -> SurfaceBody:
    """The compact body that the estimators of a study share, frozen."""
    return SurfaceBody(body, points).requires_grad_(False)
