"""What must not be seen: keys that were fetched, and links in what is planned."""

from __future__ import annotations

import base64
import contextlib
import json

import pytest

from reelvet import ModerationJob
from reelvet.schema.errors import ProviderError
from reelvet_tencent import credentials as room
from reelvet_tencent.auth import Keys

from .conftest import SECRET_ID, SECRET_KEY


async def echoed(moderator, vendor, *secrets, times=1):
    """What is seen of a reply that repeats what it was sent."""
    said = ""
    async with moderator:
        provider = await moderator._instance("tencent").open()
        for _ in range(times):
            vendor.script["DescribeTasks"] = [f"LimitExceeded {' '.join(secrets)}"]
            with pytest.raises(ProviderError) as caught:
                await provider.list_page()
            said += f"{caught.value} {caught.value!r} {caught.value.message} {caught.value.body}"
    return said


async def test_keys_of_the_environment_are_seen_in_no_error(connect, vendor, monkeypatch):
    monkeypatch.setenv("TENCENTCLOUD_SECRET_ID", SECRET_ID)
    monkeypatch.setenv("TENCENTCLOUD_SECRET_KEY", SECRET_KEY)
    moderator = connect(credentials="environment", secret_id="another-id", secret_key="another-key")
    said = await echoed(moderator, vendor, SECRET_ID, SECRET_KEY)
    assert "LimitExceeded ***" in said
    assert not [secret for secret in (SECRET_ID, SECRET_KEY) if secret in said]


@pytest.mark.parametrize("source", [{"credentials": "profile"}, {"credentials": "sts", "role_arn": "r"}], ids=str)
async def test_keys_that_were_renewed_are_seen_in_no_error_either(connect, vendor, monkeypatch, source):
    given = [Keys(SECRET_ID, SECRET_KEY, "first-token"), Keys(SECRET_ID, SECRET_KEY, "second-token")]
    monkeypatch.setattr(room, "source", lambda _: lambda: given.pop(0))
    monkeypatch.setattr(room, "_FRESH", -1.0)
    moderator = connect(secret_id="another-id", secret_key="another-key", **source)
    secrets = (SECRET_ID, SECRET_KEY, "first-token", "second-token")
    said = await echoed(moderator, vendor, *secrets, times=2)
    assert not given
    assert not [secret for secret in secrets if secret in said.rpartition("LimitExceeded")[2]]


TEXT = "see https://h.example/a.mp4?sign=canary-signature and write"


def texts(dumped):
    """Every text of a dump, and what it is in base64 as well."""
    for item in dumped.values() if isinstance(dumped, dict) else dumped if isinstance(dumped, list) else ():
        yield from texts(item)
    if isinstance(dumped, str):
        yield dumped
        with contextlib.suppress(ValueError):
            yield base64.b64decode(dumped, validate=True).decode()


async def test_a_link_in_a_text_is_masked_in_the_plan_and_sent_whole(connect, vendor):
    job = ModerationJob(media="https://h.example/a.mp4", options={"tencent": {"text_content": TEXT}})
    async with connect() as moderator:
        plan = moderator.plan(job)
        shown = list(texts(json.loads(plan.model_dump_json())))
        assert not [text for text in shown if "canary-signature" in text]
        assert [text for text in shown if text.startswith("see https://h.example/a.mp4?***")]
        await moderator.submit(job)
    given = vendor.bodies("CreateVideoModerationTask")[0]["Tasks"][0]["Input"]
    assert base64.b64decode(given["TextContent"]).decode() == TEXT
