"""The state of the assets as text for people and as JSON for programs."""

from collections.abc import Sequence

from poseloop.runtime.assets import PRESENT, AssetState, lacking
from poseloop.runtime.assets_config import AssetsConfig


def as_text(config: AssetsConfig, states: dict[str, AssetState]) -> str:
    """One table of the assets and below it what can run and what cannot, with the reason."""
    if not config.assets:
        return "This preset needs no assets: nothing to check.\n"
    rows = [("asset", "status", "path", "loops", "reason")]
    for name, asset in config.assets.items():
        state = states[name]
        where = f"; ask at {asset.register_at}" if asset.register_at else ""
        reason = "" if state.status == PRESENT else state.reason + where
        rows.append((name, state.status, asset.path, ", ".join(asset.loops), reason))
    text = _columns(rows)
    if config.targets:
        targets = [("target", "runs", "part of the study", "reason")]
        for name, needs in lacking(config, states).items():
            reason = f"needs {'; '.join(needs)}" if needs else ""
            targets.append((name, "no" if needs else "yes", config.targets[name].what, reason))
        text += "\n" + _columns(targets)
    return text


def as_json(config: AssetsConfig, states: dict[str, AssetState]) -> dict:
    """The same as plain data; paths are relative to the assets folder."""
    return {
        "assets": {
            name: {**asset.model_dump(mode="json"), **vars(states[name])}
            for name, asset in config.assets.items()
        },
        "targets": {
            name: {"runs": not needs, "lacks": needs}
            for name, needs in lacking(config, states).items()
        },
    }


def _columns(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join(lines) + "\n"
