"""Training of the image encoder on 2D joints, before there is a base.

As the released base's encoder, which had learnt 2D poses on far more varied pictures than it then
had bodies for (fact sheet ADHMR 2.2). The base keeps it as it is.
"""

from pathlib import Path

import torch
from torch import Tensor, nn

from poseloop.body.joints import MIRROR
from poseloop.body.model import BodyModel
from poseloop.hmr.config import BaseConfig, EncoderConfig, saved_config
from poseloop.hmr.dataset import bodies_of, picture_tensor
from poseloop.hmr.encoder import Encoder, detection_loss
from poseloop.hmr.geometry import project
from poseloop.hmr.skeleton_body import SkeletonBody
from poseloop.hmr.store import Labels, Pictures
from poseloop.multiview.fitting import Row, fit
from poseloop.runtime.checkpoints import Checkpoints
from poseloop.runtime.errors import UserError
from poseloop.runtime.seeds import derive_seed, torch_rng
from poseloop.runtime.weights import load_into, read_weights, write_weights


def joint_places(body: SkeletonBody, pictures: Pictures, labels: Labels) -> Tensor:
    """Where the joints of N people are in their crops: (N, 24, 2), (u, v)."""
    bodies = bodies_of(labels)
    return project(body.joints(bodies), bodies.camera, torch.from_numpy(pictures.intrinsics))


def mirrored(image: Tensor, places: Tensor, chosen: Tensor) -> tuple[Tensor, Tensor]:
    """Pictures (B, 3, S, S) and joints (B, 24, 2), those `chosen` (B,) seen in a mirror."""
    turned = places[:, list(MIRROR)] * places.new_tensor([-1.0, 1.0])
    return (
        torch.where(chosen[:, None, None, None], image.flip(-1), image),
        torch.where(chosen[:, None, None], turned, places),
    )


def train_encoder(
    config: BaseConfig,
    body: BodyModel,
    data: tuple[Pictures, Labels],
    validation: tuple[Pictures, Labels],
    checkpoints: Checkpoints,
    device: torch.device | str = "cpu",
) -> tuple[Encoder, list[Row]]:
    """Train the encoder of a base; of the labels it learns the 2D joints alone.

    Returns its weight average and the log, in which `detection_px` is by how many pixels the 2D
    joints of held-out pictures are missed.
    """
    torch.manual_seed(derive_seed(config.seed, "hmr encoder", "weights"))
    encoder = Encoder(config.encoder).to(device, memory_format=torch.channels_last)
    settings, skeleton = config.detection, SkeletonBody(body, config.vertices)
    places, held_out = joint_places(skeleton, *data), joint_places(skeleton, *validation)

    def backward(step: int) -> Row:
        generator = torch_rng(config.seed, "hmr encoder", "step", step)
        rows = torch.randint(len(places), (settings.batch_size,), generator=generator)
        chosen = torch.rand(settings.batch_size, generator=generator) < 0.5
        image = picture_tensor(data[0], rows.numpy())
        image, wanted = (part.to(device) for part in mirrored(image, places[rows], chosen))
        loss = detection_loss(encoder.heat(encoder(image).map), wanted)
        loss.backward()
        return {"loss": loss.item()}

    return fit(
        encoder,
        backward,
        settings.steps,
        settings.optimizer,
        settings.ema_decay,
        checkpoints,
        lambda average: {"detection_px": missed_pixels(average, validation[0], held_out)},
        settings.validate_every,
    )


@torch.no_grad()
def missed_pixels(encoder: nn.Module, pictures: Pictures, places: Tensor) -> float:
    """Mean distance of detected joints from true ones (N, 24, 2), pixels of the crop."""
    detected = encoder(picture_tensor(pictures).to(encoder.device)).detected.cpu()
    return float((detected - places).norm(dim=-1).mean()) * pictures.image.shape[1] / 2


def save_encoder(path: str | Path, encoder: nn.Module, config: EncoderConfig) -> None:
    """Write weights and configuration as one safetensors file."""
    write_weights(path, encoder.state_dict(), {"encoder": config.model_dump()})


def load_encoder(path: str | Path, config: EncoderConfig) -> Encoder:
    """Read what `save_encoder` wrote.

    Raises
    ------
    UserError
        The file is missing, or holds other weights than those of the encoder in `config`.
    """
    state, metadata = read_weights(path)
    if saved_config(path, metadata, "encoder", EncoderConfig) != config:
        raise UserError(f"{path}: weights of another encoder than the configured one")
    encoder = Encoder(config)
    load_into(encoder, state, path)
    return encoder.to(memory_format=torch.channels_last)
