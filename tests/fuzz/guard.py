"""What a reader may not do: take long, take memory, write, run programs, look elsewhere."""

import ctypes
import gc
import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from poseloop.runtime.errors import UserError

SECONDS = 5.0
MEGABYTES = 768
# An allocation beyond this fails at once, before it can be touched.
_ADDRESS_SPACE = 8 << 30
_PAGE = os.sysconf("SC_PAGE_SIZE")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_FORBIDDEN = {
    *("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty"),
    *("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate"),
    *("os.chmod", "shutil.rmtree", "shutil.move", "shutil.copyfile", "shutil.unpack_archive"),
    *("socket.connect", "socket.getaddrinfo", "urllib.Request", "ctypes.dlopen"),
    "pickle.find_class",  # of an unpickler that does not ask what it may know
}


class Overtime(BaseException):
    """Raised in a reader that has used up its CPU seconds; no `except Exception` holds it."""


@dataclass
class Watch:
    """What the audit hook saw since `begin`; it stays installed and looks only while `on`."""

    allowed: tuple[str, ...] = ()
    on: bool = False
    seen: list[str] = field(default_factory=list)

    def hook(self, event: str, arguments: tuple) -> None:
        """Python's audit hook (PEP 578)."""
        if not self.on:
            return
        if event in _FORBIDDEN:
            self.note(f"{event} {arguments!r:.200}")
        if event == "open" and isinstance(arguments[0], str | bytes):
            path = os.fsdecode(arguments[0])
            if arguments[2] & _WRITING:
                self.note(f"writes {path!r:.200}")
            elif not os.path.realpath(path).startswith(self.allowed):
                self.note(f"reads {path!r:.200}")

    def note(self, what: str) -> None:
        """Keep it, and stop the reader from doing it."""
        self.seen.append(what)
        raise PermissionError(what)


_WATCH = Watch()


def install() -> None:
    """Limit the process and start to watch it; once, and for the rest of its life."""
    if _WATCH.hook in getattr(install, "done", ()):
        return
    install.done = (_WATCH.hook,)
    # A module that is first imported while a file is read is no file that the reader writes.
    sys.dont_write_bytecode = True
    sys.addaudithook(_WATCH.hook)
    signal.signal(signal.SIGPROF, _overtime)


def _overtime(*_: object) -> None:
    if _WATCH.on:
        raise Overtime


def attempt(read: Callable[[Path], object], folder: Path) -> str | None:
    """Call `read(folder)`; None if it returned or ended in a UserError, else what went wrong."""
    _WATCH.allowed = _allowed(folder)
    _WATCH.seen.clear()
    size, before = _memory()
    if _peak() - before > MEGABYTES << 20:
        _reset_peak()
    old = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (size + _ADDRESS_SPACE, old[1]))
    fault = None
    try:
        _WATCH.on = True
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        try:
            read(folder)
        finally:
            _WATCH.on = False
            signal.setitimer(signal.ITIMER_PROF, 0)
    except UserError as error:
        if not str(error).strip():
            fault = "a UserError without a message"
    except Overtime:
        fault = f"hang: more than {SECONDS:g} s of CPU time\n{_tail()}"
    except BaseException:
        fault = _tail()
    finally:
        _WATCH.on = False  # time may have run out on the way to the line that says so
        resource.setrlimit(resource.RLIMIT_AS, old)
    if _WATCH.seen:
        return f"forbidden: {'; '.join(_WATCH.seen)}"
    used = _peak() - before
    if fault is None and used > MEGABYTES << 20:
        fault = f"memory: {used >> 20} MB for one file"
    return fault


def _tail() -> str:
    return "".join(traceback.format_exc().splitlines(keepends=True)[-14:])


@cache
def _allowed(folder: Path) -> tuple[str, ...]:
    """Where a reader of the folder may read."""
    return (os.path.realpath(folder), sys.prefix, sys.base_prefix, *_SOURCES)


def resident() -> int:
    """Bytes of memory that the process holds, without what it only has not handed back yet."""
    gc.collect()
    with suppress(AttributeError):  # C libraries other than GNU's
        ctypes.CDLL(None).malloc_trim(0)
    return _memory()[1]


def _memory() -> tuple[int, int]:
    """Bytes of addresses, and of memory."""
    with open("/proc/self/statm", "rb") as stream:
        size, held = stream.read().split()[:2]
    return int(size) * _PAGE, int(held) * _PAGE


def _peak() -> int:
    """The most bytes of memory that the process held since the last `_reset_peak`."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


def _reset_peak() -> None:
    """Measure the peak from now on, if the kernel lets us."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


_REPOSITORY = Path(__file__).resolve().parents[2]
_SOURCES = (
    *("/proc", "/sys", "/dev", "/etc/localtime", "/usr/share/zoneinfo"),
    *(str(_REPOSITORY / "src"), str(_REPOSITORY / "tests")),
)
