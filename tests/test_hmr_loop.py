"""The loop on random pictures: base, candidates, scorer, preferences, fine-tuning, measurement."""

import copy
import json
import math

import numpy as np
import pytest
import torch
from tiny_hmr import (
    base_config,
    make_body,
    make_labels,
    make_model,
    make_pictures,
    scorer_config,
    tune_config,
)

from poseloop.body.joints import JOINT
from poseloop.hmr import cleaning
from poseloop.hmr.candidates import Candidates, make_candidates
from poseloop.hmr.cleaning import label_scores, usual_scores
from poseloop.hmr.dataset import encode_pictures, picture_tensor
from poseloop.hmr.denoiser import load_hmr
from poseloop.hmr.detection import load_encoder, mirrored, save_encoder, train_encoder
from poseloop.hmr.diffusion import hypothesis_noise, sample
from poseloop.hmr.encoder import Encoder
from poseloop.hmr.evaluation import measure
from poseloop.hmr.evaluation_config import MeasureConfig
from poseloop.hmr.preference_config import PairingConfig
from poseloop.hmr.preferences import (
    labelled_preferences,
    make_pairs,
    read_preferences,
    scored_preferences,
    write_preferences,
)
from poseloop.hmr.scorer import Scorer, check_bodies, load_scorer, score_tokens
from poseloop.hmr.scorer_config import ERRORS
from poseloop.hmr.scorer_training import train_scorer
from poseloop.hmr.training import train_base, validate
from poseloop.hmr.tune import finetune
from poseloop.hmr.tune_batch import Source
from poseloop.runtime import checkpoints
from poseloop.runtime.checkpoints import Checkpoints
from poseloop.runtime.errors import UserError
from poseloop.runtime.weights import write_weights

PAIRING = PairingConfig(rule="top_bottom", k=2, least_gap=0.0)
COUNT = 10


@pytest.fixture(scope="module")
def body(tmp_path_factory):
    return make_body(tmp_path_factory.mktemp("body"))


@pytest.fixture(scope="module")
def model(body):
    return make_model(body)


@pytest.fixture(scope="module")
def scorer(model, body):
    torch.manual_seed(1)
    return Scorer(scorer_config(), model.config, body).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def data():
    return make_pictures(COUNT), make_labels(COUNT)


@pytest.fixture(scope="module")
def preferences(model, scorer, data):
    return scored_preferences(model, scorer, data[0], 6, PAIRING, 0, "wild")


@pytest.fixture(autouse=True)
def _scratch(monkeypatch, tmp_path):
    monkeypatch.setattr(checkpoints, "SCRATCH", tmp_path / "scratch")


def encoder() -> Encoder:
    torch.manual_seed(0)
    return Encoder(base_config().encoder)


def test_encoder_learns_where_joints_are_and_is_read_back(body, data, tmp_path):
    config = base_config()
    trained, rows = train_encoder(config, body, data, data, Checkpoints("e", 1000))
    assert rows[-1]["detection_px"] < rows[0]["detection_px"]
    save_encoder(tmp_path / "encoder.safetensors", trained, config.encoder)
    loaded = load_encoder(tmp_path / "encoder.safetensors", config.encoder)
    image = picture_tensor(data[0])
    torch.testing.assert_close(loaded(image).detected, trained(image).detected)
    wider = config.encoder.model_copy(update={"channels": (8, 16, 16)})
    with pytest.raises(UserError, match="another encoder"):
        load_encoder(tmp_path / "encoder.safetensors", wider)


def test_a_picture_token_is_the_mean_of_its_square(data):
    image = picture_tensor(data[0])
    each = encoder()(image)
    torch.manual_seed(0)
    pooled = Encoder(base_config().encoder.model_copy(update={"token_pool": 2}))(image)
    side = math.isqrt(each.tokens.shape[1])
    corner = [row * side + column for row in (0, 1) for column in (0, 1)]
    assert pooled.tokens.shape[1] == math.ceil(side / 2) ** 2
    torch.testing.assert_close(pooled.tokens[:, 0], each.tokens[:, corner].mean(1))
    torch.testing.assert_close(pooled.detected, each.detected)


def test_the_mirror_swaps_sides():
    image = torch.arange(8.0).view(2, 1, 1, 4).expand(2, 3, 4, 4)
    places = torch.zeros(2, 24, 2)
    places[:, JOINT["left_wrist"]] = torch.tensor([0.5, 0.25])
    turned, moved = mirrored(image, places, torch.tensor([True, False]))
    torch.testing.assert_close(turned[0, 0, 0], torch.tensor([3.0, 2.0, 1.0, 0.0]))
    torch.testing.assert_close(moved[0, JOINT["right_wrist"]], torch.tensor([-0.5, 0.25]))
    assert (moved[0, JOINT["left_wrist"]] == 0).all()
    torch.testing.assert_close(turned[1], image[1])
    torch.testing.assert_close(moved[1], places[1])


