"""The life of a job at either API: submit, wait, cancel, find, sweep, delete, callback."""

from __future__ import annotations

import copy
from datetime import UTC, datetime

import pytest

from reelvet.plugins import TimeWindow
from reelvet.schema.errors import (
    AuthenticationFailed,
    CancelUnsupported,
    DeleteUnsupported,
    LookupUnsupported,
    SubmitOutcomeUnknown,
    TaskNotFound,
    WaitTimeout,
)
from reelvet.schema.task import TaskRef
from reelvet.schema.ticket import Ticket

PROJECT = "0bcc05efb100f2a92f53c011f262dfa0"
JOBS = f"/v3/{PROJECT}/moderation/video/jobs"
TASKS = f"/v2/{PROJECT}/services/video-moderation/tasks"
TASK = "f18320e61e4c4dc685aa2dfc22a28dc5"
WINDOW = TimeWindow(datetime(2018, 1, 1, tzinfo=UTC))
GONE = (
    404,
    {"error_code": "IVA.0005", "error_msg": f"The requested resource is NOT found. The taskId {TASK} is not found."},
)


# --- v3 ---


async def test_a_job_of_v3_goes_the_whole_road(fake, make, job, sample):
    hits = sample("v3_query_succeeded_hits")
    fake.on("POST", JOBS, (200, sample("v3_create_response")))
    job_id = sample("v3_create_response")["job_id"]
    fake.on(
        "GET",
        f"{JOBS}/{job_id}",
        (200, {**sample("SYNTHETIC_v3_query_running"), "job_id": job_id}),
        (200, {**hits, "job_id": job_id}),
    )
    async with make() as moderator:
        ticket = await moderator.submit(job(channels=["visual"]))
        assert (ticket.api, ticket.region, ticket.tasks[0].ref.id) == ("v3", "cn-north-4", job_id)
        result = await moderator.wait(Ticket.load(ticket.dump_json()))
    assert (result.status, result.verdict, result.sandbox) == ("succeeded", "block", True)
    assert result.tasks[0].raw["result"] == hits["result"]
    assert fake.of("POST")[0].json == {
        "data": {"url": "https://h.example/a.mp4"},
        "event_type": "default",
        "image_categories": ["porn"],
    }
    assert not fake.faults


async def test_v3_has_neither_cancel_nor_delete_nor_list(fake, make, provider, job):
    opened = await provider()
    ref = TaskRef(id="j")
    with pytest.raises(CancelUnsupported):
        await opened.cancel(ref)
    with pytest.raises(DeleteUnsupported):
        await opened.delete(ref)
    with pytest.raises(LookupUnsupported, match="no list of jobs") as caught:
        await opened.find("key-1", WINDOW)
    assert "{key}" in str(caught.value)
    with pytest.raises(LookupUnsupported):
        opened.sweep(WINDOW)
    assert not fake.received


async def test_credentials_that_cannot_be_had_stop_a_job_before_anything_is_sent(
    fake, make, job, monkeypatch, tmp_path
):
    monkeypatch.setenv("HUAWEICLOUD_SDK_CREDENTIALS_FILE", str(tmp_path / "none"))
    async with make(credentials="profile", ak=None, sk=None) as moderator:
        with pytest.raises(AuthenticationFailed, match="no credentials could be had"):
            await moderator.submit(job())
    assert not fake.received


async def test_a_submit_of_unknown_outcome_stays_so_on_v3(fake, make, job):
    fake.on("POST", JOBS, lambda got: None)
    async with make() as moderator:
        asked = job(callback={"url": "https://me.example/cb?key={key}"})
        with pytest.raises(SubmitOutcomeUnknown) as caught:
            await moderator.submit(asked)
        with pytest.raises(LookupUnsupported):
            await moderator.find("key-1")
    assert caught.value.ticket.tasks[0].state == "unknown"
    assert len(fake.of("POST")) == 1


