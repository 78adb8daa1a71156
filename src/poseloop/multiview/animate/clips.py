"""Sequences as the model learns them: latents of frames and reference, renders of the poses."""

from dataclasses import dataclass

import numpy as np
import torch

from poseloop.multiview.autoencoder import Autoencoder, encode_in_batches


@dataclass(frozen=True)
class ClipLatents:
    """N sequences of F frames.

    latents : (N, F, C, h, w) float32
    reference_latents : (N, C, h, w) float32
    parts : (N, F, S, S, 3) uint8, kept as bytes: they are most of the set
    """

    latents: torch.Tensor
    reference_latents: torch.Tensor
    parts: torch.Tensor

    def __len__(self) -> int:
        return len(self.latents)


def encode_clips(
    autoencoder: Autoencoder,
    rgb: np.ndarray,
    reference_rgb: np.ndarray,
    parts: np.ndarray,
    batch_size: int,
) -> ClipLatents:
    """Encode a set of sequences.

    Parameters
    ----------
    rgb, parts : (N, F, S, S, 3) uint8
    reference_rgb : (N, S, S, 3) uint8
    batch_size : pictures at once
    """
    device = autoencoder.mean.device

    def encode(pictures: torch.Tensor) -> torch.Tensor:
        latents = [
            encode_in_batches(autoencoder, batch.to(device), batch_size)
            for batch in pictures.split(batch_size)
        ]
        return torch.cat(latents).cpu()

    frames = torch.from_numpy(rgb)
    return ClipLatents(
        encode(frames.flatten(0, 1)).unflatten(0, frames.shape[:2]),
        encode(torch.from_numpy(reference_rgb)),
        torch.from_numpy(parts),
    )


def sequence_noise(shape: torch.Size, shared: float, generator: torch.Generator) -> torch.Tensor:
    """Unit noise (N, F, ...) whose frames have the share `shared` of their variance in common.

    Frames that start from like noise change less from one to the next (Ge et al. 2023, "Preserve
    your own correlation", mixed noise).

    Parameters
    ----------
    generator : CPU generator
    """
    own = torch.randn(shape, generator=generator)
    common = torch.randn((shape[0], 1, *shape[2:]), generator=generator)
    return shared**0.5 * common + (1.0 - shared) ** 0.5 * own
