"""Each scenario in Gcore's words: categories, floors, key frames, stop tags, subtitles, the spelling of 2024."""

import re

import pytest

from reelvet.sandbox import Sandbox
from reelvet.taxonomy import LabelMap, Taxonomy

URL = "https://cdn.example.com/own.mp4"


def labels(result):
    return [(frame["label"], frame["frame_number"], frame["confidence"]) for frame in result["frames"]]


@pytest.mark.parametrize(
    ("category", "flag"),
    [("nsfw", "nsfw_detected"), ("hard_nudity", "nudity_detected"), ("soft_nudity", "nudity_detected"), ("sport", "sport_detected")],
)  # fmt: skip
def test_nothing_found_is_false_and_two_empty_lists(result, create, category, flag):
    assert result(create("clean", category)) == {flag: False, "detection_results": [], "frames": []}


def test_each_key_frame_that_shows_it_is_one_frame_by_its_index(result, create):
    found = result(create("block-nudity", "nsfw"))
    assert found["nsfw_detected"] is True
    assert found["detection_results"] == ["nsfw"]
    assert labels(found) == [("nsfw", number, 0.97) for number in range(5, 12)]  # seconds 10 to 22, every other


def test_a_category_sees_its_own_labels_only(result, create):
    hard = result(create("block-nudity", "hard_nudity"))
    assert hard["detection_results"] == ["FEMALE_BREAST_EXPOSED"]
    soft = result(create("block-nudity", "soft_nudity"))
    assert soft["detection_results"] == ["FACE_FEMALE", "BELLY_EXPOSED", "FEMALE_BREAST_EXPOSED"]
    assert {label for label, number, _ in labels(soft) if number == 6} == set(soft["detection_results"])
    assert result(create("block-nudity", "sport"))["frames"] == []


def test_what_no_category_has_a_word_for_is_not_there(result, create):
    for category in ("nsfw", "hard_nudity", "soft_nudity", "sport"):
        assert result(create("violence", category))["frames"] == []


@pytest.mark.parametrize(
    ("category", "label", "score", "seen"),
    [
        ("nsfw", "sexual.explicit.pornography", 0.5, False),
        ("nsfw", "sexual.explicit.pornography", 0.51, True),
        ("hard_nudity", "sexual.explicit.nudity_buttocks", 0.3, True),
        ("hard_nudity", "sexual.explicit.nudity_buttocks", 0.29, False),
        ("soft_nudity", "context.body.feet_exposed", 0.3, True),
        ("sport", "context.sport.archery", 0.29, False),
        ("sport", "context.sport.archery", 0.3, True),
    ],
)
def test_floors_are_more_than_half_and_at_least_three_tenths(
    api, reelvet_sandbox, result, *, category, label, score, seen
):
    event = {"label": label, "start": 2, "end": 8, "score": score}
    reelvet_sandbox.scenario(URL, {"name": "own", "events": [event]})
    body = {"url": URL, "task_name": "content-moderation", "category": category}
    task = api.post("/streaming/ai/tasks", json=body).json()["task_id"]
    assert bool(result(task)["frames"]) is seen


def test_between_two_key_frames_nothing_is_seen(result, create):
    assert result(create("between-key-frames", "nsfw"))["frames"] == []


def test_sport_is_told_by_the_number_of_the_frame_in_a_sequence(result, create):
    assert labels(result(create("sport", "sport"))) == [
        ("kicking soccer ball", 25, 0.86),
        ("shooting goal (soccer)", 325, 0.97),
    ]


@pytest.mark.parametrize("own", [{"duration": 9}, {"kind": "image"}])
def test_sport_needs_ten_seconds_of_video(api, reelvet_sandbox, result, own):
    event = {"label": "context.sport.archery", "start": 0, "end": 1, "score": 0.9}
    reelvet_sandbox.scenario(URL, {"name": "own", "events": [event], **own})
    body = {"url": URL, "task_name": "content-moderation", "category": "sport"}
    assert result(api.post("/streaming/ai/tasks", json=body).json()["task_id"])["frames"] == []


def test_a_picture_is_one_frame(result, create):
    assert labels(result(create("picture", "hard_nudity"))) == [("FEMALE_BREAST_EXPOSED", 0, 0.9)]