async def test_an_adopted_job_of_audio_is_read_where_it_is(fake, make, sample):
    reply = sample("v3_audio_query_succeeded") | {"job_id": "a-1"}
    fake.on("GET", f"/v3/{PROJECT}/moderation/audio/jobs/a-1", (200, reply))
    async with make() as moderator:
        result = await moderator.wait(Ticket.adopt("huawei", "a-1", category="audio"))
    assert [f.label for f in result.findings] == ["politics", "politics"]


async def test_seeds_are_sent_and_shown_nowhere(fake, make, job, sample):
    fake.on("POST", JOBS, (200, sample("v3_create_response")))
    async with make(seed="own_seed_1", seeds={"theirs": "their_seed_2"}) as moderator:
        for key, secret, sent in (("k-1", None, "own_seed_1"), ("k-2", "theirs", "their_seed_2")):
            ticket = await moderator.submit(
                job(key=key, callback={"url": "https://me.example/{key}", "secret": secret})
            )
            assert fake.of("POST")[-1].json["seed"] == sent
            assert fake.of("POST")[-1].json["callback"] == f"https://me.example/{key}"
            assert sent not in ticket.dump_json()


async def test_an_unknown_job_is_not_found_though_it_comes_as_400(fake, provider, sample):
    fake.on("GET", f"{JOBS}/j", (400, sample("v3_error_400_AIS0030")))
    with pytest.raises(TaskNotFound) as caught:
        await (await provider()).fetch(TaskRef(id="j"))
    assert caught.value.code == "AIS.0030"


@pytest.mark.parametrize(
    ("api", "path", "name"), [("v3", JOBS, "v3_error_400_AIS0030"), ("v2", TASKS, "v2_error_IVA0005_task")]
)
async def test_the_free_check_asks_for_a_task_that_does_not_exist(fake, make, sample, api, path, name):
    fake.on("GET", f"{path}/{'0' * 32}", (400, sample(name)))
    async with make(api=api) as moderator:
        health = await moderator.check()
    assert (health.ok, "cn-north-4" in health.says) == (True, True)
    assert [got.method for got in fake.received] == ["GET"]


@pytest.mark.parametrize(
    ("reply", "says"),
    [((403, {"error_code": "IVA.0007", "error_msg": "No permission to access service. Please subscribe first."}), "subscribe first"),
     ((404, b"<html>"), "does not refuse"), ((200, {}), "does not refuse"), ((400, {"error_code": "ModelArts.4204", "error_msg": "Api not subscribed"}), "not subscribed")],
)  # fmt: skip
async def test_a_check_that_fails_says_why(fake, make, reply, says):
    fake.on("GET", f"{JOBS}/{'0' * 32}", reply)
    async with make() as moderator:
        health = await moderator.check()
    assert (health.ok, says in health.says, bool(health.way_out)) == (False, True, True)


async def test_a_service_that_is_not_found_is_no_healthy_one(fake, make, sample):
    fake.on("GET", f"{TASKS}/{'0' * 32}", (404, sample("v2_error_IVA0005_service")))
    async with make(api="v2") as moderator:
        health = await moderator.check()
    assert (health.ok, "Service" in health.says, bool(health.way_out)) == (False, True, True)


async def test_a_wrong_secret_key_is_told_by_the_check(fake, make):
    async with make(sk="another secret") as moderator:
        health = await moderator.check()
    assert not health.ok
    assert "it is the key pair" in health.way_out


# --- v2 ---


@pytest.fixture
def task(sample):
    """The published task, as it is in one of its states."""

    def made(state="SUCCEEDED", **changes):
        payload = copy.deepcopy(sample("v2_query_succeeded_hits")) | {"state": state, "name": "key-1"} | changes
        return {name: value for name, value in payload.items() if value is not None}

    return made


