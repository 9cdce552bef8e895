"""Every state of either API, and what becomes of a result that is not there."""

from __future__ import annotations

import json

import pytest

from reelvet.schema.errors import ProviderError
from reelvet_huawei import read
from reelvet_huawei.states import STATES, STATUSES

FIFTEEN = [
    "PENDING",
    "RECOVERING",
    "STARTING",
    "UPGRADING",
    "CREATE_FAILED",
    "START_FAILED",
    "RUNNING",
    "STOPPING",
    "STOPPED",
    "ABNORMAL",
    "SUCCEEDED",
    "FAILED",
    "DELETING",
    "FREEZING",
    "FROZEN",
]
BAD = {"CREATE_FAILED", "CREATE_FAIL", "START_FAILED", "FAILED", "ABNORMAL", "FROZEN"}


def task(state, **fields):
    return {"id": "f18320e61e4c4dc685aa2dfc22a28dc5", "name": "k", "state": state, **fields}


def test_the_fifteen_states_of_v2_are_all_known():
    assert set(FIFTEEN) <= set(STATES)


@pytest.mark.parametrize("state", STATES)
def test_each_state_of_v2_is_final_only_where_it_ends(moderator, state):
    result = moderator.normalize(task(state))
    wanted = {"SUCCEEDED": "succeeded", "STOPPED": "canceled"} | dict.fromkeys(BAD, "failed")
    assert result.status.final == (state in wanted)
    assert result.status == wanted.get(state, result.status)
    assert result.tasks[0].native_status == state
    assert bool(result.tasks[0].error) == (state in BAD)
    assert result.verdict != "pass"


@pytest.mark.parametrize("state", ["", "DONE", None, 7, "Succeeded!"])
def test_a_state_that_nobody_knows_is_not_finished(moderator, state):
    assert (moderator.normalize(task(state)).status, moderator.normalize(task(state)).verdict) == ("unknown", None)


def test_states_are_read_in_either_case(moderator):
    assert moderator.normalize(task(" running ")).status == "running"


@pytest.mark.parametrize("word", [*STATUSES, "Running", "canceled", None, 3])
def test_each_status_of_v3(moderator, word):
    result = moderator.normalize({"job_id": "j", "status": word})
    wanted = {"running": "running", "succeeded": "succeeded", "failed": "failed"}
    assert result.status == wanted.get(str(word).lower(), "unknown")


def test_a_failed_job_of_v3_says_that_the_vendor_gives_no_reason(moderator, sample):
    error = moderator.normalize(sample("SYNTHETIC_v3_query_failed")).tasks[0].error
    assert "gives no reason" in error.message
    assert issubclass(getattr(__import__("reelvet.errors", fromlist=["x"]), error.type), ProviderError)


def test_a_failed_task_of_v2_tells_what_the_vendor_tells(moderator, sample):
    error = moderator.normalize(sample("SYNTHETIC_v2_query_failed")).tasks[0].error
    assert (error.code, read.cause(error)) == ("ALG.002", "test")
    waits = moderator.normalize(task("FAILED", status="out of computing resource.")).tasks[0].error
    assert (waits.code, read.cause(waits)) == ("FAILED", "out of computing resource")
    bare = moderator.normalize(sample("v2_audio_list_failed")["tasks"][0])
    assert (bare.status, read.cause(bare.tasks[0].error)) == ("failed", "the vendor gives no reason")
    assert "frozen" in moderator.normalize(task("FROZEN")).tasks[0].error.message


