"""A submission that nobody finished: found at the vendor and adopted, else parked, until somebody or a policy decides."""

import asyncio
import os
import subprocess
import sys
import textwrap
import time

import pytest

from reelvet import AsyncModerator, ModerationJob, Verdict
from reelvet.journal import MemoryJournal, Place, Selection, State, open_journal
from reelvet.schema.errors import InvalidJob, InvalidRequest, JournalError, KeyConflict, SubmitOutcomeUnknown
from reelvet.schema.ticket import TaskState

URL = "https://cdn.example.com/clip.mp4?X-Amz-Signature=canary-signature"
PORN, GORE = "sexual.explicit.pornography", "violence.graphic.blood_gore"


def job(**fields):
    return ModerationJob(**{"media": URL, "detect": [PORN], "key": "k", **fields})


@pytest.fixture
def journal():
    return MemoryJournal()


@pytest.fixture
def run(config, registry, journal):
    """One run of a process: its own moderator over the same journal."""

    def make(settle=None, window=0.0, **changes):
        polling = config.polling.model_copy(update={"settle_window": window})
        how = config.model_copy(update={"polling": polling, **changes})
        if settle:
            how = how.model_copy(update={"settle": type(how.settle).model_validate(settle)})
        return AsyncModerator(how, registry=registry, journal=journal)

    return make


async def crash(run, monkeypatch, journal, job, *, after="begin"):
    """A process that dies after its intent was kept (`begin`), or after everything was sent (`send`)."""
    died = asyncio.Event()

    async def never(*_, **__):
        died.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as patch:
        patch.setattr(
            "reelvet.moderator.settling.Settler.start", lambda _: None
        )  # it dies before that comes to anything
        if after == "begin":
            patch.setattr("reelvet.moderator.submitting.create", never)
        else:
            patch.setattr(journal, "keep", never)
        moderator = run()
        flight = asyncio.create_task(moderator.submit(job))
        await died.wait()
        flight.cancel()
        for _, going in list(moderator._submissions._flights.values()):
            going.cancel()
        await asyncio.gather(flight, *(t for _, t in moderator._submissions._flights.values()), return_exceptions=True)
        await asyncio.gather(*(instance.close() for instance in moderator._instances.values()))
    expire(journal, job.key)


def expire(journal, key="k"):
    """Nobody renews the lease of a process that has died."""
    journal._held.entries[Place(key)].lease_until = 0.0


async def at_work(moderator):
    """Waits until a moderator has begun."""
    for _ in range(500):
        if moderator._submissions._lease._holds:
            return
        await asyncio.sleep(0.01)


async def state_of(journal, key="k"):
    record = await journal.get(Place(key))
    return record and record.state


async def test_what_was_created_before_the_crash_is_adopted_by_whoever_asks_again(run, monkeypatch, journal, vendor):
    await crash(run, monkeypatch, journal, job(), after="send")
    async with run() as moderator:
        ticket = await moderator.submit(job())
        assert (await moderator.wait(ticket)).verdict is Verdict.PASS
    assert [task.ref.id for task in ticket.tasks] == ["t1"]
    assert len(vendor.creates) == 1
    assert (await journal.of_task("acme", "t1")).key == "k"


async def test_a_list_that_lags_is_asked_again_until_the_window_is_over(run, monkeypatch, journal, vendor):
    vendor.list_lag = 0.7
    await crash(run, monkeypatch, journal, job(), after="send")
    async with run(window=3.0) as moderator:
        assert (await moderator.submit(job())).tasks[0].ref.id == "t1"
    assert len(vendor.creates) == 1


