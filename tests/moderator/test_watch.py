"""What is new about a job while it runs."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reelvet import AsyncModerator, Delta, ModerationJob, Moderator, Status, Verdict
from reelvet.plugins import Parallel
from reelvet.schema.errors import TaskNotFound, VendorUnavailable, WaitTimeout
from reelvet.schema.media import MediaKind
from reelvet.schema.ticket import Ticket

URL = "https://cdn.example.com/clip.mp4"
PORN, GORE = "sexual.explicit.pornography", "violence.graphic.blood_gore"


def job(**fields):
    return ModerationJob(**{"media": URL, "detect": [PORN], **fields})


def starts(deltas):
    return [[finding.start for finding in delta.findings] for delta in deltas]


async def test_each_finding_is_told_once_and_the_last_delta_has_the_result(moderator, vendor):
    vendor.states, vendor.grows = ["wait", "work", "work", "work", "done"], True
    vendor.hits = {"porn": [0.91, 0.92, 0.93, 0.94, 0.95]}
    ticket = await moderator.submit(job())
    deltas = [delta async for delta in moderator.watch(ticket)]
    assert [delta.status for delta in deltas] == ["queued", "running", "running", "running", "succeeded"]
    assert starts(deltas) == [[], [3.0], [4.0], [5.0], [6.0, 7.0]]
    assert all(delta.result is None for delta in deltas[:-1])
    result = deltas[-1].result
    assert (result.verdict, len(result.findings)) == (Verdict.BLOCK, 5)
    assert {delta.key for delta in deltas} == {ticket.key}


async def test_it_says_the_same_as_waiting(moderator, vendor):
    vendor.states, vendor.hits = ["work", "done"], {"porn": [0.7]}
    ticket = await moderator.submit(job(user="u1"))
    *_, last = [delta async for delta in moderator.watch(ticket)]
    waited = await moderator.wait(ticket)
    told = {"finished_at", "tasks"}
    assert last.result.model_dump(exclude=told) == waited.model_dump(exclude=told)


async def test_what_is_said_is_told_once(moderator, vendor):
    vendor.states, vendor.grows = ["work", "work", "work", "done"], True
    vendor.hits, vendor.said = {"porn": [0.1] * 4}, ["one", "two", "three"]
    deltas = [delta async for delta in moderator.watch(await moderator.submit(job()))]
    spoken = [transcript for delta in deltas for transcript in delta.transcripts]
    assert [(t.text, [s.start for s in t.segments]) for t in spoken] == [("one", [0.0]), ("two", [10.0]), ("three", [20.0])]  # fmt: skip
    assert deltas[-1].result.transcripts[0].text == "one two three"


async def test_nothing_new_is_no_delta(moderator, vendor):
    vendor.states = ["work"] * 12 + ["done"]
    deltas = [delta async for delta in moderator.watch(await moderator.submit(job()))]
    assert [delta.status for delta in deltas] == ["running", "succeeded"]


async def test_the_tasks_of_a_job_are_told_apart(moderator, vendor):
    vendor.states, vendor.grows = ["work", "work", "done"], True
    vendor.hits = {"porn": [0.9, 0.9, 0.9], "gore": [0.9, 0.9]}
    deltas = [delta async for delta in moderator.watch(await moderator.submit(job(detect=[PORN, GORE])))]
    told = [(finding.label, finding.start) for delta in deltas for finding in delta.findings]
    assert sorted(told) == [(PORN, 3.0), (PORN, 4.0), (PORN, 5.0), (GORE, 3.0), (GORE, 4.0)]
    assert len(deltas) > 2
    assert len(deltas[-1].result.findings) == 5


async def test_left_early_the_job_goes_on_and_all_can_be_told_again(moderator, vendor):
    vendor.states, vendor.grows = ["work"] * 40 + ["done"], True
    vendor.hits = {"porn": [0.9] * 5}
    ticket = await moderator.submit(job())
    async with aclosing(moderator.watch(ticket)) as deltas:
        async for delta in deltas:
            if delta.findings:
                break
    asked = len(vendor.requests)
    await asyncio.sleep(0.2)
    assert len(vendor.requests) == asked
    assert not any(request.endswith("/cancel") for request in vendor.requests)
    again = [delta async for delta in moderator.watch(Ticket.load(ticket.dump_json()))]
    assert [start for some in starts(again) for start in some] == [3.0, 4.0, 5.0, 6.0, 7.0]


async def test_a_deadline_ends_it_with_a_cancel(moderator, vendor):
    vendor.states, vendor.grows, vendor.hits = ["work"], True, {"porn": [0.9] * 3}
    ticket = await moderator.submit(job(deadline=timedelta(seconds=0.5)))
    deltas = [delta async for delta in moderator.watch(ticket)]
    assert (deltas[-1].status, deltas[-1].result.verdict) == (Status.CANCELED, Verdict.BLOCK)
    assert "deadline_passed" in {note.code for note in deltas[-1].warnings}
    assert any(request.endswith("/cancel") for request in vendor.requests)
    assert [start for some in starts(deltas) for start in some] == [3.0, 4.0, 5.0]


async def test_a_deadline_ends_it_also_where_nobody_asks_for_the_next_delta(moderator, vendor):
    vendor.states, vendor.grows, vendor.hits = ["work"], True, {"porn": [0.9] * 100}
    deltas = moderator.watch(await moderator.submit(job(deadline=timedelta(seconds=0.4))))
    await anext(deltas)
    await asyncio.sleep(0.8)
    assert any(request.endswith("/cancel") for request in vendor.requests)
    assert [delta async for delta in deltas][-1].status is Status.CANCELED


async def test_a_timeout_leaves_the_job_running(moderator, vendor):
    vendor.states = ["work"]
    ticket = await moderator.submit(job())
    with pytest.raises(WaitTimeout, match="Wait for the ticket again"):
        [delta async for delta in moderator.watch(ticket, timeout=0.2)]
    assert not any(request.endswith("/cancel") for request in vendor.requests)


async def test_a_stream_is_not_given_up(config, registry, vendor):
    vendor.states = ["work"] * 12 + ["done"]
    polling = config.polling.model_copy(update={"give_up": 0.05})
    async with AsyncModerator(config.model_copy(update={"polling": polling}), registry=registry) as moderator:
        ticket = await moderator.submit(job())
        assert [delta async for delta in moderator.watch(ticket)][-1].status is Status.SUCCEEDED


async def test_a_slow_reader_piles_nothing_up(moderator, vendor):
    vendor.states, vendor.grows, vendor.hits = ["work"], True, {"porn": [0.9] * 100}
    async with aclosing(moderator.watch(await moderator.submit(job()))) as deltas:
        for _ in range(3):
            await anext(deltas)
            asked = len(vendor.requests)
            await asyncio.sleep(0.3)
            assert len(vendor.requests) <= asked + 2


async def test_a_call_that_fails_for_a_while_is_made_again(moderator, registry, vendor, monkeypatch):
    vendor.states, vendor.hits = ["work", "done"], {"porn": [0.9]}
    provider, failures = registry.load("acme"), iter([VendorUnavailable("busy")] * 3)
    fetch = provider.fetch

    async def unreliable(self, ref):
        for failure in failures:
            raise failure
        return await fetch(self, ref)

    monkeypatch.setattr(provider, "fetch", unreliable)
    deltas = [delta async for delta in moderator.watch(await moderator.submit(job()))]
    assert [delta.status for delta in deltas] == ["running", "succeeded"]


async def test_a_task_the_vendor_does_not_know_is_an_error(moderator):
    with pytest.raises(TaskNotFound):
        [delta async for delta in moderator.watch(Ticket.adopt("acme", "t99"))]


async def test_a_reply_that_cannot_be_read_is_told_and_watched_on(moderator, registry, vendor, monkeypatch):
    vendor.states, vendor.hits = ["work", "done"], {"porn": [0.9]}
    provider = registry.load("acme")
    read = provider.read

    def unreadable(self, plan, raws):
        if raws[0].status is Status.RUNNING:
            raise ZeroDivisionError
        return read(self, plan, raws)

    monkeypatch.setattr(provider, "read", unreadable)
    first, last = [delta async for delta in moderator.watch(await moderator.submit(job()))]
    assert [note.code for note in first.warnings] == ["unreadable_result"]
    assert last.result.verdict is Verdict.BLOCK


@pytest.mark.parametrize("instance", ["instant", "here"])
async def test_a_vendor_that_answers_at_once_has_one_delta(moderator, instance):
    (delta,) = [delta async for delta in moderator.watch(await moderator.submit(job(), use=instance))]
    assert (delta.status, delta.result.status) == (Status.SUCCEEDED, Status.SUCCEEDED)


async def test_a_delta_is_json(moderator, vendor):
    vendor.states, vendor.grows, vendor.hits = ["work", "work", "done"], True, {"porn": [0.9, 0.9]}
    deltas = [delta async for delta in moderator.watch(await moderator.submit(job(media=f"{URL}?sig=s3cr3t")))]
    for delta in deltas:
        text = delta.dump_json()
        assert "s3cr3t" not in text
        assert json.loads(text)["schema"] == 1
        assert Delta.model_validate_json(text).dump() == delta.dump()
        assert delta.at <= datetime.now(UTC)


def test_without_an_event_loop(config, registry, vendor):
    vendor.states, vendor.grows = ["work", "work", "done"], True
    vendor.hits = {"porn": [0.91, 0.92, 0.93]}
    with Moderator(config, registry=registry) as moderator:
        ticket = moderator.submit(job())
        for delta in moderator.watch(ticket):
            if delta.findings:
                break
        asked = len(vendor.requests)
        time.sleep(0.1)
        assert len(vendor.requests) == asked
        deltas = list(moderator.watch(ticket))
        assert deltas[-1].result.verdict is Verdict.BLOCK
        assert [start for some in starts(deltas) for start in some] == [3.0, 4.0, 5.0]


# --- what a task waits for ---


@pytest.mark.parametrize(
    ("parallel", "says"),
    [
        ([Parallel(MediaKind.VIDEO, 3)], "queued: the vendor runs 3 at a time"),
        ([Parallel(MediaKind.LIVE, 3)], "wait"),
        ([Parallel(MediaKind.VIDEO, 3, waits=False)], "wait"),
        ([], "wait"),
    ],
)
async def test_a_queued_task_says_how_many_run(config, registry, vendor, monkeypatch, parallel, says):
    acme = registry.load("acme")
    effective = acme.effective
    monkeypatch.setattr(acme, "effective", lambda self: replace(effective(self), parallel=tuple(parallel)))
    vendor.states = ["wait", "wait", "wait", "work", "done"]
    told = []
    async with AsyncModerator(config, registry=registry) as moderator:
        ticket = await moderator.submit(job())
        status = await moderator.status(ticket)
        deltas = [delta async for delta in moderator.watch(ticket, on_progress=lambda p: told.append(p.says))]
    known = [says] if says.startswith("queued") else []
    assert (status.status, [note.says for note in status.warnings if note.code == "queued"]) == ("queued", known)
    assert list(dict.fromkeys(told)) == [says, "work"]
    assert [note.says for delta in deltas for note in delta.warnings if note.code == "queued"] == known
    assert "queued" not in {note.code for note in deltas[-1].result.warnings}
