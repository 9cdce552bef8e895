"""What jobs in flight cost one process: memory and lag of the event loop, against bare tasks that sleep with the same jobs.

    uv run python benchmarks/in_flight.py

Each contender has a process of its own. It makes the jobs, has all of them in flight, and stays so for a while; then the vendor
says that they have ended, and the same is done again twice.

- bare: `asyncio.create_task` of a coroutine that holds a job and sleeps, for 1 to 20 s at a time: a loop without any timer but
  the one that is measured is never late, since the system's own timers count in whole milliseconds.
- list: `AsyncModerator.moderate` of the same jobs, a hundred of them being submitted at a time, at a vendor in memory that has a list, in pages of a hundred.
- one by one: the same, without a list.

Memory is the resident memory of the process, from before the jobs were made, per job. Lag is by how much a sleep of 5 ms is
longer, its 99th percentile, from when all are in flight. Growth is what the third time leaves behind
beyond the second.

Targets: memory and lag at most 3 times those of the bare tasks; growth at most a twentieth of what is held in flight.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import random
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel

from reelvet import AsyncModerator, Config, ModerationJob
from reelvet.plugins import Capabilities, Capability, Created, Health, Provider, ProviderSpec, Registry, Report, ask
from reelvet.schema.media import Channel
from reelvet.schema.plan import Plan, VendorTask
from reelvet.schema.task import RawTask, Status, TaskRef

MOST, GROWTH = 3.0, 0.05
LABELS = ("sexual.explicit.pornography", "violence.graphic.blood_gore")
PAGE = 100
AT_A_TIME = 100


# --- a vendor in memory ---


class Settings(BaseModel):
    """Of an instance."""

    has_list: bool = True


class Vendor(Provider):
    """Works at everything until it is told that all has ended."""

    id = "stub"
    tasks: ClassVar[set[str]] = set()
    has_ended = False
    asked = 0

    def effective(self):
        """Two labels."""
        entries = tuple(Capability(label, (Channel.VISUAL,)) for label in LABELS)
        return Capabilities(entries=entries, operations=frozenset({"sweep"} if self.settings.has_list else ()))

    def plan(self, job):
        """One task."""
        asked = ask(job, self.effective(), self.context.taxonomy, provider=self.id)
        task = VendorTask(name="all", vendor_key=job.vendor_key, payload={"url": str(job.media.url)})
        return Plan(provider=self.id, instance=self.context.instance, tasks=(task,), coverage=tuple(asked.coverage))

    def read(self, plan, raws):
        """Nothing was found."""
        return Report()

    async def submit(self, tasks):
        """All are created."""
        made = [str(uuid.uuid4()) for _ in tasks]
        self.tasks.update(made)
        return [Created(TaskRef(id=id_, name=task.name)) for id_, task in zip(made, tasks, strict=True)]

    async def fetch(self, ref):
        """How far it is."""
        Vendor.asked += 1
        await asyncio.sleep(0)
        return self._raw(ref)

    async def sweep(self, window):
        """How far all are."""
        for number, id_ in enumerate(list(self.tasks)):
            if number % PAGE == 0:
                Vendor.asked += 1
                await asyncio.sleep(0)
            yield self._raw(TaskRef(id=id_))

    async def check(self):
        """All is well."""
        return Health(True, "here")

    def _raw(self, ref):
        status = Status.SUCCEEDED if self.has_ended else Status.RUNNING
        return RawTask(ref=ref, status=status, native_status="working", payload={"id": ref.id, "state": "working"})


# --- the contenders, each in its process ---


def jobs_of(count):
    return [
        ModerationJob(media=f"https://cdn.example.com/{number}.mp4", detect=LABELS, user=f"u-{number}")
        for number in range(count)
    ]


def resident():
    gc.collect()
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def lag(seconds):
    loop = asyncio.get_running_loop()
    over, until = [], loop.time() + seconds
    while (begun := loop.time()) < until:
        await asyncio.sleep(0.005)
        over.append(loop.time() - begun - 0.005)
    return sorted(over)[int(len(over) * 0.99)]


async def bare(count, seconds):
    async def sleep(job):
        while True:  # each for a time of its own: what never wakes has a loop with nothing to be late for
            await asyncio.sleep(random.uniform(1.0, 20.0))  # noqa: S311 - no secret
            assert job.key

    async def run(jobs):
        tasks = [asyncio.create_task(sleep(job)) for job in jobs]
        await asyncio.sleep(0)

        async def stop():
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        return stop

    return await measured(run, count, seconds)


async def ours(count, seconds, *, has_list):
    registry = Registry()
    registry.register(ProviderSpec(id="stub", title="Stub", provider="in_flight:Vendor", settings="in_flight:Settings"))
    config = Config.parse({"use": "stub", "providers": {"stub": {"has_list": has_list}}})
    async with AsyncModerator(config, registry=registry) as moderator:

        async def run(jobs):
            Vendor.has_ended = False
            tasks = []
            for job in jobs:
                tasks.append(asyncio.create_task(moderator.moderate(job)))
                while len(tasks) - len(Vendor.tasks) > AT_A_TIME:  # noqa: ASYNC110
                    await asyncio.sleep(0.001)
            while len(Vendor.tasks) < len(jobs):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            await asyncio.sleep(1)

            async def stop():
                Vendor.has_ended = True
                await asyncio.gather(*tasks)
                Vendor.tasks.clear()

            return stop

        return await measured(run, count, seconds)


async def measured(run, count, seconds):
    await (await run(jobs_of(AT_A_TIME)))()  # what is loaded and cached once is no cost of a job
    before, left, told = resident(), [], {}
    for round_ in range(3):
        jobs = jobs_of(count)
        stop = await run(jobs)
        if not round_:
            told = {"memory": (resident() - before) / count, "lag": await lag(seconds)}
        await stop()
        del jobs, stop
        left.append(resident())
    return {**told, "growth": (left[2] - left[1]) / count, "asked": Vendor.asked}


CONTENDERS = {
    "bare": bare,
    "list": lambda count, seconds: ours(count, seconds, has_list=True),
    "one by one": lambda count, seconds: ours(count, seconds, has_list=False),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=30.0, help="of which the lag is measured")
    parser.add_argument("--contender", choices=CONTENDERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.contender:
        sys.modules["in_flight"] = sys.modules["__main__"]
        print(json.dumps(asyncio.run(CONTENDERS[options.contender](options.jobs, options.seconds))))
        return
    print(f"{options.jobs} jobs in flight, {options.seconds:g} s, {os.cpu_count()} cores")
    print(f"{'':12}{'kB each':>9}{'of bare':>9}{'lag p99 ms':>12}{'of bare':>9}{'growth':>9}  target")
    base = None
    for name in CONTENDERS:
        command = [
            sys.executable,
            __file__,
            "--contender",
            name,
            "--jobs",
            str(options.jobs),
            "--seconds",
            str(options.seconds),
        ]
        told = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        base = base or told
        memory, lagging = told["memory"] / base["memory"], told["lag"] / base["lag"]
        growth = told["growth"] / told["memory"]
        is_met = memory <= MOST and lagging <= MOST and growth <= GROWTH
        verdict = "" if told is base else f"at most {MOST:g}, {MOST:g}, {GROWTH:.0%}: {'met' if is_met else 'MISSED'}"
        print(
            f"{name:12}{told['memory'] / 1000:>9.2f}{memory:>9.2f}{told['lag'] * 1000:>12.2f}{lagging:>9.2f}{growth:>9.1%}  {verdict}"
        )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        os.environ["REELVET_STATE_DIR"] = place  # a journal on this disk, and none of the user's own
        main()
