"""Where a number comes from: the chain of a cell, and what is said where a link is broken."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tiny_pipeline import (
    METRICS,
    MODEL,
    REPORT,
    SCANS,
    STUDY,
    TABLE,
    TRAINING,
    call,
    record,
    write_repository,
)

from poseloop.__main__ import main
from poseloop.report.provenance.cells import find_cell, table_path
from poseloop.report.provenance.chain import Chain, Tracer
from poseloop.report.provenance.machine import describe_machine, machine_path, write_machine
from poseloop.report.provenance.pipeline import md5_of, read_pipeline
from poseloop.report.provenance.recompute import RECIPES
from poseloop.report.provenance.sources import names_of
from poseloop.report.provenance.text import chain_lines
from poseloop.report.provenance.verify import Verdict, verify
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import read_json, write_json

ROOT = Path(__file__).resolve().parents[1]
WORDS = ("mixamo", "DrPose", "chamfer")
ABSENT = {SCANS, MODEL}


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A whole and recorded repository, in the working directory."""
    write_repository(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def chain_of(*words: str) -> Chain:
    cell = find_cell(table_path("demo", "drpose_geometry"), list(words or WORDS))
    return Tracer(read_pipeline(), "demo").trace(cell)


def verdict_of(*words: str) -> Verdict:
    return verify(chain_of(*words), read_pipeline())


def edit(path: str, old: str, new: str) -> None:
    text = Path(path).read_text()
    assert old in text
    Path(path).write_text(text.replace(old, new))


def lock_edit(change) -> None:
    """Change the content of dvc.lock by a function of its stages."""
    content = yaml.safe_load(Path("dvc.lock").read_text())
    change(content["stages"])
    Path("dvc.lock").write_text(yaml.safe_dump(content))


def changed(path: str, before: str) -> str:
    return f"{path}: changed since dvc.lock recorded {before}; it is {md5_of(path)}"


def test_a_cell_is_found_by_its_words_in_any_order(repository):
    assert chain_of().cell.value == "10.0"
    assert chain_of("chamfer", "mixamo", "DrPose", "relative_gain").cell.value == "0.0909"
    # A method's name is taken for the method before it is taken for a baseline.
    assert chain_of("mixamo", "base", "chamfer").cell.value == "11.0"


def test_words_that_fit_nothing_or_too_much_are_refused(repository):
    with pytest.raises(UserError, match="no row has 'nobody'; there are benchmark: mixamo;"):
        chain_of("nobody")
    with pytest.raises(UserError, match="2 rows fit 'chamfer': mixamo chamfer base; mixamo"):
        chain_of("chamfer")
    with pytest.raises(UserError, match="speed.csv: table not found; there are: drpose_geometry"):
        table_path("demo", "speed")


def test_the_chain_holds_every_link_with_hash_and_commit(repository):
    chain = chain_of()
    [source] = chain.sources
    assert (source.path, source.key) == (METRICS.format("drpose"), "benchmarks.mixamo.chamfer")
    assert (source.count, source.mean) == (2, 10.0)
    kinds = {(link.kind, link.path) for link in chain.links}
    assert kinds == {
        ("metrics", METRICS.format("drpose")),
        ("checkpoint", MODEL),
        ("data", SCANS),
        *(("config", path) for path in (STUDY, REPORT, TRAINING)),
        ("code", "src/poseloop/judge.py"),
        *(("code", f"scripts/{n}.py") for n in ("tables", "evaluate", "finetune_drpose")),
    }
    head = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True
    ).stdout.strip()
    assert all(link.md5 == md5_of(link.path) for link in chain.links)
    assert {link.commit for link in chain.links} == {head} == {chain.commit}
    assert chain.seeds == {
        f"{REPORT}: seed": 7,
        f"{STUDY}: seeds": [0],
        f"{TRAINING}: variants.drpose.seed": 3,
    }
    assert chain.rebuild == "dvc repro --single-item --force drpose_table"
    assert chain.stages[0] == "drpose_table" and "evaluate--base--0" not in chain.stages


def test_a_gain_follows_from_the_baseline_too(repository):
    chain = chain_of(*WORDS, "relative_gain")
    assert {source.path for source in chain.sources} == {
        METRICS.format(m) for m in ("base", "drpose")
    }
    assert "evaluate--base--0" in chain.stages


def test_a_whole_chain_is_verified(repository):
    verdict = verdict_of()
    assert verdict.holds and verdict.absent == [] and verdict.recomputed == "10.0"
    assert verdict.intact == len(chain_of().links) + 1


