"""What the network is told besides latents: the fixed prompts and the picture's embedding."""

from pathlib import Path

import torch
from diffusers.models.embeddings import get_timestep_embedding

from poseloop.multiview.pshuman.config import UNetConfig
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import require_file
from poseloop.runtime.weights import read_torch

# Modality 0 is the normal map (multiview.views).
_FILES = ("normal_embeds.pt", "clr_embeds.pt")


def read_prompts(folder: str | Path, config: UNetConfig) -> torch.Tensor:
    """Token embeddings (slots, 2, L, D) float32 of the prompts that the networks know.

    The released code carries them as two files of a tensor (slots, L, D) each (fact sheet DrPose
    4.1; written by its `generate_fixed_text_embeds.py`).

    Raises
    ------
    UserError
        A file is missing, unreadable, or of another shape.
    """
    embeds = [_read(Path(folder) / name, config) for name in _FILES]
    counts = [part.shape[1] for part in embeds]
    if len(set(counts)) > 1:
        raise UserError(f"{folder}: {' and '.join(_FILES)} have {counts} tokens")
    return torch.stack(embeds, dim=1)


def picture_condition(clip_embeds: torch.Tensor) -> torch.Tensor:
    """Embeddings (..., D) of pictures by CLIP, with the code of noise level 0: (..., 2 D).

    Stable unCLIP noises the embedding and appends a code of the level. At level 0 the noise is
    0.6 % of the embedding's spread (squared-cosine schedule, beta 4e-5); it is left out, so that a
    picture always gives the same views.
    """
    level = torch.zeros(1, device=clip_embeds.device)
    code = get_timestep_embedding(
        level, clip_embeds.shape[-1], flip_sin_to_cos=True, downscale_freq_shift=0
    )
    return torch.cat([clip_embeds, code.to(clip_embeds.dtype).expand_as(clip_embeds)], dim=-1)


def face_window(images: torch.Tensor) -> torch.Tensor:
    """Cut the face slot's picture: (..., H, W) with H = W, a multiple of 3, to (..., H/3, W/3).

    PSHuman's fixed window: the middle third of the columns in the upper third of the rows, which
    is then enlarged to the full size (fact sheet DrPose 4.1). It holds the head of a standing
    person; of others it may hold something else.
    """
    third = images.shape[-1] // 3
    return images[..., :third, third : 2 * third]


def _read(path: Path, config: UNetConfig) -> torch.Tensor:
    require_file(path, "embeddings of the prompts")
    embeds = read_torch(path, "truncated or not a file of one tensor")
    if not isinstance(embeds, torch.Tensor) or embeds.dim() != 3:
        raise UserError(f"{path}: not a tensor of slots, tokens and channels")
    if (embeds.shape[0], embeds.shape[2]) != (config.slots, config.prompt_channels):
        raise UserError(
            f"{path}: has shape {tuple(embeds.shape)}, not "
            f"({config.slots}, tokens, {config.prompt_channels})"
        )
    return embeds.float()
