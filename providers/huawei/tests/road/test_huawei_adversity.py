"""Never twice, never lost, never a pass by mistake: what goes wrong on the way, at both APIs."""

from __future__ import annotations

import json

import pytest

from reelvet import Status, Ticket, Verdict
from reelvet.schema import errors as e
from reelvet_huawei.read import cause

ID = {"v2": "0.id", "v3": "job_id"}


@pytest.fixture
def fault(reelvet_sandbox, api):
    """Plants a fault; an operation is named without its API."""

    def plant(kind, operation=None, **fields):
        where = {"operation": f"{operation}_{api}"} if operation else {}
        return reelvet_sandbox.fault("huawei", kind, **where, **fields)

    return plant


@pytest.fixture
def done(moderator, job, reelvet_sandbox):
    """Submits, and lets so much time pass that the result is there."""

    async def submit(scenario="block-nudity", **fields):
        ticket = await moderator.submit(job(scenario, **fields))
        reelvet_sandbox.clock.advance(1000)
        return ticket

    return submit


async def ends(moderator, asked, api, *, exists):
    """Submits where the answer is lost: v2 finds what exists by its name, v3 cannot look."""
    if api == "v2" and exists:
        return (await moderator.moderate(asked)).verdict
    with pytest.raises(e.SubmitOutcomeUnknown) as caught:
        await moderator.submit(asked)
    assert [task.state for task in caught.value.ticket.tasks] == ["unknown"]
    assert "Do not submit it again" in caught.value.way_out
    with pytest.raises(e.SubmitOutcomeUnknown):  # nor does the same call again
        await moderator.submit(asked)
    result = await moderator.wait(caught.value.ticket)
    assert result.status is Status.UNKNOWN
    return result.verdict


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("how", ["reset", "close"])
async def test_a_connection_that_breaks_never_creates_a_task_twice(
    moderator, job, fault, creates, asked, api, when, how
):
    fault("cut", "create", when=when, how=how)
    verdict = await ends(moderator, job("block-nudity", key="key-1"), api, exists=when == "after")
    assert verdict == ("block" if api == "v2" and when == "after" else None)
    assert creates() == (1 if when == "after" else 0)
    assert asked(f"create_{api}") == 1


@pytest.mark.parametrize(
    ("kind", "fields"),
    [("server_error", {"when": "after"}), ("server_error", {"status": 503, "when": "after"}), ("server_error", {"status": 502, "body": "html", "when": "after"}),
     ("server_error", {"status": 504, "body": "empty", "when": "after"}), ("truncated", {}), ("truncated", {"keep": 0}), ("not_json", {}), ("not_json", {"text": ""}),
     ("not_json", {"text": "null"}), ("not_json", {"text": "[]"}), ("missing_field", {"path": "ID"}), ("null_field", {"path": "ID"}),
     ("set_field", {"path": "ID", "value": ""}), ("set_field", {"path": "ID", "value": ["x"]})],
)  # fmt: skip
async def test_a_reply_that_does_not_say_what_was_created_creates_nothing_more(
    moderator, job, fault, creates, asked, api, kind, fields
):
    fields = {name: ID[api] if value == "ID" else value for name, value in fields.items()}
    fault(kind, "create", **fields)
    verdict = await ends(moderator, job("block-nudity"), api, exists=True)
    assert (verdict, creates(), asked(f"create_{api}")) == ("block" if api == "v2" else None, 1, 1)


@pytest.mark.parametrize("api", ["v2"])
async def test_lists_that_lag_and_names_that_contain_the_key_do_not_confuse_it(
    moderator, job, fault, creates, reelvet_sandbox
):
    fault("cut", "create", when="after")
    fault("list_lag", seconds=120)
    fault("decoys", times=None)
    result = await moderator.moderate(job("block-nudity", key="key-1"))
    assert (result.verdict, creates()) == (Verdict.BLOCK, 1)
    assert result.tasks[0].id == reelvet_sandbox.tasks("huawei")[0].id


@pytest.mark.parametrize("api", ["v2"])
async def test_decoys_alone_are_never_adopted(moderator, job, fault, creates):
    fault("cut", "create", when="before")
    fault("decoys", times=None)
    with pytest.raises(e.SubmitOutcomeUnknown):
        await moderator.submit(job("block-nudity", key="key-1"))
    assert creates() == 0


@pytest.mark.parametrize("api", ["v2"])
@pytest.mark.parametrize("kind", ["server_error", "cut", "not_json", "truncated"])
async def test_a_list_that_fails_is_asked_again(moderator, job, fault, creates, kind):
    fault("cut", "create", when="after")
    fault(kind, "list")
    assert (await moderator.moderate(job("block-nudity"))).verdict is Verdict.BLOCK
    assert creates() == 1


