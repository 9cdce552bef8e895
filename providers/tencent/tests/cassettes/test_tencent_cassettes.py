"""Whole conversations with Tencent, recorded and replayed: one for each operation.

`pytest --record-cassettes providers/tencent` records them anew against the emulator; `pytest -m live --record-cassettes
providers/tencent` against the service itself, with the account of TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY,
which needs a BizType `reelvet_cassettes` in ap-guangzhou and is billed for seven short tasks.
"""

from __future__ import annotations

import asyncio
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reelvet import AsyncModerator, Config, ModerationJob
from reelvet.http import network_disabled
from reelvet.plugins import TimeWindow
from reelvet.schema import errors as e
from reelvet.schema.task import TaskRef
from reelvet.testing.cassettes import Cassettes

OFFICIAL = "https://vm.tencentcloudapi.com"
FOLDER = Path(__file__).parents[4] / "cassettes" / "tencent"
# All actions have one path: which is asked for stands in headers.
TELLING = ("X-TC-Action", "X-TC-Version", "X-TC-Region")
CASSETTES = Cassettes(FOLDER, official=OFFICIAL, telling=TELLING)
EMULATOR = (
    "reelvet's own emulator of Tencent (reelvet sandbox), written from public documentation; not the live service"
)
# Published by another vendor for trying its API: https://gcore.com/docs/api-reference/streaming/ai/create-ai-task
VIDEO = "https://demo-files.gvideo.io/ai_demo_subtitles_nudity_detection.mp4"
SPEECH = "https://demo-files.gvideo.io/apidocs/spritefright-blender-cut30sec.mp4"
STREAM = "rtmp://live.example.com/app/stream"
BUCKET = "cos://bucket-1250000000/clip.mp4"
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
POLICY = {"covers": [{"labels": ["sexual", "violence"], "channels": ["visual", "speech"]}]}
SETTINGS = {"region": "ap-guangzhou", "biz_type": "reelvet_cassettes", "biz_types": {"reelvet_cassettes": POLICY}}
REPLAYED = {"secret_id": "AKIDreplayed", "secret_key": "replayed"}


def job(name, media=VIDEO, **fields):
    return ModerationJob(
        **{"media": media, "key": f"cassette-{name}", "detect": ["sexual.explicit.pornography"]} | fields
    )


async def moderation(moderator, _):
    result = await moderator.moderate(job("moderation", user="u-7", options={"tencent": {"name": "a reel"}}))
    assert (result.status, len(result.tasks)) == ("succeeded", 1)
    return result.verdict


async def batch(moderator, _):
    tickets = await asyncio.gather(*(moderator.submit(job(f"batch-{n}")) for n in range(3)))
    assert len({ticket.tasks[0].ref.id for ticket in tickets}) == 3
    return [(await moderator.wait(ticket)).status for ticket in tickets]


async def partial_failure(moderator, _):
    """One media of two that no vendor can take; the other is created."""
    told = await asyncio.gather(
        moderator.submit(job("partial-1")),
        moderator.submit(job("partial-2", BUCKET, options={"tencent": {"cos_region": "nowhere!"}})),
        return_exceptions=True,
    )
    return [told[0].tasks[0].state, told[1].code]


async def transcript(moderator, _):
    result = await moderator.moderate(job("transcript", SPEECH, detect=[], transcript={}))
    assert result.status == "succeeded"
    return len(result.transcripts[0].segments)


async def generated(moderator, _):
    result = await moderator.moderate(job("generated", detect=["synthetic.ai_generated"]))
    assert result.status == "succeeded"
    return [row.state for row in result.coverage]


async def bucket(moderator, _):
    return (await moderator.moderate(job("bucket", BUCKET))).verdict


async def stream(moderator, _):
    ticket = await moderator.submit(job("stream", {"url": STREAM, "kind": "live"}))
    running = await moderator.status(ticket)
    return [running.verdict, (await moderator.cancel(ticket)).status]


async def cancel(moderator, _):
    ticket = await moderator.submit(job("cancel"))
    return (await moderator.cancel(ticket)).status


async def cancel_of_what_has_ended(moderator, _):
    ticket = await moderator.submit(job("ended"))
    await moderator.wait(ticket)
    return (await moderator.cancel(ticket)).status


async def find(moderator, _):
    await moderator.submit(job("find"))
    found = await moderator.find("cassette-find", since=SINCE)
    return [ticket.tasks[0].category for ticket in found]


async def sweep(_, provider):
    first = None
    async for raw in provider.sweep(TimeWindow(SINCE)):
        first = raw
        break
    return first is None or bool(first.ref.id)


async def check(moderator, _):
    return (await moderator.check()).ok


async def unknown_biz_type(moderator, _):
    with pytest.raises(e.ProviderError) as caught:
        await moderator.submit(job("unknown-biz-type", options={"tencent": {"biz_type": "reelvet_nobody"}}))
    return [caught.value.code, caught.value.created]


async def unknown_task(_, provider):
    with pytest.raises(e.ProviderError) as caught:
        await provider.fetch(TaskRef(id="w-video-nobody0000000000"))
    return [caught.value.code, caught.value.status]


CONVERSATIONS = {
    talk.__name__: talk
    for talk in (
        moderation, batch, partial_failure, transcript, generated, bucket, stream, cancel, cancel_of_what_has_ended, find, sweep, check,
        unknown_biz_type, unknown_task,
    )
}  # fmt: skip
ONLY_EMULATED = {"bucket", "stream"}
"""They need a bucket and a stream of one's own."""


