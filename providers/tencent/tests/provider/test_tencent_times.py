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
    [("36398", 36, 36.398), ("4000", 36, 4.0), ("15", 36, None), ("37", 36, None), ("39", 36, 0.039), (0, 36, 0.0), (0, None, 0.0), ("4000", None, None),
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
    assert {row.through for row in shorter.coverage} == {None}
