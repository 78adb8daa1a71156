"""Ask poseloop about its results and runs: `python -m poseloop trace drpose_geometry ...`."""

import argparse
import signal
import sys
import time
from pathlib import Path

from poseloop.report.provenance.cells import find_cell, table_path
from poseloop.report.provenance.chain import Tracer
from poseloop.report.provenance.machine import write_machine
from poseloop.report.provenance.pipeline import read_pipeline
from poseloop.report.provenance.text import chain_lines, verdict_lines
from poseloop.report.provenance.verify import verify
from poseloop.runtime.cli import run
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


def machine(arguments: argparse.Namespace) -> None:
    """Record this machine beside a preset's results."""
    print(write_machine(arguments.preset))


def progress(arguments: argparse.Namespace) -> None:
    """Print a line per running job, again and again with `--follow`."""
    logs = Path("logs", arguments.preset)
    while True:
        lines = [job.line() for job in running(logs, arguments.silent)] if logs.is_dir() else []
        print(*lines or ["no job that counts its steps is running"], sep="\n", flush=True)
        if not arguments.follow:
            return
        print(flush=True)
        time.sleep(arguments.follow)


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

    arguments = parser.parse_args()
    preset_of({"preset": arguments.preset})
    # A chain is long: `| head` may close the pipe before its end.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    arguments.answer(arguments)


if __name__ == "__main__":
    run(main)
