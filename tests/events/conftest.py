"""A receiver on loopback that checks everything it gets, as a platform's own would."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from standardwebhooks import Webhook

from reelvet.config import EventsConfig
from reelvet.journal import Event, MemoryJournal, Place

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # that of the published test vector


@dataclass
class Receiver:
    url: str = ""
    secrets: list[str] = field(default_factory=lambda: [SECRET])
    """Each verifies what comes in."""
    script: list[Any] = field(default_factory=list)
    """Of the next requests: a status, `(status, headers)`, or `drop` (no answer). Then 204."""
    delay: float = 0.0
    got: list[tuple[str, Any]] = field(default_factory=list)
    """Id and body of what was verified, in the order it came."""
    faults: list[str] = field(default_factory=list)
    at_a_time: int = 0
    most_at_a_time: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def ids(self):
        return [id_ for id_, _ in self.got]

    def take(self, path, headers, body):
        with self.lock:
            self.at_a_time += 1
            self.most_at_a_time = max(self.most_at_a_time, self.at_a_time)
            try:
                for secret in self.secrets:
                    Webhook(secret).verify(body, headers)
                assert headers["Content-Type"] == "application/json"
                assert abs(int(headers["webhook-timestamp"]) - time.time()) < 5
                data = json.loads(body)
                assert set(data) == {"type", "timestamp", "data"}
                self.got.append((headers["webhook-id"], data))
            except Exception as error:  # noqa: BLE001
                self.faults.append(f"{type(error).__name__}: {error}")
            answer = self.script.pop(0) if self.script else 204
        time.sleep(self.delay)
        with self.lock:
            self.at_a_time -= 1
        return answer


@pytest.fixture
def receiver():
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = receiver.take(self.path, dict(self.headers.items()), body)
            if answer == "drop":
                self.close_connection = True
                self.connection.close()
                return
            status, headers = answer if isinstance(answer, tuple) else (answer, {})
            self.send_response(status)
            for name, value in {"Content-Length": "0", **headers}.items():
                self.send_header(name, value)
            self.end_headers()

    class Server(ThreadingHTTPServer):
        request_queue_size = 100

    with Server(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        receiver.url = f"http://127.0.0.1:{server.server_port}/hook?token=hush"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield receiver
        server.shutdown()
        thread.join()
    assert not receiver.faults


@pytest.fixture
def config(receiver):
    return EventsConfig(url=receiver.url, secrets=SECRET)


@pytest.fixture
def journal():
    return MemoryJournal()


@pytest.fixture
def event():
    def make(number=1):
        body = json.dumps({"type": "t", "timestamp": "2026-11-25T00:00:00Z", "data": {"n": number, "word": "ü"}})
        return Event(id=f"evt_{number}", type="moderation.result", body=body.encode(), place=Place(f"k{number}"))

    return make
