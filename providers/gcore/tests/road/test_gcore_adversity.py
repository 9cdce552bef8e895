"""Never twice, never lost, never a pass by mistake: what goes wrong on the way."""

from __future__ import annotations

import pytest

from reelvet import Status, Verdict
from reelvet.schema import errors as e

PORN = "sexual.explicit.pornography"


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("how", ["reset", "close"])
async def test_a_connection_that_breaks_never_creates_a_task_twice(moderator, job, reelvet_sandbox, creates, when, how):
    reelvet_sandbox.fault("gcore", "cut", operation="create", when=when, how=how)
    if when == "after":
        ticket = await moderator.submit(job("block-nudity", key="key-1"))
        assert (await moderator.wait(ticket)).verdict is Verdict.BLOCK
    else:
        with pytest.raises(e.SubmitOutcomeUnknown) as caught:
            await moderator.submit(job("block-nudity", key="key-1"))
        assert caught.value.ticket.tasks[0].state == "unknown"
    assert creates() == (1 if when == "after" else 0)
    sent = [request for request in reelvet_sandbox.requests("gcore") if request.operation == "create"]
    assert len(sent) == 1


@pytest.mark.parametrize(
    ("fault", "fields"),
    [("server_error", {"when": "after"}), ("server_error", {"status": 503, "body": "html", "when": "after"}), ("truncated", {}), ("not_json", {}),
     ("missing_field", {"path": "task_id"}), ("null_field", {"path": "task_id"})],
)  # fmt: skip
async def test_a_reply_that_does_not_say_what_was_created_leads_to_looking_it_up(
    moderator, job, reelvet_sandbox, creates, fault, fields
):
    reelvet_sandbox.fault("gcore", fault, operation="create", **fields)
    result = await moderator.moderate(job("block-nudity"))
    assert (result.verdict, creates()) == (Verdict.BLOCK, 1)


async def test_lists_that_lag_and_keys_that_contain_the_key_do_not_confuse_it(moderator, job, reelvet_sandbox, creates):
    reelvet_sandbox.fault("gcore", "cut", operation="create", when="after")
    reelvet_sandbox.fault("gcore", "list_lag", seconds=120)
    reelvet_sandbox.fault("gcore", "decoys", times=None)
    result = await moderator.moderate(job("block-nudity", key="key-1"))
    assert (result.verdict, creates()) == (Verdict.BLOCK, 1)
    assert result.tasks[0].id == reelvet_sandbox.tasks("gcore")[0].id


async def test_of_two_tasks_the_one_whose_answer_was_lost_is_found_by_its_category(
    moderator, job, reelvet_sandbox, creates
):
    reelvet_sandbox.fault("gcore", "cut", operation="create", when="after", times=2)
    ticket = await moderator.submit(job("block-nudity", detect=["sexual"]))
    held = {task.data["category"]: task.id for task in reelvet_sandbox.tasks("gcore")}
    assert {task.category: task.ref.id for task in ticket.tasks} == held
    assert creates() == 2


async def test_an_attempt_is_another_task_under_another_key(moderator, job, creates):
    first = await moderator.submit(job(key="key-1"))
    assert (await moderator.submit(job(key="key-1"))).tasks[0].ref.id == first.tasks[0].ref.id
    second = await moderator.submit(job(key="key-1", attempt=2))
    assert second.tasks[0].ref.id != first.tasks[0].ref.id
    assert [t.tasks[0].ref.id for t in await moderator.find("key-1", attempt=2)] == [second.tasks[0].ref.id]
    assert creates() == 2


@pytest.mark.parametrize("status", [400, 429])
async def test_a_full_queue_is_waited_for_and_creates_once(moderator, job, reelvet_sandbox, creates, status):
    reelvet_sandbox.set_up("gcore", queue=1, queue_status=status)
    await moderator.submit(job())
    result = await moderator.moderate(job("block-nudity"))
    assert (result.verdict, creates()) == (Verdict.BLOCK, 2)


async def test_a_queue_that_stays_full_is_a_typed_refusal(moderator, job, reelvet_sandbox, creates, monkeypatch):
    monkeypatch.setattr("reelvet.http.retry.RetryPolicy.wait", lambda *_: 0.001)
    reelvet_sandbox.set_up("gcore", queue=0)
    with pytest.raises(e.RateLimited, match="Queue limit reached") as caught:
        await moderator.submit(job())
    assert (caught.value.retryable, caught.value.created, creates()) == (True, "no", 0)


async def test_429_with_and_without_a_hint_is_tried_again(moderator, job, reelvet_sandbox, creates):
    reelvet_sandbox.fault("gcore", "too_many", operation="create")
    reelvet_sandbox.fault("gcore", "too_many", operation="get", retry_after=0.05)
    assert (await moderator.moderate(job("block-nudity"))).verdict is Verdict.BLOCK
    assert creates() == 1


