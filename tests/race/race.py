"""Eight processes submit the same job at the same moment, over one journal, as if each were a machine of its own.

    uv run python tests/race/race.py sqlite:////tmp/journal.db
    uv run --group postgres python tests/race/race.py postgresql://...

Prints what each was told, and what there is at the vendor's emulator. Each has a host name of its own, so that none can look
whether another's process lives: only leases tell, which here last less than a create takes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import signal
import socket
import sys
import time

from reelvet import AsyncModerator, Config, ModerationJob
from reelvet.http.wire import Wire
from reelvet.moderator.lease import Lease
from reelvet.sandbox import Sandbox
from reelvet.schema.errors import SubmitOutcomeUnknown

RACERS = 8
LEASE, CREATING = 0.7, 1.0
"""Seconds."""
_HOUR = 3600.0
JOB = {"media": "https://sandbox.reelvet.example/clean.mp4", "detect": ["sexual.explicit.pornography"], "key": "key-1"}


def racer(number: int, config: dict, start, told, *, skewed: bool, dies: bool) -> None:
    """One of them, in a process of its own.

    Args:
        number: Which.
        config: The configuration.
        start: The barrier that all wait at.
        told: Where it says what it was told.
        skewed: Whether its clock is hours away from the others'.
        dies: Whether it dies when its request is out.
    """
    socket.gethostname = lambda: f"machine-{number}"
    Lease.__init__.__defaults__ = (LEASE,)
    if skewed:
        now = time.time
        time.time = lambda: now() + (number - RACERS / 2) * _HOUR
    if dies:
        _die_when_sent()
    told.put((number, asyncio.run(_submit(config, start))))


async def _submit(config: dict, start) -> list[str] | str:
    async with AsyncModerator(Config.parse(config)) as moderator:
        await moderator.journal.last_news()  # it is open
        await asyncio.to_thread(start.wait)
        try:
            ticket = await moderator.submit(ModerationJob(**JOB))
        except SubmitOutcomeUnknown as error:
            return error.message
        return [task.ref.id for task in ticket.tasks]


def _die_when_sent() -> None:
    exchange = Wire.exchange

    async def watched(wire, request, *args):
        if request.operation == "CreateTask":
            asyncio.get_running_loop().call_later(CREATING / 3, os.kill, os.getpid(), signal.SIGKILL)
        return await exchange(wire, request, *args)

    Wire.exchange = watched


def race(journal: str, *, skewed: bool = False, dies: bool = False) -> dict:
    """Runs it.

    Args:
        journal: Its URL.
        skewed: Whether their clocks are hours apart.
        dies: Whether whoever sends the request dies before it is answered.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["reelvet.moderator", "reelvet.http.wire", "reelvet.journal.sql", "reelvet_gcore.provider"]
    )
    with Sandbox(["gcore"], speed=1.0) as sandbox:
        sandbox.fault("gcore", "latency", operation="create", seconds=CREATING, when="after", times=None)
        config = sandbox.config() | {"journal": {"url": journal}}
        config["polling"]["settle_window"] = 10.0
        start, told = context.Barrier(RACERS), context.Queue()
        racers = [
            context.Process(target=racer, args=(n, config, start, told), kwargs={"skewed": skewed, "dies": dies})
            for n in range(RACERS)
        ]
        for process in racers:
            process.start()
        for process in racers:
            process.join(120)
        killed = sum(process.exitcode == -signal.SIGKILL for process in racers)
        failed = sum(process.exitcode not in {0, -signal.SIGKILL} for process in racers)
        answers = dict(told.get(timeout=5) for _ in range(RACERS - killed - failed))
        return {"told": answers, "killed": killed, "failed": failed, "tasks": [task.id for task in sandbox.tasks()]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("journal", help="a journal's URL")
    parser.add_argument("--skewed", action="store_true", help="their clocks are hours apart")
    parser.add_argument("--dies", action="store_true", help="whoever sends the request dies before it is answered")
    options = parser.parse_args()
    json.dump(race(options.journal, skewed=options.skewed, dies=options.dies), sys.stdout, indent=1)


if __name__ == "__main__":
    main()
