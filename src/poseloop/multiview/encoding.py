"""From stored pictures to latent sets in the model's layout."""

from collections.abc import Sequence

import numpy as np
import torch

from poseloop.multiview.autoencoder import Autoencoder, encode_in_batches
from poseloop.multiview.dataset import LatentSet
from poseloop.multiview.views import matte, mirror_views


def encode_inputs(
    autoencoder: Autoencoder, rgb: np.ndarray, mask: np.ndarray, batch_size: int
) -> torch.Tensor:
    """Latents (N, C, h, w) of input pictures (N, H, W, 3) uint8, matted by (N, H, W) uint8."""
    pictures = (torch.from_numpy(array).split(batch_size) for array in (rgb, mask))
    return torch.cat(
        [
            encode_in_batches(autoencoder, matte(*batch), batch_size)
            for batch in zip(*pictures, strict=True)
        ]
    )


def encode_set(
    autoencoder: Autoencoder,
    arrays: dict[str, np.ndarray],
    group: str,
    mirrored: Sequence[int],
    batch_size: int,
) -> LatentSet:
    """Encode a stored set; views are encoded too where `arrays` has them.

    Parameters
    ----------
    arrays : `input_rgb`, `input_mask`, `joints` and, for scans, `rgb` and `normal`
        (N, V, H, W, 3) uint8
    group : name written beside every subject
    mirrored : views that the model sees mirrored
    """
    latents = None
    if "normal" in arrays:
        # As many subjects at a time as there are pictures in a batch: sets can be large.
        parts = [
            _encode_views(autoencoder, views, mirrored, batch_size)
            for views in zip(
                *(torch.from_numpy(arrays[name]).split(batch_size) for name in ("normal", "rgb")),
                strict=True,
            )
        ]
        latents = torch.cat(parts)
    return LatentSet(
        encode_inputs(autoencoder, arrays["input_rgb"], arrays["input_mask"], batch_size),
        torch.from_numpy(arrays["joints"]).float(),
        latents,
        np.full(len(arrays["joints"]), group),
    )


def _encode_views(
    autoencoder: Autoencoder,
    views: tuple[torch.Tensor, torch.Tensor],
    mirrored: Sequence[int],
    batch_size: int,
) -> torch.Tensor:
    """Normal and colour views, (N, V, H, W, 3) uint8 each, to latents (N, V, 2, C, h, w)."""
    images = torch.stack(views, dim=2).movedim(-1, -3)
    images = mirror_views(images, mirrored, view_dim=1).movedim(-3, -1)
    flat = encode_in_batches(autoencoder, images.flatten(0, 2), batch_size)
    return flat.unflatten(0, images.shape[:3])
