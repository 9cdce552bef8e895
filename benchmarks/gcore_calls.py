"""What a call to Gcore costs, against the vendor's own asynchronous client, over loopback.

    uv run --group bench python benchmarks/gcore_calls.py

One server in a process of its own answers both, with the same bytes. They send it the same body, each on connections that
it keeps, and with what they do by default: retries, time limits, headers.

- reelvet: `GcoreProvider.submit` of one task and `GcoreProvider.fetch`, over the `Session` that the moderator lends it.
- `gcore`: `ai_tasks.create` and `ai_tasks.get` of `AsyncGcore` as it is installed, with its own transport.

Per round both do the same calls in turn; the median over the rounds of each counts. Targets, at 1, 10 and 100 calls at a time:
at most 0.6 of their CPU time per call (of this process, so without the server's), and at least 2 times their calls per second.
The latter is wall time, which neighbours disturb: `of best` compares the best rounds.
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
import time
from functools import partial

from gcore import AsyncGcore

from reelvet import ModerationJob
from reelvet.http import Session
from reelvet.plugins import Created, ProviderContext
from reelvet_gcore.provider import GcoreProvider
from reelvet_gcore.settings import GcoreSettings

CPU, RATE = 0.6, 2.0
CONCURRENCIES = (1, 10, 100)
ID = "aafe70c6-0000-0000-0000-327b65f7670f"
URL = "https://cdn.example.com/clip.mp4"

CREATED = {"task_id": ID}
TASK = {
    "task_id": ID,
    "task_data": {"url": URL, "task_name": "content-moderation", "category": "hard_nudity"},
    "progress": 100,
    "status": "SUCCESS",
    "processing_time": {
        "started_at": "2024-07-13T12:30:00.000Z",
        "completed_at": "2024-07-13T12:31:02.900Z",
        "total_time_sec": 62.901,
    },
    "result": {
        "nudity_detected": True,
        "detection_results": ["FEMALE_BREAST_EXPOSED", "MALE_GENITALIA_EXPOSED"],
        "frames": [
            {
                "frame_number": 6 + n,
                "label": "FEMALE_BREAST_EXPOSED" if n % 2 else "MALE_GENITALIA_EXPOSED",
                "confidence": 0.84,
            }
            for n in range(4)
        ],
    },
}
"""Replies as documented: https://gcore.com/docs/api-reference/streaming/ai/get-ai-task-result."""


# --- the server ---


class _Answering(asyncio.Protocol):
    """Answers at once, and remembers what it was sent."""

    connections = 0
    bodies: set[bytes] = set()  # noqa: RUF012 - shared by all connections
    calls = 0

    def connection_made(self, transport):
        self.transport, self.got = transport, b""
        _Answering.connections += 1

    def data_received(self, data):
        self.got += data
        while (end := self.got.find(b"\r\n\r\n")) >= 0:
            head = self.got[:end].lower()
            _, is_there, length = head.partition(b"content-length: ")
            whole = end + 4 + (int(length.split(b"\r\n", 1)[0]) if is_there else 0)
            if len(self.got) < whole:
                return
            body, self.got = self.got[end + 4 : whole], self.got[whole:]
            self.answer(head, body)

    def answer(self, head, body):
        if head.startswith(b"get /seen"):
            self.write(b"200 OK", self.seen())
            return
        _Answering.calls += 1
        if head.startswith(b"post"):
            _Answering.bodies.add(body)
            self.write(b"201 Created", json.dumps(CREATED).encode())
        else:
            self.write(b"200 OK", json.dumps(TASK).encode())

    def write(self, status, body):
        self.transport.write(
            b"HTTP/1.1 %s\r\nServer: loopback\r\nContent-Type: application/json\r\nX-Request-Id: 0123456789abcdef\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (status, len(body), body)
        )

    @staticmethod
    def seen():
        told = {
            "bodies": [body.decode() for body in _Answering.bodies],
            "connections": _Answering.connections,
            "calls": _Answering.calls,
        }
        _Answering.bodies, _Answering.connections, _Answering.calls = set(), 0, 0
        return json.dumps(told).encode()


async def serve():
    server = await asyncio.get_running_loop().create_server(_Answering, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextlib.contextmanager
def server():
    process = subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True)
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.terminate()
        process.wait()


async def seen(url):
    """What the server has seen since it was asked last."""
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET /seen HTTP/1.1\r\n\r\n")
    head = await reader.readuntil(b"\r\n\r\n")
    told = await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].split(b"\r\n", 1)[0]))
    writer.close()
    return json.loads(told)


