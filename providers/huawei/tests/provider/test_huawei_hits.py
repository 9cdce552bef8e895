"""What a frame, a stretch of speech, a segment says: label, channel, score, time, box, words."""

from __future__ import annotations

import pytest


def v2_result(frames=(), voices=(), suggestion="block", **common):
    return {
        "id": "t", "state": "SUCCEEDED", "output": {"hosting": {}}, "service_config": {"common": {"categories": "porn,terrorism,politics", **common}},
        "hosting_result": {"status": "AVAILABLE", "data": {"result": {"frames": list(frames), "voices": list(voices), "suggestion": suggestion}}},
    }  # fmt: skip


def frame(detail, suspects, suggestion="block", **more):
    return {
        "frame_begin": 5,
        "frame_end": "6.0",
        "frame_suggestion": suggestion,
        "suspect_categories": suspects,
        "detail": detail,
        **more,
    }


def v3_result(images=(), sounds=(), suggestion="block", **params):
    return {
        "job_id": "j", "status": "succeeded", "request_params": {"image_categories": ["porn", "terrorism", "politics", "image_text"], "audio_categories": ["porn", "ad", "moan"], **params},
        "result": {"suggestion": suggestion, "image_detail": list(images), "audio_detail": list(sounds)},
    }  # fmt: skip


def found(result):
    return [(f.label, f.channel.value, f.score) for f in result.findings]


@pytest.mark.parametrize(
    ("category", "classes", "labels"),
    [("terrorism", [("gun", 0.9), ("normal", 0.1)], ["violence.weapons.firearm"]),
     ("terrorism", [("gun", "0.9"), ("bloody", "0.05"), ("normal", "0.05")], ["violence.weapons.firearm"]),
     ("terrorism", [("gun", 0.3), ("knife", 0.4), ("normal", 0.2)], ["violence.weapons.firearm", "violence.weapons.bladed"]),
     ("terrorism", [("gun", 0.1), ("normal", 0.8)], ["violence.weapons.firearm"]),
     ("terrorism", [("gun", None), ("normal", 0.8)], ["violence.weapons.firearm"]),
     ("porn", [("sexy", 0.9), ("porn", 0.01), ("normal", 0.02)], ["sexual.suggestive"]),
     ("porn", [("porn", 0.9)], ["sexual.explicit.pornography"]),
     ("politics", [("Somebody", 0.9)], ["politics.figure"]),
     ("terrorism", [("something new", 0.9)], ["extremism.terrorism"]),
     ("terrorism", [("normal", 0.9)], ["extremism.terrorism"]),
     ("terrorism", [], ["extremism.terrorism"]),
     ("terrorism", None, ["extremism.terrorism"]),
     ("something new", [("x", 0.9)], ["unmapped"])],
)  # fmt: skip
def test_a_category_that_a_frame_suspects_counts_by_its_surest_classes(moderator, category, classes, labels):
    detail = {category: classes and [{"label": label, "confidence": score} for label, score in classes]}
    result = moderator.normalize(v2_result([frame(detail, [category])]))
    assert [finding.label for finding in result.findings] == labels
    assert {(f.start, f.end, f.suggestion) for f in result.findings} == {(5.0, 6.0, "block")}
    assert all(f.native.label == category for f in result.findings)


def test_a_category_that_a_frame_does_not_suspect_counts_only_where_it_is_surer_than_nothing(moderator):
    clear = {"ad": [{"label": "ad", "confidence": 0}, {"label": "normal", "confidence": 1}], "ocr_ad": [{"text": "买"}]}
    assert found(moderator.normalize(v2_result([frame(clear, ["ocr_ad"])]))) == [("spam.advertising", "ocr", None)]
    odd = {"porn": [{"label": "porn", "confidence": 0.9}, {"label": "normal", "confidence": 0.1}]}
    assert found(moderator.normalize(v2_result([frame(odd, [])]))) == [("sexual.explicit.pornography", "visual", 0.9)]


def test_a_word_that_no_map_knows_warns(moderator):
    result = moderator.normalize(
        v2_result([frame({"terrorism": [{"label": "ufo", "confidence": 0.9}]}, ["terrorism"])])
    )
    assert [(note.code, "'ufo'" in note.says) for note in result.warnings] == [("unrefined_label", True)]
    assert result.findings[0].native.sub_label == "ufo"
    new = moderator.normalize(v2_result([frame({"aliens": [{"label": "ufo", "confidence": 0.9}]}, ["aliens"])]))
    assert ({note.code for note in new.warnings}, new.verdict) == ({"unmapped"}, "block")


def test_a_frame_or_stretch_that_is_blocked_for_nothing_said_counts(moderator):
    result = moderator.normalize(
        v2_result([frame({}, [])], [{"voice_begin": 1, "voice_end": 2, "voice_suggestion": "review"}])
    )
    assert found(result) == [("unmapped", "visual", None), ("unmapped", "speech", None)]
    assert [f.suggestion for f in result.findings] == ["block", "review"]


