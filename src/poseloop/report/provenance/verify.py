"""Does a cell still follow from what was recorded?"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from poseloop.report.provenance.chain import Chain
from poseloop.report.provenance.pipeline import LOCK, Pipeline, Stage, md5_of
from poseloop.report.provenance.recompute import NotRecomputed, recompute
from poseloop.runtime.errors import UserError


@dataclass
class Verdict:
    """What was found.

    Attributes
    ----------
    broken : list of str
        Where the chain breaks, one sentence each.
    absent : list of str
        What is not here, and so was not looked at.
    intact : int
        Files that are as recorded.
    recomputed : str or None
        The cell as the metrics files give it; None if that was not possible.
    """

    broken: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    intact: int = 0
    recomputed: str | None = None

    @property
    def holds(self) -> bool:
        """Whether nothing that is here speaks against the value."""
        return not self.broken


def verify(chain: Chain, pipeline: Pipeline) -> Verdict:
    """Hash every file of a chain, and make its cell again from the metrics files.

    DVC's lock file is the record: every file must have the hash written there, what one stage made
    must be what the next one took, and the stages' file must ask for the same commands and inputs.
    """
    verdict = Verdict()
    if chain.table is None:
        verdict.broken.append(f"{LOCK}: no stage makes {chain.cell.table}")
        return verdict
    stages = [pipeline.stages[name] for name in chain.stages]
    verdict.broken += _disagreements(chain, stages, pipeline)
    for path, md5 in {link.path: link.md5 for link in [chain.table, *chain.links]}.items():
        if Path(path).is_file():
            now = md5_of(path)
            if now == md5:
                verdict.intact += 1
            else:
                verdict.broken.append(
                    f"{path}: changed since {stages[0].lock} recorded {md5}; it is {now}"
                )
        elif pipeline.is_kept(path):
            verdict.broken.append(f"{path}: missing; git keeps it")
        else:
            verdict.absent.append(f"{path}: absent; `dvc pull {path}` brings it")
    _check_value(chain, stages[0], verdict)
    return verdict


def _disagreements(chain: Chain, stages: list[Stage], pipeline: Pipeline) -> Iterator[str]:
    """Where the records contradict themselves or what is declared."""
    for stage in stages:
        declared = pipeline.declared[stage.name]
        if declared.command != stage.command:
            yield (
                f"{stage.lock}: {stage.name} ran another command than {declared.file} has; "
                "its rule changed"
            )
        for path in sorted(declared.inputs - set(stage.inputs)):
            yield f"{stage.lock}: {stage.name} ran without {path}, which {declared.file} names"
    followed = {link.path for link in chain.links}
    for stage in stages:
        for path, md5 in stage.inputs.items():
            made_by = pipeline.producer.get(path)
            if path not in followed:
                continue
            if made_by is None and Path(path).parts[0] == "results":
                yield f"{stage.lock}: no stage makes {path}"
            elif made_by and pipeline.stages[made_by].outputs[path] != md5:
                yield f"{stage.lock}: {stage.name} took another {path} than {made_by} made"


def _check_value(chain: Chain, stage: Stage, verdict: Verdict) -> None:
    cell = chain.cell
    try:
        table = recompute(stage, cell.table)
    except NotRecomputed as fault:
        verdict.absent.append(f"{cell.table}: not made again: {fault}")
        return
    except UserError as fault:
        verdict.broken.append(f"{cell.table}: cannot be made again: {fault}")
        return
    name = " ".join([*cell.keys.values(), cell.column])
    rows = [row for row in table.to_dict("records") if cell.keys.items() <= row.items()]
    if len(rows) != 1 or cell.column not in rows[0]:
        verdict.broken.append(f"{cell.table}: the metrics files give no row for {name}")
        return
    verdict.recomputed = rows[0][cell.column]
    if verdict.recomputed != cell.value:
        verdict.broken.append(
            f"{cell.table}: {name} is {cell.value or 'empty'}, "
            f"the metrics files give {verdict.recomputed or 'nothing'}"
        )
