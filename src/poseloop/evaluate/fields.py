"""The articulated fields against held-out pictures; their speed, their labels, their gradients."""

from collections.abc import Callable

import numpy as np
import torch

from poseloop.evaluate.images import mask_iou, psnr, ssim
from poseloop.posegen.candidates import label_fidelity, scattered_poses
from poseloop.posegen.captures import scene_of
from poseloop.posegen.config_nerf import NerfConfig
from poseloop.posegen.estimator import Estimator
from poseloop.posegen.estimator_training import estimate_all, joint_errors
from poseloop.posegen.feedback import Probe, direction_correlation, scene_of_drawn
from poseloop.posegen.field import ArticulatedField
from poseloop.posegen.generator import Drawn
from poseloop.posegen.generator_training import Gan, learn_difficulty, propose
from poseloop.posegen.imageset import ImageSet
from poseloop.posegen.loop import ordinary_error
from poseloop.posegen.nerf_training import on_white, render_all
from poseloop.posegen.pictures import Stage, render
from poseloop.posegen.skeleton import SurfaceBody
from poseloop.runtime.seeds import torch_rng

Values = dict[str, list[float]]
_TIMED = 8


def compare_fields(
    fields: dict[str, ArticulatedField],
    held_out: dict[str, ImageSet],
    body: SurfaceBody,
    config: NerfConfig,
    clock: Callable[[], float],
) -> tuple[Values, dict[str, np.ndarray], dict[str, float]]:
    """PSNR, SSIM and silhouette IoU of every held-out picture.

    Both fields are measured on the subjects that all of them know, so that rows compare.

    Parameters
    ----------
    held_out : dict of ImageSet
        `view` and `pose`.
    clock : function
        Seconds of processor time.

    Returns
    -------
    values : dict
        `<field>/<split>/<metric>` to one value per picture.
    pictures : dict of arrays
        `turntable` (M, T, S, S, 3) of the fast field, and `truth_<split>`, `<field>_<split>`.
    speed : dict
        Pictures a second of each field on one core.
    """
    known = min(config.fit[name].subjects for name in fields)
    values: Values = {}
    pictures: dict[str, np.ndarray] = {}
    speed: dict[str, float] = {}
    for split, images in held_out.items():
        shared = images[images.body_id < known]
        size = shared.rgb.shape[1]
        scene = scene_of(shared, body)
        truth = shared.mask / np.float32(255)
        pictures[f"truth_{split}"] = shared.rgb[:_TIMED]
        for name, field in fields.items():
            shown = render_all(field, scene, size)
            white, opacity = on_white(shown), shown.opacity.numpy()
            pairs = list(zip(white, shared.rgb, strict=True))
            values[f"{name}/{split}/psnr"] = [psnr(*pair) for pair in pairs]
            values[f"{name}/{split}/ssim"] = [ssim(*pair) for pair in pairs]
            values[f"{name}/{split}/mask_iou"] = [
                mask_iou(*pair, config.mask_level) for pair in zip(opacity, truth, strict=True)
            ]
            pictures[f"{name}_{split}"] = white[:_TIMED]
    for name, field in fields.items():
        few = scene[:_TIMED]
        begin = clock()
        render_all(field, few, size)
        speed[name] = len(few.subject) / max(clock() - begin, 1e-9)
    pictures["turntable"] = _turntable(fields["parts"], held_out["view"], body, config)
    return values, pictures, speed


def _turntable(
    field: ArticulatedField, images: ImageSet, body: SurfaceBody, config: NerfConfig
) -> np.ndarray:
    """Pictures (M, T, S, S, 3) uint8 of every subject at rest from all sides."""
    first = [np.flatnonzero(images.body_id == who)[0] for who in np.unique(images.body_id)]
    rest = body.rest_joints(torch.from_numpy(images.betas[first]).to(body.device))
    rows = []
    for who in range(len(first)):
        azimuth = torch.arange(config.turntable, device=body.device)
        azimuth = azimuth * 2 * torch.pi / config.turntable
        zero = torch.zeros_like(azimuth)
        camera = torch.stack([azimuth, zero, zero, zero + config.capture.distance], dim=1)
        drawn = Drawn(camera.new_zeros(config.turntable, 72), camera)
        subject = torch.full((config.turntable,), who)
        scene = scene_of_drawn(drawn, subject, rest)
        rows.append(on_white(render_all(field, scene, images.rgb.shape[1])))
    return np.stack(rows)


def fidelity_of_field(stage: Stage, gan: Gan, seed: int) -> Values:
    """Share of joints, in percent, that the check finds near their label, per rendered picture.

    Of prior poses by the NeRF and by the mesh renderer: the mesh's is the check's own ceiling.
    """
    values: Values = {}
    for renderer in ("nerf", "mesh"):
        generator = torch_rng(seed, "posegen", "fidelity")
        count = stage.config.filter.checked
        drawn = scattered_poses(stage.prior, gan.bounds, count, generator)
        images = render(stage, renderer, drawn, generator, (seed, "fidelity"))
        found = label_fidelity(stage.check, images, stage.config.filter.radius)
        values[f"{renderer}/prior/label_fidelity"] = (100 * found).tolist()
    return values


def feedback_values(stage: Stage, gan: Gan, estimator: Estimator, seed: int) -> Values:
    """What feedback knows of the estimator's error, on poses that the generator proposes.

    `direction`: correlation of every mode's direction with the real change of error on small
    renders. `hardness`: correlation of the error on a small render, and of what the difficulty
    network says, with the mean error on the pictures that would be made of the pose.
    """
    settings = stage.config.feedback
    studio = stage.studio
    reference = ordinary_error(estimator, stage.anchor)
    probe = Probe(
        studio.field, studio.rest_joints, estimator, reference, settings.size, studio.size
    )
    names = (seed, "posegen", "directions")
    net = learn_difficulty(stage.config, gan, probe, torch_rng(*names, "net"))
    values: Values = {}
    for mode in ("detached", "through_render", "score_function", "difficulty_net"):
        generator = torch_rng(*names, "raw")
        noise = torch.randn((settings.probes, stage.config.generator.noise), generator=generator)
        raw = gan.generator(noise.to(gan.pool.device)).detach()
        subject = torch.randint(len(studio.betas), (settings.probes,), generator=generator)
        found = direction_correlation(
            mode, raw, subject, gan.bounds, probe, generator, 0.1, settings.noise, net
        )
        values[f"{mode}/generated/direction"] = [_known(found)]
    generator = torch_rng(*names, "pictures")
    checked = stage.config.filter.checked
    drawn, small = propose(stage.config, gan, probe, checked, generator)
    images = render(stage, "nerf", drawn, generator, (seed, "hardness"))
    joints = estimate_all(estimator, images.rgb).joints
    shown = joint_errors(joints, torch.from_numpy(images.joints)).view(checked, -1).mean(1)
    for name, told in (("candidates", small), ("difficulty_net", net(drawn))):
        found = float(torch.corrcoef(torch.stack([told.cpu(), shown]))[0, 1])
        values[f"{name}/generated/hardness"] = [_known(found)]
    return values


def _known(correlation: float) -> float:
    """A correlation; 0 where one of the two does not vary."""
    return correlation if np.isfinite(correlation) else 0.0
