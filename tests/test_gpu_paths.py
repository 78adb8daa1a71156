"""Every loop on a pretended GPU: nothing is left on the CPU, and the results are the CPU's."""

import copy

import numpy as np
import pytest
import torch
from pretend_gpu import pretend_gpu
from tiny_carving import bodys_pictures, demo_config, few_steps, make_library, prepared
from tiny_data import make_body, make_clips
from tiny_hmr import (
    base_config,
    make_labels,
    make_model,
    make_pictures,
    scorer_config,
    tune_config,
)
from tiny_hmr import make_body as make_hmr_body
from tiny_models import SMALL_DENOISER, small_denoiser
from tiny_posegen import (
    SIZE,
    bounds_of,
    estimators_config,
    field_of,
    loop_config,
    make_small_estimator,
    nerf_config,
)

from poseloop.data.config import Picture
from poseloop.hmr.candidates import make_candidates
from poseloop.hmr.cleaning import label_scores, regressor_errors, train_regressor, usual_scores
from poseloop.hmr.dataset import bodies_of, encode_pictures
from poseloop.hmr.detection import train_encoder
from poseloop.hmr.evaluation import measure
from poseloop.hmr.evaluation_config import CleaningConfig, MeasureConfig
from poseloop.hmr.preference_config import PairingConfig
from poseloop.hmr.preferences import labelled_preferences, scored_preferences
from poseloop.hmr.scorer_report import rank_hypotheses
from poseloop.hmr.scorer_training import train_scorer
from poseloop.hmr.training import train_base
from poseloop.hmr.tune import finetune as finetune_hmr
from poseloop.hmr.tune_batch import Source
from poseloop.multiview.config import MultiviewConfig
from poseloop.multiview.dataset import LatentSet
from poseloop.multiview.training import train_multiview
from poseloop.posegen.captures import make_captures, scene_of
from poseloop.posegen.estimator_training import surface_body, train_estimator
from poseloop.posegen.generator_training import Gan, warm_up
from poseloop.posegen.loop import Stage, make_start, run_loop
from poseloop.posegen.nerf_training import render_all, train_field
from poseloop.posegen.photograph import Photographer
from poseloop.posegen.synthesis import FieldStudio, MeshStudio
from poseloop.reconstruct.starts import StartPoses
from poseloop.reconstruct.subject import carve_subject
from poseloop.render.wardrobe import sample_appearance
from poseloop.reward.config import DrPoseConfig, PoseScoreConfig
from poseloop.reward.finetune import finetune as finetune_drpose
from poseloop.reward.posescore import PoseScore
from poseloop.runtime.checkpoints import Checkpoints
from poseloop.runtime.config import load_config

CPU = torch.device("cpu")
NEVER = 10**6
COUNT = 8


@pytest.fixture(autouse=True)
def _no_checkpoints(monkeypatch, tmp_path):
    """A checkpoint holds tensors of a real device, which a pretended one has not."""
    monkeypatch.setattr("poseloop.runtime.checkpoints.SCRATCH", tmp_path / "scratch")
    monkeypatch.setattr(Checkpoints, "save", lambda *given: None)


def on_both(run):
    """What `run` gives, called with a device: on the CPU and on the pretended GPU."""
    right = run(CPU)
    with pretend_gpu() as gpu:
        return right, run(gpu)


def assert_near(found, right, share):
    """Numbers in nested values differ by less than a share of the largest."""
    pairs = list(zip(_flat(found), _flat(right), strict=True))
    assert pairs
    for own, other in pairs:
        assert own.shape == other.shape
        assert np.abs(own - other).max() <= share * max(np.abs(other).max(), 1e-3)


def _flat(values):
    if isinstance(values, dict):
        return [part for name in sorted(values) for part in _flat(values[name])]
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu()
    return [np.asarray(values, float)]


@pytest.fixture(scope="module")
def hmr_body(tmp_path_factory):
    return make_hmr_body(tmp_path_factory.mktemp("body"))


@pytest.fixture(scope="module")
def labelled():
    return make_pictures(COUNT), make_labels(COUNT)


@pytest.mark.parametrize("kind", ["rotations", "joints_twists"])
def test_the_base_is_trained(hmr_body, labelled, kind):
    config = base_config(parameters=kind, ema_decay=0.1)
    config = config.model_copy(
        update={"detection": config.detection.model_copy(update={"steps": 2, "validate_every": 2})}
    )

    def run(device):
        never = Checkpoints("base", NEVER)
        encoder, _ = train_encoder(config, hmr_body, labelled, labelled, never, device)
        assert encoder.device == device
        # The encoder's step may have been large; what is compared is the base behind one encoder.
        torch.manual_seed(0)
        encoder = type(encoder)(config.encoder)
        model, rows = train_base(config, hmr_body, encoder, labelled, labelled, never, device)
        assert model.device == device
        return {name: value for row in rows for name, value in row.items()}

    right, found = on_both(run)
    assert_near(found, right, 0.02)


