"""Whose task an answer is about: none is taken for another video's."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from reelvet import Config, ModerationJob
from reelvet.plugins import Created, TimeWindow, Unknown
from reelvet.schema import errors as e
from reelvet.schema.task import TaskRef
from reelvet.schema.ticket import TaskState
from reelvet_tencent.learn import propose

from .conftest import SETTINGS

CREATE, DETAIL, LIST = "CreateVideoModerationTask", "DescribeTaskDetail", "DescribeTasks"
WINDOW = TimeWindow(datetime(2026, 1, 1, tzinfo=UTC))


def job(key="key-1", **fields):
    return ModerationJob(
        media=f"https://cdn.example.com/{key}.mp4", key=key, detect=["sexual"], channels=["visual"], **fields
    )


def tasks(moderator, *keys):
    return [moderator.plan(job(key)).tasks[0] for key in keys]


def created(key, id_, code="OK"):
    return {"DataId": key, "TaskId": id_, "Code": code, "Message": ""}


# --- replies ---


@pytest.mark.parametrize(
    "more",
    [{"TaskId": "w-other", "DataId": "zzz"}, {"TaskId": "w-other"}, {"DataId": "zzz"}, {"DataId": "key-10"}, {"TaskId": "  "}, {"TaskId": ["w-other"]}],
    ids=str,
)  # fmt: skip
async def test_a_reply_about_another_task_is_nobodys_verdict(connect, vendor, more):
    async with connect() as moderator:
        ticket = await moderator.submit(job())
        vendor.detail = more
        with pytest.raises(e.UnexpectedReply, match="another") as caught:
            await moderator._instance("tencent").provider.fetch(ticket.tasks[0].ref)
        # Another task may be a slip of this reply; another key of this very task stays what it is.
        assert caught.value.retryable is ("TaskId" in more)
        vendor.detail = {"TaskId": None, "DataId": ""}  # a field may be missing
        raw = await moderator._instance("tencent").provider.fetch(ticket.tasks[0].ref)
    assert raw.ref.id == "w-video-1"


async def test_a_task_made_elsewhere_may_have_any_key(connect, vendor):
    async with connect() as moderator:
        await moderator.submit(job())
        provider = moderator._instance("tencent").provider
        assert (await provider.fetch(TaskRef(id="w-video-1"))).vendor_key == "key-1"
        with pytest.raises(e.UnexpectedReply):
            await provider.fetch(TaskRef(id="w-video-1", extra={"key": "ours"}))
        assert [raw.ref.extra for raw in await provider.find("key-1", WINDOW)] == [{"key": "key-1"}]


# --- creates ---


@pytest.mark.parametrize(
    "results",
    [
        [created("a", "w-1"), created("b", "w-1")],
        [created("a", "w-1"), created("b", " w-1")],
        [created("a", "w-1"), created("b", "w-1", "InternalError")],
        [created("a", "w-1"), created("b", "w-2"), created("c", "w-1"), created("d", "w-2")],
        [created("a", "  "), created("b", "\t")],
    ],
    ids=str,
)
async def test_a_task_that_is_named_for_two_is_that_of_neither(connect, vendor, results):
    vendor.script = {CREATE: [{"Results": results}]}
    async with connect() as moderator:
        provider = await moderator._instance("tencent").open()
        outcomes = await provider.submit(tasks(moderator, "a", "b"))
    assert [type(outcome) for outcome in outcomes] == [Unknown, Unknown]


async def test_a_task_that_two_calls_are_told_of_is_that_of_neither(connect, vendor):
    async with connect() as moderator:
        provider = await moderator._instance("tencent").open()
        asked = [
            task.model_copy(update={"share_key": task.name + task.vendor_key}) for task in tasks(moderator, "a", "b")
        ]
        vendor.script = {CREATE: [{"Results": [created(key, "w-1")]} for key in ("a", "b")]}
        outcomes = await provider.submit(asked)
        vendor.script = {CREATE: [{"Results": [created("a", "w-1")]}]}
        alone = await provider.submit(asked[:1])
    assert all(isinstance(outcome, Unknown) for outcome in outcomes)
    assert isinstance(alone[0], Created)
    assert alone[0].ref.extra["key"] == "a"


async def test_a_ticket_says_whose_key_its_task_has(connect, vendor):
    async with connect() as moderator:
        ticket = await moderator.submit(job())
    assert (ticket.tasks[0].state, ticket.tasks[0].ref.extra["key"]) == (TaskState.CREATED, "key-1")


# --- the list ---


def page(token, *ids):
    return {"Data": [{"TaskId": id_, "DataId": "key", "Status": "FINISH"} for id_ in ids], "PageToken": token}


@pytest.mark.parametrize(
    ("pages", "found", "asked"),
    [
        ([page("1", "a"), page("2", "a"), page("", "b")], ["a", "b"], 3),
        ([page("1", "a"), page("2"), page("", "b")], ["a", "b"], 3),
        ([page("1", "a"), page("2", "b"), page("1", "c"), page("", "d")], ["a", "b", "c"], 3),
        ([page("1", "a", " "), page("1", "b")], ["a", "b"], 2),
        ([page("1", "a"), *(page(str(n), "a") for n in range(2, 99))], ["a"], 6),
    ],
    ids=lambda value: None,
)
async def test_a_list_goes_on_while_its_tokens_are_new(connect, vendor, pages, found, asked):
    vendor.script = {LIST: list(pages)}
    async with connect() as moderator:
        provider = await moderator._instance("tencent").open()
        assert [raw.ref.id for raw in await provider.find("key", WINDOW)] == found
    assert len(vendor.bodies(LIST)) == asked


# --- what is given, and what is proposed ---


@pytest.mark.parametrize(
    "options",
    [{"text_content": "\ud800"}, {"title": "\ud800"}, {"image_urls": ["\ud800"]}, {"user": {"nickname": "\ud800"}}],
    ids=repr,
)
def test_options_that_cannot_be_sent_are_refused(make, options):
    with pytest.raises(e.InvalidOptions, match="UTF-8"):
        make(region="ap-guangzhou").plan(job(options={"tencent": options}))


@pytest.mark.parametrize("name", ["a b!", "ab", "x" * 33, "a-b-c", "abc\n"])
def test_what_is_proposed_can_be_configured(moderator, sample, name):
    payload, odd, notes = sample("composed_clean_all_segments"), sample("composed_clean_all_segments"), []
    odd["Response"]["BizType"] = name
    provider = moderator._instance("tencent").provider
    proposed = propose([payload, odd, odd], provider._labels, notes)
    assert [*proposed] == ["reels_1"]
    assert [(note.code, repr(name) in note.says) for note in notes] == [("biz_type_refused", True)]
    tables = {biz_type: policy.model_dump(mode="json") for biz_type, policy in proposed.items()}
    Config.parse({"use": "tencent", "providers": {"tencent": {**SETTINGS, "biz_types": tables}}})
    assert propose([odd], provider._labels) == {}
