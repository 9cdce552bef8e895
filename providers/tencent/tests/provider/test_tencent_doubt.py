"""Replies that contradict themselves or cannot be read: none becomes a clean pass, none says more than is known."""

from __future__ import annotations

import copy
import json

import pytest

from reelvet import CoverageState, ModerationJob, Verdict

PORN = {"Label": "Porn", "Score": 99}
SEEN, HEARD = {"visual", "ocr"}, {"speech", "sound"}


def finished(sample, **fields):
    payload = sample("composed_clean")
    payload["Response"] |= fields
    return payload


def picture(**fields):
    result = {
        "HitFlag": 0,
        "Label": "Normal",
        "SubLabel": "",
        "Suggestion": "Pass",
        "Score": 0,
        "Results": [],
        "Url": "",
    }
    return {"ImageSegments": [{"OffsetTime": "3", "Result": {**result, **fields}}]}


def scene(**fields):
    one = {
        "Scene": "Porn",
        "HitFlag": 0,
        "Label": "Normal",
        "SubLabel": "",
        "Suggestion": "Pass",
        "Score": 0,
        "Details": [],
    }
    return picture(Results=[{**one, **fields}])


def sound(**fields):
    result = {"HitFlag": 0, "Label": "Normal", "SubLabel": "", "Suggestion": "Pass", "Score": 0, "Text": ""}
    return {"AudioSegments": [{"OffsetTime": "0", "Result": {**result, **fields}}]}


def stretch(**fields):
    return {
        "VideoSegments": [{"OffsetTime": "0", "Result": {"HitFlag": 0, "Suggestion": "Pass", "Detail": [], **fields}}]
    }


def states(result, channels=SEEN | HEARD):
    return {row.state for row in result.coverage if row.channel in channels}


# --- what speaks against itself ---


@pytest.mark.parametrize(
    "fields",
    [{}, picture(), scene(), sound(), stretch(), picture(HitFlag=None), picture(HitFlag="0"), picture(HitFlag=0.0), picture(HitFlag=False),
     scene(Score="0", SubLabel="Others"), picture(Label="Porn", Score=20), scene(Details=[{"Label": "", "Name": "x", "Suggestion": "Pass"}])],
    ids=str,
)  # fmt: skip
def test_a_clean_reply_passes(moderator, sample, fields):
    result = moderator.normalize(finished(sample, **fields))
    assert result.verdict is Verdict.PASS
    assert CoverageState.CLEAN in states(result)


@pytest.mark.parametrize(
    "flag", [1, 1.0, "1", "1.0", True, 2, -1, 0.5, "2", "yes", float("nan"), [1], {"up": 1}], ids=repr
)
@pytest.mark.parametrize("place", [picture, scene, sound])
def test_a_flag_that_is_not_down_is_a_hit_whatever_the_suggestion_says(moderator, sample, place, flag):
    result = moderator.normalize(finished(sample, **place(**PORN, HitFlag=flag)))
    assert [finding.label for finding in result.findings] == ["sexual.explicit.pornography"]
    assert result.verdict is Verdict.BLOCK
    clean = moderator.normalize(finished(sample, **stretch(HitFlag=flag)))
    assert clean.verdict is Verdict.REVIEW


@pytest.mark.parametrize("says", ["", "UNSPECIFIED", None])
@pytest.mark.parametrize("place", [picture, scene, sound])
def test_a_flag_that_is_down_does_not_outrank_a_label(moderator, sample, place, says):
    result = moderator.normalize(finished(sample, **place(**PORN, Suggestion=says)))
    assert [(finding.label, finding.score) for finding in result.findings] == [("sexual.explicit.pornography", 0.99)]
    assert result.verdict is Verdict.BLOCK


@pytest.mark.parametrize("place", [picture, scene, sound, lambda **fields: {"Labels": [{"Label": "Normal", "Suggestion": "Pass", **fields}]},
                                   lambda **fields: scene(Details=[{"Label": "Normal", "Suggestion": "Pass", **fields}]),
                                   lambda **fields: sound(TextResults=[{"Label": "Normal", "Suggestion": "Pass", **fields}])])  # fmt: skip
@pytest.mark.parametrize(
    ("sub_label", "label", "verdict"),
    [("NakedChild", "child_safety.sexual.abuse", "block"), ("NewWord", "unmapped", "review")],
)
def test_a_sub_label_below_nothing_counts(moderator, sample, place, sub_label, label, verdict):
    result = moderator.normalize(finished(sample, **place(SubLabel=sub_label, Score=99)))
    assert [finding.label for finding in result.findings] == [label]
    assert result.verdict == verdict
    assert moderator.normalize(finished(sample, **place(SubLabel=sub_label, Score=0))).verdict is Verdict.PASS