def test_speech_that_passed_is_no_hit(moderator):
    voice = {"voice_begin": 1, "voice_end": 2, "voice_suggestion": "pass", "content": "hello", "detail": {"ad": []}}
    result = moderator.normalize(v2_result(voices=[voice], suggestion="pass", text_categories="ad", use_sis="true"))
    assert not result.findings
    assert result.verdict == "pass"


@pytest.mark.parametrize("make", [v2_result, v3_result])
@pytest.mark.parametrize("says", ["block", "review", "odd", 7])
def test_a_verdict_that_nothing_explains_is_kept_and_counts(moderator, make, says):
    result = moderator.normalize(make(suggestion=says))
    assert [f.label for f in result.findings] == ["unmapped"]
    assert result.findings[0].native.field == "result.suggestion"
    assert result.verdict in {"block", "review", "error"}


@pytest.mark.parametrize("make", [v2_result, v3_result])
@pytest.mark.parametrize("says", [None, {}, [], True])
def test_a_reply_without_a_verdict_clears_nothing(moderator, make, says):
    result = moderator.normalize(make(suggestion=says))
    assert {row.state for row in result.coverage} == {"not_evaluated"}
    assert result.verdict == "error"


def test_hits_count_though_the_whole_is_said_to_pass(moderator):
    hit = {"category": "porn", "suggestion": "block", "time": 3, "detail": []}
    result = moderator.normalize(v3_result([hit], suggestion="pass"))
    assert (found(result), result.verdict) == ([("sexual", "visual", None)], "block")
    assert "contradiction" in {note.code for note in result.warnings}


def test_a_verdict_that_is_worse_than_all_hits_counts(moderator):
    hit = {
        "category": "porn",
        "suggestion": "review",
        "time": 3,
        "detail": [{"category": "porn", "label": "sexy_female", "suggestion": "review"}],
    }
    result = moderator.normalize(v3_result([hit], suggestion="block"))
    assert [(f.label, f.suggestion) for f in result.findings] == [
        ("sexual.suggestive", "review"),
        ("unmapped", "block"),
    ]


# --- v3 ---


@pytest.mark.parametrize(
    ("hit", "label", "channel"),
    [({"category": "porn", "label": "pornography"}, "sexual.explicit.pornography", "visual"), ({"category": "porn", "label": "new"}, "sexual", "visual"),
     ({"category": "terrorism", "label": "knife"}, "violence.weapons.bladed", "visual"), ({"category": "terrorism"}, "extremism.terrorism", "visual"),
     ({"category": "politics", "label": "leader"}, "politics.figure", "visual"), ({"category": "image_text", "label": "qr_code"}, "spam.advertising.qr_code", "ocr"),
     ({"category": "image_text", "label": "abuse"}, "harassment.abuse", "ocr"), ({"category": "image_text", "label": "new"}, "text_violation", "ocr"),
     ({"category": "image_text", "label": "customized"}, "custom", "ocr"), ({"label": "sexy_female"}, "sexual.suggestive", "visual"),
     ({"category": "new", "label": "x"}, "unmapped", "visual")],
)  # fmt: skip
def test_each_detail_of_a_frame_is_a_finding_in_its_own_category(moderator, hit, label, channel):
    told = {"category": "porn", "suggestion": "block", "time": "2.5", "ocr_text": "read", "detail": [{"confidence": "0.75", "suggestion": "review", **hit}, {"category": "porn", "label": "pornography", "suggestion": "block"}]}  # fmt: skip
    finding = moderator.normalize(v3_result([told])).findings[0]
    assert (finding.label, finding.channel, finding.score, finding.start, finding.suggestion) == (
        label,
        channel,
        0.75,
        2.5,
        "review",
    )
    assert finding.text == ("read" if channel == "ocr" else None)
    assert finding.native.score == "0.75"


@pytest.mark.parametrize(
    ("box", "read"),
    [({"top_left_x": 1, "top_left_y": 2, "bottom_right_x": 11, "bottom_right_y": 22}, (1, 2, 10, 20)),
     ({"top_left_x": "1", "top_left_y": "2", "bottom_right_x": "11", "bottom_right_y": "22"}, (1, 2, 10, 20)),
     ({"top_left_x": 1, "top_left_y": 2, "bottom_right_x": 11}, None), ({}, None), (None, None), ("x", None), ([1, 2], None)],
)  # fmt: skip
@pytest.mark.parametrize("name", ["face_location", "qr_location"])
def test_boxes_have_four_sides_or_are_none(moderator, box, read, name):
    hit = {"category": "politics", "label": "leader", "suggestion": "block", name: box}
    finding = moderator.normalize(
        v3_result([{"category": "politics", "suggestion": "block", "detail": [hit]}])
    ).findings[0]
    assert (finding.box and (finding.box.x, finding.box.y, finding.box.width, finding.box.height)) == read


