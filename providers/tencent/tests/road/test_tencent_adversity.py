"""Never twice, never lost, never a pass by mistake: what goes wrong on the way."""

from __future__ import annotations

import asyncio
import json

import pytest

from reelvet import CoverageState, Status, Verdict
from reelvet.schema import errors as e

PORN = "sexual.explicit.pornography"
CREATE = "CreateVideoModerationTask"


def sent(reelvet_sandbox, operation="create"):
    return [request for request in reelvet_sandbox.requests("tencent") if request.operation == operation]


# --- creating ---


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("how", ["reset", "close"])
async def test_a_connection_that_breaks_never_creates_a_task_twice(
    account, configured, job, reelvet_sandbox, creates, edition, when, how
):
    account(edition)
    reelvet_sandbox.fault("tencent", "cut", operation="create", when=when, how=how)
    async with configured() as moderator:
        if when == "after":
            ticket = await moderator.submit(job("block-nudity", key="key-1"))
            assert (await moderator.wait(ticket)).verdict is Verdict.BLOCK
        else:
            with pytest.raises(e.SubmitOutcomeUnknown) as caught:
                await moderator.submit(job("block-nudity", key="key-1"))
            assert caught.value.ticket.tasks[0].state == "unknown"
    assert creates() == (1 if when == "after" else 0)
    assert len(sent(reelvet_sandbox)) == 1


RESULT = "Response.Results.0"
NOT_SAID = [
    ("server_error", {"when": "after"}), ("server_error", {"status": 503, "body": "html", "when": "after"}),
    ("server_error", {"status": 502, "body": "empty", "when": "after"}), ("truncated", {}), ("truncated", {"keep": 0.9}), ("not_json", {}),
    ("not_json", {"text": "{}"}), ("not_json", {"text": '{"Response": null}'}), ("not_json", {"text": '{"Response": {"RequestId": "r"}}'}),
    ("not_json", {"text": '{"Response": {"Error": {"Code": "InternalError", "Message": "m"}, "RequestId": "r"}}'}),
    ("not_json", {"text": '{"Response": {"Error": {"Code": "NeverHeardOf", "Message": "m"}, "RequestId": "r"}}'}),
    ("not_json", {"text": '{"Response": {"Error": null, "RequestId": "r"}}'}),
    *(
        (kind, {"path": path})
        for kind in ("missing_field", "null_field")
        for path in ("Response", "Response.Results", RESULT, f"{RESULT}.DataId", f"{RESULT}.TaskId", f"{RESULT}.Code")
    ),
    ("set_field", {"path": f"{RESULT}.DataId", "value": "another"}), ("set_field", {"path": f"{RESULT}.Code", "value": "InternalError"}),
    ("set_field", {"path": f"{RESULT}.Code", "value": "InvalidParameterValue"}), ("set_field", {"path": f"{RESULT}.TaskId", "value": ""}),
    ("set_field", {"path": "Response.Results", "value": {}}), ("dropped_items", {"path": "Response.Results", "items": [0]}),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "fields"), NOT_SAID)
async def test_a_reply_that_does_not_say_what_was_created_leads_to_looking_it_up(
    moderator, job, reelvet_sandbox, creates, fault, fields
):
    reelvet_sandbox.fault("tencent", fault, operation="create", **fields)
    result = await moderator.moderate(job("block-nudity"))
    assert (result.verdict, creates(), len(sent(reelvet_sandbox))) == (Verdict.BLOCK, 1, 1)


async def test_a_task_that_is_not_the_one_that_was_created_gives_no_verdict(moderator, job, reelvet_sandbox, creates):
    other = (await moderator.submit(job("clean", key="other"))).tasks[0].ref.id
    reelvet_sandbox.fault("tencent", "set_field", operation="create", path=f"{RESULT}.TaskId", value=other)
    ticket = await moderator.submit(job("block-nudity", key="key-1"))
    reelvet_sandbox.clock.advance(1000)
    with pytest.raises(e.UnexpectedReply, match="another video") as caught:
        await moderator.wait(ticket)
    assert (caught.value.retryable, creates()) == (False, 2)
    with pytest.raises(e.UnexpectedReply):
        await moderator.status(ticket)
    with pytest.raises(e.UnexpectedReply, match="another video"):  # nor is the other's stopped
        await moderator.cancel(ticket)
    assert not sent(reelvet_sandbox, "cancel")
    # The way out: what the vendor holds under the key.
    (found,) = await moderator.find("key-1")
    assert (await moderator.wait(found)).verdict is Verdict.BLOCK


