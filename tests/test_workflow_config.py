"""Every config file of every preset is valid, and a typo in it names the field and the file."""

from pathlib import Path

import pytest
import yaml

from poseloop.body.config import BodyConfig
from poseloop.data.capture_config import CapturesConfig
from poseloop.data.clip_config import ClipSetsConfig
from poseloop.data.config import PoseSetConfig, ViewSetsConfig
from poseloop.evaluate.config import EvaluateConfig, JudgeConfig
from poseloop.evaluate.hacking.config import HackingConfig
from poseloop.hmr.config import BaseConfig
from poseloop.hmr.evaluation_config import CleaningConfig, MeasureConfig
from poseloop.hmr.image_config import ImageSetsConfig as HmrImageSetsConfig
from poseloop.hmr.preference_config import PreferencesConfig
from poseloop.hmr.scorer_config import ScorerConfig
from poseloop.hmr.study import AdhmrStudyConfig
from poseloop.hmr.tune_config import TuneConfig
from poseloop.motion.config import MotionConfig
from poseloop.multiview.animate.config import AnimateConfig
from poseloop.multiview.config import AutoencoderConfig, GenerateConfig, MultiviewConfig
from poseloop.multiview.pshuman.config import ReleasedConfig
from poseloop.posegen.config import PosegenConfig
from poseloop.posegen.config_estimators import EstimatorsConfig
from poseloop.posegen.config_images import ImageSetsConfig
from poseloop.posegen.config_nerf import NerfConfig
from poseloop.reconstruct.config import CarveConfig
from poseloop.report.config import ReportConfig
from poseloop.report.hmr_config import HmrReportConfig
from poseloop.report.html.config import HtmlConfig
from poseloop.report.planning.config import PlanningConfig
from poseloop.report.posegen_config import PosegenReportConfig
from poseloop.reward.config import DrPoseConfig, PoseScoreConfig
from poseloop.reward.family.config import FamilyConfig
from poseloop.runtime import study
from poseloop.runtime.assets_config import AssetsConfig
from poseloop.runtime.config import load_config
from poseloop.runtime.errors import UserError

ROOT = Path(__file__).resolve().parents[1]
MODELS = {
    "ablations": FamilyConfig,
    "adhmr": TuneConfig,
    "adhmr_report": HmrReportConfig,
    "adhmr_study": AdhmrStudyConfig,
    "animate": AnimateConfig,
    "animate_clips": ClipSetsConfig,
    "assets": AssetsConfig,
    "autoencoder": AutoencoderConfig,
    "benchmarks": ViewSetsConfig,
    "body": BodyConfig,
    "captures": CapturesConfig,
    "carve": CarveConfig,
    "drpose": DrPoseConfig,
    "evaluate": EvaluateConfig,
    "family": FamilyConfig,
    "generate": GenerateConfig,
    "hacking": HackingConfig,
    "hmr": BaseConfig,
    "hmr_cleaning": CleaningConfig,
    "hmr_evaluate": MeasureConfig,
    "hmr_images": HmrImageSetsConfig,
    "hmr_preferences": PreferencesConfig,
    "hmr_scorer": ScorerConfig,
    "judge": JudgeConfig,
    "motion": MotionConfig,
    "multiview": MultiviewConfig,
    "planning": PlanningConfig,
    "posegen": PosegenConfig,
    "posegen_estimators": EstimatorsConfig,
    "posegen_images": ImageSetsConfig,
    "posegen_nerf": NerfConfig,
    "posegen_report": PosegenReportConfig,
    "poseset": PoseSetConfig,
    "poseset_random": PoseSetConfig,
    "posescore": PoseScoreConfig,
    "posescore_held_out": PoseScoreConfig,
    "report": ReportConfig,
    "report_html": HtmlConfig,
    "scans": ViewSetsConfig,
    "study": study.StudyConfig,
}
# Released weights, which the paper preset alone names.
RELEASED = dict.fromkeys(("era3d", "era3d_ortho", "pshuman"), ReleasedConfig)
PRESETS = sorted({path.parent.name for path in (ROOT / "config").glob("*/*.yaml")})
FILES = [path.relative_to(ROOT) for path in sorted((ROOT / "config").glob("*/*.yaml"))]


@pytest.fixture(autouse=True)
def _root(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize("path", FILES, ids=str)
def test_file_is_valid_and_a_typo_is_named(path, tmp_path):
    model = (MODELS | RELEASED)[path.stem]
    load_config(path, model)
    copy = tmp_path / path.name
    copy.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), "sede": 1}))
    with pytest.raises(UserError, match=rf"{copy}: .*sede"):
        load_config(copy, model)


def test_demo_has_every_concern():
    assert {path.stem for path in Path("config/demo").glob("*.yaml")} == set(MODELS)


@pytest.mark.parametrize("preset", PRESETS)
def test_lists_of_the_study_name_entries_of_the_other_files(preset):
    lists = study.load_study(preset)
    scans = load_config(study.config_file(preset, "scans"), ViewSetsConfig)
    benchmarks = load_config(study.config_file(preset, "benchmarks"), ViewSetsConfig)
    drpose = load_config(study.config_file(preset, "drpose"), DrPoseConfig)
    used = {*lists.training_scans, *lists.validation_scans, lists.judge_scans}
    assert used <= set(scans.sets)
    assert set(lists.benchmarks) <= set(benchmarks.sets)
    assert set(lists.variants) <= set(drpose.variants)


@pytest.mark.parametrize("preset", PRESETS)
def test_posegen_names_sets_and_estimators_of_its_other_files(preset):
    loop = load_config(study.config_file(preset, "posegen"), PosegenConfig)
    images = load_config(study.config_file(preset, "posegen_images"), ImageSetsConfig)
    estimators = load_config(study.config_file(preset, "posegen_estimators"), EstimatorsConfig)
    assert {*loop.test_sets, loop.indomain, "ordinary", "validation"} <= set(images.sets)
    assert {entry.images for entry in estimators.estimators.values()} <= set(images.sets)
    for method in loop.methods.values():
        assert set(method.estimators or ()) <= set(estimators.tuned)


@pytest.mark.parametrize("preset", PRESETS)
def test_posegens_sets_share_neither_people_nor_unseen_clips(preset):
    """Test and validation clips train nothing; only forgetting is measured on training clips."""
    loop = load_config(study.config_file(preset, "posegen"), PosegenConfig)
    images = load_config(study.config_file(preset, "posegen_images"), ImageSetsConfig)
    nerf = load_config(study.config_file(preset, "posegen_nerf"), NerfConfig)
    roles = dict.fromkeys(loop.test_sets, "test") | {"validation": "val"}
    for name, entry in images.sets.items():
        assert entry.motion.splits == (roles.get(name, "train"),)
    assert loop.generator.motion.splits == nerf.capture.motion.splits == ("train",)
    streams = [entry.people.stream for entry in images.sets.values()]
    assert nerf.capture.people.stream not in streams
