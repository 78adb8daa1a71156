"""Retarget all motion clips to the body, check them, and write one table of frames."""

import argparse

from poseloop.body.files import read_body
from poseloop.motion.clips import prepare
from poseloop.motion.config import MotionConfig
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.files import write_json, write_npz


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", required=True, help="motion.yaml")
    parser.add_argument(
        "--body", required=True, help="SMPL_NEUTRAL.npz or .pkl, or its model folder"
    )
    parser.add_argument("--clips", required=True, help="npz to write")
    parser.add_argument("--report", required=True, help="JSON of retargeting errors to write")
    arguments = parser.parse_args()
    config = load_config(arguments.config, MotionConfig)
    body = read_body(arguments.body)
    arrays, report = prepare(config, body["J_regressor"] @ body["v_template"])
    write_npz(arguments.clips, arrays)
    write_json(arguments.report, report)


if __name__ == "__main__":
    run(main)