async def test_lists_that_lag_and_keys_that_contain_the_key_do_not_confuse_it(
    account, configured, job, reelvet_sandbox, creates, edition
):
    account(edition)
    reelvet_sandbox.fault("tencent", "cut", operation="create", when="after")
    reelvet_sandbox.fault("tencent", "list_lag", seconds=120)
    reelvet_sandbox.fault("tencent", "decoys", times=None)
    async with configured() as moderator:
        result = await moderator.moderate(job("block-nudity", key="key-1"))
    assert (result.verdict, creates()) == (Verdict.BLOCK, 1)
    assert result.tasks[0].id == reelvet_sandbox.tasks("tencent")[0].id


async def test_a_lost_batch_is_found_task_by_task(moderator, job, reelvet_sandbox, creates):
    reelvet_sandbox.fault("tencent", "cut", operation="create", when="after")
    reelvet_sandbox.fault("tencent", "decoys", times=None)
    jobs = [job("block-nudity" if n % 3 == 0 else "clean", key=f"key-{n}") for n in range(10)]
    results = await asyncio.gather(*map(moderator.moderate, jobs))
    assert [result.verdict for result in results] == ["pass" if n % 3 else "block" for n in range(10)]
    assert (creates(), len(sent(reelvet_sandbox))) == (10, 1)


async def test_of_two_tasks_of_one_job_each_is_found_by_its_type(moderator, job, reelvet_sandbox, creates):
    reelvet_sandbox.fault("tencent", "cut", operation="create", when="after", times=2)
    ticket = await moderator.submit(job("block-nudity", detect=[PORN, "synthetic.ai_generated"]))
    held = {task.data["Type"]: task.id for task in reelvet_sandbox.tasks("tencent")}
    assert {task.category: task.ref.id for task in ticket.tasks} == held
    assert creates() == 2


async def test_what_is_found_by_its_key_is_read_as_it_was_meant_to_be(moderator, job, reelvet_sandbox, calls):
    reelvet_sandbox.fault("tencent", "cut", operation="create", when="after", times=2)
    result = await moderator.moderate(job("speech-only", detect=[PORN, "synthetic.ai_generated"], transcript={}))
    assert len(result.tasks) == 2
    assert {body.get("ShowAllSegments") for body in calls("get")} == {True}
    assert len(result.transcripts[0].segments) == 3


async def test_what_is_not_found_stays_unknown_and_another_attempt_is_another_task(
    moderator, job, reelvet_sandbox, creates
):
    reelvet_sandbox.fault("tencent", "cut", operation="create")
    for _ in range(2):
        with pytest.raises(e.SubmitOutcomeUnknown):
            await moderator.submit(job("clean", key="key-1"))
    assert (creates(), len(sent(reelvet_sandbox))) == (0, 1)
    assert (await moderator.moderate(job("clean", key="key-1", attempt=2))).verdict is Verdict.PASS


async def test_too_many_requests_are_waited_out_and_create_once(account, configured, job, reelvet_sandbox, creates):
    """The vendor says it with HTTP 200."""
    account(per_second=1)
    jobs = [job("block-nudity", options={"tencent": {"priority": n}}) for n in range(2)]  # a call for each
    async with configured() as moderator:
        await asyncio.gather(*map(moderator.submit, jobs))
    assert creates() == 2
    assert [request.status for request in sent(reelvet_sandbox)] == [200] * len(sent(reelvet_sandbox))
    assert len(sent(reelvet_sandbox)) > 2


async def test_too_many_requests_by_the_body_alone(moderator, job, reelvet_sandbox, creates):
    text = '{"Response": {"Error": {"Code": "RequestLimitExceeded", "Message": "m"}, "RequestId": "r"}}'
    for operation in ("get", "list", "cancel"):
        reelvet_sandbox.fault("tencent", "not_json", operation=operation, text=text)
    ticket = await moderator.submit(job("block-nudity", key="key-1"))
    assert (await moderator.wait(ticket)).verdict is Verdict.BLOCK
    assert len(await moderator.find("key-1")) == 1
    assert (await moderator.cancel(ticket)).verdict is Verdict.BLOCK
    assert creates() == 1


