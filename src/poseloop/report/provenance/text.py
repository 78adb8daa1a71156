"""A chain and its verdict in lines for a terminal."""

from collections.abc import Iterator
from textwrap import wrap

from poseloop.report.provenance.chain import KINDS, Chain, Link, flatten
from poseloop.report.provenance.machine import differences
from poseloop.report.provenance.sources import Source
from poseloop.report.provenance.verify import Verdict

_TITLES = {
    "metrics": "metrics",
    "checkpoint": "checkpoints",
    "data": "data",
    "config": "config",
    "code": "code",
    "asset": "files of your own",
}


def chain_lines(chain: Chain) -> Iterator[str]:
    """One line per fact; hashes are md5, as dvc.lock has them."""
    cell = chain.cell
    yield f"cell: {' '.join([*cell.keys.values(), cell.column])} = {cell.value or '(empty)'}"
    yield f"  {cell.table}, row {cell.line + 1}"
    if chain.table:
        yield f"  {_file(chain.table)}"
    if chain.sources:
        yield "values:"
        yield from (f"  {_source(source)}" for source in chain.sources)
    for kind in KINDS:
        links = [link for link in chain.links if link.kind == kind]
        if links:
            yield f"{_TITLES[kind]}:"
        for link in links:
            yield f"  {_file(link)}"
            if kind == "config":
                values = ", ".join(
                    f"{name}={value}" for name, value in flatten(chain.params.get(link.path, {}))
                )
                yield from wrap(values, 100, initial_indent="    ", subsequent_indent="    ")
    if chain.seeds:
        yield "seeds:"
        yield from (f"  {field} = {value}" for field, value in chain.seeds.items())
    yield "machine:"
    yield from (f"  {name}: {value}" for name, value in chain.machine.items())
    if other := differences(chain.machine):
        yield f"  here: {'; '.join(other)}; jobs made again here give other digits"
    yield f"commit: {chain.commit or 'no git repository'}"
    yield f"jobs: {len(chain.stages)}" + "".join(f"\n  {name}" for name in chain.stages)
    yield f"rebuild: {chain.rebuild}"


def verdict_lines(verdict: Verdict, value: str) -> Iterator[str]:
    """What `--verify` says: every break, what is absent, and the sum of it."""
    yield from (f"broken: {fault}" for fault in verdict.broken)
    yield from (f"absent: {fact}" for fact in verdict.absent)
    if verdict.recomputed is not None:
        yield f"recomputed: {verdict.recomputed or '(empty)'}"
    counted = f"{verdict.intact} files as recorded, {len(verdict.absent)} absent"
    if verdict.holds:
        yield f"verified: {value or '(empty)'} follows from what is here; {counted}"
    else:
        yield f"not verified: the chain breaks in {len(verdict.broken)} place(s); {counted}"


def _file(link: Link) -> str:
    return f"{link.path}  md5 {link.md5}  {link.size} bytes  commit {link.commit or 'unknown'}"


def _source(source: Source) -> str:
    if source.count is None:
        return f"{source.path}  absent"
    return f"{source.path}  {source.key}  {source.count} values, mean {source.mean:.6g}"