async def test_what_is_not_found_is_parked_and_found_later_when_it_shows(run, monkeypatch, journal, vendor):
    vendor.list_lag = 0.5
    await crash(run, monkeypatch, journal, job(), after="send")
    async with run() as moderator:
        with pytest.raises(SubmitOutcomeUnknown, match=r"1 of its tasks.*not found at the vendor.*reelvet settle"):
            await moderator.submit(job())
        assert await state_of(journal) is State.PARKED
        await asyncio.sleep(0.6)
        assert (await moderator.submit(job())).tasks[0].ref.id == "t1"
    assert len(vendor.creates) == 1


async def test_the_next_run_settles_what_was_left_without_being_asked(run, monkeypatch, journal, vendor):
    await crash(run, monkeypatch, journal, job(), after="send")
    async with run() as moderator:
        await moderator.submit(job(key="another"))
        for _ in range(100):
            if await state_of(journal) is State.SUBMITTED:
                break
            await asyncio.sleep(0.02)
    assert await state_of(journal) is State.SUBMITTED


async def test_a_policy_sends_again_what_the_vendor_does_not_have(run, monkeypatch, journal, vendor):
    await crash(run, monkeypatch, journal, job())
    async with run() as moderator:
        with pytest.raises(SubmitOutcomeUnknown):
            await moderator.submit(job())
    assert vendor.creates == []
    async with run(settle={"after": 0.2, "then": "resubmit"}) as moderator:
        await asyncio.sleep(0.3)
        ticket = await moderator.submit(job())
    assert [create["key"] for create in vendor.creates] == ["k"]
    assert ticket.tasks[0].state is TaskState.CREATED
    assert await state_of(journal) is State.SUBMITTED


async def test_a_policy_sends_nothing_again_before_its_time(run, monkeypatch, journal, vendor):
    await crash(run, monkeypatch, journal, job())
    async with run(settle={"after": "1h", "then": "resubmit"}) as moderator:
        with pytest.raises(SubmitOutcomeUnknown):
            await moderator.submit(job())
    assert vendor.creates == []


async def test_what_cannot_be_asked_for_is_never_sent_again(run, monkeypatch, journal, vendor, config):
    blind = {**config.providers, "acme": {**config.providers["acme"], "can_find": False}}
    await crash(lambda **how: run(providers=blind, **how), monkeypatch, journal, job(), after="send")
    async with run(settle={"after": 0, "then": "resubmit"}, providers=blind) as moderator:
        with pytest.raises(SubmitOutcomeUnknown, match="cannot look a task up"):
            await moderator.submit(job())
    assert len(vendor.creates) == 1
    assert await state_of(journal) is State.PARKED


async def test_a_vendor_that_does_not_answer_is_no_reason_to_send_again(run, monkeypatch, journal, vendor, registry):
    await crash(run, monkeypatch, journal, job())

    async def down(*_):
        raise InvalidRequest("not now", retryable=True)

    monkeypatch.setattr(registry.load("acme"), "find", down)
    async with run(settle={"after": 0, "then": "resubmit"}) as moderator:
        with pytest.raises(SubmitOutcomeUnknown, match="could not be looked up: not now"):
            await moderator.submit(job())
    assert vendor.creates == []


async def test_only_what_is_missing_is_sent_again_and_the_rest_kept(run, journal, vendor):
    vendor.script = ["ok", "lose"]
    both = job(detect=[PORN, GORE])
    async with run() as moderator:
        with pytest.raises(SubmitOutcomeUnknown):
            await moderator.submit(both)
    async with run(settle={"after": 0, "then": "resubmit"}) as moderator:
        ticket = await moderator.submit(both)
        result = await moderator.wait(ticket)
    assert [(task.ref.name, task.ref.id) for task in ticket.tasks] == [("porn", "t1"), ("gore", "t2")]
    assert [create["category"] for create in vendor.creates] == ["porn", "gore", "gore"]
    assert result.verdict is Verdict.PASS


async def test_a_refusal_of_what_was_sent_again_leaves_it_as_unknown_as_it_was(run, monkeypatch, journal, vendor):
    await crash(run, monkeypatch, journal, job())
    vendor.script = ["reject"]
    async with run(settle={"after": 0, "then": "resubmit"}) as moderator:
        with pytest.raises(InvalidRequest):
            await moderator.submit(job())
    assert await state_of(journal) is State.PARKED


