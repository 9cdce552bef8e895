"""From a ticket to the last word, here or in another process."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import timedelta

import pytest

from reelvet import AsyncModerator, CoverageState, ModerationJob, Status, Ticket, Verdict
from reelvet.http import Effect
from reelvet.schema.errors import InvalidTicket, LookupUnsupported, SealRefused, TaskNotFound, WaitTimeout
from reelvet.schema.task import TaskRef

URL = "https://cdn.example.com/clip.mp4"
PORN = "sexual.explicit.pornography"


def job(**fields):
    return ModerationJob(**{"media": URL, "detect": [PORN], **fields})


async def test_an_unknown_vendor_status_is_not_finished(moderator, vendor):
    vendor.states = ["some_new_word"]
    ticket = await moderator.submit(job())
    now = await moderator.status(ticket)
    assert (now.status, now.verdict, now.tasks[0].native_status) == (Status.UNKNOWN, None, "some_new_word")
    with pytest.raises(WaitTimeout) as caught:
        await moderator.wait(ticket, timeout=0.3)
    assert caught.value.ticket == ticket


async def test_waiting_goes_on_until_the_last_word_and_tells_how_far_it_is(moderator, vendor):
    vendor.states = ["wait", "work", "done"]
    told = []
    result = await moderator.moderate(job(), on_progress=lambda progress: told.append(progress.says))
    assert result.status is Status.SUCCEEDED
    assert told == ["wait", "work"]


async def test_news_wakes_who_waits_with_no_poll_in_between(config, registry, vendor):
    slow = config.model_copy(update={"polling": config.polling.model_copy(update={"first": 3600.0, "most": 3600.0})})
    vendor.hits = {"porn": [0.95]}
    async with AsyncModerator(slow, registry=registry) as moderator:
        for raw in (
            None,
            moderator._instance(None).provider.recognize(
                {"id": "t2", "key": "k", "category": "porn", "state": "done", "hits": [{"at": 1.0, "score": 0.95}]}
            ),
        ):
            ticket = await moderator.submit(job())
            waiting = asyncio.create_task(moderator.wait(ticket))
            await asyncio.sleep(0.05)
            vendor.requests.clear()
            assert moderator.notify(ticket.tasks[0].ref.id, raw)
            assert (await waiting).verdict is Verdict.BLOCK
            assert len(vendor.requests) == (0 if raw else 1)


async def test_a_failed_job_is_data_and_raises_only_when_asked_to(moderator, vendor):
    vendor.states = ["broke"]
    result = await moderator.moderate(job())
    assert (result.status, result.verdict) == (Status.FAILED, Verdict.ERROR)
    assert result.tasks[0].error.message == "it broke"
    with pytest.raises(Exception, match="it broke"):
        result.or_raise()


async def test_a_ticket_is_waited_for_by_another_moderator_from_its_json(moderator, config, registry, vendor):
    vendor.hits = {"porn": [0.7]}
    ticket = Ticket.load((await moderator.submit(job(user="u1", metadata={"a": 1}))).dump_json())
    async with AsyncModerator(config, registry=registry) as other:
        result = await other.wait(ticket)
    assert (result.verdict, result.user, result.metadata) == (Verdict.REVIEW, "u1", {"a": 1})
    assert result.coverage[0].state is CoverageState.HIT


async def test_what_was_not_promised_at_submission_is_not_clean_afterwards(moderator):
    ticket = await moderator.submit(job())
    result = await moderator.wait(ticket.model_copy(update={"asks": {}}))
    assert [(row.state, row.why) for row in result.coverage] == [
        (CoverageState.NOT_EVALUATED, "it was not looked for when the job was submitted")
    ]
    assert result.verdict is Verdict.ERROR


async def test_the_deadline_ends_in_a_cancel_at_the_vendor(moderator, vendor):
    vendor.states = ["work"]
    result = await moderator.moderate(job(deadline=timedelta(seconds=0.3)))
    assert result.status is Status.CANCELED
    assert result.verdict is Verdict.ERROR
    assert "deadline_passed" in {note.code for note in result.warnings}
    assert any(request.endswith("/cancel") for request in vendor.requests)


async def test_a_timeout_leaves_the_job_running(moderator, vendor):
    vendor.states = ["work"]
    ticket = await moderator.submit(job())
    with pytest.raises(WaitTimeout, match="Wait for the ticket again"):
        await moderator.wait(ticket, timeout=0.1)
    assert not any(request.endswith("/cancel") for request in vendor.requests)


async def test_cancel_stops_the_job(moderator, vendor):
    vendor.states = ["work"]
    ticket = await moderator.submit(job())
    result = await moderator.cancel(ticket)
    assert (result.status, result.verdict) == (Status.CANCELED, Verdict.ERROR)


async def test_a_task_the_vendor_does_not_know_is_an_error_of_the_call(moderator):
    with pytest.raises(TaskNotFound):
        await moderator.wait(Ticket.adopt("acme", "t99"))


async def test_an_adopted_task_is_read_for_what_its_payload_shows(moderator, vendor):
    await moderator.submit(job(key="theirs"))
    result = await moderator.wait(Ticket.adopt("acme", "t1"))
    assert [(row.label, row.state) for row in result.coverage] == [(PORN, CoverageState.CLEAN)]
    assert result.key == "acme:t1"


async def test_an_adopted_task_is_held_against_what_it_was_made_to_look_for(moderator, vendor):
    await moderator.submit(job(key="theirs"))
    ticket = Ticket.load(
        Ticket.adopt("acme", "t1", detect=["sexual.explicit.pornography", "violence.graphic"]).dump_json()
    )
    result = await moderator.wait(ticket)
    states = {row.label: row.state for row in result.coverage}
    assert states[PORN] is CoverageState.CLEAN
    assert states["violence.graphic.blood_gore"] is CoverageState.NOT_EVALUATED
    assert states["violence.graphic"] is CoverageState.NOT_EVALUATED


async def test_find_gives_a_ticket_for_what_the_vendor_holds(moderator, vendor):
    await moderator.submit(job(key="k1", attempt=2))
    assert await moderator.find("k1") == []
    (ticket,) = await moderator.find("k1", attempt=2)
    assert (ticket.key, ticket.attempt, ticket.tasks[0].ref.id) == ("k1", 2, "t1")
    assert (await moderator.wait(ticket)).status is Status.SUCCEEDED


async def test_find_gives_no_task_whose_key_only_contains_ours(moderator, registry, monkeypatch):
    await moderator.submit(job(key="k1-longer"))
    provider = registry.load("acme")

    async def find(self, key, window):
        reply = await self._send("GET", f"/tasks?key={key}", Effect.READ)
        return [self._raw(task, TaskRef(id=task["id"])) for task in reply["tasks"]]

    monkeypatch.setattr(provider, "find", find)
    assert await moderator.find("k1") == []


async def test_find_looks_for_a_key_in_the_form_in_which_the_vendor_holds_it(moderator, registry, monkeypatch):
    """The caller's key stays in the ticket; the vendor, who cannot hold every key, has one of its own."""
    await moderator.submit(job(key="as-the-vendor-has-it"))
    monkeypatch.setattr(
        registry.load("acme"), "vendor_key_of", lambda self, key: {"k 1": "as-the-vendor-has-it"}.get(key, key)
    )
    (ticket,) = await moderator.find("k 1")
    assert ticket.key == "k 1"
    assert (await moderator.wait(ticket)).status is Status.SUCCEEDED


