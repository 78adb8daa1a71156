"""Training of the two fields on captures, their files, and pictures of them."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from poseloop.multiview.fitting import Row, fit
from poseloop.posegen.captures import scene_of, subject_betas
from poseloop.posegen.config_nerf import (
    FitConfig,
    NerfConfig,
    PartFieldConfig,
    RelativeFieldConfig,
)
from poseloop.posegen.field import Rendering, Scene
from poseloop.posegen.imageset import ImageSet
from poseloop.posegen.part_field import PartField
from poseloop.posegen.relative_field import RelativeField
from poseloop.posegen.skeleton import SurfaceBody
from poseloop.runtime.checkpoints import Checkpoints
from poseloop.runtime.errors import UserError
from poseloop.runtime.rebuilding import rebuilding
from poseloop.runtime.seeds import derive_seed, torch_rng
from poseloop.runtime.weights import load_into, read_weights, write_weights

Field = PartField | RelativeField


def picture_loss(
    colour: Tensor, opacity: Tensor, rgb: Tensor, mask: Tensor, mask_weight: float
) -> Tensor:
    """Squared error on white and of the silhouette; rgb (..., 3) and mask (...) are uint8."""
    white = colour + (1 - opacity)[..., None]
    error = (white - rgb / 255.0).square().mean()
    return error + mask_weight * (opacity - mask / 255.0).square().mean()


def train_field(
    config: NerfConfig,
    kind: str,
    images: ImageSet,
    body: SurfaceBody,
    checkpoints: Checkpoints,
    device: torch.device | str = "cpu",
) -> tuple[Field, Tensor, list[Row]]:
    """Train the field `kind`, `parts` or `relative`, on its first subjects of `images`.

    Returns
    -------
    the field's weight average, the subjects' shapes (M, K), and the log

    Raises
    ------
    UserError
        A subject is seen from one view only.
    """
    settings = config.fit[kind]
    images = images[images.body_id < settings.subjects]
    betas = torch.from_numpy(subject_betas(images))
    torch.manual_seed(derive_seed(config.seed, "posegen", "field", kind))
    field = make_field(config, kind, body.rest_joints(betas)).to(device)
    scene = scene_of(images, body)
    mine = [(scene.subject == subject).nonzero()[:, 0] for subject in range(len(betas))]
    scene = scene.to(device)
    rgb, mask = (torch.from_numpy(part).to(device) for part in (images.rgb, images.mask))

    def backward(step: int) -> Row:
        generator = torch_rng(config.seed, "posegen", "field", kind, step)
        subject = step % len(betas)
        draw = torch.randint(len(mine[subject]), (settings.batch_size,), generator=generator)
        index = mine[subject][draw]
        if isinstance(field, PartField):
            if step % config.parts.refresh == 0:
                field.refresh()
            shown = field.render(scene[index], images.rgb.shape[1])
            loss = picture_loss(
                shown.colour, shown.opacity, rgb[index], mask[index], settings.mask_weight
            )
            total = loss + config.parts.smoothness * field.smoothness(subject)
        else:
            progress = step / settings.steps
            field.sharpness.fill_(20 * (config.relative.sharpness / 20) ** progress)
            total = loss = _ray_loss(
                field, scene[index], rgb[index], mask[index], config, settings, generator
            )
        total.backward()
        return {"loss": float(loss.detach())}

    field, rows = fit(
        field, backward, settings.steps, settings.optimizer, config.ema_decay, checkpoints
    )
    if isinstance(field, PartField):
        field.refresh()
    return field.eval().requires_grad_(False), betas, rows


def _ray_loss(
    field: RelativeField,
    scene: Scene,
    rgb: Tensor,
    mask: Tensor,
    config: NerfConfig,
    settings: FitConfig,
    generator: torch.Generator,
) -> Tensor:
    """Coarse and fine losses of random rays, three quarters of them on or near the person."""
    size = mask.shape[1]
    count = config.relative.rays // len(mask)
    losses = []
    for row in range(len(mask)):
        near = nn.functional.max_pool2d((mask[row] > 0).float()[None], 5, 1, 2).flatten()
        person = near.nonzero()[:, 0]
        on = torch.randint(len(person), (3 * count // 4,), generator=generator)
        anywhere = torch.randint(size * size, (count - len(on),), generator=generator)
        pixels = torch.cat([person[on], anywhere.to(person.device)])
        target = rgb[row].flatten(0, 1)[pixels], mask[row].flatten()[pixels]
        for colour, opacity, _ in field.trace(scene[row : row + 1], pixels, size, generator):
            losses.append(picture_loss(colour, opacity, *target, settings.mask_weight))
    return torch.stack(losses).sum() / len(mask)


def make_field(config: NerfConfig, kind: str, rest_joints: Tensor) -> Field:
    """An untrained field for subjects with the skeletons (M, 24, 3)."""
    if kind == "parts":
        return PartField(config.parts, rest_joints)
    return RelativeField(config.relative, len(rest_joints))


@torch.no_grad()
def render_all(field: Field, scene: Scene, size: int, batch: int = 4) -> Rendering:
    """Pictures of many scenes, in batches; they come back to the CPU."""
    parts = [
        field.render(scene[start : start + batch].to(field.device), size)
        for start in range(0, len(scene.subject), batch)
    ]
    return Rendering(*(torch.cat(values).cpu() for values in zip(*parts, strict=True)))


def on_white(shown: Rendering) -> np.ndarray:
    """Pictures (B, S, S, 3) uint8 on white."""
    white = shown.colour + (1 - shown.opacity)[..., None]
    return (white.clamp(0, 1) * 255).round().to(torch.uint8).numpy()


def save_field(path: str | Path, field: Field, betas: Tensor, body: SurfaceBody) -> None:
    """Write weights, subjects' shapes and skeletons, and settings as one safetensors file."""
    kind = "parts" if isinstance(field, PartField) else "relative"
    state = {f"field.{name}": value for name, value in field.state_dict().items()}
    state |= {"betas": betas, "rest_joints": body.rest_joints(betas)}
    write_weights(path, state, {"field": kind, "settings": field.config.model_dump()})


def load_field(path: str | Path) -> tuple[Field, Tensor]:
    """Read what `save_field` wrote: the frozen field and its subjects' shapes (M, K).

    Raises
    ------
    UserError
        The file is missing or is no field.
    """
    state, metadata = read_weights(path)
    if "field" not in metadata:
        raise UserError(f"{path}: not the weights of an articulated field")
    with rebuilding(path, state):
        rest, betas = state["rest_joints"], state["betas"]
        if rest.shape != (len(betas), 24, 3) or betas.dim() != 2:
            raise ValueError("subjects whose shapes and skeletons differ in number")
        if metadata["field"] == "parts":
            field = PartField(PartFieldConfig.model_validate(metadata["settings"]), rest)
        else:
            settings = RelativeFieldConfig.model_validate(metadata["settings"])
            field = RelativeField(settings, len(rest))
    weights = {n.removeprefix("field."): v for n, v in state.items() if n.startswith("field.")}
    load_into(field, weights, path)
    return field.eval().requires_grad_(False), betas
