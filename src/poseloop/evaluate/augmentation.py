"""Changes of the judge's training pictures: what weak generators and other poses would do."""

import torch
import torch.nn.functional as F

from poseloop.body.joints import MIRROR
from poseloop.evaluate.config import Augmentation


def mirror(
    pictures: torch.Tensor, places: torch.Tensor, chosen: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Mirror the chosen pictures: left joints become right ones.

    Parameters
    ----------
    pictures : (B, 6, S, S) tensor
        Colours, then normals in the camera's frame.
    places : (B, 24, 3) tensor
        Column, row and depth in [0, 1].
    chosen : (B,) bool tensor
    """
    turned = pictures.flip(-1) * torch.tensor([1, 1, 1, -1, 1, 1]).view(6, 1, 1)
    swapped = (places * torch.tensor([-1, 1, 1]) + torch.tensor([1, 0, 0]))[:, MIRROR]
    chosen = chosen[:, None, None]
    return torch.where(chosen[..., None], turned, pictures), torch.where(chosen, swapped, places)


def spin(
    pictures: torch.Tensor,
    places: torch.Tensor,
    config: Augmentation,
    generator: torch.Generator,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Turn a share of the pictures in their plane, by any angle: bodies on their head or side.

    Few captured frames are upside down; without this the judge takes hands for feet there.

    Parameters
    ----------
    pictures : (B, 6, S, S) tensor
        In [-1, 1], colours on white, normals in the camera's frame on zero.
    places : (B, 24, 3) tensor
        Column, row and depth in [0, 1].
    """
    count = len(pictures)
    chosen = (torch.rand(count, generator=generator) < config.spin).float()
    angle = torch.pi * (2 * torch.rand(count, generator=generator) - 1) * chosen
    size = 1 - config.shrink * torch.rand(count, generator=generator) * chosen
    cos, sin = torch.cos(angle), torch.sin(angle)
    turn = torch.stack([torch.stack([cos, -sin], -1), torch.stack([sin, cos], -1)], -2)
    # A picture is read backwards: each output pixel asks where it comes from.
    back = F.pad(turn.mT / size[:, None, None], (0, 1))
    grid = F.affine_grid(back, list(pictures.shape), align_corners=False)
    white = torch.tensor([1.0, 1, 1, 0, 0, 0]).view(6, 1, 1)
    moved = F.grid_sample(pictures - white, grid, align_corners=False) + white
    # Rows grow downwards and the normals' y upwards, hence the transpose.
    across = torch.einsum("bij,bjrc->birc", turn.mT, moved[:, 3:5])
    moved = torch.cat([moved[:, :3], across, moved[:, 5:]], 1)
    centred = (places - 0.5) * size[:, None, None]
    return moved, torch.cat([centred[..., :2] @ turn.mT, centred[..., 2:]], -1) + 0.5


def degrade(
    pictures: torch.Tensor, config: Augmentation, generator: torch.Generator
) -> torch.Tensor:
    """Blur, noise and contrast changes of a share of the pictures, as a weak generator makes them.

    Parameters
    ----------
    pictures : (B, 6, S, S) tensor
        In [-1, 1]: colours, then normals, which blur shortens towards the background's zero.

    Returns
    -------
    (B, 6, S, S) tensor
    """
    count, channels = pictures.shape[:2]

    def draw() -> torch.Tensor:
        return torch.rand(count, generator=generator)

    chosen = (draw() < config.probability).float()
    sigma = config.blur * draw() * chosen + 1e-3
    reach = max(1, round(2 * config.blur))
    kernel = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / sigma[:, None]).square())
    kernel = (kernel / kernel.sum(1, keepdim=True)).repeat_interleave(channels, 0)[:, None]
    flat = pictures.reshape(1, count * channels, *pictures.shape[2:])
    flat = F.pad(flat, (reach,) * 4, mode="replicate")
    flat = F.conv2d(flat, kernel[:, :, None], groups=count * channels)
    flat = F.conv2d(flat, kernel[:, :, :, None], groups=count * channels)
    blurred = flat.view_as(pictures)
    strength = (config.noise * draw() * chosen).view(-1, 1, 1, 1)
    noisy = blurred + strength * torch.randn(pictures.shape, generator=generator)
    gain = 1 + config.contrast * (2 * draw() - 1) * chosen
    colour = 1 + (noisy[:, :3] - 1) * gain.view(-1, 1, 1, 1)
    return torch.cat([colour, noisy[:, 3:]], 1)