@pytest.mark.parametrize(
    "fields",
    [{"ErrorType": "DECODE_ERROR"}, {"ErrorType": ["DECODE_ERROR"]}, {"ErrorType": "NEW"}, {"ErrorDescription": "cut"}],
    ids=str,
)
def test_an_error_beside_a_verdict_is_no_clean_look(moderator, sample, fields):
    result = moderator.normalize(finished(sample, **fields))
    assert result.verdict is Verdict.ERROR
    assert states(result) == {CoverageState.NOT_EVALUATED}
    assert "contradiction" in {note.code for note in result.warnings}


@pytest.mark.parametrize("type_", ["AUDIO", "LIVE_AUDIO", "NEW"])
def test_a_task_of_a_type_that_nobody_knows_may_have_looked_at_no_picture(moderator, sample, type_):
    result = moderator.normalize(finished(sample, Type=type_))
    assert result.verdict is Verdict.ERROR
    assert states(result) == {CoverageState.NOT_EVALUATED}
    assert "unknown_type" in {note.code for note in result.warnings}


# --- what cannot be read ---

BLOCK = {"Label": "Porn", "Suggestion": "Block", "Score": 99}


@pytest.mark.parametrize(
    "fields",
    [
        picture(Suggestion=["Block"]),
        picture(Label=["Porn"]),
        picture(SubLabel={"0": "Anus"}),
        picture(Results=["Porn Block"]),
        picture(Results="Porn Block"),
        picture(Results={"0": BLOCK}),
        picture(Results=[[BLOCK]]),
        picture(Results=[None]),
        picture(Results=[{}]),
        picture(Results=[{"verdict": "Block"}]),
        picture(HitSnippetInfos="Porn"),
        picture(RecognitionResults=["Teenager"]),
        picture(NewResults=[BLOCK]),
        scene(Suggestion=["Block"]),
        scene(Suggestion=True),
        scene(Label={"Porn": 99}),
        scene(Details=[[BLOCK]]),
        scene(Details="Porn"),
        scene(Details={"0": BLOCK}),
        scene(Details=[{"Name": "x", "Suggestion": ["Block"]}]),
        scene(Details=[{"Name": "x", "Label": ["Porn"]}]),
        scene(Finer={"0": {"HitFlag": 1}}),
    ],
    ids=json.dumps,
)
def test_what_cannot_be_read_of_a_picture_may_be_a_hit(moderator, sample, fields):
    result = moderator.normalize(finished(sample, **fields))
    assert {finding.label for finding in result.findings} == {"unmapped"}
    assert {finding.start for finding in result.findings} == {3.0}
    assert result.verdict is Verdict.REVIEW
    assert states(result, SEEN) == {CoverageState.NOT_EVALUATED}
    assert CoverageState.CLEAN in states(result, HEARD)


@pytest.mark.parametrize(
    "fields",
    [
        sound(Suggestion=["Block"]),
        sound(TextResults=["Porn"]),
        sound(TextResults="Porn"),
        sound(TextResults={"0": BLOCK}),
        sound(TextResults=[{"Label": "Normal", "Suggestion": ["Block"]}]),
        sound(MoanResults=["Moan"]),
        sound(LabelResults=[["Porn"]]),
        sound(TravelResults="x"),
        sound(TravelResults=[{"Label": "", "RiskLevel": ["high"]}]),
        sound(SpeakerResults=["x"]),
        sound(LaterResults=[{"suggestion": "block"}]),
        {"AudioSegments": "Porn"},
    ],
    ids=json.dumps,
)
def test_what_cannot_be_read_of_a_sound_may_be_a_hit(moderator, sample, fields):
    result = moderator.normalize(finished(sample, **fields))
    assert {(finding.label, finding.channel) for finding in result.findings} == {("unmapped", "speech")}
    assert result.verdict is Verdict.REVIEW
    assert states(result, HEARD) == {CoverageState.NOT_EVALUATED}
    assert CoverageState.CLEAN in states(result, SEEN)


