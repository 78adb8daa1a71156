"""How every script ends: a user fault as one line and exit code 2, all else as a traceback."""

import errno
import sys
from collections.abc import Callable

from poseloop.runtime.errors import UserError

_MACHINE_FAULTS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EACCES: "permission denied",
    errno.EROFS: "the file system is read-only",
}


def run(main: Callable[[], None]) -> None:
    """Call `main` and exit: 0 on success, 2 with one line on standard error on a user fault.

    A fault inside the library is not the user's and keeps its traceback.
    """
    try:
        main()
    except UserError as fault:
        sys.exit(_fail(str(fault)))
    except OSError as fault:
        if fault.errno not in _MACHINE_FAULTS:
            raise
        sys.exit(_fail(f"{_MACHINE_FAULTS[fault.errno]}: {fault.filename or 'while writing'}"))


def _fail(message: str) -> int:
    print("error: " + " ".join(message.split()), file=sys.stderr)
    return 2
