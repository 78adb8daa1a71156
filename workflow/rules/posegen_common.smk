"""Helpers of PoseGen's rules: lists that shape the job graph, names of runs.

In:  posegen.yaml, posegen_estimators.yaml, posegen_images.yaml.
Out: POSEGEN, POSEGEN_ESTIMATORS, POSEGEN_SETS, POSEGEN_TESTS, POSEGEN_FIGURES, posegen_runs(),
     priorities of the jobs that others wait for.
"""

from poseloop.posegen.config import PosegenConfig
from poseloop.posegen.config_estimators import EstimatorsConfig
from poseloop.posegen.config_images import ImageSetsConfig

POSEGEN = or_exit(load_config, cfg("posegen"), PosegenConfig)
POSEGEN_ESTIMATORS = or_exit(load_config, cfg("posegen_estimators"), EstimatorsConfig)
POSEGEN_SETS = list(or_exit(load_config, cfg("posegen_images"), ImageSetsConfig).sets)
POSEGEN_TESTS = [*POSEGEN.test_sets, POSEGEN.indomain]
POSEGEN_FIGURES = [
    "samples",
    "hardness",
    "coverage",
    "overlays",
    "turntable",
    "fields",
]


def posegen_runs(estimator, suffix):
    """Files of all runs of the loop on an estimator, seeds in their order within each part."""
    return [
        f"<results>/posegen/loop/{estimator}/{part}/seed{seed}.{suffix}"
        for part in POSEGEN.parts(estimator)
        for seed in POSEGEN.seeds
    ]


def first_of_fields(wildcards):
    """Priority of training a field: the loop waits for the fast one only."""
    return 4 * (wildcards.posegen_field == "parts")


def ablations_first(wildcards):
    """Priority of a run of the loop: the longest go first, so that none is left over."""
    return 3 if wildcards.posegen_part == "ablations" else 2
