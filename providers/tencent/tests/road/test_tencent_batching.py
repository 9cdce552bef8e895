"""Submitted together, sent together, as the vendor sees it; and no verdict on the wrong video, whatever it answers."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelvet import Verdict
from reelvet.http import Reply
from reelvet.plugins import Created, ProviderContext, Rejected, TimeWindow, Unknown
from reelvet.schema import errors as e
from reelvet.schema.plan import VendorTask
from reelvet_tencent.pairing import pair
from reelvet_tencent.provider import TencentProvider
from reelvet_tencent.settings import TencentSettings
from reelvet_tencent.wire import TaskResult

if TYPE_CHECKING:
    from collections.abc import Callable

PORN = "sexual.explicit.pornography"


def sizes(calls):
    return sorted(len(body["Tasks"]) for body in calls())


# --- on the wire ---


async def test_25_jobs_submitted_together_are_three_calls(account, configured, job, edition, calls):
    account(edition)
    async with configured() as moderator:
        tickets = await asyncio.gather(*(moderator.submit(job(key=f"key-{n}")) for n in range(25)))
    assert sizes(calls) == [5, 10, 10]
    assert len({ticket.tasks[0].ref.id for ticket in tickets}) == 25


async def test_each_of_many_has_its_own_verdict(account, configured, job, edition, calls):
    account(edition)
    scenarios = ["clean", "block-nudity", "review-nudity", "unreachable", "violence"]
    verdicts = {"clean": "pass", "block-nudity": "block", "review-nudity": "review", "unreachable": "error", "violence": "block"}  # fmt: skip
    jobs = [job(scenarios[n % 5], key=f"{scenarios[n % 5]}_{n}") for n in range(25)]
    async with configured() as moderator:
        results = await asyncio.gather(*map(moderator.moderate, jobs))
    assert [result.key for result in results] == [one.key for one in jobs]
    assert [result.verdict for result in results] == [verdicts[one.key.partition("_")[0]] for one in jobs]
    assert sizes(calls) == [5, 10, 10]


@pytest.mark.parametrize("kind", ["list", "generator", "async"])
async def test_many_jobs_share_calls_as_far_as_they_run_at_a_time(moderator, job, calls, kind):
    jobs = [job(key=f"key-{n}") for n in range(40)]

    async def one_by_one():
        for one in jobs:
            yield one

    source = {"list": jobs, "generator": iter(jobs), "async": one_by_one()}[kind]
    items = [item async for item in moderator.moderate_many(source, concurrency=40)]
    assert {item.result.verdict for item in items} == {Verdict.PASS}
    assert len(calls()) <= 6  # four at best; a machine that is busy may part some


async def test_a_lone_job_is_not_delayed_noticeably(moderator, job):
    async def once(key):
        begun = time.perf_counter()
        await moderator.submit(job(key=key))
        return time.perf_counter() - begun

    await once("warm")
    assert min([await once(f"key-{n}") for n in range(5)]) < 0.05


async def test_the_quota_is_used_and_kept(configured, job, calls, creates):
    """20 calls in any second, of ten tasks each: 200 jobs a second. The emulator refuses what is more."""
    jobs = [job(key=f"key-{n}") for n in range(400)]
    async with configured() as moderator:
        await asyncio.gather(*map(moderator.submit, jobs))
    assert sizes(calls) == [10] * 40  # each call full, and none was refused and sent again
    assert creates() == 400


@pytest.mark.parametrize(
    "different",
    [
        {"options": {"tencent": {"biz_type": "reels_2"}}}, {"media": {"url": "https://cdn.example.com/a.flv", "kind": "live"}},
        {"detect": ["synthetic.ai_generated"]}, {"options": {"tencent": {"priority": 1}}}, {"callback": {"url": "http://127.0.0.1:9/b"}},
        {"callback": {"url": "http://127.0.0.1:9/a", "secret": "other"}}, {"user": "v"}, {"options": {"tencent": {"user": {"age": 3}}}},
    ],
)  # fmt: skip
async def test_what_may_not_share_a_call_does_not(account, configured, job, calls, different):
    account(
        biz_types={name: {"covers": [{"labels": ["*"], "channels": ["visual"]}]} for name in ("reels_1", "reels_2")}
    )
    alike = {"callback": {"url": "http://127.0.0.1:9/a", "secret": None}, "user": "u", "media": "https://cdn.example.com/a.mp4"}  # fmt: skip
    async with configured(seed="one", seeds={"other": "two"}) as moderator:
        jobs = [job(**alike), job(**alike), job(**alike | different), job(**alike | different)]
        await asyncio.gather(*map(moderator.submit, jobs))
    assert sizes(calls) == [2, 2]
    for body in calls():
        assert len({task["DataId"] for task in body["Tasks"]}) == 2


async def test_two_accounts_and_two_regions_never_share_a_call(configured, job, calls):
    async with configured() as one, configured(region="ap-shanghai") as other:
        await asyncio.gather(one.submit(job()), one.submit(job()), other.submit(job()))
    assert sizes(calls) == [1, 2]


async def test_two_equal_keys_never_share_a_call(configured, job, calls, creates):
    async with configured() as one, configured() as other:  # two processes, as it were
        await asyncio.gather(one.submit(job(key="same")), other.submit(job(key="same")))
    async with configured() as moderator:
        provider = await moderator._instance("tencent").open()
        (task,) = moderator.plan(job(key="same")).tasks
        await provider.submit([task, task])
    assert sizes(calls) == [1, 1, 1, 1]


async def test_partial_failure_is_data_of_the_one_it_is_about(account, configured, job, edition, calls, creates):
    account(edition)
    async with configured(cos_region="Nowhere!") as moderator:
        jobs = [job(key="good-1"), job("cos://bucket-1/clip.mp4", key="bad"), job(key="good-2")]
        told = await asyncio.gather(*map(moderator.submit, jobs), return_exceptions=True)
    assert sizes(calls) == [3]
    assert [ticket.tasks[0].state for ticket in (told[0], told[2])] == ["created", "created"]
    assert isinstance(told[1], e.InvalidRequest)
    assert (told[1].created, told[1].code, creates()) == ("no", "InvalidParameterValue", 2)


async def test_a_call_refused_for_the_parameter_of_one_goes_one_by_one(configured, job, calls, creates):
    async with configured() as moderator:
        instance = moderator._instance("tencent")
        provider = await instance.open()
        tasks = [moderator.plan(job(key=f"key-{n}")).tasks[0] for n in range(4)]
        broken = {**tasks[2].payload, "Tasks": [{**tasks[2].payload["Tasks"][0], "DecodeParams": {"ImageFrequency": 99}}]}  # fmt: skip
        tasks[2] = tasks[2].model_copy(update={"payload": broken})
        outcomes = await provider.submit(tasks)
    assert [type(outcome) for outcome in outcomes] == [Created, Created, Rejected, Created]
    assert (sizes(calls), creates()) == ([1, 1, 1, 1, 4], 3)


@pytest.mark.parametrize("path", ["Response.Results.2.DataId", "Response.Results.2.TaskId", "Response.Results.2.Code"])
@pytest.mark.parametrize("kind", ["missing_field", "null_field"])
async def test_an_item_that_is_not_answered_for_is_looked_up_and_the_others_are_not_touched(
    moderator, job, reelvet_sandbox, creates, path, kind
):
    reelvet_sandbox.fault("tencent", kind, operation="create", path=path)
    jobs = [job("block-nudity" if n == 2 else "clean", key=f"key-{n}") for n in range(5)]
    results = await asyncio.gather(*map(moderator.moderate, jobs))
    assert [result.verdict for result in results] == ["pass", "pass", "block", "pass", "pass"]
    assert creates() == 5


@pytest.mark.parametrize(("kind", "fields"), [("shuffled", {}), ("dropped_items", {"items": [0, 3]})])
async def test_results_in_another_order_or_too_few_confuse_nothing(
    moderator, job, reelvet_sandbox, creates, kind, fields
):
    reelvet_sandbox.fault("tencent", kind, operation="create", path="Response.Results", **fields)
    jobs = [job("block-nudity" if n % 2 else "clean", key=f"key-{n}") for n in range(5)]
    results = await asyncio.gather(*map(moderator.moderate, jobs))
    assert [result.verdict for result in results] == ["pass", "block", "pass", "block", "pass"]
    assert creates() == 5


# --- mispairing ---

VIDEO = "https://videos.example/{}.mp4"
BATCHES = 10_000
ACCOUNT = {"secret_id": "AKIDx", "secret_key": "x", "region": "ap-guangzhou", "biz_type": "reels_1"}


class Liar:
    """A session whose vendor creates what it is asked to, says something else of it, and tells the truth of each task."""

    def __init__(self):
        self.tasks: list[dict[str, Any]] = []
        self.lies: Callable[[list[Any]], Any] = list

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        """Nothing to close."""

    async def send(self, request):
        told = getattr(self, f"_{request.headers['X-TC-Action']}")(json.loads(request.content))
        return Reply(200, content=json.dumps({"Response": {**told, "RequestId": "r"}}).encode())

    def _CreateVideoModerationTask(self, body):  # noqa: N802
        results = []
        for task in body["Tasks"]:
            self.tasks.append({"TaskId": f"w-{len(self.tasks)}", "DataId": task["DataId"], "InputInfo": task["Input"]})
            results.append(
                {**{name: self.tasks[-1][name] for name in ("DataId", "TaskId")}, "Code": "OK", "Message": ""}
            )
        return {"Results": self.lies(results)}

    def _DescribeTaskDetail(self, body):  # noqa: N802
        told = self.tasks[int(body["TaskId"].removeprefix("w-"))]
        return {**told, "Status": "FINISH", "Type": "VIDEO", "Suggestion": "Pass", "ImageSegments": []}

    def _DescribeTasks(self, body):  # noqa: N802
        return {"Total": "1", "Data": self.tasks[-40:], "PageToken": ""}


def shuffled(random, results):
    random.shuffle(results)


def another_key(random, results):
    random.choice(results)["DataId"] = random.choice(["", None, "key", 7, "key-0", random.choice(results)["DataId"]])


def another_task(random, results):
    random.choice(results)["TaskId"] = random.choice(["", None, "w-0", random.choice(results)["TaskId"]])


def swapped(random, results):
    one, other, name = random.choice(results), random.choice(results), random.choice(["DataId", "TaskId"])
    one[name], other[name] = other[name], one[name]


def rotated(random, results):
    name = random.choice(["DataId", "TaskId"])
    values = [result[name] for result in results]
    for result, value in zip(results, values[1:] + values[:1], strict=True):
        result[name] = value


def missing(random, results):
    results.pop(random.randrange(len(results)))


def twice(random, results):
    results.insert(random.randrange(len(results) + 1), dict(random.choice(results)))


def no_field(random, results):
    random.choice(results).pop(random.choice(["DataId", "TaskId", "Code"]), None)


def refused(random, results):
    random.choice(results)["Code"] = random.choice(["InternalError", "InvalidParameterValue", None, "ok", 200])


LIES = (shuffled, another_key, another_task, swapped, rotated, missing, twice, refused)
LAST = (no_field, lambda random, results: results.insert(0, None), lambda _, results: results.append([]))
"""Lies after which a result is no longer whole."""


def lie(random, results):
    """A few lies about results; at times there are none, or nothing to be told from."""
    if random.random() < 0.01:
        return random.choice([None, [], {}, "OK", [None]])
    for one in random.choices(LIES, k=random.randrange(4)):
        if results:
            one(random, results)
    if results and random.random() < 0.2:
        random.choice(LAST)(random, results)
    return results


async def provider_with(session):
    provider = TencentProvider(TencentSettings(**ACCOUNT), ProviderContext("tencent", session=lambda **_: session))
    await provider.open()
    return provider


def tasks_of(keys):
    return [
        VendorTask(
            name=key, vendor_key=key, share_key="s", payload={"BizType": "reels_1", "Type": "VIDEO", "Tasks": [{"DataId": key, "Input": {"Url": VIDEO.format(key)}}]}
        )
        for key in keys
    ]  # fmt: skip


async def verdicts(provider, tasks, outcomes, *, looks_up):
    """Key -> the video whose verdict its job would get."""
    got = {}
    window = TimeWindow(datetime.now(UTC))
    for task, outcome in zip(tasks, outcomes, strict=True):
        ref = outcome.ref if isinstance(outcome, Created) else None
        if isinstance(outcome, Unknown) and looks_up:
            ref = next((raw.ref for raw in await provider.find(task.vendor_key, window)), None)
            assert ref is not None, "it was created, so it is found"
        if ref is None:
            continue
        try:
            raw = await provider.fetch(ref)
        except e.UnexpectedReply:
            continue
        got[task.vendor_key] = raw.payload["Response"]["InputInfo"]["Url"]
    return got


async def test_no_verdict_is_ever_on_the_wrong_video():
    """Ten thousand batches whose replies were shuffled, rewritten, cut, doubled: a job gets the verdict of its video or none.

    Nor is any paired with what the reply does not name under its key, which would show here only where the reply is right.
    """
    random = Random(20211)  # noqa: S311  (the same batches each time)
    vendor, wrong, mispaired, right, none = Liar(), 0, 0, 0, 0
    told = []

    def lies(results):
        told[:] = [lie(random, results)]
        return told[0]

    vendor.lies = lies
    provider = await provider_with(vendor)
    for number in range(BATCHES):
        tasks = tasks_of([f"key-{number}-{n}" for n in range(random.randrange(1, 11))])
        outcomes = await provider.submit(tasks)
        named = [(one.get("DataId"), one.get("TaskId")) for one in told[0] or () if isinstance(one, dict)]
        for task, outcome in zip(tasks, outcomes, strict=True):
            mispaired += isinstance(outcome, Created) and named.count((task.vendor_key, outcome.ref.id)) != 1
        got = await verdicts(provider, tasks, outcomes, looks_up=number % 50 == 0)
        for task in tasks:
            none += task.vendor_key not in got
            right += got.get(task.vendor_key) == VIDEO.format(task.vendor_key)
            wrong += got.get(task.vendor_key, VIDEO.format(task.vendor_key)) != VIDEO.format(task.vendor_key)
    assert (wrong, mispaired) == (0, 0)
    assert right > none > 0  # the lies struck, and not everything was lost to them


results = st.lists(
    st.fixed_dictionaries({"data_id": st.sampled_from(["a", "b", "c", "", None]), "task_id": st.sampled_from(["1", "2", "3", "", None])}), max_size=6
)  # fmt: skip


@given(results)
def test_a_result_is_only_whose_it_says_and_nobody_elses(told):
    told = [TaskResult(**one, code="OK") for one in told]
    paired = pair(["a", "b", "c"], told)
    for key, result in zip(["a", "b", "c"], paired, strict=True):
        claims = [one for one in told if one.data_id == key]
        assert result is None or [result] == claims
        alone = len(claims) == 1 and [one.task_id for one in told].count(claims[0].task_id) == 1
        assert result is not None or not alone
    ids = [result.task_id for result in paired if result is not None and result.task_id]
    assert len(ids) == len(set(ids))


@settings(max_examples=150, deadline=None)
@given(st.data())
async def test_whatever_the_reply_is_each_task_has_one_outcome(data):
    keys = [f"k{n}" for n in range(data.draw(st.integers(1, 5)))]
    values = st.sampled_from([*keys, "w-0", "w-1", "OK", "InvalidParameter", "", None, 0, 200, True, [], {}])
    item = st.one_of(values, st.dictionaries(st.sampled_from(["DataId", "TaskId", "Code", "Message"]), values))
    vendor, reply = Liar(), data.draw(st.one_of(values, st.lists(item, max_size=6)))
    vendor.lies = lambda _: reply
    provider = await provider_with(vendor)
    tasks = tasks_of(keys)
    outcomes = await provider.submit(tasks)
    assert len(outcomes) == len(tasks)
    ids = [outcome.ref.id for outcome in outcomes if isinstance(outcome, Created)]
    assert len(ids) == len(set(ids))
    assert all(outcome.error.created == "no" for outcome in outcomes if isinstance(outcome, Rejected))
