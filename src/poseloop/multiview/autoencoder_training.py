"""Training and evaluation of the autoencoder on scan renders."""

import torch
import torch.nn.functional as F

from poseloop.multiview.autoencoder import Autoencoder
from poseloop.multiview.config import AutoencoderConfig
from poseloop.multiview.fitting import Row, fit
from poseloop.multiview.views import to_float
from poseloop.runtime.checkpoints import Checkpoints
from poseloop.runtime.seeds import torch_rng

_STATISTICS_IMAGES = 512


def reconstruction_loss(
    prediction: torch.Tensor, target: torch.Tensor, edge_weight: float
) -> torch.Tensor:
    """Mean squared error plus an L1 term on image gradients, which keeps limbs sharp.

    Both (N, 3, H, W); the result is a scalar.
    """
    loss = F.mse_loss(prediction, target)
    for dim in (-1, -2):
        loss = loss + edge_weight * F.l1_loss(prediction.diff(dim=dim), target.diff(dim=dim))
    return loss


def train_autoencoder(
    config: AutoencoderConfig,
    rgb: torch.Tensor,
    normal: torch.Tensor,
    device: torch.device,
    checkpoints: Checkpoints,
) -> tuple[Autoencoder, list[Row]]:
    """Train on (N, H, W, 3) uint8 colour images and as many normal maps."""
    autoencoder = Autoencoder(config).to(device, memory_format=torch.channels_last)
    half = config.batch_size // 2

    def backward(step: int) -> Row:
        generator = torch_rng(config.seed, "autoencoder", "step", step)
        index = torch.randint(len(rgb), (2, half), generator=generator)
        images = to_float(torch.cat([rgb[index[0]], normal[index[1]]]).to(device))
        images = images.contiguous(memory_format=torch.channels_last)
        latents = autoencoder.encode_raw(images)
        noise = torch.randn(latents.shape, generator=generator).to(device)
        spread = latents.detach().std((0, 2, 3), keepdim=True)
        decoded = autoencoder.decode_raw(latents + config.latent_noise * spread * noise)
        loss = reconstruction_loss(decoded, images, config.edge_weight)
        if config.equivariance_weight:
            halved = autoencoder.decode_raw(F.avg_pool2d(latents, 2))
            loss = loss + config.equivariance_weight * reconstruction_loss(
                halved, F.avg_pool2d(images, 2), config.edge_weight
            )
        loss.backward()
        return {"loss": loss.item()}

    average, rows = fit(autoencoder, backward, config.steps, config.optimizer, 0.99, checkpoints)
    generator = torch_rng(config.seed, "autoencoder", "statistics")
    index = torch.randint(len(rgb), (_STATISTICS_IMAGES,), generator=generator)
    average.set_statistics(to_float(torch.cat([rgb[index], normal[index]]).to(device)))
    return average, rows


@torch.no_grad()
def reconstruction_psnr(autoencoder: Autoencoder, images: torch.Tensor, batch_size: int) -> float:
    """Mean PSNR in dB over (N, H, W, 3) uint8 images."""
    values, device = [], autoencoder.mean.device
    for part in images.split(batch_size):
        target = to_float(part.to(device))
        decoded = autoencoder.decode(autoencoder.encode(target)).clamp(-1, 1)
        mse = ((decoded - target) / 2).square().mean((1, 2, 3))
        values.append(-10 * torch.log10(mse.clamp_min(1e-10)))
    return float(torch.cat(values).mean())
