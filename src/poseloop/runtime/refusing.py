"""Readers of foreign files: whatever a file's content brings about is the file's fault."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from poseloop.runtime.errors import UserError


@contextmanager
def refusing(path: str | Path, what: str) -> Iterator[None]:
    """Turn what goes wrong in the block into a fault of the file.

    Around the lines that take foreign content apart, where a wrong type or shape may show up as any
    error: what they should have found is said once, and not once for each way of being wrong.

    Parameters
    ----------
    path : the file
    what : what it is not, such as "not a 3DPW sequence"

    Raises
    ------
    UserError
        Anything went wrong, want of memory included; a UserError of the block passes as it is.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as fault:
        told = f"no {fault}" if isinstance(fault, KeyError) else str(fault)
        reason = " ".join(told.split()) or type(fault).__name__
        raise UserError(f"{path}: {what} ({reason:.300})") from fault