def test_scorer_preferences_and_cleaning(hmr_body, labelled):
    config = scorer_config()
    pairing = PairingConfig(rule="top_bottom", k=2, least_gap=0.0)
    measured = MeasureConfig(seed=0, threads=1, counts=[1, 4], ranked=4, select=2)
    cleaned = CleaningConfig(
        seeds=[0],
        threads=1,
        wrong=0.3,
        noise=0.3,
        hypotheses=3,
        keep=[0.5],
        steps=2,
        batch_size=4,
        ema_decay=0.5,
        optimizer=config.optimizer,
    )

    def run(device):
        model = make_model(hmr_body).to(device)
        candidates = make_candidates(model, *labelled, config.candidates, 0)
        pictures = labelled[0]
        scorer, _ = train_scorer(
            config,
            model,
            hmr_body,
            (*labelled, candidates),
            (pictures, candidates),
            Checkpoints("s", NEVER),
        )
        scorer = scorer.eval().requires_grad_(False)
        wild = scored_preferences(model, scorer, pictures, 4, pairing, 0, "wild")
        truth = labelled_preferences(model, *labelled, 3, 0, "truth")
        assert wild.tokens.device == truth.tokens.device == CPU
        data = encode_pictures(model.encoder, pictures)
        tokens = model.layout.encode(bodies_of(labelled[1]).to(device), data.intrinsics)
        rows = np.arange(COUNT)
        usual = usual_scores(scorer, model, pictures, data, 3, 0)
        never = Checkpoints("c", NEVER)
        regressor = train_regressor(model, data, tokens, rows, cleaned, 0, never)
        return {
            "candidates": candidates.errors,
            "wild": wild.scores,
            "truth": truth.scores,
            "measured": measure(model, scorer, *labelled, measured, 0),
            "ranked": rank_hypotheses(model, scorer, *labelled, 4, 0)[0],
            "labels": label_scores(scorer, model, pictures, tokens, usual),
            "regressor": regressor_errors(regressor, model, data, labelled[1]),
        }

    right, found = on_both(run)
    for values in (right, found):
        values["measured"].pop("calibration")  # a rank among a few pictures
    assert_near(found, right, 0.02)


@pytest.mark.parametrize("objective", ["dpo", "kto", "gpa", "sft", "regression"])
def test_every_objective_fine_tunes(hmr_body, labelled, objective):
    pictures, sources = labelled[0], {"wild": 0.5, "truth": 0.5}
    config = tune_config(
        2,
        True,
        objective=objective,
        sources=sources,
        fresh=objective == "regression",
        sft_weight=0.5,
        sft_sources=["truth"],
        error_space="min_snr",
        safeguard=0.9,
    )

    def run(device):
        model = make_model(hmr_body).to(device)
        truth = labelled_preferences(model, *labelled, 3, 0, "truth")
        data = encode_pictures(model.encoder, pictures)
        given = {name: Source(pictures, data, truth) for name in sources}
        variant, never = config.variants["one"], Checkpoints("t", NEVER)
        tuned, rows = finetune_hmr(model, given, config, variant, 0, lambda _: {}, never)
        assert tuned.denoiser.place.device == device
        return {f"{row['step']}": row["loss"] for row in rows if "loss" in row}

    right, found = on_both(run)
    assert_near(found, right, 0.02)


@pytest.fixture(scope="module")
def motion(tmp_path_factory):
    folder = tmp_path_factory.mktemp("posegen")
    return make_body(folder), make_clips(folder / "clips.npz")


@pytest.mark.parametrize("kind", ["parts", "relative"])
def test_a_field_is_trained_and_rendered(motion, kind):
    body, clips = motion
    captures = make_captures(nerf_config(), body, clips)["train"]
    compact = surface_body(body, 20)

    def run(device):
        never = Checkpoints(kind, NEVER)
        field, _, rows = train_field(nerf_config(), kind, captures, compact, never, device)
        assert field.device == device
        shown = render_all(field, scene_of(captures[:2], compact), 24)
        return {"opacity": shown.opacity, "loss": rows[-1]["loss"]}

    right, found = on_both(run)
    assert_near(found, right, 0.02)


def photographs(body, device, config):
    """The compact body, and studios of an untrained field's subjects by field and by mesh."""
    field, betas, compact = field_of(body)
    compact = compact.to(device)
    studio = FieldStudio(
        field.to(device), betas, compact, SIZE, config.surface, 0.5, config.colour_jitter
    )
    looks = [sample_appearance(np.random.default_rng(who)) for who in range(2)]
    photographer = Photographer(body, Picture(size=SIZE, supersample=1))
    return compact, studio, MeshStudio(photographer, looks, betas, config.surface, 0.5)


def shoot(studio, bounds, count, device):
    generator = torch.Generator().manual_seed(0)
    drawn = bounds(0.5 * torch.randn((count, 76), generator=generator).to(device))
    rngs = [np.random.default_rng(row) for row in range(count)]
    return studio.shoot(drawn, torch.arange(count) % 2, rngs)


