"""Write the tidy tables of the ADHMR loop."""

import argparse
from pathlib import Path

import pandas as pd

from poseloop.hmr.evaluation_config import CleaningConfig
from poseloop.hmr.study import AdhmrStudyConfig
from poseloop.hmr.values import read_values
from poseloop.report.hmr_config import HmrReportConfig
from poseloop.report.hmr_metrics import describe
from poseloop.report.hmr_tables import (
    Rows,
    cleaning_table,
    method_table,
    printable,
    ranking_table,
    stack_seeds,
)
from poseloop.report.latex import to_latex
from poseloop.report.markdown import to_markdown
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.files import write_text

RANKERS = {
    "scorer": "HMR-Scorer",
    "reprojection": "2D reprojection",
    "consensus": "distance to the mean",
}
LEGEND = (
    "In brackets: relative gain over the baseline (base, or the one that is named) and its 95 % "
    "interval by paired bootstrap over pictures and seeds, positive where better; * where the "
    "interval lies above zero."
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="adhmr_report.yaml")
    parser.add_argument("--study", type=Path, required=True, help="adhmr_study.yaml")
    parser.add_argument("--cleaning-config", type=Path, required=True, help="hmr_cleaning.yaml")
    parser.add_argument(
        "--values", type=Path, nargs="+", required=True, help="{method}/seed{seed}.json"
    )
    parser.add_argument("--ranking", type=Path, required=True, help="the scorer's values")
    parser.add_argument(
        "--cleaning", type=Path, nargs="+", required=True, help="{keeper}/seed{seed}.json"
    )
    parser.add_argument("--output", type=Path, required=True, help="folder of adhmr_*.csv")
    arguments = parser.parse_args()

    config = load_config(arguments.config, HmrReportConfig)
    study = load_config(arguments.study, AdhmrStudyConfig)
    cleaning = load_config(arguments.cleaning_config, CleaningConfig)
    files: dict[str, list[dict]] = {}
    for path in sorted(arguments.values):
        files.setdefault(path.parent.name, []).append(read_values(path))
    results = stack_seeds(files)
    tables = {
        name: method_table(
            Rows(results, study.methods, config), table, study.evaluation, name == "main"
        )
        for name, table in config.tables.items()
    }
    ranked = read_values(arguments.ranking)
    rankers = stack_seeds(
        {ranker: [{name: table[ranker] for name, table in ranked.items()}] for ranker in RANKERS}
    )
    tables["scorer"] = ranking_table(Rows(rankers, RANKERS, config), config.ranking, ranked)
    labels = {"all": "no removal", "right": "right labels only (oracle)"}
    for share in (round(100 * share) for share in cleaning.keep):
        labels |= {f"scorer_{share}": f"best {share} % by HMR-Scorer"}
        labels |= {f"random_{share}": f"random {share} %"}
    cleaned: dict[str, dict] = {}
    for path in sorted(arguments.cleaning):
        seed = cleaned.setdefault(path.stem, {})
        for name, table in read_values(path).items():
            seed.setdefault(name, {}).update(table)
    seeds = list(cleaned.values())
    methods = {
        method: [
            {name: table[method] for name, table in content.items() if method in table}
            for content in seeds
        ]
        for method in labels
    }
    rows = Rows(stack_seeds(methods), labels, config)
    tables["cleaning"] = cleaning_table(
        rows, [name for name in seeds[0] if name != "labels"], cleaning.keep
    )
    for name, table in tables.items():
        path = arguments.output / f"adhmr_{name}.csv"
        write_text(path, table.to_csv(index=False))
        shown = printable(pd.read_csv(path))
        write_text(path.with_suffix(".md"), to_markdown(shown, describe, LEGEND))
        write_text(path.with_suffix(".tex"), to_latex(shown, describe))


if __name__ == "__main__":
    run(main)
