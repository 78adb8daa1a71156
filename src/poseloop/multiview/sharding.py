"""Gradients of a batch in shards, one CPU core each.

Splitting the batch uses two cores better than splitting each small operation (1.75 times the
steps a second of one core against 1.25), and the sum over shards has a fixed order, so the result
depends on the number of shards in config and not on the machine.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch

Shard = Callable[[], torch.Tensor]


@contextmanager
def shard_pool(shards: int) -> Iterator[ThreadPoolExecutor]:
    """A pool of `shards` threads that each compute on one core."""
    with ThreadPoolExecutor(shards, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        yield pool


def accumulate_gradients(
    parameters: Sequence[torch.nn.Parameter], losses: Sequence[Shard], pool: ThreadPoolExecutor
) -> float:
    """Add the gradient of the mean of `losses` to `parameters`; returns that mean.

    Parameters
    ----------
    losses : functions of no argument that return a scalar; each runs on a thread of its own
    """

    def gradients(loss: Shard) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
        value = loss() / len(losses)
        return value.detach(), torch.autograd.grad(value, parameters)

    results = list(pool.map(gradients, losses))
    for parameter, *parts in zip(parameters, *(parts for _, parts in results), strict=True):
        total = sum(parts[1:], start=parts[0])
        parameter.grad = total if parameter.grad is None else parameter.grad + total
    return float(sum(value for value, _ in results))
