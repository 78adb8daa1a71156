"""One pass of each network of a preset, and of one fine-tuning run."""

from dataclasses import dataclass

from poseloop.multiview.pshuman.config import UNetConfig
from poseloop.report.planning import flops as count
from poseloop.report.planning.flops import Network
from poseloop.report.planning.sizes import Sizes
from poseloop.reward.config import DrTuneConfig, VariantConfig

# Forward passes that a step of training costs; the backward pass costs two.
TRAINING = 3


@dataclass(frozen=True)
class Networks:
    """One pass of each network; a picture to the encoder, the decoder and the judge."""

    encoder: Network
    decoder: Network
    denoiser: Network
    predictor: Network
    judge: Network
    latent: int
    slots: int
    checkpointed: bool


def networks(sizes: Sizes) -> Networks:
    """Count the networks of a preset at its resolution."""
    if sizes.released is not None:
        return _released_networks(sizes, sizes.released.unet)
    size = sizes.scans.picture.size
    side = count.latent_side(sizes.autoencoder, size)
    config = sizes.multiview.denoiser
    return Networks(
        encoder=count.encoder(sizes.autoencoder, size),
        decoder=count.decoder(sizes.autoencoder, size),
        denoiser=count.denoiser(config, side),
        predictor=count.predictor(sizes.posescore, config.latent_channels, side),
        judge=count.judge(sizes.judge, size),
        latent=config.latent_channels * side**2,
        slots=config.views,
        checkpointed=False,
    )


def _released_networks(sizes: Sizes, unet: UNetConfig) -> Networks:
    size, side = 8 * unet.sample_size, unet.sample_size
    encoder, decoder = count.stable_diffusion_autoencoder(size)
    skeleton = sizes.posescore.skeleton.model_copy(update={"size": 2 * side})
    posescore = sizes.posescore.model_copy(update={"skeleton": skeleton})
    return Networks(
        encoder=encoder,
        decoder=decoder,
        denoiser=count.released(unet),
        predictor=count.predictor(posescore, unet.latent_channels, side),
        judge=count.judge(sizes.judge, size),
        latent=unet.latent_channels * side**2,
        slots=unet.slots,
        checkpointed=unet.gradient_checkpointing,
    )


def effective_gradient_steps(config: DrTuneConfig) -> tuple[float, float]:
    """Expected gradient steps of DRTune that are executed, and those of them run a second time.

    Mean over the draws of `reward.drtune.draw_plan`: steps before the stop train nothing, and the
    last one of the others has kept its graph.
    """
    executed, again, draws = 0.0, 0.0, 0
    for stop in range(1, config.early_stop + 1):
        span = config.ddim_steps - (stop - 1 if config.inside_prefix else 0)
        stride = span // config.gradient_steps
        starts = span - (config.gradient_steps - 1) * stride
        offset = stop - 1 if config.inside_prefix else 0
        for start in range(1, starts + 1):
            indices = [offset + start + i * stride for i in range(config.gradient_steps)]
            inside = sum(index >= stop for index in indices)
            executed += inside / starts
            again += max(inside - 1, 0) / starts
        draws += 1
    return executed / draws, again / draws


def finetuning_flops(variant: VariantConfig, nets: Networks) -> float:
    """Operations of one fine-tuning run, without validation."""
    tune = variant.drtune
    rollout = tune.ddim_steps - (tune.early_stop - 1) / 2
    inside, again = effective_gradient_steps(tune)
    # A gradient step also asks the base, and goes backward.
    passes = rollout + again + inside * (1 + TRAINING - 1)
    if variant.anchor_weight:
        passes += TRAINING
    reward = TRAINING * nets.slots * nets.predictor.flops
    samples = variant.steps * variant.accumulation * variant.batch_size
    return samples * (passes * nets.denoiser.flops + reward)