@pytest.mark.parametrize(
    "reply", [(201, [{"id": TASK}]), (200, [{"id": TASK}]), (200, {"id": TASK}), (201, {"id": TASK})]
)
async def test_a_task_of_v2_goes_the_whole_road(fake, make, job, task, reply):
    fake.on("POST", TASKS, reply)
    running = task("RUNNING", hosting_result=None)
    not_yet = task(hosting_result={"status": "NOT_GENERATED"}, output={"hosting": {}})
    fake.on("GET", f"{TASKS}/{TASK}", (200, running), (200, not_yet), (200, task()))
    async with make(api="v2") as moderator:
        result = await moderator.moderate(
            job(media="obs://obs-iva/input/demo.mp4", detect=["spam.advertising"], language="zh")
        )
    assert (result.status, [f.label for f in result.findings]) == ("succeeded", ["spam.advertising"] * 2)
    assert fake.of("POST")[0].json["name"] == "key-1"
    assert len(fake.of("GET")) == 3
    assert not fake.faults


@pytest.mark.parametrize("reply", [(201, []), (200, {}), (200, [{}]), (200, [None]), (200, [{"id": ""}])])
async def test_an_answer_that_names_no_task_is_of_unknown_outcome(fake, make, job, reply):
    fake.on("POST", TASKS, reply)
    fake.on("GET", TASKS, (200, {"count": 0, "tasks": []}))
    async with make(api="v2") as moderator:
        with pytest.raises(SubmitOutcomeUnknown, match="names no task"):
            await moderator.submit(job())
    assert len(fake.of("POST")) == 1
    assert len(fake.of("GET", TASKS)) > 1  # looked up again and again over the window


@pytest.mark.parametrize("key", ["key-1", "a key that does not fit", "密"])
async def test_a_task_of_unknown_fate_is_found_by_its_exact_name_and_taken_over(fake, make, job, task, key):
    names = []
    fake.on("POST", TASKS, lambda got: names.append(got.json["name"]))

    def listed(got):
        made = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        items = [
            task("PENDING", id=f"{n:032x}", name=name, created_at=made)
            for n, name in enumerate([names[0] + "x", f"x{names[0]}", names[0].swapcase(), names[0]])
        ]
        return 200, {"count": len(items), "tasks": items}

    fake.on("GET", TASKS, (200, {"count": 0, "tasks": []}), listed)
    async with make(api="v2") as moderator:
        ticket = await moderator.submit(job(key=key))
        assert ticket.key == key
        assert ticket.tasks[0].ref.id == f"{3:032x}"
        assert ticket.tasks[0].ref.name == "video"
        assert [t.tasks[0].ref.id for t in await moderator.find(key)] == [f"{3:032x}"]
    assert len(fake.of("POST")) == 1


async def test_the_list_is_paged_narrowed_and_compared_exactly(fake, provider, task):
    opened = await provider(api="v2", page_size=2)
    items = [task("RUNNING", id=f"{n:032x}", name=name) for n, name in enumerate(["k", "k2", "k", "other", "k"])]

    def page(got):
        query = dict(pair.split("=") for pair in got.query.split("&"))
        start, size = int(query["offset"]), int(query["limit"])
        return 200, {"count": len(items), "tasks": items[start : start + size]}

    fake.on("GET", TASKS, page)
    found = await opened.find("k", WINDOW)
    assert [raw.ref.id for raw in found] == [f"{n:032x}" for n in (0, 2, 4)]
    assert len(fake.received) == 3
    assert "name_like=k&created_since=1514764800000&order=created_at%3ADESC&offset=0&limit=2" in fake.received[0].query
    assert {raw.status for raw in found} == {"running"}
    swept = [raw.ref.id async for raw in opened.sweep(WINDOW)]
    assert swept == [f"{n:032x}" for n in range(5)]
    assert "name_like" not in fake.received[-1].query


async def test_a_list_that_heeds_no_paging_ends(fake, provider, task):
    opened = await provider(api="v2", page_size=2)
    items = [task("RUNNING", id=f"{n:032x}", name="k") for n in range(2)]
    fake.on("GET", TASKS, (200, {"count": 9, "tasks": items}))
    assert len(await opened.find("k", WINDOW)) == 2
    assert len(fake.received) == 2