@pytest.mark.parametrize("kind", ["rotations", "joints_twists"])
def test_base_learns_a_few_pictures(body, data, kind):
    config = base_config(parameters=kind, steps=60, draws=4, ema_decay=0.1)
    model, rows = train_base(config, body, encoder(), data, data, Checkpoints("k", 1000))
    losses = [row["loss"] for row in rows[1:]]
    assert np.mean(losses[-10:]) < 0.9 * np.mean(losses[:10])
    assert rows[-1]["mpjpe_zero"] < rows[0]["mpjpe_zero"]
    assert set(validate(model, *data, 0)) <= set(rows[-1])


def test_a_resumed_training_equals_an_unbroken_one(body, data, monkeypatch):
    whole, _ = train_base(base_config(), body, encoder(), data, data, Checkpoints("a", 1000))
    saving = Checkpoints("b", 2)
    train_base(base_config(), body, encoder(), data, data, saving)
    state = torch.load(saving.path, weights_only=True)
    state["rows"] = [row for row in state["rows"] if row["step"] <= 2]
    train_base(base_config(steps=2), body, encoder(), data, data, Checkpoints("c", 2))
    early = torch.load(Checkpoints("c", 2).path, weights_only=True)
    assert early["step"] == 2 and state["step"] == 4
    torch.save(early, saving.path)
    resumed, rows = train_base(base_config(), body, encoder(), data, data, saving)
    assert [row["step"] for row in rows] == [0, 1, 2, 3, 4]
    for name, value in whole.state_dict().items():
        torch.testing.assert_close(value, resumed.state_dict()[name], atol=1e-6, rtol=0)


def test_first_hypothesis_has_zero_noise_and_does_not_depend_on_the_others(model, data):
    encoded = encode_pictures(model.encoder, data[0])
    noise = hypothesis_noise(COUNT, 5, model.layout.mask, torch.Generator().manual_seed(0))
    assert (noise[:, 0] == 0).all()
    assert (noise[..., ~model.layout.mask] == 0).all()
    many = sample(model.denoiser, model.config.diffusion, encoded.features, noise)
    one = sample(model.denoiser, model.config.diffusion, encoded.features, noise[:, :1])
    torch.testing.assert_close(many[:, :1], one, atol=1e-5, rtol=0)
    assert (many[:, 1] - many[:, 2]).abs().max() > 1e-4


def test_a_saved_base_answers_the_same(model, body, data, tmp_path):
    model.save(tmp_path / "base.safetensors")
    again = load_hmr(tmp_path / "base.safetensors", body)
    assert validate(again, *data, 0) == validate(model, *data, 0)


def test_candidates_hold_samples_and_noisy_truth_with_their_errors(model, data, tmp_path):
    config = scorer_config().candidates
    candidates = make_candidates(model, *data, config, 0)
    assert candidates.tokens.shape[:2] == (COUNT, 5)
    mpjpe = candidates.errors[..., ERRORS.index("mpjpe")]
    assert (mpjpe[:, 4].mean() > mpjpe[:, 3].mean()) and (mpjpe[:, 3] > 0).all()
    aligned = candidates.errors[..., ERRORS.index("pa_mpjpe")]
    assert (aligned <= mpjpe * 1.2).all()
    candidates.save(tmp_path / "c.npz")
    again = Candidates.load(tmp_path / "c.npz")
    torch.testing.assert_close(again.tokens, candidates.tokens)


def test_scorer_learns_to_order_candidates(model, data, body):
    config = scorer_config(steps=80, batch_size=10, ema_decay=0.01)
    candidates = make_candidates(model, *data, config.candidates, 0)
    trained, rows = train_scorer(
        config, model, body, (*data, candidates), (data[0], candidates), Checkpoints("s", 1000)
    )
    assert rows[-1]["within_srcc"] > max(0.3, rows[0]["within_srcc"])
    assert rows[-1]["regret_mm"] < rows[0]["regret_mm"]


