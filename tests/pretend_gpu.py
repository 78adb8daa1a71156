"""A GPU that is not there, to find code that mixes devices where no GPU is.

Inside `pretend_gpu()` what is moved to the device `GPU` says that it lies there, is computed on the
CPU all the same, and meets tensors of the CPU only as a real GPU's would: as a single number, as
an index, or by being copied. Digits are the CPU's.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._foreach_utils import _get_fused_kernels_supported_devices
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

GPU = torch.device("meta")
"""The one device that PyTorch knows everywhere and that nothing here uses as itself."""

_INDEXING = ("aten::index", "aten::_index_put_impl_", "aten::_unsafe_index")
_COPYING = ("aten::copy_", "aten::_to_copy")
_UNREPEATABLE = (
    "aten::_adaptive_avg_pool2d_backward",
    "aten::_adaptive_avg_pool3d_backward",
    "aten::_ctc_loss",
    "aten::adaptive_max_pool2d_backward",
    "aten::avg_pool3d_backward",
    "aten::grid_sampler_2d_backward",
    "aten::grid_sampler_3d_backward",
    "aten::histc",
    "aten::kthvalue",
    "aten::max_pool3d_with_indices_backward",
    "aten::median.dim",
    "aten::nll_loss2d",
    "aten::put_",
    "aten::reflection_pad",
    "aten::upsample_bicubic2d_backward",
    "aten::upsample_linear1d_backward",
    "aten::upsample_trilinear3d_backward",
)
"""What PyTorch refuses on a GPU under deterministic algorithms (its list of them), beside running
sums of floating-point numbers; bilinear resizing it replaces."""


class OnGpu(torch.Tensor):
    """A tensor whose values the CPU holds and whose device is `GPU`."""

    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, held: torch.Tensor) -> "OnGpu":
        return torch.Tensor._make_wrapper_subclass(
            cls, held.shape, strides=held.stride(), dtype=held.dtype, device=GPU
        )

    def __init__(self, held: torch.Tensor) -> None:
        self.held = held

    @classmethod
    def __torch_dispatch__(cls, function, types, args=(), kwargs=None):
        return _compute(function, args, kwargs or {})

    def tolist(self) -> list:
        """As a GPU's tensor: by way of the CPU."""
        return self.held.tolist()


class _Computing(TorchDispatchMode):
    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        return _compute(function, args, kwargs or {})


class _FromNumbers(TorchFunctionMode):
    """PyTorch drops the numbers that a tensor on this device is made of; lists as indices too."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if function in (torch.tensor, torch.as_tensor) and kwargs.get("device") is not None:
            device = kwargs.pop("device")
            return function(*args, **kwargs).to(device)
        if function is torch.Tensor.new_tensor:
            like, values = args
            return torch.tensor(values, dtype=kwargs.get("dtype", like.dtype)).to(like.device)
        if function in (torch.Tensor.__getitem__, torch.Tensor.__setitem__):
            tensor, index, *value = args
            if isinstance(index, tuple):
                index = tuple(torch.tensor(i) if isinstance(i, list | tuple) else i for i in index)
            elif isinstance(index, list):
                index = torch.tensor(index)
            return function(tensor, index, *value)
        return function(*args, **kwargs)


@contextmanager
def pretend_gpu() -> Iterator[torch.device]:
    """Make `GPU` a device to compute on, with optimisers' kernels for many tensors at a time."""
    devices = [*_get_fused_kernels_supported_devices(), GPU.type]
    with (
        patch("torch.optim.optimizer._get_fused_kernels_supported_devices", lambda: devices),
        patch("torch.nn.utils.clip_grad._device_has_foreach_support", lambda device: True),
        _Computing(),
        _FromNumbers(),
    ):
        yield GPU


def _compute(function, args: tuple, kwargs: dict):
    tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
    there = {id(leaf.held): leaf for leaf in tensors if isinstance(leaf, OnGpu)}
    if there:
        _refuse_mixtures(function.name(), args, kwargs)
        _refuse_unrepeatable(function.name(), args)
    device = kwargs.get("device")
    if device is None:
        device = GPU if there else torch.device("cpu")
    else:
        kwargs = kwargs | {"device": torch.device("cpu")}
    args, kwargs = tree_map(_held, (args, kwargs))
    result = function(*args, **kwargs)
    if any(leaf.shape != leaf.held.shape for leaf in there.values()):
        raise RuntimeError(f"{function.name()} changes a shape in place")
    if torch.device(device) != GPU:
        return result
    return tree_map(lambda leaf: _wrapped(leaf, there), result)


def _held(leaf):
    return leaf.held if isinstance(leaf, OnGpu) else leaf


def _wrapped(leaf, there: dict[int, OnGpu]):
    if isinstance(leaf, torch.Tensor) and not isinstance(leaf, OnGpu):
        return there[id(leaf)] if id(leaf) in there else OnGpu(leaf)
    return leaf


def _refuse_unrepeatable(name: str, args: tuple) -> None:
    summed = name.startswith("aten::cumsum") and args[0].is_floating_point()
    if summed or name.startswith(_UNREPEATABLE):
        raise RuntimeError(f"{name}: no deterministic kernel on a GPU")


def _refuse_mixtures(name: str, args: tuple, kwargs: dict) -> None:
    if name.startswith(_COPYING):
        return
    # Indices may lie on the CPU, what is indexed by a GPU's tensor may not.
    alone = [args[0], *args[2:]] if name.startswith(_INDEXING) else [*args, *kwargs.values()]
    for argument in alone:
        together = isinstance(argument, list | tuple)
        for leaf in tree_leaves(argument):
            here = isinstance(leaf, torch.Tensor) and not isinstance(leaf, OnGpu)
            if here and (together or leaf.dim()):
                raise RuntimeError(f"{name}: tensors on the CPU and on the GPU")