async def test_find_says_so_where_the_vendor_keeps_no_key(moderator):
    with pytest.raises(LookupUnsupported):
        await moderator.find("k1", use="here")


def test_a_stored_reply_is_read_without_the_network(config, registry, vendor):
    moderator = AsyncModerator(config, registry=registry)
    payload = {"id": "x", "key": "k", "category": "porn", "state": "done", "hits": [{"at": 1.0, "score": 0.95}]}
    assert moderator.normalize(payload, use="acme").verdict is Verdict.BLOCK
    asked = moderator.normalize(payload, use="acme", job=job(detect=["violence.graphic.blood_gore"], key="mine"))
    assert (asked.key, asked.verdict) == ("mine", Verdict.BLOCK)
    assert [row.state for row in asked.coverage] == [CoverageState.NOT_EVALUATED]
    assert vendor.requests == []


# --- work that is done by whoever waits: the URL must be there, and must not leak ---

SIGNED = f"{URL}?X-Signature=s3cr3t"


async def test_in_the_same_process_the_whole_url_is_known(moderator, registry):
    here = registry.load("here")
    here.seen.clear()
    ticket = await moderator.submit(job(media=SIGNED), use="here")
    assert (await moderator.wait(ticket)).status is Status.SUCCEEDED
    assert here.seen == [SIGNED]