def test_a_label_is_scored_against_hypotheses_of_its_own_picture(model, scorer, data, monkeypatch):
    tokens = make_candidates(model, *data, scorer_config().candidates, 0).tokens[:, 4]
    encoded = encode_pictures(model.encoder, data[0])

    def scores() -> np.ndarray:
        usual = usual_scores(scorer, model, data[0], encoded, 3, 0)
        return label_scores(scorer, model, data[0], tokens, usual)

    plain = scores()
    ease = torch.linspace(-5, 5, COUNT)[:, None]
    monkeypatch.setattr(cleaning, "score_tokens", lambda *given: score_tokens(*given) + ease)
    np.testing.assert_allclose(scores(), plain, atol=1e-5)
    assert np.std(plain) > 1e-3


def test_a_score_depends_on_its_hypothesis_alone(model, scorer, data):
    tokens = make_candidates(model, *data, scorer_config().candidates, 0).tokens
    together = score_tokens(scorer, model, data[0], tokens)
    alone = score_tokens(scorer, model, data[0], tokens[:, 2:3])
    torch.testing.assert_close(together[:, 2:3], alone, atol=1e-5, rtol=0)


def test_a_saved_scorer_scores_the_same(model, scorer, data, body, tmp_path):
    tokens = make_candidates(model, *data, scorer_config().candidates, 0).tokens
    scorer.save(tmp_path / "s.safetensors", "abc")
    again = load_scorer(tmp_path / "s.safetensors", body)
    first, second = (score_tokens(one, model, data[0], tokens) for one in (scorer, again))
    torch.testing.assert_close(first, second, atol=1e-6, rtol=0)
    model.save(tmp_path / "base.safetensors")
    with pytest.raises(UserError, match="base.safetensors: not the weights of a scorer"):
        load_scorer(tmp_path / "base.safetensors", body)


def test_weights_of_another_version_are_named(model, body, tmp_path):
    path = tmp_path / "old.safetensors"
    write_weights(path, model.state_dict(), {"hmr": {**model.config.model_dump(), "colour": 1}})
    with pytest.raises(UserError, match="old.safetensors: weights of another version: hmr.colour"):
        load_hmr(path, body)
    write_weights(path, model.state_dict(), {})
    with pytest.raises(UserError, match="old.safetensors: not the weights of this kind of model"):
        load_hmr(path, body)


def test_hypotheses_that_are_no_numbers_are_named(model, data):
    encoded = encode_pictures(model.encoder, data[0])
    tokens = torch.zeros(COUNT, 3, *model.layout.mask.shape)
    bodies = model.layout.decode(tokens, encoded.intrinsics[:, None])
    check_bodies(bodies, "x.npz")
    bodies.betas[4, 2, 0] = float("nan")
    with pytest.raises(UserError, match="x.npz: hypothesis 2 of picture 4: betas is not finite"):
        check_bodies(bodies, "x.npz")


def test_pairs_follow_the_rule_and_the_gap():
    scores = torch.tensor([[0.0, 3.0, 1.0, 2.0], [0.0, 0.1, 0.2, 0.3]])
    best = make_pairs(scores, PairingConfig(rule="best_worst", k=1, least_gap=0))
    assert best.tolist() == [[0, 1, 0], [1, 3, 0]]
    two = make_pairs(scores, PAIRING)
    assert two.tolist() == [[0, 1, 0], [0, 3, 2], [1, 3, 0], [1, 2, 1]]
    wide = make_pairs(scores, PairingConfig(rule="top_bottom", k=2, least_gap=1.0))
    assert wide.tolist() == [[0, 1, 0], [0, 3, 2]]


def test_truth_wins_in_a_labelled_source(model, data):
    found = labelled_preferences(model, *data, 3, 0, "bedlam")
    assert (found.scores[:, 0] == 0).all() and (found.scores[:, 1:] < 0).all()
    assert (found.pairs[:, 1] == 0).all() and len(found.pairs) == 2 * COUNT


def test_preferences_survive_their_files(model, preferences, tmp_path):
    base, manifest = tmp_path / "base.safetensors", tmp_path / "wild/manifest.json"
    model.save(base)
    shards = [tmp_path / f"wild/shard_{index}.npz" for index in range(3)]
    write_preferences(shards, manifest, preferences, base, {"source": "wild"})
    again = read_preferences(manifest, base)
    for name in ("picture", "tokens", "scores", "pairs"):
        torch.testing.assert_close(getattr(again, name), getattr(preferences, name))

    make_model(make_body(tmp_path / "b")).save(tmp_path / "same.safetensors")
    other = copy.deepcopy(model)
    other.denoiser.place.data += 1
    other.save(tmp_path / "other.safetensors")
    with pytest.raises(UserError, match="manifest.json: pairs of another base model than .*other"):
        read_preferences(manifest, tmp_path / "other.safetensors")
    content = json.loads(manifest.read_text())
    content["shards"] = {"../wild/shard_0.npz": "0"}
    manifest.write_text(json.dumps(content))
    with pytest.raises(UserError, match="is not beside the manifest"):
        read_preferences(manifest, base)


