"""Both vendors that call back, over their emulators, and an application of ours that they call."""

import asyncio
import hashlib
import json
import time
from contextlib import AsyncExitStack

import pytest

from reelvet import AsyncModerator, Config, ModerationJob
from reelvet.callbacks import callbacks_app
from reelvet.callbacks.serving import Server, bind, url_of

SEED = "seed_1"
MAGIC = "https://sandbox.reelvet.example"


def tencent_signed(body, seed=SEED):
    return {"x-signature": hashlib.sha256(seed.encode() + body).hexdigest()}


@pytest.fixture
def tencent_body():
    """A callback of Tencent's and its headers."""

    def make(task="w-video-1", status="FINISH", key="k", seed=SEED, raw=None, **fields):
        body = (
            raw
            if raw is not None
            else json.dumps(
                {"TaskId": task, "DataId": key, "Status": status, "Type": "VIDEO", "Suggestion": "Pass", **fields}
            ).encode()
        )
        return body, tencent_signed(body, seed)

    return make


@pytest.fixture
def configured(reelvet_sandbox):
    """Moderators over the emulators; further tables of the configuration by name."""

    def make(use="huawei", journal=None, **tables):
        config = reelvet_sandbox.config(use)
        config["providers"]["huawei"] |= {"api": "v3", "seed": SEED}
        config["providers"]["tencent"] |= {"seed": SEED}
        # A poll in a test of callbacks would hide that they do nothing.
        config["polling"] |= {"first": 30, "most": 30, "settle_window": 0} | tables.pop("polling", {})
        return AsyncModerator(Config.parse(config | tables), journal=journal)

    return make


@pytest.fixture
async def moderator(configured):
    async with configured() as made:
        yield made


@pytest.fixture
async def serve():
    """Serves an application on loopback, and gives its URL."""
    async with AsyncExitStack() as stack:

        async def start(app):
            bound = stack.enter_context(bind("127.0.0.1", 0))
            ready = asyncio.Event()
            server = Server(app, ready=ready.set)
            serving = asyncio.create_task(server.serve(sockets=[bound]))

            async def stop():
                server.should_exit = True
                await serving

            stack.push_async_callback(stop)
            await asyncio.wait_for(ready.wait(), 10)
            return url_of(bound)

        yield start


@pytest.fixture
async def here(moderator, serve):
    """The URL of the moderator's own application."""
    return await serve(callbacks_app(moderator))


@pytest.fixture
def job():
    def make(url, scenario="block-nudity", key="key/1", query="?key={key}", vendor="huawei", **fields):
        asked = {"media": f"{MAGIC}/{scenario}.mp4", "detect": ["sexual"], "channels": ["visual"], "key": key}
        return ModerationJob(**asked | {"callback": {"url": f"{url}/{vendor}{query}"}} | fields)

    return make


@pytest.fixture
def until():
    """Waits until something is so."""

    async def wait(check, most=15.0):
        ends = time.monotonic() + most
        while not (found := await found if asyncio.iscoroutine(found := check()) else found):
            assert time.monotonic() < ends, "it never was"
            await asyncio.sleep(0.005)
        return found

    return wait
