"""What every life needs, loaded once in the process that they are forked from."""

import asyncio
import gc

import lives  # noqa: F401

import reelvet.journal.sql
import reelvet.sandbox  # noqa: F401
from reelvet import AsyncModerator, Config, ModerationJob
from reelvet.http.wire import default_tls
from reelvet.sandbox import Sandbox


def warm() -> None:
    """Loads what is loaded when it is first used: providers, label maps, certificates."""
    default_tls()
    sandbox = Sandbox()
    tables = {
        name: {"base_url": "http://127.0.0.1:9", **sandbox._emulators[name].settings()} for name in sandbox.providers
    }
    moderator = AsyncModerator(Config.parse({"use": "gcore", "providers": tables, "journal": {"url": "memory:"}}))
    for name in sandbox.providers:
        moderator.plan(ModerationJob(media="https://cdn.example.com/clip.mp4", detect=["sexual"]), use=name)
    asyncio.run(moderator.aclose())
    gc.collect()
    gc.freeze()


warm()
