"""Callbacks as the vendors' emulators send them, signed, over HTTP: what becomes of the job they are about."""

import asyncio
import http.client
import json
import time
from contextlib import closing

import pytest

from reelvet import Verdict
from reelvet.callbacks import Receiver, callbacks_app
from reelvet.journal import MemoryJournal, Place, Record, State, open_journal
from reelvet.schema import errors as e
from reelvet.schema.errors import TransportFailed


def post(url, path, body, headers):
    with closing(http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)) as connection:
        connection.request("POST", path, body=body, headers=headers)
        return connection.getresponse().status


@pytest.fixture
def paused(reelvet_sandbox):
    """The vendors' time stands still until it is moved on."""
    reelvet_sandbox.clock.pause()
    return lambda: reelvet_sandbox.clock.advance(1000)


@pytest.mark.parametrize("vendor", ["huawei", "tencent"])
async def test_a_callback_wakes_its_waiter_with_no_poll_in_between(
    configured, serve, job, paused, reelvet_sandbox, vendor, until
):
    reelvet_sandbox.fault(vendor, "callback_twice", copies=3)
    async with configured(vendor) as moderator:
        receiver = Receiver(moderator)
        url = await serve(callbacks_app(moderator, receiver=receiver))
        ticket = await moderator.submit(job(url, vendor=vendor))
        waiting = asyncio.create_task(moderator.wait(ticket))
        await until(lambda: moderator.hearing.awaits(vendor, ticket.tasks[0].ref.id))
        before = len(reelvet_sandbox.requests(vendor))
        paused()
        result = await asyncio.wait_for(waiting, 10)
        assert result.verdict is Verdict.BLOCK
        assert len(reelvet_sandbox.requests(vendor)) == before + 1  # it was read again, once
        await until(lambda: receiver.counts["duplicate"] == 2)
        await until(lambda: [one.status for one in reelvet_sandbox.callbacks(vendor)] == [200, 200, 200])
        assert (receiver.counts["received"], receiver.counts["woken"]) == (1, 1)


async def test_a_forged_verdict_passes_huaweis_signature_and_is_not_believed(
    configured, serve, job, paused, reelvet_sandbox, until
):
    async with configured() as moderator:
        url = await serve(callbacks_app(moderator))
        elsewhere = "http://127.0.0.1:9"  # the vendor's own callback does not arrive
        ticket = await moderator.submit(job(elsewhere))
        paused()
        sent = reelvet_sandbox.callbacks("huawei")[0]
        waiting = asyncio.create_task(moderator.wait(ticket))
        await until(lambda: moderator.hearing.awaits("huawei", ticket.tasks[0].ref.id))
        told = json.loads(sent.body) | {"result": {"suggestion": "pass", "image_detail": [], "audio_detail": []}}
        status = await asyncio.to_thread(post, url, "/huawei", json.dumps(told).encode(), sent.headers)
        assert (status, (await asyncio.wait_for(waiting, 10)).verdict) == (200, Verdict.BLOCK)


async def orphan(moderator, job, url, reelvet_sandbox, paused, key="key/1", query="?key={key}"):
    """A job of which nobody knows whether it exists, the answer of its create being lost. What calls back is given, unsent."""
    reelvet_sandbox.fault("huawei", "cut", operation="create_v3", when="after")
    with pytest.raises(e.SubmitOutcomeUnknown):
        await moderator.submit(job(url, key=key, query=query))
    paused()
    return reelvet_sandbox.callbacks("huawei")[-1]


@pytest.mark.parametrize(
    ("query", "settings"), [("?key={key}", {}), ("/{key}", {"callback_url": "{url}/huawei/{key}"})]
)
async def test_an_orphan_is_adopted_by_the_key_in_its_url(
    configured, serve, job, paused, reelvet_sandbox, until, query, settings
):
    journal = MemoryJournal()
    receiving = configured(journal=journal)
    url = await serve(callbacks_app(receiving))
    table = {name: value.replace("{url}", url) for name, value in settings.items()}
    receiving.config.providers["huawei"] |= table
    async with configured(journal=journal, polling={"first": 0.01}) as moderator:
        moderator.config.providers["huawei"] |= table
        await orphan(moderator, job, url, reelvet_sandbox, paused, query=query)
        record = await until(lambda: settled(journal))
        (task,) = record.load_ticket().tasks
        assert (task.state, [one.id for one in reelvet_sandbox.tasks("huawei")]) == ("created", [task.ref.id])
        ticket = await moderator.submit(job(url, query=query))
        assert ticket.tasks[0].ref.id == task.ref.id
        assert (await moderator.wait(ticket, timeout=40)).verdict is Verdict.BLOCK
    await receiving.aclose()


async def settled(journal, key="key/1"):
    record = await journal.get(Place(key))
    return record if record.state is State.SUBMITTED else None


