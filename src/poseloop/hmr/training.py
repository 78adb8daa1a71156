"""Training of the diffusion HMR base on labelled pictures, behind an encoder that is trained."""

import torch
from torch import Tensor, nn

from poseloop.body.model import BodyModel
from poseloop.hmr.config import BaseConfig, DiffusionConfig
from poseloop.hmr.dataset import bodies_of, encode_pictures, freeze
from poseloop.hmr.denoiser import DiffusionHMR
from poseloop.hmr.diffusion import add_noise, hypothesis_noise, make_scheduler, sample
from poseloop.hmr.encoder import Encoder
from poseloop.hmr.geometry import align
from poseloop.hmr.losses import DenoisingError
from poseloop.hmr.skeleton_body import COMMON_JOINTS
from poseloop.hmr.store import Labels, Pictures
from poseloop.multiview.fitting import Row, fit
from poseloop.runtime.checkpoints import Checkpoints
from poseloop.runtime.seeds import derive_seed, torch_rng


def antithetic_timesteps(
    shape: tuple[int, int], config: DiffusionConfig, generator: torch.Generator
) -> Tensor:
    """Timesteps (B, M) of which each half mirrors the other about the middle of their range."""
    count = shape[0] * shape[1]
    low, high = config.least_timestep, config.train_timesteps
    half = torch.randint(low, high, ((count + 1) // 2,), generator=generator)
    return torch.cat([half, low + high - 1 - half])[:count].view(shape)


def train_base(
    config: BaseConfig,
    body: BodyModel,
    encoder: Encoder,
    data: tuple[Pictures, Labels],
    validation: tuple[Pictures, Labels],
    checkpoints: Checkpoints,
    device: torch.device | str = "cpu",
) -> tuple[DiffusionHMR, list[Row]]:
    """Train the base's denoiser; returns the base with its weight average, and the log.

    The log holds the loss at every step and, at validations, errors of held-out pictures in
    millimetres (`validate`).

    Parameters
    ----------
    encoder : Encoder
        From `detection.train_encoder`; it stays as it is, so pictures are encoded once.
    """
    torch.manual_seed(derive_seed(config.seed, "hmr", "weights"))
    model = DiffusionHMR(config, body)
    model.encoder = freeze(encoder)
    model = model.to(device)
    encoded = encode_pictures(encoder, data[0])
    bodies, intrinsics = bodies_of(data[1]).to(device), encoded.intrinsics
    model.layout.fit(bodies, intrinsics)
    tokens = model.layout.encode(bodies, intrinsics)
    joints = model.body.joints(bodies)
    scheduler, error = make_scheduler(config.diffusion), DenoisingError(model.layout, config.loss)
    shape = (config.batch_size, config.draws)

    def backward(step: int) -> Row:
        generator = torch_rng(config.seed, "hmr", "step", step)
        rows = torch.randint(len(tokens), shape[:1], generator=generator)
        timesteps = antithetic_timesteps(shape, config.diffusion, generator).to(device)
        clean = tokens[rows, None].expand(-1, config.draws, -1, -1)
        noise = torch.randn(clean.shape, generator=generator).to(device)
        noisy = add_noise(scheduler, clean, noise, timesteps, model.layout.mask)
        predicted = model.denoiser(noisy, timesteps, encoded.features.of(rows))
        truth = joints[rows, None].expand(-1, config.draws, -1, -1)
        loss = error(predicted, clean, truth, intrinsics[rows]).mean()
        loss.backward()
        return {"loss": loss.item()}

    average, rows = fit(
        model.denoiser,
        backward,
        config.steps,
        config.optimizer,
        config.ema_decay,
        checkpoints,
        lambda average: validate(model.with_parts(denoiser=average), *validation, config.seed),
        config.validate_every,
    )
    return model.with_parts(denoiser=average), rows


@torch.no_grad()
def validate(
    model: nn.Module, pictures: Pictures, labels: Labels, seed: int, hypotheses: int = 10
) -> Row:
    """Errors in millimetres of held-out pictures.

    `mpjpe_zero`, and `mpjpe_min` and `pa_mpjpe_min`, the best of the hypotheses.
    """
    data = encode_pictures(model.encoder, pictures)
    generator = torch_rng(seed, "hmr", "validation")
    noise = hypothesis_noise(len(data), hypotheses, model.layout.mask, generator)
    tokens = sample(model.denoiser, model.config.diffusion, data.features, noise)
    bodies = bodies_of(labels).to(model.device)
    truth = model.body.joints(bodies)[:, None, COMMON_JOINTS]
    joints = model.body.joints(model.layout.decode(tokens, data.intrinsics[:, None]))
    joints = joints[:, :, COMMON_JOINTS]
    errors = 1000 * (joints - truth).norm(dim=-1).mean(-1)
    aligned = 1000 * (align(joints, truth) - truth).norm(dim=-1).mean(-1)
    return {
        "mpjpe_zero": float(errors[:, 0].mean()),
        "mpjpe_min": float(errors.min(1).values.mean()),
        "pa_mpjpe_min": float(aligned.min(1).values.mean()),
    }
