"""What each service sees in a scenario, in its categories, words, units and spellings."""

import json

import pytest

from reelvet_huawei.sandbox import PROJECT_ID

V3 = f"/v3/{PROJECT_ID}/moderation/video/jobs"
V3_AUDIO = f"/v3/{PROJECT_ID}/moderation/audio/jobs"
TALK = {
    "name": "talk",
    "duration": 25,
    "events": [
        {"label": "spam.advertising", "start": 3, "end": 6, "score": 0.9, "channel": "ocr", "text": "buy now", "matches": ["buy"]},
        {"label": "harassment.abuse", "start": 12, "end": 14, "score": 0.7, "channel": "speech", "text": "you fool", "matches": ["fool"]},
        {"label": "sexual.sound.moaning", "start": 21, "end": 22, "score": 0.95, "channel": "sound"},
        {"label": "politics.figure", "start": 4, "end": 8, "score": 0.92, "box": {"x": 0.1, "y": 0.2, "width": 0.1, "height": 0.2}},
    ],
    "speech": [{"start": 11, "end": 15, "text": "Hello, you fool."}],
}  # fmt: skip
URL = "https://obs.cdn.example/talk.mp4"


@pytest.fixture
def talk(reelvet_sandbox):
    reelvet_sandbox.scenario(URL, TALK)
    return URL


@pytest.fixture
def result_v2(reelvet_sandbox, create_v2, get_v2):
    """A v2 result of a scenario, parsed."""

    def call(scenario, common=None, **more):
        task = (
            create_v2(scenario, **more)
            if common is None
            else create_v2(scenario, service_config={"common": common}, **more)
        )
        reelvet_sandbox.clock.advance(10_000)
        told = json.loads(get_v2(task)["hosting_result"]["data"])
        assert set(told) == {"result", "video_path"}
        return told["result"]

    return call


@pytest.fixture
def result_v3(reelvet_sandbox, create_v3, get_v3):
    """A v3 result of a scenario."""

    def call(scenario, path=V3, **more):
        job = create_v3(scenario, path, **more)
        reelvet_sandbox.clock.advance(10_000)
        return get_v3(job, path)["result"]

    return call


def test_v2_nudity_frame_by_frame(result_v2):
    told = result_v2("block-nudity")
    assert told["suggestion"] == "block"
    assert [(frame["frame_begin"], frame["frame_end"]) for frame in told["frames"]] == [
        (10.0, 15.0),
        (15.0, 20.0),
        (20.0, 25.0),
    ]
    frame = told["frames"][0]
    assert frame["suspect_categories"] == ["porn"]
    assert frame["frame_suggestion"] == "block"
    assert frame["detail"]["porn"] == [{"confidence": 0.97, "label": "porn"}, {"confidence": 0.03, "label": "normal"}]
    assert frame["detail"]["terrorism"] == [
        {"confidence": 0.0, "label": "terrorism"},
        {"confidence": 1.0, "label": "normal"},
    ]
    folder, _, picture = frame["frame_img_path"].partition("/")
    assert len(folder) == 12
    assert (folder[:4], picture) == ("task", "10_porn.jpg")
    assert told["voices"] == []


def test_v2_has_its_own_words_and_a_person_to_judge(result_v2):
    told = result_v2("review-nudity")
    assert told["suggestion"] == "review"
    assert {label["label"] for frame in told["frames"] for label in frame["detail"]["porn"]} == {
        "sexy",
        "porn",
        "normal",
    }
    told = result_v2("violence")
    found = {
        label["label"]: label["confidence"]
        for frame in told["frames"]
        for label in frame["detail"]["terrorism"]
        if label["label"] != "normal"
    }
    assert found == {"gun": 0.96, "bloody": 0.91}
    assert [frame["frame_begin"] for frame in told["frames"]] == [5.0, 10.0]


@pytest.mark.parametrize("scenario", ["clean", "below-floor", "sport", "child-safety", "speech-only"])
def test_what_is_not_seen_is_a_pass_that_lists_nothing(result_v2, result_v3, scenario):
    assert result_v2(scenario) == {"frames": [], "suggestion": "pass", "voices": []}
    assert result_v3(scenario) == {"suggestion": "pass", "image_detail": [], "audio_detail": []}


def test_the_interval_decides_what_is_seen(result_v2, result_v3):
    common = {"frame_interval": 10, "categories": "porn"}
    assert result_v2("between-key-frames", common)["frames"] == []
    assert len(result_v2("between-key-frames", common | {"frame_interval": 1})["frames"]) == 2
    url = "https://sandbox.reelvet.example/between-key-frames.mp4"
    assert result_v3("x", data={"url": url, "frame_interval": 10})["image_detail"] == []
    assert [frame["time"] for frame in result_v3("x", data={"url": url, "frame_interval": 1})["image_detail"]] == [
        12.0,
        13.0,
    ]


