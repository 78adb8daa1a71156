"""Configuration of the autoencoder, the multi-view denoiser and its sampler."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from poseloop.runtime.config import Config

Positive = Annotated[int, Field(gt=0)]


class ComputeConfig(Config):
    """How a network is computed. It changes digits, not what is computed, and no weights file
    carries it."""

    precision: Literal["float32", "bfloat16"] = Field(
        default="float32",
        description="Of convolutions and matrix products (autocast); weights, losses and the "
        "optimiser stay in float32.",
    )
    compile: bool = Field(
        default=False,
        description="Compile the network (torch.compile): the first steps take a minute or more.",
    )


class TrainComputeConfig(ComputeConfig):
    """The same in training."""

    gradient_checkpointing: bool = Field(
        default=False,
        description="Make activations again in the backward pass: a third more arithmetic for a "
        "fraction of the memory.",
    )
    gpus: Positive = Field(
        default=1,
        description="GPUs that share every batch, a process each. Fewer of them do the same work "
        "one part after the other.",
    )


class OptimizerConfig(Config):
    """AdamW with a linear warm-up and a cosine decay."""

    learning_rate: float = Field(gt=0, description="Peak learning rate.")
    weight_decay: float = Field(ge=0, description="Decoupled weight decay.")
    warmup_steps: int = Field(ge=0, description="Steps over which the rate rises from 0.")
    clip_grad_norm: float = Field(gt=0, description="Largest gradient norm; more is scaled down.")
    final_rate: float = Field(ge=0, le=1, description="Rate at the last step, as share of peak.")
    fused: bool = Field(
        default=False,
        description="One kernel for a step of all weights on a CPU too: for small networks it "
        "saves a tenth of the time and gives other last digits. On a GPU it always is one.",
    )


class AutoencoderConfig(Config):
    """`AutoencoderKL` of diffusers on patches, shared by colour and normal images."""

    seed: int = Field(description="Seed of weights, batches and noise.")
    threads: Positive = Field(description="PyTorch threads; part of the result, see runtime.seeds.")
    device: str = Field(
        default="cpu", exclude=True, description="`auto`, `cpu` or `cuda`, to train and to encode."
    )
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
    pictures: Positive | None = Field(
        default=None,
        exclude=True,
        description="Most pictures of each kind that are learnt from, evenly from all files, and "
        "held in memory; null takes all.",
    )
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
    accumulation: Positive = Field(
        default=1,
        exclude=True,
        description="Parts of a GPU's share of the batch that are computed one after the other.",
    )
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
    compute: TrainComputeConfig = Field(
        default=TrainComputeConfig(), exclude=True, description="How training is computed."
    )
    mirrored_views: list[Annotated[int, Field(ge=0)]] = Field(
        description="Views that the model sees mirrored left to right (fact sheet DrPose 4.2), so "
        "that their silhouettes line up with the opposite views'."
    )
    denoiser: DenoiserConfig = Field(description="Network.")
    schedule: ScheduleConfig = Field(description="Noise schedule.")
    train: MultiviewTrainConfig = Field(description="Training.")

    @model_validator(mode="after")
    def _shards_fit(self) -> "MultiviewConfig":
        if self.train.batch_size % self.parts:
            raise ValueError(
                f"train.batch_size must be a multiple of {self.parts}: threads, compute.gpus and "
                "train.accumulation multiplied"
            )
        return self

    @property
    def parts(self) -> int:
        """Parts of a batch in training, each with random numbers of its own."""
        return self.threads * self.compute.gpus * self.train.accumulation


class GenerateConfig(Config):
    """Sampling for the benchmarks."""

    threads: Positive = Field(description="PyTorch threads; part of the result, see runtime.seeds.")
    device: str = Field(description="`auto`, `cpu` or `cuda`.")
    compute: ComputeConfig = Field(
        default=ComputeConfig(), description="How the denoiser is computed."
    )
    steps: Positive = Field(description="DDIM steps.")
    eta: float = Field(ge=0, le=1, description="Share of DDPM noise in a DDIM step; 0 is none.")
    guidance: float = Field(ge=1, description="Classifier-free guidance scale; 1 is off.")
    batch_size: Positive = Field(description="Subjects per batch.")
