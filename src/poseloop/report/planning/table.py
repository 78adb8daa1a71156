"""Plans as text: one line for each case, or for each stage of one."""

from collections.abc import Sequence

from poseloop.report.planning.config import CaseConfig, PlanningConfig
from poseloop.report.planning.costs import Plan

LEGEND = (
    "Memory is of the largest job on a CPU in float32, without the activations of a network that "
    "computes them again. Networks of a few million parameters do not fill a GPU: there the hours "
    "of a card are a lower bound.\n"
)


def describe(case: CaseConfig) -> str:
    """A case in words, as `demo, subjects x10`."""
    factors = {
        name: getattr(case, name) for name in ("subjects", "size", "views", "seeds", "steps")
    }
    grown = [f"{name} x{factor:g}" for name, factor in factors.items() if factor != 1]
    return ", ".join([case.preset, *([case.released] if case.released else []), *grown])


def cases_table(plans: Sequence[Plan], config: PlanningConfig) -> str:
    """Cost of every case: on the CPU alone, or with each card of the config."""
    header = ["case", "core h, CPU alone"]
    header += [
        f"{card} h ({'measured' if rates.measured else 'assumed'} {100 * rates.utilisation:.0f} %)"
        for card, rates in config.gpus.items()
    ]
    header += ["core h beside a GPU", "memory GB", "disk GB"]
    rows = [
        [
            describe(plan.case),
            *map(
                _number,
                [
                    plan.core_hours,
                    *(plan.gpu_hours(config, card) for card in config.gpus),
                    plan.beside_gpu_hours,
                    plan.memory_gb,
                    plan.disk_gb,
                ],
            ),
        ]
        for plan in plans
    ]
    return _aligned([header, *rows]) + LEGEND


def stages_table(plan: Plan) -> str:
    """Cost of every stage of one case."""
    header = ["stage", "core h, CPU alone", "PFLOP of networks", "memory GB", "disk GB"]
    rows = [
        [
            cost.name,
            _number(cost.core_seconds / 3600),
            _number(cost.flops / 1e15),
            _number(cost.memory / 1e9),
            _number(cost.disk / 1e9),
        ]
        for cost in plan.costs
    ]
    return _aligned([header, *rows])


def _number(value: float) -> str:
    if 0 < value < 0.01:
        return "<0.01"
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}"


def _aligned(rows: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "".join(
        "  ".join(
            [row[0].ljust(widths[0])]
            + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        )
        + "\n"
        for row in rows
    )
