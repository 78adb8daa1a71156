"""What every stage of the ADHMR loop has to do, counted from a preset's configs."""

from poseloop.hmr.tune_config import VariantConfig
from poseloop.report.planning import hmr_flops as count
from poseloop.report.planning.hmr_sizes import HmrSizes
from poseloop.report.planning.networks import TRAINING
from poseloop.report.planning.work import Stage

# Objectives that ask the frozen base too.
_REFERRED = ("dpo", "kto", "gpa")


def hmr_stages(sizes: HmrSizes) -> list[Stage]:
    """All stages of the loop, in order."""
    study, base, tune = sizes.study, sizes.base, sizes.tune
    crop = next(iter(sizes.images.sets.values())).crop.size
    encoder = count.encoder(base.encoder, crop)
    denoiser, scorer = count.denoiser(base, crop), count.scorer(sizes.scorer, base, crop)
    features = 4.0 * count.features(base.encoder, crop)
    calls = base.diffusion.ddim_steps

    def images(name: str) -> int:
        return sizes.images.sets[name].images

    def sampled(pictures: int, hypotheses: float, scored: bool) -> float:
        """Operations for hypotheses of so many pictures, their encoding included."""
        each = encoder.flops + calls * denoiser.of(hypotheses)
        if scored:
            each += encoder.flops + denoiser.of(1) + scorer.of(hypotheses)
        return pictures * each

    tested = sum(map(images, study.evaluation))
    broad, narrow = images(study.scorer_images), images(study.base_images)

    made = sizes.scorer.candidates
    group = made.samples + len(made.noise_levels)
    one = sizes.scorer.batch_size * (scorer.of(group) + denoiser.of(1))
    scoring = sampled(broad, made.samples, False) + broad * encoder.flops
    scoring += TRAINING * sizes.scorer.steps * one
    scoring += sampled(tested + images(study.wild), sizes.measure.ranked, True)

    def drawn(name: str) -> tuple[int, int]:
        """Pictures and hypotheses of a source."""
        source = sizes.preferences.sources[name]
        return min(source.pictures or 10**9, images(source.images)), source.hypotheses

    sources = {name: drawn(name) for name in sizes.preferences.sources}
    preferring = sum(
        sampled(pictures, hypotheses, sizes.preferences.sources[name].kind == "scored")
        for name, (pictures, hypotheses) in sources.items()
    )

    def tuning(variant: VariantConfig) -> float:
        seen = sum(sources[name][0] for name in variant.sources) * encoder.flops
        single = variant.objective == "regression"
        pictures = tune.hypotheses / (1 if single else 2)
        step = pictures * denoiser.of(1 if single else 2)
        passes = TRAINING + (variant.objective in _REFERRED)
        return seen + len(tune.seeds) * tune.steps * passes * step

    variants = [tune.variants[name] for name in study.variants]
    most = sizes.measure.counts[-1]
    generative = sum(variant.objective != "regression" for variant in variants) + 1
    measuring = len(tune.seeds) * generative * sampled(tested, most, True)

    cleaning = sizes.cleaning
    trainings = len(cleaning.seeds) * (2 * len(cleaning.keep) + 2)
    retraining = TRAINING * cleaning.steps * cleaning.batch_size * denoiser.of(1)
    cleaned = images(study.cleaned)
    clean = trainings * retraining + 2 * (cleaned + tested) * encoder.flops
    clean += len(cleaning.seeds) * sampled(cleaned, cleaning.hypotheses, True)

    picture, total = sizes.images.picture, sum(map(images, study.image_sets))
    learnt = max(
        (sum(sources[name][0] for name in variant.sources) for variant in variants), default=0
    )
    steps = base.detection.steps * base.detection.batch_size
    return [
        Stage(
            "adhmr_render",
            jobs=len(study.image_sets),
            composed=total,
            rays=total * float(picture.size * picture.supersample) ** 2,
            pictures_in_memory=max(map(images, study.image_sets)) * 3.0 * crop**2,
            sampled_pixels=total * float(crop) ** 2,
        ),
        Stage(
            "adhmr_encoder",
            jobs=1,
            flops=TRAINING * steps * encoder.flops,
            parameters=encoder.parameters,
            pictures_in_memory=broad * 3.0 * crop**2,
            saved_parameters=encoder.parameters,
        ),
        Stage(
            "adhmr_base",
            jobs=1,
            flops=narrow * encoder.flops
            + TRAINING * base.steps * base.batch_size * denoiser.of(base.draws),
            parameters=denoiser.parameters,
            data=narrow * features,
            saved_parameters=encoder.parameters + denoiser.parameters,
        ),
        Stage(
            "adhmr_scorer",
            jobs=3,
            flops=scoring,
            parameters=scorer.parameters + denoiser.parameters,
            data=broad * features,
            latents=broad * group * count.entries(base),
            saved_parameters=scorer.parameters + denoiser.parameters,
        ),
        Stage(
            "adhmr_preferences",
            jobs=len(sources),
            flops=preferring,
            data=max(pictures for pictures, _ in sources.values()) * features,
            latents=sum(pictures * many for pictures, many in sources.values())
            * count.entries(base),
        ),
        Stage(
            "adhmr_tune",
            jobs=len(variants),
            flops=sum(map(tuning, variants)),
            parameters=denoiser.parameters,
            data=learnt * features,
            saved_parameters=len(variants)
            * len(tune.seeds)
            * (encoder.parameters + denoiser.parameters),
        ),
        Stage(
            "adhmr_evaluate",
            jobs=len(variants) + 1,
            flops=measuring,
            data=max(map(images, study.evaluation)) * (features + 4.0 * most * count.entries(base)),
        ),
        Stage("adhmr_cleaning", jobs=2, flops=clean, data=(cleaned + tested) * features),
    ]
