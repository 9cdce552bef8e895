"""The whole road of a job over the emulator, at each of the two APIs: over HTTP, with virtual time."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from reelvet import AsyncModerator, Config, ModerationJob
from reelvet_huawei.sandbox import DOMAIN, PASSWORD, USER

EVERYWHERE = {
    "name": "everywhere",
    "duration": 20,
    "events": [
        {"label": "sexual.explicit.pornography", "start": 5, "end": 9, "score": 0.9},
        {"label": "harassment.abuse", "start": 10, "end": 14, "score": 0.9, "channel": "ocr", "text": "你是笨蛋", "matches": ["笨蛋"]},
        {"label": "sexual.explicit.pornography", "start": 11, "end": 13, "score": 0.9, "channel": "speech", "text": "约炮"},
        {"label": "sexual.sound.moaning", "start": 15, "end": 18, "score": 0.9, "channel": "sound"},
    ],
    "speech": [{"start": 11, "end": 13, "text": "来约炮吧", "language": "zh"}],
}  # fmt: skip
OBJECT = "https://media.obs.cn-north-4.myhuaweicloud.com/everywhere.mp4"
MAGIC = "https://sandbox.reelvet.example"
APIS = ("v2", "v3")


@pytest.fixture(params=APIS)
def api(request):
    """One of the two APIs; a test that names none of its own is run over both."""
    return request.param


@pytest.fixture(autouse=True)
def _without_the_extra(monkeypatch):
    """Whether or not the vendor's OBS client happens to be installed; with it: the folder `oracle`."""
    monkeypatch.setattr("reelvet_huawei.bucket.is_installed", lambda: False)


@pytest.fixture
def configured(reelvet_sandbox):
    """A moderator over the emulator; further settings of the instance by name, `None` takes one away."""

    def make(polling=None, **settings):
        config = reelvet_sandbox.config("huawei")
        table = config["providers"]["huawei"] | settings
        config["providers"]["huawei"] = {name: value for name, value in table.items() if value is not None}
        config["polling"] |= polling or {}
        return AsyncModerator(Config.parse(config))

    return make


@pytest.fixture
def by_token():
    """Settings for a token in place of a key pair; the token says the project."""
    return {
        "credentials": "token", "domain": DOMAIN, "user": USER, "password": PASSWORD, "ak": None, "sk": None, "project_id": None,
    }  # fmt: skip


@pytest.fixture
async def moderator(configured, api):
    async with configured(api=api) as made:
        yield made


@pytest.fixture
def job():
    def make(scenario="clean", **fields):
        media = scenario if "://" in scenario else f"{MAGIC}/{scenario}.mp4"
        return ModerationJob(**{"media": media, "detect": ["sexual"], "channels": ["visual"]} | fields)

    return make


@pytest.fixture
def creates(reelvet_sandbox):
    """How many tasks exist at the vendor."""
    return lambda: len(reelvet_sandbox.tasks("huawei"))


@pytest.fixture
def asked(reelvet_sandbox):
    """How often each operation was asked for."""

    def count(operation):
        return [request.operation for request in reelvet_sandbox.requests("huawei")].count(operation)

    return count


@pytest.fixture
def receiver():
    """Where callbacks come in: a server of one's own, and what it was sent, as path, headers and body."""
    received = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((self.path, dict(self.headers), body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", received
        server.shutdown()
        thread.join()


@pytest.fixture
def result_of(reelvet_sandbox):
    """The file that a task of v2 writes into a bucket."""

    def find(task_id):
        return reelvet_sandbox._emulators["huawei"].tasks.get(task_id).extra["result"]

    return find


@pytest.fixture
def provider_of():
    """The provider that a moderator has opened."""

    async def opened(moderator):
        return await moderator._instance("huawei").open()

    return opened


@pytest.fixture
def everywhere(reelvet_sandbox, job):
    """A job that asks for everything, of media in which there is something in each channel."""
    reelvet_sandbox.scenario(OBJECT, EVERYWHERE)
    return lambda **fields: job(OBJECT, **{"detect": None, "channels": None, "language": "zh"} | fields)
