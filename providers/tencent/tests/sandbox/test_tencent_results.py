"""Labels, units, spellings and nesting, as in the vendor's examples; and no more than the policy looks at."""

import json
from pathlib import Path

import pytest

from reelvet.errors import ConfigurationError, UnknownLabel

REPLIES = Path(__file__).parents[1] / "samples" / "replies"
SPEECH = {"start": 16, "end": 18.15, "text": "call me now", "language": "zh"}


@pytest.fixture
def told(reelvet_sandbox, api, result):
    """What the API says in the end of events and speech."""

    def call(*events, speech=(), create=None, **more):
        url = f"https://cdn.example.com/{len(reelvet_sandbox.tasks('tencent'))}.mp4"
        name = f"scenario-{len(reelvet_sandbox.scenarios())}"
        scenario = {"name": name, "duration": 36, "width": 400, "height": 200, "events": events, "speech": speech}
        reelvet_sandbox.scenario(url, scenario)
        return result(api.create(url, **create or {}), **more)

    return call


def event(label, score=0.9, start=10, end=12, **more):
    return {"label": label, "score": score, "start": start, "end": end, **more}


def places(value, path=""):
    """Every field of a reply, items of lists as one."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield f"{path}.{name}"
            yield from places(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from places(inner, f"{path}[]")


EVERYTHING = (
    event("sexual.explicit.nudity_female_breast", box={"x": 0.1, "y": 0.2, "width": 0.3, "height": 0.4}),
    event("harassment.abuse", channel="ocr", text="you fool", matches=["fool"]),
    event("spam.advertising", channel="speech", start=16, end=18, text="call me now", matches=["call me"]),
    event("sexual.sound.moaning", channel="sound", start=14, end=20),
    event("context.person.minor"),
    event("context.person.gender", channel="sound", start=14, end=20),
)
DIALECTS = {
    "detail_finish_20210922_cn_2025.json": ("cn", "2021-09-22"),
    "detail_placeholder_shape_20210922_cn.json": ("cn", "2021-09-22"),
    "detail_finish_20201229_intl.json": ("intl", "2020-12-29"),
    "detail_finish_20201229_cn_2021.json": ("cn", "2020-12-29"),
    "detail_running_20210922_cn.json": ("cn", "2021-09-22"),
    "tasks_response_20210922_cn.json": ("cn", "2021-09-22"),
    "tasks_response_20210922_intl.json": ("intl", "2021-09-22"),
    "create_response_20210922_cn.json": ("cn", "2021-09-22"),
    "create_response_20210922_intl.json": ("intl", "2021-09-22"),
    "create_response_20201229_seed_callback_cn.json": ("cn", "2020-12-29"),
    "cancel_response_20210922_cn.json": ("cn", "2021-09-22"),
}
# Of 2021-01, and in no model of any SDK since.
LEFT = {
    ".MediaInfo.Codecs", ".MediaInfo.Width", ".MediaInfo.Height", ".AudioSegments[].Result.DataId", ".AudioSegments[].Result.Results",
    ".AudioSegments[].Result.CreatedAt", ".AudioSegments[].Result.UpdatedAt",
}  # fmt: skip


@pytest.mark.parametrize("file", DIALECTS)
def test_every_reply_has_the_fields_that_the_printed_one_has(reelvet_sandbox, api, told, file):
    edition, api.version = DIALECTS[file]
    reelvet_sandbox.set_up("tencent", edition=edition)
    api.settings = reelvet_sandbox.settings("tencent")
    if file.startswith("create"):
        body = {"BizType": "default", "Type": "VIDEO", "Tasks": [{"DataId": "a", "Input": {"Url": "https://h/a.mp4"}}]}
        found = api.call("CreateVideoModerationTask", body)
    elif file.startswith("cancel"):
        found = api.call("CancelTask", {"TaskId": api.create()})
    elif "running" in file:
        task = api.create()
        reelvet_sandbox.clock.advance(2)
        found = api.get(task)
    else:
        found = told(*EVERYTHING, speech=[SPEECH])
        if file.startswith("tasks"):
            found = api.list()
    printed = json.loads((REPLIES / file).read_text(encoding="utf-8"))["Response"]
    missing = set(places(printed)) - set(places(found))
    assert missing <= (LEFT if file == "detail_finish_20201229_cn_2021.json" else set())


def test_a_picture_is_told_scene_by_scene(told):
    found = told(*EVERYTHING[:2])
    (picture,) = found["ImageSegments"]
    assert (picture["OffsetTime"], picture["OffsetusTime"]) == ("10", "10000")
    result = picture["Result"]
    assert (result["HitFlag"], result["Label"], result["SubLabel"]) == (1, "Porn", "WomenChest")
    assert (result["Suggestion"], result["Score"]) == ("Block", 90)
    seen, read = result["Results"]
    assert (seen["Scene"], seen["Label"], seen["SubLabel"], seen["Text"]) == ("Porn", "Porn", "WomenChest", "")
    assert seen["Details"][0]["Location"] == {"X": 40.0, "Y": 40.0, "Width": 120, "Height": 80, "Rotate": 0.0}
    assert (read["Scene"], read["Text"], read["HitType"]) == ("Abuse", "you fool", "text_rule")
    detail = read["Details"][0]
    assert (detail["Keywords"], detail["SubLabelCode"], detail["LibName"]) == (["fool"], "20007", "")
    assert detail["OcrHitInfos"][0]["Positions"] == [{"Start": 4, "End": 8}]


def test_a_sound_is_told_in_milliseconds(told):
    found = told(*EVERYTHING[2:], speech=[SPEECH])
    first, second = (segment["Result"] for segment in found["AudioSegments"])
    assert [segment["OffsetTime"] for segment in found["AudioSegments"]] == ["0", "15"]
    assert (first["Label"], first["Duration"], first["Text"]) == ("Moan", "15000", "")
    moan = first["MoanResults"][0]
    assert (moan["Label"], moan["Score"], moan["StartTime"], moan["EndTime"]) == ("Moan", 90, 14000, 15000)
    assert second["MoanResults"][0]["EndTime"] == 5000
    assert second["TextResults"] == [
        {
            "Label": "Ad", "Keywords": ["call me"], "LibId": "", "LibName": "", "Score": 90, "LibType": 0, "Suggestion": "Block",
            "SubLabel": "",
            "HitInfos": [{"Type": "Keyword", "Keyword": "call me", "LibName": "", "Positions": [{"Start": 0, "End": 7}]}],
        }
    ]  # fmt: skip
    assert second["Sentences"] == [{"Text": "call me now", "StartTime": "0:0:1.000", "EndTime": "0:0:3.150"}]
    language = second["LanguageResults"][0]
    assert (language["Label"], language["StartTime"], language["EndTime"]) == ("cmn", 1000, 3150)
    assert second["RecognitionResults"][0]["Tags"][0]["EndTime"] == 5000
    assert found["AudioText"] == "call me now"


def test_a_sound_may_be_told_in_seconds_as_the_international_text_says(reelvet_sandbox, told):
    reelvet_sandbox.set_up("tencent", sound_times="s")
    found = told(*EVERYTHING[2:], speech=[SPEECH])
    second = found["AudioSegments"][1]["Result"]
    assert (second["Duration"], second["MoanResults"][0]["EndTime"]) == ("15", 5)
    assert (
        second["RecognitionResults"][0]["Tags"][0]["EndTime"] == 5000
    )  # documented in milliseconds, and not otherwise


def test_a_custom_library_is_named(told):
    found = told(
        event("custom", channel="ocr", text="the phrase", matches=["phrase"]),
        event("custom", channel="speech", text="the phrase", matches=["phrase"]),
    )
    detail = found["ImageSegments"][0]["Result"]["Results"][0]["Details"][0]
    text = found["AudioSegments"][0]["Result"]["TextResults"][0]
    assert (
        (detail["LibId"], detail["LibName"])
        == (text["LibId"], text["LibName"])
        == ("sandbox_library_1", "sandbox library")
    )
    assert (found["Label"], text["LibType"]) == ("Custom", 2)


def test_what_the_semantic_model_hears_has_no_keywords(told):
    found = told(event("politics", channel="speech", text="a speech"))
    text = found["AudioSegments"][0]["Result"]["TextResults"][0]
    assert (text["Keywords"], text["Score"]) == ([], 90)
    assert found["AudioSegments"][0]["Result"]["HitType"] == "text_nlp_tianji"


def test_what_is_recognized_is_no_hit_and_listed_all_the_same(told):
    found = told(event("context.person.minor", score=0.7))
    assert (found["Suggestion"], found["Label"], found["Labels"]) == ("Pass", "Normal", [])
    result = found["ImageSegments"][0]["Result"]
    assert (result["HitFlag"], result["Label"], result["Results"]) == (0, "Normal", [])
    assert result["RecognitionResults"] == [
        {"Label": "Teenager", "Tags": [{"Name": "Teenager", "Score": 70, "StartTime": 0, "EndTime": 0}]}
    ]


@pytest.mark.parametrize(
    ("score", "suggestion"), [(0.54, "Pass"), (0.55, "Review"), (0.84, "Review"), (0.85, "Block"), (1, "Block")]
)
def test_scores_are_whole_numbers_of_a_hundred_and_decide(told, score, suggestion):
    found = told(event("sexual.suggestive", score=score))
    assert found["Suggestion"] == suggestion
    assert bool(found["ImageSegments"]) is (suggestion != "Pass")
    labels = [{"Label": "Sexy", "Suggestion": suggestion, "Score": round(score * 100), "SubLabel": ""}]
    assert found["Labels"] == (labels if suggestion != "Pass" else [])


def test_the_worst_label_comes_first(told):
    found = told(event("spam.advertising", 0.6), event("politics", 0.99), event("sexual.suggestive", 0.9))
    assert [(label["Label"], label["Suggestion"]) for label in found["Labels"]] == [
        ("Polity", "Block"), ("Sexy", "Block"), ("Ad", "Review"),
    ]  # fmt: skip
    assert (found["Label"], found["Suggestion"]) == ("Polity", "Block")


def test_all_segments_are_listed_where_that_is_asked_for(told):
    below = event("sexual.explicit.pornography", 0.2)
    assert told(below)["ImageSegments"] == []
    found = told(below, ShowAllSegments=True)
    assert [segment["OffsetTime"] for segment in found["ImageSegments"]] == [
        "0",
        "5",
        "10",
        "15",
        "20",
        "25",
        "30",
        "35",
    ]
    assert [segment["OffsetTime"] for segment in found["AudioSegments"]] == ["0", "15", "30"]
    assert found["AudioSegments"][2]["Result"]["Duration"] == "6000"
    results = [segment["Result"] for segment in found["ImageSegments"]]
    assert {(one["HitFlag"], one["Label"], one["Suggestion"]) for one in results} == {(0, "Normal", "Pass")}
    assert [one["Score"] for one in results] == [0, 0, 20, 0, 0, 0, 0, 0]
    assert results[2]["Results"][0] == {
        "Scene": "Porn", "HitFlag": 0, "Suggestion": "Pass", "Label": "Normal", "SubLabel": "", "Score": 20, "Names": [], "Text": "",
        "Details": [], "HitType": "",
    }  # fmt: skip


def test_pictures_are_taken_every_five_seconds_or_as_is_asked_for(told, api, reelvet_sandbox):
    between = event("sexual.suggestive", start=11, end=13)
    assert told(between)["ImageSegments"] == []
    task = {"DataId": "key-1", "Input": {"Url": "https://cdn.example.com/1.mp4"}, "DecodeParams": {"ImageFrequency": 2}}
    found = told(between, create={"Tasks": [task]})
    assert [segment["OffsetTime"] for segment in found["ImageSegments"]] == ["12"]


# --- policies ---


def policy(*labels, channels=("visual",)):
    return {"covers": [{"labels": list(labels), "channels": list(channels)}]}


def test_a_policy_sees_what_it_is_declared_to_look_at_and_nothing_else(reelvet_sandbox, told):
    reelvet_sandbox.set_up("tencent", biz_types={"default": policy("sexual.explicit")})
    found = told(
        event("sexual.explicit.nudity_anus"), event("sexual.suggestive"), event("violence.weapons.firearm"),
        event("sexual.explicit.pornography", channel="ocr", text="x"), event("sexual.explicit.pornography", channel="speech", text="x"),
        speech=[SPEECH], ShowAllSegments=True,
    )  # fmt: skip
    assert [(label["Label"], label["SubLabel"]) for label in found["Labels"]] == [("Porn", "Anus")]
    assert (found["AudioSegments"], found["AudioText"], found["Asrs"]) == ([], "", [])


def test_a_policy_that_only_listens_sees_no_pictures(reelvet_sandbox, told):
    reelvet_sandbox.set_up("tencent", biz_types={"default": policy("*", channels=["speech"])})
    found = told(*EVERYTHING, speech=[SPEECH], ShowAllSegments=True)
    assert (found["ImageSegments"], len(found["AudioSegments"]), found["Label"]) == ([], 3, "Ad")


def test_each_biz_type_has_its_own_policy_and_a_task_keeps_that_of_its_creation(reelvet_sandbox, api, result):
    declared = {"nude_1": policy("sexual"), "arms_1": policy("violence")}
    reelvet_sandbox.set_up("tencent", biz_types=declared)
    settings = reelvet_sandbox.settings("tencent")
    assert (settings["biz_type"], settings["biz_types"]) == ("nude_1", declared)
    tasks = [api.create("violence", BizType=name) for name in declared]
    reelvet_sandbox.set_up("tencent", biz_types={"none_1": {"covers": []}})
    assert [result(task)["Suggestion"] for task in tasks] == ["Pass", "Block"]
    assert [api.get(task)["BizType"] for task in tasks] == list(declared)


def test_a_policy_of_labels_that_do_not_exist_is_refused(reelvet_sandbox):
    with pytest.raises(UnknownLabel, match="violnce"):
        reelvet_sandbox.set_up("tencent", biz_types={"default": policy("violnce")})
    with pytest.raises(ConfigurationError, match="biz_types"):
        reelvet_sandbox.set_up("tencent", biz_types={"a b": policy("sexual")})


def test_what_the_vendor_has_no_word_for_it_does_not_see(told):
    assert told(event("context.sport.kicking_soccer_ball"))["ImageSegments"] == []


def test_a_harm_that_is_named_roughly_is_one_of_those_that_the_vendor_has_words_for(api, result):
    assert result(api.create("child-safety"))["Labels"] == [
        {"Label": "Porn", "Suggestion": "Block", "Score": 92, "SubLabel": "NakedChild"}
    ]


# --- kinds of tasks and editions ---


def test_generated_media_is_looked_for_by_a_task_of_its_own(told):
    both = (event("synthetic.ai_generated", 0.93), event("sexual.suggestive"))
    found = told(*both, create={"Type": "VIDEO_AIGC"})
    assert found["Type"] == "VIDEO_AIGC"
    assert [label["Label"] for label in found["Labels"]] == ["AIGC"]
    assert found["AudioSegments"] == []


def test_a_language_model_tells_stretches(told):
    create = {"Type": "VIDEO_LLM", "CallbackUrl": "https://h/cb"}
    found = told(
        event("sexual.suggestive"),
        event("harassment.abuse", channel="speech", matches=["fool"]),
        speech=[SPEECH],
        create=create,
    )
    (stretch,) = found["VideoSegments"]
    assert stretch["OffsetTime"] == "0"
    result = stretch["Result"]
    assert (result["HitFlag"], result["Suggestion"], result["Text"], result["Duration"]) == (
        1,
        "Block",
        "call me now",
        "30",
    )
    assert [(one["LabelName"], one["TargetText"]) for one in result["Detail"]] == [("Sexy", []), ("Abuse", ["fool"])]
    assert (found["ImageSegments"], found["AudioSegments"]) == ([], [])
    assert found["TaskId"].startswith("w-video_llm-")


def test_the_international_edition_lacks_fields(reelvet_sandbox, api, told):
    reelvet_sandbox.set_up("tencent", edition="intl")
    api.settings = reelvet_sandbox.settings("tencent")
    found = told(*EVERYTHING, speech=[SPEECH])
    assert not {"SegmentCosUrlList", "VideoSegments", "HitSnippetInfos"} & set(found)
    assert set(found["Labels"][0]) == {"Label", "Suggestion", "Score"}
    assert set(found["ImageSegments"][0]) == {"OffsetTime", "Result"}
    assert "RecognitionResults" not in found["ImageSegments"][0]["Result"]
    assert found["ImageSegments"][0]["Result"]["Results"][0]["SubLabel"] == "WomenChest"
    assert "X-Amz-Expires=86400" in found["ImageSegments"][0]["Result"]["Url"]
    assert "Sentences" not in found["AudioSegments"][0]["Result"]


def test_the_version_of_2020_lacks_others(api, told):
    api.version = "2020-12-29"
    found = told(*EVERYTHING)
    assert set(found["MediaInfo"]) == {"Duration"}
    assert found["ImageSegments"][0]["Result"]["SubLabel"] == "WomenChest"
    assert "VideoSegments" not in found


def test_a_bucket_is_looked_up_as_a_job_names_it(reelvet_sandbox, api, result):
    reelvet_sandbox.scenario("cos://clips-1250000000/a/clip.mp4", "violence")
    bucket = {"Bucket": "clips-1250000000", "Region": "ap-guangzhou", "Object": "/a/clip.mp4"}
    task = api.create(Tasks=[{"DataId": "key-1", "Input": {"Type": "COS", "BucketInfo": bucket}}])
    found = result(task)
    assert found["Label"] == "Terror"
    assert (found["InputInfo"]["Type"], found["InputInfo"]["Url"]) == ("COS", "")
    assert json.loads(found["InputInfo"]["BucketInfo"]) == bucket


def test_evidence_is_a_signed_link_and_the_same_at_every_look(told, api):
    found = told(*EVERYTHING)
    again = api.get(found["TaskId"])
    assert again["ImageSegments"] == found["ImageSegments"]
    url = found["ImageSegments"][0]["Result"]["Url"]
    assert url.startswith(f"https://sandbox.reelvet.example/evidence/{found['TaskId']}/image_10000.jpg?")
    assert "X-Amz-Expires=43200" in url
    assert found["SegmentCosUrlList"]["ImageAllUrl"].endswith(f"/{found['TaskId']}/image_all.json")


def test_the_text_is_cut_after_a_thousand_characters(told):
    speech = [{"start": n, "end": n + 1, "text": "word " * 60} for n in range(5)]
    assert len(told(speech=speech)["AudioText"]) == 1000
