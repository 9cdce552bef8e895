"""A live stream over the emulator: what is new while it runs; what waits and what is refused; a policy that is learned."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import pytest

from reelvet import AsyncModerator, Config, ModerationJob, Status, Verdict
from reelvet.http import RetryPolicy
from reelvet.schema.errors import RateLimited

MAGIC = "https://sandbox.reelvet.example"
PORN, ABUSE = "sexual.explicit.pornography", "harassment.abuse"
URL = "rtmp://live.example.com/a/b"
STREAM = {
    "name": "stream", "kind": "live", "duration": 60,
    "events": [
        {"label": PORN, "start": 9, "end": 21, "score": 0.95},
        {"label": ABUSE, "start": 31, "end": 33, "score": 0.9, "channel": "speech", "text": "you fool", "matches": ["fool"]},
        {"label": PORN, "start": 44, "end": 46, "score": 0.95},
    ],
}  # fmt: skip


@pytest.fixture
async def moderator(reelvet_sandbox):
    """A moderator over the emulator, whose clock is moved by the test."""
    reelvet_sandbox.clock.pause()
    reelvet_sandbox.scenario(URL, STREAM)
    config = reelvet_sandbox.config("tencent")
    config["polling"] |= {"first": 0.01, "most": 0.02}
    async with AsyncModerator(Config.parse(config)) as made:
        yield made


def job(scenario="clean", **fields):
    return ModerationJob(**{"media": f"{MAGIC}/{scenario}.mp4", "detect": [PORN]} | fields)


def live(**fields):
    return ModerationJob(**{"media": {"url": URL, "kind": "live"}, "detect": [PORN, ABUSE]} | fields)


async def pass_time(clock, seconds, then=lambda: None):
    """Lets a stream go on, second by second, and ends it."""
    for _ in range(seconds):
        clock.advance(1)
        await asyncio.sleep(0.02)
    then()


async def watched(moderator, ticket, clock, *, seconds, then=lambda: None):
    """The deltas of a stream."""
    passing = asyncio.create_task(pass_time(clock, seconds, then))
    deltas = [delta async for delta in moderator.watch(ticket)]
    await passing
    return deltas


def times(findings):
    return Counter((finding.label, finding.channel, finding.at_date) for finding in findings)


async def test_a_stream_is_told_as_it_goes_on(moderator, reelvet_sandbox):
    clock = reelvet_sandbox.clock
    ticket = await moderator.submit(live(transcript={}))
    deltas = await watched(moderator, ticket, clock, seconds=62, then=lambda: clock.advance(700))
    assert list(dict.fromkeys(delta.status for delta in deltas))[-2:] == ["running", "succeeded"]
    result = deltas[-1].result
    assert (result.status, result.verdict) == (Status.SUCCEEDED, Verdict.BLOCK)
    # Each finding and each word once, and nearly all of it before the end.
    told = [finding for delta in deltas for finding in delta.findings]
    assert times(told) == times(result.findings)
    assert len(times(told)) >= 5
    assert deltas[-1].findings == ()
    assert all(finding.at_date is not None and finding.start is None for finding in told)
    assert max(len(delta.findings) for delta in deltas) <= 3
    assert [transcript.text for delta in deltas for transcript in delta.transcripts] == ["you fool"]
    assert "stream_gaps" in {note.code for note in deltas[-1].warnings}
    assert "queued" not in {note.code for delta in deltas for note in delta.warnings}  # a stream waits for nobody


async def test_who_asks_late_and_who_asks_seldom_are_told_the_same(moderator, reelvet_sandbox):
    ticket = await moderator.submit(live())
    reelvet_sandbox.clock.advance(50)
    (first,) = await _some(moderator, ticket, 1)
    assert len(first.findings) >= 4
    assert list(first.findings) == sorted(first.findings, key=lambda finding: finding.at_date)
    (again,) = await _some(moderator, ticket, 1)
    assert times(again.findings) == times(first.findings)


async def _some(moderator, ticket, count):
    """The first deltas of a stream that is then left."""
    found = []
    async with aclosing(moderator.watch(ticket)) as deltas:
        async for delta in deltas:
            found.append(delta)
            if len(found) == count:
                break
    return found


async def test_all_segments_tell_nothing_twice(moderator, reelvet_sandbox):
    """The lists then have what is clean besides, so that hits stand at other places of them."""
    clock = reelvet_sandbox.clock
    ticket = await moderator.submit(
        live(options={"tencent": {"all_segments": True, "stream_started_at": datetime.now(UTC)}})
    )
    deltas = await watched(moderator, ticket, clock, seconds=62, then=lambda: clock.advance(700))
    told = [finding for delta in deltas for finding in delta.findings]
    assert times(told) == times(deltas[-1].result.findings)
    assert len(told) >= 5


async def test_somebody_else_ends_the_stream(moderator, reelvet_sandbox):
    clock = reelvet_sandbox.clock
    ticket = await moderator.submit(live())
    passing = asyncio.create_task(pass_time(clock, 25))
    deltas = []
    async for delta in moderator.watch(ticket):
        deltas.append(delta)
        if delta.findings and not passing.done():
            await passing
            await moderator.cancel(ticket)
    assert (deltas[-1].status, deltas[-1].result.verdict) == (Status.CANCELED, Verdict.BLOCK)
    assert times(f for d in deltas for f in d.findings) == times(deltas[-1].result.findings)


async def test_the_deadline_ends_the_stream(moderator, reelvet_sandbox):
    ticket = await moderator.submit(live(deadline=timedelta(seconds=1)))
    deltas = await watched(moderator, ticket, reelvet_sandbox.clock, seconds=20)
    assert deltas[-1].status is Status.CANCELED
    assert "deadline_passed" in {note.code for note in deltas[-1].result.warnings}
    (task,) = reelvet_sandbox.tasks("tencent")
    assert task.phase == "canceled"


async def test_a_file_is_watched_too(moderator, reelvet_sandbox):
    reelvet_sandbox.clock.speed = 1000
    ticket = await moderator.submit(job("block-nudity"))
    deltas = [delta async for delta in moderator.watch(ticket)]
    assert deltas[-1].result.verdict is Verdict.BLOCK
    assert len(deltas[-1].findings) == len(deltas[-1].result.findings) > 0


# --- what waits, and what is refused ---


async def test_what_waits_says_behind_how_many(moderator, reelvet_sandbox):
    reelvet_sandbox.set_up("tencent", parallel=1)
    await moderator.submit(job("never-finishes"))
    ticket = await moderator.submit(job("clean"))
    reelvet_sandbox.clock.advance(100)
    status = await moderator.status(ticket)
    assert status.status is Status.QUEUED
    assert "queued: the vendor runs 10 at a time" in {note.says for note in status.warnings}


async def test_one_stream_too_many_is_refused_and_the_error_says_so(moderator, reelvet_sandbox, monkeypatch):
    reelvet_sandbox.set_up("tencent", streams=1)
    await moderator.submit(live())
    retry = moderator._instance("tencent").provider._session
    monkeypatch.setattr(retry, "_retry", RetryPolicy(attempts=1), raising=True)
    with pytest.raises(RateLimited, match=r"Of live streams 100 run at a time, .* none waits") as caught:
        await moderator.submit(live())
    assert caught.value.created == "no"
    assert "reelvet cancel" in caught.value.way_out


# --- learning what a policy looks at ---

NEARLY = {
    "name": "nearly", "duration": 20,
    "events": [
        {"label": PORN, "start": 4, "end": 6, "score": 0.3},
        {"label": "extremism.terrorism", "start": 9, "end": 11, "score": 0.3},
        {"label": ABUSE, "start": 12, "end": 14, "score": 0.9, "channel": "speech", "text": "you fool", "matches": ["fool"]},
    ],
}  # fmt: skip


@pytest.fixture
async def task(moderator, reelvet_sandbox):
    """A finished task, in whose pictures the policy looked for something and found nothing."""
    covers = [{"labels": [PORN], "channels": ["visual"]}, {"labels": [ABUSE], "channels": ["speech"]}]
    reelvet_sandbox.set_up("tencent", biz_types={"default": {"covers": covers}})
    reelvet_sandbox.scenario("https://cdn.example.com/nearly.mp4", NEARLY)
    ticket = await moderator.submit(ModerationJob(media="https://cdn.example.com/nearly.mp4", detect=[PORN]))
    reelvet_sandbox.clock.advance(1000)
    return ticket


def declared(learned):
    assert learned.setting == "biz_types"
    covers = learned.policies["default"].covers
    return {(label, str(channel)) for part in covers for label in part.labels for channel in part.channels}


async def test_a_declaration_is_learned_from_a_task_that_is_read_in_full(moderator, task):
    learned = await moderator.learn(tasks=[task.tasks[0].ref.id])
    assert declared(learned) == {(PORN, "visual"), (ABUSE, "speech")}
    table = {name: policy.model_dump(mode="json") for name, policy in learned.policies.items()}
    config = Config.parse({"use": "tencent", "providers": {"tencent": {"biz_types": table}}})
    planned = AsyncModerator(config, credentials=False).plan(job(detect=[PORN, ABUSE]))
    assert {(row.label, str(row.state)) for row in planned.coverage} >= {(PORN, "planned"), (ABUSE, "planned")}
    assert "undeclared_policy" not in {note.code for note in planned.warnings}


async def test_a_reply_without_what_was_found_harmless_teaches_less(moderator, task):
    result = await moderator.wait(task)
    assert declared(await moderator.learn([result.tasks[0].raw])) == {(ABUSE, "speech")}


async def test_a_stored_reply_teaches_as_much_as_the_vendor(moderator, task):
    ref = moderator._instance("tencent").provider.in_full(task.tasks[0].ref)
    in_full = task.model_copy(update={"tasks": (task.tasks[0].model_copy(update={"ref": ref}),)})
    result = await moderator.wait(in_full)
    assert declared(await moderator.learn([result.tasks[0].raw])) == {(PORN, "visual"), (ABUSE, "speech")}
