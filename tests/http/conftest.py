"""A server on loopback that keeps the raw bytes it receives, and does with the connection what a test wants."""

from __future__ import annotations

import asyncio
import inspect
import io
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from reelvet.http import LOOPBACK, Fetcher, RetryPolicy, network_disabled


@pytest.fixture(autouse=True)
def only_loopback():
    with network_disabled(allow=(*LOOPBACK, "public.test", "other.test", "rebind.test", "mixed.test")):
        yield


@pytest.fixture(autouse=True)
def no_name_is_looked_up(monkeypatch):
    """Not even a DNS query leaves the machine: every other name is unknown."""
    original = socket.getaddrinfo

    def guarded(host, *args, **more):
        if host not in {"localhost", None} and not str(host).startswith("127."):
            raise socket.gaierror(socket.EAI_NONAME, "unknown in tests")
        return original(host, *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", guarded)


@dataclass
class Received:
    at: float
    connection: int
    head: bytes
    body: bytes

    @property
    def line(self) -> bytes:
        return self.head.split(b"\r\n", 1)[0]

    def header(self, name: bytes) -> bytes | None:
        for line in self.head.split(b"\r\n")[1:]:
            key, _, value = line.partition(b":")
            if key.lower() == name.lower():
                return value.strip()
        return None


def answer(
    body: bytes = b"{}", status: int = 200, headers: dict[str, str] | None = None, length: int | None = None
) -> bytes:
    fields = {"Content-Type": "application/json", "Content-Length": str(len(body) if length is None else length)}
    fields.update(headers or {})
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} Something\r\n{lines}\r\n".encode() + body


@dataclass
class Server:
    """`replies` holds bytes, written as they are, or functions of (received, writer), taken in turn; the last one stays."""

    replies: list[bytes | Callable] = field(default_factory=lambda: [answer()])
    received: list[Received] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    connections: int = 0
    port: int = 0
    tasks: set[asyncio.Task] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.tasks.add(asyncio.current_task())
        self.connections += 1
        number = self.connections
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                got = Received(time.monotonic(), number, head, b"")
                if length := got.header(b"Content-Length"):
                    got.body = await reader.readexactly(int(length))
                self.received.append(got)
                self.asked.set()
                reply = self.replies[min(len(self.received), len(self.replies)) - 1]
                if callable(reply):
                    outcome = reply(got, writer)
                    if inspect.isawaitable(outcome):
                        await outcome
                else:
                    writer.write(reply)
                if writer.is_closing():
                    return
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def stop(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks)
        await asyncio.sleep(0.01)  # transports are closed by the loop


def cut(got: Received, writer: asyncio.StreamWriter) -> None:
    """Close the connection without a word."""
    writer.transport.abort()


def cut_midway(got: Received, writer: asyncio.StreamWriter) -> None:
    """Say that more comes than does."""
    writer.write(answer(b'{"half":', length=1000))
    writer.close()


@pytest_asyncio.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    listening = await asyncio.start_server(made.handle, "127.0.0.1", 0)
    made.port = listening.sockets[0].getsockname()[1]
    yield made
    listening.close()
    await made.stop()


@pytest.fixture
def wires():
    """The bits that replies are made of."""
    return answer, cut, cut_midway


@pytest.fixture
def quick() -> RetryPolicy:
    return RetryPolicy(attempts=3, base=0.01, cap=0.02)


@pytest.fixture
def closed_port(unused_tcp_port: int) -> int:
    """A port on which nobody listens."""
    return unused_tcp_port


class Certificate:
    """Self-signed, for `localhost` and `public.test`."""

    path = Path(__file__).parent / "data" / "loopback.pem"

    def server_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path)
        return context


@pytest.fixture
def certificate() -> Certificate:
    return Certificate()


@pytest_asyncio.fixture
async def tls_server(certificate) -> AsyncIterator[Server]:
    made = Server()
    listening = await asyncio.start_server(made.handle, "127.0.0.1", 0, ssl=certificate.server_context())
    made.port = listening.sockets[0].getsockname()[1]
    yield made
    listening.close()
    await made.stop()


@pytest.fixture
def deaf_port():
    """A port that takes no more connections: its queue is full, so a further connect is left without an answer."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(0)
    waiting = []
    for _ in range(4):
        waiting.append(socket.socket())
        waiting[-1].setblocking(False)
        waiting[-1].connect_ex(listening.getsockname())
    yield listening.getsockname()[1]
    for one in (*waiting, listening):
        one.close()


class Names:
    """A resolver that gives each name its answers in turn, and counts how often it was asked."""

    def __init__(self, **answers):
        self.answers = answers
        self.asked = []

    async def __call__(self, host, port):
        self.asked.append(host)
        answers = self.answers[host.replace(".", "_")]
        return answers[min(self.asked.count(host), len(answers)) - 1]


class Fetching:
    """What tests of the fetcher are made of."""

    names = Names
    """`names(public_test=[["127.0.0.1"]])` makes a resolver."""

    @staticmethod
    def local(**more):
        """The names `public.test` and `other.test` are this machine, which is allowed by address."""
        resolver = Names(public_test=[["127.0.0.1"]], other_test=[["127.0.0.1"]])
        return Fetcher(allow=["127.0.0.1/32"], resolver=resolver, **more)

    @staticmethod
    async def got(fetcher, url, max_bytes=1_000_000, **more):
        """What is said of the body, and the body."""
        file = io.BytesIO()
        fetched = await fetcher.fetch(url, to=file, max_bytes=max_bytes, **more)
        return fetched, file.getvalue()


@pytest.fixture
def fetching() -> Fetching:
    """Fetchers for this machine, and what they fetch."""
    return Fetching()
