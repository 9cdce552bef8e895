"""Erasure: here, at the vendor where it can, and never of what may have been paid for and is not known."""

from __future__ import annotations

import time
import types
from dataclasses import replace
from datetime import timedelta

import pytest

from reelvet import AsyncModerator, ModerationJob, Moderator
from reelvet.events import of_parked, of_result
from reelvet.journal import MemoryJournal, Place, PlannedTask, Record, Selection, State
from reelvet.moderator.purging import purge
from reelvet.schema.errors import (
    DeleteUnsupported,
    InvalidJob,
    TaskNotFound,
    VendorUnavailable,
)
from reelvet.schema.result import ModerationResult
from reelvet.schema.task import RawTask, Status, TaskRef
from reelvet.schema.ticket import TaskState, Ticket, TicketTask

DAY = 86400.0
PLAN = (PlannedTask("porn", "porn", "k"),)


@pytest.fixture
def vendor_side(monkeypatch, registry):
    """Acme with a delete: what it is asked to erase, what it answers, and what it can find."""
    acme = registry.load("acme")

    side = types.SimpleNamespace(deleted=[], finds={}, errors={})
    effective = acme.effective

    async def delete(self, ref):
        side.deleted.append(ref.id)
        if (error := side.errors.get(ref.id)) is not None:
            raise error

    async def find(self, key, window):
        return side.finds.get(key, [])

    monkeypatch.setattr(
        acme, "effective", lambda self: replace(effective(self), operations=frozenset({"find", "delete"}))
    )
    monkeypatch.setattr(acme, "delete", delete)
    monkeypatch.setattr(acme, "find", find)
    return side


def can(moderator, *operations):
    instance = moderator._instance("acme")
    instance.capabilities = replace(instance.capabilities, operations=frozenset(operations))


@pytest.fixture
def journal():
    return MemoryJournal()


@pytest.fixture
async def moderator(config, registry, vendor_side, journal):
    async with AsyncModerator(config, registry=registry, journal=journal) as moderator:
        yield moderator


@pytest.fixture
def kept(journal):
    """Puts a job into the journal."""

    async def keep(
        key="k", *, age=0.0, user=None, state=State.SUBMITTED, tasks=("t1",), instance="acme", lease=0.0, owner="gone"
    ):
        known = [TicketTask(ref=TaskRef(id=id_, name="porn"), state=TaskState.CREATED) for id_ in tasks]
        unknown = [TicketTask(ref=TaskRef(id="", name="porn", category="porn"), state=TaskState.UNKNOWN)]
        ticket = Ticket(key=key, provider=instance, instance=instance, tasks=known if state.settled else unknown,
                        job=ModerationJob(media="https://h/a", key=key).model_dump(mode="json"))  # fmt: skip
        record = Record(
            key=key, attempt=1, fingerprint="f", provider=instance, instance=instance, state=State.INTENT, user=user,
            ticket=ticket.dump_json().encode(), plan=PLAN, begun_at=time.time() - age, owner=owner,
        )  # fmt: skip
        await journal.begin(record, lease)
        if state is not State.INTENT:
            await journal.keep(replace(record, state=state), list(tasks))
        return ticket

    return keep


async def keys(journal):
    return sorted([record.key async for record in journal.records(Selection())])


async def test_a_job_goes_with_all_that_belongs_to_it(moderator, journal, kept, vendor_side):
    ticket = await kept()
    result = ModerationResult(key="k", status="succeeded")
    await journal.conclude(Place("k"), verdict="pass", result=b"{}", events=[of_result(result), of_parked(ticket, "")])
    (told,) = await moderator.purge(key="k")
    assert (told.key, told.erased, told.at_vendor, told.says) == ("k", True, "erased", None)
    assert vendor_side.deleted == ["t1"]
    assert await keys(journal) == []
    assert (await journal.result(Place("k")), await journal.outbox()) == (
        None,
        {"waiting": 0, "sent": 0, "given_up": 0},
    )
    assert await moderator.purge(key="k") == []


@pytest.mark.parametrize(
    ("which", "gone"),
    [
        ({"key": "a"}, ["a"]),
        ({"user": "u-1"}, ["a", "b"]),
        ({"older_than": timedelta(days=30)}, ["b", "c"]),
        ({"user": "u-1", "older_than": timedelta(days=30)}, ["b"]),
    ],
)
async def test_what_is_meant_and_nothing_else(moderator, journal, kept, which, gone):
    await kept("a", user="u-1")
    await kept("b", user="u-1", age=40 * DAY)
    await kept("c", user="u-2", age=40 * DAY)
    would = await moderator.purge(**which, dry_run=True)
    assert await keys(journal) == ["a", "b", "c"]
    told = await moderator.purge(**which)
    assert sorted(one.key for one in told) == sorted(one.key for one in would) == gone
    assert await keys(journal) == sorted({"a", "b", "c"} - set(gone))


async def test_nothing_said_is_nothing_erased(moderator, kept):
    with pytest.raises(InvalidJob, match="nothing is said of which jobs"):
        await moderator.purge()


@pytest.mark.parametrize(
    ("error", "at_vendor", "erased"),
    [
        (VendorUnavailable("is down"), "failed", False),
        (RuntimeError("a bug at https://h/a?sig=hush"), "failed", False),
        (TaskNotFound("a page of a proxy"), "failed", False),
        (TaskNotFound("gone", code="E404"), "erased", True),
        (DeleteUnsupported("not in this region"), "cannot", True),
    ],
)
async def test_what_the_vendor_failed_to_erase_stays_to_be_tried_again(
    moderator, journal, kept, vendor_side, error, at_vendor, erased
):
    await kept(tasks=("t1", "t2"))
    vendor_side.errors["t2"] = error
    (told,) = await moderator.purge(key="k")
    assert (told.at_vendor, told.erased) == (at_vendor, erased)
    assert "hush" not in (told.says or "")
    assert await keys(journal) == ([] if erased else ["k"])
    if not erased:
        (told,) = await moderator.purge(key="k", local_only=True)
        assert (told.at_vendor, told.erased, await keys(journal)) == ("not asked", True, [])


