"""A small image-animation model and random sequences for it."""

import torch

from poseloop.multiview.animate.clips import ClipLatents
from poseloop.multiview.animate.config import AnimateConfig
from poseloop.multiview.config import AutoencoderConfig

SIDE, FRAMES, LATENT = 16, 3, 4
OPTIMIZER = {
    "learning_rate": 0.005,
    "weight_decay": 0.0,
    "warmup_steps": 1,
    "clip_grad_norm": 1.0,
    "final_rate": 0.1,
}
AUTOENCODER = AutoencoderConfig(
    seed=0,
    threads=1,
    patch=1,
    channels=[8, 8],
    blocks=1,
    norm_groups=4,
    latent_channels=LATENT,
    steps=1,
    batch_size=2,
    latent_noise=0.0,
    equivariance_weight=0.0,
    edge_weight=0.0,
    optimizer=OPTIMIZER,
    checkpoint_every=1,
    encode_batch_size=4,
)


def animate_config(steps: int = 4, **sample) -> AnimateConfig:
    return AnimateConfig.model_validate(
        {
            "seed": 0,
            "threads": 1,
            "device": "cpu",
            "network": {
                "latent_channels": LATENT,
                "patch": 1,
                "channels": [16, 16],
                "blocks": [1, 1],
                "heads": 2,
                "norm_groups": 4,
                "guider_channels": [8],
                "guider_groups": 4,
                "motion_frames": 8,
                "gradient_checkpointing": False,
            },
            "schedule": {
                "train_timesteps": 1000,
                "beta_start": 0.00085,
                "beta_end": 0.012,
                "timestep_spacing": "trailing",
            },
            "shared_noise": 0.5,
            "train": {
                "steps": steps,
                "batch_size": 2,
                "min_snr_gamma": 5.0,
                "reference_dropout": 0.1,
                "ema_decay": 0.9,
                "optimizer": OPTIMIZER,
                "validate_every": steps,
                "checkpoint_every": 2,
            },
            "sample": {"steps": 2, "eta": 0.0, "guidance": 1.5, "batch_size": 2} | sample,
            "filter": {"quantile": 0.9, "batch_size": 4, "colour_contrast": 0.25},
            "figure": {"sequences": 1, "frames": 2},
        }
    )


def random_clips(count: int, seed: int = 0, frames: int = FRAMES) -> ClipLatents:
    generator = torch.Generator().manual_seed(seed)
    side = SIDE // 2
    return ClipLatents(
        torch.randn((count, frames, LATENT, side, side), generator=generator),
        torch.randn((count, LATENT, side, side), generator=generator),
        torch.randint(256, (count, frames, SIDE, SIDE, 3), generator=generator, dtype=torch.uint8),
    )