def test_v2_reads_and_hears_what_it_was_told_to(result_v2, talk):
    told = result_v2(talk)
    texts = [frame for frame in told["frames"] if "ocr_ad" in frame["suspect_categories"]]
    assert [frame["detail"]["ocr_ad"] for frame in texts] == [[{"text": "buy now"}]]
    assert told["frames"][0]["suspect_categories"] == ["politics", "ocr_ad"]
    assert told["voices"] == [{
        "content": "Hello, you fool.", "detail": {"abuse": ["fool"]}, "voice_begin": 11.0, "voice_end": 15.0, "voice_suggestion": "review",
    }]  # fmt: skip
    common = {
        "frame_interval": 5,
        "categories": "porn",
        "text_categories": "ad,abuse",
        "use_ocr": "false",
        "use_sis": "false",
    }
    assert result_v2(talk, common) == {"frames": [], "suggestion": "pass", "voices": []}
    assert result_v2(talk, {**common, "use_ocr": "true", "text_categories": "porn"})["frames"] == []
    assert result_v2(talk, {**common, "use_sis": "true"})["suggestion"] == "review"


def test_v2_without_a_configuration_looks_for_all_that_is_in_pictures(result_v2):
    assert result_v2("block-nudity", service_config=None)["suggestion"] == "block"


def test_an_object_is_found_by_the_name_that_jobs_give_it(reelvet_sandbox, create_v2, create_v3):
    reelvet_sandbox.scenario("obs://mine/a b.mp4", "violence")
    create_v2(input={"type": "obs", "data": [{"bucket": "mine", "path": "a b.mp4"}]})
    create_v3("https://mine.obs.cn-north-4.myhuaweicloud.com/a%20b.mp4")
    create_v3("https://mine.obs.cn-north-4.myhuaweicloud.com/other.mp4")
    create_v2(input={"type": "obs", "data": [{"bucket": "sandbox.reelvet.example", "path": "sport.mp4"}]})
    assert [task.scenario for task in reelvet_sandbox.tasks("huawei")] == ["violence", "violence", "clean", "sport"]


def test_v3_nudity_frame_by_frame(result_v3):
    told = result_v3("block-nudity")
    assert told["suggestion"] == "block"
    assert [frame["time"] for frame in told["image_detail"]] == [10.0, 15.0, 20.0]
    first, second, _ = told["image_detail"]
    assert first == {
        "category": "porn", "suggestion": "block", "time": 10.0,
        "detail": [{"confidence": 0.97, "category": "porn", "label": "pornography", "suggestion": "block"}],
    }  # fmt: skip
    assert [hit["label"] for hit in second["detail"]] == [
        "pornography",
        "porn",
    ]  # an exposed breast has no word of its own


def test_v3_text_codes_and_faces_have_places(result_v3, talk):
    (frame,) = result_v3(talk)["image_detail"]
    assert frame["category"] == "politics"
    assert frame["ocr_text"] == "buy now"
    face, text = frame["detail"]
    assert face["label"] == "leader"
    assert face["face_location"] == {"top_left_x": 128, "top_left_y": 144, "bottom_right_x": 256, "bottom_right_y": 288}
    assert text == {
        "confidence": 0.9, "category": "image_text", "label": "ad", "suggestion": "block", "segments": [{"segment": "buy"}],
    }  # fmt: skip
    told = result_v3("text-on-screen")
    code = told["image_detail"][0]["detail"][0]
    assert (code["label"], set(code["qr_location"])) == (
        "qr_code",
        {"top_left_x", "top_left_y", "bottom_right_x", "bottom_right_y"},
    )
    assert "ocr_text" not in told["image_detail"][0]
    assert told["image_detail"][-1]["ocr_text"] == "you are an idiot"
    assert result_v3("text-on-screen", image_categories=["porn"])["image_detail"] == []


def test_v3_hears_in_stretches_of_ten_seconds(result_v3, talk):
    told = result_v3(talk)["audio_detail"]
    assert [(s["start_time"], s["end_time"], s["label"], s["suggestion"]) for s in told] == [
        (10.0, 20.0, "abuse", "review"), (20.0, 25.0, "moan", "block"),
    ]  # fmt: skip
    assert told[0]["audio_text"] == "Hello, you fool."
    assert told[0]["detail"] == [
        {"confidence": 0.7, "label": "abuse", "suggestion": "review", "segments": [{"segment": "fool"}]}
    ]
    assert "segments" not in told[1]["detail"][0]
    assert [s["label"] for s in result_v3(talk, audio_categories=["moan"])["audio_detail"]] == ["moan"]
    assert result_v3(talk, audio_categories=[])["audio_detail"] == []


def test_v3_audio_alone(result_v3, talk):
    told = result_v3(talk, V3_AUDIO)
    assert told == {
        "suggestion": "block", "audio_text": "Hello, you fool.",
        "details": [
            {"suggestion": "review", "label": "abuse", "audio_text": "Hello, you fool.", "start_time": 10.0, "end_time": 20.0,
             "segments": [{"segment": "fool"}]},
            {"suggestion": "block", "label": "moan", "audio_text": "", "start_time": 20.0, "end_time": 25.0, "segments": []},
        ],
    }  # fmt: skip


@pytest.mark.parametrize(("how", "left"), [("missing", {"suggestion": "pass"}), ("null", {"suggestion": "pass", "image_detail": None, "audio_detail": None})])  # fmt: skip
def test_what_lists_nothing_can_be_said_otherwise(reelvet_sandbox, result_v2, result_v3, how, left):
    reelvet_sandbox.set_up("huawei", empty_lists=how)
    assert result_v3("clean") == left
    told = result_v2("clean")
    assert (told.get("frames"), "frames" in told) == (None, how == "null")
    reelvet_sandbox.fault("huawei", "contradiction", how="verdict_without_evidence")
    told = result_v3("block-nudity")
    assert (told["suggestion"], told.get("image_detail")) == ("block", None)
