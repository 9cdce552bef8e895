"""From a job to a verdict and back, each operation of both APIs over the wire."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from reelvet import CoverageState, Ticket, Verdict
from reelvet.http import Effect
from reelvet.plugins import TimeWindow
from reelvet.schema import errors as e
from reelvet.schema.media import Channel
from reelvet_huawei.sandbox import PROJECT_ID

WINDOW = TimeWindow(datetime(2026, 1, 1, tzinfo=UTC))


async def test_a_job_that_asks_for_everything_sees_frames_text_and_sound(moderator, everywhere, api, creates):
    result = await moderator.moderate(everywhere())
    sound = {("sexual.sound.moaning", Channel.SOUND)} if api == "v3" else set()  # v2 listens to speech alone
    told = {(finding.label, finding.channel): finding for finding in result.findings}
    assert set(told) == {
        ("sexual.explicit.pornography", Channel.VISUAL), ("harassment.abuse", Channel.OCR), ("sexual", Channel.SPEECH),
    } | sound  # fmt: skip
    hits = {(row.label, row.channel) for row in result.coverage if row.state is CoverageState.HIT}
    assert hits == {("sexual", Channel.VISUAL), ("harassment.abuse", Channel.OCR), ("sexual", Channel.SPEECH)} | sound
    assert told["harassment.abuse", Channel.OCR].text == "你是笨蛋"
    assert told["sexual", Channel.SPEECH].text == "来约炮吧"
    assert told["sexual", Channel.SPEECH].matches == ("约炮",)
    assert (result.verdict, creates()) == (Verdict.BLOCK, 1)


@pytest.mark.parametrize("channel", ["visual", "ocr", "speech", "sound"])
async def test_only_what_is_asked_for_is_looked_for(moderator, everywhere, api, channel):
    asked = everywhere(channels=[channel])
    if (api, channel) == ("v2", "sound"):
        with pytest.raises(e.UnsupportedFeature, match="'sound'"):
            await moderator.submit(asked)
        return
    result = await moderator.moderate(asked)
    filled = {"visual"} if channel != "visual" and (api == "v2" or channel != "ocr") else set()
    assert {finding.channel.value for finding in result.findings} == {channel} | filled
    assert {row.channel.value for row in result.coverage} == {channel}
    assert ("filler_category" in {note.code for note in result.warnings}) is bool(filled)


@pytest.mark.parametrize("language", ["en", None])
async def test_speech_that_is_not_said_to_be_chinese_is_never_called_clean(moderator, job, language):
    asked = job(
        "clean",
        detect=["harassment", "sexual"],
        channels=["visual", "speech"],
        language=language,
        on_unsupported="skip",
    )
    rows = (await moderator.moderate(asked)).coverage
    assert {row.state for row in rows if row.channel is Channel.SPEECH} == {CoverageState.NOT_EVALUATED}
    assert {row.state for row in rows if row.label == "sexual" and row.channel is Channel.VISUAL} == {
        CoverageState.CLEAN
    }


async def test_what_the_vendor_holds_is_what_was_planned(moderator, everywhere, reelvet_sandbox, api):
    asked = everywhere(key="key-7", interval=2.5)
    await moderator.submit(asked)
    planned = moderator.plan(asked).tasks[0].payload
    held = reelvet_sandbox.tasks("huawei")[0].data
    if api == "v3":  # which does not tell the language
        planned = {**planned, "data": {k: v for k, v in planned["data"].items() if k != "language"}}
    assert held == planned


async def test_an_object_is_taken_in_the_same_region(moderator, job, reelvet_sandbox, api):
    reelvet_sandbox.scenario("obs://media/a b/密.mp4", "block-nudity")
    assert (await moderator.moderate(job("obs://media/a b/密.mp4"))).verdict is Verdict.BLOCK
    (task,) = reelvet_sandbox.tasks("huawei")
    if api == "v2":
        assert task.data["input"] == {"type": "obs", "data": [{"bucket": "media", "path": "a b/密.mp4"}]}
    else:
        address = "https://media.obs.cn-north-4.myhuaweicloud.com/a%20b/%E5%AF%86.mp4"
        assert task.data["data"]["url"] == address


async def test_another_process_waits_for_the_ticket(configured, job, api):
    async with configured(api=api) as one:
        stored = (await one.submit(job("block-nudity"))).dump_json()
    async with configured(api=api) as other:
        assert (await other.wait(Ticket.load(stored))).verdict is Verdict.BLOCK


async def test_a_task_made_elsewhere_is_adopted(moderator, job):
    task = (await moderator.submit(job("block-nudity"))).tasks[0].ref.id
    result = await moderator.wait(Ticket.adopt("huawei", task))
    assert (result.verdict, result.findings[0].label) == (Verdict.BLOCK, "sexual.explicit.pornography")
    assert {(row.label, row.state) for row in result.coverage} == {("sexual", CoverageState.HIT)}


async def test_a_task_that_does_not_exist_is_not_found(moderator):
    with pytest.raises(e.TaskNotFound) as caught:
        await moderator.wait(Ticket.adopt("huawei", "0" * 32))
    assert "Check the id, the region and the project" in caught.value.way_out


async def test_an_audio_job_made_elsewhere_is_read(configured, everywhere, by_token, provider_of):
    media = str(everywhere().media.url)
    async with configured(**by_token) as moderator:
        provider = await provider_of(moderator)
        body = {"data": {"url": media}, "event_type": "default", "categories": ["porn", "moan"]}
        path = f"/v3/{PROJECT_ID}/moderation/audio/jobs"
        made = (await provider._send("POST", path, "CreateTask", Effect.CREATE, body=body)).json()
        result = await moderator.wait(Ticket.adopt("huawei", made["job_id"], category="audio"))
    assert {f.label for f in result.findings} == {"sexual"}  # a stretch has one label there
    assert (result.verdict, result.media.kind) == (Verdict.BLOCK, "audio")


# --- the list ---


async def test_the_list_is_swept_page_by_page(configured, job, provider_of):
    async with configured(api="v2", page_size=3) as moderator:
        ids = {(await moderator.submit(job())).tasks[0].ref.id for _ in range(8)}
        provider = await provider_of(moderator)
        swept = [raw async for raw in provider.sweep(TimeWindow(datetime.now(UTC) - timedelta(hours=1)))]
        assert {raw.ref.id for raw in swept} == ids
        assert len(swept) == 8
        assert not [raw async for raw in provider.sweep(TimeWindow(datetime.now(UTC) + timedelta(hours=1)))]


@pytest.mark.parametrize("key", ["key-1", "a b c", "密钥-7", "k" * 250, 'quo"ted'])
async def test_find_gives_the_tasks_of_exactly_that_key(configured, job, reelvet_sandbox, key):
    reelvet_sandbox.fault("huawei", "decoys", times=None)
    async with configured(api="v2", page_size=2) as moderator:
        for other in (f"{key}-2"[-250:], f"x{key}"[:250], key):
            ticket = await moderator.submit(job(key=other))
        found = await moderator.find(key)
    assert [(found_.key, found_.tasks[0].ref.id) for found_ in found] == [(key, ticket.tasks[0].ref.id)]


async def test_v3_has_no_list(configured, asked, provider_of):
    async with configured(api="v3") as moderator:
        with pytest.raises(e.LookupUnsupported):
            await moderator.find("key-1")
        with pytest.raises(e.LookupUnsupported, match="no list of jobs") as caught:
            (await provider_of(moderator)).sweep(WINDOW)
    assert "Put {key} into the callback's URL" in caught.value.way_out
    assert asked("list_v2") == 0


# --- many at a time ---


async def test_more_jobs_than_the_vendor_takes_in_a_second_wait_for_their_turn(
    configured, job, reelvet_sandbox, creates
):
    async with configured(api="v3") as moderator:
        jobs = [job("block-nudity" if number % 2 else "clean") for number in range(14)]
        done = [item async for item in moderator.moderate_many(jobs, concurrency=14)]
    assert sorted(item.result.verdict for item in done) == ["block"] * 7 + ["pass"] * 7
    assert creates() == 14
    assert 429 not in {request.status for request in reelvet_sandbox.requests("huawei")}


async def test_jobs_of_both_apis_go_side_by_side(reelvet_sandbox, job):
    from reelvet import AsyncModerator, Config

    table = reelvet_sandbox.settings("huawei")
    instances = {"old": table | {"plugin": "huawei", "api": "v2"}, "new": table | {"plugin": "huawei", "api": "v3"}}
    polling = reelvet_sandbox.config("huawei")["polling"]
    async with AsyncModerator(Config.parse({"use": "new", "providers": instances, "polling": polling})) as moderator:
        old = await moderator.submit(job("block-nudity"), use="old")
        new = await moderator.submit(job("block-nudity"))
        results = [await moderator.wait(ticket) for ticket in (old, new)]
        with pytest.raises(e.InvalidTicket, match="api 'v2'"):
            await moderator.status(old.model_copy(update={"instance": "new"}))
    assert [(result.instance, result.verdict) for result in results] == [("old", "block"), ("new", "block")]
    assert all("sexual.explicit.pornography" in {f.label for f in result.findings} for result in results)
