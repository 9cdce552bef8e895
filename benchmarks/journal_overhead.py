"""What the moderator and its journal cost per job, against the same provider called bare.

    uv run python benchmarks/journal_overhead.py

The vendors' emulators answer in a process of their own; a task there is done at once, so that nobody waits for a video.

- bare: `plan`, `prepare`, `submit`, `fetch` and `read` of the provider, as a program would that keeps nothing.
- reelvet: `AsyncModerator.submit` and `wait`, with an SQLite journal on disk: an intent before each submit and its outcome
  after, both on the disk (`synchronous=FULL`) before the next step; coverage, verdict and the ticket besides.

Per round both do the same number of jobs in turn; the median over the rounds of each counts. Targets for reelvet's time per
job: at most 1.3 times bare at 100 jobs at a time, and 1.7 times at one. CPU time is that of this process with the journal's
thread, so without the emulators'. In wall time one job at a time waits for the disk: `--latency` gives the vendor the
milliseconds that it has on a real network.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from reelvet import AsyncModerator, Config, ModerationJob, Status
from reelvet.plugins import Created
from reelvet.sandbox import Sandbox

TARGETS = {1: 1.7, 100: 1.3}
INSTANCES = {"gcore": ("gcore", {}), "huawei v2": ("huawei", {"api": "v2"}), "huawei v3": ("huawei", {"api": "v3"}), "tencent": ("tencent", {})}  # fmt: skip
URL = "https://sandbox.reelvet.example/block-nudity.mp4"


# --- the emulators ---


def serve(latency):
    sandbox = Sandbox(speed=100_000.0).start()
    for provider in sandbox.providers:
        sandbox.set_up(provider, per_second=None)
        if latency:
            sandbox.fault(provider, "latency", seconds=latency / 1000, times=None)
    sandbox.set_up("tencent", parallel=None)
    print(json.dumps(sandbox.config("gcore")), flush=True)
    sandbox.wait()


@contextlib.contextmanager
def emulators(latency):
    command = [sys.executable, __file__, "--serve", "--latency", str(latency)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()


# --- the contenders ---


def job():
    return ModerationJob(media=URL, detect=["sexual.explicit.pornography"], channels=["visual"])


async def bare(provider):
    asked = job()
    plan = await provider.prepare(provider.plan(asked))
    outcomes = await provider.submit(plan.tasks)
    raws = []
    for outcome in outcomes:
        assert isinstance(outcome, Created), outcome
        raw = await provider.fetch(outcome.ref)
        while not raw.status.final:
            raw = await provider.fetch(outcome.ref)
        raws.append(raw)
    assert provider.read(plan, raws).findings


async def reelvet(moderator):
    result = await moderator.wait(await moderator.submit(job()))
    assert result.status is Status.SUCCEEDED
    assert result.findings


def configured(config, place, vendor):
    provider, settings = INSTANCES[vendor]
    return Config.parse(
        {
            "use": provider,
            "providers": {provider: config["providers"][provider] | settings | ({"requests_per_second": 1e6} if provider != "gcore" else {})},
            "polling": {"first": 1e-6, "most": 0.01},
            "journal": {"url": f"sqlite:///{place}/{vendor.replace(' ', '-')}.db"},
        }
    )  # fmt: skip


# --- the clocks ---


async def clocked(one, jobs, concurrency):
    left = iter(range(jobs))

    async def worker():
        for _ in left:
            await one()

    await asyncio.gather(*(one() for _ in range(min(concurrency, 10))))
    gc.collect()
    cpu, wall = time.process_time(), time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(concurrency)))
    return (time.process_time() - cpu) / jobs, (time.perf_counter() - wall) / jobs


async def compare(config, vendor, place, jobs, rounds):
    times = {}
    async with AsyncModerator(configured(config, place, vendor)) as moderator:
        provider = await moderator._instance(None).open()  # noqa: SLF001 - the very same provider, session and connections
        sides = {"bare": partial(bare, provider), "reelvet": partial(reelvet, moderator)}
        for number in range(rounds + 1):
            for concurrency in TARGETS:
                for name in sides if number % 2 else reversed(sides):
                    took = await clocked(sides[name], jobs if concurrency > 1 else max(jobs // 4, 20), concurrency)
                    if number:  # the first round warms up
                        times.setdefault((concurrency, name), []).append(took)
    return times


def commit_time(place):
    """Milliseconds of one write that reaches the disk."""
    with Path(place, "probe").open("wb", buffering=0) as file:
        begun = time.perf_counter()
        for _ in range(30):
            file.write(b"x" * 4096)
            os.fsync(file.fileno())
        return (time.perf_counter() - begun) / 30 * 1000


def show(vendor, times):
    for concurrency, target in TARGETS.items():
        cells = []
        for clock in (0, 1):
            ours, theirs = (
                statistics.median(took[clock] for took in times[concurrency, name]) * 1000
                for name in ("reelvet", "bare")
            )
            best = min(took[clock] for took in times[concurrency, "reelvet"]) / min(
                took[clock] for took in times[concurrency, "bare"]
            )
            met = "met" if ours / theirs <= target else "MISSED"
            cells.append(f"{theirs:>8.2f}{ours:>9.2f}{ours / theirs:>7.2f}{best:>8.2f}  {met:6}")
        print(f"{vendor:10}{concurrency:>4}  at most {target:g} {''.join(cells)}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=400, help="per round at 100 at a time; a quarter of it at one")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--latency", type=float, default=0.0, help="milliseconds that the emulators take longer for a call"
    )
    parser.add_argument("--vendor", action="append", choices=list(INSTANCES))
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.latency)
        return
    with emulators(options.latency) as config, tempfile.TemporaryDirectory() as place:
        print(
            f"{options.rounds} interleaved rounds, {os.cpu_count()} cores, {commit_time(place):.1f} ms to write to this disk, {options.latency:g} ms latency"
        )
        print(
            f"{'':10}{'jobs':>4}  {'':12}{'CPU: bare':>8}  reelvet  ratio of best {'':6}{'wall: bare':>8}  reelvet  ratio of best"
        )
        for vendor in options.vendor or INSTANCES:
            show(vendor, asyncio.run(compare(config, vendor, place, options.jobs, options.rounds)))


if __name__ == "__main__":
    main()
