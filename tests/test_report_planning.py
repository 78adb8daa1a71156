from dataclasses import replace

import pytest
import torch
from tiny_hmr import base_config
from tiny_models import SMALL_DENOISER, small_denoiser
from workflow_clone import ROOT

from poseloop.posegen.config import MethodConfig
from poseloop.report.planning import hmr_flops
from poseloop.report.planning.config import CaseConfig, PlanningConfig
from poseloop.report.planning.costs import plan
from poseloop.report.planning.flops import denoiser
from poseloop.report.planning.networks import effective_gradient_steps
from poseloop.report.planning.posegen_sizes import load_posegen_sizes
from poseloop.report.planning.posegen_work import posegen_stages
from poseloop.report.planning.table import cases_table, stages_table
from poseloop.reward.config import DrTuneConfig
from poseloop.reward.drtune import draw_plan
from poseloop.runtime.config import load_config
from poseloop.runtime.errors import UserError


@pytest.fixture(autouse=True)
def _root(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.fixture(scope="module")
def config():
    return load_config(ROOT / "config/demo/planning.yaml", PlanningConfig)


def case(preset="demo", **changes):
    return CaseConfig(preset=preset, **changes)


def within(planned, measured, factor):
    return measured / factor <= planned <= measured * factor


@pytest.mark.parametrize("preset", ["smoke", "demo"])
def test_plans_of_both_measured_sizes_hold(config, preset):
    [measured] = [run for run in config.measured if run.preset == preset]
    planned = plan(case(preset), config)
    by_stage = {cost.name: cost for cost in planned.costs}
    assert set(by_stage) == set(measured.core_seconds) == set(measured.memory_mb)
    for name, seconds in measured.core_seconds.items():
        assert within(by_stage[name].core_seconds, seconds, 1.5), name
    for name, megabytes in measured.memory_mb.items():
        assert within(by_stage[name].memory / 1e6, megabytes, 2.0), name
    for name, megabytes in measured.disk_mb.items():
        assert within(by_stage[name].disk / 1e6, megabytes, 2.0), name
    assert within(planned.core_hours * 3600, sum(measured.core_seconds.values()), 1.15)
    disk = sum(by_stage[name].disk for name in measured.disk_mb)
    assert within(disk / 1e6, sum(measured.disk_mb.values()), 1.25)


def test_split_sets_grow_by_files_and_not_by_memory(config):
    plain, grown = (
        {cost.name: cost for cost in plan(case("workstation", subjects=factor), config).costs}
        for factor in (1, 10)
    )
    assert grown["encode"].flops == pytest.approx(10 * plain["encode"].flops)
    assert grown["encode"].memory < 3 * plain["encode"].memory
    assert grown["autoencoder"].memory == plain["autoencoder"].memory
    assert grown["render"].core_seconds > 5 * plain["render"].core_seconds


def test_each_factor_grows_what_it_should_and_no_more(config):
    plain = {cost.name: cost for cost in plan(case(), config).costs}

    def grown(**factors):
        return {cost.name: cost for cost in plan(case(**factors), config).costs}

    people = grown(subjects=10)
    assert people["multiview"].core_seconds == plain["multiview"].core_seconds
    assert people["encode"].flops == pytest.approx(10 * plain["encode"].flops)
    assert 6 * plain["render"].disk < people["render"].disk < 10 * plain["render"].disk
    assert people["judge"] == plain["judge"]
    assert people["multiview"].memory > 3 * plain["multiview"].memory

    seeds = grown(seeds=2)
    # One of the two variants is trained once.
    assert plain["drpose"].flops < seeds["drpose"].flops < 2 * plain["drpose"].flops
    assert seeds["generate"].flops == 2 * plain["generate"].flops
    assert seeds["encode"] == plain["encode"]

    large = grown(size=2)
    assert large["autoencoder"].flops == pytest.approx(4 * plain["autoencoder"].flops, rel=1e-6)
    # Attention grows faster than the pictures.
    assert large["multiview"].flops > 4 * plain["multiview"].flops
    assert large["generate"].disk == pytest.approx(4 * plain["generate"].disk)

    views = grown(views=2)
    assert views["multiview"].flops > 2 * plain["multiview"].flops

    steps = grown(steps=3)
    assert steps["drpose"].flops == pytest.approx(3 * plain["drpose"].flops, rel=0.05)


def test_a_released_base_is_not_trained_and_its_size_is_its_own(config):
    released = "config/paper/pshuman.yaml"
    planned = plan(case("workstation", released=released), config)
    names = [cost.name for cost in planned.costs]
    assert "multiview" not in names
    assert "autoencoder" not in names
    assert planned.gpu_hours(config, "h200") > 10
    with pytest.raises(UserError, match="one resolution"):
        plan(case("workstation", released=released, size=2), config)


def test_flops_of_a_denoiser_are_those_of_its_products_by_hand():
    network, size = small_denoiser(), 8
    counted = denoiser(SMALL_DENOISER, size)
    flops = 0.0

    def add(module, inputs, output):
        nonlocal flops
        if isinstance(module, torch.nn.Linear):
            flops += 2 * inputs[0].numel() * module.out_features
        elif isinstance(module, torch.nn.Conv2d):
            flops += 2 * output.numel() * module.weight[0].numel()

    for module in network.modules():
        module.register_forward_hook(add)
    latents = torch.zeros(1, 6, 2, 4, size, size)
    network(latents, torch.zeros(1, dtype=torch.long), torch.zeros(1, 4, size, size))
    # Joint attention over 2 x 16 and 2 x 4 tokens of 6 views; across them 4 rows of 48 on the way
    # down and up, and all 48 of the coarse level.
    attention = 2 * (6 * 32**2 + 4 * 48**2) * 16 + (6 * 8**2 + 48**2) * 32
    assert counted.flops == flops + 4 * attention
    assert counted.parameters == sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(("steps", "count", "stop", "inside"), [(20, 2, 8, False), (5, 1, 2, True)])
def test_expected_gradient_steps_are_those_of_the_drawn_plans(steps, count, stop, inside):
    tune = DrTuneConfig(
        ddim_steps=steps,
        gradient_steps=count,
        early_stop=stop,
        inside_prefix=inside,
        normalise_steps=False,
    )
    generator = torch.Generator().manual_seed(0)
    plans = [draw_plan(tune, generator) for _ in range(4000)]
    drawn = [sum(step <= one.last for step in one.gradient) for one in plans]
    executed, again = effective_gradient_steps(tune)
    assert executed == pytest.approx(sum(drawn) / len(drawn), abs=0.05)
    assert again == pytest.approx(sum(max(n - 1, 0) for n in drawn) / len(drawn), abs=0.05)


def test_tables_have_a_line_for_each_case_and_each_stage(config):
    plans = [plan(case("smoke", seeds=seeds), config) for seeds in (1, 2)]
    *lines, legend = cases_table(plans, config).splitlines()
    assert "lower bound" in legend
    assert [line.split("  ")[0] for line in lines] == ["case", "smoke", "smoke, seeds x2"]
    assert "h200 h (assumed 40 %)" in lines[0]
    assert len({len(line) for line in lines}) == 1
    stages = stages_table(plans[0]).splitlines()
    assert [line.split()[0] for line in stages[1:]] == [cost.name for cost in plans[0].costs]


def test_hypotheses_of_a_picture_share_its_keys_and_cost_the_same_each():
    config, size = base_config(), 32
    counted = hmr_flops.denoiser(config, size)
    width, tokens = config.transformer.width, (size // 8) ** 2
    keys = 2 * len(config.transformer.hops) * tokens * config.encoder.channels[-1] * 2 * width
    # Beside the keys, a picture's part is what joints see of it.
    assert keys < counted.picture < 1.5 * keys
    assert counted.of(3) - counted.of(2) == counted.hypothesis > 0
    wider = config.model_copy(
        update={"transformer": config.transformer.model_copy(update={"hops": [4, 2] * 2})}
    )
    assert hmr_flops.denoiser(wider, size).hypothesis > 1.8 * counted.hypothesis
    assert hmr_flops.features(config.encoder, size) == 16 * tokens + 8 * (size // 4) ** 2


def test_fewer_picture_tokens_cost_less():
    config, size = base_config(), 64
    pooled = config.model_copy(
        update={"encoder": config.encoder.model_copy(update={"token_pool": 2})}
    )
    more, fewer = (hmr_flops.features(each.encoder, size) for each in (config, pooled))
    assert more - fewer == 16 * (64 - 16)
    more, fewer = (hmr_flops.denoiser(each, size) for each in (config, pooled))
    assert fewer.hypothesis < more.hypothesis
    assert fewer.picture < more.picture


def test_the_other_loops_grow_by_their_own_lists(config):
    plain = {cost.name: cost for cost in plan(case(), config).costs}

    def grown(**factors):
        return {cost.name: cost for cost in plan(case(**factors), config).costs}

    seeds, people, steps, large = (
        grown(**{name: 2}) for name in ("seeds", "subjects", "steps", "size")
    )
    for name in ("adhmr_tune", "adhmr_evaluate", "posegen_loop", "posegen_evaluate"):
        assert 1.8 * plain[name].flops < seeds[name].flops < 2.2 * plain[name].flops, name
    for name in ("adhmr_encoder", "adhmr_base", "posegen_estimators"):
        assert seeds[name] == plain[name]
        assert large[name].flops > 2 * plain[name].flops or name == "adhmr_base"
    assert people["adhmr_evaluate"].flops == pytest.approx(2 * plain["adhmr_evaluate"].flops)
    assert people["adhmr_render"].core_seconds > 1.7 * plain["adhmr_render"].core_seconds
    assert steps["adhmr_tune"].flops > 1.8 * plain["adhmr_tune"].flops
    assert steps["adhmr_scorer"] == plain["adhmr_scorer"]
    assert people["posegen_loop"].core_seconds > 1.2 * plain["posegen_loop"].core_seconds


def test_a_released_denoiser_is_planned_alone(config):
    planned = plan(case("workstation", released="config/paper/pshuman.yaml"), config)
    assert not [cost.name for cost in planned.costs if cost.name.startswith(("adhmr", "posegen"))]


def composed(**entries):
    """Pictures of one job of the loop with these methods."""
    sizes = load_posegen_sizes(case("demo"))
    methods = {name: MethodConfig(label=name, **entry) for name, entry in entries.items()}
    part = replace(sizes, loop=sizes.loop.model_copy(update={"methods": methods}))
    [stage] = [stage for stage in posegen_stages(part) if stage.name == "posegen_loop"]
    return stage.composed


def test_every_source_that_is_rendered_is_counted():
    counts = {
        source: composed(only={"source": source})
        for source in ("prior", "scattered", "limits", "starts", "generator")
    }
    assert counts["prior"] == counts["scattered"] == counts["limits"] == counts["starts"] > 0
    assert composed(only={"source": "mine"}) > counts["prior"]
    for source in ("none", "anchor", "augment"):
        assert composed(only={"source": source}) == 0


def test_pictures_of_random_poses_are_rendered_once_for_all_methods():
    prior, scattered, mine, starts, gan = (
        {"source": source} for source in ("prior", "scattered", "mine", "starts", "generator")
    )
    alone = composed(a=prior)
    assert composed(a=prior, b=mine) == composed(b=mine)
    assert composed(a=prior, b=scattered) == 2 * alone
    assert composed(a=prior, b=starts) == 2 * alone
    assert alone < composed(a=starts, b=gan) < 2 * alone
    # A method of the main table runs in a job of its own.
    assert composed(a=prior, prior=prior) == 2 * alone
    by_mesh = {"source": "prior", "renderer": "mesh"}
    assert composed(a=prior, b=by_mesh) == 2 * alone
