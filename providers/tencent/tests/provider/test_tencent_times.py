"""Times whose unit is certain are given, and no others."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from reelvet import ModerationJob
from reelvet_tencent.times import Clock, When, expires, of_text, settled

BEGAN = datetime(2026, 11, 1, 10, 0, tzinfo=UTC)
UNIX = str(int(BEGAN.timestamp()) + 15)


@pytest.mark.parametrize(
    ("offset", "fine", "start"),
    [("5", None, 5.0), (5, None, 5.0), ("5", "5250", 5.25), ("5", "9000", 5.0), ("0", "0", 0.0), ("", None, None), (None, None, None),
     ("x", None, None), ("-1", None, None), ("nan", None, None), ([], {}, None)],
)  # fmt: skip
def test_offsets_of_a_file_are_seconds(offset, fine, start):
    assert Clock(duration=36).at(offset, fine) == When(start=start)


@pytest.mark.parametrize(
    ("offset", "fine", "date"),
    [(UNIX, None, "2026-11-01T10:00:15+00:00"), (UNIX, f"{UNIX}500", "2026-11-01T10:00:15.500000+00:00"), ("5", None, None), ("1e300", None, None)],
)  # fmt: skip
def test_offsets_of_a_stream_are_dates(offset, fine, date):
    when = Clock(live=True).at(offset, fine)
    assert when.start is None
    assert (when.at_date and when.at_date.isoformat()) == date


def test_a_stream_has_starts_only_where_its_own_is_known():
    assert Clock(live=True, began=BEGAN).at(UNIX).start == 15.0
    assert Clock(live=True, began=datetime(2026, 11, 2, tzinfo=UTC)).at(UNIX).start is None


def test_a_file_cannot_be_so_long_that_its_offset_is_a_date():
    assert Clock().at(UNIX).at_date is not None


@pytest.mark.parametrize(
    ("value", "longest", "seconds"),
    [("36398", 36, 36.398), ("4000", 36, 4.0), ("15", 36, None), ("37", 36, None), ("39", 36, None), ("999", 36, None), ("1000", 36, 1.0), ("1000", 1100, None), (0, 36, 0.0), (0, None, 0.0), ("4000", None, None),
     ("99999999", 36, None), ("x", 36, None), (None, 36, None), ("-4000", 36, None)],
)  # fmt: skip
def test_what_may_be_milliseconds_or_seconds_is_settled_by_the_length_of_the_media(value, longest, seconds):
    assert settled(value, longest) == seconds


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("0:0:0.150", 0.15), ("1:2:3.5", 3723.5), ("00:00:07", 7.0), ("0:0", None), ("", None), (None, None), (3, None), ("a:b:c", None), ("0:0:-1", None)],
)  # fmt: skip
def test_times_of_sentences(written, seconds):
    assert of_text(written) == seconds


@pytest.mark.parametrize(
    ("query", "end"),
    [("q-sign-time=1793527210;1793570410", "2026-11-01T22:00:10+00:00"), ("X-Amz-Date=20261101T100010Z&X-Amz-Expires=43115", "2026-11-01T21:58:45+00:00"),
     ("", None), ("q-sign-time=1793527210", None), ("X-Amz-Expires=43115", None), ("X-Amz-Date=20261101T100010Z", None), ("q-sign-time=1;9999999999999999", None)],
)  # fmt: skip
def test_a_link_says_itself_when_it_ends(query, end):
    found = expires(f"https://cos.example.com/a.jpg?{query}")
    assert (found and found.isoformat()) == end
    assert expires("https://[") is None


def test_what_is_unclear_is_null_with_its_raw_value_and_a_warning(moderator, sample):
    result = moderator.normalize(sample("composed_audio_details"))
    moans = [finding for finding in result.findings if finding.native.label == "Moan"]
    assert [(moan.start, moan.end) for moan in moans] == [(0.0, 4.0), (15.0, None)]
    assert (moans[1].native.extra["Duration"], moans[1].native.extra["StartTime"]) == ("15", 2.0)
    assert "time_unclear" in {note.code for note in result.warnings}


def test_a_live_finding_has_a_date_and_a_start_if_the_job_says_when_the_stream_began(moderator, sample):
    def normalized(**options):
        job = ModerationJob(
            media={"url": "rtmp://live.example.com/app/stream", "kind": "live"}, detect=["sexual"], options={"tencent": options}
        )  # fmt: skip
        return moderator.normalize(sample("composed_live_finish"), job=job)

    result = normalized()
    assert (result.findings[0].at_date, result.findings[0].start) == (
        datetime(2026, 11, 1, 10, 0, 15, 500000, UTC),
        None,
    )
    assert (result.media.kind, result.media.duration) == ("live", None)
    assert normalized(stream_started_at="2026-11-01T10:00:00Z").findings[0].start == 15.5


def test_how_far_a_stream_was_watched_is_told_where_all_of_it_is_listed(moderator, sample):
    payload = sample("composed_live_finish")
    options = {"stream_started_at": "2026-11-01T10:00:00Z", "all_segments": True}
    job = ModerationJob(
        media={"url": "rtmp://live.example.com/app/stream", "kind": "live"}, detect=["sexual"], options={"tencent": options}
    )  # fmt: skip
    clean = {"HitFlag": 0, "Suggestion": "Pass", "Label": "Normal"}
    payload["Response"]["ImageSegments"].append({"OffsetTime": str(int(UNIX) + 45), "Result": clean})
    result = moderator.normalize(payload, job=job)
    assert {row.through for row in result.coverage if row.state == "clean"} == {60.0}
    assert "stream_gaps" in {note.code for note in result.warnings}
    payload["Response"]["Status"] = "CANCELLED"
    canceled = moderator.normalize(payload, job=job)
    rows = {row.label: (row.state, row.through) for row in canceled.coverage if row.channel == "visual"}
    assert rows["sexual.explicit.nudity"] == ("hit", 60.0)
    assert rows["sexual.explicit.nudity_anus"] == ("not_evaluated", 60.0)
    assert "clean" not in {state for state, _ in rows.values()}
    shorter = moderator.normalize(sample("composed_live_finish"), job=job.model_copy(update={"options": {}}))
    assert {row.state for row in shorter.coverage} == {"hit", "not_evaluated"}
    assert {row.through for row in shorter.coverage if row.state == "hit"} == {None}


# --- moments that there are not ---


def finished(sample, **fields):
    payload = sample("composed_clean")
    payload["Response"] |= {"Suggestion": "Block", **fields}
    return payload


def picture(offset="3", **fields):
    result = {"HitFlag": 1, "Label": "Porn", "Suggestion": "Block", "Score": 90, "Results": []}
    return {"OffsetTime": offset, "Result": {**result, **fields}}


def slice_(offset="0", **fields):
    result = {"HitFlag": 1, "Label": "Moan", "Suggestion": "Block", "Score": 90, "Text": ""}
    return {"OffsetTime": offset, "Result": {**result, **fields}}


def times_of(result):
    return [(finding.start, finding.end) for finding in result.findings]


def warned(result):
    return "time_unclear" in {note.code for note in result.warnings}


@pytest.mark.parametrize(
    ("duration", "end"), [("15", None), ("7", None), ("999", None), ("6000", 36.0), ("5500", 35.5), ("0", 30.0), ("600000", None)]
)  # fmt: skip
def test_a_slice_at_the_end_has_no_length_in_fractions_of_its_seconds(moderator, sample, duration, end):
    """Its nominal length of 15 s is more than the 6 s that are left, and no proof of milliseconds."""
    result = moderator.normalize(finished(sample, AudioSegments=[slice_("30", Duration=duration)]))
    assert times_of(result) == [(30.0, end)]
    assert warned(result) == (end is None)


@pytest.mark.parametrize(
    ("start", "end", "times"),
    [(0, 14, (0.0, 10.0)), (2, 14, (0.0, 10.0)), (500, 4000, (0.5, 4.0)), (0, 4000, (0.0, 4.0)), (-500, 4000, (0.0, 10.0)), (5000, 4000, (0.0, 10.0)), (0, 0, (0.0, 0.0))],
)  # fmt: skip
def test_a_moan_has_the_times_of_its_slice_unless_its_own_are_surely_milliseconds(moderator, sample, start, end, times):
    moan = {"Label": "Moan", "Score": 90, "StartTime": start, "EndTime": end, "SubLabel": "Moan", "Suggestion": "Block"}
    segment = slice_(Duration="10000", MoanResults=[moan])
    result = moderator.normalize(finished(sample, MediaInfo={"Duration": 10}, AudioSegments=[segment]))
    assert times_of(result) == [times]


@pytest.mark.parametrize(
    ("offset", "fine", "start", "is_warned"),
    [("36000", None, None, True), (36000, "36000000", None, True), ("38", None, None, True), ("37", None, 37.0, False), ("-1", None, None, True), ("0", "-0.5", 0.0, False),
     (None, None, None, False), ("x", None, None, False)],
)  # fmt: skip
def test_an_offset_outside_of_the_media_is_null_and_told(moderator, sample, offset, fine, start, is_warned):
    segment = {**picture(offset), "OffsetusTime": fine}
    result = moderator.normalize(finished(sample, ImageSegments=[segment]))
    assert times_of(result) == [(start, None)]
    assert warned(result) == is_warned
    sounds = moderator.normalize(finished(sample, AudioSegments=[slice_(offset)]))
    assert (sounds.findings[0].start, warned(sounds)) == (start, is_warned)


SNIPPET = {"Scene": "Porn", "Score": 90, "Snippet": "x"}


@pytest.mark.parametrize(
    ("duration", "times"),
    [((2.0, 3.0), (2.0, 3.0)), ((-2.0, 3.0), (0.0, None)), ((2.0, -3.0), (2.0, None)), ((3.0, 2.0), (0.0, None)), ((1594650717.0, 1594650718.0), (0.0, None)), ((40.0, 41.0), (0.0, None))],
)  # fmt: skip
def test_a_snippet_has_times_of_the_media_or_those_of_its_picture(moderator, sample, duration, times):
    snippet = {**SNIPPET, "Duration": dict(zip(("Start", "End"), duration, strict=True))}

    def read(offset):
        segment = picture(offset, Label="", HitFlag=0, Suggestion="Pass", HitSnippetInfos=[snippet])
        result = moderator.normalize(finished(sample, Suggestion="Pass", ImageSegments=[segment]))
        return times_of(result), warned(result)

    assert read("0") == ([times], times != duration)
    assert read(None) == ([(None, None)], False), "from where it counts is not known"
    assert read("5") == ([(5.0, None)], False)


def test_a_snippet_of_the_whole_counts_from_the_beginning_of_a_file_and_of_no_stream(moderator, sample):
    def read(start, **fields):
        snippet = {**SNIPPET, "Duration": {"Start": start, "End": start + 1}}
        result = moderator.normalize(finished(sample, Suggestion="Pass", HitSnippetInfos=[snippet], **fields))
        return times_of(result)

    assert read(2.0) == [(2.0, 3.0)]
    assert read(1594650717.0) == read(-2.0) == read(99.0) == [(None, None)]
    assert read(1594650717.0, Type="LIVE_VIDEO") == read(2.0, Type="LIVE_VIDEO") == [(None, None)]


@pytest.mark.parametrize(
    ("tag", "times"),
    [((1000, 2000), (1.0, 2.0)), ((-5000, 2000), (0.0, None)), ((-5.0, -1.0), (0.0, None)), ((2000, 1000), (0.0, None)), ((0, 99000), (0.0, None))],
)  # fmt: skip
def test_a_tag_has_no_time_before_or_behind_the_media(moderator, sample, tag, times):
    told = {"Name": "Teenager", "Score": 99, "StartTime": tag[0], "EndTime": tag[1]}
    segment = slice_(
        HitFlag=0, Label="Normal", Suggestion="Pass", RecognitionResults=[{"Label": "Teenager", "Tags": [told]}]
    )
    result = moderator.normalize(finished(sample, Suggestion="Pass", AudioSegments=[segment]))
    assert times_of(result) == [times]
    assert warned(result) == (times != (1.0, 2.0))
