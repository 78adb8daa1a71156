"""Settings of captured people as scan sets."""

from typing import Literal

from pydantic import Field

from poseloop.runtime.config import Config


class CaptureSetConfig(Config):
    """A folder of textured scans with SMPL-X fits that serves as a scan set."""

    kind: Literal["thuman21", "customhumans"] = Field(
        description="Layout of the folder, as in docs/guides/own-scans.md."
    )
    path: str = Field(description="The folder.")
    names: list[str] | None = Field(
        None, min_length=1, description="Scans to take, as the folder calls them; null takes all."
    )
    yaw: float = Field(
        45.0, ge=0, le=180, description="Facing is uniform within this of the camera, degrees."
    )
    tolerance: float = Field(
        0.05,
        gt=0,
        description="Largest median distance of a scan to its fit, metres; more means another "
        "body model or other axes.",
    )


class CapturesConfig(Config):
    """captures.yaml."""

    seed: int = Field(0, description="Seed of the facing.")
    captures: dict[str, CaptureSetConfig] = Field(
        description="Scan sets by name; study.yaml names them as it names those of scans.yaml."
    )