@pytest.mark.parametrize(
    "fields",
    [
        {"Labels": ["Porn"]},
        {"Labels": "Porn"},
        {"Labels": {"Porn": "Block"}},
        {"Labels": [{"Label": "Normal", "Suggestion": ["Block"]}]},
        {"Label": ["Porn"]},
        {"Suggestion": ["Block"]},
        {"HitSnippetInfos": ["Porn"]},
        {"VideoSegments": "Porn"},
        {"FaceSegments": [{"Result": {"HitFlag": 1}}]},
        stretch(Detail=["Block"]),
        stretch(Detail="Block"),
        stretch(Detail={"0": {"Suggestion": "Block"}}),
        stretch(Detail=[{"LabelName": "x", "Suggestion": ["Block"]}]),
        stretch(Suggestion=["Block"]),
    ],
    ids=json.dumps,
)
def test_what_cannot_be_read_of_the_whole_is_a_doubt_of_all_of_it(moderator, sample, fields):
    result = moderator.normalize(finished(sample, **fields))
    assert "unmapped" in {finding.label for finding in result.findings}
    assert result.verdict not in {Verdict.PASS, None}
    assert states(result) == {CoverageState.NOT_EVALUATED}


@pytest.mark.parametrize(
    "fields",
    [
        {"NewField": "x", "Timings": [{"Step": 1, "Seconds": 2}], "Model": {"Version": 7}},
        picture(NewField=[{"Suggestion": "Pass", "HitFlag": 0}], CreatedAt=["x"], Extra={"a": 1}, Url=7),
        scene(NewField=[1, 2], Names="x", Text=7, HitType=["x"], Details=None),
        sound(Sentences=["x"], LanguageResults=["cmn"], Duration=[], NewField={"a": []}),
        {"Asrs": "x", "MediaInfo": "x", "InputInfo": ["x"], "SegmentCosUrlList": 7, "TryInSeconds": "x"},
    ],
    ids=str,
)
def test_a_field_that_nobody_knows_and_that_says_of_no_hit_is_no_reason_to_doubt(moderator, sample, fields):
    assert moderator.normalize(finished(sample, **fields)).verdict is Verdict.PASS


def test_what_is_found_beside_what_cannot_be_read_is_told_too(moderator, sample):
    payload = finished(sample, **picture(**BLOCK, Results=["?"]), Suggestion="Block")
    found = moderator.normalize(payload).findings
    assert [(finding.label, finding.native.field) for finding in found] == [
        ("sexual.explicit.pornography", "ImageSegments[0].Result"),
        ("unmapped", "ImageSegments[0].Result.Results[0]"),
    ]
    assert found[1].native.extra["Unreadable"] == "?"


def test_a_recognition_that_cannot_be_read_is_told_as_both(moderator, sample):
    result = moderator.normalize(finished(sample, **picture(RecognitionResults=[{"Label": "Teenager", "Tags": ["x"]}])))
    assert len(result.findings) == 2
    assert "unmapped" in {finding.label for finding in result.findings}
    assert CoverageState.CLEAN not in states(result, SEEN)


# --- scores ---


@pytest.mark.parametrize("child", [10, 98, None, "x"])
def test_a_child_that_is_less_sure_does_not_speak_for_its_parent(moderator, sample, child):
    one = {"HitFlag": 1, "Label": "Porn", "Suggestion": "Review", "Score": child}
    alone = moderator.normalize(
        finished(sample, Suggestion="Review", **picture(**PORN, HitFlag=1, Suggestion="Review"))
    )
    both = moderator.normalize(finished(sample, Suggestion="Review", **picture(**PORN, HitFlag=1, Suggestion="Review", Results=[one])))  # fmt: skip
    assert alone.verdict is both.verdict is Verdict.BLOCK
    assert max(finding.score or 0 for finding in both.findings) == 0.99


@pytest.mark.parametrize(("score", "places"), [(10, 2), (99, 1), (100, 1)])
def test_a_label_of_the_whole_is_repeated_only_by_what_is_as_sure(moderator, sample, score, places):
    fields = picture(Label="Porn", Score=score, HitFlag=1, Suggestion="Review")
    result = moderator.normalize(
        finished(sample, Suggestion="Review", Labels=[{**PORN, "Suggestion": "Review"}], **fields)
    )
    assert len(result.findings) == places
    assert result.verdict is Verdict.BLOCK


# --- nothing was looked at ---

FILE = "https://cdn.example.com/clip.mp4"
STREAM = {"url": "rtmp://live.example.com/app/stream", "kind": "live"}


def job(media=FILE, **options):
    return ModerationJob(media=media, detect=["sexual", "harassment.abuse"], options={"tencent": options})


@pytest.mark.parametrize("more", [{}, {"MediaInfo": {}}], ids=str)
@pytest.mark.parametrize("empty", [[], None], ids=repr)
def test_where_all_segments_were_asked_for_and_there_are_none_nothing_was_looked_at(moderator, sample, empty, more):
    payload = finished(sample, ImageSegments=empty, AudioSegments=empty, **more)
    assert moderator.normalize(payload, job=job()).verdict is Verdict.PASS
    result = moderator.normalize(payload, job=job(all_segments=True))
    assert result.verdict is Verdict.ERROR
    assert CoverageState.CLEAN not in states(result)
    payload["Response"] |= picture()
    result = moderator.normalize(payload, job=job(all_segments=True))
    assert CoverageState.CLEAN in states(result, SEEN)
    assert states(result, HEARD) == {CoverageState.NOT_EVALUATED}


