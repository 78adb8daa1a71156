"""Helpers of the carving's rules: which pictures are carved, and from which start poses.

In:  carve.yaml, wildcards and the study's lists (common.smk).
Out: CARVE, CARVED, DRAWN, picture_file(), views_of(), all_views_of(), estimator_of() and estimates_of() for
     reconstruct.smk.
"""

from poseloop.reconstruct.config import CarveConfig


def check_views(carve):
    """The config, if the study has what it carves."""
    for views in carve.views:
        if views not in ("truth", *STUDY.methods):
            raise UserError(
                f"{cfg('carve')}: views: {views} is no method of study.yaml"
            )
    if carve.seed not in STUDY.seeds:
        raise UserError(f"{cfg('carve')}: seed: {carve.seed} is no seed of study.yaml")
    return carve


CARVE = or_exit(check_views, or_exit(load_config, cfg("carve"), CarveConfig))
CARVED = [f"{views}/seed{CARVE.seed}" for views in CARVE.views]


# Generated views are what the figure is about; true ones if nothing else is carved.
DRAWN = [run for run in CARVED if not run.startswith("truth/")] or CARVED


def picture_file(run, benchmark):
    """Pictures of `{views}/seed{seed}`: a method's samples, or the benchmark's own."""
    if run.startswith("truth/"):
        return f"<results>/benchmarks/{benchmark}.npz"
    return f"<results>/samples/{run}/{benchmark}.npz"


def views_of(wildcards):
    """Pictures to carve."""
    return picture_file(f"{wildcards.views}/seed{wildcards.seed}", wildcards.benchmark)


def all_views_of(wildcards):
    """As `views_of`, of every benchmark."""
    run = f"{wildcards.views}/seed{wildcards.seed}"
    return [picture_file(run, benchmark) for benchmark in STUDY.benchmarks]


def estimator_of(wildcards):
    """Weights of the ADHMR loop's model that estimates the start poses."""
    if CARVE.estimate.model == "base":
        return "<results>/adhmr/base/model.safetensors"
    return f"<results>/adhmr/tuned/{CARVE.estimate.model}/seed0.safetensors"


def estimates_of(wildcards):
    """The benchmark's estimated poses, if the body fit is to try them."""
    if "estimate" not in CARVE.starts.kinds:
        return []
    return [f"<results>/carving/estimates/{wildcards.benchmark}.npz"]
