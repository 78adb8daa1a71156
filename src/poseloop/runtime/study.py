"""A preset: which config file serves a concern, and the lists that shape the job graph."""

from pathlib import Path

import yaml
from pydantic import Field, field_validator

from poseloop.runtime.config import Config, load_config
from poseloop.runtime.errors import UserError

CONFIG = Path("config")
DEFAULT_PRESET = "demo"


class StudyConfig(Config):
    """Lists by which the workflow makes its jobs: one job per seed, method, scan set, benchmark."""

    seeds: list[int] = Field(
        description="seeds of fine-tuning and of the sampling noise; each is trained and sampled",
        min_length=1,
    )
    methods: dict[str, str] = Field(
        description="method name in paths: its name in tables and figures. `base` is the model "
        "before fine-tuning; every other name is a variant in drpose.yaml"
    )
    benchmarks: list[str] = Field(
        description="benchmarks to render, sample and evaluate: entries of benchmarks.yaml",
        min_length=1,
    )
    training_scans: list[str] = Field(
        description="scan sets (scans.yaml) on which the models train", min_length=1
    )
    validation_scans: list[str] = Field(
        description="scan sets (scans.yaml) on which the models are chosen", min_length=1
    )
    judge_scans: str = Field(
        description="scan set (scans.yaml) on which the independent judge trains"
    )

    @field_validator("methods")
    @classmethod
    def _has_base(cls, methods: dict[str, str]) -> dict[str, str]:
        if "base" not in methods:
            raise ValueError("must hold `base`, the model that the others are compared with")
        return methods

    @field_validator("seeds", "benchmarks", "training_scans", "validation_scans")
    @classmethod
    def _unique(cls, values: list) -> list:
        if len(set(values)) < len(values):
            raise ValueError(f"holds an entry twice: {values}")
        return values

    @property
    def variants(self) -> list[str]:
        """The fine-tuned methods, in their order in the tables."""
        return [name for name in self.methods if name != "base"]


def preset_of(options: dict) -> str:
    """The preset asked for by `--config preset=<name>`.

    Raises
    ------
    UserError
        An option other than `preset`, or a preset without a folder in `config/`.
    """
    unknown = sorted(set(options) - {"preset"})
    if unknown:
        raise UserError(
            f"--config: unknown key(s) {', '.join(unknown)}; the only key is `preset`, "
            f"all other values are in {CONFIG}/<preset>/*.yaml"
        )
    preset = str(options.get("preset", DEFAULT_PRESET))
    presets = sorted(folder.name for folder in CONFIG.iterdir() if folder.is_dir())
    if preset not in presets:
        raise UserError(f"--config preset={preset}: unknown preset; there are {', '.join(presets)}")
    return preset


def config_file(preset: str, concern: str) -> str:
    """Path of a preset's file for `concern`; a preset holds only what differs from the default.

    Raises
    ------
    UserError
        Neither the preset nor the default one has such a file.
    """
    for folder in (preset, DEFAULT_PRESET):
        path = CONFIG / folder / f"{concern}.yaml"
        if path.is_file():
            return str(path)
    raise UserError(f"{CONFIG / preset / concern}.yaml: config file not found")


def load_study(preset: str) -> StudyConfig:
    """The lists of a preset, from its `study.yaml`."""
    return load_config(config_file(preset, "study"), StudyConfig)


def threads_of(path: str | Path) -> int:
    """The `threads` value of a config file, 1 if it has none.

    The count belongs to the config because the order of floating-point sums depends on it.

    Raises
    ------
    UserError
        The file is not YAML, or the value is no positive whole number.
    """
    try:
        content = yaml.safe_load(Path(path).read_text())
    except yaml.YAMLError as fault:
        raise UserError(f"{path}: not valid YAML ({fault})") from fault
    threads = content.get("threads", 1) if isinstance(content, dict) else 1
    if not isinstance(threads, int) or threads < 1:
        raise UserError(f"{path}: threads: must be a whole number from 1, not {threads!r}")
    return threads
