"""A preset: which config file serves a concern, and the lists that shape the job graph."""

from pathlib import Path
from typing import Self

from pydantic import Field, field_validator, model_validator

from poseloop.runtime.config import Config, load_config
from poseloop.runtime.errors import UserError
from poseloop.runtime.yaml_files import read_yaml

CONFIG = Path("config")
DEFAULT_PRESET = "demo"
# Keys of config files whose value is a file or folder that the workflow does not make.
ASSET_KEYS = {"path", "lpips_backbone"}


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
    trained_once: list[str] = Field(
        default=[],
        description="variants that are trained with the first seed alone, to save time; like the "
        "base they are sampled with every seed's noise",
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

    @model_validator(mode="after")
    def _trains_known_variants(self) -> Self:
        unknown = sorted(set(self.trained_once) - set(self.variants))
        if unknown:
            raise ValueError(f"trained_once: no variant(s) {', '.join(unknown)} in `methods`")
        return self

    @property
    def variants(self) -> list[str]:
        """The fine-tuned methods, in their order in the tables."""
        return [name for name in self.methods if name != "base"]

    @property
    def trainings(self) -> list[tuple[str, int]]:
        """Variant and seed of every fine-tuning run."""
        return [
            (variant, seed)
            for variant in self.variants
            for seed in self.seeds
            if self.trained_seed(variant, seed) == seed
        ]

    def trained_seed(self, variant: str, seed: int) -> int:
        """Seed of the training whose model `variant` samples with for the noise of `seed`."""
        return self.seeds[0] if variant in self.trained_once else seed


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
    presets = sorted({file.parent.name for file in CONFIG.glob("*/*.yaml")})
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


def cores_of(path: str | Path) -> int:
    """CPU cores that a config file asks for: its `threads`, or its `processes`, or 1.

    Threads belong to the config because the order of floating-point sums depends on them.

    Raises
    ------
    UserError
        The file is not YAML, or the value is no positive whole number.
    """
    content = _read(path)
    for key in ("threads", "processes"):
        cores = content.get(key)
        if cores is None:
            continue
        if not isinstance(cores, int) or cores < 1:
            raise UserError(f"{path}: {key}: must be a whole number from 1, not {cores!r}")
        return cores
    return 1


def assets_of(path: str | Path) -> list[str]:
    """Existing files and folders of the user's own that a config file names.

    They are the values of keys in `ASSET_KEYS`, at any depth. One that does not exist is left
    out: the script that needs it says which field names it.
    """
    found: set[str] = set()
    waiting: list[object] = [_read(path)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            waiting += node.values()
            named = {node[key] for key in ASSET_KEYS & node.keys() if isinstance(node[key], str)}
            found |= {asset for asset in named if _exists(asset)}
    return sorted(found)


def _exists(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):  # no name that a file can have
        return False


def _read(path: str | Path) -> dict:
    """Content of a YAML mapping, not yet checked against a model."""
    content = read_yaml(path, "config file")
    return content if isinstance(content, dict) else {}
