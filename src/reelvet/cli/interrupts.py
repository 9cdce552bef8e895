"""Ctrl-C: raised once for each time it was meant, or only counted where it must not strike."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# What runs commands for others (`timeout`, `uv run`) hands the terminal's Ctrl-C on a second time.
_ECHO = 0.5


class _Presses:
    """When Ctrl-C was pressed. As a signal handler it raises, as Python's own does, but not for an echo."""

    def __init__(self, *, raises: bool) -> None:
        self.times: list[float] = []
        self._raises = raises

    def __call__(self, *_: object) -> None:
        if self.times and time.monotonic() - self.times[-1] < _ECHO:
            return
        self.times.append(time.monotonic())
        if self._raises:
            raise KeyboardInterrupt


def install() -> None:
    """Has an echo ignored for the rest of the process."""
    if _is_heard():
        signal.signal(signal.SIGINT, _Presses(raises=True))


def finish() -> None:
    """Has Ctrl-C ignored for what little is left of the process, so that its exit code stays what was told."""
    if _is_heard():
        signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextlib.contextmanager
def counted() -> Iterator[list[float]]:
    """Has Ctrl-C noted, with its time, instead of breaking off whatever it strikes in the block."""
    presses = _Presses(raises=False)
    if not _is_heard():
        yield presses.times
        return
    before = signal.signal(signal.SIGINT, presses)
    try:
        yield presses.times
    finally:
        signal.signal(signal.SIGINT, before)


def _is_heard() -> bool:
    """Whether Ctrl-C is ours to handle: a process in the background does not hear it, and shall not."""
    handler = signal.getsignal(signal.SIGINT)
    is_usual = handler is signal.default_int_handler or isinstance(handler, _Presses)
    return is_usual and threading.current_thread() is threading.main_thread()