def only_ours(body):
    """A reply without what the account holds besides: other tasks, and links that are signed. Nor are hints to wait kept."""
    if isinstance(body, list):
        return [only_ours(item) for item in body]
    if isinstance(body, dict):
        if isinstance(body.get("Data"), list):
            items = [item for item in body["Data"] if isinstance(item, dict) and _is_ours(item)]
            body = {**body, "Data": items, "Total": str(len(items)), "PageToken": ""}
        body = {name: 0 if name == "TryInSeconds" else value for name, value in body.items()}
        return {name: only_ours(value) for name, value in body.items()}
    signed = isinstance(body, str) and body.startswith("http") and "sign" in body.lower()
    return f"{body.partition('?')[0]}?***" if signed else body


def _is_ours(item):
    return str(item.get("DataId")).startswith("cassette-")


@pytest.fixture
def only_loopback(request):
    """A replay asks the vendor's host and never gets there: vcrpy answers."""
    if request.node.get_closest_marker("live"):
        yield
        return
    with network_disabled(allow=("127.0.0.1", "vm.tencentcloudapi.com")):
        yield


async def converse(name, settings):
    """Has a conversation, and gives what came of it."""
    polling = {"first": 0.01, "most": 0.05}
    config = Config.parse({"use": "tencent", "providers": {"tencent": {**SETTINGS, **settings}}, "polling": polling})
    async with AsyncModerator(config) as moderator:
        return await CONVERSATIONS[name](moderator, await moderator._instance("tencent").open())


def write(name, told):
    (FOLDER / f"{name}.expected.json").write_text(json.dumps(told) + "\n", encoding="utf-8")


@pytest.mark.parametrize("name", CONVERSATIONS)
async def test_each_conversation_is_replayed_to_its_end(name, record_cassettes, reelvet_sandbox):
    if record_cassettes:
        reelvet_sandbox.set_up("tencent", biz_types=SETTINGS["biz_types"])
        reelvet_sandbox.scenario(VIDEO, "block-nudity")
        reelvet_sandbox.scenario(SPEECH, "speech-only")
        emulated = reelvet_sandbox.settings("tencent")
        with CASSETTES.record(name, against=EMULATOR):
            told = await converse(name, {key: emulated[key] for key in ("base_url", "secret_id", "secret_key")})
        write(name, told)
    with CASSETTES.replay(name) as cassette:
        told = await converse(name, REPLAYED)
        assert cassette.all_played, f"{cassette.play_count} of {len(cassette)} requests were made"
    assert json.loads(json.dumps(told)) == json.loads((FOLDER / f"{name}.expected.json").read_text(encoding="utf-8"))
    assert not reelvet_sandbox.requests("tencent") or record_cassettes


@pytest.mark.live
@pytest.mark.parametrize("name", [name for name in CONVERSATIONS if name not in ONLY_EMULATED])
async def test_each_conversation_is_recorded_against_the_service_itself(name, record_cassettes):
    keys = {name: os.environ.get(f"TENCENTCLOUD_{name.upper()}") for name in ("secret_id", "secret_key")}
    if not all(keys.values()) or not record_cassettes:
        pytest.fail(
            "set TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY and say --record-cassettes: this talks to Tencent and is billed"
        )
    recorder = Cassettes(FOLDER, official=OFFICIAL, scrub=[*keys.values()], keep=only_ours, telling=TELLING)
    with recorder.record(name, against=OFFICIAL):
        told = await converse(name, keys)
    write(name, told)
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    assert not [value for value in keys.values() if value in text]


def test_what_an_account_holds_besides_is_not_recorded():
    ours = {"TaskId": "t", "DataId": "cassette-find", "MediaInfo": {"Duration": 36}}
    other = {"TaskId": "o", "DataId": "private", "InputInfo": {"Url": "https://private.example/a.mp4"}}
    page = {"Response": {"Total": "9", "PageToken": "p", "Data": [other, ours, None], "RequestId": "r"}}
    told = {"Total": "1", "PageToken": "", "Data": [ours], "RequestId": "r"}
    assert only_ours(page) == {"Response": told}
    link = "https://cdn.example/a.jpg?X-Amz-Date=1&X-Amz-Signature=2"
    result = {"Url": link, "Extra": "", "Score": 97, "Results": [{"Label": "Porn"}]}
    assert only_ours({"TryInSeconds": 120, "ImageSegments": [{"Result": result}]}) == {
        "TryInSeconds": 0,
        "ImageSegments": [{"Result": {**result, "Url": "https://cdn.example/a.jpg?***"}}],
    }
    assert only_ours({"Results": [{"DataId": "cassette-1", "TaskId": "t"}]}) == {
        "Results": [{"DataId": "cassette-1", "TaskId": "t"}]
    }


def test_there_is_a_cassette_for_each_conversation_and_no_other():
    assert CASSETTES.names == sorted(CONVERSATIONS)
    assert {CASSETTES.against(name) for name in CASSETTES.names} <= {EMULATOR, OFFICIAL}


def test_every_action_is_recorded():
    text = "".join((FOLDER / f"{name}.yaml").read_text(encoding="utf-8") for name in CASSETTES.names)
    for action in ("CreateVideoModerationTask", "DescribeTaskDetail", "DescribeTasks", "CancelTask"):
        assert f"- {action}\n" in text


def test_no_cassette_holds_a_key(reelvet_sandbox):
    files = list(FOLDER.iterdir())
    assert len(files) == 2 * len(CONVERSATIONS)
    settings = reelvet_sandbox.settings("tencent")
    for file in files:
        text = file.read_text(encoding="utf-8")
        assert settings["secret_id"] not in text
        assert settings["secret_key"] not in text
        lower = text.lower()
        assert not [word for word in ("authorization", "x-tc-timestamp", "x-tc-token", "akid", "tc3-hmac", "127.0.0.1") if word in lower]  # fmt: skip
