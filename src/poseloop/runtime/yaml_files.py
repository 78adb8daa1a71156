"""Reading YAML from outside: plain values only, and nothing that holds itself."""

from collections.abc import Iterable
from pathlib import Path

import yaml

from poseloop.runtime.files import require_file
from poseloop.runtime.refusing import refusing

# libyaml's reads ten thousand lines in a tenth of the time, and not every wheel has it.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# Nodes once every alias is written out; no file of ours has a third.
_MOST = 1_000_000
# Lists and mappings within each other; libyaml's loader ends the process at some ten thousand.
_DEEPEST = 100


def read_yaml(path: str | Path, what: str) -> object:
    """Content of a YAML file, None if it is empty; `what` says what the file should have been.

    Raises
    ------
    UserError
        The file is missing or not YAML, too deep, names itself by an alias, or becomes huge by its
        aliases.
    """
    path = require_file(path, what)
    with refusing(path, "not valid YAML"):
        text = path.read_text()
        _check_depth(text)
        content = yaml.load(text, _LOADER)  # nosec B506: a safe loader, in C if there is one
        _size(content, {})
    return content


def _check_depth(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, _LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise ValueError(f"more than {_DEEPEST} levels deep")


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
