"""Helpers of the rules: config files, import closures, the study's lists, the shell environment.

In:  `--config preset=<name>`, study.yaml, scans.yaml and report.yaml; dates that hide a change are
     put right.
Out: PRESET, STUDY, REPORT, cfg(), code_of(), cores_of(), gpus_of(), assets_of(), scans_of(),
     model_of() for the other rule files.
"""

import sys
from pathlib import Path

# The library in this checkout, whatever copy of it is installed.
sys.path.insert(0, str(Path("src").resolve()))

from poseloop.data import shards
from poseloop.data.config import ViewSetsConfig
from poseloop.report.config import ReportConfig
from poseloop.runtime import closure, dates, gpus, study
from poseloop.runtime.config import load_config
from poseloop.runtime.errors import UserError


def or_exit(function, *arguments):
    """Call `function`; a fault of the user ends Snakemake with one line and exit code 2."""
    try:
        return function(*arguments)
    except UserError as fault:
        print(f"error: {fault}", file=sys.stderr)
        sys.exit(2)


PRESET = or_exit(study.preset_of, config)
STUDY = or_exit(study.load_study, PRESET)


# Before the job graph is made, which goes by dates; jobs on other machines find it done.
if workflow.is_main_process:
    dates.put_dates_right(
        [
            path
            for files in ("config/**/*.yaml", "scripts/*.py", "src/**/*.py")
            for path in Path().glob(files)
        ],
        Path("results", PRESET),
        dates.RECORD,
    )


def cfg(concern):
    """The preset's config file for a concern, as rule input."""
    return or_exit(study.config_file, PRESET, concern)


def cores_of(concern):
    """CPU cores that the preset's config file for `concern` asks for."""
    return or_exit(study.cores_of, cfg(concern))


def gpus_of(concern):
    """GPUs that a job asks for whose config file is the preset's for `concern`."""
    return or_exit(gpus.gpus_of, cfg(concern))


def assets_of(concern):
    """The user's own files that the preset's config file for `concern` names, as rule inputs."""
    return or_exit(study.assets_of, cfg(concern))


SCANS = or_exit(load_config, cfg("scans"), ViewSetsConfig)
or_exit(shards.check_whole, SCANS, STUDY.validation_scans, "validation_scans")
or_exit(shards.check_whole, SCANS, [STUDY.judge_scans], "judge_scans")


def scans_of(names):
    """Files of scan sets, one for each shard."""
    return collect("<results>/scans/{file}.npz", file=shards.files_of(SCANS, names))


def code_of(script):
    """scripts/<script>.py and every library module that it imports, as rule inputs."""
    return closure.import_closure(f"scripts/{script}.py")


def model_of(wildcards):
    """Weights that a method samples with: the base has one model for all seeds of the noise."""
    if wildcards.method == "base":
        return "<results>/multiview/model.safetensors"
    seed = STUDY.trained_seed(wildcards.method, int(wildcards.seed))
    return f"<results>/drpose/{wildcards.method}/seed{seed}/model.safetensors"


def environment():
    """Shell lines before every job: this checkout's library and one thread for BLAS and OpenMP.

    Scripts set their own thread count from config, so that no digit depends on the machine.
    Snakemake's Python goes first on the PATH, unless a rule's conda environment is active.
    """
    python = Path(sys.executable).parent
    deployment = workflow.deployment_settings
    active = deployment is not None and deployment.deployment_method
    return " ".join(
        [
            "set -euo pipefail;",
            "" if active else f'export PATH="{python}:$PATH";',
            'export PYTHONPATH="$PWD/src${{PYTHONPATH:+:$PYTHONPATH}}" PYTHONHASHSEED=0;',
            "export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1;",
            # Plain lines in logs; `python -m poseloop progress` reads them.
            "export TQDM_BAR_FORMAT=$'{{n_fmt}}/{{total_fmt}} [{{elapsed}}<{{remaining}}, {{rate_fmt}}]\\n';",
        ]
    )


REPORT = or_exit(load_config, cfg("report"), ReportConfig)

shell.prefix(environment())


pathvars:
    results=f"results/{PRESET}",
    logs=f"logs/{PRESET}",
    benchmarks=f"benchmarks/{PRESET}",
