"""Jobs per second that go in under Tencent's rate of 20 requests per second, against a plain loop over the vendor's own client.

    uv run python benchmarks/tencent_quota.py

The emulator, in a process of its own, refuses what is over that rate, and notes when each request arrived. A call takes up to
10 tasks, so the rate is worth 200 jobs per second.

- reelvet: `AsyncModerator.submit` of 2,000 jobs, all at once, then as a stream: 600 callers that each submit their next job as
  soon as the last is in.
- `tencentcloud.vm`: `CreateVideoModerationTask` with one task, one call after the other; what is refused is sent again.

Targets: the jobs go in at no less than 0.9 of the 200 per second, both from the first submit to the last ticket (`in all`) and,
which is stricter, counted from the end of the first burst, which costs nothing; no window of one second holds more than 20
requests, by the emulator's own times; none is refused.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time

from tencentcloud.common import credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.vm.v20210922 import models
from tencentcloud.vm.v20210922.vm_client import VmClient

from reelvet import AsyncModerator, Config, ModerationJob
from reelvet.plugins import Registry
from reelvet.sandbox import Sandbox
from reelvet_tencent.sandbox import TencentSandbox

RATE, TASKS, SHARE = 20, 10, 0.9
CALLERS, SDK_SECONDS = 600, 5.0


# --- the emulator ---


def serve():
    """Tells its configuration, then for each line that it reads what arrived since the last: times, and whether it was let in."""
    arrivals = []
    admit = TencentSandbox.admit

    def noting(self, call):
        at = time.monotonic()
        is_in = admit(self, call)
        if call.operation == "create":
            arrivals.append((at, is_in))
        return is_in

    TencentSandbox.admit = noting
    with Sandbox(["tencent"], registry=Registry.discover()) as sandbox:
        print(json.dumps(sandbox.config("tencent")), flush=True)
        for _ in sys.stdin:
            print(json.dumps({"arrivals": arrivals, "tasks": len(sandbox.tasks("tencent"))}), flush=True)
            sandbox.reset()
            arrivals.clear()


class Emulator:
    """The other process."""

    def __init__(self, process):
        self._process = process
        self.config = json.loads(process.stdout.readline())

    def seen(self):
        """What arrived since it was asked last."""
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@contextlib.contextmanager
def emulator():
    process = subprocess.Popen(
        [sys.executable, __file__, "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield Emulator(process)
    finally:
        process.terminate()
        process.wait()


# --- the contenders ---


def job(number):
    return ModerationJob(media=f"https://cdn.example.com/{number}.mp4", key=f"job-{number}")


async def at_once(config, jobs):
    """Seconds from the first submit to the last ticket."""
    async with AsyncModerator(Config.parse(config | {"journal": {"url": "memory:"}})) as moderator:
        begun = time.perf_counter()
        await asyncio.gather(*(moderator.submit(job(number)) for number in range(jobs)))
        return time.perf_counter() - begun


async def as_stream(config, jobs):
    """The same."""
    left = iter(range(jobs))
    async with AsyncModerator(Config.parse(config | {"journal": {"url": "memory:"}})) as moderator:

        async def caller():
            for number in left:
                await moderator.submit(job(number))

        begun = time.perf_counter()
        await asyncio.gather(*(caller() for _ in range(CALLERS)))
        return time.perf_counter() - begun


def sdk(config, seconds):
    table = config["providers"]["tencent"]
    profile = ClientProfile(
        httpProfile=HttpProfile(protocol="http", endpoint=table["base_url"].removeprefix("http://"), keepAlive=True)
    )
    client = VmClient(credential.Credential(table["secret_id"], table["secret_key"]), table["region"], profile)
    until, number = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        asked = models.CreateVideoModerationTaskRequest()
        asked.from_json_string(
            json.dumps(
                {
                    "BizType": table["biz_type"],
                    "Type": "VIDEO",
                    "Tasks": [
                        {
                            "DataId": f"sdk-{number}",
                            "Input": {"Type": "URL", "Url": f"https://cdn.example.com/{number}.mp4"},
                        }
                    ],
                }
            )
        )
        try:
            client.CreateVideoModerationTask(asked)
            number += 1
        except TencentCloudSDKException as error:
            if error.code != "RequestLimitExceeded":
                raise
            time.sleep(0.01)


# --- what came of it ---


def most_in_a_second(times):
    times = sorted(times)
    first = most = 0
    for number, at in enumerate(times):
        while at - times[first] >= 1.0:
            first += 1
        most = max(most, number - first + 1)
    return most


def show(name, told, jobs, took):
    times = [at for at, _ in told["arrivals"]]
    refused = sum(not is_in for _, is_in in told["arrivals"])
    let_in = sorted(at for at, is_in in told["arrivals"] if is_in)
    tasks = told["tasks"]
    per_call = tasks / len(let_in)
    rate = (tasks - RATE * per_call) / (let_in[-1] - let_in[0])
    most = most_in_a_second(times)
    verdict, in_all = "", tasks / took
    if jobs:
        assert tasks == jobs, f"{tasks} tasks of {jobs} jobs"
        is_met = min(rate, in_all) >= SHARE * RATE * TASKS and most <= RATE and not refused
        verdict = f"at least {SHARE * RATE * TASKS:g}/s, at most {RATE}, 0 refused {'met' if is_met else 'MISSED'}"
    print(
        f"{name:22}{tasks:>7}{len(times):>10}{per_call:>11.1f}{took:>9.1f}{in_all:>8.1f}{rate:>9.1f}{most:>17}{refused:>9}  {verdict}"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve()
        return
    print(f"{options.jobs} jobs, {RATE} requests per second, {os.cpu_count()} cores")
    print(
        f"{'':22}{'jobs':>7}{'requests':>10}{'jobs each':>11}{'seconds':>9}{'in all':>8}{'jobs/s':>9}{'most in a second':>17}{'refused':>9}  target"
    )
    with emulator() as other:
        for name, run in (("reelvet, all at once", at_once), ("reelvet, as a stream", as_stream)):
            took = asyncio.run(run(other.config, options.jobs))
            show(name, other.seen(), options.jobs, took)
            time.sleep(1.1)
        sdk(other.config, SDK_SECONDS)
        show("tencentcloud.vm", other.seen(), None, SDK_SECONDS)


if __name__ == "__main__":
    main()
