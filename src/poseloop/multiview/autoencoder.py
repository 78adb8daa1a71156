"""Images to latents and back: diffusers' `AutoencoderKL` with normalised latents."""

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from torch import nn

from poseloop.multiview.config import AutoencoderConfig
from poseloop.multiview.views import to_float


class Autoencoder(nn.Module):
    """One autoencoder for colour images and normal maps; the posterior's mode is the latent.

    Latents are shifted and scaled per channel to mean 0 and standard deviation 1 over the
    training images, which is what the noise schedule assumes; the two vectors are buffers, set by
    `set_statistics`.
    """

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        levels, self.patch = len(config.channels), config.patch
        self.network = AutoencoderKL(
            in_channels=3 * config.patch**2,
            out_channels=3 * config.patch**2,
            down_block_types=["DownEncoderBlock2D"] * levels,
            up_block_types=["UpDecoderBlock2D"] * levels,
            block_out_channels=config.channels,
            layers_per_block=config.blocks,
            latent_channels=config.latent_channels,
            norm_num_groups=config.norm_groups,
            mid_block_add_attention=False,
        )
        self.register_buffer("mean", torch.zeros(config.latent_channels))
        self.register_buffer("std", torch.ones(config.latent_channels))

    def encode_raw(self, images: torch.Tensor) -> torch.Tensor:
        """(N, 3, H, W) in [-1, 1] to unnormalised latents (N, C, H/f, W/f)."""
        patches = F.pixel_unshuffle(images, self.patch)
        return self.network.encode(patches).latent_dist.mode()

    def decode_raw(self, latents: torch.Tensor) -> torch.Tensor:
        """Inverse of `encode_raw`, up to the loss of the autoencoder."""
        return F.pixel_shuffle(self.network.decode(latents).sample, self.patch)

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """(N, 3, H, W) in [-1, 1] to normalised latents (N, C, H/f, W/f)."""
        return (self.encode_raw(images) - self._column(self.mean)) / self._column(self.std)

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """(N, C, h, w) normalised latents to images (N, 3, h*f, w*f) near [-1, 1]."""
        return self.decode_raw(latents * self._column(self.std) + self._column(self.mean))

    @torch.no_grad()
    def set_statistics(self, images: torch.Tensor) -> None:
        """Measure the normalisation on images (N, 3, H, W)."""
        raw = self.encode_raw(images)
        self.mean.copy_(raw.mean((0, 2, 3)))
        self.std.copy_(raw.std((0, 2, 3)))

    @staticmethod
    def _column(values: torch.Tensor) -> torch.Tensor:
        return values[:, None, None]


@torch.no_grad()
def encode_in_batches(
    autoencoder: Autoencoder, images: torch.Tensor, batch_size: int
) -> torch.Tensor:
    """Encode (N, H, W, 3) uint8 images to latents (N, C, h, w), a batch at a time.

    The latents are where the images are; each batch visits the autoencoder's device.
    """
    here, there = images.device, autoencoder.mean.device
    return torch.cat(
        [autoencoder.encode(to_float(part.to(there))).to(here) for part in images.split(batch_size)]
    )