@pytest.mark.parametrize(
    ("stop", "last"),
    [
        ("FACE_FEMALE", 1),  # no threshold: any hit
        ("FACE_FEMALE:0.87", 1),
        ("FACE_FEMALE:0.88", 13),  # above it, not at it: looked at to the end
        ("FEMALE_BREAST_EXPOSED:0.50,BELLY_EXPOSED:0.95", 6),
        ("ANUS_EXPOSED", 13),
    ],
)
def test_a_stop_tag_ends_the_analysis_at_its_frame(result, create, stop, last):
    assert (
        max(number for _, number, _ in labels(result(create("block-nudity", "soft_nudity", stop_objects=stop)))) == last
    )


def test_what_stops_early_takes_less_time(reelvet_sandbox, create, get):
    early = create("long", "hard_nudity", stop_objects="MALE_GENITALIA_EXPOSED")
    stopped = create("block-nudity", "soft_nudity", stop_objects="FACE_FEMALE")
    reelvet_sandbox.clock.advance(10_000)
    assert get(stopped)["processing_time"]["total_time_sec"] == 1.0
    assert get(early)["processing_time"]["total_time_sec"] == pytest.approx(7090 * 0.2)


def test_every_word_of_the_label_map_can_be_said(api, reelvet_sandbox, result):
    """The reverse map is the label map: each row comes back from a scenario as its native word."""
    for number, row in enumerate(LabelMap.load("reelvet_gcore", Taxonomy.default())):
        url = f"https://cdn.example.com/{number}.mp4"
        event = {"label": row.label, "start": 2, "end": 8, "score": 0.9}
        reelvet_sandbox.scenario(url, {"name": f"own-{number}", "events": [event]})
        body = {"url": url, "task_name": "content-moderation", "category": row.field.removeprefix("category=")}
        task = api.post("/streaming/ai/tasks", json=body).json()["task_id"]
        assert result(task)["detection_results"] == [row.native]


# --- speech ---


def test_speech_comes_as_subtitles_vtt_and_text(result, transcribe):
    told = result(transcribe())
    assert told["speech_detected"] is True
    assert told["subtitles"][0] == {
        "start_time": "00:00:00.400",
        "end_time": "00:00:03.600",
        "text": "Welcome back to the channel.",
    }
    assert told["concatenated_text"].startswith("Welcome back to the channel. Today we are")
    assert told["languages"] == ["eng", "ger"]  # as often as they are heard
    head, *cues = told["vttContent"].removesuffix("\n\n").split("\n\n")
    assert head == "WEBVTT"
    for number, cue in enumerate(cues, 1):
        lines = cue.split("\n")
        assert lines[0] == str(number)
        assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3} --> \d\d:\d\d:\d\d\.\d{3}", lines[1])
        assert lines[2] == told["subtitles"][number - 1]["text"]


def test_hours_are_written_out(api, reelvet_sandbox, result):
    speech = [{"start": 3725.5, "end": 3726, "text": "Late.", "language": "fr"}]
    reelvet_sandbox.scenario(URL, {"name": "own", "duration": 4000, "speech": speech})
    task = api.post("/streaming/ai/tasks", json={"url": URL, "task_name": "transcription"}).json()["task_id"]
    told = result(task)
    assert told["subtitles"][0]["start_time"] == "01:02:05.500"
    assert told["languages"] == ["fre"]


@pytest.mark.parametrize(("language", "text"), [("ger", "Heute fahren wir an den See."), ("deu", "Heute fahren wir an den See."), ("fre", "[fre] Today we are going to the lake.")])  # fmt: skip
def test_a_translation_is_the_scenarios_or_a_marked_one(result, transcribe, language, text):
    told = result(transcribe(subtitles_language=language))
    assert told["subtitles"][1]["text"] == text
    assert told["languages"] == [language]


def test_languages_that_were_asked_for_are_copied(result, transcribe):
    told = result(transcribe("block-nudity", audio_language="eng", subtitles_language="ger"))
    assert told["languages"] == ["eng", "ger"]


def test_a_pair_that_is_not_supported_is_accepted_and_fails(result, transcribe):
    task = transcribe(audio_language="eng", subtitles_language="uzb")
    assert "eng => uzb" in result(task, status="FAILURE")["error"]


