"""Gcore's published replies, each with the unified result it must become.

The expectations are files beside the samples, written by `python providers/gcore/tests/provider/test_gcore_replies.py`
and read by a person before they are committed.
"""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path

import pytest

from reelvet import AsyncModerator, Config, CoverageState, ModerationJob, Verdict
from reelvet.schema.errors import InvalidJob
from reelvet_gcore.wire import RAW_ONLY

HERE = Path(__file__).parents[1]
REPLIES = HERE / "samples" / "replies"
EXPECTED = HERE / "expected"
NAMES = sorted(path.stem for path in EXPECTED.glob("*.json"))
OTHERS = sorted({path.stem for path in REPLIES.glob("*.json")} - set(NAMES))
"""Replies of other endpoints, and errors: none of them is a task."""

VOLATILE = {
    "key",
    "created_at",
    "finished_at",
    "versions",
    "tasks",
    "schema",
    "provider",
    "instance",
    "user",
    "metadata",
}


def unified(result):
    told = {name: value for name, value in result.dump().items() if name not in VOLATILE}
    told["tasks"] = [{k: v for k, v in task.items() if k not in {"raw", "instance"}} for task in result.dump()["tasks"]]
    return told


def load(name):
    return json.loads((REPLIES / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", NAMES)
def test_each_published_reply_becomes_the_unified_result_that_is_written_down(moderator, name):
    result = moderator.normalize(load(name))
    assert unified(result) == json.loads((EXPECTED / f"{name}.json").read_text(encoding="utf-8"))
    assert result.tasks[0].raw == load(name)


@pytest.mark.parametrize("name", OTHERS)
def test_replies_of_other_endpoints_are_told_from_tasks(moderator, name):
    with pytest.raises(InvalidJob, match=r"no reply of Gcore's to 'get task'.* GET /streaming/ai/tasks"):
        moderator.normalize(load(name))


def test_there_is_an_expectation_for_every_reply_to_get_task():
    index = (HERE / "samples" / "INDEX.md").read_text(encoding="utf-8")
    tasks = re.findall(r"\| (\S+)\.json \| GET /streaming/ai/(?:tasks/\{task_id\}|results/\{task_id\}) \| 200", index)
    assert len(tasks) > 25
    assert set(tasks) <= set(NAMES)


# --- nothing is lost, and no change of a leaf makes a hit harmless ---


def leaves(value, path=()):
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))
    if path:
        yield path


def changed(payload, path, how):
    payload = copy.deepcopy(payload)
    place = payload
    for step in path[:-1]:
        place = place[step]
    if how == "dropped":
        del place[path[-1]]
    elif how == "renamed":
        if isinstance(place, list):
            place[path[-1]] = {"renamed": place[path[-1]]}
        else:
            place[f"new_{path[-1]}"] = place.pop(path[-1])
    else:
        place[path[-1]] = how
    return payload


def other(value):
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value / 2 + 1 if value > 1 else 0.45
    return (
        "2025-01-01T00:00:00Z"
        if re.match(r"\d{4}-", str(value))
        else "00:01:01.500"
        if ":" in str(value)
        else f"{value}x"
    )


LEAVES = [(name, path) for name in NAMES for path in leaves(load(name))]


@pytest.mark.parametrize(
    ("name", "path"), LEAVES, ids=lambda value: ".".join(map(str, value)) if isinstance(value, tuple) else value
)
def test_every_leaf_is_mapped_or_kept_raw_with_a_reason(moderator, name, path):
    payload = load(name)
    value = payload
    for step in path:
        value = value[step]
    if isinstance(value, dict | list) or value is None:
        return
    plain = re.sub(r"\.\d+", "", ".".join(map(str, path)))
    before = moderator.normalize(payload)
    try:
        after = moderator.normalize(changed(payload, path, other(value)))
    except InvalidJob:
        return  # it no longer is such a reply, which is said
    told = [[json.loads(r.dump_json())[n] for n in ("status", "verdict", "findings", "coverage", "transcripts", "warnings", "usage")]
            + [[t.native_status, t.id, t.error and t.error.message] for t in r.tasks] for r in (before, after)]  # fmt: skip
    assert told[0] != told[1] or plain in RAW_ONLY or is_overruled(name, plain)


def is_overruled(name, plain):
    """What another place says already, and more surely; each has a test of its own below."""
    return plain.rpartition(".")[2] in {"detection_results", "client_entity_data"} or (name, plain) in {
        ("composed_get_hard_nudity_success", "task_data.stop_objects"),  # its other tag has no threshold
        ("composed_get_soft_nudity_success", "task_data.stop_objects"),
        ("composed_get_transcription_success", "task_data.audio_language"),  # the reply lists what was heard
    }


