"""All measures of the snapshots of one run on one validation set."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from poseloop.evaluate.config import EvaluateConfig
from poseloop.evaluate.diversity import seed_diversity
from poseloop.evaluate.hacking.config import HackingConfig
from poseloop.evaluate.hacking.measures import (
    Codec,
    mean_squared,
    noisy_predictions,
    rewards_and_sharpness,
    rms_contrast,
    round_trip,
)
from poseloop.evaluate.hacking.snapshots import Snapshots
from poseloop.evaluate.hacking.subjects import Subjects
from poseloop.evaluate.masks import soft_masks
from poseloop.evaluate.pose import PoseJudge
from poseloop.multiview.config import MultiviewConfig
from poseloop.multiview.sampler import sample
from poseloop.multiview.schedule import make_scheduler
from poseloop.multiview.views import COLOUR, NORMAL, mirror_views, to_uint8

Reward = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""Clean latents (B, V, 2, C, h, w) and joints (B, 24, 3) to rewards (B,)."""


@dataclass(frozen=True)
class Instruments:
    """What measures; none but the proxy had a part in training.

    codec : of latents and pictures, on the CPU
    proxy : the reward of the training
    held_out : a second reward
    judge : finds joints in pictures
    """

    codec: Codec
    proxy: Reward
    held_out: Reward
    judge: PoseJudge


@dataclass(frozen=True)
class Sampled:
    """What one network makes of the subjects, noise draw by noise draw.

    latents : (M, N, V, 2, C, h, w)
    predictions : (N, T, V, 2, C, h, w) v at noisy latents that are the same for every network
    """

    latents: torch.Tensor
    predictions: torch.Tensor


def measure_run(
    snapshots: Snapshots,
    subjects: Subjects,
    instruments: Instruments,
    config: HackingConfig,
    evaluation: EvaluateConfig,
    device: torch.device,
) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
    """Step and measures (`metrics.MEASURES`), one value per subject, mean over noises.

    Drift is from step 0, in samples from the same noise and in predictions at the same noisy
    latents. Cycle error and contrast are ratios to those of the subject's true latents and views.
    """
    truth = _true_references(subjects, instruments, evaluation)
    base = None
    for step in snapshots.states:
        sampled = sample_subjects(
            snapshots.load(step, device), snapshots.config, subjects, config, device
        )
        base = base or sampled
        measured = [
            _measure_draw(draw, snapshots.config, subjects, instruments, config, evaluation, truth)
            for draw in sampled.latents
        ]
        tables, normals = zip(*measured, strict=True)
        table = {name: np.mean([part[name] for part in tables], axis=0) for name in tables[0]}
        drifts = [mean_squared(*pair) for pair in zip(sampled.latents, base.latents, strict=True)]
        table["drift_latents"] = torch.stack(drifts).mean(0).numpy()
        table["drift_v"] = mean_squared(sampled.predictions, base.predictions).numpy()
        spread = seed_diversity(np.stack(normals), evaluation.images.mask_level)
        yield step, table | {name: np.array(values) for name, values in spread.items()}


@torch.no_grad()
def sample_subjects(
    denoiser: nn.Module,
    base_config: MultiviewConfig,
    subjects: Subjects,
    config: HackingConfig,
    device: torch.device,
) -> Sampled:
    """Samples from every noise draw, and predictions at the first draw's noise; on the CPU."""
    scheduler = make_scheduler(base_config.schedule)
    data, size = subjects.latents, config.batch_size
    images = data.image_latents.split(size)

    def over_batches(run: Callable[..., torch.Tensor], *tensors: torch.Tensor) -> torch.Tensor:
        parts = zip(images, *(tensor.split(size) for tensor in tensors), strict=True)
        return torch.cat([run(*(part.to(device) for part in batch)).cpu() for batch in parts])

    def samples(image_latents: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        return sample(denoiser, scheduler, image_latents, noise, config.ddim_steps)

    def predictions(
        image_latents: torch.Tensor, clean: torch.Tensor, noise: torch.Tensor
    ) -> torch.Tensor:
        return noisy_predictions(
            denoiser, scheduler, clean, noise, image_latents, config.drift_timesteps
        )

    noises = [subjects.noise(config.seed, draw) for draw in range(config.noises)]
    return Sampled(
        torch.stack([over_batches(samples, noise) for noise in noises]),
        over_batches(predictions, data.latents, noises[0]),
    )


def _true_references(
    subjects: Subjects, instruments: Instruments, evaluation: EvaluateConfig
) -> dict[str, np.ndarray]:
    """Cycle error of the true latents and contrast of the true views, (N,) each."""
    errors = [
        mean_squared(round_trip(instruments.codec, part)[1], part)
        for part in subjects.latents.latents.split(evaluation.batch)
    ]
    contrast = _contrast(subjects.truth["rgb"], subjects.truth["normal"], evaluation)
    return {"cycle_error": torch.cat(errors).numpy(), "contrast": contrast}


def _contrast(rgb: np.ndarray, normal: np.ndarray, evaluation: EvaluateConfig) -> np.ndarray:
    """Contrast (N,) of the views other than the input's, which the input picture nearly gives."""
    rgb, normal = rgb[:, 1:], normal[:, 1:]
    masks = soft_masks(rgb, normal, evaluation.images.colour_contrast)
    return rms_contrast(rgb, masks, evaluation.images.mask_level)


def _measure_draw(
    latents: torch.Tensor,
    base_config: MultiviewConfig,
    subjects: Subjects,
    instruments: Instruments,
    config: HackingConfig,
    evaluation: EvaluateConfig,
    truth: dict[str, np.ndarray],
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Measures of one draw's samples (N, V, 2, C, h, w), and its normals (N, K, S, S, 3) uint8."""
    found: dict[str, list[torch.Tensor]] = {}
    pictures = []
    joints = subjects.latents.joints.split(evaluation.batch)
    for part, target in zip(latents.split(evaluation.batch), joints, strict=True):
        proxy, sharpness = rewards_and_sharpness(
            lambda point, target=target: instruments.proxy(point, target),
            part,
            config.sharpness_step,
        )
        with torch.no_grad():
            held_out = instruments.held_out(part, target)
        decoded, again = round_trip(instruments.codec, part)
        pictures.append(to_uint8(mirror_views(decoded, base_config.mirrored_views, view_dim=1)))
        row = {
            "proxy_reward": proxy,
            "held_out_reward": held_out,
            "sharpness": sharpness,
            "cycle_error": mean_squared(again, part),
        }
        for name, values in row.items():
            found.setdefault(name, []).append(values.cpu())
    table = {name: torch.cat(values).numpy() for name, values in found.items()}
    table["cycle_error"] = table["cycle_error"] / truth["cycle_error"]
    views = torch.cat(pictures).numpy()
    rgb, normal = views[:, :, COLOUR], views[:, :, NORMAL]
    table["contrast"] = _contrast(rgb, normal, evaluation) / truth["contrast"]
    table["contrast_error"] = np.abs(table["contrast"] - 1)
    judge, known = instruments.judge, subjects.truth
    seen = judge.joints(rgb, normal, known["azimuths"], evaluation.batch)
    errors = judge.errors(seen, known["joints"], known["metres_per_unit"])
    for name in ("judge_mpjpe", "judge_pa_mpjpe"):
        table[name] = errors[name]
    return table, normal
