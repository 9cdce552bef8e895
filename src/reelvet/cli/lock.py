"""One process at a time for one key: a lock that the system takes back from whoever dies."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from typing import TYPE_CHECKING, Any

from reelvet.schema.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_PAUSE = 0.1
# Beyond what is written into the file: where a lock forbids reading, the owner's number can still be read.
_LOCKED_BYTE = 1 << 20


@contextlib.contextmanager
def locked(path: Path, on_wait: Callable[[int | None], None]) -> Iterator[None]:
    """Holds the lock that a file stands for while the block runs; waits for it as long as another process has it.

    Args:
        path: The file; made with mode 0600 and removed afterwards.
        on_wait: Told once, if the lock is taken, by which process.

    Raises:
        ConfigurationError: The file system knows no locks.
    """
    told = False
    while (descriptor := _take(path)) is None:
        if not told:
            on_wait(_owner(path))
            told = True
        time.sleep(_PAUSE)
    try:
        yield
    finally:
        # Removed while it is held: whoever has opened it meanwhile sees that it is no longer the file of that name.
        with contextlib.suppress(OSError):  # Windows removes no open file: it stays, and stands for nothing
            path.unlink()
        os.close(descriptor)


def _take(path: Path) -> int | None:
    """The open and locked file; `None` while another process has it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if _lock(descriptor) and _still_named(descriptor, path):
            os.truncate(descriptor, 0)
            os.write(descriptor, str(os.getpid()).encode())
            return descriptor
    except OSError as error:
        os.close(descriptor)
        raise ConfigurationError(
            f"{path} cannot be locked: {error.strerror}", field="REELVET_STATE_DIR",
            way_out="Without a lock two commands could submit one job twice: put the state directory on a file system that has locks.",
        ) from None  # fmt: skip
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


def _lock(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415  (the platform's own)

            os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            os.lseek(descriptor, 0, os.SEEK_SET)
        else:
            import fcntl  # noqa: PLC0415

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _still_named(descriptor: int, path: Path) -> bool:
    try:
        named: Any = path.stat()
    except FileNotFoundError:
        return False
    return os.path.samestat(named, os.fstat(descriptor))


def _owner(path: Path) -> int | None:
    try:
        return int(path.read_bytes())
    except (OSError, ValueError):
        return None