async def test_reads_are_repeated(moderator, job, reelvet_sandbox):
    ticket = await moderator.submit(job("block-nudity"))
    for fault in ({"kind": "server_error", "status": 502, "body": "html"}, {"kind": "cut"}):
        reelvet_sandbox.plant({"provider": "gcore", "operation": "get", **fault})
    assert (await moderator.wait(ticket)).verdict is Verdict.BLOCK


async def test_an_unknown_status_is_waited_out(moderator, job, reelvet_sandbox):
    ticket = await moderator.submit(job("block-nudity"))
    reelvet_sandbox.clock.advance(1000)
    reelvet_sandbox.fault("gcore", "unknown_status", operation="get", times=2)
    assert (await moderator.status(ticket)).status is Status.UNKNOWN
    assert (await moderator.wait(ticket)).verdict is Verdict.BLOCK


async def test_a_status_that_goes_backwards_is_waited_out(moderator, job, reelvet_sandbox):
    ticket = await moderator.submit(job("block-nudity"))
    reelvet_sandbox.clock.advance(1000)
    reelvet_sandbox.fault("gcore", "status_backwards", operation="get", times=2)
    assert (await moderator.wait(ticket)).verdict is Verdict.BLOCK


async def test_an_unknown_label_is_never_a_pass(moderator, job, reelvet_sandbox):
    reelvet_sandbox.fault("gcore", "unknown_label", operation="get", times=None)
    result = await moderator.moderate(job("block-nudity"))
    assert "unmapped" in {finding.label for finding in result.findings}
    assert result.verdict in {Verdict.REVIEW, Verdict.BLOCK}


@pytest.mark.parametrize("how", ["verdict_without_evidence", "evidence_without_verdict"])
async def test_a_contradiction_is_never_a_pass(moderator, job, reelvet_sandbox, how):
    reelvet_sandbox.fault("gcore", "contradiction", operation="get", how=how, times=None)
    result = await moderator.moderate(job("block-nudity"))
    assert result.verdict in {Verdict.REVIEW, Verdict.BLOCK}
    assert "contradiction" in {note.code for note in result.warnings}


@pytest.mark.parametrize(
    "path",
    [
        "result",
        "result.frames",
        "result.nsfw_detected",
        "result.detection_results",
        "status",
        "result.frames.0.label",
        "result.frames.0.confidence",
    ],
)
@pytest.mark.parametrize("kind", ["missing_field", "null_field"])
async def test_no_missing_field_makes_a_pass(moderator, job, reelvet_sandbox, kind, path):
    ticket = await moderator.submit(job("block-nudity"))
    reelvet_sandbox.clock.advance(1000)
    reelvet_sandbox.fault("gcore", kind, operation="get", path=path, times=None)
    assert (await moderator.status(ticket)).verdict is not Verdict.PASS


async def test_a_result_that_is_gone_is_not_found(moderator, job, reelvet_sandbox):
    ticket = await moderator.submit(job("block-nudity"))
    reelvet_sandbox.fault("gcore", "expired", operation="get", times=None)
    with pytest.raises(e.TaskNotFound, match=r"one month"):
        await moderator.wait(ticket)


async def test_a_wrong_content_type_changes_nothing(moderator, job, reelvet_sandbox):
    reelvet_sandbox.fault("gcore", "content_type", times=None)
    assert (await moderator.moderate(job("block-nudity"))).verdict is Verdict.BLOCK


async def test_a_part_that_fails_is_data_and_no_pass(moderator, job, reelvet_sandbox):
    reelvet_sandbox.fault("gcore", "server_error", operation="create", when="before")
    with pytest.raises(e.SubmitOutcomeUnknown) as caught:
        await moderator.submit(job("clean", detect=["sexual"]))
    assert sorted(task.state for task in caught.value.ticket.tasks) == ["created", "unknown"]
    result = await moderator.wait(caught.value.ticket)
    assert (result.status, result.verdict) == (Status.UNKNOWN, None)


@pytest.mark.parametrize(
    ("settings", "error"),
    [({"api_key": "1_wrong"}, e.AuthenticationFailed), ({"api_key": "x"}, e.AuthenticationFailed)],
)
async def test_wrong_credentials_are_told_with_the_mend_and_without_the_token(configured, job, settings, error):
    async with configured(**settings) as moderator:
        with pytest.raises(error, match="api_key") as caught:
            await moderator.submit(job())
    assert caught.value.created == "no"
    assert "1_wrong" not in f"{caught.value} {caught.value.body}"


async def test_an_account_without_the_feature_says_whom_to_ask(moderator, job, reelvet_sandbox):
    reelvet_sandbox.set_up("gcore", feature_enabled=False)
    with pytest.raises(e.FeatureDisabled, match=r"support@gcore\.com"):
        await moderator.submit(job())
