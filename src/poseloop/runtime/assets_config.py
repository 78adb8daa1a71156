"""assets.yaml: files that the user has to obtain, and what each of them allows."""

from pathlib import PurePosixPath
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from poseloop.runtime.config import Config


def _inside(path: str) -> str:
    """A relative path without a step upward."""
    pure = PurePosixPath(path)
    if not path or pure.is_absolute() or ".." in pure.parts or "\\" in path or "~" in path:
        raise ValueError("must be a relative path that stays in the assets folder")
    return path


Relative = Annotated[str, AfterValidator(_inside)]
Loop = Literal["drpose", "adhmr", "posegen"]


class AssetConfig(Config):
    """One external file, or one folder of them."""

    what: str = Field(description="what it is, in a few words")
    loops: tuple[Loop, ...] = Field(description="loops that read it", min_length=1)
    register_at: str | None = Field(description="where to ask for it; null: not known")
    licence: str | None = Field(description="its licence; null: not known")
    path: Relative = Field(description="file or folder, relative to the assets folder")
    holds: tuple[Relative, ...] = Field(
        default=(),
        description="glob patterns of which a folder must hold at least one file each; without "
        "any the path is a file",
    )
    sha256: str | None = Field(
        default=None, pattern="^[0-9a-f]{64}$", description="checksum of a file; null: not known"
    )
    size: int | None = Field(default=None, ge=1, description="bytes of a file; null: not known")

    @model_validator(mode="after")
    def _checksum_of_a_file(self) -> Self:
        if self.holds and (self.sha256 is not None or self.size is not None):
            raise ValueError("sha256 and size are of a file; a folder has `holds`")
        return self


class TargetConfig(Config):
    """A part of the study and the assets without which it cannot run as the paper has it."""

    what: str = Field(description="the part of the study, in a few words")
    needs: tuple[str | tuple[str, ...], ...] = Field(
        description="assets, each by name, or a list of names of which one is enough"
    )


class AssetsConfig(Config):
    """assets.yaml."""

    folder: str = Field(
        default="assets", description="folder of all assets, from the repository's root"
    )
    assets: dict[str, AssetConfig] = Field(default={}, description="assets by name")
    targets: dict[str, TargetConfig] = Field(default={}, description="parts of the study by name")

    @model_validator(mode="after")
    def _targets_need_known_assets(self) -> Self:
        for name, target in self.targets.items():
            unknown = {one for need in target.needs for one in alternatives(need)}
            unknown -= set(self.assets)
            if unknown:
                raise ValueError(f"targets.{name}.needs: no asset(s) {', '.join(sorted(unknown))}")
        return self


def alternatives(need: str | tuple[str, ...]) -> tuple[str, ...]:
    """Names of the assets of which one satisfies a need."""
    return (need,) if isinstance(need, str) else need