@pytest.mark.parametrize(
    ("payload", "code", "says", "kind"),
    [({"job_id": "j", "status": "failed", "error_code": "AIS.0022", "error_msg": "bad url"}, "AIS.0022", "bad url. Check the media", "MediaRejected"),
     ({"job_id": "j", "status": "failed", "error": {"code": "X.1", "message": "why"}}, "X.1", "why", "ProviderError"),
     ({"job_id": "j", "status": "failed", "error_message": "why"}, None, "why", "ProviderError"),
     ({"job_id": "j", "status": "failed", "error": {"error_code": "ModelArts.4603"}}, "ModelArts.4603", "the vendor gives no reason", "MediaRejected"),
     (task("FAILED", error_code="IVA.0013", error_msg="agency"), "IVA.0013", "agency. Give the service its agency (delegation) for OBS.", "PermissionDenied"),
     (task("FAILED", error={"code": "ALG.002", "message": ""}, status="odd"), "ALG.002", "odd", "ProviderError")],
)  # fmt: skip
def test_a_failed_task_that_says_why_is_data_and_typed(moderator, payload, code, says, kind):
    result = moderator.normalize(payload)
    error = result.tasks[0].error
    assert (result.status, error.code, says in error.message, error.type) == ("failed", code, True, kind)


@pytest.mark.parametrize(
    "more", [{"error": {"code": "X", "message": "out of memory"}}, {"error_code": "AIS.0003"}, {"error_msg": "odd"}]
)
def test_an_error_beside_a_clean_result_clears_nothing(moderator, sample, more):
    v2 = sample("SYNTHETIC_v2_query_succeeded_clean") | {"service_config": {"common": {"categories": "porn"}}}
    for clean in (sample("SYNTHETIC_v3_query_succeeded_clean"), v2):
        assert moderator.normalize(clean | {"error": {}, "error_code": None, "error_msg": ""}).verdict == "pass"
        result = moderator.normalize(clean | more)
        assert {row.state for row in result.coverage} == {"not_evaluated"}
        assert result.verdict == "error"


@pytest.mark.parametrize(
    ("payload", "mend"),
    [
        (task("FAILED"), "Check that the media is there"),
        (task("FROZEN"), "Ask the vendor why"),
        ({"job_id": "j", "status": "failed"}, "Check that the media is there"),
    ],
)
def test_what_can_be_done_about_a_failed_task_is_in_its_error_and_a_warning(moderator, payload, mend):
    result = moderator.normalize(payload)
    (note,) = result.warnings
    assert (note.code, mend in note.says, note.says) == ("task_failed", True, result.tasks[0].error.message)


# --- where the result is ---


def hosted(sample, **changes):
    payload = sample("v2_query_succeeded_hits")
    payload["output"].pop("obs")
    payload["hosting_result"] = {k: v for k, v in (payload["hosting_result"] | changes).items() if v is not None}
    return payload


def test_a_result_that_is_not_generated_yet_is_waited_for(moderator, sample):
    waiting = moderator.normalize(hosted(sample, status="NOT_GENERATED", data=None))
    assert (waiting.status, waiting.verdict) == ("running", None)
    assert waiting.tasks[0].native_status == "SUCCEEDED NOT_GENERATED"
    assert moderator.normalize(hosted(sample, status="AVAILABLE", data=None)).status == "running"
    late = hosted(sample)
    del late["hosting_result"]
    assert moderator.normalize(late).status == "running"


@pytest.mark.parametrize(
    ("status", "kind", "says"),
    [("OVERDUE", "TaskNotFound", "48 hours"), ("DELETED_MISTAKENLY", "TaskNotFound", "deleted"), ("EXCEED_IN_SIZE", "ReplyTooLarge", "too large")],
)  # fmt: skip
def test_a_result_that_is_gone_is_a_typed_failure_with_what_is_known(moderator, sample, status, kind, says):
    result = moderator.normalize(hosted(sample, status=status, data=None))
    error = result.tasks[0].error
    assert (result.status, result.verdict, error.type, error.code) == ("failed", "error", kind, status)
    assert "the task succeeded" in error.message
    assert says in error.message
    assert "2019-03-28T10:32:32Z" in error.message
    assert "have them written to a bucket of yours" in error.message
    assert {row.state for row in result.coverage} == {"not_evaluated"}


