"""Subjects to look at: base, fine-tuned and true views side by side, the hardest first."""

from collections.abc import Mapping

import numpy as np

from poseloop.report.figure_qualitative import hardest
from poseloop.report.html.pictures import picture_url, views_strip

Arrays = Mapping[str, np.ndarray]


def browse(
    name: str, benchmark: Arrays, sources: Mapping[str, Arrays], error: np.ndarray, count: int
) -> list[dict]:
    """One entry per subject for the page.

    Parameters
    ----------
    name : str
        Of the benchmark.
    benchmark : mapping
        `input_rgb` (N, S, S, 3), `rgb` and `normal` (N, K, S, S, 3) uint8, `azimuths` (K,) degrees.
    sources : mapping
        Method's name to its `rgb` and `normal`, shaped as the benchmark's.
    error : (seeds, N) array
        By which subjects are hard: the base's joint error, mm.
    count : int
        Subjects to show.

    Returns
    -------
    list of dict
        `benchmark`, `subject`, `error`, `views` (text), `input` (URL) and `strips`, a list of
        `name` and `url`, methods first, truth last.
    """
    views = ", ".join(f"{azimuth:g}°" for azimuth in benchmark["azimuths"])
    return [
        {
            "benchmark": name,
            "subject": int(subject),
            "error": float(error.mean(0)[subject]),
            "views": views,
            "input": picture_url(benchmark["input_rgb"][subject]),
            "strips": [
                {"name": label, "url": picture_url(views_strip(*_views(pictures, subject)))}
                for label, pictures in {**sources, "truth": benchmark}.items()
            ],
        }
        for subject in hardest(error, count)
    ]


def _views(pictures: Arrays, subject: int) -> tuple[np.ndarray, np.ndarray]:
    return pictures["rgb"][subject], pictures["normal"][subject]