def test_data_and_weights_that_were_not_pulled_are_absent_not_failed(repository):
    for path in ABSENT:
        Path(path).unlink()
    verdict = verdict_of()
    assert verdict.holds and verdict.recomputed == "10.0"
    assert set(verdict.absent) == {f"{p}: absent; `dvc pull {p}` brings it" for p in ABSENT}


def test_a_cell_edited_by_hand_is_found_out(repository):
    before = md5_of(TABLE)
    edit(TABLE, "DrPose,10.0", "DrPose,9.0")
    complaint = f"{TABLE}: mixamo chamfer DrPose base mean is 9.0, the metrics files give 10.0"
    assert verdict_of().broken == [changed(TABLE, before), complaint]


def test_a_cell_edited_by_hand_and_recorded_is_found_out_too(repository):
    edit(TABLE, "DrPose,10.0", "DrPose,9.0")
    record(repository)
    assert verdict_of().broken == [
        f"{TABLE}: mixamo chamfer DrPose base mean is 9.0, the metrics files give 10.0"
    ]


def test_a_row_added_by_hand_is_found_out(repository):
    before = md5_of(TABLE)
    with open(TABLE, "a") as stream:
        stream.write("mixamo,chamfer,Ours,1.0,base,0.9\n")
    verdict = verdict_of("Ours")
    complaint = f"{TABLE}: the metrics files give no row for mixamo chamfer Ours base mean"
    assert verdict.broken == [changed(TABLE, before), complaint]


def test_a_changed_metrics_file_is_named_and_gives_another_value(repository):
    path = METRICS.format("drpose")
    before = md5_of(path)
    edit(path, "9.0", "5.0")
    assert verdict_of().broken == [
        changed(path, before),
        f"{TABLE}: mixamo chamfer DrPose base mean is 10.0, the metrics files give 8.0",
    ]


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        (TRAINING, "rate: 0.1", "rate: 0.2"),
        (REPORT, "seed: 7", "seed: 8"),
        ("src/poseloop/judge.py", "JUDGE = 1", "JUDGE = 2"),
        ("scripts/finetune_drpose.py", "finetune", "train"),
        (SCANS, "scans", "other scans"),
        (MODEL, "weights", "other weights"),
    ],
)
def test_a_changed_file_at_any_level_is_the_one_complaint(repository, path, old, new):
    before = md5_of(path)
    edit(path, old, new)
    verdict = verdict_of()
    assert verdict.broken == [changed(path, before)]
    assert verdict.recomputed == "10.0"


@pytest.mark.parametrize("path", [TRAINING, "src/poseloop/judge.py"])
def test_a_missing_file_of_git_breaks_the_chain(repository, path):
    Path(path).unlink()
    assert verdict_of().broken == [f"{path}: missing; git keeps it"]


def test_missing_metrics_break_the_chain_and_the_cell_is_not_made_again(repository):
    path = METRICS.format("drpose")
    Path(path).unlink()
    verdict = verdict_of()
    assert verdict.broken == [f"{path}: missing; git keeps it"]
    assert verdict.absent == [f"{TABLE}: not made again: {path} absent"]
    assert verdict.recomputed is None


def test_a_script_that_fails_is_quoted(repository):
    before = md5_of("scripts/tables.py")
    edit("scripts/tables.py", "means = {}", "raise SystemExit('error: no means today')")
    assert verdict_of().broken == [
        changed("scripts/tables.py", before),
        f"{TABLE}: cannot be made again: no means today",
    ]


def test_a_table_without_entry_in_the_record(repository):
    lock_edit(lambda stages: stages.pop("drpose_table"))
    chain = chain_of()
    assert chain.links == [] and chain.rebuild.startswith("snakemake --config preset=demo --force")
    assert verify(chain, read_pipeline()).broken == [f"dvc.lock: no stage makes {TABLE}"]


def test_a_job_without_entry_in_the_record(repository):
    lock_edit(lambda stages: stages.pop("finetune_drpose--drpose--0"))
    assert verdict_of().broken == [f"dvc.lock: no stage makes {MODEL}"]


def test_a_file_that_was_made_anew_below_is_a_break_in_the_record(repository):
    Path(MODEL).write_text("retrained")

    def retrain(stages):
        out = stages["finetune_drpose--drpose--0"]["outs"][0]
        out["md5"] = md5_of(MODEL)

    taken = yaml.safe_load(Path("dvc.lock").read_text())["stages"]["evaluate--drpose--0"]["deps"][2]
    lock_edit(retrain)
    assert verdict_of().broken == [
        f"dvc.lock: evaluate--drpose--0 took another {MODEL} than finetune_drpose--drpose--0 made",
        changed(MODEL, taken["md5"]),
    ]


