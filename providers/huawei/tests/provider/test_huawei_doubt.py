"""Replies that are odd in ways no sample shows: none becomes a clean pass, and the worst that is said counts."""

from __future__ import annotations

import json

import pytest

from reelvet import ModerationJob
from reelvet_huawei import wire

URL = "https://b.obs.cn-north-4.myhuaweicloud.com/clip.mp4"


def v3_result(frames=(), sounds=(), suggestion="pass", **more):
    params = {"image_categories": ["porn", "terrorism", "image_text"], "audio_categories": ["porn", "ad"]}
    told = {"suggestion": suggestion, "image_detail": list(frames), "audio_detail": list(sounds), **more}
    return {"job_id": "j", "status": "succeeded", "request_params": params, "result": told}


def v2_result(frames=(), voices=(), suggestion="pass", **more):
    common = {"categories": "porn,terrorism", "text_categories": "ad", "use_sis": "true"}
    told = {"frames": list(frames), "voices": list(voices), "suggestion": suggestion, **more}
    return {
        "id": "t", "state": "SUCCEEDED", "output": {"hosting": {}}, "service_config": {"common": common},
        "hosting_result": {"status": "AVAILABLE", "data": {"result": told}},
    }  # fmt: skip


def seen(detail, suggestion="pass", **more):
    return {"category": "porn", "suggestion": suggestion, "time": 1, "detail": detail, **more}


def heard(detail, suggestion="pass", **more):
    return {"label": "porn", "suggestion": suggestion, "start_time": 0, "end_time": 1, "detail": detail, **more}


def frame(detail, suspects=(), suggestion="pass", **more):
    told = {"frame_begin": 1, "frame_end": 2, "frame_suggestion": suggestion, **more}
    return told | {"suspect_categories": list(suspects) if isinstance(suspects, tuple) else suspects, "detail": detail}


def voice(detail, suggestion="pass"):
    return {"voice_begin": 1, "voice_end": 2, "voice_suggestion": suggestion, "content": "x", "detail": detail}


LOW = {"confidence": 0.1, "category": "porn", "label": "sexy_female"}
LOW_SOUND = {"confidence": 0.1, "label": "porn"}
LOW_CLASS = {"porn": [{"confidence": 0.1, "label": "sexy"}]}


@pytest.mark.parametrize(
    "payload", [v3_result(), v2_result(), v3_result([seen([])]), v2_result([frame({})], [voice({"ad": []})])], ids=str
)
def test_a_clean_reply_passes(moderator, payload):
    assert moderator.normalize(payload).verdict == "pass"


# --- verdicts ---


@pytest.mark.parametrize("word", ["", "BAN", " ", None, 7, ["block"], {"a": 1}, "pass?"], ids=repr)
@pytest.mark.parametrize("overall", ["pass", "review"])
@pytest.mark.parametrize("payload", [
    lambda word, overall: v3_result([seen([{**LOW, "suggestion": word}], "block")], suggestion=overall),
    lambda word, overall: v3_result(sounds=[heard([{**LOW_SOUND, "suggestion": word}], "block")], suggestion=overall),
])  # fmt: skip
def test_a_hit_s_verdict_that_is_empty_or_unknown_does_not_better_that_of_its_place(moderator, payload, word, overall):
    result = moderator.normalize(payload(word, overall))
    assert result.verdict == "block"
    assert result.findings[0].suggestion == "block"


UNKNOWN = ["reject", "BLOCKED", 7, ["block"], {"is": "block"}, True]


@pytest.mark.parametrize("word", UNKNOWN, ids=repr)
@pytest.mark.parametrize("payload", [
    lambda word: v3_result([seen([LOW], word)]),
    lambda word: v3_result([seen([{**LOW, "suggestion": word}], "pass")]),
    lambda word: v3_result([seen([{**LOW, "suggestion": word}], "review")]),
    lambda word: v3_result([{"suggestion": word, "detail": []}]),
    lambda word: v3_result(sounds=[heard([LOW_SOUND], word)]),
    lambda word: v3_result(sounds=[heard([{**LOW_SOUND, "suggestion": word}])]),
    lambda word: v2_result([frame(LOW_CLASS, ("porn",), word)]),
    lambda word: v2_result([frame({}, (), word)]),
    lambda word: v2_result(voices=[voice({"ad": ["buy"]}, word)]),
], ids=range(9))  # fmt: skip
def test_a_verdict_that_nobody_knows_is_never_a_pass(moderator, payload, word):
    result = moderator.normalize(payload(word))
    # Where it may be about anything, nothing was looked at for certain; a word that is known counts, however wrapped.
    assert result.verdict in ({"block"} if word == ["block"] else {"review", "error"})
    assert "unmapped" in {finding.label for finding in result.findings}
    assert "unknown_verdict" in {note.code for note in result.warnings}


