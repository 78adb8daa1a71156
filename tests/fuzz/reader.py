"""What a reader of files from outside is, to the fuzzer."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Reader:
    """One way of a file into the library.

    Attributes
    ----------
    name : as tests and the command line call it
    make : writes small valid files below a folder
    read : reads them, as the program that a user calls does
    damaged : glob patterns of the files that are damaged; the others stay whole
    """

    name: str
    make: Callable[[Path], None]
    read: Callable[[Path], object]
    damaged: tuple[str, ...]
