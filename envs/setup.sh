#!/usr/bin/env bash
# Make .venv with everything pinned in requirements.lock, PyTorch for this machine's hardware and
# the motion clips; check that pictures can be drawn. Run from the root of the repository, again
# whenever the lock changes: what is in place is kept.
set -euo pipefail

TORCH=2.13.0
PYBULLET=3.2.7
UV=0.13.9
venv=.venv
python=$venv/bin/python

say() { printf '\n== %s\n' "$*"; }

# Errors only: an index that lacks a package is no news. Torch's own needs are pinned as well.
pip_install() { "$python" -m pip install -qq --constraint envs/requirements.lock "$@"; }

# Install Debian packages if that is allowed without a question; say what is missing otherwise.
apt_install() {
    local become=""
    if [ "$(id -u)" != 0 ]; then
        become="sudo -n"
        $become true 2>/dev/null || become="no"
    fi
    if [ "$become" != no ] && command -v apt-get >/dev/null; then
        if $become apt-get install -y --no-install-recommends "$@" >/dev/null 2>&1 ||
            { $become apt-get update && $become apt-get install -y --no-install-recommends "$@"; } \
                >/dev/null 2>&1; then
            return 0
        fi
    fi
    echo "could not install $*; to do it yourself: sudo apt-get install -y $*" >&2
    return 1
}

# First interpreter on the PATH that Snakemake 9 supports.
find_python() {
    local name
    for name in ${PYTHON:-} python3.13 python3.12 python3.11 python3 python3.14; do
        if "$name" -c 'import sys; sys.exit(not sys.version_info >= (3, 11))' 2>/dev/null; then
            command -v "$name"
            return 0
        fi
    done
    return 1
}

make_venv() {
    local base
    if base=$(find_python); then
        "$base" -m venv "$venv" 2>/dev/null && return 0
        # Debian keeps ensurepip in a package of its own.
        rm -rf "$venv"
        apt_install "$(basename "$(readlink -f "$base")")-venv" && "$base" -m venv "$venv"
        return
    fi
    # Python 3.10 only (Ubuntu 22.04): its archive has 3.11, and uv brings one anywhere else.
    say "Snakemake 9 needs Python 3.11 or newer"
    if apt_install python3.11 python3.11-venv; then
        python3.11 -m venv "$venv"
        return
    fi
    python3 -m pip install --quiet --target .scratch/uv uv
    PYTHONPATH=.scratch/uv python3 -m uv venv --quiet --seed --python 3.12 "$venv"
}

install_torch() {
    if command -v nvidia-smi >/dev/null && nvidia-smi >/dev/null 2>&1; then
        pip_install "torch==$TORCH"
        return
    fi
    # The CPU build: from an index or folder that pip is configured with, from PyTorch's own
    # index, and last PyPI's build, which is larger and runs on a CPU as well.
    pip_install "torch==$TORCH+cpu" 2>/dev/null ||
        pip_install --retries 1 --extra-index-url \
            https://download.pytorch.org/whl/cpu "torch==$TORCH+cpu" 2>/dev/null ||
        pip_install "torch==$TORCH"
}

# uv does in ten seconds what takes pip two minutes, but knows nothing of pip's settings: where these
# name an index of their own, pip does it. Either refuses a file whose hash is not in the list, which
# holds all that the packages need; an index that builds its own files needs POSELOOP_UNHASHED=1.
install_lock() {
    local hashed=(--require-hashes --no-deps -r envs/requirements.sha256)
    if [ -n "${POSELOOP_UNHASHED:-}" ]; then
        pip_install -r envs/requirements.lock
        return
    fi
    { pip_install "uv==$UV" &&
        "$venv/bin/uv" pip install --quiet --python "$python" "${hashed[@]}"; } 2>/dev/null ||
        "$python" -m pip install -qq "${hashed[@]}"
    # The list was made on one Python; another may need a package more.
    "$python" -m pip check >/dev/null || pip_install -r envs/requirements.lock
}

# The captured clips lie in pybullet's wheel. Only these files are wanted, and only two versions
# of Python have a wheel, so one is fetched as a plain archive and the clips are unpacked.
install_clips() {
    local folder=.scratch/pybullet
    "$python" -m pip download -qq --no-deps --only-binary=:all: --python-version 3.11 \
        --platform manylinux_2_17_x86_64 --dest "$folder" "pybullet==$PYBULLET"
    "$python" - "$folder" <<'CLIPS'
import pathlib, sys, sysconfig, zipfile

[wheel] = pathlib.Path(sys.argv[1]).glob("pybullet-*.whl")
with zipfile.ZipFile(wheel) as archive:
    wanted = [
        name
        for name in archive.namelist()
        if name == "pybullet_data/__init__.py" or name.startswith("pybullet_data/data/motions/")
    ]
    archive.extractall(sysconfig.get_path("purelib"), wanted)
CLIPS
    rm -rf "$folder"
}

check_egl() {
    env -u DISPLAY PYOPENGL_PLATFORM=egl "$python" -c \
        'import pyrender; pyrender.OffscreenRenderer(8, 8).delete()' >/dev/null 2>&1
}

if [ ! -x "$python" ]; then
    say "Making $venv"
    make_venv
fi

stamp=$venv/.setup-$(cat envs/requirements.{lock,sha256} envs/setup.sh pyproject.toml | sha256sum | cut -c1-16)
if [ ! -e "$stamp" ]; then
    say "Installing PyTorch"
    install_torch
    say "Installing envs/requirements.lock"
    install_lock
    pip_install --no-deps --editable .
    say "Fetching the motion clips"
    install_clips
    rm -f "$venv"/.setup-*
    touch "$stamp"
fi

say "Checking EGL"
if check_egl || { apt_install libegl1 libgl1-mesa-dri && check_egl; }; then
    echo "works: pictures are drawn by pyrender"
else
    echo "no EGL: pictures are drawn by the ray caster"
fi