def test_what_is_kept_raw_only_is_named_with_a_reason():
    assert all(len(reason) > 10 for reason in RAW_ONLY.values())
    known = {re.sub(r"\.\d+", "", ".".join(map(str, path))) for _, path in LEAVES}
    assert {"task_data.client_user_id", "task_name"} >= set(RAW_ONLY) - known


HITS = ["composed_get_nsfw_success", "composed_get_hard_nudity_success", "prose_get_nsfw_success"]


@pytest.mark.parametrize("how", ["dropped", "renamed", None, "a word", 7, {}, [], True, [{}], float("nan")], ids=repr)
@pytest.mark.parametrize("name", HITS)
def test_no_change_of_a_leaf_crashes_or_turns_a_hit_into_a_pass(moderator, name, how):
    payload = load(name)
    for path in leaves(payload):
        if how == "dropped" and isinstance(path[-1], int):
            continue  # one hit fewer is another video
        mutated = changed(payload, path, how)
        try:
            result = moderator.normalize(mutated)
        except InvalidJob:
            assert path[0] in {"status", "task_data", "result"}
            continue
        assert result.verdict is not Verdict.PASS, path
        assert not result.status.final or result.verdict is not None, path


@pytest.mark.parametrize("how", ["dropped", "renamed", None, "a word", 7, {}, True], ids=repr)
def test_a_clean_reply_that_is_not_whole_does_not_pass(moderator, sample, how):
    payload = sample("composed_get_nsfw_empty")
    assert moderator.normalize(payload).verdict is Verdict.PASS
    for path in (
        ("result",),
        ("status",),
        ("result", "frames"),
        ("result", "detection_results"),
        ("result", "nsfw_detected"),
    ):
        try:
            assert moderator.normalize(changed(payload, path, how)).verdict is not Verdict.PASS, path
        except InvalidJob:
            assert path[0] != "result" or len(path) == 1


@pytest.mark.parametrize("word", ["a new word", "Succeeded?", "", None, 3])
def test_an_unknown_status_is_not_finished(moderator, sample, word):
    result = moderator.normalize({**sample("composed_get_nsfw_success"), "status": word})
    assert (result.status, result.verdict) == ("unknown", None)


@pytest.mark.parametrize(
    ("word", "progress", "status"),
    [("RECEIVED", 0, "queued"), ("PENDING", 0, "queued"), ("PENDING", 40, "running"), ("RETRY", 0, "queued"), ("STARTED", 50, "running"),
     ("SUCCESS", 100, "succeeded"), ("FAILURE", 100, "failed"), ("REVOKED", 0, "canceled"), ("REVOKE", 0, "canceled"),
     ("Success", 100, "succeeded"), ("Processing", 0, "running"), (" Failure ", 0, "failed")],
)  # fmt: skip
def test_every_documented_status_and_spelling(moderator, word, progress, status):
    assert moderator.normalize({"task_id": "t", "status": word, "progress": progress, "result": None}).status == status


def test_a_failure_carries_its_reason(moderator, sample):
    result = moderator.normalize(sample("composed_get_failure_filetype"))
    error = result.tasks[0].error
    assert (error.type, error.retryable) == ("MediaRejected", False)
    assert error.message == "Unsupported file type: https://domain.com/video.zip"
    assert "Unsupported file type" in result.coverage[0].why
    assert result.usage[0].billed_seconds == 0.0
    unknown = moderator.normalize({"task_id": "t", "status": "FAILURE", "result": {"error": "cosmic rays"}})
    assert (unknown.tasks[0].error.type, unknown.tasks[0].error.retryable) == ("ProviderError", None)
    mute = moderator.normalize({"task_id": "t", "status": "FAILURE", "result": None})
    assert mute.tasks[0].error.message == "the vendor gives no reason"


def task(category, result, **data):
    return {
        "task_id": "t", "status": "SUCCESS", "progress": 100,
        "task_data": {"task_name": "content-moderation", "category": category, **data}, "result": result,
    }  # fmt: skip


def frames(flag, *items):
    return {
        flag: bool(items),
        "detection_results": sorted({label for label, *_ in items}),
        "frames": [{"label": label, "confidence": c, "frame_number": n} for label, c, n in items],
    }


def test_unknown_labels_and_categories_are_unmapped_and_never_pass(moderator):
    new = moderator.normalize(task("sport", frames("sport_detected", ("chess boxing", 0.9, 1))))
    assert [(f.label, f.native.label) for f in new.findings] == [("unmapped", "chess boxing")]
    assert new.verdict is Verdict.REVIEW
    gone = moderator.normalize(task("weapon", frames("weapon_detected", ("gun", 0.9, 1))))
    assert (gone.findings[0].label, gone.verdict) == ("unmapped", Verdict.ERROR)  # nothing that is known was looked for
    assert {note.code for note in gone.warnings} == {"unmapped"}
    empty = moderator.normalize(task("weapon", frames("weapon_detected")))
    assert empty.verdict is Verdict.ERROR


