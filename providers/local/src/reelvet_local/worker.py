"""The child process: decodes and scores. It knows nothing but the files it is told to look at.

Talks JSON lines: orders on standard input, events on standard output. The end of standard input is the end of the process,
so that no worker outlives its parent.

Orders: `{"run": id, "path": ..., "rule": {...}, ...}` and `{"cancel": id}`. Without a path, the file comes open through a
socket of its own.
Events: `ready` or `fatal` once, then for each run `started`, `progress` and `hit` as they come, and `done`.
"""

from __future__ import annotations

import json
import os
import queue
import select
import socket
import sys
import threading
from contextlib import suppress
from dataclasses import asdict
from typing import Any, TextIO

from reelvet_local.outcome import DetectorInfo

_PARENT_CHECK = 2.0  # seconds between looks whether the parent is still there
_FILE_SIZE = 64 << 20  # bytes of the largest file the worker may write: thumbnails are far smaller
_OPEN_FILES = 256


class Wire:
    """The way out: one JSON object a line, from any thread."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._lock = threading.Lock()

    def send(self, event: str, **data: Any) -> None:
        """Write one event. The process ends if nobody listens any more."""
        line = json.dumps({"event": event, **data}, separators=(",", ":"))
        try:
            with self._lock:
                self._out.write(line + "\n")
                self._out.flush()
        except OSError:
            os._exit(0)


class Orders(threading.Thread):
    """Reads standard input for the main thread, which is busy decoding.

    Attributes:
        runs: Runs to do.
    """

    def __init__(self, parent: int) -> None:
        super().__init__(name="orders", daemon=True)
        self.runs: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._parent = parent
        self._canceled: set[str] = set()

    def canceled(self, run: str) -> bool:
        """Whether a run is to be given up."""
        return run in self._canceled

    def forget(self, run: str) -> None:
        """A run is over."""
        self._canceled.discard(run)

    def run(self) -> None:
        """Serve until the parent hangs up or is gone."""
        rest = b""
        while True:
            if os.name == "posix":
                # A process forked from the parent may keep the pipe open after the parent's death: look for that too.
                while not select.select([0], [], [], _PARENT_CHECK)[0]:
                    if os.getppid() != self._parent:
                        os._exit(0)
            chunk = os.read(0, 1 << 16)
            if not chunk:
                os._exit(0)
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                order = json.loads(line)
                if "cancel" in order:
                    self._canceled.add(order["cancel"])
                else:
                    self.runs.put(order)


def limit(max_memory: int | None) -> None:
    """Set what the operating system allows: no core dumps, no large files, no endless memory. Nothing on Windows."""
    try:
        import resource  # noqa: PLC0415 - POSIX only
    except ImportError:
        return
    limits = [(resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, _FILE_SIZE), (resource.RLIMIT_NOFILE, _OPEN_FILES)]
    if max_memory is not None:
        limits.append((resource.RLIMIT_DATA, max_memory))
    for which, value in limits:
        _, hard = resource.getrlimit(which)
        soft = value if hard == resource.RLIM_INFINITY else min(value, hard)
        with suppress(OSError, ValueError):  # a kernel that knows no such limit
            resource.setrlimit(which, (soft, soft))


def main(argv: list[str]) -> None:
    """Serve one parent.

    Args:
        argv: One JSON object: `parent` (process id), `detector` (dotted path), `max_memory` (bytes or null), `files`
            (descriptor of the socket through which open files come, or null).
    """
    settings = json.loads(argv[0])
    # Whatever a library prints must not end up between the events.
    wire = Wire(os.fdopen(os.dup(1), "w", encoding="utf-8"))
    os.dup2(2, 1)
    limit(settings["max_memory"])
    orders = Orders(settings["parent"])
    orders.start()

    from reelvet_local.detector import DetectorError, load_detector  # noqa: PLC0415 - heavy: only now

    try:
        detector = load_detector(settings["detector"])
        from reelvet_local.look import look  # noqa: PLC0415
    except (DetectorError, ImportError) as error:
        wire.send("fatal", code="detector_failed", message=str(error))
        return
    wire.send("ready", detector=asdict(DetectorInfo(detector.name, detector.version, tuple(detector.labels))))
    files = None if settings["files"] is None else socket.socket(fileno=settings["files"])
    while True:
        order = orders.runs.get()
        if order["path"] is None and files is not None:
            order["descriptor"] = socket.recv_fds(files, 1, 1)[1][0]
        look(order, detector, wire, orders.canceled)
        orders.forget(order["run"])


if __name__ == "__main__":
    main(sys.argv[1:])
