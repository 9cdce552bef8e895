"""The whole road of a job over the emulator: over HTTP, with virtual time."""

from __future__ import annotations

import pytest

from reelvet import AsyncModerator, Config, ModerationJob

MAGIC = "https://sandbox.reelvet.example"


@pytest.fixture
def configured(reelvet_sandbox):
    """A moderator over the emulator; further settings of the instance by name."""

    def make(**settings):
        config = reelvet_sandbox.config("gcore")
        config["providers"]["gcore"] |= settings
        return AsyncModerator(Config.parse(config))

    return make


@pytest.fixture
async def moderator(configured):
    async with configured() as made:
        yield made


@pytest.fixture
def job():
    def make(scenario="clean", **fields):
        media = scenario if ":" in scenario else f"{MAGIC}/{scenario}.mp4"
        return ModerationJob(**{"media": media, "detect": ["sexual.explicit.pornography"]} | fields)

    return make


@pytest.fixture
def creates(reelvet_sandbox):
    """How many tasks exist at the vendor."""
    return lambda: len(reelvet_sandbox.tasks("gcore"))
