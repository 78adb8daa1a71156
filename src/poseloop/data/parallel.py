"""Map over subjects with processes, in order."""

import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


def map_ordered(
    function: Callable[[A], B], batches: Iterable[Sequence[A]], processes: int
) -> Iterator[B]:
    """Yield function(item) for the items of all batches, in order.

    One batch at a time is in memory. The result does not depend on `processes` when the
    function depends on its item alone.
    """
    if processes == 1:
        for batch in batches:
            yield from map(function, batch)
        return
    # Forked, so that workers start without importing PyTorch and the body model again.
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        for batch in batches:
            yield from pool.imap(function, batch, chunksize=4)
