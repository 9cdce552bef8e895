"""The whole road of a job over the emulator: over HTTP, with virtual time."""

from __future__ import annotations

import json

import pytest

from reelvet import AsyncModerator, Config, ModerationJob

MAGIC = "https://sandbox.reelvet.example"
COVERS = [
    {"labels": ["sexual", "violence", "child_safety", "spam", "illicit", "extremism"], "channels": ["visual"]},
    {"labels": ["harassment", "spam"], "channels": ["ocr"]},
    {"labels": ["harassment"], "channels": ["speech"]},
    {"labels": ["sexual.sound"], "channels": ["sound"]},
]
"""What the policy behind `reels_1` looks at, at the emulator and as it is declared."""


@pytest.fixture(params=["cn", "intl"])
def edition(request):
    return request.param


@pytest.fixture
def account(reelvet_sandbox):
    """Sets the emulator up: an edition, and a BizType `reels_1` with a policy."""

    def set_up(edition="cn", *, covers=None, **fields):
        policies = {"reels_1": {"covers": COVERS if covers is None else covers}}
        reelvet_sandbox.set_up("tencent", edition=edition, **{"biz_types": policies} | fields)

    set_up()
    return set_up


@pytest.fixture
def configured(reelvet_sandbox, account):
    """A moderator over the emulator; further settings of the instance by name."""

    def make(**settings):
        config = reelvet_sandbox.config("tencent")
        config["providers"]["tencent"] |= settings
        return AsyncModerator(Config.parse(config))

    return make


@pytest.fixture
async def moderator(configured):
    async with configured() as made:
        yield made


@pytest.fixture
def job():
    def make(scenario="clean", **fields):
        media = scenario if not isinstance(scenario, str) or ":" in scenario else f"{MAGIC}/{scenario}.mp4"
        return ModerationJob(**{"media": media, "detect": ["sexual.explicit.pornography"]} | fields)

    return make


@pytest.fixture
def creates(reelvet_sandbox):
    """How many tasks exist at the vendor."""
    return lambda: len(reelvet_sandbox.tasks("tencent"))


@pytest.fixture
def calls(reelvet_sandbox):
    """The bodies of all calls of an operation that reached the vendor."""

    def made(operation="create"):
        return [json.loads(one.body) for one in reelvet_sandbox.requests("tencent") if one.operation == operation]

    return made