async def test_a_task_says_itself_that_all_segments_were_asked_for(connect, vendor):
    async with connect() as moderator:
        asked = {"detect": ["sexual.explicit"], "channels": ["visual"]}
        for options, verdict in (({}, Verdict.PASS), ({"all_segments": True}, Verdict.ERROR)):
            result = await moderator.moderate(ModerationJob(media=FILE, options={"tencent": options}, **asked))
            assert result.verdict is verdict


AT = 1793527200  # 2026-11-01T10:00:00Z


def live(sample, *offsets):
    payload = finished(sample, Type="LIVE_VIDEO", MediaInfo={})
    segment = picture()["ImageSegments"][0]
    payload["Response"]["ImageSegments"] = [{**segment, "OffsetTime": str(offset)} for offset in offsets]
    return payload


@pytest.mark.parametrize(
    ("began", "offsets", "through"),
    [
        ("2026-11-01T10:00:00Z", [AT, AT + 5], 5.0),
        (None, [AT, AT + 5], None),
        ("2026-11-01T11:00:00Z", [AT, AT + 5], None),
        ("2026-11-01T10:00:02Z", [AT, AT + 5], None),
        ("2026-11-01T10:00:00Z", [], None),
        ("2026-11-01T10:00:00Z", [5, "x"], None),
    ],
)
def test_of_a_stream_nothing_is_clean_unless_it_is_known_how_far_it_was_looked_at(
    moderator, sample, began, offsets, through
):
    result = moderator.normalize(
        live(sample, *offsets), job=job(STREAM, all_segments=True, **({"stream_started_at": began} if began else {}))
    )
    clean = {row.through for row in result.coverage if row.state is CoverageState.CLEAN}
    assert clean == (set() if through is None else {through})
    assert states(result, HEARD) == {CoverageState.NOT_EVALUATED}
    assert (result.verdict is Verdict.PASS) <= (through is not None)


def test_sound_that_was_listened_to_says_nothing_of_pictures(moderator, sample):
    payload = live(sample, AT, AT + 5)
    slices = [{**sound()["AudioSegments"][0], "OffsetTime": str(AT + second)} for second in (0, 15, 30)]
    payload["Response"]["AudioSegments"] = slices
    result = moderator.normalize(payload, job=job(STREAM, all_segments=True, stream_started_at="2026-11-01T10:00:00Z"))
    through = {(row.channel.value, row.through) for row in result.coverage if row.state is CoverageState.CLEAN}
    assert through == {("visual", 5.0), ("speech", 30.0), ("sound", 30.0)}


def test_a_stream_of_which_less_is_known_claims_no_more(moderator, sample):
    payload = live(sample, AT, AT + 5)
    plain = [moderator.normalize(payload), moderator.normalize(payload, job=job(STREAM))]
    plain.append(moderator.normalize(payload, job=job(STREAM, stream_started_at="2026-11-01T10:00:00Z")))
    assert [CoverageState.CLEAN in states(result) for result in plain] == [False] * 3


@pytest.mark.parametrize(
    ("options", "warned"),
    [({}, True), ({"all_segments": True}, True), ({"stream_started_at": "2026-11-01T10:00:00Z"}, True),
     ({"all_segments": True, "stream_started_at": "2026-11-01T10:00:00Z"}, False)],
)  # fmt: skip
def test_a_plan_says_what_it_takes_to_clear_a_stream(moderator, options, warned):
    codes = {note.code for note in moderator.plan(job(STREAM, **options)).warnings}
    assert ("stream_extent" in codes) == warned
    assert "stream_extent" not in {note.code for note in moderator.plan(job(**options)).warnings}


def test_a_doubt_is_of_one_reply_only(moderator, sample):
    before = finished(sample)
    kept = copy.deepcopy(before)
    assert moderator.normalize(before).verdict is Verdict.PASS
    assert before == kept


def test_what_cannot_be_read_many_times_over_is_read_in_time_and_warned_of_once(moderator, sample):
    result = moderator.normalize(finished(sample, **picture(Results=["?"] * 5000)))
    assert len(result.findings) == 5000
    assert [note.says for note in result.warnings if note.code == "unmapped"] == [
        "ImageSegments[].Result.Results[] cannot be read"
    ]