async def test_a_task_that_is_not_the_orphans_is_not_adopted_whatever_key_it_is_posted_with(
    configured, serve, job, paused, reelvet_sandbox, until
):
    """Neither without a signature, nor with that of a job of somebody else, whose callback was seen and is sent again."""
    async with configured() as moderator, configured(journal=MemoryJournal()) as another:
        receiver = Receiver(moderator)
        url = await serve(callbacks_app(moderator, receiver=receiver))
        nowhere = "http://127.0.0.1:9"
        own = await orphan(moderator, job, nowhere, reelvet_sandbox, paused)
        await another.submit(job(nowhere, scenario="clean", key="theirs"))
        await another.submit(job(nowhere, scenario="clean", key="bare", query=""))
        paused()
        theirs, bare = reelvet_sandbox.callbacks("huawei")[-2:]

        def came(body, headers, path="/huawei?key=key%2F1"):
            return asyncio.to_thread(post, url, path, body, headers)

        unsigned = {name: value for name, value in theirs.headers.items() if name != "x-auth-signature"}
        assert await came(theirs.body, unsigned) == 401
        assert await came(own.body, theirs.headers) == 401
        assert await came(theirs.body, theirs.headers) == 200
        unknown = json.loads(theirs.body) | {"job_id": "0" * 32}
        assert await came(json.dumps(unknown).encode(), theirs.headers) == 401
        await until(lambda: receiver.counts["nobody's"] == 1)
        assert (await moderator.journal.get(Place("key/1"))).state is State.PARKED
        # A job that has no key at the vendor is ours only by the time of its creation; that of old was another's.
        record = await moderator.journal.get(Place("key/1"))
        await moderator.journal.keep(record.with_state(State.PARKED, begun_at=record.begun_at - 3600))
        assert await came(bare.body, bare.headers) == 200
        await until(lambda: receiver.counts["nobody's"] == 2)
        assert (await moderator.journal.get(Place("key/1"))).state is State.PARKED
        assert await came(own.body, own.headers) == 200
        await until(lambda: receiver.counts["adopted"] == 1)


async def test_tencents_orphan_is_told_by_its_data_id(configured, serve, job, paused, reelvet_sandbox, until):
    async with configured("tencent") as moderator:
        url = await serve(callbacks_app(moderator))
        reelvet_sandbox.fault("tencent", "cut", operation="create", when="after")
        reelvet_sandbox.fault("tencent", "list_lag", seconds=120)
        with pytest.raises(e.SubmitOutcomeUnknown):
            await moderator.submit(job(url, vendor="tencent", query="", key="a key that is no DataId" * 4))
        paused()
        await until(lambda: settled(moderator.journal, "a key that is no DataId" * 4))


async def test_no_answer_waits_for_a_vendor_and_one_that_fails_is_asked_again(
    configured, serve, job, paused, reelvet_sandbox, until, monkeypatch
):
    monkeypatch.setattr("reelvet.callbacks.following._FIRST_PAUSE", 0.01)
    async with configured() as moderator:
        own = await orphan(moderator, job, "http://127.0.0.1:9", reelvet_sandbox, paused)
        provider, asked = moderator.instance_of("huawei").provider, asyncio.Event()
        fetch, answers = type(provider).fetch, [TransportFailed("broke"), RuntimeError("a bug")]

        async def slow(self, ref):
            asked.set()
            await asyncio.sleep(5)

        async def failing(self, ref):
            if answers:
                raise answers.pop()
            return await fetch(self, ref)

        receiver = Receiver(moderator)
        url = await serve(callbacks_app(moderator, receiver=receiver))
        monkeypatch.setattr(type(provider), "fetch", slow)
        began = time.monotonic()
        assert await asyncio.to_thread(post, url, "/huawei?key=key%2F1", own.body, own.headers) == 200
        assert time.monotonic() - began < 3
        await asked.wait()
        await receiver.aclose()  # in the midst of it
        monkeypatch.setattr(type(provider), "fetch", failing)
        (news,) = await moderator.journal.news(0)
        await moderator.journal.followed(news, again=0)
        receiver.start()
        await until(lambda: receiver.counts["adopted"] == 1)
        assert answers == []


async def test_what_its_owner_is_at_work_on_is_left_to_the_owner(configured, until, tencent_body, monkeypatch):
    monkeypatch.setattr("reelvet.callbacks.following._FIRST_PAUSE", 0.01)
    journal = MemoryJournal()
    async with configured("tencent", journal=journal) as moderator:
        intent = Record("k", 1, "f", "tencent", "tencent", State.INTENT, b"{}", owner="elsewhere/1/x")
        mine = await journal.begin(intent, 60)
        async with Receiver(moderator) as receiver:
            assert (await receiver.receive("tencent", *tencent_body("w-1"), {})).status == 200
            await asyncio.sleep(0.05)
            assert (await journal.get(Place("k"))).state is State.INTENT
            await journal.keep(mine.with_state(State.SUBMITTED), ["w-1"])
            await until(lambda: receiver.counts["known"] == 1)


async def test_who_waits_in_another_process_is_woken_by_the_journal(
    configured, serve, job, paused, reelvet_sandbox, tmp_path, until
):
    url_of_journal = f"sqlite:///{tmp_path}/journal.db"
    receiving, waiting = (
        configured(journal=open_journal(url_of_journal)),
        configured(journal=open_journal(url_of_journal)),
    )
    url = await serve(callbacks_app(receiving))
    ticket = await waiting.submit(job(url))
    result = asyncio.create_task(waiting.wait(ticket))
    await until(lambda: waiting.hearing.awaits("huawei", ticket.tasks[0].ref.id))
    paused()
    assert (await asyncio.wait_for(result, 10)).verdict is Verdict.BLOCK
    assert waiting.hearing._reading is None  # nobody waits any more, and nobody reads
    for one in (receiving, waiting):
        await one.aclose()
        await one.journal.close()
