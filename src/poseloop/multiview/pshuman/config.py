"""Configuration of a released multi-view denoiser: its shape, and where its weights lie.

Sources of the published values, in `config/paper/pshuman.yaml` and `config/paper/era3d*.yaml`:

- Channels, heads, blocks, widths of prompt and picture embedding: Stability AI's
  `v2-1-stable-unclip-h-inference.yaml` (model_channels 320, channel_mult 1 2 4 4,
  num_head_channels 64, num_res_blocks 2, context_dim 1024, adm_in_channels 2048). Read in the
  source; certain.
- Slots, latent side, eight input channels, joint and row-wise attention, camera regressors:
  PSHuman's `configs/inference-768-6view.yaml`, Era3D's `configs/test_unclip-512-6view*.yaml`, and
  the keyword defaults of their `from_pretrained_2d`. Read in the source; certain.
- That the weights on the hub were saved with those configurations: not seen, as the files could not
  be read; likely, since the released inference loads them with that code, and the parameters
  counted here, in half precision, with CLIP and the autoencoder, give the 3.95 GB that a
  third party's notes report for PSHuman's files.
"""

from typing import Annotated, Literal

import torch
from pydantic import Field, model_validator

from poseloop.runtime.config import Config

Positive = Annotated[int, Field(gt=0)]


class UNetConfig(Config):
    """Shape of the U-Net: Stable Diffusion 2.1 unCLIP with attention across modalities and views.

    A latent is `latent_channels` wide; the input is the noisy latent and the picture's beside it.
    """

    views: Positive = Field(description="Views of the body.")
    face: bool = Field(
        description="Whether a last slot holds the face, enlarged; it takes no part in attention "
        "across views and is blended into the front view."
    )
    latent_channels: Positive = Field(description="Channels of one latent.")
    sample_size: Positive = Field(description="Side of a latent; an eighth of the picture's.")
    channels: list[Positive] = Field(
        min_length=2,
        description="Channels per resolution, finest first; the last has no attention.",
    )
    heads: list[Positive] = Field(description="Attention heads per resolution.")
    blocks: Positive = Field(description="Residual blocks per resolution on the way down.")
    norm_groups: Positive = Field(description="Groups of the group norms.")
    prompt_channels: Positive = Field(description="Width of a prompt's token embeddings.")
    picture_channels: Positive = Field(
        description="Width of the CLIP embedding of a picture with the code of its noise level."
    )
    regressed: list[Literal["elevation", "focal"]] = Field(
        description="What the middle of the network regresses about the input camera, in Era3D's "
        "order; the way up is told."
    )
    regressor_channels: Positive = Field(description="Width of these regressors.")
    regressor_blocks: Positive = Field(description="Residual blocks of these regressors.")
    gradient_checkpointing: bool = Field(
        description="Whether activations of the blocks are computed again in the backward pass."
    )

    @property
    def slots(self) -> int:
        """Views and, if there is one, the face."""
        return self.views + self.face

    @model_validator(mode="after")
    def _fits(self) -> "UNetConfig":
        if len(self.heads) != len(self.channels):
            raise ValueError("heads and channels must have as many entries")
        if any(width % heads for width, heads in zip(self.channels, self.heads, strict=True)):
            raise ValueError("every entry of channels must be a multiple of that of heads")
        if any(width % self.norm_groups for width in self.channels):
            raise ValueError("every entry of channels must be a multiple of norm_groups")
        # The face fills the middle third of the upper third of the front view, at every resolution.
        step = 2 ** (len(self.channels) - 1) * (3 if self.face else 1)
        if self.sample_size % step:
            raise ValueError(f"sample_size must be a multiple of {step}")
        return self


class ReleasedConfig(Config):
    """A released denoiser: weights, prompts, and how its views are laid out."""

    path: str = Field(
        description="Folder of the weights: the pipeline's, which holds `unet`, or `unet` itself."
    )
    prompts: str = Field(
        description="Folder of `normal_embeds.pt` and `clr_embeds.pt`, the prompts' embeddings."
    )
    dtype: Literal["float32", "float16", "bfloat16"] = Field(
        description="Type of the weights in memory."
    )
    mirrored_views: list[Annotated[int, Field(ge=0)]] = Field(
        description="Views that the model sees mirrored left to right (fact sheet DrPose 4.2)."
    )
    unet: UNetConfig = Field(description="Shape of the network.")

    @model_validator(mode="after")
    def _mirrors_views_that_exist(self) -> "ReleasedConfig":
        unknown = [view for view in self.mirrored_views if view >= self.unet.views]
        if unknown:
            raise ValueError(f"mirrored_views: there is no view {unknown[0]}")
        return self

    @property
    def torch_dtype(self) -> torch.dtype:
        """`dtype` as PyTorch's own."""
        return getattr(torch, self.dtype)
