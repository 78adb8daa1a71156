"""Which files of this repository a script runs: the script and all it imports, found statically.

A rule lists them among its inputs, so that an edit to a library module makes exactly the jobs
stale that run it, for Snakemake and for DVC alike.
"""

import ast
from functools import cache
from pathlib import Path

PACKAGE = "poseloop"


def import_closure(script: str | Path, source: str | Path = "src") -> list[str]:
    """The script and every module of the package that it imports, directly or not.

    Imports anywhere in a file count, also those inside functions. Importing a module runs the
    `__init__` of each package above it, so these are listed too.

    Parameters
    ----------
    script : path
        The script, relative to the working directory (the root of the repository).
    source : path
        Folder that holds the package.

    Returns
    -------
    list of str
        The script first, then the modules in alphabetical order, as paths relative to the
        working directory. A script that does not exist is returned alone: the workflow then
        names it as a missing input.

    Raises
    ------
    SyntaxError
        A file is not valid Python.
    """
    script, source = Path(script), Path(source)
    if not script.is_file():
        return [str(script)]
    found: set[Path] = set()
    waiting = [script]
    while waiting:
        for module in _imports(waiting.pop(), source):
            if module not in found:
                found.add(module)
                waiting.append(module)
    return [str(script), *sorted(map(str, found))]


@cache
def _imports(path: Path, source: Path) -> tuple[Path, ...]:
    """Files of the package that running `path` loads first-hand."""
    files: list[Path] = []
    for node in ast.walk(ast.parse(path.read_bytes(), filename=str(path))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = _absolute_base(node, path, source)
            names = [base, *(f"{base}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            files += _files_of(name, source)
    return tuple(dict.fromkeys(files))


def _absolute_base(node: ast.ImportFrom, path: Path, source: Path) -> str:
    """The dotted name left of `import`, with leading dots resolved against the file's package."""
    if not node.level:
        return node.module or ""
    package = path.relative_to(source).parent.parts
    parts = package[: len(package) - node.level + 1]
    return ".".join([*parts, *([node.module] if node.module else [])])


def _files_of(name: str, source: Path) -> list[Path]:
    """Files loaded by `import name`: the package `__init__`s on the way, then the module.

    Empty for a module of another package; a last part that is no module (a function, say) adds
    nothing.
    """
    parts = name.split(".")
    if parts[0] != PACKAGE:
        return []
    files = []
    for depth in range(1, len(parts) + 1):
        stem = source.joinpath(*parts[:depth])
        candidates = (stem / "__init__.py", stem.with_suffix(".py"))
        files += [candidate for candidate in candidates if candidate.is_file()][:1]
    return files
