"""Whole conversations with Gcore, recorded and replayed: one for each operation.

`pytest --record-cassettes providers/gcore` records them anew against the emulator; `pytest -m live --record-cassettes
providers/gcore` against the service itself, with the account of GCORE_API_KEY, which is billed for four short tasks.
"""

from __future__ import annotations

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

OFFICIAL = "https://api.gcore.com"
FOLDER = Path(__file__).parents[4] / "cassettes" / "gcore"
CASSETTES = Cassettes(FOLDER, official=OFFICIAL)
EMULATOR = "reelvet's own emulator of Gcore (reelvet sandbox), written from public documentation; not the live service"
# Published by the vendor for trying its API: https://gcore.com/docs/api-reference/streaming/ai/create-ai-task
VIDEO = "https://demo-files.gvideo.io/ai_demo_subtitles_nudity_detection.mp4"
SPEECH = "https://demo-files.gvideo.io/apidocs/spritefright-blender-cut30sec.mp4"
WINDOW = TimeWindow(datetime(2026, 1, 1, tzinfo=UTC))


def job(name, media=VIDEO, **fields):
    return ModerationJob(
        **{"media": media, "key": f"cassette-{name}", "detect": ["sexual.explicit.pornography"]} | fields
    )


async def moderation(moderator, _):
    result = await moderator.moderate(job("moderation", detect=["sexual"]))
    assert (result.status, len(result.tasks)) == ("succeeded", 2)
    return result.verdict


async def stopping(moderator, _):
    result = await moderator.moderate(
        job(
            "stopping",
            detect=["sexual.explicit.nudity*"],
            stop_on={"sexual.explicit.nudity_female_breast": 0.8},
            user="u-7",
            metadata={"post": 9},
        )
    )
    assert result.status == "succeeded"
    return sorted(finding.label for finding in result.findings)


async def translation(moderator, _):
    asked = job("translation", SPEECH, detect=[], transcript={"languages": ["en"], "translate_to": "de"})
    result = await moderator.moderate(asked)
    assert result.transcripts[0].language == "de"
    return len(result.transcripts[0].segments)


async def cancel(moderator, _):
    ticket = await moderator.submit(job("cancel"))
    return (await moderator.cancel(ticket)).status


async def find(moderator, _):
    await moderator.submit(job("find"))
    found = await moderator.find("cassette-find")
    return [ticket.tasks[0].category for ticket in found]


async def sweep(_, provider):
    first = None
    async for raw in provider.sweep(WINDOW):
        first = raw
        break
    return first is None or bool(first.ref.id)


async def check(moderator, _):
    return (await moderator.check()).ok


async def language_support(_, provider):
    return [await provider.language_support("eng", other) for other in (None, "ger", "uzb")]


async def video(_, provider):
    with pytest.raises(e.TaskNotFound):
        await provider.prepare(provider.plan(ModerationJob(media="gcore:999999999", key="cassette-video")))
    return "not found"


async def unknown_task(_, provider):
    with pytest.raises(e.TaskNotFound) as caught:
        await provider.fetch(TaskRef(id="00000000-0000-0000-0000-000000000000"))
    return caught.value.status


async def legacy(moderator, _):
    result = await moderator.moderate(job("legacy", detect=["sexual.explicit.nudity_anus"]))
    return result.status


CONVERSATIONS = {
    talk.__name__: talk for talk in (moderation, stopping, translation, cancel, find, sweep, check, language_support, video, unknown_task, legacy)
}  # fmt: skip


def only_ours(body):
    """A reply without what the account holds besides: other tasks, and its number."""
    if not isinstance(body, dict):
        return body
    if isinstance(body.get("results"), list):
        items = [only_ours(item) for item in body["results"] if "cassette-" in json.dumps(item)]
        return {**body, "count": len(items), "next": None, "results": items}
    if isinstance(body.get("task_data"), dict):
        return {**body, "task_data": {**body["task_data"], "client_id": 0}}
    return body


