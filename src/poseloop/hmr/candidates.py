"""Candidates for the scorer: the base's own samples, then noisy copies of the truth.

A scorer that has seen noise alone ranks noise and cannot tell the base's hypotheses apart, whose
faults are of another kind (design: scorer; fact sheet ADHMR 10).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import roma
import torch
from torch import Tensor

from poseloop.data.stored import check_arrays
from poseloop.hmr.dataset import bodies_of, encode_pictures
from poseloop.hmr.denoiser import DiffusionHMR
from poseloop.hmr.diffusion import hypothesis_noise, sample
from poseloop.hmr.errors import body_errors
from poseloop.hmr.scorer_config import ERRORS, CandidatesConfig
from poseloop.hmr.skeleton_body import Bodies
from poseloop.hmr.store import Labels, Pictures
from poseloop.runtime.files import read_npz, write_npz
from poseloop.runtime.seeds import torch_rng

_BATCH = 32


@dataclass(frozen=True)
class Candidates:
    """Bodies of known error for N pictures.

    tokens : (N, G, T, C) float32, in the base's layout
    errors : (N, G, 4) float32, millimetres, in the order of `ERRORS`
    """

    tokens: Tensor
    errors: Tensor

    def save(self, path: str | Path) -> None:
        """Write as npz; tokens in half precision."""
        write_npz(path, {"tokens": self.tokens.half().numpy(), "errors": self.errors.numpy()})

    @classmethod
    def load(cls, path: str | Path) -> "Candidates":
        """Read what `save` wrote.

        Raises
        ------
        UserError
            The file is missing, unreadable or misshapen.
        """
        schema = {"tokens": ("f", ("N", "G", "T", "C")), "errors": ("f", ("N", "G", len(ERRORS)))}
        arrays = read_npz(path, *schema)
        check_arrays(path, arrays, schema)
        return cls(*(torch.from_numpy(arrays[name].astype(np.float32)) for name in schema))


def disturb(
    bodies: Bodies, level: float, config: CandidatesConfig, generator: torch.Generator
) -> Bodies:
    """Turn every joint by random rotations of `level` radians about each axis."""
    size = torch.full((24, 1), level)
    size[0] *= config.orient_share
    noise = size * torch.randn((*bodies.rotations.shape[:-2], 3), generator=generator)
    shape = level * config.betas_noise * torch.randn(bodies.betas.shape, generator=generator)
    turns = roma.rotvec_to_rotmat(noise.to(bodies.betas.device))
    betas = bodies.betas + shape.to(bodies.betas.device)
    return Bodies(bodies.rotations @ turns, betas, bodies.camera)


@torch.no_grad()
def make_candidates(
    model: DiffusionHMR, pictures: Pictures, labels: Labels, config: CandidatesConfig, seed: int
) -> Candidates:
    """Candidates for labelled pictures; each batch of pictures has streams of its own."""
    data, truth = encode_pictures(model.encoder, pictures), bodies_of(labels).to(model.device)
    tokens, errors = [], []
    for start in range(0, len(data), _BATCH):
        part = slice(start, start + _BATCH)
        generator = torch_rng(seed, "hmr", "candidates", start)
        bodies, intrinsics = Bodies(*(value[part] for value in truth)), data.intrinsics[part]
        groups = []
        if config.samples:
            noise = hypothesis_noise(len(intrinsics), config.samples, model.layout.mask, generator)
            features = data.features.of(part)
            groups.append(sample(model.denoiser, model.config.diffusion, features, noise))
        for level in config.noise_levels:
            noisy = disturb(bodies, level, config, generator)
            groups.append(model.layout.encode(noisy, intrinsics).unsqueeze(1))
        # Half precision first, so that the errors are those of what is stored.
        group = torch.cat(groups, 1).half().float()
        found = body_errors(model.body, model.layout.decode(group, intrinsics[:, None]), bodies)
        tokens.append(group.cpu())
        errors.append(torch.stack([found[name] for name in ERRORS], -1).cpu())
    return Candidates(torch.cat(tokens), torch.cat(errors))