@pytest.mark.parametrize(
    ("label", "unified", "channel"),
    [("porn", "sexual", "speech"), ("moan", "sexual.sound.moaning", "sound"), ("ad_law", "spam.advertising.law_violation", "speech"),
     ("ban", "illicit", "speech"), ("meaningless", "spam.meaningless", "speech"), ("new", "unmapped", "speech")],
)  # fmt: skip
def test_sounds_that_are_no_speech_have_a_channel_of_their_own(moderator, label, unified, channel):
    sound = {"suggestion": "block", "label": label, "audio_text": "said", "start_time": "1.5", "end_time": 4, "detail": [{"label": label, "confidence": 0.5, "suggestion": "block", "segments": [{"segment": "w"}]}]}  # fmt: skip
    (finding,) = moderator.normalize(v3_result(sounds=[sound])).findings
    assert (finding.label, finding.channel, finding.start, finding.end) == (unified, channel, 1.5, 4.0)
    assert (finding.text, finding.matches, finding.score) == ("said", ("w",), 0.5)


def test_the_label_of_a_segment_counts_where_its_details_do_not_have_it(moderator):
    sound = {"suggestion": "block", "label": "abuse", "detail": [{"label": "porn", "suggestion": "review"}]}
    assert [f.label for f in moderator.normalize(v3_result(sounds=[sound])).findings] == ["sexual", "harassment.abuse"]


def test_jobs_of_audio_alone_are_read(moderator, sample):
    result = moderator.normalize(sample("v3_audio_query_succeeded"))
    assert (result.media.kind, [f.start for f in result.findings], result.findings[0].score) == (
        "audio",
        [0.0, 30.0],
        None,
    )
    assert moderator._instance("huawei").provider.recognize(sample("v3_audio_query_succeeded")).ref.category == "audio"


def test_moments_of_a_stream_are_moments_and_no_seconds(moderator, sample):
    finding = moderator.normalize(sample("v3_audiostream_callback_OFFLINE")).findings[0]
    assert (finding.start, finding.at_date.isoformat()) == (None, "2022-07-30T08:57:11.011000+00:00")
    zoneless = sample("v3_audiostream_callback_OFFLINE")
    zoneless["result"]["details"][0]["start_time"] = "2022-07-30 08:57:11"
    finding = moderator.normalize(zoneless).findings[0]
    assert (finding.at_date, finding.native.extra["start"]) == (None, "2022-07-30 08:57:11")


def test_what_is_no_object_is_kept_and_counts(moderator):
    result = moderator.normalize(v3_result(["odd"], ["odd"], suggestion="review"))
    assert [f.label for f in result.findings] == ["unmapped", "unmapped", "unmapped"]


# --- what silence is worth beside a hit ---


def states(result):
    return {(row.label, row.channel.value): row for row in result.coverage}


def v3_frame(category, *labels):
    details = [{"category": category, "label": label, "confidence": 0.9, "suggestion": "block"} for label in labels]
    return {"category": category, "suggestion": "block", "time": 5.0, "detail": details}


def v2_frame(category, *labels):
    return frame({category: [{"label": label, "confidence": 0.9} for label in labels]}, [category])


@pytest.mark.parametrize(("make", "told"), [(v2_result, v2_frame), (v3_result, v3_frame)])
def test_a_category_that_was_found_as_something_else_was_not_silent(moderator, make, told):
    rows = states(moderator.normalize(make([told("terrorism", "gun", "bloody")])))
    row = rows["extremism.terrorism", "visual"]
    assert (row.state, "'terrorism' was found, as violence.weapons.firearm" in row.why) == ("not_evaluated", True)
    assert {rows[label, "visual"].state for label in ("sexual", "politics.figure")} == {"clean"}


@pytest.mark.parametrize(("make", "told"), [(v2_result, v2_frame), (v3_result, v3_frame)])
def test_a_category_that_was_found_as_itself_too_is_hit(moderator, make, told):
    row = states(moderator.normalize(make([told("terrorism", "gun", "terrorist")])))["extremism.terrorism", "visual"]
    assert (row.state, row.why) == ("hit", None)


def test_text_that_was_found_as_something_is_no_absence_of_text_violations(configured):
    from reelvet import ModerationJob

    moderator = configured()
    job = ModerationJob(media="https://h.example/a.mp4", detect=["text_violation"], language="zh")
    payload = v3_result([v3_frame("image_text", "abuse")], image_categories=["image_text"])
    row = states(moderator.normalize(payload, job=job))["text_violation", "ocr"]
    assert (row.state, "harassment.abuse" in row.why) == ("not_evaluated", True)
    empty = v3_result(suggestion="pass", image_categories=["image_text"])
    assert states(moderator.normalize(empty, job=job))["text_violation", "ocr"].state == "clean"


@pytest.mark.parametrize("payload", [
    v2_result(), v3_result(), v2_result([frame({}, [])]), v3_result([{"suggestion": "block", "time": 1.0}]),
    v2_result(voices=[{"voice_suggestion": "block"}]), v3_result(sounds=[{"suggestion": "block"}]),
])  # fmt: skip
def test_a_verdict_that_nothing_explains_may_be_about_anything_that_was_looked_for(moderator, payload):
    result = moderator.normalize(payload)
    assert {row.state for row in result.coverage} == {"not_evaluated"}
    assert result.verdict == "block"
