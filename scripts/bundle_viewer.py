"""Bundle the report's mesh viewer with three.js from the npm registry, by the lock file."""

import argparse
import shutil
import subprocess
import tempfile
from pathlib import Path

from poseloop.runtime.cli import run
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import atomic_path, require_file

FILES = ("package.json", "package-lock.json", "viewer.js")
INSTALL = ("npm", "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund")
BUNDLE = ("node_modules/.bin/esbuild", "viewer.js", "--bundle", "--minify", "--format=esm")


def call(command: tuple[str, ...], folder: str) -> None:
    """Run a command in a folder.

    Raises
    ------
    UserError
        It fails; its last line is quoted.
    """
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no message"]
        raise UserError(f"{' '.join(command[:2])} failed: {lines[-1]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--package", type=Path, required=True, help="package.json")
    parser.add_argument("--output", type=Path, required=True, help="bundled script")
    arguments = parser.parse_args()

    if shutil.which("npm") is None:
        raise UserError(
            "npm not found: the report's mesh viewer is bundled with it; install Node.js and npm "
            "(Debian: apt install npm)"
        )
    # Packages are installed away from the checkout, so that nothing of them can be committed.
    with tempfile.TemporaryDirectory() as folder:
        for name in FILES:
            shutil.copy(require_file(arguments.package.parent / name, "part of the viewer"), folder)
        call(INSTALL, folder)
        with atomic_path(arguments.output) as temporary:
            call((*BUNDLE, f"--outfile={temporary.resolve()}"), folder)


if __name__ == "__main__":
    run(main)