async def test_a_vendor_without_delete_is_told(moderator, journal, kept, vendor_side):
    can(moderator, "find")
    await kept()
    (told,) = await moderator.purge(key="k")
    assert (told.at_vendor, told.erased, vendor_side.deleted) == ("cannot", True, [])
    assert told.says == "Acme has no delete"


async def test_what_is_done_on_this_machine_is_nowhere_else(moderator, journal, kept):
    await kept(instance="here")
    assert (await moderator.purge(key="k"))[0].at_vendor == "nothing"


async def test_an_instance_that_is_no_more_keeps_its_jobs(moderator, journal, kept):
    await kept(instance="acne")
    (told,) = await moderator.purge(key="k")
    assert (told.at_vendor, told.erased) == ("failed", False)
    assert "there is no instance 'acne'" in told.says
    assert (await moderator.purge(key="k", local_only=True))[0].erased


@pytest.mark.parametrize("state", [State.PARKED, State.INTENT])
async def test_what_nobody_knows_is_not_forgotten_for_its_age(moderator, journal, kept, vendor_side, state):
    await kept(state=state, age=40 * DAY)
    (told,) = await moderator.purge(older_than=timedelta(days=30))
    assert (told.erased, told.at_vendor) == (False, "not asked")
    assert "could be submitted and paid for again" in told.says


@pytest.mark.parametrize("state", [State.PARKED, State.INTENT])
@pytest.mark.parametrize("found", [True, False])
async def test_what_nobody_knows_is_looked_up_first(moderator, journal, kept, vendor_side, state, found):
    await kept(state=state)
    decoy = RawTask(ref=TaskRef(id="x", category="porn"), status=Status.SUCCEEDED, vendor_key="k2")
    mine = RawTask(ref=TaskRef(id="t9", category="porn"), status=Status.SUCCEEDED, vendor_key="k")
    vendor_side.finds["k"] = [decoy, mine] if found else [decoy]
    assert not (await moderator.purge(key="k", dry_run=True))[0].erased
    (told,) = await moderator.purge(key="k")
    assert told.erased is found
    assert vendor_side.deleted == (["t9"] if found else [])
    assert await keys(journal) == ([] if found else ["k"])
    if not found and state is State.PARKED:
        assert (await journal.get(Place("k"))).owner is None  # whoever settles it need not wait


async def test_what_was_found_and_not_erased_is_known_from_then_on(moderator, journal, kept, vendor_side):
    await kept(state=State.PARKED)
    vendor_side.finds["k"] = [RawTask(ref=TaskRef(id="t9", category="porn"), status=Status.RUNNING, vendor_key="k")]
    vendor_side.errors["t9"] = VendorUnavailable("is down")
    assert not (await moderator.purge(key="k"))[0].erased
    record = await journal.get(Place("k"))
    assert (record.state, record.load_ticket().tasks[0].ref.id) == (State.SUBMITTED, "t9")
    assert (await journal.of_task("acme", "t9")).key == "k"


@pytest.mark.parametrize(("how", "able"), [({"local_only": True}, ["find", "delete"]), ({}, ["delete"])])
async def test_what_cannot_be_looked_up_stays(moderator, journal, kept, how, able):
    can(moderator, *able)
    await kept(state=State.PARKED)
    (told,) = await moderator.purge(key="k", **how)
    assert (told.erased, await keys(journal)) == (False, ["k"])


async def test_what_somebody_is_at_work_on_stays(moderator, journal, kept):
    await kept(state=State.INTENT, lease=60.0, owner="elsewhere")
    (told,) = await moderator.purge(key="k")
    assert (told.erased, told.says) == (False, "somebody is at work on it")


async def test_tickets_that_are_kept_elsewhere_are_erased_at_the_vendor_too(moderator, journal, kept, vendor_side):
    mine = await kept("k")
    other = Ticket.adopt("acme", "t7", key="o")
    unknown = other.model_copy(update={"key": "p", "tasks": (TicketTask(ref=TaskRef(id=""), state=TaskState.UNKNOWN),)})
    told = await purge(journal, moderator._instance, older_than=timedelta(0), others=[mine, other, unknown])
    assert [(one.key, one.erased) for one in told] == [("k", True), ("o", True), ("p", False)]
    assert vendor_side.deleted == ["t1", "t7"]


async def test_what_was_decided_can_be_forgotten_and_what_nobody_knows_of_it_is_told(moderator, journal, kept):
    await kept(state=State.PARKED)
    parked = await journal.get(Place("k"))
    await journal.keep(parked.with_state(State.REVIEW))
    (told,) = await moderator.purge(older_than=timedelta(0))
    assert (told.erased, told.at_vendor) == (True, "nothing")
    assert told.says == "whether 1 of its tasks exist at the vendor, nobody knows"


def test_the_same_without_an_event_loop(config, registry, vendor):
    with Moderator(config, registry=registry, journal=MemoryJournal()) as moderator:
        moderator.submit(ModerationJob(media="https://h/a", key="k", detect=["sexual.explicit.pornography"]))
        (told,) = moderator.purge(key="k")
        assert (told.erased, told.at_vendor) == (True, "cannot")
        moderator.submit(ModerationJob(media="https://h/a", key="k", detect=["sexual.explicit.pornography"]))
    assert len(vendor.creates) == 2  # the key was free again
