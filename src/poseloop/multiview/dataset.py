"""Latent data sets: what the denoiser and the reward are trained on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from poseloop.data.stored import Schema, check_arrays
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import read_npz, write_npz

_SCHEMA: Schema = {
    "image_latents": ("f", ("N", "C", "h", "w")),
    "joints": ("f", ("N", 24, 3)),
    "latents": ("f", ("N", "V", 2, "C", "h", "w")),
    "group": ("U", ("N",)),
}


@dataclass(frozen=True)
class LatentSet:
    """Subjects with their latents, in the model's layout (mirrored views mirrored).

    Attributes
    ----------
    image_latents : (N, C, h, w) float32, the matted input picture
    joints : (N, 24, 3) float32, normalised view frame
    latents : (N, V, 2, C, h, w) float32, normal and colour; None where only pictures exist
    group : (N,) name of the set that a subject came from
    """

    image_latents: torch.Tensor
    joints: torch.Tensor
    latents: torch.Tensor | None
    group: np.ndarray

    def __len__(self) -> int:
        return len(self.joints)

    def of_group(self, *names: str) -> "LatentSet":
        """The subjects of the named groups.

        Raises
        ------
        UserError
            No subject belongs to them.
        """
        index = np.flatnonzero(np.isin(self.group, names))
        if not len(index):
            raise UserError(f"latent set: no subject of the group(s) {', '.join(names)}")
        return LatentSet(
            self.image_latents[index],
            self.joints[index],
            None if self.latents is None else self.latents[index],
            self.group[index],
        )


def write_latents(path: str | Path, parts: Sequence[LatentSet]) -> None:
    """Write sets one after the other; latents are stored in half precision."""
    arrays = {
        "image_latents": torch.cat([part.image_latents for part in parts]).half().numpy(),
        "joints": torch.cat([part.joints for part in parts]).numpy(),
        "group": np.concatenate([part.group for part in parts]),
    }
    views = [part.latents for part in parts if part.latents is not None]
    if views:
        arrays["latents"] = torch.cat(views).half().numpy()
    write_npz(path, arrays)


def read_latents(path: str | Path, with_views: bool) -> LatentSet:
    """Read what `write_latents` wrote.

    Raises
    ------
    UserError
        The file is unreadable, lacks the views' latents though `with_views` asks for them, or
        holds an array of another shape or kind.
    """
    names = ("image_latents", "joints", "group", *(["latents"] if with_views else []))
    arrays = read_npz(path, *names)
    check_arrays(path, arrays, {name: _SCHEMA[name] for name in names})
    return LatentSet(
        torch.from_numpy(arrays["image_latents"]).float(),
        torch.from_numpy(arrays["joints"]),
        torch.from_numpy(arrays["latents"]).float() if with_views else None,
        arrays["group"],
    )
