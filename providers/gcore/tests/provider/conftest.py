"""The provider without an account: it plans, and it reads what is stored."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reelvet import AsyncModerator, Config

SAMPLES = Path(__file__).parents[1] / "samples"


@pytest.fixture(scope="session")
def moderator():
    return AsyncModerator(Config.parse({"use": "gcore"}), credentials=False)


@pytest.fixture(scope="session")
def legacy():
    return AsyncModerator(Config.parse({"use": "gcore", "providers": {"gcore": {"api": "legacy"}}}), credentials=False)


@pytest.fixture
def sample():
    def load(name):
        return json.loads((SAMPLES / "replies" / f"{name}.json").read_text(encoding="utf-8"))

    return load