def test_what_the_vendor_says_is_kept_beside_it(moderator):
    result = moderator.normalize(v3_result([seen([{**LOW, "suggestion": "reject"}], "block")]))
    assert [(f.label, f.suggestion, f.native.extra["suggestion"]) for f in result.findings] == [
        ("sexual.suggestive", "block", "reject"),
        ("unmapped", "block", "reject"),
    ]
    assert [f.label for f in moderator.normalize(v3_result([seen([LOW], "block")])).findings] == ["sexual.suggestive"]


@pytest.mark.parametrize(("says", "verdict"), [("block", "block"), ("review", "review"), ("odd", "review")])
@pytest.mark.parametrize("whole", ["pass", None])
def test_the_clean_word_counts_where_its_own_verdict_is_none_of_a_clean_one(moderator, says, verdict, whole):
    hit = {"category": "porn", "label": "normal", "suggestion": says, "confidence": 0.1}
    result = moderator.normalize(v3_result([seen([hit], whole)]))
    assert (result.verdict, result.findings[0].label) == (verdict, "sexual")
    assert "contradiction" in {note.code for note in result.warnings}


@pytest.mark.parametrize("says", [{}, {"suggestion": "pass"}, {"suggestion": None}, {"suggestion": ""}], ids=str)
def test_the_clean_word_is_clean_where_nothing_speaks_against_it(moderator, says):
    result = moderator.normalize(v3_result([seen([{"category": "porn", "label": "normal", **says}])]))
    assert (result.verdict, result.findings) == ("pass", ())


# --- parts that cannot be read ---


@pytest.mark.parametrize("payload", [
    v3_result([seen(json.dumps([LOW]))]), v3_result([seen("x")]), v3_result([seen(["porn"])]), v3_result([seen([[LOW]])]), v3_result([seen(7)]),
    v3_result(sounds=[heard(json.dumps([LOW_SOUND]))]), v3_result(sounds=[heard(["ad"])]),
    v2_result([frame([LOW_CLASS])]), v2_result([frame(json.dumps(LOW_CLASS))]), v2_result([frame({"porn": ["porn"]})]), v2_result([frame({"porn": "porn"})]),
    v2_result([frame({}, [{"category": "porn"}])]), v2_result([frame({}, {"porn": 1})]), v2_result([frame({}, [["porn"]])]),
    v2_result(voices=[voice(["ad"])]), v2_result(voices=[voice(json.dumps({"ad": ["buy"]}))]),
], ids=lambda payload: json.dumps(payload)[-150:])  # fmt: skip
def test_a_part_that_is_there_and_cannot_be_read_counts_and_clears_nothing(moderator, payload):
    result = moderator.normalize(payload)
    assert result.verdict in {"review", "error"}
    assert "unmapped" in {finding.label for finding in result.findings}
    assert not any(row.state == "clean" for row in result.coverage)
    assert "unreadable_result" in {note.code for note in result.warnings}


@pytest.mark.parametrize("said", [[{"word": "buy"}], {"word": "buy"}, [["buy"]], 7], ids=repr)
def test_words_of_speech_that_are_none_are_a_hit_of_their_category(moderator, said):
    result = moderator.normalize(v2_result(voices=[voice({"ad": said})]))
    assert [finding.label for finding in result.findings] == ["spam.advertising"]
    assert not any(row.state == "clean" for row in result.coverage)


@pytest.mark.parametrize("nothing", [None, "", [], {}, False])
def test_a_part_that_is_empty_in_any_way_is_no_reason_to_doubt(moderator, nothing):
    assert moderator.normalize(v3_result([seen(nothing)], [heard(nothing)])).verdict == "pass"
    assert moderator.normalize(v2_result([frame(nothing, nothing)], [voice(nothing)])).verdict == "pass"
    assert moderator.normalize(v2_result([frame({"porn": nothing})], [voice({"ad": nothing})])).verdict == "pass"


@pytest.mark.parametrize("payload", [
    v3_result(video_detail=[LOW]), v3_result([seen([], details=[LOW])]), v3_result(sounds=[heard([], hits=[LOW_SOUND])]),
    v2_result(texts=[{"text": "x"}]), v2_result([frame({}, (), objects=[LOW])]), v3_result(video_detail=LOW), v3_result() | {"details": [LOW]},
    v2_result() | {"frames": [LOW]}, v2_result([frame({}, (), found=LOW)]),
], ids=range(9))  # fmt: skip
def test_a_list_that_nobody_knows_may_be_of_hits(moderator, payload):
    assert not any(row.state == "clean" for row in moderator.normalize(payload).coverage)


