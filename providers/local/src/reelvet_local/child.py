"""One child process, from its parent's side: how it is started, spoken to and ended."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from reelvet_local.outcome import DetectorInfo, Failure

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# A worker needs to find its libraries and to name files; it needs no credential, so none of the rest is handed on.
_ENVIRONMENT = {
    *("PATH", "LANG", "LANGUAGE", "TMPDIR", "TMP", "TEMP", "TZ"),
    *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH", "SYSTEMROOT", "WINDIR"),
}
_ENVIRONMENT_PREFIXES = ("LC_", "OPENBLAS_", "OMP_")
_START = 60.0  # seconds in which a worker must have loaded its model
_LINE = 1 << 20  # bytes of the longest event
_STDERR = 2000  # characters of a dead worker's last words that are kept
_BOOT = (
    "import json, sys\n"
    "sys.path[:] = json.loads(sys.argv[1])\n"
    "from reelvet_local.worker import main\n"
    "main(sys.argv[2:])\n"
)


def absolute(path: str | Path) -> str:
    """The path from the root, without a look at the disk."""
    return os.path.abspath(path)  # noqa: PTH100 - Path.resolve would look at the disk and follow links


class WorkerError(Exception):
    """A worker could not be started, or died.

    Attributes:
        failure: Code and message.
    """

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class Worker:
    """One child process."""

    def __init__(self, process: asyncio.subprocess.Process, files: socket.socket | None) -> None:
        self.process = process
        self._files = files
        self.detector: DetectorInfo | None = None
        self._orders = cast("asyncio.StreamWriter", process.stdin)
        self._events = cast("asyncio.StreamReader", process.stdout)
        self._stderr = ""
        self._listener = asyncio.create_task(self._listen(cast("asyncio.StreamReader", process.stderr)))

    @classmethod
    async def start(cls, detector: str, max_memory: int | None) -> Worker:
        """Start one and wait until its model is loaded.

        Raises:
            WorkerError: It cannot be loaded.
        """
        # Files without a name are handed over through a socket; Windows has no such thing.
        files, theirs = socket.socketpair() if os.name == "posix" else (None, None)
        settings = {
            "parent": os.getpid(),
            "detector": detector,
            "max_memory": max_memory,
            "files": theirs.fileno() if theirs else None,
        }
        # The parent's own search path, so that a detector is found wherever the parent would find it; relative entries
        # would mean something else in the worker's directory.
        search = [absolute(entry) for entry in sys.path if entry]
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-I",
                "-c",
                _BOOT,
                json.dumps(search),
                json.dumps(settings),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                limit=_LINE,
                env={
                    k: v
                    for k, v in os.environ.items()
                    if k.upper() in _ENVIRONMENT or k.startswith(_ENVIRONMENT_PREFIXES)
                },
                cwd=absolute(os.sep),
                # Ctrl-C in a terminal goes to the whole group: what becomes of the workers is the parent's decision.
                start_new_session=True,
                pass_fds=(theirs.fileno(),) if theirs else (),
            )
        except BaseException:
            if files:
                files.close()
            raise
        finally:
            if theirs:
                theirs.close()
        worker = cls(process, files)
        try:
            event = await worker.receive(_START)
        except BaseException:
            await worker.kill()
            raise
        if event["event"] == "fatal":
            await worker.kill()
            raise WorkerError(Failure(event["code"], event["message"]))
        info = event["detector"]
        worker.detector = DetectorInfo(info["name"], info["version"], tuple(info["labels"]))
        return worker

    async def _listen(self, stderr: asyncio.StreamReader) -> None:
        while chunk := await stderr.read(4096):
            self._stderr = (self._stderr + chunk.decode(errors="replace"))[-_STDERR:]

    def send(self, order: Mapping[str, Any], file: BinaryIO | None = None) -> None:
        """Give an order, and an open file with it. If the worker is dead, `receive` says so."""
        if file is not None and self._files is not None:
            with suppress(OSError):
                socket.send_fds(self._files, [b"f"], [file.fileno()])
        self._orders.write(json.dumps(order).encode() + b"\n")

    async def receive(self, seconds: float) -> dict[str, Any]:
        """The next event.

        Raises:
            WorkerError: The worker is dead, or said nothing for so many seconds.
        """
        try:
            line = await asyncio.wait_for(self._events.readline(), seconds)
        except TimeoutError:
            raise WorkerError(Failure("worker_died", f"The worker made no progress for {seconds:g} s")) from None
        if not line.endswith(b"\n"):
            raise WorkerError(Failure("worker_died", await self._obituary()))
        event: dict[str, Any] = json.loads(line)
        return event

    async def _obituary(self) -> str:
        await self._reap()
        code = self.process.returncode
        if code is not None and code < 0:
            name = signal.Signals(-code).name
            why = f"was killed by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")
        else:
            why = f"ended with code {code}"
        words = self._stderr.strip()
        return f"The worker {why}" + (f": {words}" if words else "")

    def end(self) -> None:
        """Kill the process, without waiting for it."""
        with suppress(ProcessLookupError):  # it went by itself
            self.process.kill()

    async def kill(self) -> None:
        """Kill the process and wait for it."""
        self.end()
        await self._reap()

    async def _reap(self) -> None:
        self._orders.close()
        if self._files is not None:
            self._files.close()
        await self.process.wait()
        await self._listener
