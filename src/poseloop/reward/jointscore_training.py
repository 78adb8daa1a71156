"""Training of JointScore on scans: PoseScore's recipe with another loss."""

import torch
from diffusers import DDIMScheduler
from torch import nn

from poseloop.multiview.dataset import LatentSet
from poseloop.multiview.fitting import Row, fit_sharded
from poseloop.reward.config import PoseScoreConfig
from poseloop.reward.jointscore import JointScore
from poseloop.reward.posescore import draw_readings
from poseloop.reward.posescore_training import spoil
from poseloop.runtime.checkpoints import Checkpoints
from poseloop.runtime.seeds import derive_seed, torch_rng


def train_jointscore(
    config: PoseScoreConfig,
    data: LatentSet,
    validation: dict[str, LatentSet],
    denoiser: nn.Module,
    scheduler: DDIMScheduler,
    mirrored: list[int],
    device: torch.device,
    checkpoints: Checkpoints,
) -> tuple[JointScore, list[Row]]:
    """Train the joint predictor; returns the reward and the log.

    Parameters
    ----------
    config : PoseScore's; its distance is not used
    data : scans with views
    denoiser : the frozen base, for one-step estimates

    Returns
    -------
    the weight average, and rows with `validation_<set>`: mean distance of image joints on clean
    latents, in tenths of the image
    """
    torch.manual_seed(derive_seed(config.seed, "jointscore", "weights"))
    channels, side = data.latents.shape[3], data.latents.shape[-1]
    jointscore = JointScore(config, channels, side, mirrored)
    jointscore = jointscore.to(device, memory_format=torch.channels_last)
    size = config.batch_size // config.threads

    def shard(step: int, part: int) -> torch.Tensor:
        generator = torch_rng(config.seed, "jointscore", "step", step, part)
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
        return jointscore.distance(latents, data.joints[index].to(device), seen).mean()

    @torch.no_grad()
    def validate(average: nn.Module) -> Row:
        return {
            f"validation_{name}": float(
                torch.cat(
                    [
                        average.distance(
                            held_out.latents[part].to(device), held_out.joints[part].to(device)
                        )
                        for part in torch.arange(len(held_out)).split(config.batch_size)
                    ]
                ).mean()
            )
            for name, held_out in validation.items()
        }

    return fit_sharded(
        jointscore,
        shard,
        config.threads,
        config.steps,
        config.optimizer,
        config.ema_decay,
        checkpoints,
        validate,
        config.validate_every,
    )