async def test_a_limit_that_stays_is_a_typed_refusal(account, configured, job, creates, monkeypatch):
    monkeypatch.setattr("reelvet.http.retry.RetryPolicy.wait", lambda *_: 0.001)
    account(streams=0)
    async with configured() as moderator:
        with pytest.raises(e.RateLimited) as caught:
            await moderator.submit(job({"url": "rtmp://live.example.com/a", "kind": "live"}))
    assert (caught.value.retryable, caught.value.created, creates()) == (True, "no", 0)


async def test_429_with_and_without_a_hint_is_tried_again(moderator, job, reelvet_sandbox, creates):
    reelvet_sandbox.fault("tencent", "too_many", operation="create")
    reelvet_sandbox.fault("tencent", "too_many", operation="get", retry_after=0.05, body="html")
    assert (await moderator.moderate(job("block-nudity"))).verdict is Verdict.BLOCK
    assert creates() == 1


async def test_a_full_queue_is_a_typed_refusal(account, configured, job, creates):
    account(queue=0)
    async with configured() as moderator:
        with pytest.raises(e.QuotaExceeded) as caught:
            await moderator.submit(job())
    assert (caught.value.created, creates()) == ("no", 0)


async def test_an_account_without_the_service_says_why(account, configured, job, creates, edition):
    account(edition, activated=False)
    async with configured() as moderator:
        with pytest.raises(e.FeatureDisabled, match=r"arrears") as caught:
            await moderator.submit(job())
    assert (caught.value.created, creates()) == ("no", 0)


@pytest.mark.parametrize(
    ("settings", "error"),
    [({"secret_key": "wrong-key"}, e.AuthenticationFailed), ({"secret_id": "AKIDwrong-key"}, e.AuthenticationFailed), ({"secret_id": "wrong-key"}, e.AuthenticationFailed), ({"region": "x"}, e.InvalidRequest)],
)  # fmt: skip
async def test_wrong_credentials_are_told_with_the_mend_and_without_the_key(configured, job, creates, settings, error):
    async with configured(**settings) as moderator:
        with pytest.raises(error) as caught:
            await moderator.submit(job())
    assert (caught.value.created, creates()) == ("no", 0)
    assert "wrong-key" not in f"{caught.value} {caught.value!r} {caught.value.body}"


async def test_a_part_that_fails_is_data_and_no_pass(moderator, job, reelvet_sandbox):
    reelvet_sandbox.fault("tencent", "server_error", operation="create", when="before")
    with pytest.raises(e.SubmitOutcomeUnknown) as caught:
        await moderator.submit(job("clean", detect=[PORN, "synthetic.ai_generated"]))
    assert sorted(task.state for task in caught.value.ticket.tasks) == ["created", "unknown"]
    result = await moderator.wait(caught.value.ticket)
    assert (result.status, result.verdict) == (Status.UNKNOWN, None)


# --- reading ---


async def test_reads_are_repeated(moderator, job, reelvet_sandbox):
    ticket = await moderator.submit(job("block-nudity"))
    for fault in ({"kind": "server_error", "status": 502, "body": "html"}, {"kind": "cut"}, {"kind": "truncated"}):
        reelvet_sandbox.plant({"provider": "tencent", "operation": "get", **fault})
    assert (await moderator.wait(ticket)).verdict is Verdict.BLOCK


async def test_a_reply_about_another_task_is_no_reply(moderator, job, reelvet_sandbox):
    ticket = await moderator.submit(job("block-nudity"))
    reelvet_sandbox.clock.advance(1000)
    reelvet_sandbox.fault(
        "tencent", "set_field", operation="get", path="Response.TaskId", value="w-video-other", times=2
    )
    assert (await moderator.wait(ticket)).verdict is Verdict.BLOCK


@pytest.mark.parametrize("path", ["Response.TaskId", "Response.DataId"])
@pytest.mark.parametrize("kind", ["missing_field", "null_field"])
async def test_a_reply_that_does_not_say_whose_it_is_is_that_of_the_task_asked_for(
    moderator, job, reelvet_sandbox, kind, path
):
    reelvet_sandbox.fault("tencent", kind, operation="get", path=path, times=None)
    assert (await moderator.moderate(job("block-nudity"))).verdict is Verdict.BLOCK