async def test_a_policy_hands_the_video_to_a_person(run, monkeypatch, journal, vendor):
    await crash(run, monkeypatch, journal, job())
    async with run(settle={"after": 0, "then": "review"}) as moderator:
        ticket = await moderator.submit(job())
        result = await moderator.wait(ticket)
    assert (result.verdict, result.status) == (Verdict.REVIEW, "unknown")
    assert result.decisions == {"default": Verdict.REVIEW}
    assert any("a person is to look at it" in reason.why for reason in result.reasons)
    assert vendor.creates == []


async def test_what_was_found_before_blocks_though_the_rest_goes_to_a_person(run, vendor):
    vendor.script, vendor.hits = ["ok", "lose"], {"porn": [0.99]}
    async with run(settle={"after": 0, "then": "review"}) as moderator:
        with pytest.raises(SubmitOutcomeUnknown):
            await moderator.submit(job(detect=[PORN, GORE]))
        result = await moderator.wait(await moderator.submit(job(detect=[PORN, GORE])))
    assert result.verdict is Verdict.BLOCK


async def test_a_ticket_of_unknown_fate_is_settled_by_waiting_for_it(run, journal, vendor):
    vendor.script, vendor.list_lag = ["drop"], 0.4
    async with run() as moderator:
        with pytest.raises(SubmitOutcomeUnknown) as caught:
            await moderator.submit(job())
        await asyncio.sleep(0.5)
        assert (await moderator.wait(caught.value.ticket)).verdict is Verdict.PASS


async def test_all_that_is_unknown_is_listed_with_what_became_of_it(run, monkeypatch, journal, vendor):
    await crash(run, monkeypatch, journal, job(key="found"), after="send")
    await crash(run, monkeypatch, journal, job(key="lost"))
    async with run() as other:
        busy = await journal.begin(
            (await journal.get(Place("lost"))).with_state(State.INTENT, key="busy", owner="elsewhere/1/x"), 60
        )
        assert busy.owner == "elsewhere/1/x"
        told = {one.key: one.outcome async for one in other.settle()}
        assert told == {"found": "adopted", "lost": "parked", "busy": "under way"}
        assert [one.key async for one in other.settle(key="lost")] == ["lost"]


# --- a person's word ---


async def test_a_person_says_which_task_it_is(run, monkeypatch, journal, vendor):
    vendor.list_lag = 60
    await crash(run, monkeypatch, journal, job(), after="send")
    async with run() as moderator:
        with pytest.raises(InvalidJob, match="0 task ids for 1 unknown"):
            await moderator.decide("k", "adopt")
        vendor.tasks["t9"] = {**vendor.tasks["t1"], "id": "t9", "key": "kk"}
        with pytest.raises(InvalidJob, match="'kk', so it is another job's"):
            await moderator.decide("k", "adopt", tasks=["t9"])
        settled = await moderator.decide("k", "adopt", tasks=["t1"])
        assert settled.outcome == "adopted"
        assert (await moderator.submit(job())).tasks[0].ref.id == "t1"
        with pytest.raises(InvalidJob, match="it is settled"):
            await moderator.decide("k", "absent")
        with pytest.raises(InvalidJob, match="there is no such submission"):
            await moderator.decide("unheard-of", "absent")


async def test_a_person_says_that_it_does_not_exist_and_its_key_is_free(run, monkeypatch, journal, vendor):
    await crash(run, monkeypatch, journal, job())
    async with run() as moderator:
        assert (await moderator.decide("k", "absent")).outcome == "absent"
        await moderator.submit(job())
    assert len(vendor.creates) == 1


