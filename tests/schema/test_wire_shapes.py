"""Law 13: the shapes on the wire are permanent. They stand in other people's databases."""

import json
from datetime import UTC, datetime

import pytest

from reelvet.schema.errors import InvalidJob, JobFailed
from reelvet.schema.media import Channel
from reelvet.schema.plan import Plan
from reelvet.schema.result import CoverageState, ModerationResult, Relation, TaskRecord, Verdict
from reelvet.schema.task import RawTask, Status, TaskRef
from reelvet.schema.ticket import TaskState, Ticket

RESULT = {
    "schema": 1,
    "key": "3f0a9c1e-5b51-4e43-9f4b-0b7c7a1d2e10",
    "provider": "tencent", "instance": "tencent", "sandbox": False,
    "status": "succeeded",
    "verdict": "block",
    "transcribes_only": False,
    "decisions": {"default": "block"},
    "reasons": [{"policy": "default", "provider": "tencent", "label": "sexual.partial_nudity.male_chest", "score": 0.97, "threshold": 0.8, "says": "block", "why": "score at or above threshold"}],
    "findings": [
        {"label": "sexual.partial_nudity.male_chest", "relation": "close", "channel": "visual", "score": 0.97,
         "start": 5.0, "end": None, "at_date": None, "frame": None,
         "box": {"x": 10, "y": 20, "width": 30, "height": 40, "unit": "px", "rotation": 0}, "text": None, "matches": [],
         "suggestion": "block", "evidence": "https://cdn.example.com/shot.jpg", "evidence_expires": None,
         "native": {"field": "ImageSegments[1].Result.Results[0]", "label": "Sexy", "sub_label": "MenNudity", "score": 97, "scale": "0-100", "extra": {}},
         "provider": "tencent", "task": "w-video-1"}
    ],
    "coverage": [{"label": "sexual.partial_nudity.male_chest", "channel": "visual", "state": "hit", "floor": None, "through": 36.0, "provider": "tencent", "why": None}],
    "transcripts": [{"language": "en", "translated_from": None, "text": "hello", "vtt": None, "segments": [{"start": 0.03, "end": 3.83, "text": "hello"}], "task": "w-video-1"}],
    "media": {"source": "https://cdn.example.com/clip.mp4?***", "kind": "video", "duration": 36.0, "width": None, "height": None, "sampling": "vendor default", "largest_gap": None},
    "usage": [{"provider": "tencent", "task": "w-video-1", "billed_seconds": None, "requests": 4}],
    "tasks": [{"provider": "tencent", "instance": "tencent", "id": "w-video-1", "status": "succeeded", "native_status": "FINISH", "request_ids": ["r-1"], "error": None, "raw": {}, "attachments": {}}],
    "versions": {"reelvet": "0.1.0", "taxonomy": "1", "label_map": "tencent 2026-11", "policy": "default@sha256:00"},
    "created_at": "2026-11-20T10:00:00Z", "finished_at": "2026-11-20T10:01:00Z", "user": None, "metadata": {},
    "warnings": [{"code": "unrefined_label", "says": "the sub-label is not known"}],
}  # fmt: skip

TICKET = {
    "schema": 1, "key": "k", "attempt": 2, "provider": "tencent", "instance": "tencent-cn", "api": "VM", "region": "ap-guangzhou",
    "submitted_at": "2026-11-20T10:00:00Z", "media": {"source": "https://h/a?***", "digest": "sha256:00"}, "asks": {"visual": ["sexual"]},
    "tasks": [
        {"ref": {"id": "t-1", "name": "one", "category": "video", "extra": {"zone": "a"}}, "state": "created", "category": "video", "error": None, "answer": None},
        {"ref": {"id": ""}, "state": "not_created", "category": "audio", "error": {"code": "X", "message": "no", "type": "InvalidRequest", "retryable": False}},
        {"ref": {"id": ""}, "state": "unknown"},
    ],
}  # fmt: skip

PLAN = {
    "provider": "tencent", "instance": "tencent",
    "tasks": [{"name": "one", "category": "v", "vendor_key": "k", "payload": {"a": [1]}, "looks_for": {"visual": ["sexual"]}, "share_key": "s"}],
    "requests": [{"method": "POST", "path": "/", "query": {}, "headers": {"X-TC-Action": "CreateVideoModerationTask"}, "body": {"Tasks": []}}],
    "coverage": [{"label": "sexual", "channel": "visual", "state": "planned"}, {"label": "sexual", "channel": "ocr", "state": "not_evaluated", "clearable": False}],
    "unsupported": [{"field": "detect", "says": "no", "alternatives": ["sexual"]}], "warnings": [{"code": "wish_ignored", "says": "interval"}],
    "price_class": "paid", "estimate": {"amount": "0.50", "currency": "USD"},
}  # fmt: skip

# Whose keys are data and no fields; and `estimate`, which is an amount.
MAPS = {"asks", "decisions", "versions", "estimate", "headers", "looks_for"}
LATER = {"added_in_2031": {"deep": [1, None]}}
DOCUMENTS = [(ModerationResult, RESULT), (Ticket, TICKET), (Plan, PLAN)]


