"""Tables for the page, and the chain behind each of their numbers."""

from dataclasses import asdict
from pathlib import Path

from poseloop.report.provenance.cells import cell_at, read_cells
from poseloop.report.provenance.chain import Chain, Link, Tracer

NAMES = ("benchmark", "metric", "method")
# Each of their cells has a chain of its own.
TRACED = ("mean", "baseline_mean", "relative_gain", "ci_low", "ci_high")
NUMBERS = (*TRACED, "published")
# Ours beside the published value.
COLUMNS = (*NAMES, "mean", "published", "unit", *TRACED[1:], "note")


class Provenance:
    """Chains of cells, each file and each chain once.

    Attributes
    ----------
    links : list of dict
        Files: `path`, `kind`, `md5`, `size`, `stage`, `commit`.
    chains : list of dict
        `links` by number, `stages`, `seeds` and `rebuild`.
    cells : dict
        Cell's id to `[chain, sources]`; a source is `[path, key, count, mean]`.
    params : dict
        Config file to recorded values.
    """

    def __init__(self, tracer: Tracer) -> None:
        self.tracer = tracer
        self.links: list[dict] = []
        self.chains: list[dict] = []
        self.cells: dict[str, list] = {}
        self.params: dict[str, dict] = {}
        self._numbers: dict[Link, int] = {}
        self._known: dict[tuple, int] = {}

    def add(self, name: str, chain: Chain) -> None:
        """Remember the chain of the cell called `name`."""
        links = tuple(map(self._number, [*filter(None, [chain.table]), *chain.links]))
        key = (links, chain.rebuild)
        if key not in self._known:
            self._known[key] = len(self.chains)
            self.chains.append(
                {
                    "links": links,
                    "stages": chain.stages,
                    "seeds": chain.seeds,
                    "rebuild": chain.rebuild,
                }
            )
        self.params |= chain.params
        sources = [[s.path, s.key, s.count, s.mean] for s in chain.sources]
        self.cells[name] = [self._known[key], sources]

    def as_dict(self) -> dict:
        """All of it for the page."""
        return {
            "links": self.links,
            "chains": self.chains,
            "cells": self.cells,
            "params": self.params,
            "machine": self.tracer.machine,
            "commit": self.tracer.commit,
        }

    def _number(self, link: Link) -> int:
        if link not in self._numbers:
            self._numbers[link] = len(self.links)
            self.links.append(asdict(link))
        return self._numbers[link]


def page_table(path: Path, provenance: Provenance) -> dict:
    """A tidy table for the page, without the values of single views; its chains are remembered.

    Returns
    -------
    dict
        `name`, `columns` and `rows`; a row is a list of `text` and `cell`, the id of a cell that
        has a chain, else None.
    """
    table = read_cells(path)
    tidy = set(NAMES) <= set(table.columns)
    columns = [name for name in (COLUMNS if tidy else table.columns) if name in table.columns]
    rows = []
    for line, row in enumerate(table.to_dict("records")):
        if "_view" in row.get("metric", ""):
            continue
        cells = []
        for column in columns:
            name = f"{path.stem}:{line}:{column}"
            traced = column in TRACED and row[column] != ""
            if traced:
                provenance.add(name, provenance.tracer.trace(cell_at(path, table, line, column)))
            cells.append({"text": row[column], "cell": name if traced else None})
        rows.append(cells)
    return {"name": path.stem, "columns": columns, "rows": rows}
