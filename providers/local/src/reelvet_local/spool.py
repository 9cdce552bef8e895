"""Where a download stands while it comes in, and how what a killed process left there is found."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import time
from contextlib import suppress
from pathlib import Path

_PREFIX = "reelvet-"
_YOUNG = 60.0  # seconds in which a directory may not be locked yet


class Spool:
    """A directory for one download, locked as long as this process lives.

    Attributes:
        path: The file to be made in it.
    """

    def __init__(self) -> None:
        self._directory = tempfile.mkdtemp(prefix=_PREFIX)
        self.path = Path(self._directory) / "media"
        self._lock = _locked(self._directory)

    def remove(self) -> None:
        """Delete it with all that is in it."""
        shutil.rmtree(self._directory, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def sweep() -> None:
    """Delete the directories of processes of this user that were killed."""
    if os.name != "posix":  # nothing tells there whether the owner of a directory still lives
        return
    with suppress(OSError), os.scandir(tempfile.gettempdir()) as entries:
        for entry in entries:
            if entry.name.startswith(_PREFIX) and _may_be_stale(entry.stat(follow_symlinks=False)):
                lock = _locked(entry.path)
                if lock is not None:
                    shutil.rmtree(entry.path, ignore_errors=True)
                    os.close(lock)


def _may_be_stale(status: os.stat_result) -> bool:
    """Whether it is a directory as `mkdtemp` makes it, of this user, and not just being made."""
    private = stat.S_ISDIR(status.st_mode) and stat.S_IMODE(status.st_mode) == stat.S_IRWXU
    return private and status.st_uid == os.geteuid() and time.time() - status.st_mtime > _YOUNG


def _locked(directory: str) -> int | None:
    """A descriptor that holds the directory's lock; `None` if another process has it."""
    try:
        import fcntl  # noqa: PLC0415 - POSIX only
    except ImportError:
        return None
    descriptor = None
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_NOFOLLOW)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        if descriptor is not None:
            os.close(descriptor)
        return None
    return descriptor
