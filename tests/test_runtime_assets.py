"""External files: present, missing or corrupt, and what they allow."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from poseloop.runtime.assets import check_assets, lacking
from poseloop.runtime.assets_config import AssetsConfig
from poseloop.runtime.assets_report import as_json, as_text
from poseloop.runtime.config import load_config
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import sha256

ROOT = Path(__file__).resolve().parents[1]


def asset(path, **more):
    about = {"what": "x", "loops": ["adhmr"], "register_at": "https://a.example", "licence": None}
    return {**about, "path": path, **more}


def state(folder, **declared):
    content = {"folder": str(folder), "assets": {"a": asset(**declared)}}
    found = check_assets(AssetsConfig.model_validate(content))["a"]
    return found.status, found.reason


def test_file_by_presence_size_and_checksum(tmp_path):
    assert state(tmp_path, path="a.bin") == ("missing", "not found")
    file = tmp_path / "a.bin"
    file.write_bytes(b"abc")
    assert state(tmp_path, path="a.bin", size=3, sha256=sha256(file)) == ("present", "")
    assert state(tmp_path, path="a.bin", size=4) == ("corrupt", "has 3 bytes, not 4")
    assert state(tmp_path, path="a.bin", sha256="0" * 64) == ("corrupt", "sha256 differs")
    file.write_bytes(b"")
    assert state(tmp_path, path="a.bin") == ("corrupt", "is empty")


def test_half_copied_archives_and_weights_are_corrupt(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros(100))
    header = json.dumps({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    (tmp_path / "a.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(8))
    for name in ("a.npz", "a.safetensors"):
        assert state(tmp_path, path=name) == ("present", "")
        whole = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(whole[:-4] if name == "a.safetensors" else whole[:99])
        status, reason = state(tmp_path, path=name)
        assert status == "corrupt" and reason.startswith("truncated")


def test_folder_of_another_layout_is_corrupt(tmp_path):
    (tmp_path / "set/sub").mkdir(parents=True)
    expected = ("corrupt", "wrong layout: holds no sub/*.pkl")
    assert state(tmp_path, path="set", holds=["sub/*.pkl"]) == expected
    (tmp_path / "set/sub/a.pkl").write_bytes(b"x")
    assert state(tmp_path, path="set", holds=["sub/*.pkl"]) == ("present", "")
    (tmp_path / "set/sub/b.pkl").touch()
    expected = ("corrupt", "sub/b.pkl: is empty")
    assert state(tmp_path, path="set", holds=["sub/*.pkl"]) == expected


def test_asset_may_be_a_link_but_holds_none_that_leads_out(tmp_path):
    for folder in ("assets/set", "disk/set"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "disk/set/a.pkl").write_bytes(b"x")
    (tmp_path / "assets/linked").symlink_to(tmp_path / "disk/set")
    assert state(tmp_path / "assets", path="linked", holds=["*.pkl"]) == ("present", "")
    (tmp_path / "assets/set/a.pkl").symlink_to(tmp_path / "disk/set/a.pkl")
    expected = ("corrupt", "a.pkl: leads out of the asset's folder")
    assert state(tmp_path / "assets", path="set", holds=["*.pkl"]) == expected
    (tmp_path / "assets/gone").symlink_to(tmp_path / "nowhere")
    expected = ("corrupt", f"is a link to {tmp_path}/nowhere, which is not there")
    assert state(tmp_path / "assets", path="gone") == expected


def test_declared_path_outside_the_folder_is_refused(tmp_path):
    for path in ("../secret", "/etc/passwd", "a/../../b", "~/x"):
        file = tmp_path / "assets.yaml"
        file.write_text(yaml.safe_dump({"assets": {"a": asset(path)}}))
        with pytest.raises(UserError, match=rf"{file}: assets.a.path: .*stays in"):
            load_config(file, AssetsConfig)


def study(folder):
    (folder / "smpl.pkl").write_bytes(b"x")
    return AssetsConfig.model_validate(
        {
            "folder": str(folder),
            "assets": {n: asset(f"{n}.pkl") for n in ("smpl", "amass", "aist")},
            "targets": {
                "body": {"what": "b", "needs": ["smpl"]},
                "motion": {"what": "m", "needs": ["smpl", ["amass", "aist"]]},
            },
        }
    )


def test_targets_name_what_they_lack(tmp_path):
    config = study(tmp_path)
    states = check_assets(config)
    assert lacking(config, states) == {"body": [], "motion": ["amass (missing) or aist (missing)"]}
    text = as_text(config, states)
    assert "not found; ask at https://a.example" in text
    assert [line.split()[:2] for line in text.splitlines()[-2:]] == [
        ["body", "yes"],
        ["motion", "no"],
    ]
    (tmp_path / "aist.pkl").write_bytes(b"x")
    states = check_assets(config)
    assert as_json(config, states)["targets"]["motion"] == {"runs": True, "lacks": []}


def test_unknown_need_is_named():
    with pytest.raises(ValueError, match=r"targets.t.needs: no asset\(s\) nope"):
        AssetsConfig.model_validate({"targets": {"t": {"what": "x", "needs": ["nope"]}}})


def call(config, output):
    return subprocess.run(
        [sys.executable, "scripts/check_assets.py", "--config", config, "--output", output],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": "src"},
    )


def test_script_fails_on_corrupt_files_only(tmp_path):
    config, output = tmp_path / "assets.yaml", tmp_path / "assets.json"
    config.write_text(yaml.safe_dump(study(tmp_path).model_dump(mode="json")))
    assert call(config, output).returncode == 0
    assert json.loads(output.read_text())["assets"]["amass"]["status"] == "missing"
    (tmp_path / "aist.pkl").touch()
    done = call(config, output)
    assert done.returncode == 2
    assert done.stderr == f"error: corrupt asset(s): {tmp_path}/aist.pkl: is empty\n"


def test_preset_without_assets_has_nothing_to_check(tmp_path):
    done = call("config/demo/assets.yaml", tmp_path / "assets.json")
    assert (done.returncode, done.stdout.count("nothing to check")) == (0, 1)
