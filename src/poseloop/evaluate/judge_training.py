"""Training of the pose judge on its own scans."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from poseloop.body.joints import BONES, MIRROR
from poseloop.evaluate.augmentation import degrade, mirror, spin
from poseloop.evaluate.config import JudgeConfig
from poseloop.evaluate.judge import Judge, judge_input
from poseloop.evaluate.views import project
from poseloop.runtime.checkpoints import Checkpoints
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import read_npz
from poseloop.runtime.seeds import derive_seed, numpy_rng, torch_rng


def target_maps(places: torch.Tensor, side: int, sigma: float) -> torch.Tensor:
    """Gaussian probability maps.

    Parameters
    ----------
    places : (..., J, 2) tensor
        Column and row in [0, 1], from `views.project`.
    side : int
        Pixels h along each side.
    sigma : float
        Standard deviation, pixels.

    Returns
    -------
    (..., J, h, h) tensor
        Each map sums to one.
    """
    column, row = target_lines(places, side, sigma).unbind(-2)
    return row[..., :, None] * column[..., None, :]


def target_lines(places: torch.Tensor, side: int, sigma: float) -> torch.Tensor:
    """The same along one axis: (...) in [0, 1] to (..., side)."""
    centre = (torch.arange(side) + 0.5) / side
    gap = (places[..., None] - centre) * side / sigma
    return (-0.5 * gap.square()).softmax(-1)


def bone_lengths(joints: np.ndarray) -> torch.Tensor:
    """Mean and standard deviation of each bone's length over (N, 24, 3) joints. (23, 2)."""
    parents, children = np.array(BONES).T
    length = np.linalg.norm(joints[:, children] - joints[:, parents], axis=-1)
    return torch.from_numpy(np.stack([length.mean(0), length.std(0)], -1)).float()


def read_judge_scans(path: str | Path) -> dict[str, np.ndarray]:
    """Views and joints of scans, to train or to test a judge.

    Raises
    ------
    UserError
        The file is missing, lacks an array, has views of another shape than (N, K, S, S, 3), or
        joints that are not (N, 24, 3) finite numbers.
    """
    scans = read_npz(path, "rgb", "normal", "joints", "azimuths", "metres_per_unit", only=True)
    shape = scans["rgb"].shape
    if len(shape) != 5 or shape[4] != 3 or scans["normal"].shape != shape:
        raise UserError(f"{path}: rgb and normal must both be (N, K, S, S, 3)")
    if scans["rgb"].dtype != np.uint8 or scans["normal"].dtype != np.uint8:
        raise UserError(f"{path}: rgb and normal must both be uint8")
    for name, size in (("azimuths", shape[1]), ("metres_per_unit", shape[0])):
        if scans[name].dtype.kind not in "iuf" or scans[name].shape != (size,):
            raise UserError(f"{path}: {name} must be ({size},) numbers")
    joints = scans["joints"]
    if joints.dtype.kind != "f":
        raise UserError(f"{path}: joints must be numbers, not {joints.dtype}")
    if joints.shape != (shape[0], len(MIRROR), 3) or not np.isfinite(joints).all():
        raise UserError(f"{path}: joints must be ({shape[0]}, {len(MIRROR)}, 3) finite numbers")
    return scans


def train_judge(
    scans: dict[str, np.ndarray],
    config: JudgeConfig,
    device: torch.device,
    checkpoints: Checkpoints,
    log: Callable[[int, float], None] = lambda step, loss: None,
) -> Judge:
    """Train a judge on single views of scans.

    Every step draws its pictures and its degradation from its own streams, so that a resumed run
    goes on exactly as if it had not stopped.

    Parameters
    ----------
    scans : dict
        `rgb` and `normal` (N, K, S, S, 3) uint8, `joints` (N, 24, 3) in the normalised view frame,
        `azimuths` (K,).
    config : JudgeConfig
    device : torch.device
        Batches are made on the CPU, so that their random numbers are the same everywhere.
    checkpoints : Checkpoints
    log : function
        Called with the step (from 1) and its loss; after a resume with those before it, too.

    Returns
    -------
    Judge
        In evaluation mode.
    """
    torch.manual_seed(derive_seed(config.seed, "judge", "weights"))
    judge = Judge(config.channels, config.blocks, config.bins)
    judge.bones.copy_(bone_lengths(scans["joints"]))
    judge = judge.to(device, memory_format=torch.channels_last).train()
    optimizer = torch.optim.AdamW(
        judge.parameters(), config.learning_rate, weight_decay=config.weight_decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, config.learning_rate, total_steps=config.steps, pct_start=0.15
    )
    losses: list[float] = []
    if state := checkpoints.restore():
        losses = state["losses"]
        judge.load_state_dict(state["judge"])
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["schedule"])
    for step, value in enumerate(losses, 1):
        log(step, value)
    places = torch.from_numpy(_places(scans["joints"], scans["azimuths"])).float()
    for step in range(len(losses) + 1, config.steps + 1):
        pictures, target, target_depth = _batch(scans, places, config, step)
        heat, depth = judge(pictures.to(device, memory_format=torch.channels_last))
        loss = -(target.to(device) * heat).sum((2, 3)).mean()
        loss = loss - (target_depth.to(device) * depth).sum(2).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(judge.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        log(step, losses[-1])
        checkpoints.save(
            step,
            lambda: {
                "judge": judge.state_dict(),
                "optimizer": optimizer.state_dict(),
                "schedule": schedule.state_dict(),
                "losses": losses,
            },
        )
    return judge.cpu().eval()


def _places(joints: np.ndarray, azimuths: np.ndarray) -> np.ndarray:
    """Column, row and depth in [0, 1] of every joint in every view, the nearest depth 0."""
    from_left = project(joints, np.asarray(azimuths) + 90)[..., :1]
    return np.concatenate([project(joints, azimuths), from_left], -1)


def _batch(
    scans: dict[str, np.ndarray], places: torch.Tensor, config: JudgeConfig, step: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Pictures (B, 6, S, S), target maps (B, 24, S / 2, S / 2) and depths (B, 24, bins)."""
    rng = numpy_rng(config.seed, "judge", "batch", step)
    subjects, views = scans["rgb"].shape[:2]
    subject = rng.integers(subjects, size=config.batch)
    view = rng.integers(views, size=config.batch)
    azimuths = scans["azimuths"]
    pictures = torch.cat(
        [
            judge_input(
                scans["rgb"][s : s + 1, v : v + 1],
                scans["normal"][s : s + 1, v : v + 1],
                azimuths[v : v + 1],
            )[0]
            for s, v in zip(subject, view, strict=True)
        ]
    )
    place = places[torch.from_numpy(subject), torch.from_numpy(view)]
    flip = torch.from_numpy(rng.random(config.batch) < 0.5)
    pictures, place = mirror(pictures, place, flip)
    generator = torch_rng(config.seed, "judge", "augmentation", step)
    pictures, place = spin(pictures, place, config.augmentation, generator)
    pictures = degrade(pictures, config.augmentation, generator)
    maps = target_maps(place[..., :2], pictures.shape[-1] // 2, config.sigma)
    return pictures, maps, target_lines(place[..., 2], config.bins, config.sigma)
