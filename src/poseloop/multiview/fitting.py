"""The loop that every network here is trained by: optimiser, weight average, log, exact resume."""

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import trange

from poseloop.multiview.config import OptimizerConfig
from poseloop.multiview.sharding import accumulate_gradients, shard_pool
from poseloop.runtime.checkpoints import Checkpoints
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import write_text
from poseloop.runtime.processes import ALONE, Processes

Row = dict[str, float]


def rate_factor(step: int, steps: int, config: OptimizerConfig) -> float:
    """Learning rate at `step` (from 0) of `steps`, as a share of the peak."""
    if step < config.warmup_steps:
        return (step + 1) / config.warmup_steps
    progress = (step - config.warmup_steps) / max(1, steps - config.warmup_steps)
    return config.final_rate + (1 - config.final_rate) * 0.5 * (1 + math.cos(math.pi * progress))


def fit(
    module: nn.Module,
    backward: Callable[[int], Row],
    steps: int,
    optimizer_config: OptimizerConfig,
    ema_decay: float,
    checkpoints: Checkpoints,
    validate: Callable[[nn.Module], Row] | None = None,
    validate_every: int = 1,
    processes: Processes = ALONE,
) -> tuple[nn.Module, list[Row]]:
    """Train `module` in place.

    Parameters
    ----------
    backward : called with the step (from 0); leaves gradients on the parameters that require
        them and returns what to log. It must draw its randomness from streams named by the step,
        so that a resumed run repeats an unbroken one. Of several processes each leaves its share
        of the gradients and of what to log.
    validate : called with the averaged module before the first step, every `validate_every` steps
        and at the end.

    Returns
    -------
    the exponential moving average of the module, and one row per step

    Raises
    ------
    UserError
        A logged value is not finite: the run has diverged.
    """
    trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(
        trained,
        lr=optimizer_config.learning_rate,
        weight_decay=optimizer_config.weight_decay,
        fused=optimizer_config.fused or trained[0].is_cuda or None,
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: rate_factor(step, steps, optimizer_config)
    )
    average = AveragedModel(module, multi_avg_fn=get_ema_multi_avg_fn(ema_decay))
    rows: list[Row] = []

    state = checkpoints.restore()
    if state is not None:
        module.load_state_dict(state["module"])
        average.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["schedule"])
        rows = state["rows"]
    elif validate is not None:
        rows.append({"step": 0, **validate(average.module)})

    first = len([row for row in rows if row["step"] > 0])
    for step in trange(first, steps, mininterval=10, disable=processes.rank > 0):
        optimizer.zero_grad(set_to_none=True)
        row = processes.add_up(trained, backward(step))
        row["grad_norm"] = float(nn.utils.clip_grad_norm_(trained, optimizer_config.clip_grad_norm))
        if not all(map(math.isfinite, row.values())):
            raise UserError(
                f"training diverged at step {step + 1} ({row}): lower `learning_rate` in its config"
            )
        optimizer.step()
        schedule.step()
        average.update_parameters(module)
        row = {"step": step + 1, **row}
        if validate is not None and ((step + 1) % validate_every == 0 or step + 1 == steps):
            row |= validate(average.module)
        rows.append(row)
        if processes.rank == 0:
            checkpoints.save(
                step + 1,
                lambda: {
                    "module": module.state_dict(),
                    "average": average.state_dict(),
                    "optimizer": optimizer.state_dict(),
                    "schedule": schedule.state_dict(),
                    "rows": rows,
                },
            )
    return average.module, rows


def fit_sharded(
    module: nn.Module,
    shard_loss: Callable[[int, int], torch.Tensor],
    shards: int,
    steps: int,
    optimizer_config: OptimizerConfig,
    ema_decay: float,
    checkpoints: Checkpoints,
    validate: Callable[[nn.Module], Row] | None = None,
    validate_every: int = 1,
    workers: int | None = None,
    processes: Processes = ALONE,
) -> tuple[nn.Module, list[Row]]:
    """`fit` on a loss whose batch is split in shards.

    Parameters
    ----------
    shard_loss : called with the step and the shard's number; returns the mean loss of that shard,
        a scalar. It draws its randomness from streams named by both.
    workers : CPU cores that compute a shard each at the same time; as many as shards if left out
    processes : those that share the shards

    Returns
    -------
    as `fit`; a row holds `loss`, the mean over shards
    """
    parameters = list(module.parameters())
    with shard_pool(workers or shards) as over:

        def backward(step: int) -> Row:
            losses = [partial(shard_loss, step, shard) for shard in processes.share(shards)]
            return {"loss": accumulate_gradients(parameters, losses, shards, over)}

        return fit(
            module,
            backward,
            steps,
            optimizer_config,
            ema_decay,
            checkpoints,
            validate,
            validate_every,
            processes,
        )


def write_log(path: str | Path, rows: list[Row]) -> None:
    """Write the rows of `fit` as CSV, six significant digits."""
    write_text(path, pd.DataFrame(rows).to_csv(index=False, float_format="%.6g"))
