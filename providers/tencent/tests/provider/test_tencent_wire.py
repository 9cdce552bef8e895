"""The operations, against a vendor on loopback that checks signatures and misbehaves when told to."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from reelvet import ModerationJob, Status, Ticket, Verdict
from reelvet.plugins import TimeWindow
from reelvet.schema.errors import (
    AuthenticationFailed,
    ConnectFailed,
    InvalidRequest,
    RateLimited,
    SubmitOutcomeUnknown,
    TaskNotFound,
    UnexpectedReply,
    VendorUnavailable,
)
from reelvet.schema.ticket import TaskState

CREATE, DETAIL, LIST, CANCEL = "CreateVideoModerationTask", "DescribeTaskDetail", "DescribeTasks", "CancelTask"
LIVE = {"url": "rtmp://live.example.com/app/stream", "kind": "live"}
WINDOW = TimeWindow(datetime(2026, 1, 1, tzinfo=UTC))


def job(key="key-1", **fields):
    media = f"https://cdn.example.com/{key}.mp4" if "media" not in fields else fields.pop("media")
    return ModerationJob(media=media, key=key, **{"detect": ["sexual.explicit"], "channels": ["visual"], **fields})


async def test_a_job_becomes_a_verdict(connect, vendor, sample):
    vendor.states = ["PENDING", "RUNNING", "FINISH"]
    async with connect() as moderator:
        result = await moderator.moderate(job())
        assert (result.status, result.verdict) == (Status.SUCCEEDED, Verdict.PASS)
        assert {row.state for row in result.coverage if row.label == "sexual.explicit.pornography"} == {"clean"}
        found = sample("composed_callback_finish")
        vendor.detail = {name: found[name] for name in ("Suggestion", "Label", "Labels", "ImageSegments")}
        result = await moderator.moderate(job("key-2"))
        assert result.verdict is Verdict.BLOCK
    assert result.sandbox
    assert result.tasks[0].request_ids[0].startswith("r-")
    assert "canary" not in result.dump_json()
    headers = vendor.headers[0]
    assert headers["x-tc-version"] == "2021-09-22"
    assert headers["x-tc-region"] == "ap-guangzhou"


async def test_the_token_of_temporary_keys_is_sent(connect, vendor):
    async with connect(token="canary-token") as moderator:
        await moderator.submit(job())
    assert vendor.headers[0]["x-tc-token"] == "canary-token"


async def test_wrong_keys_are_told(connect):
    async with connect(secret_key="another") as moderator:
        with pytest.raises(AuthenticationFailed, match="secret_key"):
            await moderator.submit(job())
        health = await moderator.check()
    assert not health.ok
    assert "another" not in f"{health}"


async def test_the_check_is_one_task_of_the_list(connect, vendor):
    async with connect() as moderator:
        health = await moderator.check()
    assert health.ok
    assert vendor.calls == [(LIST, {"Limit": 1})]


async def test_a_check_that_reaches_nobody_says_so(connect):
    async with connect(base_url="http://127.0.0.1:9") as moderator:
        assert not (await moderator.check()).ok


# --- many at a time ---


async def test_jobs_submitted_together_share_calls_and_are_told_apart_by_key(connect, vendor):
    async with connect() as moderator:
        tickets = await asyncio.gather(*(moderator.submit(job(f"key-{n}")) for n in range(23)))
        assert sorted(len(body["Tasks"]) for body in vendor.bodies(CREATE)) == [3, 10, 10]
        for number, ticket in enumerate(tickets):
            assert vendor.tasks[ticket.tasks[0].ref.id]["DataId"] == f"key-{number}"
        assert {result.status for result in await asyncio.gather(*map(moderator.wait, tickets))} == {Status.SUCCEEDED}


async def test_different_calls_are_not_mixed(connect, vendor):
    hook = {"url": "https://me.example.com/hook", "secret": "mine"}
    async with connect(seeds={"mine": "canary-seed"}) as moderator:
        await asyncio.gather(
            moderator.submit(job("a")), moderator.submit(job("b")), moderator.submit(job("c", callback=hook)),
            moderator.submit(job("d", user="u")), moderator.submit(job("e", media=LIVE)), moderator.submit(job("f", options={"tencent": {"priority": 2}})),
        )  # fmt: skip
    keys = sorted([[task["DataId"] for task in body["Tasks"]] for body in vendor.bodies(CREATE)])
    assert keys == [["a", "b"], ["c"], ["d"], ["e"], ["f"]]
    signed = next(body for body in vendor.bodies(CREATE) if "Seed" in body)
    assert (signed["Seed"], signed["CallbackUrl"]) == ("canary-seed", "https://me.example.com/hook")


async def test_partial_failure_is_data_of_the_one_it_is_about(connect, vendor):
    vendor.refuses = {"b": "InvalidParameterValue", "c": "InternalError", "d": "RequestLimitExceeded"}
    async with connect() as moderator:
        found = await asyncio.gather(*(moderator.submit(job(key)) for key in "abcd"), return_exceptions=True)
    assert len(vendor.bodies(CREATE)) == 1
    assert found[0].tasks[0].state is TaskState.CREATED
    assert [type(one) for one in found[1:]] == [InvalidRequest, SubmitOutcomeUnknown, RateLimited]
    assert found[1].code == "InvalidParameterValue"
    assert found[2].code == "InternalError"


async def test_a_call_refused_for_a_parameter_goes_one_by_one(connect, vendor):
    vendor.bad = frozenset("b")
    async with connect() as moderator:
        found = await asyncio.gather(*(moderator.submit(job(key)) for key in "abc"), return_exceptions=True)
    assert [len(body["Tasks"]) for body in vendor.bodies(CREATE)] == [3, 1, 1, 1]
    assert [found[0].tasks[0].state, found[2].tasks[0].state] == [TaskState.CREATED, TaskState.CREATED]
    assert isinstance(found[1], InvalidRequest)
    assert len(vendor.tasks) == 2


@pytest.mark.parametrize("code", ["InternalError", "FailedOperation", "ServiceUnavailable", "ANewCode"])
async def test_a_call_refused_otherwise_is_not_sent_again(connect, vendor, code):
    vendor.script = {CREATE: [code]}
    async with connect() as moderator:
        found = await asyncio.gather(*(moderator.submit(job(key)) for key in "ab"), return_exceptions=True)
    assert len(vendor.bodies(CREATE)) == 1
    assert [type(one) for one in found] == [SubmitOutcomeUnknown, SubmitOutcomeUnknown]


async def test_the_provider_itself_splits_what_may_not_share_a_call(connect, vendor):
    async with connect() as moderator:
        provider = await moderator._instance("tencent").open()
        plans = [moderator.plan(job(f"key-{n % 12}", options={"tencent": {"priority": n // 14}})) for n in range(15)]
        outcomes = await provider.submit([plan.tasks[0] for plan in plans])
    calls = sorted(len(body["Tasks"]) for body in vendor.bodies(CREATE))
    assert calls == [1, 4, 10]
    for body in vendor.bodies(CREATE):
        keys = [task["DataId"] for task in body["Tasks"]]
        assert len(set(keys)) == len(keys)
    assert [vendor.tasks[outcome.ref.id]["DataId"] for outcome in outcomes] == [f"key-{n % 12}" for n in range(15)]


# --- never twice ---


@pytest.mark.parametrize("what", ["drop", "cut", "html", "anonymous", "double"])
async def test_a_task_created_without_a_proper_answer_is_found_by_its_key_and_adopted(connect, vendor, what):
    vendor.script = {CREATE: [what]}
    async with connect() as moderator:
        tickets = await asyncio.gather(*(moderator.submit(job(key)) for key in ("a", "aa")))
    assert len(vendor.bodies(CREATE)) == 1
    assert [vendor.tasks[ticket.tasks[0].ref.id]["DataId"] for ticket in tickets] == ["a", "aa"]


async def test_what_is_not_found_stays_unknown_and_is_never_sent_again(connect, vendor):
    vendor.script = {CREATE: ["lose"]}
    async with connect() as moderator:
        for _ in range(2):
            with pytest.raises(SubmitOutcomeUnknown) as caught:
                await moderator.submit(job())
    assert len(vendor.bodies(CREATE)) == 1
    assert [task.state for task in caught.value.ticket.tasks] == [TaskState.UNKNOWN]


async def test_too_many_requests_are_tried_again_because_nothing_was_created(connect, vendor):
    vendor.script = {CREATE: ["RequestLimitExceeded", "RequestLimitExceeded.UinLimitExceeded"]}
    async with connect() as moderator:
        await moderator.submit(job())
    assert len(vendor.bodies(CREATE)) == 3
    assert len(vendor.tasks) == 1


async def test_nothing_is_sent_where_no_connection_can_be_made(connect):
    async with connect(base_url="http://127.0.0.1:9") as moderator:
        with pytest.raises(ConnectFailed):
            await moderator.submit(job())


async def test_a_key_that_the_vendor_cannot_hold_is_found_all_the_same(connect, vendor):
    vendor.script = {CREATE: ["drop"]}
    key = "post 7/ключ"
    async with connect() as moderator:
        ticket = await moderator.submit(job(key, media="https://cdn.example.com/a.mp4"))
        found = await moderator.find(key)
    assert [one.tasks[0].ref.id for one in found] == [ticket.tasks[0].ref.id]
    assert next(iter(vendor.tasks.values()))["DataId"] != key


# --- reading ---


@pytest.mark.parametrize("what", ["cut", "html"])
async def test_a_broken_reply_is_an_error_and_no_empty_result(connect, vendor, what):
    async with connect() as moderator:
        ticket = await moderator.submit(job())
        vendor.script = {DETAIL: [what]}
        with pytest.raises(UnexpectedReply):
            await moderator.status(ticket)


async def test_reads_are_repeated(connect, vendor):
    async with connect() as moderator:
        ticket = await moderator.submit(job())
        vendor.script = {DETAIL: ["InternalError", "drop"]}
        assert (await moderator.status(ticket)).status is Status.SUCCEEDED


async def test_a_task_that_the_vendor_does_not_know_is_told(connect):
    async with connect() as moderator:
        with pytest.raises(TaskNotFound):
            await moderator.status(Ticket.adopt("tencent", "w-video-none"))


async def test_all_segments_are_asked_for_where_they_are_wanted(connect, vendor):
    async with connect() as moderator:
        for fields in ({}, {"options": {"tencent": {"all_segments": True}}}, {"transcript": {}}):
            await moderator.status(await moderator.submit(job(f"key-{len(vendor.tasks)}", **fields)))
    assert [body.get("ShowAllSegments") for body in vendor.bodies(DETAIL)] == [None, True, True]
    async with connect(all_segments=True) as moderator:
        await moderator.status(Ticket.adopt("tencent", "w-video-1"))
    assert vendor.bodies(DETAIL)[-1]["ShowAllSegments"] is True


async def test_a_stream_shows_what_it_found_while_it_runs_and_is_stopped_by_cancel(connect, vendor, sample):
    vendor.states = ["RUNNING"]
    running = sample("composed_live_finish")["Response"]
    async with connect() as moderator:
        ticket = await moderator.submit(job(media=LIVE))
        vendor.script = {DETAIL: [{**running, "Status": "RUNNING", "TaskId": ticket.tasks[0].ref.id}]}
        so_far = await moderator.status(ticket)
        assert (so_far.status, so_far.verdict) == (Status.RUNNING, None)
        assert [finding.label for finding in so_far.findings] == ["sexual.explicit.nudity"]
        stopped = await moderator.cancel(ticket)
    assert stopped.status is Status.CANCELED
    assert vendor.bodies(CREATE)[0]["Type"] == "LIVE_VIDEO"
    assert vendor.bodies(CANCEL) == [{"TaskId": ticket.tasks[0].ref.id}]


async def test_cancelling_what_has_ended_tells_its_end(connect, vendor):
    async with connect() as moderator:
        ticket = await moderator.submit(job())
        assert (await moderator.cancel(ticket)).status is Status.SUCCEEDED
        vendor.states = ["RUNNING"]
        vendor.script = {CANCEL: ["FailedOperation"]}
        with pytest.raises(VendorUnavailable):
            await moderator.cancel(ticket)


# --- the list ---


async def test_find_and_sweep_read_every_page_of_the_window(connect, vendor):
    vendor.page = 4
    async with connect() as moderator:
        provider = await moderator._instance("tencent").open()
        await asyncio.gather(*(moderator.submit(job(f"key-{n}")) for n in range(10)))
        until = datetime.now(UTC) + timedelta(hours=1)
        swept = [raw async for raw in provider.sweep(TimeWindow(WINDOW.since, until))]
        assert [raw.ref.id for raw in swept] == [f"w-video-{n}" for n in range(1, 11)]
        assert {raw.status for raw in swept} == {Status.SUCCEEDED}
        assert {raw.ref.category for raw in swept} == {"VIDEO"}
        found = await provider.find("key-1", WINDOW)
        assert [raw.vendor_key for raw in found] == ["key-1"]
    first = vendor.bodies(LIST)[0]
    assert (first["Limit"], first["StartTime"]) == (100, "2026-01-01T00:00:00+00:00")
    assert datetime.fromisoformat(first["EndTime"]) >= until
    assert "PageToken" not in first


async def test_a_list_without_end_is_left(connect, vendor):
    data = [{"TaskId": "t-1", "DataId": "key-1", "Status": "FINISH", "Type": "VIDEO"}]
    async with connect() as moderator:
        provider = await moderator._instance("tencent").open()
        for page in (
            {"Data": data, "PageToken": "same"},
            {"Data": None, "PageToken": "x"},
            {"Data": data[0], "PageToken": ""},
            {},
        ):
            vendor.script = {LIST: [page] * 5}
            assert len([raw async for raw in provider.sweep(WINDOW)]) == (1 if page.get("Data") else 0)


async def test_a_page_that_is_refused_raises(connect, vendor):
    vendor.script = {LIST: ["InvalidParameter"]}
    async with connect() as moderator:
        with pytest.raises(InvalidRequest):
            await moderator.find("key-1")
