"""What every stage of the DrPose loop has to do, counted from a preset's configs."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from poseloop.report.planning.networks import TRAINING, finetuning_flops, networks
from poseloop.report.planning.sizes import Sizes


@dataclass(frozen=True)
class Stage:
    """One kind of job and all its work.

    Attributes
    ----------
    flops : operations of the networks
    subjects, pictures, rays : posed, rendered and cast
    composed : pictures posed, dressed, set before a background and cut out
    field_pixels : of the fast articulated field, rendered; in training they count three times
    measured_pixels : of the views that metrics read
    parameters, batch_flops : of the largest network in training and of a forward pass of a batch
    data : bytes of the data set in memory; pictures_in_memory : of decoded pictures
    meshes, rendered_pixels, sampled_pixels, latents, saved_parameters : on disk; a picture before
        a background is compressed as badly as a sampled one
    """

    name: str
    jobs: int
    flops: float = 0.0
    subjects: int = 0
    pictures: int = 0
    composed: int = 0
    field_pixels: float = 0.0
    rays: float = 0.0
    measured_pixels: float = 0.0
    parameters: int = 0
    batch_flops: float = 0.0
    data: float = 0.0
    pictures_in_memory: float = 0.0
    meshes: float = 0.0
    rendered_pixels: float = 0.0
    sampled_pixels: float = 0.0
    latents: float = 0.0
    saved_parameters: int = 0


def stages(sizes: Sizes) -> list[Stage]:
    """All stages of the loop, in order; a released base is neither trained nor its autoencoder."""
    nets = networks(sizes)
    own = sizes.released is None
    study, train = sizes.study, sizes.multiview.train
    views = len(sizes.scans.azimuths)
    size = sizes.scans.picture.size if own else 8 * sizes.released.unet.sample_size
    pixels = size**2

    def subjects(names: Iterable[str]) -> int:
        return sum(sizes.scans.sets[name].subjects for name in names)

    training, validation = subjects(study.training_scans), subjects(study.validation_scans)
    scans = training + validation
    posed = sizes.poseset.selection.anchors * (1 + sizes.poseset.selection.neighbours)
    tested = sum(sizes.benchmarks.sets[name].subjects for name in study.benchmarks)
    latents = scans * (2 * nets.slots + 1) * nets.latent + posed * nets.latent
    # float32 in memory
    latents_in_memory = 4.0 * latents
    samplings = len(study.methods) * len(study.seeds)

    variants = [sizes.drpose.variants[name] for name, _ in study.trainings]
    tuning = sum(finetuning_flops(variant, nets) for variant in variants)
    drpose = sizes.drpose
    validated = validation * drpose.validation_ddim_steps * nets.denoiser.flops
    validations = sum(1 - (-variant.steps // drpose.validate_every) for variant in variants)
    tuning += validations * validated
    largest = max((variant.batch_size for variant in variants), default=0)
    passes = sizes.generate.steps * (2 if sizes.generate.guidance > 1 else 1)
    spoilt = sizes.posescore.inputs.estimate_share * nets.denoiser.flops
    kept = 0.0 if nets.checkpointed else nets.denoiser.flops

    # Latents of half the size are decoded too.
    decodings = 1.25 if sizes.autoencoder.equivariance_weight else 1.0

    listed = [
        _rendering(sizes, size),
        Stage(
            "autoencoder",
            jobs=1,
            flops=TRAINING
            * sizes.autoencoder.steps
            * sizes.autoencoder.batch_size
            * (nets.encoder.flops + decodings * nets.decoder.flops),
            parameters=nets.encoder.parameters,
            pictures_in_memory=2.0
            * min(training * views, sizes.autoencoder.pictures or training * views)
            * 3
            * pixels,
            saved_parameters=nets.encoder.parameters,
        ),
        Stage(
            "encode",
            jobs=1,
            flops=(scans * (2 * nets.slots + 1) + posed) * nets.encoder.flops,
            pictures_in_memory=max(
                sizes.scans.sets[name].subjects / sizes.scans.sets[name].shards
                for name in study.training_scans
            )
            * (2.0 * views + 1)
            * 3
            * pixels,
            data=2.0 * latents,
            latents=latents,
        ),
        Stage(
            "multiview",
            jobs=1,
            flops=TRAINING * train.steps * train.batch_size * nets.denoiser.flops,
            parameters=nets.denoiser.parameters,
            batch_flops=train.batch_size * nets.denoiser.flops,
            data=latents_in_memory,
            saved_parameters=nets.denoiser.parameters,
        ),
        Stage(
            "posescore",
            jobs=1,
            flops=sizes.posescore.steps
            * sizes.posescore.batch_size
            * (TRAINING * nets.slots * nets.predictor.flops + spoilt),
            parameters=nets.predictor.parameters,
            batch_flops=sizes.posescore.batch_size * nets.slots * nets.predictor.flops,
            data=latents_in_memory,
            saved_parameters=nets.predictor.parameters,
        ),
        Stage(
            "drpose",
            jobs=len(variants),
            flops=tuning,
            parameters=nets.denoiser.parameters,
            batch_flops=largest * kept,
            data=latents_in_memory,
            saved_parameters=len(variants) * nets.denoiser.parameters,
        ),
        Stage(
            "generate",
            jobs=samplings,
            flops=samplings
            * tested
            * (passes * nets.denoiser.flops + 2 * nets.slots * nets.decoder.flops),
            sampled_pixels=samplings * tested * 2.0 * nets.slots * pixels,
        ),
        Stage(
            "judge",
            jobs=1,
            flops=TRAINING * sizes.judge.steps * sizes.judge.batch * nets.judge.flops,
            parameters=nets.judge.parameters,
            batch_flops=sizes.judge.batch * nets.judge.flops,
            pictures_in_memory=subjects([study.judge_scans]) * 2.0 * views * 3 * pixels,
            saved_parameters=nets.judge.parameters,
        ),
        Stage(
            "evaluate",
            jobs=samplings + 1,
            flops=(samplings + 1) * tested * views * nets.judge.flops,
            measured_pixels=(samplings + 1) * tested * views * pixels,
        ),
    ]
    return [stage for stage in listed if own or stage.name not in ("autoencoder", "multiview")]


def _rendering(sizes: Sizes, size: int) -> Stage:
    """Scans and benchmarks, whose input picture is stored beside the views, and the pose set."""
    names = {*sizes.study.training_scans, *sizes.study.validation_scans, sizes.study.judge_scans}
    total = Stage("render", jobs=0)
    for config, chosen in ((sizes.scans, names), (sizes.benchmarks, sizes.study.benchmarks)):
        views = len(config.azimuths)
        for name in chosen:
            entry = config.sets[name]
            total = _with_set(
                total,
                entry.subjects,
                views,
                size * config.picture.supersample,
                entry.subjects * (0.5 if entry.half_vertices else 1.0),
                entry.subjects * (2 * views + 1) * size**2,
                entry.shards,
            )
    poses = sizes.poseset.selection.anchors * (1 + sizes.poseset.selection.neighbours)
    picture = sizes.poseset.picture
    return _with_set(total, poses, 1, size * picture.supersample, 0.0, poses * size**2)


def _with_set(
    stage: Stage,
    subjects: int,
    views: int,
    side: int,
    meshes: float,
    pixels: float,
    shards: int = 1,
) -> Stage:
    return replace(
        stage,
        jobs=stage.jobs + shards,
        subjects=stage.subjects + subjects,
        pictures=stage.pictures + subjects * views,
        rays=stage.rays + subjects * views * float(side) ** 2,
        pictures_in_memory=max(stage.pictures_in_memory, 3 * pixels / shards),
        meshes=stage.meshes + meshes,
        rendered_pixels=stage.rendered_pixels + pixels,
    )
