"""Damage to what a file means: keys, types, shapes and numbers of nested dictionaries of arrays."""

import random

import numpy as np

SCALARS = (
    0, -1, 1, 3, 2**31, 2**63, -(2**63), 10**30, 0.5, -0.5, 1e30, 1e300, -1e300, 1e-300,
    float("nan"), float("inf"), float("-inf"), True, False, None, "", "a", "nan", "0", "\0",
    "../../../etc/passwd", "/etc/passwd", "..", "~", "%s%n", "\u202e\ud7ff", "x" * 5000,
    "1" * 5000,
)  # fmt: skip
DTYPES = ("f2", "f4", "f8", "i1", "i4", "i8", "u1", "u8", "?", "c16", "U3", "S3", "M8[s]", "V4")
_MOST = 200_000
# Python's numbers take a thousand times as long to read as an array's, and texts can be long.
_LISTED = 2000


def damage_tree(tree: object, rng: random.Random) -> object:
    """A copy of the tree with one to three faults; tuples count as leaves."""
    tree = _copied(tree)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        places = list(_places(tree))
        if not places:
            return tree
        # Rare shallow nodes matter as much as the many deep ones.
        parent, key = rng.choice(places[: rng.randrange(len(places)) + 1])
        _damage(parent, key, rng)
    return tree


def _copied(tree):
    """Other dictionaries and lists of the same leaves, which no damage changes in place."""
    if isinstance(tree, dict):
        return {key: _copied(value) for key, value in tree.items()}
    return [_copied(value) for value in tree] if isinstance(tree, list) else tree


def _places(tree, limit=3000):
    waiting = [tree]
    for node in waiting:
        keys = node.keys() if isinstance(node, dict) else range(len(node))
        for key in list(keys)[:200]:
            yield node, key
            child = node[key]
            if isinstance(child, dict | list) and len(waiting) < limit:
                waiting.append(child)


def _damage(parent, key, rng):
    if isinstance(parent, dict) and key not in parent:
        return
    if isinstance(parent, list) and key >= len(parent):
        return
    value = parent[key]
    kind = rng.randrange(7)
    if kind == 0:
        del parent[key]
    elif kind == 1 and isinstance(parent, dict):
        parent[rng.choice(("", "x", f"{key}s", 0, "__class__", "../x"))] = value
        if rng.random() < 0.5:
            del parent[key]
    elif kind == 1:
        parent.insert(rng.randrange(len(parent) + 1), value)
    elif kind == 2:
        parent[key] = rng.choice(([], {}, [value], {"a": value}, [[]], [value, value]))
    elif kind == 3 and isinstance(value, list) and value:
        parent[key] = rng.choice(
            (
                value[:-1],
                value[:1],
                value + value,
                value[::-1],
                value * min(100, _MOST // len(value) + 1),
            )
        )
    elif kind == 4:
        other = rng.choice(list(parent.values()) if isinstance(parent, dict) else parent)
        parent[key] = _copied(other)
    else:
        parent[key] = _leaf(value, rng)


def _leaf(value, rng):
    if isinstance(value, np.ndarray) and rng.random() < 0.9:
        return damage_array(value, rng)
    if isinstance(value, np.ndarray | np.generic):
        array = np.asarray(value)
        return (array if array.size <= _LISTED else array.reshape(-1)[:_LISTED]).tolist()
    if isinstance(value, int | float) and not isinstance(value, bool) and rng.random() < 0.5:
        try:
            return rng.choice((-value, value + 1, value * 1000, value * 1e30, str(value), [value]))
        except OverflowError:
            return -value
    return rng.choice(SCALARS)


def damage_array(array: np.ndarray, rng: random.Random) -> np.ndarray:
    """Another type, another shape, or numbers that should not be there."""
    kind = rng.randrange(12)
    flat = array.reshape(-1)
    if kind in (0, 1):
        dtype = rng.choice(DTYPES)
        if array.dtype.kind == "S" and dtype.startswith("M8"):
            return array  # NumPy 2.4 ends the process over bytes as dates
        try:
            with np.errstate(all="ignore"):
                return array.astype(dtype)
        except (TypeError, ValueError):
            return array.astype("U8")
    if kind == 2:
        return array[: rng.choice((0, 1, -1))] if array.ndim else array[None]
    if kind == 3:
        return array[..., : rng.choice((0, 1, -1))] if array.ndim else array[None]
    if kind == 4:
        return rng.choice((array[None], array[..., None], flat, array.T, array[None, None]))
    if kind == 5:
        return np.concatenate([array, array]) if array.ndim > 0 and array.size < _MOST else array
    if kind == 6:
        return np.asarray(rng.choice((0, 1.5, "text", float("nan"), True)))
    if kind == 7:
        return np.zeros(
            rng.choice(((0,), (1,), (3,), (0, 3), (2, 2), (1, 1, 1, 1, 1))), array.dtype
        )
    if array.size == 0 or array.dtype.kind not in "iufb":
        return np.full(array.shape if array.size <= _LISTED else (2,), rng.choice(SCALARS[-6:]))
    changed = flat.copy()
    where = rng.choice(
        (slice(None), rng.randrange(len(flat)), slice(rng.randrange(len(flat)), None))
    )
    with np.errstate(all="ignore"):
        if array.dtype.kind == "f":
            values = (float("nan"), float("inf"), float("-inf"), 0.0, 1e30, -1e30, 1e-30, 1e4, -1.0)
            changed[where] = np.asarray(rng.choice(values)).astype(array.dtype)
        elif array.dtype.kind == "b":
            changed[where] = rng.random() < 0.5
        else:
            info = np.iinfo(array.dtype)
            changed[where] = rng.choice(
                (0, info.max, info.min, info.max // 2, 1, min(255, info.max))
            )
    return changed.reshape(array.shape)