@pytest.mark.parametrize("name", ["regression", "kinematic"])
def test_an_estimator_is_trained(motion, name):
    body, clips = motion
    config = estimators_config()
    entry = config.estimators[name].model_copy(update={"steps": 2})
    config = config.model_copy(update={"estimators": {**config.estimators, name: entry}})
    _, studio, _ = photographs(body, CPU, loop_config())
    images = shoot(studio, bounds_of(clips)[0], 8, CPU)

    def run(device):
        compact = surface_body(body, 20).to(device)
        never = Checkpoints(name, NEVER)
        estimator, rows = train_estimator(config, name, images, {"held": images}, compact, never)
        assert next(estimator.parameters()).device == device
        return {key: value for row in rows for key, value in row.items()}

    right, found = on_both(run)
    assert_near(found, right, 0.02)


@pytest.mark.parametrize(
    "feedback", ["none", "detached", "through_render", "score_function", "difficulty_net", "mesh"]
)
def test_the_loop_seeks_errors_and_fine_tunes(motion, feedback):
    body, clips = motion
    config = loop_config()
    entry = config.methods[config.main]
    changed = {"renderer": "mesh"} if feedback == "mesh" else {"feedback": feedback}
    methods = {config.main: entry.model_copy(update=changed)}
    config = config.model_copy(update={"methods": methods})

    def run(device):
        bounds, prior = bounds_of(clips)
        gan = Gan(config, bounds, 0).to(device)
        prior = prior.to(device)
        warm_up(config, gan, 0)
        compact, studio, mesh = photographs(body, device, config)
        images = shoot(studio, gan.bounds, 12, device)
        check = make_small_estimator("check", compact).to(device)
        stage = Stage(config, compact, prior, gan.bounds, images, images[:6], check, studio, mesh)
        base = make_small_estimator("regression", compact).to(device).requires_grad_(False)
        start = make_start(stage, base, estimators_config().estimators["regression"], 0)
        outcome = run_loop(config.main, start, gan, Checkpoints("loop", 1))
        assert next(outcome.estimator.parameters()).device == device
        return {"error": [row["validation_mpjpe"] for row in outcome.rows]}

    right, found = on_both(run)
    assert_near(found, right, 0.02)


@pytest.fixture(scope="module")
def latents():
    generator = torch.Generator().manual_seed(0)
    return LatentSet(
        torch.randn((COUNT, 4, 16, 16), generator=generator),
        0.2 * torch.randn((COUNT, 24, 3), generator=generator),
        torch.randn((COUNT, 6, 2, 4, 16, 16), generator=generator),
        np.full(COUNT, "val"),
    )


def test_the_multiview_base_is_trained(latents):
    config = load_config("config/smoke/multiview.yaml", MultiviewConfig)
    train = config.train.model_copy(update={"steps": 2, "batch_size": 2, "validate_every": 2})
    config = config.model_copy(update={"train": train, "denoiser": SMALL_DENOISER, "threads": 1})

    def run(device):
        never = Checkpoints("m", NEVER)
        denoiser, rows = train_multiview(config, latents, {"val": latents}, device, never)
        assert next(denoiser.parameters()).device == device
        return {key: value for row in rows for key, value in row.items()}

    right, found = on_both(run)
    assert_near(found, right, 0.01)


def test_rewards_reach_the_denoiser(latents):
    base_config = load_config("config/demo/multiview.yaml", MultiviewConfig)
    settings = load_config("config/smoke/posescore.yaml", PoseScoreConfig)
    config = load_config("config/demo/drpose.yaml", DrPoseConfig)
    changes = {"steps": 2, "batch_size": 2, "ema_decay": 0.01}
    variant = config.variants["drpose"].model_copy(update=changes)

    def run(device):
        base = small_denoiser().requires_grad_(False)
        torch.nn.init.normal_(base.conv_out.weight, std=0.05)
        torch.manual_seed(0)
        posescore = PoseScore(settings, 4, 16, [3, 4]).requires_grad_(False)
        tuned, rows = finetune_drpose(
            base.to(device),
            base_config,
            posescore.to(device),
            latents,
            torch.arange(COUNT) < COUNT // 2,
            latents,
            {"val": latents},
            config,
            variant,
            0,
            device,
            Checkpoints("d", NEVER),
        )
        assert next(tuned.parameters()).device == device
        return {key: value for row in rows for key, value in row.items() if key != "kl"}

    right, found = on_both(run)
    assert_near(found, right, 0.01)


def test_a_subject_is_carved(tmp_path):
    config = demo_config()
    body, _, arrays, _ = make_library(tmp_path, config)
    tiny = few_steps(config)
    views = prepared(bodys_pictures(body), StartPoses(arrays), None, tiny)

    def run(device):
        carved = carve_subject(views, copy.deepcopy(body), tiny, device)
        return {"fit": carved.fit[:, [0, -1]], "faces": len(carved.faces)}

    right, found = on_both(run)
    assert_near(found, right, 0.01)
