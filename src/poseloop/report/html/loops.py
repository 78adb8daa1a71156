"""The loops as sections of the page: what each does, its figures and its tables."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from poseloop.report.html.cells import Provenance, page_table
from poseloop.report.html.pictures import file_url
from poseloop.runtime.files import require_file


@dataclass(frozen=True)
class Loop:
    """A loop.

    Attributes
    ----------
    name : str
        Prefix of its tables.
    title, story : str
        For readers.
    figures : tuple of str
        Its figures that do not carry its name, in the order in which they are shown.
    """

    name: str
    title: str
    story: str
    figures: tuple[str, ...] = ()


LOOPS = (
    Loop(
        "drpose",
        "DrPose: a reward on poses",
        "A diffusion model draws six views of a person from one image. PoseScore predicts skeleton "
        "maps from its latents and compares them with the true pose; this reward is "
        "differentiable, and the model is fine-tuned along its gradient, with a bound on how far "
        "it moves from the base. The pictures follow the chain: the body and the captured clips, "
        "the spread of the pose set against that of the scans, PoseScore's skeleton maps, reward "
        "and divergence over fine-tuning, the hardest subjects, error by pose difficulty, and, "
        "where made, meshes carved from the views, other ways of fine-tuning, ablations, and "
        "the reward against judges. "
        "PoseScore is the training signal and no evidence; the judge of joints has seen none of "
        "it.",
        (
            "fig_bodies",
            "fig_motion",
            "fig_pose_diversity",
            "fig_skeletons",
            "fig_training",
            "fig_qualitative",
            "fig_difficulty",
            "fig_carving",
            "fig_family",
            "fig_ablations",
            "fig_hacking",
        ),
    ),
    Loop(
        "adhmr",
        "ADHMR: preferences on body hypotheses",
        "A diffusion model draws many bodies that one image allows. HMR-Scorer ranks them, pairs "
        "of better and worse ones are its preferences, and the model is aligned with these by DPO.",
    ),
    Loop(
        "posegen",
        "PoseGen: an adversary of the pose estimator",
        "A generator proposes poses and cameras, an articulated NeRF draws them, and the pose "
        "estimator's own error tells which are hard. The generator learns to find these, and the "
        "estimator is fine-tuned on what it finds.",
    ),
)


def sections(
    tables: Iterable[Path], figures: Iterable[Path], captions: Path, provenance: Provenance
) -> list[dict]:
    """One entry per loop that has tables: `name`, `title`, `story`, `tables` and `figures`.

    Parameters
    ----------
    captions : Path
        Folder of the figures' captions, `<figure>.rst`; a figure without one shares its loop's.

    Raises
    ------
    UserError
        A file is missing or is no table.
    """
    by_stem = {path.stem: path for path in figures}
    entries = []
    for loop in LOOPS:
        own = [path for path in tables if path.stem.startswith(f"{loop.name}_")]
        if not own:
            continue
        named = [stem for stem in sorted(by_stem) if stem.startswith(f"fig_{loop.name}_")]
        shown = [stem for stem in loop.figures if stem in by_stem] + named
        entries.append(
            {
                "name": loop.name,
                "title": loop.title,
                "story": loop.story,
                "tables": [page_table(path, provenance) for path in own],
                "figures": [_figure(by_stem, stem, captions, loop) for stem in shown],
            }
        )
    return entries


def _figure(paths: Mapping[str, Path], stem: str, captions: Path, loop: Loop) -> dict[str, str]:
    caption = captions / f"{stem}.rst"
    if not caption.is_file():
        caption = require_file(captions / f"{loop.name}_figures.rst", "caption")
    return {"url": file_url(paths[stem]), "caption": " ".join(caption.read_text().split())}
