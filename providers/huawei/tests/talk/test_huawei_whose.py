"""Whose reply it is, what may be deleted on its word, what a create made, and where a list ends."""

from __future__ import annotations

import copy
from datetime import UTC, datetime

import pytest

from reelvet.plugins import Created, TimeWindow, Unknown
from reelvet.schema.errors import FeatureDisabled, TaskNotFound, UnexpectedReply
from reelvet.schema.task import TaskRef

PROJECT = "0bcc05efb100f2a92f53c011f262dfa0"
JOBS = f"/v3/{PROJECT}/moderation/video/jobs"
TASKS = f"/v2/{PROJECT}/services/video-moderation/tasks"
TASK, OTHER = "f18320e61e4c4dc685aa2dfc22a28dc5", "0" * 32
WINDOW = TimeWindow(datetime(2018, 1, 1, tzinfo=UTC))


@pytest.fixture
def task(sample):
    """The published task, with changes; `None` takes a field away."""

    def made(**changes):
        payload = copy.deepcopy(sample("v2_query_succeeded_hits")) | {"name": "k"} | changes
        return {name: value for name, value in payload.items() if value is not None}

    return made


# --- another task's reply ---


@pytest.mark.parametrize("told", ["j-2", "", "J-1", 7, ["j-1"], {}])
async def test_a_reply_about_another_job_of_v3_is_nobodys_verdict(fake, provider, sample, told):
    opened = await provider()
    fake.on("GET", f"{JOBS}/j-1", (200, sample("SYNTHETIC_v3_query_succeeded_clean") | {"job_id": told}))
    with pytest.raises(UnexpectedReply, match="about another") as caught:
        await opened.fetch(TaskRef(id="j-1"))
    assert caught.value.retryable


async def test_a_reply_about_another_task_of_v2_is_nobodys_verdict(fake, provider, sample, task):
    opened = await provider(api="v2")
    for reply in (task(id=OTHER), sample("SYNTHETIC_v3_query_succeeded_clean")):
        fake.on("GET", f"{TASKS}/{TASK}", (200, reply))
        with pytest.raises(UnexpectedReply, match="about another") as caught:
            await opened.fetch(TaskRef(id=TASK))
        assert caught.value.retryable
        with pytest.raises(UnexpectedReply):
            await opened.cancel(TaskRef(id=TASK))
    assert not fake.of("DELETE")


@pytest.mark.parametrize("told", [None, TASK])
async def test_a_reply_that_names_no_task_may_be_its(fake, provider, task, told):
    fake.on("GET", f"{TASKS}/{TASK}", (200, task(id=told)))
    assert (await (await provider(api="v2")).fetch(TaskRef(id=TASK))).status == "succeeded"


# --- what may be deleted ---

AVAILABLE = {"status": "AVAILABLE", "data": '{"result": {"frames": [], "suggestion": "pass"}}'}


@pytest.mark.parametrize(
    "changes",
    [{"state": "COMPLETED"}, {"state": None}, {"state": ""}, {"state": 7}, {"state": "SUCCEEDED"}, {"state": "RUNNING", "hosting_result": AVAILABLE},
     {"state": "RUNNING", "hosting_result": {"status": "AVAILABLE"}}, {"state": "RUNNING", "hosting_result": {"data": "{}"}},
     {"state": "RUNNING", "hosting_result": {"status": "SOMETHING"}}, {"state": "RUNNING", "hosting_result": {"status": "NOT_GENERATED", "data": "{}"}},
     {"state": "RUNNING", "hosting_result": "x"}, {"state": "RUNNING", "id": None}, {"state": "RUNNING", "result": {"suggestion": "pass"}},
     {"state": "PENDING", "hosting_result": [AVAILABLE]}],
    ids=str,
)  # fmt: skip
async def test_what_may_have_ended_is_not_deleted_by_a_cancel(fake, provider, task, changes):
    opened = await provider(api="v2")
    payload = task(**({"hosting_result": None} | changes))
    fake.on("GET", f"{TASKS}/{TASK}", (200, payload))
    fake.on("DELETE", f"{TASKS}/{TASK}", (202, b""))
    assert (await opened.cancel(TaskRef(id=TASK))).payload == payload
    assert not fake.of("DELETE")


