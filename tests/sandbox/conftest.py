"""A sandbox with the emulator of a vendor called Acme, and a client that shows what is on the wire."""

import json
import socket
import sys
import types
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urlsplit

import pytest

from reelvet.plugins import ProviderSpec, Registry
from reelvet.sandbox import Emulator, NeverFinishes, Reply, Route, Sandbox, Task


class AcmeSandbox(Emulator):
    id = "acme"
    routes = (Route("create", "POST", "/v1/tasks"), Route("get", "GET", "/v1/tasks/{id}"), Route("batch", "GET", "/v1/batch"), Route("break", "GET", "/v1/break"))  # fmt: skip
    understands: ClassVar = {"never_finishes": ("create",)}
    calls_back = True

    def settings(self):
        return {"api_key": "sesame", "nested": {"region name": "moon"}}

    def authenticate(self, call):
        return None if call.header("x-api-key") == "sesame" else Reply(401, {"error": "who?"})

    def failure(self, call, status):
        return Reply(status, {"error": f"acme says {status}"})

    def answer(self, call):
        if call.operation == "break":
            raise ZeroDivisionError("a mistake")
        if call.operation == "batch":
            return Reply(200, {"items": [{"id": n} for n in range(4)], "total": 4})
        if call.operation == "get":
            task = self.tasks.get(call.params["id"])
            if task is None:
                return Reply(404, {"error": "unknown"})
            return Reply(
                200,
                {"id": task.id, "phase": task.phase(self.world.clock.now()), "hits": [{"class": "gore", "score": 9}]},
            )
        scenario = self.world.catalogue.for_url(call.json["url"])
        work = float("inf") if call.take(NeverFinishes) else scenario.duration / 10
        task = self.tasks.add(Task(f"t{len(self.tasks)}", "create", call.json, scenario, queue=1.0, work=work))
        if "callback" in call.json:
            self.call_back(call.json["callback"], {"X-Task": task.id}, b'{"done": true}', at=task.ends)
        return Reply(201, {"id": task.id})


@pytest.fixture(scope="session")
def acme_module():
    """Where the emulator can be imported from, as it is from an installed distribution."""
    module = types.ModuleType("acme_sandbox_for_tests")
    module.AcmeSandbox = AcmeSandbox
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, module.__name__, module)
        yield module


def registered(module):
    made = Registry()
    made.register(ProviderSpec("acme", "Acme", "acme:Acme", sandbox=f"{module.__name__}:AcmeSandbox"))
    made.register(ProviderSpec("plain", "Plain", "plain:Plain"))
    return made


@pytest.fixture
def registry(acme_module):
    return registered(acme_module)


@pytest.fixture(scope="session")
def running(acme_module):
    with Sandbox(registry=registered(acme_module), speed=0) as made:
        yield made


@pytest.fixture
def sandbox(running):
    """A sandbox that is as new; whose clock stands still."""
    running.reset()
    return running


@dataclass
class Answer:
    status: int | None
    headers: dict
    body: bytes
    ended: str
    """`open`, `closed` or `reset`: what became of the connection."""

    @property
    def json(self):
        return json.loads(self.body)


class Raw:
    """One request on one connection, read to its very end."""

    def __init__(self, url):
        parts = urlsplit(url)
        self.place = (parts.hostname, parts.port)

    def __call__(self, method, path, data=None, key="sesame", **headers):
        body = b"" if data is None else data if isinstance(data, bytes) else json.dumps(data).encode()
        lines = [f"{method} {path} HTTP/1.1", "Host: here", f"Content-Length: {len(body)}", f"X-Api-Key: {key}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        with socket.create_connection(self.place, timeout=5) as connection:
            connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
            return self._read(connection)

    @staticmethod
    def _read(connection):
        received, ended = b"", "open"
        while ended == "open":
            head, _, body = received.partition(b"\r\n\r\n")
            length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            if length and len(body) >= int(length[0].split(b":")[1]):
                break
            try:
                more = connection.recv(65536)
            except ConnectionResetError:
                ended = "reset"
                break
            received += more
            ended = "open" if more else "closed"
        head, _, body = received.partition(b"\r\n\r\n")
        first, *rest = head.decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
        return Answer(int(first.split()[1]) if first else None, headers, body, ended)


@pytest.fixture
def raw():
    return Raw


@pytest.fixture
def acme(sandbox):
    return Raw(sandbox.base_url("acme"))


@pytest.fixture
def control(sandbox):
    return Raw(sandbox.control)
