"""The chain behind a cell: values, weights, data, config and code, down to the commit."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from poseloop.report.provenance import commits
from poseloop.report.provenance.cells import Cell
from poseloop.report.provenance.machine import read_machine
from poseloop.report.provenance.pipeline import Pipeline, Stage
from poseloop.report.provenance.sources import Source, read_sources, sources_of
from poseloop.runtime.pipelines import TARGETS, lock_of

# In the order in which they are told.
KINDS = ("metrics", "checkpoint", "data", "config", "code", "asset")


@dataclass(frozen=True)
class Link:
    """A file in a chain.

    Attributes
    ----------
    path : str
    kind : str
        One of `KINDS`.
    md5 : str
        As recorded.
    size : int
        Bytes, as recorded.
    stage : str or None
        Who makes it; None for what people write or bring.
    commit : str
        That changed it last, or that recorded its hash if git does not hold it; empty if unknown.
    """

    path: str
    kind: str
    md5: str
    size: int
    stage: str | None
    commit: str


@dataclass(frozen=True)
class Chain:
    """All that a cell follows from.

    Attributes
    ----------
    cell : Cell
    table : Link or None
        The table's file; None if no lock file has it.
    sources : list of Source
        Values of metrics files.
    stages : list of str
        Recorded jobs, from the table upwards.
    links : list of Link
        Files, by kind.
    params : dict
        Config file to recorded values.
    seeds : dict
        `file: field` to value.
    machine : dict
        On which the results were made.
    commit : str
        That is checked out.
    rebuild : str
        The one command that makes the table again.
    """

    cell: Cell
    table: Link | None
    sources: list[Source]
    stages: list[str]
    links: list[Link]
    params: dict[str, dict]
    seeds: dict[str, object]
    machine: dict[str, str]
    commit: str
    rebuild: str


class Tracer:
    """Traces cells of a preset; reads the records and asks git once for all of them."""

    def __init__(self, pipeline: Pipeline, preset: str) -> None:
        self.pipeline, self.preset = pipeline, preset
        self._read = cache(read_sources)
        self._behind = cache(self._follow)

    def trace(self, cell: Cell) -> Chain:
        """The chain behind a cell.

        A cell whose table no lock file has gets a chain without links.
        """
        table = str(cell.table)
        made_by = self.pipeline.producer.get(table)
        if made_by is None:
            rebuild = f"snakemake --config preset={self.preset} --force -- {table}"
            return Chain(cell, None, [], [], [], {}, {}, self.machine, self.commit, rebuild)
        stage = self.pipeline.stages[made_by]
        sources = sources_of(cell, stage, self._read)
        paths = frozenset(source.path for source in sources)
        stages, links, params = self._behind(made_by, paths)
        return Chain(
            cell=cell,
            table=self._link(table, stage.outputs[table], "data"),
            sources=sources,
            stages=stages,
            links=links,
            params=params,
            seeds=seeds_of(params),
            machine=self.machine,
            commit=self.commit,
            rebuild=f"dvc repro --single-item --force {self.pipeline.address(made_by)}",
        )

    @cached_property
    def machine(self) -> dict[str, str]:
        """The recorded machine."""
        return read_machine(self.preset)

    @cached_property
    def commit(self) -> str:
        """The commit that is checked out."""
        return commits.head()

    @cached_property
    def _changed_in(self) -> dict[str, str]:
        records = [str(record) for file in TARGETS for record in (file, lock_of(file))]
        files = {*self.pipeline.sizes, *records}
        return commits.last_commits(files)

    @cached_property
    def _recorded_in(self) -> dict[str, str]:
        return commits.recorded_commits()

    def _follow(
        self, made_by: str, sources: frozenset[str]
    ) -> tuple[list[str], list[Link], dict[str, dict]]:
        """Stages, files and config values behind a table's stage and some of its inputs."""
        table = self.pipeline.stages[made_by]
        stages = list(self._ancestors(table, sources))
        params = {name: values for stage in stages for name, values in stage.params.items()}
        return [stage.name for stage in stages], self._links(table, stages, sources), params

    def _ancestors(self, table: Stage, sources: frozenset[str]) -> Iterator[Stage]:
        """The table's stage and all that its sources depend on, each once, nearest first."""
        yield table
        seen, waiting = {table.name}, deque(sorted(sources))
        while waiting:
            name = self.pipeline.producer.get(waiting.popleft())
            if name is None or name in seen:
                continue
            seen.add(name)
            yield self.pipeline.stages[name]
            waiting += self.pipeline.stages[name].inputs

    def _links(self, table: Stage, stages: list[Stage], metrics: frozenset[str]) -> list[Link]:
        recorded = {
            path: md5
            for stage in reversed(stages)
            for path, md5 in stage.inputs.items()
            # The table's other metrics files are of other cells.
            if stage is not table or path in metrics or Path(path).parts[0] != "results"
        }
        links = [
            self._link(path, md5, "metrics" if path in metrics else self._kind(path))
            for path, md5 in recorded.items()
        ]
        return sorted(links, key=lambda link: (KINDS.index(link.kind), link.path))

    def _kind(self, path: str) -> str:
        first, suffix = Path(path).parts[0], Path(path).suffix
        if first == "config":
            return "config"
        if first in ("scripts", "src"):
            return "code"
        if first != "results":
            return "asset"
        return "checkpoint" if suffix == ".safetensors" else "data"

    def _link(self, path: str, md5: str, kind: str) -> Link:
        commit = self._changed_in.get(path) or self._recorded_in.get(md5, "")
        size, made_by = self.pipeline.sizes[path], self.pipeline.producer.get(path)
        return Link(path, kind, md5, size, made_by, commit)


def seeds_of(params: Mapping[str, dict]) -> dict[str, object]:
    """`file: field` to value, of every field called `seed` or `seeds`."""
    return {
        f"{file}: {field}": value
        for file, values in params.items()
        for field, value in flatten(values)
        if field.rpartition(".")[2] in ("seed", "seeds")
    }


def flatten(values: Mapping, above: Iterable[str] = ()) -> Iterator[tuple[str, object]]:
    """Dotted names and values of nested config, lists as they are."""
    for key, value in values.items():
        place = (*above, str(key))
        if isinstance(value, Mapping) and value:
            yield from flatten(value, place)
        else:
            yield ".".join(place), value
