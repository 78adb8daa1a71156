"""Rebuild the generators and the loop's stage from their files."""

from pathlib import Path

import torch
from torch import Tensor

from poseloop.body.model import BodyModel
from poseloop.data.people import sample_appearances
from poseloop.posegen.config import PosegenConfig
from poseloop.posegen.config_nerf import NerfConfig
from poseloop.posegen.estimator_training import load_estimator
from poseloop.posegen.generator import Bounds
from poseloop.posegen.generator_training import Gan
from poseloop.posegen.imageset import ImageSet
from poseloop.posegen.nerf_training import load_field
from poseloop.posegen.photograph import Photographer
from poseloop.posegen.pictures import Stage
from poseloop.posegen.skeleton import SurfaceBody
from poseloop.posegen.synthesis import FieldStudio, MeshStudio
from poseloop.runtime.errors import UserError
from poseloop.runtime.rebuilding import rebuilding
from poseloop.runtime.weights import load_into, read_weights


def load_gan(
    path: str | Path, config: PosegenConfig, seed: int, device: torch.device | str = "cpu"
) -> tuple[Gan, Tensor]:
    """The warmed-up GAN of one seed, and the prior's pose vectors (N, 72).

    Raises
    ------
    UserError
        The file is missing, is of another configuration, or has no such seed.
    """
    state, metadata = read_weights(path)
    with rebuilding(path, state):
        if seed not in metadata.get("generator", []):
            raise UserError(
                f"{path}: has no generator of seed {seed}; train it with this posegen.yaml"
            )
        prior, starts = state["prior"], state["starts"]
        for poses in (prior, starts):
            if poses.dim() != 2 or poses.shape[1] != 72 or not len(poses):
                raise ValueError(f"poses of the shape {tuple(poses.shape)}")
        gan = Gan(config, Bounds(config.generator, starts.numpy()), seed)
    mark = f"seed{seed}."
    weights = {n.removeprefix(mark): v for n, v in state.items() if n.startswith(mark)}
    load_into(gan, weights, path)
    return gan.to(device), prior.to(device)


def load_stage(
    config: PosegenConfig,
    nerf: NerfConfig,
    body: BodyModel,
    compact: SurfaceBody,
    prior: Tensor,
    bounds: Bounds,
    anchor: str | Path,
    validation: str | Path,
    check: str | Path,
    field: str | Path,
) -> Stage:
    """What all runs of a study share, from files; its networks are where `compact` is.

    Raises
    ------
    UserError
        A file is missing or of another kind.
    """
    ordinary = ImageSet.load(anchor)
    size = ordinary.rgb.shape[1]
    nerf_field, betas = load_field(field)
    picture = nerf.capture.picture.model_copy(update={"size": size})
    people = nerf.capture.people
    return Stage(
        config=config,
        body=compact,
        prior=prior,
        bounds=bounds,
        anchor=ordinary,
        validation=ImageSet.load(validation),
        check=load_estimator(check, compact)[0].requires_grad_(False),
        studio=FieldStudio(
            nerf_field.to(compact.device),
            betas,
            compact,
            size,
            config.surface,
            config.crowd,
            config.colour_jitter,
        ),
        mesh=MeshStudio(
            Photographer(body, picture),
            sample_appearances(people, len(betas), nerf.seed),
            betas,
            config.surface,
            config.crowd,
        ),
    )


def split_methods(state: dict[str, Tensor], methods: list[str]) -> dict[str, dict[str, Tensor]]:
    """Weights by method from a file that holds several under `<method>.`."""
    return {
        method: {
            name.removeprefix(f"{method}."): value
            for name, value in state.items()
            if name.startswith(f"{method}.")
        }
        for method in methods
    }
