"""Draw sequences of the image-animation model beside what asked for them and the truth."""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from poseloop.data.clipset import ClipSet
from poseloop.multiview.animate.config import AnimateConfig
from poseloop.report.figure_animate import Strip, draw_strips
from poseloop.report.style import save
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.files import read_npz


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="animate.yaml")
    parser.add_argument("--held-out", type=Path, required=True, help="held-out sequences")
    parser.add_argument("--held-out-frames", type=Path, required=True, help="drawn for them")
    parser.add_argument("--clips", type=Path, required=True, help="the pose set's sequences")
    parser.add_argument("--frames", type=Path, required=True, help="drawn for them")
    parser.add_argument("--errors", type=Path, required=True, help="from check_frames.py")
    parser.add_argument("--output", type=Path, nargs="+", required=True, help=".png and .pdf")
    arguments = parser.parse_args()
    figure = load_config(arguments.config, AnimateConfig).figure
    errors = pd.read_csv(arguments.errors)
    strips = []
    for name, path, frames in (
        ("held out", arguments.held_out, arguments.held_out_frames),
        ("pose set", arguments.clips, arguments.frames),
    ):
        clips, drawn = ClipSet.load(path), read_npz(frames, "rgb")["rgb"]
        rejected = np.zeros(clips.pose.shape, bool)
        if name == "pose set":
            rejected[errors["sequence"], errors["frame"]] = errors["accepted"] == 0
        strips += [
            Strip(
                f"{name}: {clips.clip[row]}",
                clips.reference_rgb[row],
                clips.parts[row],
                drawn[row],
                clips.rgb[row],
                rejected[row],
            )
            for row in range(min(figure.sequences, len(clips)))
        ]
    save(draw_strips(strips, figure.frames), arguments.output)


if __name__ == "__main__":
    run(main)
