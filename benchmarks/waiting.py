"""What it costs to wait for many jobs, and how late their ends are noticed, at each vendor's emulator.

    uv run python benchmarks/waiting.py

As many callers as there are to be jobs in flight moderate one job each, with a moderator that has seen no task before: `cold`.
Then each moderates two more, one after the other: `warm`. How long a task takes is drawn from a lognormal distribution. The
emulator is a process of its own and knows when each ended; to notice is to have the judged result. Time runs `--speed` times as
fast as the wall, and with it all that is counted in seconds: the pauses of `[polling]`, and Tencent's rate of requests. That of
Huawei, 10 per second, would not let a thousand such jobs be in flight, and is not kept.

Tencent's hint when to ask again is taken away, since the emulator knows that
better than a vendor can. Gcore is asked for 100 tasks a page, and its documented queue of 100 is widened.

Targets, where the vendor has a list: at most 3 requests per job, submit included, and a mean delay of at most a tenth of the
task's time. Huawei's v3 has none and is shown beside them.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter

from reelvet import AsyncModerator, Config, ModerationJob
from reelvet.errors import SubmitOutcomeUnknown
from reelvet.plugins import Registry
from reelvet.sandbox import Sandbox
from reelvet.sandbox.tasks import Tasks

REQUESTS, DELAY = 3.0, 0.10
NEVER_REACHED = 1_000_000
VENDORS = {
    "tencent": ("tencent", {"parallel": None}, {}),
    "huawei v2": ("huawei", {"obs_only": False, "hosting_seconds": 0.0}, {"api": "v2"}),
    "gcore": ("gcore", {"queue": NEVER_REACHED}, {"page_size": 100}),
    "huawei v3": ("huawei", {}, {"api": "v3"}),
}
"""Provider, setup of its emulator, settings."""
RATES = {"tencent": 20.0, "huawei": None}
"""Requests of each kind per second; `None`: any number."""
JOB = {"gcore": {"detect": ["context.sport"]}, "huawei": {"detect": ["sexual"], "channels": ["visual"]}}


# --- the emulator ---


def serve(name, speed, median, sigma):
    """Tells its configuration, then for each line that it reads: requests by operation, and when each task began and ended."""
    provider, setup, settings = VENDORS[name]
    draw, add = random.Random(7), Tasks.add  # noqa: S311

    def drawn(self, task):
        task.queue, task.work = 0.0, draw.lognormvariate(math.log(median), sigma)
        return add(self, task)

    Tasks.add = drawn
    with Sandbox([provider], registry=Registry.discover(), speed=speed) as sandbox:
        if provider in RATES:
            setup["per_second"] = rate = RATES[provider] and RATES[provider] * speed
            if speed != 1 or rate is None:
                # Set, it counts all requests together: of Tencent, whose rate is one of each kind, that is less than it allows.
                settings["requests_per_second"] = rate or NEVER_REACHED
        sandbox.set_up(provider, **setup)
        if provider == "tencent":
            for operation in ("get", "list"):
                sandbox.fault(provider, "null_field", path="TryInSeconds", operation=operation, times=None)
        config = sandbox.config(provider)
        config["providers"][provider] |= settings
        config["polling"] = {"first": 1 / speed, "most": 60 / speed}
        print(json.dumps(config), flush=True)
        for _ in sys.stdin:
            told = Counter(received.operation for received in sandbox.requests(provider))
            (emulator,) = sandbox._chosen(provider)  # noqa: SLF001  (the benchmark looks at the vendor's side)
            ends = {
                task.id: (task.created_date.timestamp(), (task.ends - task.created) / speed) for task in emulator.tasks
            }
            print(json.dumps({"requests": told, "ends": ends}), flush=True)


class Emulator:
    """The other process."""

    def __init__(self, process):
        self._process = process
        self.config = json.loads(process.stdout.readline())

    def seen(self):
        """What it has seen so far."""
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@contextlib.contextmanager
def emulator(name, options):
    arguments = [str(x) for x in (options.speed, options.median, options.sigma)]
    process = subprocess.Popen(
        [sys.executable, __file__, "--serve", name, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Emulator(process)
    finally:
        process.terminate()
        process.wait()


# --- waiting ---


async def moderate(moderator, callers, each, provider):
    """When each task was noticed to have ended, by its id."""
    noticed = {}

    async def caller(number):
        for turn in range(each):
            job = ModerationJob(media=f"https://cdn.example.com/{number}-{turn}.mp4", **JOB.get(provider, {}))
            try:
                result = await moderator.moderate(job)
            except SubmitOutcomeUnknown:
                # The emulator closes a connection that was idle for some seconds, maybe in the moment in which it is used.
                result = await moderator.moderate(job.model_copy(update={"key": f"{job.key}-again"}))
            assert result.status == "succeeded", result.tasks
            noticed[result.tasks[0].id] = time.time()

    await asyncio.gather(*(caller(number) for number in range(callers)))
    return noticed


async def run(name, options):
    provider = VENDORS[name][0]
    with emulator(name, options) as other:
        before = Counter()
        async with AsyncModerator(Config.parse(other.config)) as moderator:
            for phase, each in (("cold", 1), ("warm", 2)):
                noticed = await moderate(moderator, options.jobs, each, provider)
                told = other.seen()
                show(name, phase, noticed, Counter(told["requests"]) - before, told["ends"])
                before = Counter(told["requests"])


def show(name, phase, noticed, requests, ends):
    delays = [(at - ends[id_][0] - ends[id_][1]) / ends[id_][1] for id_, at in noticed.items()]
    each, delay = sum(requests.values()) / len(noticed), statistics.mean(delays)
    is_met = each <= REQUESTS and delay <= DELAY
    verdict = "no list" if name == "huawei v3" else f"{REQUESTS:g}, {DELAY:.0%}: {'met' if is_met else 'MISSED'}"
    p95 = sorted(delays)[int(0.95 * len(delays))]
    kinds = ", ".join(f"{operation} {count}" for operation, count in sorted(requests.items()))
    print(f"{name:11}{phase:6}{len(noticed):>6}{each:>10.2f}{delay:>9.1%}{p95:>9.1%}  {verdict:18}{kinds}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=1000, help="in flight")
    parser.add_argument("--median", type=float, default=60.0, help="seconds of a task")
    parser.add_argument("--sigma", type=float, default=0.5, help="of the logarithm of a task's seconds")
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--vendor", choices=VENDORS, action="append")
    parser.add_argument("--serve", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve[0], *map(float, options.serve[1:]))
        return
    print(
        f"{options.jobs} jobs in flight, task time lognormal: median {options.median:g} s, sigma {options.sigma:g}, speed {options.speed:g}, {os.cpu_count()} cores"
    )
    print(f"{'':17}{'jobs':>6}{'requests':>10}{'delay':>9}{'its p95':>9}  target")
    for name in options.vendor or VENDORS:
        asyncio.run(run(name, options))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        os.environ["REELVET_STATE_DIR"] = place  # a journal on this disk, and none of the user's own
        main()