# --- the contenders ---


@contextlib.asynccontextmanager
async def reelvet(url):
    """Calls as the moderator makes them: the same settings, and a session made as it makes one."""
    context = ProviderContext("gcore", session=partial(Session, instance="gcore", provider="gcore"))
    provider = GcoreProvider(GcoreSettings(api_key="1$token", base_url=url), context)
    plan = provider.plan(ModerationJob(media=URL, detect=("sexual.explicit.nudity_anus",), key="k", user="user-1"))
    (task,) = plan.tasks

    async def create():
        (outcome,) = await provider.submit([task])
        assert isinstance(outcome, Created), outcome
        return outcome.ref

    async def get():
        return await provider.fetch(ref)

    await provider.open()
    try:
        ref = await create()
        assert ref.id == ID
        assert (await get()).payload == TASK
        yield {"create": create, "get": get}, task.payload
    finally:
        await provider.close()


@contextlib.asynccontextmanager
async def gcore(url, payload):
    async with AsyncGcore(api_key="1$token", base_url=url) as client:

        async def create():
            return await client.streaming.ai_tasks.create(**payload)

        async def get():
            return await client.streaming.ai_tasks.get(ID)

        assert (await create()).task_id == ID
        assert (await get()).result.nudity_detected
        yield {"create": create, "get": get}


# --- the comparison ---


async def clocked(call, calls, concurrency):
    """Seconds of CPU and of wall for so many calls."""
    left = iter(range(calls))

    async def worker():
        for _ in left:
            await call()

    await asyncio.gather(*(call() for _ in range(concurrency)))  # opens what idled too long during the other's turn
    gc.collect()
    cpu, wall = time.process_time(), time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(concurrency)))
    return time.process_time() - cpu, time.perf_counter() - wall


async def compare(url, calls, rounds):
    async with reelvet(url) as (ours, payload), gcore(url, payload) as theirs:
        told = await seen(url)
        assert len({json.dumps(json.loads(body), sort_keys=True) for body in told["bodies"]}) == 1, told["bodies"]
        assert len({len(body) for body in told["bodies"]}) == 1, told["bodies"]
        times = {}
        for number in range(rounds + 1):
            for operation in ours:
                for concurrency in CONCURRENCIES:
                    sides = (("reelvet", ours), ("gcore", theirs))
                    for name, side in sides if number % 2 else sides[::-1]:
                        took = await clocked(side[operation], calls, concurrency)
                        if number:  # the first round warms up
                            times.setdefault((operation, concurrency, name), []).append(took)
        told = await seen(url)
    return times, told


def show(times, calls):
    print(
        f"{'':7}{'at a time':>10}{'us CPU':>9}{'gcore':>7}{'ratio':>7}{'of best':>9}  {'target':17}"
        f"{'calls/s':>8}{'gcore':>7}{'ratio':>7}{'of best':>9}  target"
    )
    for operation, concurrency in dict.fromkeys((operation, concurrency) for operation, concurrency, _ in times):
        ours, theirs = (times[operation, concurrency, name] for name in ("reelvet", "gcore"))
        cpu, their_cpu, wall, their_wall = (
            statistics.median(took[clock] for took in side) for clock in (0, 1) for side in (ours, theirs)
        )
        best_cpu, best_wall = (min(took[n] for took in ours) / min(took[n] for took in theirs) for n in (0, 1))
        is_cheap = "met" if cpu / their_cpu <= CPU else "MISSED"
        is_fast = "met" if their_wall / wall >= RATE else "MISSED"
        print(
            f"{operation:7}{concurrency:>10}{cpu / calls * 1e6:>9.0f}{their_cpu / calls * 1e6:>7.0f}{cpu / their_cpu:>7.2f}"
            f"{best_cpu:>9.2f}  {f'at most {CPU} {is_cheap}':17}{calls / wall:>8.0f}{calls / their_wall:>7.0f}"
            f"{their_wall / wall:>7.2f}{1 / best_wall:>9.2f}  at least {RATE:g} {is_fast}"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--calls", type=int, default=300, help="per round, operation and concurrency")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve())
        return
    with server() as url:
        times, told = asyncio.run(compare(url, options.calls, options.rounds))
    print(
        f"{options.rounds} interleaved rounds of {options.calls} calls, {os.cpu_count()} cores;"
        f" {told['calls']} calls came over {told['connections']} connections"
    )
    show(times, options.calls)


if __name__ == "__main__":
    main()
