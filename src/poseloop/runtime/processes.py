"""The processes that train one network together, each on a GPU of its own."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Processes:
    """How many train together, and which of them this one is.

    A batch is cut in parts whose random numbers are named by their own number. Whichever process
    computes a part, it is the same part, and the sum over parts is all that processes exchange.
    """

    count: int = 1
    rank: int = 0

    def share(self, parts: int) -> range:
        """Numbers of the parts that this process computes."""
        return range(self.rank, parts, self.count)

    def add_up(self, parameters: Sequence[torch.nn.Parameter], row: dict[str, float]) -> dict:
        """Sum gradients, in place, and the values of `row` over all processes."""
        if self.count == 1:
            return row
        from accelerate.utils import reduce

        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        values = torch.tensor(list(row.values()), device=gradients[0].device)
        flat = torch.cat([values, *(gradient.flatten() for gradient in gradients)])
        sizes = [len(values), *(gradient.numel() for gradient in gradients)]
        values, *sums = reduce(flat, "sum").split(sizes)
        for gradient, total in zip(gradients, sums, strict=True):
            gradient.copy_(total.view_as(gradient))
        return dict(zip(row, values.tolist(), strict=True))


ALONE = Processes()


def join_processes(on_cpu: bool) -> Processes:
    """The group that `runtime.launch` started this process in; alone if it did not.

    Parameters
    ----------
    on_cpu : leave the GPUs alone; else each process gets one of its own, where there are any
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return ALONE
    # Slow to import, and needed by few jobs.
    from accelerate import PartialState

    state = PartialState(cpu=on_cpu or not torch.cuda.is_available())
    return Processes(state.num_processes, state.process_index)