@pytest.fixture
def only_loopback(request):
    """A replay asks the vendor's host and never gets there: vcrpy answers."""
    if request.node.get_closest_marker("live"):
        yield
        return
    with network_disabled(allow=("127.0.0.1", "api.gcore.com")):
        yield


async def converse(name, settings):
    """Has a conversation, and gives what came of it."""
    api = {"api": "legacy"} if name == "legacy" else {}
    config = Config.parse(
        {"use": "gcore", "providers": {"gcore": {**settings, **api}}, "polling": {"first": 0.01, "most": 0.05}}
    )
    async with AsyncModerator(config) as moderator:
        return await CONVERSATIONS[name](moderator, await moderator._instance("gcore").open())


@pytest.mark.parametrize("name", CONVERSATIONS)
async def test_each_conversation_is_replayed_to_its_end(name, record_cassettes, reelvet_sandbox):
    if record_cassettes:
        reelvet_sandbox.scenario(VIDEO, "block-nudity")
        reelvet_sandbox.scenario(SPEECH, "speech-only")
        with CASSETTES.record(name, against=EMULATOR):
            told = await converse(name, reelvet_sandbox.settings("gcore"))
        (FOLDER / f"{name}.expected.json").write_text(json.dumps(told) + "\n", encoding="utf-8")
    with CASSETTES.replay(name) as cassette:
        told = await converse(name, {"api_key": "1234_replayed"})
        assert cassette.all_played, f"{cassette.play_count} of {len(cassette)} requests were made"
    assert json.loads(json.dumps(told)) == json.loads((FOLDER / f"{name}.expected.json").read_text(encoding="utf-8"))
    assert not reelvet_sandbox.requests("gcore") or record_cassettes


@pytest.mark.live
@pytest.mark.parametrize("name", [name for name in CONVERSATIONS if name != "legacy"])
async def test_each_conversation_is_recorded_against_the_service_itself(name, record_cassettes):
    key = os.environ.get("GCORE_API_KEY")
    if not key or not record_cassettes:
        pytest.fail("set GCORE_API_KEY and say --record-cassettes: this talks to Gcore and is billed")
    with Cassettes(FOLDER, official=OFFICIAL, scrub=[key], keep=only_ours).record(name, against=OFFICIAL):
        told = await converse(name, {"api_key": key})
    (FOLDER / f"{name}.expected.json").write_text(json.dumps(told) + "\n", encoding="utf-8")
    assert key not in (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")


def test_what_an_account_holds_besides_is_not_recorded():
    ours = {"task_data": {"client_entity_data": '{"key":"cassette-find"}', "client_id": 7}}
    page = {
        "count": 9,
        "next": "page=2",
        "results": [ours, {"task_data": {"url": "https://private.example/a.mp4", "client_id": 7}}, None],
    }
    assert only_ours(page) == {
        "count": 1,
        "next": None,
        "results": [{"task_data": {**ours["task_data"], "client_id": 0}}],
    }
    assert only_ours({"task_id": "t", "task_data": {"client_id": 7}}) == {"task_id": "t", "task_data": {"client_id": 0}}
    assert only_ours([1]) == [1]


def test_there_is_a_cassette_for_each_conversation_and_no_other():
    assert CASSETTES.names == sorted(CONVERSATIONS)
    assert {CASSETTES.against(name) for name in CASSETTES.names} <= {EMULATOR, OFFICIAL}


def test_no_cassette_holds_a_key(reelvet_sandbox):
    files = list(FOLDER.iterdir())
    assert len(files) == 2 * len(CONVERSATIONS)
    for file in files:
        text = file.read_text(encoding="utf-8").lower()
        assert reelvet_sandbox.settings("gcore")["api_key"] not in text
        assert "apikey" not in text
        assert "authorization" not in text
        assert "127.0.0.1" not in text
