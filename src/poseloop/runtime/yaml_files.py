"""Reading YAML from outside: plain values only, and nothing that holds itself."""

from collections.abc import Iterable
from pathlib import Path

import yaml

from poseloop.runtime.files import require_file
from poseloop.runtime.refusing import refusing

# Nodes once every alias is written out; no config file has a tenth.
_MOST = 1_000_000


def read_yaml(path: str | Path, what: str) -> object:
    """Content of a YAML file, None if it is empty; `what` says what the file should have been.

    Raises
    ------
    UserError
        The file is missing or not YAML, names itself by an alias, or becomes huge by its aliases.
    """
    path = require_file(path, what)
    with refusing(path, "not valid YAML"):
        content = yaml.safe_load(path.read_text())
        _size(content, {})
    return content


def _size(node: object, sizes: dict[int, int]) -> int:
    """Nodes of a tree in which aliases make one node the child of several."""
    if not isinstance(node, dict | list | set | tuple):
        return 1
    if id(node) not in sizes:
        sizes[id(node)] = _MOST  # until it is known: an alias to what it is part of
        children: Iterable[object] = node.values() if isinstance(node, dict) else node
        sizes[id(node)] = 1 + sum(_size(child, sizes) for child in children)
        if sizes[id(node)] > _MOST:
            raise ValueError("aliases make it huge, or it holds itself")
    return sizes[id(node)]
