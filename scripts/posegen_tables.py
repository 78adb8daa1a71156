"""Write posegen_main, posegen_ablations and posegen_nerf, tidy, as Markdown and as LaTeX."""

import argparse
from pathlib import Path

import pandas as pd

from poseloop.evaluate.estimators import gather_errors
from poseloop.posegen.config import PosegenConfig
from poseloop.report.latex import to_latex
from poseloop.report.posegen_config import PosegenReportConfig
from poseloop.report.posegen_metrics import FIELDS, describe
from poseloop.report.posegen_tables import (
    against,
    methods_table,
    plain_row,
    posegen_markdown,
)
from poseloop.report.rows import COLUMNS
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.files import read_json, write_text

_RENDERERS = FIELDS | {"nerf": FIELDS["parts"], "mesh": "mesh renderer (the check's ceiling)"}


def nerf_table(values: dict[str, list[float]]) -> pd.DataFrame:
    """Rows of `posegen_evaluate_nerf.py`: fields, label fidelity, what feedback knows."""
    rows = []
    for key, numbers in values.items():
        method, split, metric = key.split("/")
        benchmark = {"view": "held-out view", "pose": "held-out pose"}.get(split, split)
        label = _RENDERERS.get(method, f"feedback {method}")
        rows.append(plain_row(benchmark, metric, label, numbers))
    return pd.DataFrame(rows, columns=COLUMNS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="posegen_report.yaml")
    parser.add_argument("--study", type=Path, required=True, help="posegen.yaml")
    parser.add_argument("--errors", type=Path, nargs="+", required=True, help="by estimator")
    parser.add_argument("--nerf", type=Path, required=True, help="values of the fields (.json)")
    parser.add_argument("--output", type=Path, nargs=3, required=True, help="three CSV files")
    arguments = parser.parse_args()

    config = load_config(arguments.config, PosegenReportConfig)
    study = load_config(arguments.study, PosegenConfig)
    results = gather_errors(arguments.errors)
    estimators = [path.stem for path in arguments.errors]
    labels = {name: entry.label for name, entry in study.methods.items()}
    labels[study.main] = "PoseGen"
    shared = (study.test_sets, study.indomain, estimators, config, study.main)
    main_methods = {m: labels[m] for m in (study.baseline, *study.rivals, study.main)}
    pair = (study.test_sets, estimators, config)
    others = {m: label for m, label in labels.items() if m not in (study.baseline, study.main)}
    shown = {m: labels[m] for m in study.rivals}
    tables = [
        pd.concat(
            [
                methods_table(results, methods, study.baseline, *shared),
                against(results, study.main, rivals, labels[study.main], *pair),
            ]
        )
        for methods, rivals in ((main_methods, shown), (labels, others))
    ]
    tables.append(nerf_table(read_json(arguments.nerf)))
    for path, table in zip(arguments.output, tables, strict=True):
        write_text(path, table.to_csv(index=False))
        printed = pd.read_csv(path)
        write_text(path.with_suffix(".md"), posegen_markdown(printed))
        write_text(path.with_suffix(".tex"), to_latex(printed, describe))


if __name__ == "__main__":
    run(main)