def test_a_changed_shard_is_refused(model, preferences, tmp_path):
    base, manifest, shard = tmp_path / "b.safetensors", tmp_path / "m.json", tmp_path / "s.npz"
    model.save(base)
    write_preferences([shard], manifest, preferences, base, {})
    with np.load(shard) as archive:
        arrays = dict(archive)
    np.savez_compressed(shard, **{**arrays, "scores": arrays["scores"] + 1})
    with pytest.raises(UserError, match="s.npz: is not the shard that m.json describes"):
        read_preferences(manifest, base)


def tuned(model, data, preferences, steps=3, encoder=True, **variant):
    encoded = encode_pictures(model.encoder, data[0])
    sources = {
        "wild": Source(data[0], encoded, preferences),
        "bedlam": Source(data[0], encoded, labelled_preferences(model, *data, 3, 0, "b")),
    }
    config = tune_config(steps, encoder, **variant)
    key = Checkpoints(str(sorted(variant.items())), 1000)
    return finetune(model, sources, config, config.variants["one"], 0, lambda _: {}, key)


@pytest.mark.parametrize("encoder", [True, False])
@pytest.mark.parametrize("objective", ["dpo", "kto", "gpa", "sft", "regression"])
def test_every_objective_moves_what_it_should(model, data, preferences, objective, encoder):
    before = copy.deepcopy(model.state_dict())
    found, rows = tuned(model, data, preferences, encoder=encoder, objective=objective)
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in before.items())
    after = found.state_dict()
    moved = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert moved == ({"encoder", "denoiser"} if encoder else {"denoiser"})
    assert [row["step"] for row in rows if row["step"]] == [1, 2, 3]


def test_dpo_raises_winners_over_losers(model, data, preferences):
    _, rows = tuned(model, data, preferences, steps=40, beta=5.0, sources={"bedlam": 1.0})
    assert rows[1]["implicit_accuracy"] == 0.5 and rows[1]["drift"] == pytest.approx(0, abs=1e-8)
    late = [row["implicit_accuracy"] for row in rows[-10:]]
    assert np.mean(late) > 0.7
    change = [row["winner_change"] - row["loser_change"] for row in rows[-10:]]
    assert np.mean(change) < 0
    assert {"logit_bin0", "accuracy_bin3"} <= set().union(*rows)


def test_sources_share_the_batch(model, data, preferences):
    found, rows = tuned(model, data, preferences, sources={"wild": 0.5, "bedlam": 0.5})
    assert np.isfinite(rows[-1]["loss"])


def test_the_anchor_counts_the_winners_of_its_sources(model, data, preferences):
    """With no weight on the pairs' own source the anchor changes nothing."""
    plain, other, own = (
        tuned(model, data, preferences, steps=1, sft_weight=weight, sft_sources=names)[1][-1]
        for weight, names in ((0.0, None), (1.0, ["bedlam"]), (1.0, ["wild"]))
    )
    assert other["loss"] == plain["loss"] < own["loss"]


def test_a_regressor_answers_in_one_step(model, data, preferences, body, tmp_path):
    found, _ = tuned(model, data, preferences, objective="regression", fresh=True)
    found.save(tmp_path / "r.safetensors")
    assert load_hmr(tmp_path / "r.safetensors", body).config.diffusion.ddim_steps == 1
    assert model.config.diffusion.ddim_steps == 2


def test_measurement_is_an_oracle_that_never_rises_with_m(model, scorer, data):
    config = MeasureConfig(seed=0, threads=1, counts=[1, 3, 8], ranked=4, select=2)
    table = measure(model, scorer, *data, config, 0)
    for error in ("mpjpe", "pa_mpjpe", "pve"):
        one, three, eight = (np.array(table[f"{error}_min_{m}"]) for m in (1, 3, 8))
        assert (one >= three).all() and (three >= eight).all() and (one > eight).any()
        np.testing.assert_allclose(one, table[f"{error}_zero"], atol=1e-4)
    assert len(table["mpjpe_select"]) == COUNT and len(table["calibration"]) == 1
    assert table == measure(model, scorer, *data, config, 0)
    assert table["mpjpe_min_8"] != measure(model, scorer, *data, config, 1)["mpjpe_min_8"]
    lone = measure(model, scorer, *data, config.model_copy(update={"counts": [1]}), 0)
    assert set(lone) == {"mpjpe_zero", "pa_mpjpe_zero", "pve_zero", "reproject"}
