"""The workflow by rules: who feeds whom, how long each took and what it left."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from poseloop.report.provenance.pipeline import Pipeline

_TIME = "s"


@dataclass
class Node:
    """One rule.

    Attributes
    ----------
    rule : str
    jobs : int
    above : set of str
        Rules that it takes files from.
    level, place : int
        Column and row in the drawing: the longest way from the start, and a number within it.
    seconds : float or None
        Of all its jobs; None where no time is known.
    size : int
        Bytes of all its outputs.
    """

    rule: str
    jobs: int = 0
    above: set[str] = field(default_factory=set)
    level: int = 0
    place: int = 0
    seconds: float | None = None
    size: int = 0


def rule_graph(pipeline: Pipeline, seconds: Mapping[str, float]) -> list[Node]:
    """Nodes of all recorded rules, from the start of the chain to its end."""
    nodes: dict[str, Node] = {}
    for name in pipeline.declared:
        stage = pipeline.stages.get(name)
        if stage is None:
            continue
        node = nodes.setdefault(stage.rule, Node(stage.rule))
        node.jobs += 1
        node.size += sum(pipeline.sizes[path] for path in stage.outputs)
        node.seconds = seconds.get(stage.rule)
        makers = {pipeline.producer[path] for path in stage.inputs if path in pipeline.producer}
        node.above |= {pipeline.stages[maker].rule for maker in makers}
    # A level reaches one rule further in each round.
    for _ in nodes:
        for node in nodes.values():
            node.level = max((1 + nodes[above].level for above in node.above), default=0)
    ordered = sorted(nodes.values(), key=lambda node: (node.level, node.rule))
    for node in ordered:
        node.place = sum(other.level == node.level for other in ordered[: ordered.index(node)])
    return ordered


def rule_seconds(folder: Path) -> dict[str, float]:
    """Seconds of all jobs of each rule, from Snakemake's benchmark files.

    They lie in `<rule>.tsv` or under `<rule>/`. Rules whose files are not here, as in a fresh
    clone, are left out; so is a file that is no benchmark file.
    """
    seconds: dict[str, float] = {}
    for path in sorted(folder.glob("**/*.tsv")):
        rule = path.relative_to(folder).parts[0].removesuffix(".tsv")
        table = pd.read_csv(path, sep="\t")
        if _TIME in table.columns:
            seconds[rule] = seconds.get(rule, 0.0) + float(table[_TIME].sum())
    return seconds
