"""Training of PoseScore and JointScore on scans, and PoseScore's PSNR and SSIM on held-out ones."""

import torch
from diffusers import DDIMScheduler
from torch import nn
from torchmetrics.functional.image import (
    peak_signal_noise_ratio,
    structural_similarity_index_measure,
)

from poseloop.multiview.dataset import LatentSet
from poseloop.multiview.fitting import Row, fit_sharded
from poseloop.multiview.schedule import predict_original
from poseloop.reward.config import NoisyInputsConfig, PoseScoreConfig
from poseloop.reward.distance import skeleton_distance
from poseloop.reward.posescore import PoseScore, draw_readings
from poseloop.runtime.checkpoints import Checkpoints
from poseloop.runtime.seeds import derive_seed, torch_rng


@torch.no_grad()
def spoil(
    latents: torch.Tensor,
    image_latents: torch.Tensor,
    denoiser: nn.Module,
    scheduler: DDIMScheduler,
    config: NoisyInputsConfig,
    generator: torch.Generator,
) -> torch.Tensor:
    """Clean, noisy and one-step-estimated latents in the configured shares.

    DRTune scores the one-step estimate of an early-stopped sample; a predictor trained on clean
    renders only would punish its blur and not its pose (fact sheet DrPose 5).

    Parameters
    ----------
    latents : (B, V, 2, C, h, w) clean
    image_latents : (B, C, h, w)
    """
    subjects, device = len(latents), latents.device
    kind = torch.rand(subjects, generator=generator)
    noise = torch.randn(latents.shape, generator=generator).to(device)
    std = config.noise_std * torch.rand(subjects, generator=generator)
    timesteps = torch.randint(config.estimate_max_timestep, (subjects,), generator=generator)

    estimated = kind < config.estimate_share
    noisy = (kind >= config.estimate_share) & (kind < 1.0 - config.clean_share)
    spoilt = latents + (std * noisy).view(-1, 1, 1, 1, 1, 1).to(device) * noise
    if estimated.any():
        chosen = estimated.nonzero().squeeze(1).to(device)
        at = timesteps.to(device)[chosen]
        diffused = scheduler.add_noise(latents[chosen], noise[chosen], at)
        v = denoiser(diffused, at, image_latents[chosen])
        spoilt[chosen] = predict_original(scheduler, v, diffused, at)
    return spoilt


def train_posescore(
    config: PoseScoreConfig,
    data: LatentSet,
    validation: dict[str, LatentSet],
    denoiser: nn.Module,
    scheduler: DDIMScheduler,
    mirrored: list[int],
    device: torch.device,
    checkpoints: Checkpoints,
    kind: type[PoseScore] = PoseScore,
) -> tuple[PoseScore, list[Row]]:
    """Train the predictor of a reward; returns the weight average and the log.

    Parameters
    ----------
    data : scans with views
    denoiser : the frozen base, for one-step estimates
    kind : PoseScore, or JointScore, which learns by the same recipe with another loss

    Returns
    -------
    the reward, and rows with `validation_<set>`: mean distance on clean latents
    """
    torch.manual_seed(derive_seed(config.seed, kind.stream, "weights"))
    channels, side = data.latents.shape[3], data.latents.shape[-1]
    posescore = kind(config, channels, side, mirrored)
    posescore = posescore.to(device, memory_format=torch.channels_last)

    size = config.batch_size // config.threads

    def shard(step: int, part: int) -> torch.Tensor:
        generator = torch_rng(config.seed, kind.stream, "step", step, part)
        index = torch.randint(len(data), (size,), generator=generator)
        latents = spoil(
            data.latents[index].to(device),
            data.image_latents[index].to(device),
            denoiser,
            scheduler,
            config.inputs,
            generator,
        )
        seen = draw_readings(config.readings, size, generator)
        joints = data.joints[index].to(device)
        return posescore.distance(latents, joints, seen).mean()

    @torch.no_grad()
    def validate(average: nn.Module) -> Row:
        return {
            f"validation_{name}": float(
                torch.cat(
                    [
                        average.distance(latents.to(device), joints.to(device))
                        for latents, joints in zip(
                            held_out.latents.split(config.batch_size),
                            held_out.joints.split(config.batch_size),
                            strict=True,
                        )
                    ]
                ).mean()
            )
            for name, held_out in validation.items()
        }

    return fit_sharded(
        posescore,
        shard,
        config.threads,
        config.steps,
        config.optimizer,
        config.ema_decay,
        checkpoints,
        validate,
        config.validate_every,
    )


@torch.no_grad()
def skeleton_quality(
    posescore: PoseScore, data: LatentSet, device: torch.device
) -> tuple[dict[str, float], torch.Tensor, torch.Tensor]:
    """PSNR (dB) and SSIM of predicted maps on held-out scans, with predictions and targets.

    Returns
    -------
    {"psnr", "ssim", "distance"}, predicted (N, V, 23, S, S), target (N, V, 23, S, S)
    """
    logits, targets = [], []
    for latents, joints in zip(data.latents.split(8), data.joints.split(8), strict=True):
        logits.append(posescore.predictor(latents.to(device)).cpu())
        targets.append(posescore.targets(joints))
    logit, target = torch.cat(logits), torch.cat(targets)
    predicted = torch.sigmoid(logit)
    quality = {
        "psnr": float(peak_signal_noise_ratio(predicted, target, data_range=1.0)),
        "ssim": float(
            structural_similarity_index_measure(
                predicted.flatten(0, 1), target.flatten(0, 1), data_range=1.0
            )
        ),
        "distance": float(skeleton_distance(logit, target, posescore.config.distance).mean()),
    }
    return quality, predicted, target
