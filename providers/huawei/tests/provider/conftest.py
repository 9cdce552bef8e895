"""The provider without an account: it plans, and it reads what is stored."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reelvet import AsyncModerator, Config

SAMPLES = Path(__file__).parents[1] / "samples"


def unconfigured(**settings):
    return AsyncModerator(Config.parse({"use": "huawei", "providers": {"huawei": settings}}), credentials=False)


@pytest.fixture(scope="session")
def moderator():
    return AsyncModerator(Config.parse({"use": "huawei"}), credentials=False)


@pytest.fixture(scope="session")
def v2():
    return unconfigured(api="v2")


@pytest.fixture(scope="session")
def configured():
    return unconfigured


@pytest.fixture
def sample():
    def load(name, folder="replies"):
        return json.loads((SAMPLES / folder / f"{name}.json").read_text(encoding="utf-8"))

    return load