async def test_a_person_has_it_sent_again_though_the_vendor_cannot_be_asked(run, monkeypatch, journal, vendor, config):
    blind = {**config.providers, "acme": {**config.providers["acme"], "can_find": False}}
    policy = {"after": "1h", "then": "resubmit"}
    await crash(lambda **_: run(settle=policy, providers=blind), monkeypatch, journal, job())
    async with run(settle=policy, providers=blind) as moderator:
        assert (await moderator.decide("k", "resubmit")).outcome == "resubmitted"
    assert vendor.creates[0]["url"] == URL, "whole, as it was kept for that"


async def test_without_the_whole_url_nothing_can_be_sent_again_but_by_whoever_has_it(run, monkeypatch, journal, vendor):
    await crash(run, monkeypatch, journal, job())
    async with run() as moderator:
        with pytest.raises(InvalidJob, match=r"cannot be sent again.*masked"):
            await moderator.decide("k", "resubmit")
    assert vendor.creates == []


# --- several processes ---


async def test_whoever_asks_while_another_submits_waits_for_its_ticket(run, vendor):
    vendor.create_delay = 0.3
    async with run() as one, run() as other:
        tickets = await asyncio.gather(one.submit(job()), other.submit(job()))
    assert tickets[0].tasks == tickets[1].tasks
    assert len(vendor.creates) == 1


async def test_who_settles_on_the_side_and_who_submits_do_not_both_send_it_again(run, monkeypatch, journal, vendor):
    policy = {"after": 0, "then": "resubmit"}
    await crash(lambda **_: run(settle=policy), monkeypatch, journal, job())
    vendor.create_delay = 0.6
    async with run(settle=policy) as moderator:
        settling = asyncio.create_task(anext(moderator.settle()))
        await at_work(moderator)
        with pytest.raises(InvalidJob, match="is being submitted"):
            await moderator.decide("k", "absent")
        ticket = await moderator.submit(job())
        assert (await settling).outcome == "resubmitted"
    assert [create["key"] for create in vendor.creates] == ["k"]
    assert ticket.tasks[0].ref.id == "t1"


async def test_what_is_being_sent_for_the_first_time_is_not_settled_beside_it(run, journal, vendor):
    vendor.create_delay, vendor.list_lag = 0.6, 60
    async with run(settle={"after": 0, "then": "resubmit"}) as moderator:
        flight = asyncio.create_task(moderator.submit(job()))
        await at_work(moderator)
        assert [settled.outcome async for settled in moderator.settle()] == ["under way"]
        assert (await flight).tasks[0].ref.id == "t1"
    assert len(vendor.creates) == 1


async def test_another_job_under_the_key_of_another_process_is_a_conflict(run):
    async with run() as one, run() as other:
        await one.submit(job())
        with pytest.raises(KeyConflict):
            await other.submit(job(detect=[GORE]))


async def test_a_process_that_was_frozen_beyond_its_lease_sends_nothing(run, journal, vendor, monkeypatch):
    async with run() as frozen, run() as other:
        begun, thawed = asyncio.Event(), asyncio.Event()
        original = frozen._submissions._send

        async def freeze(*args, **kwargs):
            begun.set()
            await thawed.wait()
            return await original(*args, **kwargs)

        monkeypatch.setattr(frozen._submissions, "_send", freeze)
        flight = asyncio.create_task(frozen.submit(job()))
        await begun.wait()
        lease = frozen._submissions._lease
        lease._beating.cancel()
        for hold in lease._holds.values():
            hold.known_until = time.monotonic() - 1
        journal._held.entries[Place("k")].lease_until = 0.0
        with pytest.raises(SubmitOutcomeUnknown):  # looked for, and not there: nobody may send it
            await other.submit(job())
        thawed.set()
        with pytest.raises(SubmitOutcomeUnknown):
            await flight
    assert vendor.creates == []


