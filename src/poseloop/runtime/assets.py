"""Which of the declared assets are there, whole, and what they allow to run."""

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

from poseloop.runtime.assets_config import AssetConfig, AssetsConfig, alternatives
from poseloop.runtime.files import sha256

PRESENT, MISSING, CORRUPT = "present", "missing", "corrupt"


@dataclass(frozen=True)
class AssetState:
    """Status (present, missing or corrupt) of an asset, and the reason if it is not present."""

    status: str
    reason: str = ""


def check_assets(config: AssetsConfig) -> dict[str, AssetState]:
    """State of every declared asset, by name; nothing is unpickled or decoded."""
    return {name: _check(Path(config.folder), asset) for name, asset in config.assets.items()}


def lacking(config: AssetsConfig, states: dict[str, AssetState]) -> dict[str, list[str]]:
    """For each target, the needs that no present asset satisfies; none: the target can run."""
    return {
        name: [
            " or ".join(f"{one} ({states[one].status})" for one in alternatives(need))
            for need in target.needs
            if all(states[one].status != PRESENT for one in alternatives(need))
        ]
        for name, target in config.targets.items()
    }


def _check(folder: Path, asset: AssetConfig) -> AssetState:
    path = folder / asset.path
    try:
        if path.is_symlink() and not path.exists():
            return AssetState(CORRUPT, f"is a link to {path.readlink()}, which is not there")
        if not path.exists():
            return AssetState(MISSING, "not found")
        reason = _folder_fault(path, asset) if asset.holds else _fault(path, path)
        reason = reason or _difference(path, asset)
    except OSError as fault:
        reason = f"unreadable ({fault.strerror})"
    return AssetState(CORRUPT, reason) if reason else AssetState(PRESENT)


def _folder_fault(path: Path, asset: AssetConfig) -> str:
    if not path.is_dir():
        return "is not a folder"
    for pattern in asset.holds:
        files = sorted(path.glob(pattern))
        if not files:
            return f"wrong layout: holds no {pattern}"
        for file in files:
            if reason := _fault(path, file):
                return f"{file.relative_to(path).as_posix()}: {reason}"
    return ""


def _fault(asset: Path, path: Path) -> str:
    """What is wrong with a file, by its head and its frame alone.

    The asset itself may be a link, made by the user; a link inside it came with the download.
    """
    if not path.resolve().is_relative_to(asset.resolve()):
        return "leads out of the asset's folder"
    if not path.is_file():
        return "is not a file"
    with open(path, "rb") as stream:
        if not stream.read(1):
            return "is empty"
    if path.suffix in (".npz", ".zip") and not zipfile.is_zipfile(path):
        return "truncated or not a zip archive"
    if path.suffix == ".safetensors" and not _whole_safetensors(path):
        return "truncated or not a safetensors file"
    return ""


def _whole_safetensors(path: Path) -> bool:
    """Whether the file is as long as its header says: 8 bytes of length, JSON, tensors."""
    size = path.stat().st_size
    with open(path, "rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if length > size - 8:
            return False
        try:
            header = json.loads(stream.read(length))
            header.pop("__metadata__", None)
            end = max((tensor["data_offsets"][1] for tensor in header.values()), default=0)
            return size == 8 + length + end
        except Exception:  # whatever the header holds instead
            return False


def _difference(path: Path, asset: AssetConfig) -> str:
    if asset.size is not None and path.stat().st_size != asset.size:
        return f"has {path.stat().st_size} bytes, not {asset.size}"
    if asset.sha256 is not None and sha256(path) != asset.sha256:
        return "sha256 differs"
    return ""
