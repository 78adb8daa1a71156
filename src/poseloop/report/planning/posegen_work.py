"""What every stage of the PoseGen loop has to do, counted from a preset's configs."""

import math

from poseloop.posegen.config import Feedback, MethodConfig, PosegenConfig
from poseloop.report.planning import posegen_flops as count
from poseloop.report.planning.networks import TRAINING
from poseloop.report.planning.posegen_sizes import PosegenSizes
from poseloop.report.planning.work import Stage

# Renders, and passes of the estimator, that a pose costs in a step of feedback.
_ASKED: dict[Feedback, int] = {
    "none": 0,
    "detached": 1,
    "through_render": TRAINING,
    "score_function": 2,
    "difficulty_net": 1,
}
# A picture by the field is lit and set before a background, but not posed and dressed: its share of
# the time of one that is.
_DEVELOPED = 0.4


def posegen_stages(sizes: PosegenSizes) -> list[Stage]:
    """All stages of the loop, in order."""
    loop, nerf, entries = sizes.loop, sizes.nerf, sizes.estimators.estimators
    capture, picture = nerf.capture, sizes.images.picture
    size, pixels = picture.size, float(picture.size) ** 2
    flops = {name: count.estimator(entry, size).flops for name, entry in entries.items()}
    parameters = {name: count.estimator(entry, size).parameters for name, entry in entries.items()}
    sets = sizes.images.sets
    total = sum(entry.count for entry in sets.values())
    views = capture.poses * (len(capture.azimuths) + 1) + capture.held_poses * len(capture.azimuths)
    captured = capture.subjects * views
    rays = float(capture.picture.size * capture.picture.supersample) ** 2
    drawn = float(size * picture.supersample) ** 2

    fit, ray = nerf.fit, count.relative_ray(nerf.relative)
    own = float(capture.picture.size) ** 2
    shown = min(entry.subjects for entry in fit.values())
    held = shown * (capture.poses + capture.held_poses * len(capture.azimuths))

    tuned = sizes.estimators.tuned
    jobs = [
        (name, [loop.methods[method] for method in methods])
        for name in tuned
        for methods in loop.parts(name).values()
    ]
    runs = [(name, entry) for name, entries in jobs for entry in entries]
    seeds = len(loop.seeds)
    check = flops[sizes.estimators.check]
    each = [
        _method(loop, entry, flops[name], check, sets["validation"].count) for name, entry in runs
    ]
    each += [_shared(loop, entries) for _, entries in jobs]
    work = {key: seeds * sum(part[key] for part in each) for key in each[0]}
    tested = sum(sets[name].count for name in [*loop.test_sets, loop.indomain])
    return [
        Stage(
            "posegen_render",
            jobs=2,
            composed=total + captured,
            rays=total * drawn + captured * rays,
            pictures_in_memory=max(entry.count for entry in sets.values()) * 4 * pixels,
            sampled_pixels=total * pixels,
            rendered_pixels=captured * own,
        ),
        Stage(
            "posegen_estimators",
            jobs=len(entries),
            flops=TRAINING
            * sum(entry.steps * entry.batch_size * flops[name] for name, entry in entries.items()),
            parameters=max(parameters.values()),
            pictures_in_memory=max(sets[entry.images].count for entry in entries.values())
            * 3
            * pixels,
            saved_parameters=sum(parameters.values()),
        ),
        Stage(
            "posegen_fields",
            jobs=3,
            flops=TRAINING * fit["relative"].steps * nerf.relative.rays * ray + held * own * ray,
            field_pixels=TRAINING * fit["parts"].steps * fit["parts"].batch_size * own + held * own,
            pictures_in_memory=captured * 4 * own,
        ),
        Stage(
            "posegen_generator",
            jobs=1,
            flops=seeds * loop.generator.warmup_steps * count.gan_step(loop.generator),
        ),
        Stage(
            "posegen_loop",
            jobs=seeds * sum(len(loop.parts(name)) for name in tuned),
            flops=work["flops"],
            composed=round(_DEVELOPED * work["composed"]),
            field_pixels=work["field"] * pixels + work["small"] * float(loop.feedback.size) ** 2,
            pictures_in_memory=2.0 * sets["ordinary"].count * 4 * pixels,
            saved_parameters=seeds * sum(parameters[name] for name, _ in runs),
        ),
        Stage(
            "posegen_evaluate",
            jobs=len(tuned),
            flops=seeds * tested * sum(flops[name] for name, _ in runs),
        ),
    ]


def _method(
    loop: PosegenConfig, entry: MethodConfig, estimator: float, check: float, validation: int
) -> dict[str, float]:
    """One run of a method: operations, pictures composed, and rendered by the field, whole and
    in the size of feedback."""
    work = _nothing()
    if entry.source == "none":
        return work
    tune, feedback = loop.finetune, loop.feedback
    steps = sum(tune.steps)
    validations = sum(1 + -(-count // tune.validate_every) for count in tune.steps)
    work["flops"] += TRAINING * steps * tune.batch_size * estimator
    work["flops"] += validations * validation * estimator
    rounds = len(tune.steps)
    poses, own = loop.poses_of(entry)
    _render(work, loop, entry.renderer, rounds * own)
    work["flops"] += rounds * poses * loop.prints * (estimator + check)
    if entry.source == "generator":
        asked = rounds * feedback.steps * feedback.batch_size * _ASKED[entry.feedback]
        if entry.screened:
            asked += rounds * own * feedback.candidates
        work["small"] += asked
        work["flops"] += asked * estimator
        work["flops"] += rounds * feedback.steps * count.gan_step(loop.generator)
    return work


def _shared(loop: PosegenConfig, entries: list[MethodConfig]) -> dict[str, float]:
    """Pictures of random poses: rendered once a job, for all methods that use some of a kind."""
    work = _nothing()
    piece = loop.poses_for(loop.filter.surplus)
    most: dict[tuple[str, str], int] = {}
    for entry in entries:
        poses, own = loop.poses_of(entry)
        kind = entry.usual, entry.renderer
        most[kind] = max(most.get(kind, 0), poses - own)
    for (_, renderer), used in most.items():
        _render(work, loop, renderer, loop.rounds * piece * math.ceil(used / piece))
    return work


def _render(work: dict[str, float], loop: PosegenConfig, renderer: str, poses: int) -> None:
    work["composed"] += poses * loop.prints
    if renderer == "nerf":
        work["field"] += poses


def _nothing() -> dict[str, float]:
    return {"flops": 0.0, "composed": 0.0, "field": 0.0, "small": 0.0}