def test_the_withdrawn_category_for_children_blocks(moderator):
    found = frames("child_pornography_detected", ("FACE_MALE", 0.9, 1))
    found["frames"][0] |= {"age": "3-9", "age_confidence": 0.8}
    result = moderator.normalize(task("child_pornography", found))
    assert "child_safety.sexual" in {f.label for f in result.findings}
    assert result.verdict is Verdict.BLOCK
    assert result.findings[0].native.extra == {"age": "3-9", "age_confidence": 0.8}


@pytest.mark.parametrize(
    ("category", "result", "labels"),
    [("nsfw", {"nsfw_detected": True, "detection_results": [], "frames": []}, ["sexual.explicit.pornography"]),
     ("hard_nudity", {"nudity_detected": True, "detection_results": [], "frames": []}, ["sexual"]),
     ("soft_nudity", {"nudity_detected": True, "detection_results": [], "frames": []}, ["unmapped"]),
     ("nsfw", {"nsfw_detected": False, "detection_results": ["nsfw"], "frames": []}, ["sexual.explicit.pornography"]),
     ("nsfw", {"nsfw_detected": False, "detection_results": [], "frames": [{"label": "nsfw", "confidence": 0.6}]}, ["sexual.explicit.pornography"])],
)  # fmt: skip
def test_where_a_reply_contradicts_itself_the_worst_wins(moderator, category, result, labels):
    judged = moderator.normalize(task(category, result))
    assert [finding.label for finding in judged.findings] == labels
    assert judged.verdict is not Verdict.PASS
    assert "contradiction" in {note.code for note in judged.warnings}


def test_a_score_off_the_scale_is_none_and_the_vendors_own_stays(moderator):
    result = moderator.normalize(task("nsfw", frames("nsfw_detected", ("nsfw", 93, 1), ("nsfw", "0.7", "2"))))
    assert [(f.score, f.frame, f.native.score) for f in result.findings] == [(None, 1, 93), (0.7, 2, "0.7")]
    assert result.verdict is not Verdict.PASS


@pytest.mark.parametrize(
    ("stops", "hit", "evaluated"),
    [("FEMALE_BREAST_EXPOSED:0.8", ("FEMALE_BREAST_EXPOSED", 0.84, 6), False),
     ("FEMALE_BREAST_EXPOSED:0.9", ("FEMALE_BREAST_EXPOSED", 0.84, 6), True),
     ("ANUS_EXPOSED:0.8", ("FEMALE_BREAST_EXPOSED", 0.84, 6), True),
     ("ANUS_EXPOSED", ("FEMALE_BREAST_EXPOSED", 0.84, 6), False),
     ("ANUS_EXPOSED:0.1", ("FEMALE_BREAST_EXPOSED", 0.84, 6), False),
     ("ANUS_EXPOSED:0.5, FEMALE_BREAST_EXPOSED:0.5", ("FEMALE_BREAST_EXPOSED", 0.84, 6), False)],
)  # fmt: skip
def test_after_a_stop_tag_may_have_hit_nothing_unhit_counts_as_clean(moderator, stops, hit, evaluated):
    result = moderator.normalize(task("hard_nudity", frames("nudity_detected", hit), stop_objects=stops))
    rest = {row.state for row in result.coverage if row.state is not CoverageState.HIT}
    assert rest == {CoverageState.BELOW_FLOOR if evaluated else CoverageState.NOT_EVALUATED}


def test_floors_and_sampling_are_stated(moderator, sample):
    nsfw = moderator.normalize(sample("composed_get_nsfw_empty"))
    assert (nsfw.coverage[0].state, nsfw.coverage[0].floor) == (CoverageState.BELOW_FLOOR, 0.5)
    sport = moderator.normalize(sample("prose_result_sport_empty"))
    assert {row.floor for row in sport.coverage} == {0.3}
    assert "key frames only" in nsfw.media.sampling
    assert "key frames" not in sport.media.sampling


def with_times(moderator, options, category="hard_nudity", label="FEMALE_BREAST_EXPOSED", duration=None):
    job = ModerationJob(
        media={"url": "https://h.example/a.mp4", "duration": duration},
        detect=["sexual.explicit.nudity_female_breast", "context.sport"], options={"gcore": {"categories": [category], **options}},
        on_unsupported="skip",
    )  # fmt: skip
    flag = "sport_detected" if category == "sport" else "nudity_detected"
    payload = task(category, frames(flag, (label, 0.8, 2), (label, 0.7, 50)))
    return moderator.normalize(payload, job=job)


