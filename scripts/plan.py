"""Print what presets cost as they are and grown: hours, memory, disk.

Without --preset, one line for each case of the config. With it, one line for each stage of that
preset under the factors given.
"""

import argparse

from poseloop.report.planning.config import CaseConfig, PlanningConfig
from poseloop.report.planning.costs import plan
from poseloop.report.planning.table import cases_table, stages_table
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.errors import UserError


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", default="config/demo/planning.yaml", help="planning.yaml")
    parser.add_argument("--preset", help="preset to plan")
    parser.add_argument("--released", help="config of a released denoiser, as its base")
    parser.add_argument("--subjects", type=float, default=1.0, help="factor on people and pictures")
    parser.add_argument("--size", type=int, default=1, help="factor on the side of pictures")
    parser.add_argument("--views", type=float, default=1.0, help="factor on views")
    parser.add_argument("--seeds", type=float, default=1.0, help="factor on seeds")
    parser.add_argument("--steps", type=float, default=1.0, help="factor on fine-tuning steps")
    arguments = parser.parse_args()
    config = load_config(arguments.config, PlanningConfig)
    factors = {
        name: getattr(arguments, name) for name in ("subjects", "size", "views", "seeds", "steps")
    }
    bad = [name for name, factor in factors.items() if factor <= 0]
    if bad:
        raise UserError(f"--{bad[0]}: must be above 0")
    if arguments.preset is None:
        print(cases_table([plan(case, config) for case in config.cases], config), end="")
        return
    case = CaseConfig(preset=arguments.preset, released=arguments.released, **factors)
    planned = plan(case, config)
    print(stages_table(planned) + "\n" + cases_table([planned], config), end="")


if __name__ == "__main__":
    run(main)
