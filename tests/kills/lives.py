"""One life of a process that submits one job: it notes every boundary of I/O that it comes to, and dies at one of them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from reelvet import AsyncModerator, Config, ModerationJob
from reelvet.http.wire import Wire
from reelvet.journal import open_journal
from reelvet.journal.worker import Worker
from reelvet.schema.errors import ReelvetError, SubmitOutcomeUnknown


@dataclass(frozen=True)
class Life:
    """What a process is to do."""

    config: dict
    job: dict
    trace: str
    """The file that boundaries are noted in."""
    outcome: str
    """The file that is written at the end, if there is one."""
    kill_at: tuple[str, int] | None = None
    """At which boundary it dies, and the how many-th time that it comes there."""
    tries: int = 1
    """How often it submits, while the outcome is unknown."""
    pause: float = 0.0
    """Seconds between two tries."""
    forgets: bool = False
    """Whether its journal forgets intents: what the harness must notice."""


class Boundaries:
    """Counts the boundaries, and dies at one."""

    def __init__(self, file: str, kill_at: tuple[str, int] | None) -> None:
        self._kill_at = kill_at
        self._reached = Counter()
        self._lock = threading.Lock()  # the journal has a thread of its own
        self._file = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._calls: list[str] = []

    def reach(self, name: str) -> None:
        with self._lock:
            self._reached[name] += 1
            os.write(self._file, f"{name}\n".encode())
            if (name, self._reached[name]) == self._kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
                threading.Event().wait()  # not one step further, until it has struck

    # --- what is watched ---

    def watch(self) -> None:
        """Watches whatever this process does to a database and to the network, with no help of what is watched."""
        self._watch_journal()
        self._watch_calls()
        self._watch_sockets()

    def _watch_journal(self) -> None:
        run, reach = Worker.run, self.reach

        async def watched(worker, work, *, writes=True):
            method = work.__qualname__.split(".")[1]

            def written(connection):
                value = work(connection)
                if writes:
                    reach(f"journal `{method}`: written, not committed")
                return value

            written.__qualname__ = work.__qualname__
            reach(f"journal `{method}`: before")
            value = await run(worker, written, writes=writes)
            reach(f"journal `{method}`: {'committed' if writes else 'read'}")
            return value

        Worker.run = watched

    def _watch_calls(self) -> None:
        exchange = Wire.exchange

        async def watched(wire, request, *args):
            self._calls.append(request.operation)
            try:
                return await exchange(wire, request, *args)
            finally:
                self._calls.remove(request.operation)

        Wire.exchange = watched

    def _watch_sockets(self) -> None:
        self._wrap("connect", "before it connects", None)
        for name in ("send", "sendall", "sendmsg"):
            self._wrap(name, "before the request goes out", "the request is out, no reply read")
        for name in ("recv", "recv_into"):
            self._wrap(name, "a reply is there, not read", "the reply is read, or the connection lost")

    def _wrap(self, method: str, before: str, after: str | None) -> None:
        original = getattr(socket.socket, method)

        def wrapped(sock, *args):
            if sock.family not in {socket.AF_INET, socket.AF_INET6}:  # the event loop's own
                return original(sock, *args)
            self.reach(f"{self._call()}: {before}")
            try:
                return original(sock, *args)
            finally:
                if after is not None:
                    self.reach(f"{self._call()}: {after}")

        setattr(socket.socket, method, wrapped)

    def _call(self) -> str:
        return " and ".join(sorted(set(self._calls))) or "between two calls"


def live(life: Life) -> None:
    """Runs in a process of its own."""
    boundaries = Boundaries(life.trace, life.kill_at)
    boundaries.watch()
    told = asyncio.run(_live(life, boundaries))
    Path(life.outcome).write_text(json.dumps(told), encoding="utf-8")


async def _live(life: Life, boundaries: Boundaries) -> dict:
    config = Config.parse(life.config)
    journal = open_journal(config.journal.target())
    if life.forgets:
        _forget(journal)
    told: dict = {}
    async with AsyncModerator(config, journal=journal) as moderator:
        for number in range(life.tries):
            if number:
                await asyncio.sleep(life.pause)
            told = await _submit(moderator, ModerationJob(**life.job))
            boundaries.reach("the caller is answered")
            if told["outcome"] != "parked":
                break
    await journal.close()
    return told


async def _submit(moderator: AsyncModerator, job: ModerationJob) -> dict:
    try:
        ticket = await moderator.submit(job)
    except SubmitOutcomeUnknown as error:
        return {"outcome": "parked", "says": error.message}
    except ReelvetError as error:
        return {"outcome": "error", "says": f"{type(error).__name__}: {error.message}"}
    return {"outcome": "done", "tasks": [task.ref.id for task in ticket.tasks]}


def _forget(journal) -> None:
    """Makes it a journal that says it has entered an intent, and has not."""

    async def begin(record, lease):
        return record

    journal.begin = begin