@pytest.mark.parametrize("payload", [{}, [], None, {"result": {"frames": [], "suggestion": "pass"}}], ids=str)
async def test_nor_is_what_no_reply_is_about(fake, provider, payload):
    opened = await provider(api="v2")
    fake.on("GET", f"{TASKS}/{TASK}", (200, payload))
    fake.on("DELETE", f"{TASKS}/{TASK}", (202, b""))
    assert (await opened.cancel(TaskRef(id=TASK))).status != "canceled"
    assert not fake.of("DELETE")


@pytest.mark.parametrize("hosted", [None, {}, {"status": "NOT_GENERATED"}, {"status": "NOT_GENERATED", "data": ""}])
@pytest.mark.parametrize("state", ["RUNNING", "PENDING", "starting", "STOPPING", "DELETE_FAIL"])
async def test_what_certainly_goes_on_is(fake, provider, task, state, hosted):
    opened = await provider(api="v2")
    fake.on("GET", f"{TASKS}/{TASK}", (200, task(state=state, hosting_result=hosted)))
    fake.on("DELETE", f"{TASKS}/{TASK}", (202, b""))
    assert (await opened.cancel(TaskRef(id=TASK))).status == "canceled"
    assert len(fake.of("DELETE")) == 1


BUSY = (503, {"error_code": "IVA.0010", "error_msg": "busy"})


async def test_a_delete_whose_first_answer_was_lost_has_canceled(fake, provider, task, sample):
    opened = await provider(api="v2")
    fake.on("GET", f"{TASKS}/{TASK}", (200, task(state="RUNNING", hosting_result=None)))
    fake.on("DELETE", f"{TASKS}/{TASK}", BUSY, (404, sample("v2_error_IVA0005_delete")))
    assert (await opened.cancel(TaskRef(id=TASK))).status == "canceled"
    assert len(fake.of("DELETE")) == 2


async def test_a_delete_that_nobody_answers_as_the_service_does_has_not(fake, provider, task, sample):
    opened = await provider(api="v2")
    fake.on("GET", f"{TASKS}/{TASK}", (200, task(state="RUNNING", hosting_result=None)))
    fake.on("DELETE", f"{TASKS}/{TASK}", (404, b"<html>not here</html>"))
    with pytest.raises(TaskNotFound):
        await opened.cancel(TaskRef(id=TASK))
    fake.on("DELETE", f"{TASKS}/{TASK}", (404, sample("v2_error_IVA0005_service")))
    with pytest.raises(FeatureDisabled):
        await opened.cancel(TaskRef(id=TASK))


# --- what a create made ---


@pytest.mark.parametrize("told", ["a/b", "..", "a b", "a%2Fb", "ü", "?x"])
@pytest.mark.parametrize(("api", "path", "name"), [("v2", TASKS, "id"), ("v3", JOBS, "job_id")])
async def test_an_answer_that_names_no_id_of_the_vendors_is_of_unknown_outcome(
    fake, provider, job, api, path, name, told
):
    opened = await provider(api=api)
    (planned,) = opened.plan(job()).tasks
    fake.on("POST", path, (200, [{name: told}] if api == "v2" else {name: told}))
    (outcome,) = await opened.submit([planned])
    assert isinstance(outcome, Unknown)


