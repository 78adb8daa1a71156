"""An unpickler that runs nothing that a file names, and takes no more memory than the file holds.

Python's own unpickler calls the functions and fills the objects that a file asks for; here a file
gets stand-ins. The unpickler written in Python is the one to extend: the one in C reserves memory
for whatever number a file calls a place.
"""

import pickle
import struct
from collections.abc import Iterator

import numpy as np

from poseloop.body.stand_ins import NUMPY_NAMES, OTHER_NAMES, PlainArray, StandIn

_KEYS = (str, bytes, int, float, type(None), np.generic)
# Numbers in a file once all that it repeats is written out; SMPL-X's largest file has 3e7.
_MOST = 200_000_000


class Unpickler(pickle._Unpickler):
    """Knows NumPy's arrays and the names of `allowed`; refuses every other.

    Attributes
    ----------
    allowed : (module, name) to what stands in for it
    """

    allowed: dict[tuple[str, str], object] = {}
    dispatch = dict(pickle._Unpickler.dispatch)

    def find_class(self, module: str, name: str) -> object:
        """What stands in for that name.

        Raises
        ------
        pickle.UnpicklingError
            Nothing does.
        """
        for names in (self.allowed, NUMPY_NAMES):
            if (module, name) in names:
                return names[module, name]
        raise pickle.UnpicklingError(f"{module}.{name} is not allowed")

    def load(self) -> object:
        """The content, whole and of a size that can be worked with.

        Raises
        ------
        Exception
            Of any kind, as damaged pickles do.
        """
        content = super().load()
        _check_size(content)
        return content

    def load_build(self) -> None:
        """Give its state to a stand-in; nothing else takes one."""
        if not isinstance(self.stack[-2], StandIn | PlainArray):
            raise pickle.UnpicklingError("state for something that has none")
        super().load_build()

    def load_setitem(self) -> None:
        """One entry; its key is a plain value, because a nest of tuples is hashed for ever."""
        _check_key(self.stack[-2])
        super().load_setitem()

    def load_setitems(self) -> None:
        """Several entries."""
        for key in self.stack[::2]:
            _check_key(key)
        super().load_setitems()

    def load_dict(self) -> None:
        """A dictionary of protocol 0, with its entries."""
        for key in self.stack[::2]:
            _check_key(key)
        super().load_dict()

    def load_bytearray8(self) -> None:
        """A buffer as long as it says, if the file is; Python reserves the memory first."""
        (length,) = struct.unpack("<Q", self.read(8))
        data = self.read(length)
        if len(data) != length:
            raise pickle.UnpicklingError("a buffer that is cut off")
        self.append(bytearray(data))

    def refuse(self) -> None:
        """Sets: no such file holds one, and they hash as keys do."""
        raise pickle.UnpicklingError("sets are not allowed")

    dispatch[pickle.BUILD[0]] = load_build
    dispatch[pickle.SETITEM[0]] = load_setitem
    dispatch[pickle.SETITEMS[0]] = load_setitems
    dispatch[pickle.DICT[0]] = load_dict
    dispatch[pickle.BYTEARRAY8[0]] = load_bytearray8
    dispatch[pickle.ADDITEMS[0]] = dispatch[pickle.FROZENSET[0]] = refuse


class RestrictedUnpickler(Unpickler):
    """Knows besides NumPy's arrays those of chumpy and SciPy."""

    allowed = OTHER_NAMES


def _check_key(key: object) -> None:
    if not isinstance(key, _KEYS):
        raise pickle.UnpicklingError(f"a key that is a {type(key).__name__}")


def _check_size(content: object) -> None:
    """Refuse what would fill the memory once somebody makes an array or a text of it."""
    sizes: dict[int, int | None] = {}
    apart = [content]

    def size(node: object) -> int:
        if isinstance(node, StandIn):
            if id(node) not in sizes:
                sizes[id(node)] = 1
                apart.extend([node.arguments, node.state])
            return 1
        plain = not isinstance(node, dict | list | tuple)
        if plain and not (isinstance(node, np.ndarray) and node.dtype.kind == "O"):
            return 1 + (node.size if isinstance(node, np.ndarray) else 0)
        if id(node) in sizes:
            found = sizes[id(node)]
            if found is None:
                raise pickle.UnpicklingError("a list that holds itself")
            return found
        sizes[id(node)] = None
        total = 1 + sum(map(size, _children(node)))
        if total > _MOST:
            raise pickle.UnpicklingError("more numbers than any file of this kind")
        sizes[id(node)] = total
        return total

    while apart:
        size(apart.pop())


def _children(node: dict | list | tuple | np.ndarray) -> Iterator[object]:
    if isinstance(node, dict):
        return iter(node.values())
    return iter(node.ravel()) if isinstance(node, np.ndarray) else iter(node)