async def test_an_unknown_status_is_waited_out(moderator, job, reelvet_sandbox):
    ticket = await moderator.submit(job("block-nudity"))
    reelvet_sandbox.clock.advance(1000)
    reelvet_sandbox.fault("tencent", "unknown_status", operation="get", times=2)
    assert (await moderator.status(ticket)).status is Status.UNKNOWN
    assert (await moderator.wait(ticket)).verdict is Verdict.BLOCK


async def test_an_unknown_status_in_the_list_finds_the_task_all_the_same(moderator, job, reelvet_sandbox, creates):
    reelvet_sandbox.fault("tencent", "unknown_status", operation="list", times=None)
    reelvet_sandbox.fault("tencent", "cut", operation="create", when="after")
    assert (await moderator.moderate(job("block-nudity"))).verdict is Verdict.BLOCK
    assert creates() == 1


async def test_a_status_that_goes_backwards_is_waited_out(moderator, job, reelvet_sandbox):
    ticket = await moderator.submit(job("block-nudity"))
    reelvet_sandbox.clock.advance(1000)
    reelvet_sandbox.fault("tencent", "status_backwards", operation="get", times=2)
    assert (await moderator.wait(ticket)).verdict is Verdict.BLOCK


@pytest.mark.parametrize("scenario", ["clean", "block-nudity"])
async def test_an_unknown_label_is_never_a_pass(moderator, job, reelvet_sandbox, scenario):
    reelvet_sandbox.fault("tencent", "unknown_label", operation="get", times=None)
    result = await moderator.moderate(job(scenario))
    assert "unmapped" in {finding.label for finding in result.findings}
    assert result.verdict in {Verdict.REVIEW, Verdict.BLOCK}


@pytest.mark.parametrize("word", ["", "UNSPECIFIED", "Perhaps", "pass", "PASS", 7, [], None])
async def test_a_suggestion_that_nobody_knows_is_never_a_pass(moderator, job, reelvet_sandbox, word):
    reelvet_sandbox.fault("tencent", "set_field", operation="get", path="Response.Suggestion", value=word, times=None)
    assert (await moderator.moderate(job("clean"))).verdict in {Verdict.ERROR, Verdict.REVIEW}
    reelvet_sandbox.fault("tencent", "set_field", operation="get", path="Response.Suggestion", value=word, times=None)
    assert (await moderator.moderate(job("block-nudity"))).verdict in {Verdict.REVIEW, Verdict.BLOCK}


@pytest.mark.parametrize(
    ("path", "value"), [("ErrorType", "DECODE_ERROR"), ("ErrorType", "NEVER_HEARD_OF"), ("Type", "LIVE_VIDEO"), ("Type", "X"), ("BizType", "other")]
)  # fmt: skip
async def test_a_clean_reply_that_is_not_what_was_sent_or_names_a_failure_does_not_pass(
    moderator, job, reelvet_sandbox, path, value
):
    reelvet_sandbox.fault("tencent", "set_field", operation="get", path=f"Response.{path}", value=value, times=None)
    result = await moderator.moderate(job("clean"))
    assert result.verdict is Verdict.ERROR
    assert "contradiction" in {note.code for note in result.warnings}
    assert {row.state for row in result.coverage} == {CoverageState.NOT_EVALUATED}


async def test_a_callback_that_failed_takes_nothing_back(moderator, job, reelvet_sandbox):
    reelvet_sandbox.fault("tencent", "set_field", operation="get", path="Response.ErrorType", value="CALLBACK_ERRORR", times=None)  # fmt: skip
    assert (await moderator.moderate(job("clean"))).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("how", "scenario"),
    [("verdict_without_evidence", "clean"), ("verdict_without_evidence", "block-nudity"), ("evidence_without_verdict", "block-nudity")],
)  # fmt: skip
async def test_a_contradiction_is_never_a_pass(moderator, job, reelvet_sandbox, how, scenario):
    reelvet_sandbox.fault("tencent", "contradiction", operation="get", how=how, times=None)
    result = await moderator.moderate(job(scenario))
    assert result.verdict in {Verdict.REVIEW, Verdict.BLOCK}
    assert "contradiction" in {note.code for note in result.warnings}


