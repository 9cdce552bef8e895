"""States, verdicts and labels, and what they may be taken for."""

from __future__ import annotations

import pytest

from reelvet import CoverageState, ModerationJob, Verdict
from reelvet_tencent.errors import FAILURES

# --- states ---


@pytest.mark.parametrize(
    ("word", "status"),
    [("PENDING", "queued"), ("RUNNING", "running"), ("FINISH", "succeeded"), ("ERROR", "failed"), ("CANCELLED", "canceled"),
     ("FINISHED", "unknown"), ("CANCELED", "unknown"), ("a new word", "unknown"), ("", "unknown"), (None, "unknown"), (3, "unknown")],
)  # fmt: skip
def test_every_documented_status_and_no_other(moderator, sample, word, status):
    payload = sample("composed_clean")
    payload["Response"]["Status"] = word
    result = moderator.normalize(payload)
    assert result.status == status
    assert (result.verdict is None) == (not result.status.final)


@pytest.mark.parametrize("row", FAILURES, ids=lambda row: row.code)
def test_every_reason_of_a_failure_is_typed(moderator, sample, row):
    payload = sample("composed_error")
    payload["Response"] |= {"ErrorType": row.code, "ErrorDescription": "InvalidArgument"}
    error = moderator.normalize(payload).tasks[0].error
    assert (error.code, error.type, error.retryable) == (row.code, row.error.__name__, row.retryable)
    assert "InvalidArgument" in error.message


def test_a_reason_that_nobody_knows_is_kept(moderator, sample):
    payload = sample("composed_error")
    payload["Response"] |= {"ErrorType": "COSMIC_RAYS", "ErrorDescription": ""}
    error = moderator.normalize(payload).tasks[0].error
    assert (error.code, error.type, error.retryable) == ("COSMIC_RAYS", "ProviderError", None)
    payload["Response"]["ErrorType"] = ""
    assert moderator.normalize(payload).tasks[0].error.message == "the vendor gives no reason"


@pytest.mark.parametrize(("said", "hint"), [(120, 120.0), (0, None), (None, None), ("30", 30.0), (-1, None)])
def test_the_vendors_hint_when_to_ask_again(moderator, sample, said, hint):
    payload = sample("detail_running_20210922_cn")
    payload["Response"]["TryInSeconds"] = said
    assert moderator._instance("tencent").provider.recognize(payload).poll_after == hint


def test_a_task_that_waits_says_for_what(moderator, sample):
    notes = {note.code: note.says for note in moderator.normalize(sample("composed_pending")).warnings}
    assert notes["queued"] == "queued: the vendor runs 10 at a time"


# --- verdicts and labels ---


def finished(sample, **fields):
    payload = sample("composed_clean")
    payload["Response"] |= fields
    return payload


def picture(**fields):
    result = {
        "HitFlag": 1,
        "Label": "Porn",
        "SubLabel": "",
        "Suggestion": "Block",
        "Score": 90,
        "Results": [],
        "Url": "",
        **fields,
    }
    return {"OffsetTime": "3", "Result": result}


@pytest.mark.parametrize("word", ["UNSPECIFIED", "", None, "Passed", "PASS", "ok"])
def test_what_is_no_verdict_clears_nothing(moderator, sample, word):
    result = moderator.normalize(finished(sample, Suggestion=word))
    assert {row.state for row in result.coverage} == {CoverageState.NOT_EVALUATED}
    assert result.verdict is not Verdict.PASS
    strange = word not in {"UNSPECIFIED", "", None}
    assert ("unknown_verdict" in {note.code for note in result.warnings}) == strange


@pytest.mark.parametrize(
    ("fields", "labels", "verdict"),
    [({"Suggestion": "Block"}, ["unmapped"], "block"),
     ({"Suggestion": "Block", "Label": "Porn"}, ["sexual.explicit.pornography", "sexual.explicit.pornography"], "block"),
     ({"Label": "Porn"}, ["sexual.explicit.pornography"], "review"),
     ({"ImageSegments": [picture()]}, ["sexual.explicit.pornography"], "block"),
     ({"ImageSegments": [picture(HitFlag=0, Suggestion="Block")]}, ["sexual.explicit.pornography"], "block"),
     ({"ImageSegments": [picture(HitFlag=1, Suggestion="Pass", Score=10)], "Suggestion": "Block"}, ["sexual.explicit.pornography", "unmapped"], "block"),
     ({"ImageSegments": [{"OffsetTime": "3"}]}, ["unmapped"], "review"),
     ({"ImageSegments": ["?"]}, ["unmapped"], "review"),
     ({"AudioSegments": [{"OffsetTime": "3", "Result": None}]}, ["unmapped"], "review")],
)  # fmt: skip
def test_where_a_reply_contradicts_itself_the_worst_wins(moderator, sample, fields, labels, verdict):
    result = moderator.normalize(finished(sample, **fields))
    assert [finding.label for finding in result.findings] == labels
    assert result.verdict == verdict


