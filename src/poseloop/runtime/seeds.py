"""Random numbers that depend on names, not on the order in which they are drawn."""

import hashlib
import os
import random

import numpy as np
import torch


def derive_seed(seed: int, *names: object) -> int:
    """A 63-bit seed for the stream called `names` under `seed`."""
    text = "/".join(map(str, (seed, *names)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def numpy_rng(seed: int, *names: object) -> np.random.Generator:
    """NumPy generator of the stream called `names`."""
    return np.random.default_rng(derive_seed(seed, *names))


def torch_rng(seed: int, *names: object) -> torch.Generator:
    """CPU generator of the stream called `names`; noise is drawn on the CPU on every device."""
    return torch.Generator().manual_seed(derive_seed(seed, *names))


def make_deterministic(seed: int, threads: int) -> None:
    """Seed the global generators and ask PyTorch for deterministic kernels.

    `threads` comes from config and not from the machine: the order of a floating-point sum
    depends on it, and with it every digit that follows.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    random.seed(derive_seed(seed, "python"))
    np.random.seed(derive_seed(seed, "numpy") % 2**32)
    torch.manual_seed(derive_seed(seed, "torch"))
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    # PyTorch would fill every new tensor with NaN before it is written: 5 to 8 % of a step of a
    # small network, to catch reads of what was never written.
    torch.utils.deterministic.fill_uninitialized_memory = False