def test_where_nobody_speaks_it_succeeds_with_nothing(result, transcribe):
    told = result(transcribe("clean"))
    assert told["speech_detected"] is False
    assert told["subtitles"] == []


@pytest.mark.parametrize(
    ("pair", "supported"),
    [
        ({"audio_language": "eng", "subtitles_language": "fre"}, True),
        ({"audio_language": "eng", "subtitles_language": "fra"}, True),
        ({"audio_language": "uzb"}, True),
        ({"audio_language": "uzb", "subtitles_language": "eng"}, True),
        ({"audio_language": "eng", "subtitles_language": "uzb"}, False),
        ({"audio_language": "uzb", "subtitles_language": "ger"}, False),
        ({"audio_language": "tlh"}, False),
        ({"audio_language": "eng", "subtitles_language": "tlh"}, False),
    ],
)
def test_info_knows_the_pairs(api, pair, supported):
    reply = api.get("/streaming/ai/info", params={"type": "language_support", **pair})
    assert (reply.status_code, reply.json()) == (200, {"supported": supported})


@pytest.mark.parametrize("params", [{}, {"type": "limits"}])
def test_info_of_another_type_is_refused_in_the_documented_words(api, params):
    reply = api.get("/streaming/ai/info", params=params)
    assert (reply.status_code, reply.json()) == (400, {"error": "Invalid config type"})


# --- 2024 ---


def test_the_legacy_result_has_no_verdict_and_other_names(api, result):
    task = api.post(
        "/streaming/ai/detect-nudity", json={"url": "https://sandbox.reelvet.example/block-nudity.mp4"}
    ).json()["task_id"]
    told = result(task, "results")
    assert list(told) == ["detection_results"]
    assert told["detection_results"][0] == {"class": "FEMALE_BREAST_EXPOSED", "score": 0.93, "frame-no": 6}


def test_the_legacy_transcript_lacks_what_came_later(api, result):
    task = api.post("/streaming/ai/transcribe", json={"url": "https://sandbox.reelvet.example/speech-only.mp4"}).json()[
        "task_id"
    ]
    assert set(result(task, "results")) == {"subtitles", "vttContent", "concatenated_text"}


def test_a_new_task_can_be_read_in_the_old_way_and_an_old_one_in_the_new(api, result, create):
    assert result(create("clean"), "results") == {"detection_results": []}
    url = "https://sandbox.reelvet.example/clean.mp4"
    old = api.post("/streaming/ai/detect-nudity", json={"url": url}).json()["task_id"]
    assert result(old) == {"nudity_detected": False, "detection_results": [], "frames": []}


# --- videos ---


def test_a_stored_video_has_its_links_in_its_renditions(api):
    told = api.get("/streaming/videos/2002").json()
    assert "mp4_url" not in told
    assert [rendition["height"] for rendition in told["converted_videos"]] == [360, 480, 720]
    assert all("/block-nudity/" in rendition["mp4_url"] for rendition in told["converted_videos"])


def test_a_link_of_a_stored_video_stands_for_its_scenario(api, result):
    url = api.get("/streaming/videos/2002").json()["converted_videos"][0]["mp4_url"]
    body = {"url": url, "task_name": "content-moderation", "category": "nsfw"}
    assert result(api.post("/streaming/ai/tasks", json=body).json()["task_id"])["nsfw_detected"] is True


def test_a_video_may_lack_its_links(api, reelvet_sandbox):
    half = api.get("/streaming/videos/2004").json()
    assert (half["status"], ["mp4_url" in r for r in half["converted_videos"]]) == ("viewable", [True, False, False])
    assert api.get("/streaming/videos/2005").json()["converted_videos"] == []
    assert not any("mp4_url" in r for r in api.get("/streaming/videos/2006").json()["converted_videos"])
    reelvet_sandbox.set_up("gcore", mp4_enabled=False)
    assert not any("mp4_url" in r for r in api.get("/streaming/videos/2001").json()["converted_videos"])


def test_every_stored_video_stands_for_a_scenario_that_there_is():
    sandbox = Sandbox(["gcore"])
    names = {scenario.name for scenario in sandbox.scenarios()}
    assert {asset.scenario for asset in sandbox.assets("gcore")} <= names
