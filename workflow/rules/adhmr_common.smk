"""Helpers of the ADHMR rules: its lists, and which files a job takes.

In:  adhmr_study.yaml, adhmr.yaml, hmr_images.yaml, hmr_preferences.yaml, hmr_cleaning.yaml,
     adhmr_report.yaml.
Out: ADHMR, TUNE, PREFERENCES, CLEANING, HMR_IMAGES, HMR_REPORT, IMAGES, LABELS, KEEPERS and
     functions for adhmr.smk.
"""

from poseloop.hmr.evaluation_config import CleaningConfig
from poseloop.hmr.image_config import ImageSetsConfig
from poseloop.hmr.preference_config import PreferencesConfig
from poseloop.hmr.study import AdhmrStudyConfig
from poseloop.hmr.tune_config import TuneConfig
from poseloop.report.hmr_config import HmrReportConfig

ADHMR = or_exit(load_config, cfg("adhmr_study"), AdhmrStudyConfig)
TUNE = or_exit(load_config, cfg("adhmr"), TuneConfig)
PREFERENCES = or_exit(load_config, cfg("hmr_preferences"), PreferencesConfig)
CLEANING = or_exit(load_config, cfg("hmr_cleaning"), CleaningConfig)
HMR_IMAGES = or_exit(load_config, cfg("hmr_images"), ImageSetsConfig)
HMR_REPORT = or_exit(load_config, cfg("adhmr_report"), HmrReportConfig)
# A name that hmr_images.yaml does not know is told now, and not where its job asks for its cores.
for name in ADHMR.image_sets:
    or_exit(HMR_IMAGES.entry, name)

IMAGES = "<results>/adhmr/images/{pictures}.npz"
LABELS = "<results>/adhmr/labels/{pictures}.npz"
# What says which labels are kept.
KEEPERS = ["random", "scorer"]


def images_of(name):
    """Pictures of a set."""
    return IMAGES.replace("{pictures}", name)


def labels_of(name):
    """Labels of a set, a file of their own."""
    return LABELS.replace("{pictures}", name)


def first_for_scorer(wildcards):
    """Priority of rendering a picture set: those of the encoder, and so the scorer, go first."""
    return 3 * (wildcards.pictures in (ADHMR.scorer_images, ADHMR.validation_images))


def source_of(wildcards):
    """The preference source that a job makes."""
    return PREFERENCES.sources[wildcards.source]


def source_labels(wildcards):
    """Labels for a labelled source; a scored one is given none."""
    source = source_of(wildcards)
    return [labels_of(source.images)] if source.kind == "labelled" else []


def source_scorer(wildcards):
    """The scorer for a scored source; in a labelled one the truth wins."""
    if source_of(wildcards).kind == "labelled":
        return []
    return rules.train_hmr_scorer.output.model


def sources_of(wildcards):
    """Names of the preference sources of a variant."""
    return list(TUNE.variants[wildcards.tuned].sources)


def keeper_scorer(wildcards):
    """The scorer where it says which labels are kept; chance needs none."""
    if wildcards.keeper == "random":
        return []
    return rules.train_hmr_scorer.output.model


def models_of(wildcards):
    """Weights of a method for each seed; the base has one model for all seeds of the noise."""
    if wildcards.hmr_method == "base":
        return ["<results>/adhmr/base/model.safetensors"]
    return [
        f"<results>/adhmr/tuned/{wildcards.hmr_method}/seed{seed}.safetensors"
        for seed in TUNE.seeds
    ]
