"""Fine-tuning of the multi-view base by PoseScore (fact sheet DrPose 1.3)."""

import copy

import torch
from peft import LoraConfig, inject_adapter_in_model
from peft.tuners.lora import LoraLayer
from torch import nn

from poseloop.multiview.compute import computed
from poseloop.multiview.config import MultiviewConfig
from poseloop.multiview.dataset import LatentSet
from poseloop.multiview.fitting import Row, fit
from poseloop.multiview.schedule import make_scheduler
from poseloop.multiview.training import diffusion_loss
from poseloop.reward.config import DrPoseConfig, VariantConfig
from poseloop.reward.drtune import reward_step
from poseloop.reward.posescore import PoseScore, draw_readings
from poseloop.reward.validation import validate_sets
from poseloop.runtime.checkpoints import Checkpoints
from poseloop.runtime.processes import ALONE, Processes
from poseloop.runtime.seeds import derive_seed, torch_rng


def add_lora(denoiser: nn.Module, rank: int) -> nn.Module:
    """Put LoRA adapters on every linear layer and freeze the rest."""
    targets = [name for name, part in denoiser.named_modules() if isinstance(part, nn.Linear)]
    config = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=targets)
    return inject_adapter_in_model(config, denoiser)


def merge_lora(denoiser: nn.Module) -> nn.Module:
    """Fold adapters into the layers that they adapt, in place."""
    adapters = [
        (name, part) for name, part in denoiser.named_modules() if isinstance(part, LoraLayer)
    ]
    for name, part in adapters:
        part.merge()
        parent, _, child = name.rpartition(".")
        setattr(denoiser.get_submodule(parent), child, part.get_base_layer())
    return denoiser


def draw_batch(
    ordinary: torch.Tensor, size: int, ordinary_share: float, generator: torch.Generator
) -> torch.Tensor:
    """Indices (size,) of poses, in mean `ordinary_share` of them ordinary, the rest dynamic.

    Parameters
    ----------
    ordinary : (N,) bool, which poses of the set are ordinary
    """
    from_ordinary = torch.rand(size, generator=generator) < ordinary_share
    draws = torch.rand(size, generator=generator)
    pools = [torch.nonzero(~ordinary).squeeze(1), torch.nonzero(ordinary).squeeze(1)]
    return torch.stack(
        [
            pools[int(kind)][int(draw * len(pools[int(kind)]))]
            for kind, draw in zip(from_ordinary, draws, strict=True)
        ]
    )


def finetune(
    base: nn.Module,
    base_config: MultiviewConfig,
    posescore: PoseScore,
    poseset: LatentSet,
    ordinary: torch.Tensor,
    scans: LatentSet,
    validation: dict[str, LatentSet],
    config: DrPoseConfig,
    variant: VariantConfig,
    seed: int,
    device: torch.device,
    checkpoints: Checkpoints,
    processes: Processes = ALONE,
) -> tuple[nn.Module, list[Row]]:
    """Fine-tune a copy of `base`; returns its weight average and the log.

    The log holds, per optimiser step, `reward` (mean PoseScore under the variant's distance),
    `kl` and `anchor`, and at validations `validation_reward_<set>` (full samples, the reward's
    own distance) and `validation_mse_<set>` (squared distance to the true latents of the views
    other than the input's).

    Parameters
    ----------
    base : frozen denoiser
    poseset : pictures and joints, no views
    ordinary : (N,) bool
    scans : scans with views, for the anchor
    processes : those that share the backward passes of every step
    """
    scheduler = make_scheduler(base_config.schedule)
    denoiser = copy.deepcopy(base).requires_grad_(True)
    denoiser.checkpoint_stages(config.compute.gradient_checkpointing)
    if variant.lora_rank is not None:
        torch.manual_seed(derive_seed(seed, "drpose", "lora"))
        denoiser = add_lora(denoiser, variant.lora_rank)
    function, reference = (computed(network, config.compute) for network in (denoiser, base))
    view_shape = scans.latents.shape[1:]

    def reward_backward(generator: torch.Generator) -> Row:
        index = draw_batch(ordinary, variant.batch_size, variant.ordinary_share, generator)
        noise = torch.randn((len(index), *view_shape), generator=generator)
        joints = poseset.joints[index].to(device)
        # One reading a subject has the gradient of their mean, at a third of its cost.
        seen = draw_readings(posescore.config.readings, len(index), generator)
        return reward_step(
            function,
            reference,
            scheduler,
            lambda estimate: posescore(estimate, joints, variant.distance, seen),
            poseset.image_latents[index].to(device),
            noise.to(device),
            variant.drtune,
            variant.kl_weight,
            generator,
            share=1.0 / variant.accumulation,
        )

    def anchor_backward(generator: torch.Generator) -> Row:
        index = torch.randint(len(scans), (variant.batch_size,), generator=generator)
        loss = diffusion_loss(
            function,
            scheduler,
            scans.latents[index].to(device),
            scans.image_latents[index].to(device),
            base_config.train.min_snr_gamma,
            base_config.train.condition_dropout,
            generator,
        )
        (variant.anchor_weight / variant.accumulation * loss).backward()
        return {"anchor": loss.item()}

    def backward(step: int) -> Row:
        rows = []
        for part in processes.share(variant.accumulation):
            generator = torch_rng(seed, "drpose", "step", step, part)
            row = reward_backward(generator)
            if variant.anchor_weight:
                row |= anchor_backward(generator)
            rows.append(row)
        return {name: sum(row[name] for row in rows) / variant.accumulation for name in rows[0]}

    average, rows = fit(
        denoiser,
        backward,
        variant.steps,
        variant.optimizer,
        variant.ema_decay,
        checkpoints,
        lambda average: validate_sets(
            average, base_config, posescore, validation, config.validation_ddim_steps, device
        ),
        config.validate_every,
        processes,
    )
    return merge_lora(average), rows