@pytest.mark.parametrize("api", ["v2"])
async def test_an_attempt_is_another_task_under_another_name(moderator, job, creates):
    first = await moderator.submit(job(key="key-1"))
    assert (await moderator.submit(job(key="key-1"))).tasks[0].ref.id == first.tasks[0].ref.id
    second = await moderator.submit(job(key="key-1", attempt=2))
    assert second.tasks[0].ref.id != first.tasks[0].ref.id
    assert [t.tasks[0].ref.id for t in await moderator.find("key-1", attempt=2)] == [second.tasks[0].ref.id]
    assert creates() == 2


@pytest.mark.parametrize("hint", [None, 0.05])
async def test_too_many_requests_are_tried_again_and_create_once(moderator, job, fault, creates, asked, api, hint):
    fault("too_many", "create", retry_after=hint)
    fault("too_many", "get", retry_after=hint)
    assert (await moderator.moderate(job("block-nudity"))).verdict is Verdict.BLOCK
    assert (creates(), asked(f"create_{api}")) == (1, 2)


async def test_requests_that_stay_too_many_are_a_refusal_with_its_code(moderator, job, fault, creates, monkeypatch):
    monkeypatch.setattr("reelvet.http.retry.RetryPolicy.wait", lambda *_: 0.001)
    fault("too_many", "create", times=None)
    with pytest.raises(e.RateLimited, match="throttling threshold") as caught:
        await moderator.submit(job())
    assert (caught.value.code, caught.value.created, creates()) == ("APIG.0308", "no", 0)
    assert caught.value.request_id
    assert "requests_per_second" in caught.value.way_out


@pytest.mark.parametrize("api", ["v2"])
async def test_a_full_queue_is_a_refusal_that_created_nothing(moderator, job, reelvet_sandbox, creates):
    reelvet_sandbox.set_up("huawei", queue=0)
    with pytest.raises(e.QuotaExceeded, match="exceeds the quota 0") as caught:
        await moderator.submit(job())
    assert (caught.value.created, creates(), "Wait until tasks have ended" in caught.value.way_out) == ("no", 0, True)


@pytest.mark.parametrize(
    ("kind", "fields"),
    [("server_error", {"status": 502, "body": "html"}), ("server_error", {"status": 503}), ("cut", {}), ("cut", {"when": "after"}), ("truncated", {})],
)  # fmt: skip
async def test_reads_are_repeated(moderator, job, fault, asked, api, kind, fields):
    ticket = await moderator.submit(job("block-nudity"))
    fault(kind, "get", times=2, **fields)
    assert (await moderator.wait(ticket)).verdict is Verdict.BLOCK
    assert asked(f"get_{api}") >= 3


async def test_a_page_in_place_of_a_result_is_no_result(moderator, job, fault):
    ticket = await moderator.submit(job("clean"))
    fault("not_json", "get")
    with pytest.raises(e.UnexpectedReply, match="the reply is not JSON"):
        await moderator.wait(ticket)
    assert (await moderator.wait(ticket)).verdict is Verdict.PASS  # the ticket still stands


@pytest.mark.parametrize("kind", ["unknown_status", "status_backwards"])
async def test_a_status_that_is_not_understood_is_waited_out(moderator, done, fault, kind):
    ticket = await done()
    fault(kind, "get", times=2)
    assert not (await moderator.status(ticket)).status.final
    assert (await moderator.wait(ticket)).verdict is Verdict.BLOCK


@pytest.mark.parametrize("word", ["UNKNOWN", "Succeeded!", "SUCCEEDED_WITH_ERRORS", "done", ""])
async def test_no_unknown_status_is_ever_a_pass(moderator, done, fault, word):
    ticket = await done("clean")
    fault("unknown_status", "get", word=word or "-", times=None)
    result = await moderator.status(ticket)
    assert (result.status, result.verdict) == (Status.UNKNOWN, None)


@pytest.mark.parametrize("api", ["v2"])
@pytest.mark.parametrize("state", ["STOPPED", "ABNORMAL", "CREATE_FAILED", "START_FAILED", "FROZEN", "FAILED"])
async def test_no_state_of_a_failure_is_a_pass(moderator, job, reelvet_sandbox, state):
    reelvet_sandbox.set_up("huawei", state=state)
    result = await moderator.moderate(job("clean"))
    assert (result.verdict, {row.state for row in result.coverage}) == (Verdict.ERROR, {"not_evaluated"})


@pytest.mark.parametrize("api", ["v2"])
@pytest.mark.parametrize("says_why", [True, False])
async def test_a_failed_task_tells_what_the_vendor_tells(moderator, job, reelvet_sandbox, says_why):
    reelvet_sandbox.set_up("huawei", says_why=says_why)
    error = (await moderator.moderate(job("unreachable"))).tasks[0].error
    told = ("ALG.002", "The video cannot be downloaded") if says_why else ("FAILED", "the vendor gives no reason")
    assert (error.code, cause(error)) == told
    assert error.message.endswith("that the service has its agency (delegation) for.")


