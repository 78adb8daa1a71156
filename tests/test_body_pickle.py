"""The restricted reader takes arrays in every form of SMPL's files, and runs nothing."""

import collections
import pickle
import sys
import types

import numpy as np
import pytest
import scipy.sparse
from tiny_body import smpl_arrays

from poseloop.body.files import read_body
from poseloop.body.safe_pickle import read_pickled_arrays
from poseloop.runtime.errors import UserError


def dump(path, content, protocol=2):
    path.write_bytes(pickle.dumps(content, protocol))
    return path


class Malicious:
    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def test_code_in_a_pickle_is_refused_and_not_run(tmp_path):
    flag = tmp_path / "flag"
    arrays = {**smpl_arrays(), "note": Malicious(open, str(flag), "w")}
    path = dump(tmp_path / "body.pkl", arrays)
    with pytest.raises(UserError, match="open is not allowed"):
        read_body(path)
    assert not flag.exists()
    pickle.loads(path.read_bytes())  # an ordinary reader does run it
    assert flag.exists()


@pytest.mark.parametrize("function", [eval, getattr, __import__, collections.OrderedDict])
def test_other_callables_are_refused(tmp_path, function):
    path = dump(tmp_path / "body.pkl", {"v_template": Malicious(function, "1")})
    with pytest.raises(UserError, match="is not allowed"):
        read_pickled_arrays(path)


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize("kind", [scipy.sparse.csc_matrix, scipy.sparse.csr_matrix])
def test_sparse_matrices_become_dense(tmp_path, kind, protocol):
    dense = np.random.default_rng(0).random((4, 7)) * (np.arange(28).reshape(4, 7) % 3 == 0)
    path = dump(tmp_path / "body.pkl", {"J_regressor": kind(dense)}, protocol)
    assert np.array_equal(read_pickled_arrays(path)["J_regressor"], dense)


@pytest.mark.parametrize("protocol", [0, 2])
def test_chumpy_arrays_are_their_values(tmp_path, monkeypatch, protocol):
    module = types.ModuleType("chumpy.ch")
    module.Ch = type("Ch", (), {"__module__": "chumpy.ch"})
    monkeypatch.setitem(sys.modules, "chumpy", types.ModuleType("chumpy"))
    monkeypatch.setitem(sys.modules, "chumpy.ch", module)
    value = module.Ch()
    value.x = np.arange(6.0).reshape(2, 3)
    path = dump(tmp_path / "body.pkl", {"shapedirs": value, "bs_type": "lrotmin"}, protocol)
    arrays = read_pickled_arrays(path)
    assert np.array_equal(arrays["shapedirs"], value.x)
    assert list(arrays) == ["shapedirs"]


@pytest.mark.parametrize("content", [b"", b"not a pickle", pickle.dumps([1, 2])])
def test_no_pickle_of_a_dictionary(tmp_path, content):
    path = tmp_path / "body.pkl"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"body\.pkl: not a readable body pickle"):
        read_pickled_arrays(path)
