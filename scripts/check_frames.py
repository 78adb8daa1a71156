"""Check drawn frames by their joints; keep the good ones as a pose set, and measure all."""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from poseloop.data.clipset import ClipSet
from poseloop.data.store import SelectedPoses
from poseloop.evaluate.acceptance import accept_frames, drawn_pose_set
from poseloop.evaluate.frame_check import FrameCheck, held_out_values, pose_set_values
from poseloop.evaluate.keypoints import calibrate
from poseloop.evaluate.pose import load_judge
from poseloop.multiview.animate.config import AnimateConfig
from poseloop.multiview.animate.sampling import redraw
from poseloop.multiview.loading import load_autoencoder
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.device import choose_device
from poseloop.runtime.files import read_npz, write_json, write_npz, write_text
from poseloop.runtime.seeds import make_deterministic


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="animate.yaml")
    parser.add_argument("--checker", type=Path, required=True, help="from train_checker.py")
    parser.add_argument("--autoencoder", type=Path, required=True)
    parser.add_argument("--poses", type=Path, required=True, help="poseset/poses.npz")
    parser.add_argument("--held-out", type=Path, required=True, help="held-out sequences")
    parser.add_argument("--held-out-frames", type=Path, required=True, help="drawn for them")
    parser.add_argument("--clips", type=Path, required=True, help="the pose set's sequences")
    parser.add_argument("--frames", type=Path, required=True, help="drawn for them")
    parser.add_argument("--output", type=Path, required=True, help="accepted frames (.npz)")
    parser.add_argument("--report", type=Path, required=True, help="rejection rate (.json)")
    parser.add_argument("--errors", type=Path, required=True, help="error of every frame (.csv)")
    parser.add_argument("--metrics", type=Path, required=True, help="per sequence (.json)")
    arguments = parser.parse_args()

    config = load_config(arguments.config, AnimateConfig)
    make_deterministic(config.seed, config.threads)
    check = FrameCheck(load_judge(arguments.checker).network, config.filter.batch_size)
    autoencoder = load_autoencoder(arguments.autoencoder, choose_device("cpu"))

    held_out = ClipSet.load(arguments.held_out)
    truth = held_out.rgb
    methods = {
        "renderer": truth,
        "autoencoder": redraw(autoencoder, truth, config.filter.batch_size),
        "reference": np.broadcast_to(held_out.reference_rgb[:, None], truth.shape),
        "animate": read_npz(arguments.held_out_frames, "rgb")["rgb"],
    }
    errors = {name: check.errors(frames, held_out) for name, frames in methods.items()}
    threshold = calibrate(errors["renderer"], config.filter.quantile)

    clips = ClipSet.load(arguments.clips)
    frames = read_npz(arguments.frames, "rgb")["rgb"]
    rendered, drawn = check.errors(clips.rgb, clips), check.errors(frames, clips)
    accepted = accept_frames(drawn, clips.pose, threshold)
    shown = clips.pose >= 0
    write_json(
        arguments.report,
        {
            "threshold_mm": round(threshold, 3),
            "quantile": config.filter.quantile,
            "frames": int(shown.sum()),
            "accepted": int(accepted.sum()),
            "rejection_rate": round(float(1 - accepted.sum() / shown.sum()), 5),
            "rejection_rate_renderer": round(float((rendered[shown] > threshold).mean()), 5),
            "error_mm_before": round(float(drawn[shown].mean()), 3),
            "error_mm_after": round(float(drawn[accepted].mean()), 3) if accepted.any() else None,
            "error_mm_renderer": round(float(rendered[shown].mean()), 3),
        },
    )
    sequence, frame = np.nonzero(shown)
    table = pd.DataFrame(
        {
            "pose": clips.pose[shown],
            "sequence": sequence,
            "frame": frame,
            "error_mm": drawn[shown].round(3),
            "error_mm_renderer": rendered[shown].round(3),
            "accepted": accepted[shown].astype(int),
        }
    )
    write_text(arguments.errors, table.to_csv(index=False))
    write_json(
        arguments.metrics,
        {
            "held_out": held_out_values(errors, methods, "renderer", threshold),
            "poseset": pose_set_values(rendered, drawn, clips.pose, accepted, threshold),
        },
    )
    selected = SelectedPoses.load(arguments.poses)
    contrast = config.filter.colour_contrast
    pose_set, pose = drawn_pose_set(clips, frames, accepted, selected, contrast)
    write_npz(arguments.output, {**vars(pose_set), "pose": pose})


if __name__ == "__main__":
    run(main)
