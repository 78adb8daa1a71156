"""Configuration of the autoencoder, the multi-view denoiser and its sampler."""

from typing import Annotated

from pydantic import Field, model_validator

from poseloop.runtime.config import Config

Positive = Annotated[int, Field(gt=0)]


class OptimizerConfig(Config):
    """AdamW with a linear warm-up and a cosine decay."""

    learning_rate: float = Field(gt=0, description="Peak learning rate.")
    weight_decay: float = Field(ge=0, description="Decoupled weight decay.")
    warmup_steps: int = Field(ge=0, description="Steps over which the rate rises from 0.")
    clip_grad_norm: float = Field(gt=0, description="Largest gradient norm; more is scaled down.")
    final_rate: float = Field(ge=0, le=1, description="Rate at the last step, as share of peak.")


class AutoencoderConfig(Config):
    """`AutoencoderKL` of diffusers on patches, shared by colour and normal images."""

    seed: int = Field(description="Seed of weights, batches and noise.")
    threads: Positive = Field(description="PyTorch threads; part of the result, see runtime.seeds.")
    patch: Positive = Field(
        description="Side of the pixel patch that enters the network as channels; above 1 the "
        "costly convolutions at full resolution are left out."
    )
    channels: list[Positive] = Field(
        description="Channels per resolution, image side first; each further entry halves."
    )
    blocks: Positive = Field(description="Residual blocks per resolution.")
    norm_groups: Positive = Field(description="Groups of the group norms.")
    latent_channels: Positive = Field(description="Channels of a latent.")
    steps: Positive = Field(description="Optimiser steps.")
    batch_size: Positive = Field(description="Images per step, half of them normal maps.")
    latent_noise: float = Field(
        ge=0,
        description="Std of noise on the latents in training, in units of their own std; makes the "
        "decoder forgive the denoiser's errors.",
    )
    equivariance_weight: float = Field(
        ge=0,
        description="Weight of decoding latents of half the size to pictures of half the size; it "
        "takes out of the latents what no neighbour predicts (Kouzelis et al. 2025, EQ-VAE).",
    )
    edge_weight: float = Field(ge=0, description="Weight of the L1 loss on image gradients.")
    optimizer: OptimizerConfig = Field(description="Optimiser.")
    checkpoint_every: Positive = Field(description="Steps between checkpoints.")
    encode_batch_size: Positive = Field(description="Images per batch when data sets are encoded.")


class DenoiserConfig(Config):
    """Shape of the multi-view denoiser."""

    latent_channels: Positive = Field(description="Channels of one latent.")
    patch: Positive = Field(description="Side of the latent patch that is one token.")
    channels: list[Positive] = Field(description="Channels per resolution, finest first.")
    blocks: list[Positive] = Field(description="Residual and attention blocks per resolution.")
    heads: Positive = Field(description="Attention heads.")
    norm_groups: Positive = Field(description="Groups of the group norms.")
    multiview_attention: list[str] = Field(
        description="Attention across views per resolution: `row` (tokens of one image row, as "
        "PSHuman) or `full` (all tokens of all views)."
    )
    views: Positive = Field(description="Number of views.")


class ScheduleConfig(Config):
    """Noise schedule (fact sheet DrPose 4.3: linear betas, v-prediction)."""

    train_timesteps: Positive = Field(description="Number of diffusion timesteps.")
    beta_start: float = Field(gt=0, lt=1, description="First beta of the linear schedule.")
    beta_end: float = Field(gt=0, lt=1, description="Last beta of the linear schedule.")
    timestep_spacing: str = Field(
        pattern="^(leading|trailing)$", description="Which timesteps a short DDIM run visits."
    )


class MultiviewTrainConfig(Config):
    """Training of the base on scans."""

    steps: Positive = Field(description="Optimiser steps.")
    batch_size: Positive = Field(description="Subjects per step.")
    min_snr_gamma: float = Field(gt=0, description="Gamma of min-SNR loss weights.")
    condition_dropout: float = Field(
        ge=0, lt=1, description="Share of subjects whose input image is dropped, for guidance."
    )
    ema_decay: float = Field(gt=0, lt=1, description="Decay of the weight average that is saved.")
    optimizer: OptimizerConfig = Field(description="Optimiser.")
    validate_every: Positive = Field(description="Steps between validations.")
    checkpoint_every: Positive = Field(description="Steps between checkpoints.")


class MultiviewConfig(Config):
    """The multi-view diffusion base."""

    seed: int = Field(description="Seed of weights, batches and noise.")
    threads: Positive = Field(
        description="CPU threads; each takes an equal shard of the batch. Part of the result."
    )
    device: str = Field(description="`auto`, `cpu` or `cuda`.")
    mirrored_views: list[Annotated[int, Field(ge=0)]] = Field(
        description="Views that the model sees mirrored left to right (fact sheet DrPose 4.2), so "
        "that their silhouettes line up with the opposite views'."
    )
    denoiser: DenoiserConfig = Field(description="Network.")
    schedule: ScheduleConfig = Field(description="Noise schedule.")
    train: MultiviewTrainConfig = Field(description="Training.")

    @model_validator(mode="after")
    def _shards_fit(self) -> "MultiviewConfig":
        if self.train.batch_size % self.threads:
            raise ValueError("train.batch_size must be a multiple of threads")
        return self


class GenerateConfig(Config):
    """Sampling for the benchmarks."""

    threads: Positive = Field(description="PyTorch threads; part of the result, see runtime.seeds.")
    device: str = Field(description="`auto`, `cpu` or `cuda`.")
    steps: Positive = Field(description="DDIM steps.")
    eta: float = Field(ge=0, le=1, description="Share of DDPM noise in a DDIM step; 0 is none.")
    guidance: float = Field(ge=1, description="Classifier-free guidance scale; 1 is off.")
    batch_size: Positive = Field(description="Subjects per batch.")
