"""Replies that are odd in ways no sample shows: none becomes a clean pass, none crashes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from reelvet import AsyncModerator, Config, CoverageState, ModerationJob, Verdict
from reelvet.plugins import TimeWindow
from reelvet.schema import errors as e
from reelvet.schema.task import TaskRef
from reelvet_gcore import languages, video
from reelvet_gcore.sandbox.languages import _table

CLEAN = {"nsfw_detected": False, "detection_results": [], "frames": []}
HIT = {"label": "nsfw", "confidence": 0.9, "frame_number": 1}


def reply(result, **more):
    task = {
        "task_id": "t",
        "status": "SUCCESS",
        "progress": 100,
        "task_data": {"task_name": "content-moderation", "category": "nsfw"},
    }
    return {**task, "result": result, **more}


def test_the_clean_reply_passes(moderator):
    assert moderator.normalize(reply(CLEAN)).verdict is Verdict.PASS


@pytest.mark.parametrize(
    "payload",
    [
        reply({"detection_results": []}),
        reply({**CLEAN, "error": "out of memory"}),
        reply(CLEAN, error="out of memory"),
        reply(CLEAN, task_data={"task_name": "transcription", "category": "nsfw"}),
        reply({"nsfw_detected": True, "detection_results": ["nsfw"], "frames": [{**HIT, "confidence": 0.01}]}),
        reply({**CLEAN, "nsfwDetected": True}),
        reply({**CLEAN, "nsfwDetected": False}),
        reply({**CLEAN, "weapon_detected": False}),
        reply({**CLEAN, "nudity_detected": True}),
        reply({**CLEAN, "objects": [{"label": "nsfw"}]}),
        reply({**CLEAN, "frames": {"0": HIT}}),
        reply({**CLEAN, "frames": [[HIT]]}),
        reply({**CLEAN, "detection_results": [None]}),
        reply({**CLEAN, "nsfw_detected": None}),
        reply({**CLEAN, "nsfw_detected": "maybe"}),
        reply([CLEAN]),
        reply("clean"),
        reply({}),
        reply(None),
    ],
    ids=lambda payload: json.dumps(payload["result"])[:60],
)
def test_what_is_odd_is_never_a_pass(moderator, payload):
    result = moderator.normalize(payload)
    assert result.verdict in {Verdict.REVIEW, Verdict.BLOCK, Verdict.ERROR}
    assert not any(row.state is CoverageState.CLEAN for row in result.coverage)


def test_a_field_that_nobody_knows_and_that_lists_nothing_is_no_reason_to_doubt(moderator):
    assert moderator.normalize(reply({**CLEAN, "model_version": "7", "timings": [1, 2]})).verdict is Verdict.PASS


@pytest.mark.parametrize(
    "result",
    [
        {"child_pornography_detected": True, "detection_results": [], "frames": []},
        {"child_pornography_detected": "yes", "detection_results": [], "frames": []},
        {
            "detection_results": ["3-9"],
            "frames": [{"label": "FACE_MALE", "confidence": 0.9, "frame_number": 1, "age": "3-9"}],
        },
        {
            "child_pornography_detected": False,
            "detection_results": [],
            "frames": [{"label": "FACE_MALE", "confidence": 0.9, "frame_number": 1}],
        },
        {"child_pornography_detected": None, "detection_results": ["0-2"], "frames": []},
        {"detection_results": [{"class": "FACE_FEMALE", "score": 0.9, "frame-no": 1}]},
    ],
    ids=str,
)
def test_whatever_hits_in_the_category_for_children_blocks(moderator, result):
    judged = moderator.normalize(reply(result, task_data={"category": "child_pornography"}))
    assert {finding.label for finding in judged.findings} == {"child_safety.sexual"}
    assert judged.verdict is Verdict.BLOCK


@pytest.mark.parametrize("threshold", ["0.84", "0.8400"])
def test_a_stop_tag_found_exactly_at_its_threshold_may_have_stopped(moderator, threshold):
    result = {
        "nudity_detected": True,
        "detection_results": ["ANUS_EXPOSED"],
        "frames": [{"label": "ANUS_EXPOSED", "confidence": 0.84, "frame_number": 1}],
    }
    data = {"task_name": "content-moderation", "category": "hard_nudity", "stop_objects": f"ANUS_EXPOSED:{threshold}"}
    judged = moderator.normalize(reply(result, task_data=data))
    assert CoverageState.NOT_EVALUATED in {row.state for row in judged.coverage}


def test_of_several_languages_none_is_guessed_to_be_the_spoken_one(moderator):
    data = {"task_name": "transcription", "subtitles_language": "fre"}
    told = {
        "subtitles": [{"start_time": "00:00:01.000", "end_time": "00:00:02.000", "text": "a"}],
        "languages": ["ger", "eng", "fre"],
    }
    transcript = moderator.normalize(reply(told, task_data=data)).transcripts[0]
    assert (transcript.language, transcript.translated_from) == ("fr", None)


# --- numbers and depths that nobody expects ---


@pytest.mark.parametrize("written", ["9" * 400 + ":00:00", "9" * 5000 + ":00:00", "00:00:" + "9" * 400, "1e999:00:00"])
def test_times_beyond_reason_are_none(moderator, written):
    told = {"subtitles": [{"start_time": written, "end_time": "00:00:01.000", "text": "a"}]}
    result = moderator.normalize(reply(told, task_data={"task_name": "transcription"}))
    assert result.transcripts[0].segments[0].start is None
    result.dump_json()


@pytest.mark.parametrize("number", [10**400, -(10**30), "9" * 400, 1e300, float("inf")])
def test_frame_numbers_beyond_reason_are_none(moderator, number):
    job = ModerationJob(
        media="https://h.example/a.mp4", detect=["sexual.explicit.pornography"], options={"gcore": {"frame_rate": 25}}
    )
    told = {"nsfw_detected": True, "detection_results": ["nsfw"], "frames": [{**HIT, "frame_number": number}]}
    finding = moderator.normalize(reply(told), job=job).findings[0]
    assert (finding.frame, finding.start) == (None, None)


@pytest.mark.parametrize(
    "options",
    [
        {"frame_rate": float("inf")},
        {"frame_rate": float("nan")},
        {"key_frame_times": [0, float("nan")]},
        {"key_frame_times": [float("inf")]},
    ],
)
def test_no_time_is_worked_out_from_what_is_no_number(moderator, options):
    job = ModerationJob(media="https://h.example/a.mp4")
    with pytest.raises((e.InvalidJob, ValueError)):
        moderator.plan(job.model_copy(update={"options": {"gcore": options}}))


def test_a_payload_nested_beyond_reason_is_refused(moderator):
    deep = []
    for _ in range(900):
        deep = [deep]
    with pytest.raises(e.InvalidJob, match="nested"):
        moderator.normalize(reply({"frames": deep}))


@pytest.mark.parametrize("converted", [5, "x", {"height": 480}, [5], None])
def test_a_video_with_odd_renditions_is_refused_and_typed(converted):
    with pytest.raises((e.MediaRejected, e.FeatureDisabled)):
        video.choose({"id": 7, "status": "ready", "converted_videos": converted}, height=480)


@pytest.mark.parametrize("token", ["abc\ndef", "abc\tdef", "ab cd", "", "a\u00e9", "a\x00b"])
def test_a_token_that_cannot_be_sent_is_refused_when_it_is_configured(token):
    with pytest.raises(e.ConfigurationError, match="token"):
        AsyncModerator(Config.parse({"use": "gcore", "providers": {"gcore": {"api_key": token}}}))


@pytest.mark.parametrize("asset", ["gcore:\u00b2", "gcore:\u0661\u0662", "gcore:1a"])
def test_only_digits_are_a_video(moderator, asset):
    assert [item.field for item in moderator.plan(ModerationJob(media=asset)).unsupported] == ["media"]


# --- languages ---


@pytest.mark.parametrize("known", _table(), ids=lambda known: known.bibliographic)
def test_every_language_of_the_vendors_list_is_reached_by_each_of_its_names(known):
    for name in (known.tag, known.bibliographic, known.terminological, languages.to_bcp47(known.bibliographic)):
        assert languages.to_vendor(name) == known.bibliographic, name


# --- whose reply it is, and where a list ends ---


class Reply:
    """What a session gives."""

    request_id, status, text = None, 200, ""

    def __init__(self, body):
        self.body = body

    def json(self):
        return self.body

    @staticmethod
    def redact(text):
        return text


def provider_over(*bodies):
    """A provider whose session answers with these, one after another, the last one for ever."""
    made = (
        AsyncModerator(Config.parse({"use": "gcore", "providers": {"gcore": {"api_key": "1$a"}}}))
        ._instance("gcore")
        .provider
    )
    asked = []

    class Session:
        async def send(self, request):
            asked.append(request)
            return Reply(bodies[min(len(asked), len(bodies)) - 1])

    made._session = Session()
    return made, asked


def listed(id_, key, **more):
    data = {
        "task_name": "content-moderation",
        "category": "nsfw",
        "client_entity_data": json.dumps({"reelvet": 1, "key": key}),
    }
    return {
        "task_id": id_,
        "status": "STARTED",
        "task_data": data,
        "processing_time": {"started_at": "2026-11-25T10:00:00Z"},
        **more,
    }


def page(*items, following=True):
    return {"count": 99, "next": "page=2" if following else None, "previous": None, "results": list(items)}


SINCE = TimeWindow(datetime(2026, 11, 25, 9, tzinfo=UTC))
OLD = {"processing_time": {"started_at": "2026-01-01T00:00:00Z"}}


async def test_a_reply_about_another_task_is_nobodys_verdict():
    provider, _ = provider_over(reply(CLEAN, task_id="B"))
    with pytest.raises(e.UnexpectedReply, match="another") as caught:
        await provider.fetch(TaskRef(id="A"))
    assert caught.value.retryable
    other = reply(CLEAN)
    other["task_data"] = {**other["task_data"], "client_entity_data": '{"reelvet":1,"key":"theirs"}'}
    provider, _ = provider_over(other)
    with pytest.raises(e.UnexpectedReply, match="another"):
        await provider.fetch(TaskRef(id="t", extra={"key": "ours"}))
    assert (await provider.fetch(TaskRef(id="t"))).ref.id == "t"


async def test_find_compares_the_key_exactly_itself():
    provider, _ = provider_over(
        page(listed("1", "key-10"), listed("2", "xkey-1"), listed("3", "key-1"), listed("4", "KEY-1"), following=False)
    )
    assert [raw.ref.id for raw in await provider.find("key-1", SINCE)] == ["3"]


async def test_a_listed_task_without_an_id_is_none():
    provider, _ = provider_over(page(listed(None, "key-1"), listed("", "key-1"), following=False))
    assert await provider.find("key-1", SINCE) == []


async def test_a_search_goes_on_past_a_page_of_older_tasks():
    """Only without a search is the order of the list known."""
    provider, asked = provider_over(page(listed("1", "key-1", **OLD)), page(listed("2", "key-1"), following=False))
    assert [raw.ref.id for raw in await provider.find("key-1", SINCE)] == ["2"]
    assert len(asked) == 2
    provider, asked = provider_over(page(listed("1", "a", **OLD)), page(listed("2", "b")))
    assert [raw.ref.id async for raw in provider.sweep(SINCE)] == []
    assert len(asked) == 1


async def test_a_list_that_turns_no_pages_comes_to_an_end():
    provider, asked = provider_over(page(listed("1", "key-1")))
    assert [raw.ref.id for raw in await provider.find("key-1", SINCE)] == ["1"]
    assert len(asked) == 2


@pytest.mark.parametrize(
    "body", [None, [], "x", {"results": None}, {"results": {"a": 1}}, {"results": [None, 5, "x"]}, {}]
)
async def test_an_odd_list_is_empty(body):
    provider, _ = provider_over(body)
    assert await provider.find("key-1", SINCE) == []


async def test_the_window_has_two_edges():
    provider, _ = provider_over(page(listed("1", "key-1"), following=False))
    at = datetime(2026, 11, 25, 10, tzinfo=UTC)
    for window, found in (
        (TimeWindow(at), 1), (TimeWindow(at + timedelta(seconds=1)), 0), (TimeWindow(at - timedelta(hours=1), at), 1),
        (TimeWindow(at - timedelta(hours=1), at - timedelta(seconds=1)), 0),
    ):  # fmt: skip
        assert len(await provider.find("key-1", window)) == found
