import numpy as np
import torch
import torch.nn.functional as F

from poseloop.multiview.autoencoder import Autoencoder
from poseloop.multiview.autoencoder_training import train_autoencoder
from poseloop.multiview.config import AutoencoderConfig
from poseloop.multiview.encoding import encode_set
from poseloop.multiview.views import to_float
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


def test_each_latent_is_of_its_own_picture_whatever_the_batch():
    torch.manual_seed(0)
    config = load_config("config/smoke/autoencoder.yaml", AutoencoderConfig)
    autoencoder = Autoencoder(config).eval()
    views = discs(5 * 2 * 2).view(2, 5, 2, 32, 32, 3).numpy()
    arrays = {
        "input_rgb": discs(5).numpy(),
        "input_mask": np.full((5, 32, 32), 255, np.uint8),
        "joints": np.zeros((5, 24, 3), np.float32),
        "normal": views[0],
        "rgb": views[1],
    }
    encoded = encode_set(autoencoder, arrays, "train", mirrored=[1], batch_size=2)
    pictures = torch.from_numpy(views).permute(1, 2, 0, 3, 4, 5).clone()
    pictures[:, 1] = pictures[:, 1].flip(-2)
    with torch.no_grad():
        expected = autoencoder.encode(to_float(pictures.flatten(0, 2)))
        inputs = autoencoder.encode(to_float(discs(5)))
    assert encoded.latents.shape[:3] == (5, 2, 2)
    torch.testing.assert_close(encoded.latents.flatten(0, 2), expected, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(encoded.image_latents, inputs, atol=1e-5, rtol=1e-4)
