"""A repository with one table, the jobs behind it, and their record in dvc.yaml and dvc.lock."""

import json
import subprocess
from pathlib import Path

import yaml

from poseloop.report.provenance.pipeline import md5_of

RESULTS = "results/demo"
TABLE = f"{RESULTS}/tables/drpose_geometry.csv"
METRICS = f"{RESULTS}/metrics/{{}}/seed0.json"
TRUTH = f"{RESULTS}/metrics/truth.json"
MODEL = f"{RESULTS}/drpose/drpose/seed0/model.safetensors"
SCANS = f"{RESULTS}/scans/thuman.npz"
STUDY, REPORT, TRAINING = (f"config/demo/{name}.yaml" for name in ("study", "report", "drpose"))

# Takes the options of the real one and needs no library.
SCRIPT = """
import argparse, csv, json
from pathlib import Path

parser = argparse.ArgumentParser()
for option in ("--config", "--study", "--truth", "--summary"):
    parser.add_argument(option)
for option in ("--metrics", "--diversity", "--output"):
    parser.add_argument(option, nargs="*")
options = parser.parse_args()
means = {}
for path in options.metrics:
    values = json.loads(Path(path).read_text())["benchmarks"]["mixamo"]["chamfer"]
    means[Path(path).parent.name] = sum(values) / len(values)
labels = {"base": "base", "drpose": "DrPose"}
with open(options.output[0], "w") as stream:
    writer = csv.writer(stream)
    writer.writerow(["benchmark", "metric", "method", "mean", "baseline", "relative_gain"])
    for method, mean in means.items():
        gain = "" if method == "base" else round(1 - mean / means["base"], 4)
        baseline = "" if method == "base" else "base"
        writer.writerow(["mixamo", "chamfer", labels[method], round(mean, 2), baseline, gain])
"""

FILES = {
    "scripts/tables.py": SCRIPT,
    "scripts/evaluate.py": "print('evaluate')\n",
    "scripts/finetune_drpose.py": "print('finetune')\n",
    "src/poseloop/judge.py": "JUDGE = 1\n",
    REPORT: "seed: 7\n",
    STUDY: "seeds: [0]\nmethods: {base: base, drpose: DrPose}\n",
    TRAINING: "steps: 300\nvariants: {drpose: {seed: 3, rate: 0.1}}\n",
    SCANS: "scans",
    MODEL: "weights",
    METRICS.format("base"): json.dumps({"benchmarks": {"mixamo": {"chamfer": [10.0, 12.0]}}}),
    TRUTH: json.dumps({"benchmarks": {"mixamo": {"chamfer": [2.0, 2.0]}}}),
    METRICS.format("drpose"): json.dumps({"benchmarks": {"mixamo": {"chamfer": [9.0, 11.0]}}}),
}

# Stage: inputs, outputs.
STAGES = {
    "render_scans--thuman": (["src/poseloop/judge.py"], [SCANS]),
    "finetune_drpose--drpose--0": ([TRAINING, "scripts/finetune_drpose.py", SCANS], [MODEL]),
    "evaluate_truth": (["scripts/evaluate.py"], [TRUTH]),
    "evaluate--base--0": (["scripts/evaluate.py"], [METRICS.format("base")]),
    "evaluate--drpose--0": (
        ["scripts/evaluate.py", "src/poseloop/judge.py", MODEL],
        [METRICS.format("drpose")],
    ),
    "drpose_table": (
        [REPORT, STUDY, "scripts/tables.py", *map(METRICS.format, ("base", "drpose")), TRUTH],
        [TABLE],
    ),
}


def write_repository(folder: Path) -> None:
    """Write all files, the table by its script, the records, and one commit."""
    for name, text in FILES.items():
        write(folder / name, text)
    metrics = [METRICS.format(method) for method in ("base", "drpose")]
    (folder / TABLE).parent.mkdir(parents=True)
    call(folder, "python", "scripts/tables.py", "--metrics", *metrics, "--output", TABLE)
    record(folder)
    write(folder / ".gitignore", "*.npz\n*.safetensors\n")
    call(folder, "git", "init", "--quiet")
    call(folder, "git", "add", ".")
    author = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    call(folder, "git", *author, "commit", "--quiet", "-m", "Record")


def record(folder: Path) -> None:
    """Write dvc.yaml and dvc.lock for the files that are there, as DVC's commit does."""
    declared, locked = {}, {}
    for name, (inputs, outputs) in STAGES.items():
        command = f"snakemake --config preset={{}} -- {outputs[0]}"
        kept = [
            {path: {"cache": False}} if path.endswith((".json", ".csv")) else path
            for path in outputs
        ]
        declared[name] = {"cmd": command.format("${preset}"), "deps": inputs, "outs": kept}
        configs = [path for path in inputs if path.startswith("config/")]
        locked[name] = {
            "cmd": command.format("demo"),
            "deps": [entry(folder, path) for path in inputs],
            "params": {path: yaml.safe_load((folder / path).read_text()) for path in configs},
            "outs": [entry(folder, path) for path in outputs],
        }
    preset = [{"preset": "demo"}]
    write(folder / "dvc.yaml", yaml.safe_dump({"vars": preset, "stages": declared}))
    write(folder / "dvc.lock", yaml.safe_dump({"schema": "2.0", "stages": locked}))


def entry(folder: Path, path: str) -> dict:
    """A file as dvc.lock has it."""
    file = folder / path
    return {"path": path, "hash": "md5", "md5": md5_of(file), "size": file.stat().st_size}


def write(path: Path, text: str) -> None:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def call(folder: Path, *command: str) -> None:
    """Run a command that must succeed."""
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