@pytest.mark.parametrize("word", ["block", "review", " Block ", ["block"]])
@pytest.mark.parametrize("name", ["suggestion", "Suggestion", "final_suggestion", "verdict"])
@pytest.mark.parametrize("payload", [
    lambda more: v3_result() | more, lambda more: v3_result() | {"audit": [more]},
    lambda more: v2_result() | more, lambda more: v2_result() | {"review": {"of": more}},
    lambda more: {"video_path": "a.mp4", "result": {"frames": [], "voices": [], "suggestion": "pass"}} | more,
], ids=range(5))  # fmt: skip
def test_a_verdict_anywhere_is_held_against_the_whole(moderator, payload, name, word):
    """A reply that says pass in one place and block in another is no pass, even where nobody documents the other."""
    result = moderator.normalize(payload({name: word}))
    assert result.verdict in {"review", "block", "error"}
    assert not any(row.state == "clean" for row in result.coverage)
    assert "contradiction" in {note.code for note in result.warnings}


def test_what_the_caller_sent_is_no_verdict(moderator):
    payload = v3_result()
    payload["request_params"] |= {
        "suggestion": "block",
        "data": {"url": "https://h.example/block", "suggestion": "block"},
    }
    assert moderator.normalize(payload).verdict == "pass"


def test_other_fields_that_nobody_knows_are_harmless(moderator):
    harmless = {"model_version": "7", "timings": [1, 2], "more": {"a": 1}}
    assert moderator.normalize(v3_result([seen([], **harmless)], **harmless)).verdict == "pass"
    assert moderator.normalize(v2_result([frame({}, (), **harmless)], **harmless)).verdict == "pass"


def test_a_result_in_a_string_is_held_to_the_depth_of_any_reply(moderator):
    payload = v2_result()
    deep = "[" * 150 + "]" * 150
    payload["hosting_result"]["data"] = f'{{"result": {{"frames": [], "suggestion": "pass", "x": {deep}}}}}'
    result = moderator.normalize(payload)
    assert (result.status, result.verdict) == ("succeeded", "error")
    assert "unreadable_result" in {note.code for note in result.warnings}
    assert wire.parsed(deep) is None


# --- what was looked for ---


def job(**fields):
    return ModerationJob(**{"media": URL, "detect": ["sexual"], "channels": ["visual"]} | fields)


@pytest.mark.parametrize("echo", [["whatever"], "zzz", [], 7, {"porn": 1}], ids=repr)
def test_an_echo_that_contradicts_the_plan_is_believed(moderator, v2, echo):
    clean = v3_result()
    clean["request_params"] = {"image_categories": echo}
    assert moderator.normalize(clean, job=job()).verdict == "error"
    clean = v2_result()
    clean["service_config"] = {"common": {"categories": echo}}
    assert v2.normalize(clean, job=job()).verdict == "error"


@pytest.mark.parametrize("echo", [{}, {"image_categories": None}, {"categories": None, "text_categories": None}])
def test_where_nothing_is_echoed_the_plan_tells(moderator, v2, echo):
    clean = v3_result() | {"request_params": echo}
    assert moderator.normalize(clean, job=job()).verdict == "pass"
    clean = v2_result() | {"service_config": {"common": echo}}
    assert v2.normalize(clean, job=job()).verdict == "pass"


# --- numbers ---


@pytest.mark.parametrize("corners", [(50, 2, 10, 22), (1, 22, 10, 2), (-1e308, 2, 1e308, 22), (1, -1e308, 10, 1e308)])
def test_a_rectangle_of_no_size_that_could_be_is_none_and_kept_as_it_is(moderator, corners):
    names = ("top_left_x", "top_left_y", "bottom_right_x", "bottom_right_y")
    place = dict(zip(names, corners, strict=True))
    result = moderator.normalize(v3_result([seen([{**LOW, "face_location": place}], "review")], suggestion="review"))
    assert (result.findings[0].box, result.findings[0].native.extra["face_location"]) == (None, place)
    result.dump_json()


@pytest.mark.parametrize(("begin", "end", "told"), [
    ("1.5", "2", (1.5, 2.0)), (1, None, (1.0, None)), (-1, 2, (None, 2.0)), (5, 2, (5.0, None)), ("00:00:12", "x", (None, None)), (float("inf"), [2], (None, None)),
    (True, {"a": 1}, (None, None)), (0, 0, (0.0, 0.0)),
])  # fmt: skip
def test_a_time_that_can_be_none_is_none_and_kept_as_it_is(moderator, begin, end, told):
    sound = heard([{**LOW_SOUND, "suggestion": "block"}], "block", start_time=begin, end_time=end)
    interval = frame(LOW_CLASS, ("porn",), "block", frame_begin=begin, frame_end=end)
    for payload in (v3_result(sounds=[sound], suggestion="block"), v2_result([interval], suggestion="block")):
        result = moderator.normalize(payload)
        (finding,) = result.findings
        assert (finding.start, finding.end, result.verdict) == (*told, "block")
        kept = {"start": begin, "end": end}
        lost = {name for name, value in zip(kept, told, strict=True) if value is None and kept[name] is not None}
        assert lost <= set(finding.native.extra)
