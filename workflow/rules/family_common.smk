"""Helpers of the family's rules: the grids, their runs, and what a run takes.

In:  family.yaml and ablations.yaml.
Out: GRIDS, runs_of(), base_metrics_of() and input functions for family.smk.
"""

from poseloop.reward.family.config import FamilyConfig, JointReward

GRIDS = {
    name: or_exit(load_config, cfg(name), FamilyConfig)
    for name in ("family", "ablations")
}
POSE_SETS = {"farthest": "poseset", "random": "poseset_random"}


def runs_of(grid, path):
    """`path` for every arm and seed of a grid."""
    arms, seeds = GRIDS[grid].arms, GRIDS[grid].seeds
    return [
        path.format(grid=grid, arm=arm, seed=seed) for arm in arms for seed in seeds
    ]


def base_metrics_of(wildcards):
    """Metrics of the base on the grid's seeds."""
    return [
        f"<results>/metrics/base/seed{seed}.json"
        for seed in GRIDS[wildcards.grid].seeds
    ]


def pictures_of(wildcards):
    """Pictures of the pose set that an arm learns from."""
    source = GRIDS[wildcards.grid].poses_of(wildcards.arm).source
    return f"<results>/{POSE_SETS[source]}/images.npz"


def pose_latents_of(wildcards):
    """Their latents."""
    source = GRIDS[wildcards.grid].poses_of(wildcards.arm).source
    return f"<results>/latents/{POSE_SETS[source]}.npz"


def oracle_of(wildcards):
    """Rendered views of the pose set, for the arm that learns from them."""
    method = GRIDS[wildcards.grid].arms[wildcards.arm].method
    needed = method.kind == "supervised" and method.data == "oracle"
    return ["<results>/family/oracle.npz"] if needed else []


def jointscore_of(wildcards):
    """The reward on joints, for the arm that is rewarded by it."""
    reward = GRIDS[wildcards.grid].reward_of(wildcards.arm)
    return (
        ["<results>/jointscore/model.safetensors"]
        if isinstance(reward, JointReward)
        else []
    )


def optional(flag, paths):
    """A command line option where there is something to give it."""
    return f"{flag} {paths[0]}" if paths else ""
