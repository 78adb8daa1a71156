"""Some of many rows, evenly spread."""

import numpy as np


def even_rows(total: int, count: int) -> list[int]:
    """`count` of `total` rows, evenly spread; all of them if there are no more."""
    return np.unique(np.linspace(0, total - 1, min(count, total)).round().astype(int)).tolist()
