"""Ask poseloop: where a number is from, where two runs differ, how trainings go and went."""

import argparse
import signal
import sys
import time
from pathlib import Path

from poseloop.report.comparison.causes import causes_of, differences
from poseloop.report.comparison.cells import compare
from poseloop.report.comparison.text import cause_lines, cell_lines, frame_of
from poseloop.report.provenance.cells import find_cell, table_path
from poseloop.report.provenance.chain import Tracer
from poseloop.report.provenance.machine import write_machine
from poseloop.report.provenance.pipeline import read_pipeline
from poseloop.report.provenance.text import chain_lines, verdict_lines
from poseloop.report.provenance.verify import verify
from poseloop.report.scalars import write_scalars
from poseloop.runtime.cli import run
from poseloop.runtime.files import write_text
from poseloop.runtime.progress import running
from poseloop.runtime.study import DEFAULT_PRESET, preset_of


def trace(arguments: argparse.Namespace) -> None:
    """Print a cell's chain; with `--verify` end with exit code 1 where it breaks."""
    cell = find_cell(table_path(arguments.preset, arguments.table), arguments.words)
    pipeline = read_pipeline()
    chain = Tracer(pipeline, arguments.preset).trace(cell)
    print(*chain_lines(chain), sep="\n")
    if arguments.verify:
        verdict = verify(chain, pipeline)
        print(*verdict_lines(verdict, cell.value), sep="\n")
        if not verdict.holds:
            sys.exit(1)


def compare_runs(arguments: argparse.Namespace) -> None:
    """Print where the tables of two runs differ, and what differs in what made them."""
    folders = arguments.a, arguments.b
    comparison = compare(*folders, arguments.table, arguments.metric)
    causes = [causes_of(folder, comparison.tables) for folder in folders]
    print(*cell_lines(comparison, arguments.all), sep="\n")
    print()
    print(*cause_lines(*causes, differences(*causes)), sep="\n")
    if arguments.csv is not None:
        write_text(arguments.csv, frame_of(comparison, arguments.all).to_csv(index=False))


def machine(arguments: argparse.Namespace) -> None:
    """Record this machine beside a preset's results."""
    print(write_machine(arguments.preset))


def progress(arguments: argparse.Namespace) -> None:
    """Print a line per running job, again and again with `--follow`."""
    logs = Path("logs", arguments.preset)
    # Ctrl-C is how a follower is left: no traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    while True:
        lines = [job.line() for job in running(logs, arguments.silent)] if logs.is_dir() else []
        print(*lines or ["no job that counts its steps is running"], sep="\n", flush=True)
        if not arguments.follow:
            return
        print(flush=True)
        time.sleep(arguments.follow)


def scalars(arguments: argparse.Namespace) -> None:
    """Write the training logs for TensorBoard and say how to look at them."""
    folder = arguments.output or Path("logs", arguments.preset, "tensorboard")
    runs = write_scalars(Path("results", arguments.preset), folder)
    print(*runs, f"{len(runs)} runs: tensorboard --logdir {folder}", sep="\n")


def main() -> None:
    """Read the command line and answer."""
    parser = argparse.ArgumentParser(prog="python -m poseloop", description=__doc__)
    parser.add_argument("--preset", default=DEFAULT_PRESET, help="folder of config/")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    tracing = commands.add_parser("trace", help="where a number of a table comes from")
    tracing.add_argument("table", metavar="TABLE", help="name of a table, as drpose_geometry")
    tracing.add_argument(
        "words",
        metavar="WORD",
        nargs="+",
        help="benchmark, metric and method, in any order; last, if wanted, a column (mean)",
    )
    tracing.add_argument(
        "--verify", action="store_true", help="hash every file and make the cell again"
    )
    tracing.set_defaults(answer=trace)

    comparing = commands.add_parser("compare", help="where two runs differ, and by what")
    comparing.add_argument("a", metavar="RESULTS_A", type=Path, help="a folder, as results/demo")
    comparing.add_argument("b", metavar="RESULTS_B", type=Path, help="another one")
    comparing.add_argument(
        "--table", metavar="TABLE", nargs="+", default=[], help="these tables alone"
    )
    comparing.add_argument(
        "--metric", metavar="METRIC", nargs="+", default=[], help="these metrics alone"
    )
    comparing.add_argument("--all", action="store_true", help="equal cells too")
    comparing.add_argument("--csv", metavar="FILE", type=Path, help="write the cells there as well")
    comparing.set_defaults(answer=compare_runs)

    recording = commands.add_parser("machine", help="record this machine beside the results")
    recording.set_defaults(answer=machine)

    following = commands.add_parser("progress", help="how far the running jobs are")
    following.add_argument(
        "--follow", metavar="S", type=float, default=0.0, help="again every S seconds"
    )
    following.add_argument(
        "--silent", metavar="S", type=float, default=120.0, help="a log silent for longer has ended"
    )
    following.set_defaults(answer=progress)

    plotting = commands.add_parser("scalars", help="training logs for TensorBoard")
    plotting.add_argument(
        "--output", metavar="FOLDER", type=Path, help="default: logs/<preset>/tensorboard"
    )
    plotting.set_defaults(answer=scalars)

    arguments = parser.parse_args()
    preset_of({"preset": arguments.preset})
    # A chain is long: `| head` may close the pipe before its end.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    arguments.answer(arguments)


if __name__ == "__main__":
    run(main)