@pytest.mark.parametrize("scenario", ["clean", "block-nudity"])
async def test_an_unknown_label_is_never_a_pass(moderator, job, fault, scenario):
    fault("unknown_label", "get", times=None)
    result = await moderator.moderate(job(scenario))
    assert "CONFETTI" in {finding.native.sub_label for finding in result.findings}
    assert "unrefined_label" in {note.code for note in result.warnings}
    assert {row.state for row in result.coverage if row.label == "sexual"} == {"hit"}
    assert result.verdict is Verdict.BLOCK


@pytest.mark.parametrize("category", ["CONFETTI", None, 7])
async def test_an_unknown_category_is_unmapped(moderator, done, fault, api, category):
    ticket = await done()
    if api == "v3":
        fault("set_field", "get", path="result.image_detail.*.category", value=category, times=None)
        fault("set_field", "get", path="result.image_detail.*.detail.*.category", value=category, times=None)
    else:
        content = {
            "result": {
                "suggestion": "review",
                "frames": [{"suspect_categories": [category], "frame_suggestion": "review"}],
            }
        }
        fault("set_field", "get", path="hosting_result.data", value=json.dumps(content), times=None)
    result = await moderator.wait(ticket)
    assert {finding.label for finding in result.findings} == {"unmapped"}
    assert result.verdict is not Verdict.PASS


@pytest.mark.parametrize(
    ("scenario", "how"),
    [("clean", "verdict_without_evidence"), ("block-nudity", "verdict_without_evidence"), ("block-nudity", "evidence_without_verdict")],
)  # fmt: skip
async def test_a_contradiction_is_never_a_pass(moderator, job, fault, scenario, how):
    fault("contradiction", "get", how=how, times=None)
    result = await moderator.moderate(job(scenario))
    assert result.verdict is Verdict.BLOCK
    assert "contradiction" in {note.code for note in result.warnings}
    assert "clean" not in {row.state for row in result.coverage}


PATHS = {
    "v2": ("id", "state", "output", "service_config", "service_config.common.categories", "hosting_result", "hosting_result.status", "hosting_result.data"),
    "v3": ("job_id", "status", "request_params", "request_params.image_categories", "result", "result.suggestion", "result.image_detail",
           "result.image_detail.*.category", "result.image_detail.*.suggestion", "result.image_detail.*.time", "result.image_detail.*.detail",
           "result.image_detail.*.detail.*.label", "result.image_detail.*.detail.*.category", "result.image_detail.*.detail.*.confidence",
           "result.image_detail.*.detail.*.suggestion"),
}  # fmt: skip


@pytest.mark.parametrize(("api", "path"), [(api, path) for api, paths in PATHS.items() for path in paths])
@pytest.mark.parametrize("kind", ["missing_field", "null_field", "empty", "odd"])
async def test_no_missing_field_makes_a_pass(moderator, done, fault, kind, path):
    ticket = await done()
    if kind in {"empty", "odd"}:
        fault("set_field", "get", path=path, value={"empty": [], "odd": {"a": [7]}}[kind], times=None)
    else:
        fault(kind, "get", path=path, times=None)
    try:
        result = await moderator.status(ticket)
    except e.UnexpectedReply:
        assert path in {"id", "job_id"}  # an odd id is another task's
    else:
        assert result.verdict is not Verdict.PASS


@pytest.mark.parametrize("path", ["status", "result", "result.suggestion"])
@pytest.mark.parametrize("kind", ["missing_field", "null_field"])
@pytest.mark.parametrize("api", ["v3"])
async def test_nor_does_one_of_a_clean_job(moderator, done, fault, kind, path):
    ticket = await done("clean")
    fault(kind, "get", path=path, times=None)
    assert (await moderator.status(ticket)).verdict is not Verdict.PASS


@pytest.mark.parametrize("api", ["v2"])
@pytest.mark.parametrize("text", [
    "", "null", "{", "[]", "7", '"pass"', "{}", '{"result": null}', '{"result": {}}', '{"result": []}', '{"result": {"frames": []}}',
    '{"result": {"frames": "none", "voices": [], "suggestion": "pass"}}', '{"result": {"frames": [], "suggestion": "fine"}}',
    '{"suggestion": "pass"}', '{"result": {"suggestion": null}}',
])  # fmt: skip
async def test_a_hosted_text_that_is_no_result_is_no_pass(moderator, done, fault, text):
    ticket = await done("clean")
    fault("set_field", "get", path="hosting_result.data", value=text, times=None)
    result = await moderator.status(ticket)
    assert result.verdict is not Verdict.PASS
    assert "clean" not in {row.state for row in result.coverage}