async def test_a_second_task_for_one_create_is_told(fake, make, provider, job, task):
    opened = await provider(api="v2")
    (planned,) = opened.plan(job()).tasks
    fake.on("POST", TASKS, (201, [{"id": TASK}, {"id": TASK}, None, {"id": OTHER}]))
    fake.on("GET", f"{TASKS}/{TASK}", (200, task()))
    (outcome,) = await opened.submit([planned])
    assert isinstance(outcome, Created)
    assert outcome.ref.extra == {"also_created": [OTHER]}
    async with make(api="v2") as moderator:
        ticket = await moderator.submit(job())
        assert OTHER in ticket.dump_json()
        result = await moderator.wait(ticket)
    assert [OTHER in note.says for note in result.warnings if note.code == "also_created"] == [True]


# --- where a list ends ---


def paged(items, *, most=100, count=True):
    """A list whose pages hold so many at most, whatever was asked for."""

    def page(got):
        query = dict(pair.split("=") for pair in got.query.split("&"))
        start, size = int(query["offset"]), min(int(query["limit"]), most)
        return 200, ({"count": len(items)} if count else {}) | {"tasks": items[start : start + size]}

    return page


@pytest.mark.parametrize("count", [True, False])
async def test_a_page_may_hold_less_than_was_asked_for(fake, provider, task, count):
    items = [task(id=f"{n:032x}") for n in range(7)]
    fake.on("GET", TASKS, paged(items, most=3, count=count))
    opened = await provider(api="v2", page_size=5)
    assert [raw.ref.id async for raw in opened.sweep(WINDOW)] == [item["id"] for item in items]
    assert len(fake.received) == (3 if count else 4)


@pytest.mark.parametrize("odd", [None, {}, {"id": None}, "x", {"id": ""}])
@pytest.mark.parametrize("count", [True, False])
async def test_an_item_that_is_no_task_ends_no_list(fake, provider, task, odd, count):
    items = [task(id=f"{n:032x}") for n in range(5)]
    fake.on("GET", TASKS, paged([items[0], odd, *items[1:]], count=count))
    opened = await provider(api="v2", page_size=2)
    assert len([raw async for raw in opened.sweep(WINDOW)]) == 5


@pytest.mark.parametrize("items", [[{}], [None], [{"name": "k"}, {"id": None}]])
async def test_items_without_an_id_are_no_endless_list(fake, provider, items):
    fake.on("GET", TASKS, (200, {"tasks": items}))
    assert await (await provider(api="v2", page_size=len(items))).find("k", WINDOW) == []
    assert len(fake.received) == 1


async def test_a_task_is_told_once(fake, provider, task):
    items = [task(id=TASK), task(id=TASK), task(id=OTHER)]
    fake.on("GET", TASKS, (200, {"count": 3, "tasks": items}))
    assert [raw.ref.id for raw in await (await provider(api="v2")).find("k", WINDOW)] == [TASK, OTHER]


@pytest.mark.parametrize(
    "page", [{}, [], None, {"count": 5}, {"tasks": None}, {"tasks": {}}, {"tasks": "x"}, {"content": 1}]
)
async def test_what_is_no_list_says_not_that_there_is_nothing(fake, provider, page):
    fake.on("GET", TASKS, (200, page))
    with pytest.raises(UnexpectedReply, match="lists no tasks") as caught:
        await (await provider(api="v2")).find("k", WINDOW)
    assert caught.value.retryable


@pytest.mark.parametrize(
    "page", [{"count": 0, "tasks": []}, {"tasks": []}, {"count": 0}, {"content": 0, "tasks": None}]
)
async def test_an_empty_list_does(fake, provider, page):
    fake.on("GET", TASKS, (200, page))
    assert await (await provider(api="v2")).find("k", WINDOW) == []


async def test_a_task_of_unknown_fate_is_looked_for_again_where_the_list_was_none(fake, make, job, task):
    made = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    fake.on("POST", TASKS, lambda got: None)
    fake.on("GET", TASKS, (200, {}), (200, {"count": 1, "tasks": [task(name="key-1", created_at=made)]}))
    async with make(api="v2") as moderator:
        ticket = await moderator.submit(job())
    assert ticket.tasks[0].ref.id == TASK
