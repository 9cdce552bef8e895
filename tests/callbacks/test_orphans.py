"""Whose a task is that calls back and that no submission knows: by the vendor's word, and never by a guess."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from reelvet.journal import News, Place, PlannedTask, Record, State
from reelvet.schema.errors import TaskNotFound
from reelvet.schema.task import RawTask, Status, TaskRef
from reelvet.schema.ticket import TaskState, Ticket, TicketTask

NOW = datetime.now(UTC)
OLD = NOW - timedelta(hours=1)


@pytest.fixture
async def moderator(configured):
    async with configured("tencent") as made:
        yield made


@pytest.fixture
def begun(moderator):
    """A submission of which nobody knows what it created."""

    async def begin(
        key="k", attempt=1, tasks=("porn", "gore"), state=State.PARKED, owner=None, lease=60.0, vendor_key=None
    ):
        ticket = Ticket(
            key=key, attempt=attempt, provider="tencent", instance="tencent",
            tasks=tuple(TicketTask(ref=TaskRef(id="", name=name, category=name), state=TaskState.UNKNOWN) for name in tasks),
        )  # fmt: skip
        plan = tuple(PlannedTask(name, name, vendor_key or key) for name in tasks)
        record = Record(
            key, attempt, "f", "tencent", "tencent", State.INTENT, ticket.model_dump_json().encode(), plan, time.time(), owner=owner or "gone"
        )  # fmt: skip
        await moderator.journal.begin(record, lease)
        if state is State.PARKED:
            await moderator.journal.keep(record.with_state(state))
        return record

    return begin


@pytest.fixture
def vendor(moderator, monkeypatch):
    """What the vendor says of every task; an error is raised."""
    said = {"vendor_key": "k", "created_at": NOW}

    async def fetch(self, ref):
        if "error" in said:
            raise said["error"]
        return RawTask(ref=ref, status=Status.SUCCEEDED, **said)

    monkeypatch.setattr(type(moderator.instance_of("tencent").provider), "fetch", fetch)
    return said


@pytest.fixture
def place(moderator):
    def call(task="t1", category="porn", key="k", **fields):
        return moderator.orphans.place(News(f"e-{task}", "tencent", task, category, key, **fields))

    return call


async def state(moderator, key="k", attempt=1):
    record = await moderator.journal.get(Place(key, attempt))
    return record.state, {task.ref.name: task.ref.id for task in record.load_ticket().tasks if task.ref.id}


async def test_each_of_a_jobs_tasks_finds_its_place_and_the_last_one_settles_it(moderator, begun, vendor, place):
    await begun()
    assert await place("t2", "gore") == "adopted"
    assert await state(moderator) == (State.PARKED, {"gore": "t2"})
    assert await place("t2", "gore") == "known"
    assert await place("t3", "gore") == "nobody's"
    assert (
        await place("t1", None) == "adopted"
    )  # the callback does not tell its category, and one task alone is missing
    assert await state(moderator) == (State.SUBMITTED, {"porn": "t1", "gore": "t2"})
    assert await place("t4", "porn") == "nobody's"


@pytest.mark.parametrize(
    "said",
    [
        {"vendor_key": "another"},
        {"vendor_key": "k", "created_at": OLD},
        {"vendor_key": None, "created_at": None},
        {"vendor_key": None, "created_at": OLD},
        {"vendor_key": None, "created_at": NOW + timedelta(hours=1)},
        {"error": TaskNotFound("not there")},
    ],
)
async def test_what_the_vendor_does_not_confirm_is_not_adopted(moderator, begun, vendor, place, said):
    await begun()
    vendor.update(said)
    assert await place() == "nobody's"
    assert await state(moderator) == (State.PARKED, {})


@pytest.mark.parametrize("said", [{"vendor_key": "k", "created_at": None}, {"vendor_key": None, "created_at": NOW}])
async def test_a_key_or_the_time_of_its_creation_confirms_it(moderator, begun, vendor, place, said):
    await begun(tasks=["porn"])
    vendor.update(said)
    assert await place() == "adopted"


async def test_a_whole_callback_that_can_be_trusted_needs_no_question(begun, vendor, place):
    await begun(tasks=["porn"])
    vendor["error"] = TaskNotFound("not asked")
    raw = RawTask(ref=TaskRef(id="t1"), status=Status.FAILED, vendor_key="k", created_at=NOW)
    assert await place(raw=raw.model_dump_json().encode(), complete=True) == "adopted"


async def test_of_two_attempts_the_one_whose_key_it_carries_or_none(moderator, begun, vendor, place):
    await begun(tasks=["porn"])
    await begun(attempt=2, tasks=["porn"], vendor_key="digest")
    vendor["vendor_key"] = None
    assert await place() == "nobody's"
    vendor["vendor_key"] = "digest"
    assert await place(key="digest") == "adopted"
    assert await state(moderator, attempt=2) == (State.SUBMITTED, {"porn": "t1"})
    assert (await state(moderator))[0] is State.PARKED


async def test_an_intent_is_its_owners_while_that_one_lives(moderator, begun, vendor, place):
    await begun("k1", tasks=["porn"], state=State.INTENT)
    vendor["vendor_key"] = "k1"
    assert await place(key="k1") == "under way"
    record = await begun("k2", tasks=["porn"], state=State.INTENT, owner=moderator.orphans._lease.owner)
    vendor["vendor_key"] = "k2"
    with moderator.orphans._lease.held(record.place, time.monotonic(), ()):
        assert await place(key="k2") == "under way"
    assert await place(key="k2") == "adopted"  # its own, and no longer at work on it
    await begun("k3", tasks=["porn"], state=State.INTENT, lease=0.0)
    vendor["vendor_key"] = "k3"
    assert await place("t3", key="k3") == "adopted"