@pytest.mark.parametrize(
    ("words", "found", "code"),
    [(("Porn", "Anus"), "sexual.explicit.nudity_anus", None), (("Sexy", "MenNudity"), "sexual.partial_nudity.male_chest", None),
     (("Porn", "NewWord"), "sexual.explicit.pornography", "unrefined_label"), (("Porn", "Others"), "sexual.explicit.pornography", None),
     (("Terrorism", ""), "extremism.terrorism", None), (("Hot", ""), "unmapped", "unmapped"), (("Hot", "Anus"), "unmapped", "unmapped"),
     (("Teenager", "MinorsPorn"), "child_safety.sexual.abuse", None), (("Teenager", "NewWord"), "unmapped", "unmapped"), (("Teenager", ""), "unmapped", "unmapped"),
     (("", "Anus"), "unmapped", "unmapped"), (("Abuse", "Abuse"), "harassment.abuse", None)],
)  # fmt: skip
def test_labels_and_sub_labels(moderator, sample, words, found, code):
    label, sub_label = words
    segment = picture(Label=label, SubLabel=sub_label)
    result = moderator.normalize(finished(sample, Suggestion="Block", ImageSegments=[segment]))
    assert [finding.label for finding in result.findings] == [found]
    assert result.verdict is Verdict.BLOCK
    assert {note.code for note in result.warnings} & {"unmapped", "unrefined_label"} == ({code} if code else set())
    native = result.findings[0].native
    assert (native.label or "", native.sub_label or "", native.score, native.scale) == (label, sub_label, 90, "0-100")


def test_one_finding_per_deepest_hit_and_a_parent_only_where_no_child_repeats_it(moderator, sample):
    detail = {"Label": "Ad", "Suggestion": "Review", "Score": 70, "Text": "call me", "Keywords": ["call"]}
    scene = {"HitFlag": 1, "Scene": "OCR", "Label": "Ad", "Suggestion": "Review", "Score": 70, "Details": [detail]}
    segment = picture(Results=[scene, {"HitFlag": 0, "Label": "Normal", "Suggestion": "Pass", "Score": 0}])
    found = moderator.normalize(finished(sample, Suggestion="Block", ImageSegments=[segment])).findings
    assert [(f.label, f.channel, f.score, f.native.field) for f in found] == [
        ("spam.advertising", "ocr", 0.7, "ImageSegments[0].Result.Results[0].Details[0]"),
        ("sexual.explicit.pornography", "visual", 0.9, "ImageSegments[0].Result"),
    ]


def test_a_child_that_says_it_more_mildly_does_not_speak_for_its_parent(moderator, sample):
    scene = {"HitFlag": 1, "Scene": "Porn", "Label": "Porn", "Suggestion": "Review", "Score": 40, "Details": []}
    result = moderator.normalize(finished(sample, Suggestion="Review", ImageSegments=[picture(Results=[scene])]))
    assert [(f.suggestion, f.native.field) for f in result.findings] == [
        ("review", "ImageSegments[0].Result.Results[0]"),
        ("block", "ImageSegments[0].Result"),
    ]
    assert result.verdict is Verdict.BLOCK


@pytest.mark.parametrize(
    ("score", "unified"), [(0, 0.0), (100, 1.0), ("97", 0.97), (101, None), ("high", None), (None, None)]
)
def test_scores_are_rescaled_and_never_invented(moderator, sample, score, unified):
    result = moderator.normalize(finished(sample, Suggestion="Block", ImageSegments=[picture(Score=score)]))
    assert (result.findings[0].score, result.findings[0].native.score) == (unified, score)


def test_a_quarantined_label_blocks_whatever_its_score(moderator, sample):
    segment = picture(Label="Porn", SubLabel="NakedChild", Score=1, Suggestion="Review")
    assert moderator.normalize(finished(sample, ImageSegments=[segment])).verdict is Verdict.BLOCK


def test_a_task_that_looks_for_generated_media_says_so_of_whatever_it_finds(moderator, sample):
    payload = sample("composed_aigc")
    assert [finding.label for finding in moderator.normalize(payload).findings] == ["synthetic.ai_generated"]
    payload["Response"] |= {"Labels": [], "Label": ""}
    assert [finding.label for finding in moderator.normalize(payload).findings] == ["synthetic.ai_generated"]
    payload["Response"] |= {"Suggestion": "Pass", "Label": "Normal"}
    clean = moderator.normalize(payload)
    assert [(row.label, row.state) for row in clean.coverage] == [("synthetic.ai_generated", CoverageState.CLEAN)]


# --- what is not declared ---


def test_nothing_passes_on_a_policy_that_nobody_declared(moderator, sample):
    result = moderator.normalize(finished(sample, BizType="other"))
    assert result.verdict is Verdict.ERROR
    assert "undeclared_policy" in {note.code for note in result.warnings}


def test_only_what_is_declared_is_cleared(moderator, sample):
    job = ModerationJob(media="https://cdn.example.com/clip.mp4", detect=["sexual", "gambling"], on_unsupported="skip")
    result = moderator.normalize(sample("composed_clean"), job=job)
    states = {(row.label, row.channel.value): row.state for row in result.coverage}
    assert states["sexual.suggestive", "visual"] is CoverageState.CLEAN
    assert states["gambling", "visual"] is CoverageState.NOT_EVALUATED


def test_a_callback_full_of_hits_says_nothing_of_the_rest(moderator, sample):
    payload = sample("composed_callback_finish")
    payload["ImageSegments"] *= 30
    rows = moderator.normalize(payload).coverage
    assert {row.state for row in rows if row.channel == "visual"} == {CoverageState.HIT, CoverageState.NOT_EVALUATED}
    fetched = moderator.normalize({"Response": payload})
    assert CoverageState.NOT_EVALUATED not in {row.state for row in fetched.coverage}


# --- what is said in a stream ---


def test_what_is_said_in_a_stream_is_not_cut_where_the_vendor_gives_all_of_it(moderator, sample):
    """`AudioText` has the first 1000 characters; `Asrs` go on."""
    payload = sample("composed_live_finish")
    said = [f"number {n} of what is said" for n in range(60)]
    payload["Response"] |= {"AudioText": " ".join(said)[:1000], "Asrs": [{"Text": text} for text in said]}
    result = moderator.normalize(payload)
    assert [transcript.text for transcript in result.transcripts] == [" ".join(said)]
    assert "transcript_cut" not in {note.code for note in result.warnings}
