import torch
import torch.nn.functional as F

from poseloop.multiview.autoencoder_training import train_autoencoder
from poseloop.multiview.config import AutoencoderConfig
from poseloop.runtime.checkpoints import Checkpoints
from poseloop.runtime.config import load_config


def discs(count: int) -> torch.Tensor:
    """Coloured discs on white, (count, 32, 32, 3) uint8."""
    generator = torch.Generator().manual_seed(0)
    centre, colour = (
        torch.rand(count, 2, generator=generator),
        torch.rand(count, 3, generator=generator),
    )
    axis = torch.linspace(0, 1, 32)
    across = (axis[:, None] - centre[:, 0, None, None]) ** 2
    down = (axis[None, :] - centre[:, 1, None, None]) ** 2
    inside = (across + down < 0.08).float()[..., None]
    return ((1 - inside * colour[:, None, None]) * 255).to(torch.uint8)


def error_at_half_size(folder, weight: float) -> float:
    config = load_config("config/smoke/autoencoder.yaml", AutoencoderConfig)
    config = config.model_copy(update={"equivariance_weight": weight, "steps": 120})
    torch.manual_seed(0)
    pictures = discs(64)
    autoencoder, _ = train_autoencoder(
        config, pictures, pictures, torch.device("cpu"), Checkpoints(str(folder), 1000)
    )
    images = pictures.movedim(-1, 1) / 127.5 - 1
    with torch.no_grad():
        halved = autoencoder.decode_raw(F.avg_pool2d(autoencoder.encode_raw(images), 2))
    return float((halved - F.avg_pool2d(images, 2)).square().mean())


def test_equivariant_latents_of_half_the_size_decode_to_pictures_of_half_the_size(tmp_path):
    plain = error_at_half_size(tmp_path / "plain", 0.0)
    equivariant = error_at_half_size(tmp_path / "equivariant", 1.0)
    assert equivariant < 0.8 * plain
