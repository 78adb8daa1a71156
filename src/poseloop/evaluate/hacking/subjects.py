"""The validation subjects that are measured, with their true views."""

from dataclasses import dataclass
from pathlib import Path

import torch

from poseloop.evaluate.protocol import Arrays
from poseloop.multiview.dataset import LatentSet
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import read_npz
from poseloop.runtime.seeds import torch_rng

_TRUTH = ("rgb", "normal", "joints", "metres_per_unit", "azimuths")


@dataclass(frozen=True)
class Subjects:
    """The first N subjects of a validation set.

    Attributes
    ----------
    name : of the set
    latents : LatentSet, with views
    truth : `rgb`, `normal` (N, K, S, S, 3) uint8, `joints` (N, 24, 3), `metres_per_unit` (N,),
        `azimuths` (K,)
    """

    name: str
    latents: LatentSet
    truth: Arrays

    def noise(self, seed: int, draw: int) -> torch.Tensor:
        """Noise of the latents' shape (N, V, 2, C, h, w), the same for every network."""
        shape = self.latents.latents.shape[1:]
        return torch.stack(
            [
                torch.randn(shape, generator=torch_rng(seed, "hacking", self.name, draw, subject))
                for subject in range(len(self.latents))
            ]
        )


def read_subjects(path: str | Path, held_out: LatentSet, count: int) -> Subjects:
    """The first `count` subjects of a scans file, whose name is that of their group in `held_out`.

    Raises
    ------
    UserError
        The file is missing or lacks an array, its set is not in `held_out`, or it has fewer
        subjects.
    """
    name = Path(path).stem
    scans = read_npz(path, *_TRUTH, only=True)
    latents = held_out.of_group(name)
    if min(len(latents), len(scans["rgb"])) < count:
        raise UserError(f"{path}: has {len(scans['rgb'])} subjects, {count} are asked for")
    part = slice(count)
    truth = {key: scans[key][part] for key in _TRUTH if key != "azimuths"}
    return Subjects(
        name,
        LatentSet(
            latents.image_latents[part],
            latents.joints[part],
            latents.latents[part],
            latents.group[part],
        ),
        truth | {"azimuths": scans["azimuths"]},
    )
