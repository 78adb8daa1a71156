"""The diffusion HMR network: from noisy body tokens and a picture to clean body tokens."""

import copy
from pathlib import Path

import torch
from diffusers.models.embeddings import get_timestep_embedding
from torch import Tensor, nn

from poseloop.body.model import BodyModel
from poseloop.hmr.config import BaseConfig, saved_config
from poseloop.hmr.encoder import Encoder, Features
from poseloop.hmr.parameters import PARAMETERS, Parameters
from poseloop.hmr.skeleton_body import SkeletonBody
from poseloop.hmr.transformer import JointTransformer
from poseloop.runtime.kernels import sample_at
from poseloop.runtime.rebuilding import rebuilding
from poseloop.runtime.weights import load_into, read_weights, write_weights

_TIME_CHANNELS = 64


class Denoiser(nn.Module):
    """Denoises the tokens of many hypotheses of each picture (HypoNet, fact sheet ADHMR 2.3).

    It predicts the clean tokens: with few steps, and data of unit spread, that is steadier than
    predicting the noise. Local features are taken at the joints that the encoder detects, since a
    noisy body has no place in the picture yet.
    """

    def __init__(self, config: BaseConfig, layout: Parameters, encoder: Encoder) -> None:
        super().__init__()
        width, (tokens, channels) = config.transformer.width, layout.mask.shape
        self.joints = list(layout.token_joints)
        self.enter = nn.Linear(channels, width)
        self.place = nn.Parameter(0.02 * torch.randn(tokens, width))
        self.local = nn.Linear(encoder.map_channels + 3, width)
        self.time = nn.Sequential(
            nn.Linear(_TIME_CHANNELS, width), nn.SiLU(), nn.Linear(width, width)
        )
        channels_of_tokens = encoder.token_channels
        self.transformer = JointTransformer(config.transformer, self.joints, 1, channels_of_tokens)
        self.leave = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, channels))
        self.register_buffer("mask", layout.mask.clone())

    def forward(self, noisy: Tensor, timesteps: Tensor, features: Features) -> Tensor:
        """Clean tokens (B, M, T, C) from noisy ones; timesteps (B, M) are whole numbers."""
        seen = sample_at(features.map, features.detected)
        seen = torch.cat([seen, features.detected, features.confidence / 4], -1)
        context = self.local(seen)[:, self.joints]
        context = nn.functional.pad(context, (0, 0, 0, 1)) + self.place
        time = get_timestep_embedding(timesteps.flatten().float(), _TIME_CHANNELS)
        time = self.time(time).view(*timesteps.shape, 1, -1)
        tokens = self.enter(noisy) + context.unsqueeze(1) + time
        return self.leave(self.transformer(tokens, features.tokens)) * self.mask


class DiffusionHMR(nn.Module):
    """Encoder, layout of the tokens and denoiser.

    Parameters
    ----------
    config : BaseConfig
    body : BodyModel
    """

    def __init__(self, config: BaseConfig, body: BodyModel) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config.encoder)
        self.layout = PARAMETERS[config.parameters](SkeletonBody(body, config.vertices))
        self.denoiser = Denoiser(config, self.layout, self.encoder)

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return self.encoder.device

    @property
    def body(self) -> SkeletonBody:
        """The body whose joints and vertices are compared."""
        return self.layout.body

    def with_parts(self, **parts: nn.Module) -> "DiffusionHMR":
        """The same model with another `encoder` or `denoiser`; the rest is shared."""
        other = copy.copy(self)
        other._modules = {**self._modules, **parts}
        return other

    def save(self, path: str | Path) -> None:
        """Write weights and configuration as one safetensors file."""
        write_weights(path, self.state_dict(), {"hmr": self.config.model_dump()})


def load_hmr(path: str | Path, body: BodyModel) -> DiffusionHMR:
    """Read what `DiffusionHMR.save` wrote; frozen, in evaluation mode.

    Raises
    ------
    UserError
        The file is missing, holds other weights, or belongs to another body.
    """
    state, metadata = read_weights(path)
    with rebuilding(path, state):
        model = DiffusionHMR(saved_config(path, metadata, "hmr", BaseConfig), body)
    load_into(model, state, path)
    return model.eval().requires_grad_(False)
