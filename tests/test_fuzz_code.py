"""Files that ask to run code, or to change what is shared: refused, and nothing of it happens."""

import ast
import io
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from fuzz.table import READERS, made

from poseloop.body.unpickler import RestrictedUnpickler
from poseloop.runtime.errors import UserError

SOURCE = Path(__file__).resolve().parents[1] / "src/poseloop"


class Evil:
    """Makes a file when it is unpickled."""

    def __init__(self, flag):
        self.flag = str(flag)

    def __reduce__(self):
        return open, (self.flag, "w")


PICKLES = [name for name in READERS if name.endswith(("-pkl", "aistpp", "3dpw", "agora"))]


@pytest.mark.parametrize("name", [*PICKLES, "scan-thuman21-fit"])
def test_a_pickle_that_runs_code_is_refused(name, tmp_path):
    reader, case, path = made(name, tmp_path)
    flag = tmp_path / "flag"
    path.write_bytes(pickle.dumps({"poses": [Evil(flag)]}))
    with pytest.raises(UserError, match="open is not allowed"):
        reader.read(case)
    assert not flag.exists()


@pytest.mark.parametrize(
    "name", ["weights-pshuman-bin", "weights-pshuman-prompts", "weights-lpips"]
)
def test_a_torch_file_that_runs_code_is_refused(name, tmp_path):
    reader, case, path = made(name, tmp_path)
    flag = tmp_path / "flag"
    torch.save({"a": Evil(flag)}, path)
    with pytest.raises(UserError, match=path.name):
        reader.read(case)
    assert not flag.exists()


def test_a_checkpoint_that_runs_code_is_left_aside(tmp_path, capsys):
    reader, case, path = made("checkpoint", tmp_path)
    flag = tmp_path / "flag"
    torch.save({"a": Evil(flag)}, path)
    assert reader.read(case) is None
    assert "a damaged checkpoint" in capsys.readouterr().err
    assert not flag.exists()


@pytest.mark.parametrize(
    "name", [name for name in READERS if name.endswith(("-npz", "humandata", "3dhp", "ski"))]
)
def test_an_npz_of_objects_runs_nothing(name, tmp_path):
    reader, case, path = made(name, tmp_path)
    flag = tmp_path / "flag"
    with np.load(path, allow_pickle=True) as archive:
        names = archive.files
    np.savez(path, **{each: np.array(Evil(flag), dtype=object) for each in names})
    with pytest.raises(UserError, match=path.name):
        reader.read(case)
    assert not flag.exists()


def test_a_pickle_cannot_change_what_is_shared():
    """State for NumPy's own type, with the flags of objects, would make any number a pointer."""
    for target in (b"cnumpy\ndtype\n", b"c_codecs\nencode\n", b"cchumpy\nCh\n"):
        data = target + b"(I3\nS'<'\nNNNI-1\nI-1\nI63\ntb."
        with pytest.raises(pickle.UnpicklingError, match="state for something"):
            RestrictedUnpickler(io.BytesIO(data), encoding="latin1").load()
    assert np.dtype("f8").flags == 0


def called(node):
    """A call as it is written: `np.load`."""
    return ast.unparse(node.func)


def keywords(node):
    return {word.arg: ast.unparse(word.value) for word in node.keywords}


def unsafe(node, path):
    """Why a call may not be in the library, or None."""
    name, given = called(node), keywords(node)
    if name in ("eval", "exec", "pickle.load", "pickle.loads", "yaml.unsafe_load", "os.system"):
        return name
    if name.endswith((".extractall", ".extract", "unpack_archive")) or name.startswith("tarfile."):
        return name
    if name == "torch.load" and given.get("weights_only") != "True":
        return name
    if name == "np.load" or (
        name == "np.lib.format.read_array" and given["allow_pickle"] != "False"
    ):
        return name
    if name == "Image.open" and path.name != "pictures.py":
        return name
    if name.startswith("subprocess.") and given.get("shell", "False") != "False":
        return name
    return None


def test_no_module_reads_files_in_an_unsafe_way():
    """A reader that is added later has to take the ways that the tests above are about."""
    found = [
        f"{path.relative_to(SOURCE)}:{node.lineno}: {reason}"
        for path in sorted(SOURCE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and (reason := unsafe(node, path))
    ]
    assert found == []