async def test_what_is_outside_the_window_is_not_told(fake, provider, task):
    opened = await provider(api="v2")
    items = [
        task("RUNNING", id=f"{n:032x}", name="k", created_at=at)
        for n, at in enumerate(["2019-01-01T00:00:00Z", "2020-06-01T00:00:00Z", None])
    ]
    fake.on("GET", TASKS, (200, {"tasks": items}))
    window = TimeWindow(datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC))
    assert [raw.ref.id async for raw in opened.sweep(window)] == [f"{1:032x}", f"{2:032x}"]


async def test_the_published_list_is_read(fake, provider, sample):
    fake.on("GET", TASKS, (200, sample("v2_list_running")))
    (raw,) = [raw async for raw in (await provider(api="v2")).sweep(WINDOW)]
    assert (raw.vendor_key, raw.status, raw.created_at.year) == ("moderation-task", "running", 2018)


@pytest.mark.parametrize("status", [200, 202])
async def test_a_task_that_runs_is_cancelled_by_deleting_it(fake, make, job, task, status):
    fake.on("POST", TASKS, (201, [{"id": TASK}]))
    fake.on("GET", f"{TASKS}/{TASK}", (200, task("RUNNING", hosting_result=None)))
    fake.on("DELETE", f"{TASKS}/{TASK}", (status, b""))
    async with make(api="v2") as moderator:
        result = await moderator.cancel(await moderator.submit(job()))
    assert (result.status, result.verdict) == ("canceled", "error")
    assert result.tasks[0].raw["state"] == "RUNNING"
    assert [got.method for got in fake.received] == ["POST", "GET", "DELETE"]


@pytest.mark.parametrize("state", ["SUCCEEDED", "FAILED", "STOPPED", "ABNORMAL"])
async def test_a_task_that_has_ended_is_not_deleted_by_a_cancel(fake, provider, task, state):
    opened = await provider(api="v2")
    fake.on("GET", f"{TASKS}/{TASK}", (200, task(state)))
    raw = await opened.cancel(TaskRef(id=TASK))
    assert raw.status.final
    assert not fake.of("DELETE")


async def test_nor_is_one_whose_result_is_just_being_written(fake, provider, task):
    opened = await provider(api="v2")
    fake.on("GET", f"{TASKS}/{TASK}", (200, task(hosting_result={"status": "NOT_GENERATED"})))
    assert not (await opened.cancel(TaskRef(id=TASK))).status.final
    assert not fake.of("DELETE")


async def test_a_delete_on_purpose_deletes_whatever_state_it_is_in(fake, provider):
    opened = await provider(api="v2")
    fake.on("DELETE", f"{TASKS}/{TASK}", (202, b""))
    await opened.delete(TaskRef(id=TASK))
    assert [got.method for got in fake.received] == ["DELETE"]
    fake.on("DELETE", f"{TASKS}/{TASK}", GONE)
    with pytest.raises(TaskNotFound):
        await opened.delete(TaskRef(id=TASK))


async def test_a_deadline_cancels_what_runs(fake, make, job, task):
    fake.on("POST", TASKS, (201, [{"id": TASK}]))
    fake.on("GET", f"{TASKS}/{TASK}", (200, task("RUNNING", hosting_result=None)))
    fake.on("DELETE", f"{TASKS}/{TASK}", (202, b""))
    async with make(api="v2") as moderator:
        result = await moderator.moderate(job(deadline=0.5))
    assert (result.status, "deadline_passed" in {note.code for note in result.warnings}) == ("canceled", True)


async def test_a_result_that_is_never_generated_is_waited_for_no_longer_than_said(fake, make, task):
    fake.on("GET", f"{TASKS}/{TASK}", (200, task(output={"hosting": {}}, hosting_result={"status": "NOT_GENERATED"})))
    async with make(api="v2") as moderator:
        with pytest.raises(WaitTimeout):
            await moderator.wait(Ticket.adopt("huawei", TASK), timeout=0.2)


def test_what_a_ticket_of_one_api_names_is_not_asked_of_the_other(make):
    from reelvet.schema.errors import InvalidTicket

    ticket = Ticket.adopt("huawei", TASK, api="v2")
    with pytest.raises(InvalidTicket, match="api 'v2'"):
        make()._owner(ticket)