def holds(whole, part):
    """Whether everything of `part` stands in `whole` unchanged; `whole` may say more."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(key in whole and holds(whole[key], part[key]) for key in part)
    if isinstance(part, list):
        return len(whole) == len(part) and all(holds(w, p) for w, p in zip(whole, part, strict=True))
    return whole == part


def sprinkled(value):
    """The same document as a later version may write it: one more field in every object that has fields."""
    if isinstance(value, dict):
        return {**{key: item if key in MAPS else sprinkled(item) for key, item in value.items()}, **LATER}
    return [sprinkled(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(("shape", "document"), DOCUMENTS)
def test_a_document_is_read_and_written_as_it_was(shape, document):
    """Every key and value of the documented shape comes back, under its documented name."""
    read = shape.model_validate_json(json.dumps(document))
    for dumped in (
        read.dump(),
        json.loads(read.dump_json()),
        read.model_dump(mode="json"),
        json.loads(read.model_dump_json()),
    ):
        assert holds(dumped, document)
    assert shape.model_validate_json(read.dump_json(signed_urls=True)) == read


def test_a_result_has_exactly_the_documented_keys():
    """Nothing of the first level was added without being said, and none is missing."""
    assert set(ModerationResult.model_validate(RESULT).dump()) == set(RESULT)
    assert set(ModerationResult(key="k", status="queued").dump()) == set(RESULT)


@pytest.mark.parametrize(("shape", "document"), DOCUMENTS)
def test_fields_of_a_newer_version_are_kept(shape, document):
    """An older reelvet in the middle must not drop what a newer one wrote."""
    newer = sprinkled(document)
    again = json.loads(shape.model_validate_json(json.dumps(newer)).dump_json())
    assert again["added_in_2031"] == {"deep": [1, None]}
    assert again["tasks"][0]["added_in_2031"] == {"deep": [1, None]}
    assert holds(again, newer)


def test_times_are_utc_and_typed():
    """ISO 8601 on the wire, aware moments in code."""
    result = ModerationResult.model_validate(RESULT)
    assert result.created_at == datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert result.dump()["created_at"] == "2026-11-20T10:00:00Z"


@pytest.mark.parametrize(
    ("enum", "words"),
    [
        (Status, ["queued", "running", "succeeded", "partial", "failed", "canceled", "unknown"]),
        (Verdict, ["pass", "review", "error", "block"]),
        (CoverageState, ["hit", "clean", "below_floor", "not_evaluated", "planned"]),
        (Channel, ["visual", "ocr", "speech", "sound"]),
        (Relation, ["exact", "close", "broad", "narrow", "none"]),
        (TaskState, ["created", "not_created", "unknown"]),
    ],
)
def test_the_words_of_the_wire_are_permanent(enum, words):
    """Renaming one would break every stored result."""
    assert [str(word) for word in enum] == words


@pytest.mark.parametrize(
    ("status", "final"),
    [("queued", False), ("running", False), ("unknown", False), ("succeeded", True), ("partial", True), ("failed", True), ("canceled", True)],
)  # fmt: skip
def test_an_unknown_status_is_not_finished(status, final):
    """Law 1: what nobody understands is still going on."""
    assert Status(status).final is final


@pytest.mark.parametrize(
    ("verdicts", "worst"),
    [(["pass", "review"], "review"), (["review", "error"], "error"), (["error", "block", "pass"], "block"), ([], None), (["pass"], "pass")],
)  # fmt: skip
def test_the_gravest_verdict_wins(verdicts, worst):
    """block > error > review > pass."""
    assert Verdict.worst(map(Verdict, verdicts)) == worst


@pytest.mark.parametrize("score", [-0.1, 1.0000001, 97, float("nan"), float("inf"), "1.2", 10**400])
def test_a_score_outside_0_to_1_is_none_and_the_rest_stays(score):
    """Law 4: a score that cannot be is not bent into one that can. Law 2: nothing else is lost for it."""
    finding = {**RESULT["findings"][0], "score": score}
    result = ModerationResult.model_validate({**RESULT, "findings": [finding, *RESULT["findings"]]})
    assert [found.score for found in result.findings] == [None, RESULT["findings"][0]["score"]]
    assert result.findings[0].native.score == finding["native"]["score"]


@pytest.mark.parametrize("score", ["high", [0.5], {}])
def test_a_score_that_is_no_number_is_refused(score):
    """That is a bug of whoever made the finding."""
    with pytest.raises(ValueError, match="score"):
        ModerationResult.model_validate({**RESULT, "findings": [{**RESULT["findings"][0], "score": score}]})


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"key": "k", "status": "done"}', b"\xff"])
def test_text_that_is_no_result_is_told_so(text):
    """With the faulty fields, without a traceback of pydantic."""
    with pytest.raises(InvalidJob, match="not a moderation result"):
        ModerationResult.parse(text)


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.SUCCEEDED])
def test_or_raise_raises_for_all_but_success(status):
    """A failed job is data until somebody asks for an exception; the result is attached."""
    failed = ModerationResult(
        key="k", status=status,
        tasks=(TaskRecord(provider="p", id="t", status="failed", error={"code": "X", "message": "broke"}),),
    )  # fmt: skip
    with pytest.raises(JobFailed, match="t: broke") as caught:
        failed.or_raise()
    assert caught.value.result is failed
    assert caught.value.status == status
    assert ModerationResult(key="k", status="succeeded").or_raise().key == "k"


def test_a_task_record_keeps_everything_the_vendor_said():
    """Law 2: raw payload, attachments, native status and request ids go from the task into the result."""
    raw = RawTask(ref=TaskRef(id="t"), status="failed", native_status="OOPS", payload={"a": 1}, attachments={"p": 2}, request_ids=("r",), error={"code": "X"})  # fmt: skip
    record = TaskRecord.of(raw, provider="acme", instance="acme-eu")
    assert (record.id, record.status, record.native_status, record.raw, record.attachments, record.request_ids, record.error.code) == (
        "t", "failed", "OOPS", {"a": 1}, {"p": 2}, ("r",), "X",
    )  # fmt: skip


def test_a_plan_promises_only_what_is_planned():
    """`asks` is what the ticket keeps: planned rows alone, by channel."""
    assert Plan.model_validate(PLAN).asks == {"visual": ["sexual"]}