LEAVES = [
    "Response", "Response.Status", "Response.Suggestion", "Response.Label", "Response.Labels", "Response.Type", "Response.BizType",
    "Response.MediaInfo", "Response.MediaInfo.Duration", "Response.InputInfo", "Response.ImageSegments", "Response.AudioSegments",
    "Response.ImageSegments.*.Result", "Response.ImageSegments.*.OffsetTime",
    *(f"Response.ImageSegments.*.Result.{name}" for name in ("HitFlag", "Label", "Suggestion", "Score", "Results")),
    *(f"Response.ImageSegments.*.Result.Results.*.{name}" for name in ("HitFlag", "Label", "Suggestion", "Score", "Details")),
]  # fmt: skip


@pytest.mark.parametrize("path", LEAVES)
@pytest.mark.parametrize("kind", ["missing_field", "null_field", "set_field"])
async def test_no_missing_null_or_empty_field_makes_a_pass(moderator, job, reelvet_sandbox, kind, path):
    ticket = await moderator.submit(job("block-nudity"))
    reelvet_sandbox.clock.advance(1000)
    value = {"value": ""} if kind == "set_field" else {}
    reelvet_sandbox.fault("tencent", kind, operation="get", path=path, times=None, **value)
    try:
        result = await moderator.status(ticket)
    except e.UnexpectedReply:
        assert path == "Response"
        return
    assert result.verdict is not Verdict.PASS


@pytest.mark.parametrize("path", ["Response.Suggestion", "Response.ImageSegments", "Response.Status"])
async def test_a_clean_reply_that_lacks_what_its_verdict_rests_on_does_not_pass(moderator, job, reelvet_sandbox, path):
    ticket = await moderator.submit(job("clean"))
    reelvet_sandbox.clock.advance(1000)
    reelvet_sandbox.fault("tencent", "missing_field", operation="get", path=path, times=None)
    result = await moderator.status(ticket)
    assert result.verdict is not Verdict.PASS
    assert CoverageState.CLEAN not in {row.state for row in result.coverage}


async def test_a_reply_may_be_as_large_as_the_vendor_sends_them(moderator, job, reelvet_sandbox):
    ticket = await moderator.submit(job("clean"))
    task = ticket.tasks[0].ref.id
    said = {"TaskId": task, "Status": "FINISH", "Suggestion": "Block", "Label": "Porn", "AudioText": "a" * 50_000_000}
    text = json.dumps({"Response": {**said, "RequestId": "r"}})
    reelvet_sandbox.fault("tencent", "not_json", operation="get", text=text, times=None)
    assert (await moderator.wait(ticket)).verdict is Verdict.BLOCK


async def test_a_wrong_content_type_changes_nothing(moderator, job, reelvet_sandbox):
    reelvet_sandbox.fault("tencent", "content_type", times=None)
    assert (await moderator.moderate(job("block-nudity"))).verdict is Verdict.BLOCK


@pytest.mark.parametrize("text", ["<html>gateway</html>", "", "{}", "null", '{"Response": []}', '{"Response": {}}'])
async def test_what_is_no_reply_is_never_an_empty_result(moderator, job, reelvet_sandbox, text):
    ticket = await moderator.submit(job("clean"))
    reelvet_sandbox.clock.advance(1000)
    reelvet_sandbox.fault("tencent", "not_json", operation="get", text=text, times=None)
    try:
        result = await moderator.status(ticket)
    except e.ProviderError:
        return
    assert (result.status, result.verdict) == (Status.UNKNOWN, None)


async def test_a_page_that_cannot_be_read_is_no_empty_list(moderator, job, reelvet_sandbox):
    await moderator.submit(job(key="key-1"))
    reelvet_sandbox.fault("tencent", "not_json", operation="list", text="{}")
    with pytest.raises(e.UnexpectedReply):
        await moderator.find("key-1")
    for path in ("Response.Data.0.TaskId", "Response.Data.0", "Response.Data"):
        reelvet_sandbox.clear_faults()
        reelvet_sandbox.fault("tencent", "null_field", operation="list", path=path)
        assert await moderator.find("key-1") == []
    assert len(await moderator.find("key-1")) == 1


async def test_a_cancel_whose_answer_is_lost_is_asked_again_and_told_as_it_is(moderator, job, reelvet_sandbox):
    reelvet_sandbox.clock.pause()
    ticket = await moderator.submit(job())
    reelvet_sandbox.fault("tencent", "cut", operation="cancel", when="after")
    assert (await moderator.cancel(ticket)).status is Status.CANCELED
