"""The provider without an account: it plans, and it reads what is stored."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reelvet import AsyncModerator, Config

SAMPLES = Path(__file__).parents[1] / "samples"

COVERS = [
    {"labels": ["sexual", "violence"], "channels": ["visual"]},
    {"labels": ["spam.advertising"], "channels": ["visual", "ocr"]},
    {"labels": ["harassment.abuse"], "channels": ["speech"]},
    {"labels": ["sexual.sound.moaning"], "channels": ["sound"]},
]
SETTINGS = {"biz_type": "reels_1", "biz_types": {"reels_1": {"covers": COVERS}}}
"""What the policy behind the BizType of the composed replies looks at. That of the vendor's examples is not declared."""


def offline(**settings):
    return AsyncModerator(
        Config.parse({"use": "tencent", "providers": {"tencent": {**SETTINGS, **settings}}}), credentials=False
    )


@pytest.fixture(scope="session")
def moderator():
    return offline()


@pytest.fixture(scope="session")
def make():
    return offline


@pytest.fixture
def sample():
    def load(name):
        return json.loads((SAMPLES / "replies" / f"{name}.json").read_text(encoding="utf-8"))

    return load
