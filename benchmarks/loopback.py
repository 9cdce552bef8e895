"""What the comparisons of calls with a vendor's threaded client share: a server, the clocks, the table.

The server answers at once, in a process of its own, both sides over connections that they keep. CPU time is that of this
process with all its threads, so without the server's.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

CONCURRENCIES = (1, 10, 100)
_HEAD = b"HTTP/1.1 %d OK\r\nServer: loopback\r\nContent-Type: application/json\r\nX-Request-Id: 0123456789abcdef\r\nContent-Length: %d\r\n\r\n%s"


# --- the server ---


class _Answering(asyncio.Protocol):
    """Answers at once, and remembers what it was sent."""

    answer = None
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
            if head.startswith(b"get /seen"):
                status, content = 200, self.seen()
            else:
                _Answering.calls += 1
                if body:
                    _Answering.bodies.add(body)
                status, content = _Answering.answer(head)
            self.transport.write(_HEAD % (status, len(content), content))

    @staticmethod
    def seen():
        told = {
            "bodies": [body.decode() for body in _Answering.bodies],
            "connections": _Answering.connections,
            "calls": _Answering.calls,
        }
        _Answering.bodies, _Answering.connections, _Answering.calls = set(), 0, 0
        return json.dumps(told).encode()


def serve(answer):
    """Serves until it is ended. `answer` is given the head of a request in lower case, and gives status and body."""
    _Answering.answer = staticmethod(answer)

    async def run():
        server = await asyncio.get_running_loop().create_server(_Answering, "127.0.0.1", 0)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()

    asyncio.run(run())


@contextlib.contextmanager
def server(script):
    """The URL of a script's `--serve`."""
    process = subprocess.Popen([sys.executable, script, "--serve"], stdout=subprocess.PIPE, text=True)
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


# --- the clocks ---


async def _in_tasks(call, calls, concurrency):
    left = iter(range(calls))

    async def worker():
        for _ in left:
            await call()

    await asyncio.gather(*(call() for _ in range(concurrency)))  # opens what idled too long during the other's turn
    gc.collect()
    cpu, wall = time.process_time(), time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(concurrency)))
    return time.process_time() - cpu, time.perf_counter() - wall


def _in_threads(call, calls, concurrency):
    left = iter(range(calls))

    def worker(_):
        for _ in left:  # the next of a range is had under the lock of the interpreter
            call()

    with ThreadPoolExecutor(concurrency) as threads:
        list(threads.map(lambda _: call(), range(concurrency)))
        gc.collect()
        cpu, wall = time.process_time(), time.perf_counter()
        list(threads.map(worker, range(concurrency)))
        return time.process_time() - cpu, time.perf_counter() - wall


async def compare(ours, theirs, calls, rounds):
    """Seconds of CPU and of wall per round, side, operation and number of calls at a time.

    Args:
        ours: Operation -> a coroutine function that makes one call.
        theirs: Operation -> a function that makes one call, in a thread.
        calls: Per round, operation and concurrency.
        rounds: How many. Both take turns within each.
    """
    times = {}
    for number in range(rounds + 1):
        for operation in ours:
            for concurrency in CONCURRENCIES:
                for is_ours in (True, False) if number % 2 else (False, True):
                    if is_ours:
                        took = await _in_tasks(ours[operation], calls, concurrency)
                    else:
                        took = _in_threads(theirs[operation], calls, concurrency)
                    if number:  # the first round warms up
                        times.setdefault((operation, concurrency, is_ours), []).append(took)
    return times


# --- the table ---


def show(times, calls, rounds, told, *, cpu, rates):
    """Prints medians, their ratios and the targets: of CPU time at most `cpu`, of calls per second at least `rates`."""
    print(
        f"{rounds} interleaved rounds of {calls} calls, {os.cpu_count()} cores;"
        f" {told['calls']} calls came over {told['connections']} connections"
    )
    print(
        f"{'':7}{'at a time':>10}{'us CPU':>9}{'SDK':>7}{'ratio':>7}{'of best':>9}  {'target':19}"
        f"{'calls/s':>8}{'SDK':>7}{'ratio':>7}{'of best':>9}  target"
    )
    for operation, concurrency in dict.fromkeys((operation, concurrency) for operation, concurrency, _ in times):
        ours, theirs = (times[operation, concurrency, is_ours] for is_ours in (True, False))
        our_cpu, their_cpu, wall, their_wall = (
            statistics.median(took[clock] for took in side) for clock in (0, 1) for side in (ours, theirs)
        )
        best_cpu, best_wall = (min(took[n] for took in ours) / min(took[n] for took in theirs) for n in (0, 1))
        rate = rates[concurrency]
        is_cheap = "met" if our_cpu / their_cpu <= cpu else "MISSED"
        is_fast = "met" if their_wall / wall >= rate else "MISSED"
        print(
            f"{operation:7}{concurrency:>10}{our_cpu / calls * 1e6:>9.0f}{their_cpu / calls * 1e6:>7.0f}"
            f"{our_cpu / their_cpu:>7.2f}{best_cpu:>9.2f}  {f'at most {cpu} {is_cheap}':19}{calls / wall:>8.0f}"
            f"{calls / their_wall:>7.0f}{their_wall / wall:>7.2f}{1 / best_wall:>9.2f}  at least {rate:g} {is_fast}"
        )