def test_a_changed_rule_or_a_new_input_is_a_break(repository):
    content = yaml.safe_load(Path("dvc.yaml").read_text())
    content["stages"]["evaluate--drpose--0"]["cmd"] += "  # 12ab"
    content["stages"]["drpose_table"]["deps"].append("src/poseloop/new.py")
    Path("dvc.yaml").write_text(yaml.safe_dump(content))
    assert verdict_of().broken == [
        "dvc.lock: drpose_table ran without src/poseloop/new.py, which dvc.yaml names",
        "dvc.lock: evaluate--drpose--0 ran another command than dvc.yaml has; its rule changed",
    ]


def test_the_machine_is_told_and_doubted_after_another_record(repository):
    assert "not recorded" in chain_of().machine["machine"]
    write_machine("demo")
    assert int(chain_of().machine["cores"]) >= 1 and "note" not in chain_of().machine
    assert not any("other digits" in line for line in chain_lines(chain_of()))
    told = read_json(machine_path("demo"))
    write_json(machine_path("demo"), told | {"instructions": "mmx", "torch": "1.0"})
    here = next(line for line in chain_lines(chain_of()) if "other digits" in line)
    assert "recorded mmx; torch" in here and "recorded 1.0;" in here and "numpy" not in here
    lock_edit(lambda stages: stages.pop("evaluate--base--0"))
    assert "another dvc.lock" in chain_of().machine["note"]


def test_instructions_are_those_that_kernels_are_held_to(monkeypatch):
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "avx2")
    assert describe_machine()["instructions"] == "avx2"


def test_outside_git_no_commit_is_told(repository):
    call(repository, "mv", ".git", "elsewhere")
    chain = chain_of()
    assert chain.commit == "" and {link.commit for link in chain.links} == {""}


def test_names_of_a_label_in_config():
    params = {"a.yaml": {"methods": {"one": "One"}}, "b.yaml": {"arms": {"two": {"label": "One"}}}}
    assert names_of("One", params) == {"One", "one", "two"}
    assert names_of("ground truth", params) == {"ground truth", "truth"}


def run_main(monkeypatch, *arguments: str) -> None:
    Path("config/demo").mkdir(parents=True, exist_ok=True)
    monkeypatch.setattr(sys, "argv", ["poseloop", *arguments])
    main()


def test_the_command_prints_the_chain_and_ends_with_1_where_it_breaks(
    repository, monkeypatch, capsys
):
    run_main(monkeypatch, "trace", "drpose_geometry", *WORDS, "--verify")
    printed = capsys.readouterr().out
    assert "cell: mixamo chamfer DrPose base mean = 10.0" in printed
    assert "verified: 10.0 follows from what is here; 11 files as recorded, 0 absent" in printed
    assert "steps=300, variants.drpose.rate=0.1, variants.drpose.seed=3" in printed
    edit(TRAINING, "300", "400")
    with pytest.raises(SystemExit) as stop:
        run_main(monkeypatch, "trace", "drpose_geometry", *WORDS, "--verify")
    assert stop.value.code == 1
    assert "not verified: the chain breaks in 1 place(s)" in capsys.readouterr().out


@pytest.mark.parametrize("rule", sorted(RECIPES))
def test_a_recipe_calls_the_script_as_the_rule_does(rule):
    text = "".join(path.read_text() for path in sorted(ROOT.glob("workflow/rules/*.smk")))
    [body] = re.findall(rf"^rule {rule}:\n(.*?)(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
    shell = body.partition("shell:")[2]
    recipe = RECIPES[rule]
    assert f"python scripts/{recipe.script}.py" in shell
    assert set(re.findall(r"--[\w-]+", shell)) == {*recipe.inputs, *recipe.outputs}


def test_the_committed_tables_follow_from_the_committed_metrics(monkeypatch):
    """The only test on real results: one cell of a table, made again by the real script."""
    monkeypatch.chdir(ROOT)
    cell = find_cell(table_path("demo", "drpose_geometry"), ["mixamo_like", "DrPose", "chamfer"])
    pipeline = read_pipeline()
    verdict = verify(Tracer(pipeline, "demo").trace(cell), pipeline)
    assert verdict.recomputed == cell.value
    assert not [fault for fault in verdict.broken if fault.startswith("results/")]