def test_a_start_is_given_only_where_the_caller_says_what_frame_numbers_are(moderator):
    assert [f.start for f in with_times(moderator, {}).findings] == [None, None]
    assert [f.start for f in with_times(moderator, {"frame_rate": 25}).findings] == [0.08, 2.0]
    timed = with_times(moderator, {"key_frame_times": [0, 4, 8.5]}, duration=10)
    assert [f.start for f in timed.findings] == [8.5, None]
    assert timed.media.largest_gap == 4.5
    assert "counted from 0" in next(note.says for note in timed.warnings if note.code == "times_derived")
    assert [f.start for f in with_times(moderator, {"key_frame_times": [0, 4, 8.5], "first_frame": 1}).findings] == [
        4,
        None,
    ]
    assert with_times(moderator, {"key_frame_times": [0, 4]}).media.largest_gap is None
    sport = with_times(moderator, {"key_frame_times": [0, 4, 8.5]}, category="sport", label="archery", duration=10)
    assert [f.start for f in sport.findings] == [None, None]
    assert sport.media.largest_gap is None


def test_transcripts_have_seconds_and_keep_webvtt(moderator, sample):
    transcript = moderator.normalize(sample("result_transcription_may2026")).transcripts[0]
    assert transcript.segments[0].model_dump() == {
        "start": 0.009, "end": 3.689, "text": "Come on team, we mustn't dilly dally when there's so much nature to see!",
    }  # fmt: skip
    assert transcript.vtt.startswith("WEBVTT\n\n1\n00:00:00.009")
    assert (transcript.language, transcript.translated_from) == ("en", None)


def test_a_translation_says_from_which_language(moderator, sample):
    payload = sample("composed_get_transcription_success")
    payload["task_data"] |= {"audio_language": "ger", "subtitles_language": "fre"}
    transcript = moderator.normalize(payload).transcripts[0]
    assert (transcript.language, transcript.translated_from) == ("fr", "de")


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("00:00:03.689", 3.689), ("01:02:03.5", 3723.5), ("02:03.250", 123.25), ("00:00:03,689", 3.689), ("3.5", None), ("", None), ("a:b:c", None),
     (3.5, None), (None, None), ("00:00:-3", None), ("00:00:nan", None)],
)  # fmt: skip
def test_subtitle_times(moderator, written, seconds):
    payload = {"task_id": "t", "status": "SUCCESS", "task_data": {"task_name": "transcription"},
               "result": {"subtitles": [{"start_time": written, "end_time": None, "text": "hi"}]}}  # fmt: skip
    segment = moderator.normalize(payload).transcripts[0].segments[0]
    assert (segment.start, segment.end, segment.text) == (seconds, None, "hi")


@pytest.mark.parametrize("subtitles", [None, [], "", {}, 3])
def test_silence_in_a_transcript_is_told_whatever_empty_looks_like(moderator, subtitles):
    payload = {
        "task_id": "t",
        "status": "SUCCESS",
        "task_data": {"task_name": "transcription"},
        "result": {"speech_detected": False, "subtitles": subtitles},
    }
    result = moderator.normalize(payload)
    assert (result.transcripts[0].text, result.verdict) == ("", None)
    assert {note.code for note in result.warnings} == {"no_speech"}


@pytest.mark.parametrize("data", ["12345", "a {reelvet} b", '{"key": "k"}', "x" * 4096, "", '{"reelvet": 1', "[1]"])
def test_foreign_text_in_the_callers_fields_is_read_unharmed(moderator, sample, data):
    payload = sample("composed_get_nsfw_success")
    payload["task_data"] |= {"client_entity_data": data, "client_user_id": data}
    raw = moderator._instance("gcore").provider.recognize(payload)
    assert (raw.vendor_key, raw.payload) == (None, payload)


def test_the_key_is_read_out_of_the_envelope(moderator, sample):
    payload = sample("composed_get_nsfw_success")
    payload["task_data"]["client_entity_data"] = '{"reelvet":1,"key":"a\\"b","metadata":{}}'
    assert moderator._instance("gcore").provider.recognize(payload).vendor_key == 'a"b'


if __name__ == "__main__":  # pragma: no cover
    writer = AsyncModerator(Config.parse({"use": "gcore"}), credentials=False)
    for path in sorted(REPLIES.glob("*.json")):
        try:
            shown = unified(writer.normalize(load(path.stem)))
        except InvalidJob:
            continue
        (EXPECTED / path.name).write_text(json.dumps(shown, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