@pytest.mark.parametrize("name", ["overdueDate", "overdue_date", "result_json_overdue_at"])
def test_the_end_of_a_result_is_read_under_each_of_its_names(moderator, sample, name):
    payload = hosted(sample, status="OVERDUE", data=None, overdueDate=None)
    payload["hosting_result"][name] = "2030-01-01"
    assert "2030-01-01" in moderator.normalize(payload).tasks[0].error.message


def test_a_hosted_result_of_an_unknown_status_is_not_finished(moderator, sample):
    assert moderator.normalize(hosted(sample, status="SOMETHING_NEW")).status == "unknown"


def test_a_result_in_a_bucket_of_the_callers_says_where_it_lies(moderator, sample):
    payload = sample("v2_query_running") | {"state": "SUCCEEDED"}
    result = moderator.normalize(payload)
    assert (result.status, result.verdict) == ("succeeded", "error")
    assert [(note.code, "obs://obs-iva/output/" in note.says) for note in result.warnings] == [
        ("result_elsewhere", True)
    ]
    assert "reelvet-huawei[obs]" in result.warnings[0].says
    assert all("obs://obs-iva/output/" in row.why for row in result.coverage if "language" not in row.why)


def test_a_hosted_result_that_is_gone_may_lie_in_a_bucket_too(moderator, sample):
    payload = sample("v2_query_succeeded_hits")
    payload["hosting_result"] = {"status": "OVERDUE"}
    result = moderator.normalize(payload)
    assert (result.status, [note.code for note in result.warnings]) == ("succeeded", ["result_elsewhere"])


def test_a_result_read_from_a_bucket_is_read_like_any_other(moderator, sample):
    payload = sample("v2_query_running") | {"state": "SUCCEEDED"}
    file = sample("v2_result_json_hits")
    provider = moderator._instance("huawei").provider
    ref = provider.recognize(payload).ref
    raw = read.raw_task(payload, ref=ref, attachments={read.RESULT: file})
    assert raw.status == "succeeded"
    report = provider.read(None, [raw])
    assert {finding.label for finding in report.findings} == {"spam.advertising"}


def test_an_item_of_the_list_has_no_result_and_is_none_the_less_done(moderator, sample):
    item = hosted(sample)
    del item["hosting_result"]
    ref = moderator._instance("huawei").provider.recognize(item).ref
    assert read.raw_task(item, ref=ref, is_listed=True).status == "succeeded"


def test_frames_are_evidence_where_they_were_kept(moderator, sample):
    payload = sample("v2_query_succeeded_hits")
    assert moderator.normalize(payload).findings[0].evidence is None  # upload is "false": none was written
    payload["service_config"]["common"]["upload"] = "true"
    finding = moderator.normalize(payload).findings[0]
    assert finding.evidence == "obs://obs-iva/output/taskrd16xsvl/92_ad.jpg"
    assert finding.native.extra["frame_img_path"] == "taskrd16xsvl/92_ad.jpg"
    payload["output"]["obs"]["path"] = ""
    assert moderator.normalize(payload).findings[0].evidence == "obs://obs-iva/taskrd16xsvl/92_ad.jpg"
    del payload["output"]["obs"]
    assert moderator.normalize(payload).findings[0].evidence is None


@pytest.mark.parametrize("flag", ["true", True, 1, "TRUE"])
def test_flags_are_read_as_words_and_as_booleans(moderator, sample, flag):
    payload = sample("SYNTHETIC_v2_query_succeeded_clean")
    payload["service_config"]["common"] |= {"use_ocr": flag, "use_sis": "false"}
    assert {row.channel for row in moderator.normalize(payload).coverage} == {"ocr"}


def test_a_result_that_is_no_json_is_not_taken_for_clean(moderator, sample):
    result = moderator.normalize(hosted(sample, data="{broken"))
    assert (result.status, result.verdict) == ("succeeded", "error")
    assert "unreadable_result" in {note.code for note in result.warnings}
    whole = moderator.normalize(
        hosted(sample, data=json.loads(sample("v2_query_succeeded_hits")["hosting_result"]["data"]))
    )
    assert len(whole.findings) == 2  # an object in place of the text