async def test_without_a_key_a_signed_url_is_stored_only_in_a_private_file(moderator, tmp_path, registry, config):
    here = registry.load("here")
    here.seen.clear()
    ticket = await moderator.submit(job(media=SIGNED), use="here")
    with pytest.raises(SealRefused, match="secrets"):
        ticket.dump_json()
    ticket.save(tmp_path / "ticket.json")
    assert (tmp_path / "ticket.json").stat().st_mode & 0o777 == 0o600
    async with AsyncModerator(config, registry=registry) as other:
        await other.wait(Ticket.load(tmp_path / "ticket.json"))
    assert here.seen == [SIGNED]


async def test_with_a_key_it_is_sealed_and_opened_by_the_same_key_alone(config, registry):
    from cryptography.fernet import Fernet

    here = registry.load("here")
    here.seen.clear()

    def keyed():
        return config.model_copy(update={"secrets": config.secrets.__class__(key=Fernet.generate_key().decode())})

    mine = keyed()
    async with AsyncModerator(mine, registry=registry) as moderator:
        text = (await moderator.submit(job(media=SIGNED), use="here")).dump_json()
    assert "s3cr3t" not in text
    async with AsyncModerator(keyed(), registry=registry) as stranger:
        with pytest.raises(InvalidTicket, match="another key"):
            await stranger.wait(Ticket.load(text))
    async with AsyncModerator(config, registry=registry) as keyless:
        with pytest.raises(InvalidTicket, match="there is no key"):
            await keyless.wait(Ticket.load(text))
    async with AsyncModerator(mine, registry=registry) as other:
        await other.wait(Ticket.load(text))
    assert here.seen == [SIGNED]


async def test_a_ticket_for_a_cloud_vendor_needs_no_url_once_the_task_exists(moderator):
    ticket = await moderator.submit(job(media=SIGNED))
    assert "s3cr3t" not in ticket.dump_json()
    assert (await moderator.wait(Ticket.load(ticket.dump_json()))).media.source == f"{URL}?***"


async def test_waiting_does_not_block_the_event_loop(moderator, vendor):
    vendor.states = ["work"] * 20 + ["done"]
    longest, running = 0.0, True

    async def watch():
        nonlocal longest
        loop = asyncio.get_running_loop()
        while running:
            before = loop.time()
            await asyncio.sleep(0.005)
            longest = max(longest, loop.time() - before)

    watcher = asyncio.create_task(watch())
    await moderator.moderate(job())
    running = False
    await watcher
    assert longest < 0.25


def test_a_ticket_pickles_across_processes():
    code = "import sys, pickle; t = pickle.loads(sys.stdin.buffer.read()); print(t.tasks[0].ref.id)"
    import pickle

    data = pickle.dumps(Ticket.adopt("acme", "t7"))
    done = subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, check=True)
    assert done.stdout.strip() == b"t7"