@pytest.mark.parametrize("api", ["v3"])  # the result of v2 is a text
async def test_a_list_that_is_shuffled_or_lacks_items_is_no_pass(moderator, done, fault):
    ticket = await done()
    before = await moderator.status(ticket)
    fault("shuffled", "get", path="result.image_detail")
    after = await moderator.status(ticket)
    assert sorted(f.start for f in after.findings) == sorted(f.start for f in before.findings)
    fault("dropped_items", "get", path="result.image_detail", items=(0, 1, 2))
    result = await moderator.status(ticket)
    assert (result.verdict, "contradiction" in {note.code for note in result.warnings}) == (Verdict.BLOCK, True)


async def test_a_result_that_is_gone_says_so(moderator, done, fault, api):
    ticket = await done()
    fault("expired", "get", times=None)
    if api == "v3":
        with pytest.raises(e.TaskNotFound, match="Job not found"):
            await moderator.wait(ticket)
        return
    result = await moderator.wait(ticket)
    assert (result.status, result.verdict) == (Status.FAILED, Verdict.ERROR)
    assert (result.tasks[0].error.type, result.tasks[0].error.code) == ("TaskNotFound", "OVERDUE")
    assert "kept it for 48 hours" in result.tasks[0].error.message
    assert result.tasks[0].raw["name"]  # what is still known is kept


@pytest.mark.parametrize("api", ["v2"])
async def test_a_hosted_result_is_over_after_48_hours(moderator, done, reelvet_sandbox):
    ticket = await done()
    assert (await moderator.wait(ticket)).verdict is Verdict.BLOCK
    reelvet_sandbox.clock.advance(49 * 3600)
    assert (await moderator.wait(Ticket.load(ticket.dump_json()))).tasks[0].error.code == "OVERDUE"


@pytest.mark.parametrize("api", ["v2"])
@pytest.mark.parametrize("word", ["COMPLETED", "PONDERING", ""])
async def test_a_cancel_deletes_nothing_whose_state_is_not_known(moderator, done, fault, asked, word):
    """It may have ended, and its result would go with it."""
    ticket = await done()
    fault("set_field", "get", path="state", value=word)
    assert (await moderator.cancel(ticket)).status is Status.UNKNOWN
    assert asked("delete_v2") == 0
    assert (await moderator.wait(ticket)).verdict is Verdict.BLOCK


@pytest.mark.parametrize("api", ["v2"])
async def test_nor_what_has_a_result_whatever_its_state_says(moderator, done, fault, asked):
    ticket = await done()
    fault("set_field", "get", path="state", value="RUNNING")
    await moderator.cancel(ticket)
    assert asked("delete_v2") == 0
    assert (await moderator.wait(ticket)).verdict is Verdict.BLOCK


@pytest.mark.parametrize("api", ["v2"])
async def test_a_cancel_whose_answer_is_lost_has_canceled(moderator, job, fault, reelvet_sandbox, asked):
    ticket = await moderator.submit(job("never-finishes"))
    reelvet_sandbox.fault("huawei", "cut", operation="delete_v2", when="after")
    reelvet_sandbox.clock.advance(10)
    result = await moderator.cancel(ticket)
    assert (result.status, result.verdict) == (Status.CANCELED, Verdict.ERROR)
    assert asked("delete_v2") == 2


async def test_a_wrong_content_type_changes_nothing(moderator, job, fault):
    fault("content_type", times=None)
    assert (await moderator.moderate(job("block-nudity"))).verdict is Verdict.BLOCK


@pytest.mark.parametrize("api", ["v2"])
async def test_the_other_document_s_statuses_change_nothing(moderator, job, reelvet_sandbox):
    reelvet_sandbox.set_up("huawei", statuses="openapi")
    assert (await moderator.moderate(job("block-nudity"))).verdict is Verdict.BLOCK
    assert (await moderator.check()).ok
    with pytest.raises(e.TaskNotFound):
        await moderator.wait(Ticket.adopt("huawei", "0" * 32))


@pytest.mark.parametrize("kind", ["server_error", "cut", "not_json"])
async def test_iam_that_fails_leaves_nothing_created(configured, job, reelvet_sandbox, creates, api, kind, monkeypatch):
    monkeypatch.setattr("reelvet.http.retry.RetryPolicy.wait", lambda *_: 0.001)
    reelvet_sandbox.fault("huawei", kind, operation="projects", times=None)
    async with configured(api=api, project_id=None) as moderator:
        with pytest.raises(e.ProviderError):
            await moderator.submit(job())
        reelvet_sandbox.clear_faults()
        assert (await moderator.moderate(job("block-nudity"))).verdict is Verdict.BLOCK
    assert creates() == 1