async def test_nothing_is_sent_that_could_not_be_entered(run, journal, vendor, monkeypatch):
    async def full(*_):
        raise JournalError("the disk is full")

    monkeypatch.setattr(journal, "begin", full)
    async with run() as moderator:
        with pytest.raises(JournalError, match="disk is full"):
            await moderator.submit(job())
    assert vendor.creates == []


async def test_what_was_created_is_told_though_it_could_not_be_kept(run, journal, vendor, monkeypatch):
    async def full(*_):
        raise JournalError("the disk is full")

    monkeypatch.setattr(journal, "keep", full)
    async with run() as moderator:
        ticket = await moderator.submit(job())
        assert ticket.tasks[0].ref.id == "t1"
        assert [note.code for note in ticket.warnings] == ["ticket_not_kept"]
        assert (await moderator.wait(ticket)).verdict is Verdict.PASS
    monkeypatch.undo()
    expire(journal)
    async with run() as moderator:
        assert (await moderator.submit(job())).tasks[0].ref.id == "t1"
    assert len(vendor.creates) == 1


async def test_a_killed_process_is_taken_over_at_once_on_the_same_machine(config, registry, vendor, tmp_path):
    url = f"sqlite:///{tmp_path}/journal.db"
    script = textwrap.dedent(
        f"""
        import asyncio, os, signal, sys
        from reelvet.journal import Record, State, WorkerId, open_journal
        async def main():
            journal = open_journal({url!r})
            ticket = open({str(tmp_path / "ticket")!r}, "rb").read()
            await journal.begin(Record("k", 1, {job().fingerprint!r}, "acme", "acme", State.INTENT, ticket,
                                owner=WorkerId().name, begun_at=1.0), 600)
            os.kill(os.getpid(), signal.SIGKILL)
        asyncio.run(main())
        """
    )
    plain = MemoryJournal()
    async with AsyncModerator(config, registry=registry, journal=plain) as moderator:
        await moderator.submit(job())
        (tmp_path / "ticket").write_bytes((await plain.get(Place("k"))).ticket)
    died = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", script], check=False)
    assert died.returncode == -9
    journal = open_journal(url)
    async with AsyncModerator(config, registry=registry, journal=journal) as moderator:
        begun = time.monotonic()
        await moderator.submit(job())
        assert time.monotonic() - begun < 5
    assert [one.state async for one in journal.records(Selection())] == [State.SUBMITTED]
    await journal.close()


async def test_a_whole_url_is_kept_only_where_it_is_needed_and_erased_afterwards(run, monkeypatch, journal, vendor):
    held = []
    begin = journal.begin

    async def spy(record, lease):
        held.append(record.ticket)
        return await begin(record, lease)

    monkeypatch.setattr(journal, "begin", spy)
    async with run() as moderator:
        await moderator.submit(job(key="a"))
    async with run(settle={"after": "1h", "then": "resubmit"}) as moderator:
        await moderator.submit(job(key="b"))
    assert [b"canary-signature" in ticket for ticket in held] == [False, True]
    for key in ("a", "b"):
        assert b"canary-signature" not in (await journal.get(Place(key))).ticket


async def test_the_whole_url_of_work_that_is_done_here_is_erased_when_it_is_done(run, journal):
    async with run() as moderator:
        ticket = await moderator.submit(job(), use="here")
        assert b"canary-signature" in (await journal.get(Place("k"))).ticket
        await moderator.wait(ticket)
    assert b"canary-signature" not in (await journal.get(Place("k"))).ticket


async def test_a_journal_that_others_read_refuses_a_whole_url_without_a_key(run, journal, vendor):
    journal.private = False
    async with run(settle={"after": "1h", "then": "resubmit"}) as moderator:
        with pytest.raises(Exception, match=r"\[secrets\] key|key to seal"):
            await moderator.submit(job())
    assert vendor.creates == []


def test_the_owner_of_a_record_is_this_process():
    from reelvet.journal import WorkerId

    assert f"/{os.getpid()}/" in WorkerId().name
