"""Presets: names, fall-back of config files, lists of the study, cores and assets."""

import pytest

from poseloop.runtime import study
from poseloop.runtime.errors import UserError

STUDY = """
seeds: [0, 1]
methods: {base: base, drpose: DrPose}
benchmarks: [a, b]
training_scans: [t]
validation_scans: [v]
judge_scans: j
"""


@pytest.fixture
def config(tmp_path, monkeypatch):
    """Presets demo and tiny; tiny has a study of its own and nothing else."""
    monkeypatch.chdir(tmp_path)
    for preset in ("demo", "tiny"):
        (tmp_path / "config" / preset).mkdir(parents=True)
        (tmp_path / "config" / preset / "study.yaml").write_text(STUDY)
    (tmp_path / "config/demo/body.yaml").write_text("threads: 2\n")
    return tmp_path / "config"


def test_default_preset_is_demo(config):
    assert study.preset_of({}) == "demo"
    assert study.preset_of({"preset": "tiny"}) == "tiny"


def test_unknown_preset_names_it_and_the_known_ones(config):
    with pytest.raises(UserError, match="preset=nope: unknown preset; there are demo, tiny"):
        study.preset_of({"preset": "nope"})


def test_unknown_key_is_named(config):
    with pytest.raises(UserError, match="unknown key.* prest"):
        study.preset_of({"prest": "tiny"})


def test_preset_falls_back_to_demo_file_by_file(config):
    assert study.config_file("tiny", "study") == "config/tiny/study.yaml"
    assert study.config_file("tiny", "body") == "config/demo/body.yaml"
    with pytest.raises(UserError, match="config/tiny/none.yaml"):
        study.config_file("tiny", "none")


def test_variants_are_all_methods_but_the_base(config):
    assert study.load_study("tiny").variants == ["drpose"]


def test_a_variant_trained_once_serves_the_noise_of_every_seed(config):
    path = config / "tiny/study.yaml"
    path.write_text(path.read_text().replace("drpose: DrPose", "drpose: DrPose, fast: Fast"))
    path.write_text(path.read_text() + "trained_once: [fast]\n")
    lists = study.load_study("tiny")
    assert lists.trainings == [("drpose", 0), ("drpose", 1), ("fast", 0)]
    assert lists.trained_seed("fast", 1) == 0
    assert lists.trained_seed("drpose", 1) == 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("seeds:", "trained_once: [nope]\nseeds:", "trained_once: no variant.* nope"),
        ("base: base, ", "", "methods.*must hold `base`"),
        ("[0, 1]", "[1, 1]", "seeds.*holds an entry twice"),
        ("seeds", "seedz", "seedz"),
        ("[a, b]", "[]", "benchmarks"),
    ],
)
def test_faulty_study_names_field_and_file(config, old, new, message):
    path = config / "tiny/study.yaml"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(UserError, match=rf"config/tiny/study.yaml: .*{message}"):
        study.load_study("tiny")


@pytest.mark.parametrize(
    ("text", "cores"),
    [("threads: 2", 2), ("processes: 3", 3), ("seed: 1", 1), ("threads: 1\nprocesses: 2", 1)],
)
def test_cores(config, text, cores):
    (config / "x.yaml").write_text(text)
    assert study.cores_of("config/x.yaml") == cores


@pytest.mark.parametrize("value", ["0", "two", "1.5"])
def test_faulty_cores_name_field_and_file(config, value):
    (config / "x.yaml").write_text(f"threads: {value}")
    with pytest.raises(UserError, match="config/x.yaml: threads"):
        study.cores_of("config/x.yaml")


def test_assets_are_existing_paths_at_any_depth(config, tmp_path):
    (tmp_path / "clip.bvh").write_text("")
    (tmp_path / "amass").mkdir()
    (config / "x.yaml").write_text(
        "sets: {a: {motion: {path: clip.bvh}}, b: {motion: {path: none.bvh}}}\n"
        "sources: [{path: amass}, {path: null}]\nname: clip.bvh\n"
    )
    assert study.assets_of("config/x.yaml") == ["amass", "clip.bvh"]
