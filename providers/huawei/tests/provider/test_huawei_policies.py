"""Policies kept in the vendor's console, which decide by themselves what is looked for."""

from __future__ import annotations

import pytest

from reelvet import ModerationJob
from reelvet.schema.errors import UnknownLabel

URL = "https://b.obs.cn-north-4.myhuaweicloud.com/clip.mp4"
ABUSE, SPAM, TERROR = "harassment.abuse", "spam.advertising", "extremism.terrorism"


def job(**fields):
    return ModerationJob(**{"media": URL, "key": "key-1", "language": "zh"} | fields)


def body(plan):
    (task,) = plan.tasks
    return task.payload


@pytest.fixture
def governed(configured):
    covers = [
        {"labels": ["sexual", TERROR], "channels": ["visual"]},
        {"labels": [ABUSE], "channels": ["ocr", "speech"]},
    ]
    return configured(biz_type="strict", biz_types={"strict": {"covers": covers}})


def test_a_policy_of_the_console_decides_and_its_declaration_is_its_coverage(governed):
    plan = governed.plan(job(detect=["sexual", ABUSE, SPAM], channels=["visual", "ocr", "speech"]))
    assert body(plan) == {"data": {"url": URL, "language": "zh"}, "biz_type": "strict"}
    states = {(row.label, row.channel.value): (row.state.value, row.clearable) for row in plan.coverage}
    assert states["sexual", "visual"] == states[ABUSE, "ocr"] == states[ABUSE, "speech"] == ("planned", True)
    assert states["sexual", "speech"][0] == states[SPAM, "ocr"][0] == "not_evaluated"
    assert not [note for note in plan.warnings if note.code == "filler_category"]


def test_what_a_policy_saw_is_read_by_its_declaration(governed, sample):
    payload = sample("SYNTHETIC_v3_query_succeeded_clean")
    payload["request_params"] = {"data": {"url": "x"}, "biz_type": "strict"}
    asked = job(detect=["sexual", ABUSE, SPAM], channels=["visual", "ocr"], on_unsupported="skip")
    result = governed.normalize(payload, job=asked)
    states = {(row.label, row.channel.value): row.state.value for row in result.coverage}
    assert states["sexual", "visual"] == states[ABUSE, "ocr"] == "clean"
    assert states[SPAM, "ocr"] == "not_evaluated"


def test_what_a_policy_saw_is_told_without_a_job_too(governed, sample):
    payload = sample("SYNTHETIC_v3_query_succeeded_clean")
    payload["request_params"] = {"data": {"url": "x"}, "biz_type": "strict"}
    places = {(row.label, row.channel.value): row.state.value for row in governed.normalize(payload).coverage}
    assert places == {("extremism.terrorism", "visual"): "clean", ("sexual", "visual"): "clean"} | {
        (ABUSE, channel): "not_evaluated"
        for channel in ("ocr", "speech")  # nobody said the language
    }
    payload["request_params"]["biz_type"] = "another"
    assert governed.normalize(payload).coverage == ()


def test_a_plan_for_one_api_says_nothing_of_a_reply_of_the_other(moderator, v2, sample):
    file = sample("v2_result_json_hits")
    file["result"] |= {"frames": [], "voices": [], "suggestion": "pass"}
    asked = job(detect=[ABUSE], channels=["speech"])
    assert moderator.normalize(file, job=asked).verdict == "error"
    assert v2.normalize(file, job=asked).verdict == "pass"
    clean = sample("SYNTHETIC_v3_query_succeeded_clean") | {"request_params": {}}
    assert v2.normalize(clean, job=asked).verdict == "error"
    assert moderator.normalize(clean, job=asked).verdict == "pass"


def test_a_policy_that_nobody_declared_promises_nothing(configured):
    plan = configured(biz_type="other").plan(job(detect=["sexual"]))
    assert "nobody said what the policy 'other' looks at" in plan.unsupported[0].says
    assert "biz_types.other" in plan.unsupported[0].alternatives[0]
    anyway = configured(biz_type="other").plan(job(detect=["sexual"], on_unsupported="skip"))
    assert body(anyway)["biz_type"] == "other"
    assert {row.state for row in anyway.coverage} == {"not_evaluated"}


def test_a_job_may_name_another_policy_or_none(governed):
    assert body(governed.plan(job(options={"huawei": {"biz_type": "x"}}, on_unsupported="skip")))["biz_type"] == "x"
    plain = governed.plan(job(detect=["sexual"], options={"huawei": {"event_type": "live"}}))
    assert body(plain)["event_type"] == "live"
    assert "biz_type" not in body(plain)


def test_a_label_that_is_in_no_taxonomy_stops_the_start(configured):
    with pytest.raises(UnknownLabel, match="covers"):
        configured(biz_type="p", biz_types={"p": {"covers": [{"labels": ["sexul"], "channels": ["visual"]}]}})
