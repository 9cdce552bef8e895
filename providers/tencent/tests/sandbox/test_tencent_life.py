"""Statuses, queues, streams, cancelling."""

import math
from datetime import datetime

import pytest

from .conftest import creation, item

CREATE = "CreateVideoModerationTask"
STREAM = {
    "name": "stream", "kind": "live", "duration": 60,
    "events": [
        {"label": "sexual.explicit.pornography", "start": 9, "end": 21, "score": 0.95},
        {"label": "harassment.abuse", "start": 31, "end": 33, "score": 0.9, "channel": "speech", "text": "you fool", "matches": ["fool"]},
    ],
}  # fmt: skip


@pytest.fixture
def stream(reelvet_sandbox, api):
    """Starts the moderation of a stream."""
    reelvet_sandbox.scenario("rtmp://live.example.com/a/b", STREAM)

    def call(**more):
        return api.create("rtmp://live.example.com/a/b", Type="LIVE_VIDEO", **more)

    return call


def test_a_file_goes_through_its_statuses(reelvet_sandbox, api):
    task = api.create("block-nudity")
    told = []
    for _ in range(20):
        found = api.get(task)
        told.append((found["Status"], found["Suggestion"], found["Label"], bool(found["ImageSegments"])))
        reelvet_sandbox.clock.advance(0.5)
    assert list(dict.fromkeys(told)) == [
        ("PENDING", "UNSPECIFIED", "", False), ("RUNNING", "UNSPECIFIED", "", False), ("FINISH", "Block", "Porn", True),
    ]  # fmt: skip


def test_while_it_runs_it_says_when_to_ask_again(reelvet_sandbox, api):
    task = api.create("long")
    assert api.get(task)["TryInSeconds"] == 120  # the clock stands: nobody can know
    reelvet_sandbox.clock.speed = 100.0
    assert 5 <= api.get(task)["TryInSeconds"] <= 15  # a fifth of two hours, a hundred times as fast
    reelvet_sandbox.clock.pause()
    reelvet_sandbox.clock.advance(7200)
    assert api.get(task)["TryInSeconds"] == 0


def test_dates_are_those_of_the_wall(reelvet_sandbox, api, result):
    task = api.create()
    created = datetime.fromisoformat(api.get(task)["CreatedAt"])
    assert abs((created - datetime.now(created.tzinfo)).total_seconds()) < 5
    told = result(task)
    assert datetime.fromisoformat(told["CreatedAt"]) == created
    assert 0 < (datetime.fromisoformat(told["UpdatedAt"]) - created).total_seconds() < 60


@pytest.mark.parametrize(
    ("scenario", "kind"),
    [
        ("broken", "DECODE_ERROR"), ("unreachable", "URL_ERROR"), ("misspelled", "URL_ERROR"), ("picture", "DECODE_ERROR"),
        ("internal-error", "MODERATION_ERROR"),
    ],
)  # fmt: skip
def test_a_task_that_fails_says_why(api, result, scenario, kind):
    told = result(api.create(scenario), "ERROR")
    assert told["ErrorType"] == kind
    assert told["ErrorDescription"]
    assert (told["Suggestion"], told["ImageSegments"]) == ("UNSPECIFIED", [])


def test_the_international_edition_has_fewer_words_for_it(reelvet_sandbox, api, result):
    reelvet_sandbox.set_up("tencent", edition="intl")
    api.settings = {**api.settings, "region": "ap-singapore"}
    assert result(api.create("internal-error"), "ERROR")["ErrorType"] == "TIMEOUT_ERROR"


def test_ten_files_run_and_the_others_wait(reelvet_sandbox, api):
    body = creation(Tasks=[item(data_id=f"k{n}") for n in range(10)])
    tasks = [one["TaskId"] for _ in range(2) for one in api.call(CREATE, body)["Results"]]
    reelvet_sandbox.clock.advance(2)
    assert [api.get(task)["Status"] for task in tasks] == ["RUNNING"] * 10 + ["PENDING"] * 10
    reelvet_sandbox.clock.advance(6)
    assert [api.get(task)["Status"] for task in tasks] == ["FINISH"] * 10 + ["RUNNING"] * 10


def test_a_higher_priority_overtakes_what_waits_and_nothing_that_runs(reelvet_sandbox, api):
    reelvet_sandbox.set_up("tencent", parallel=1)
    first = api.create()
    reelvet_sandbox.clock.advance(2)
    low, high, older = api.create(Priority=-1), api.create(Priority=9), api.create(Priority=9)
    order = []
    for _ in range(40):
        reelvet_sandbox.clock.advance(1)
        order += [task for task in (first, low, high, older) if api.get(task)["Status"] == "RUNNING"]
    assert list(dict.fromkeys(order)) == [first, high, older, low]


def test_what_waits_moves_up_when_one_is_cancelled(reelvet_sandbox, api):
    reelvet_sandbox.set_up("tencent", parallel=1)
    stuck, waiting = api.create("never-finishes"), api.create()
    reelvet_sandbox.clock.advance(10_000)
    assert api.get(waiting)["Status"] == "PENDING"
    assert set(api.call("CancelTask", {"TaskId": stuck})) == {"RequestId"}
    assert [api.get(task)["Status"] for task in (stuck, waiting)] == ["CANCELLED", "RUNNING"]


def test_what_has_ended_cannot_be_cancelled(reelvet_sandbox, api, result):
    task = api.create()
    result(task)
    assert api.refusal("CancelTask", {"TaskId": task}) == "UnsupportedOperation"


def test_a_full_queue_where_there_is_a_limit(reelvet_sandbox, api):
    reelvet_sandbox.set_up("tencent", queue=1)
    api.create()
    assert api.refusal(CREATE, creation()) == "LimitExceeded"


def test_a_hundred_streams_run_and_none_waits(reelvet_sandbox, api, stream):
    reelvet_sandbox.set_up("tencent", streams=2)
    tasks = [stream(), stream()]
    told = api.call(CREATE, creation("rtmp://live.example.com/a/b", Type="LIVE_VIDEO"))
    assert told["Error"] == {"Code": "RequestLimitExceeded", "Message": "You have reached the concurrency limit"}
    api.create()  # files have hands of their own
    api.call("CancelTask", {"TaskId": tasks[0]})
    stream()
    assert reelvet_sandbox.set_up("tencent", streams=100)["parallel"] == 10


def test_a_stream_tells_what_it_sees_while_it_runs(reelvet_sandbox, api, stream):
    task = stream()
    assert api.get(task)["Status"] == "PENDING"
    seen = []
    for _ in range(60):
        reelvet_sandbox.clock.advance(1)
        told = api.get(task)
        assert told["Status"] == "RUNNING"
        seen.append((told["Suggestion"], len(told["ImageSegments"]), len(told["AudioSegments"])))
    # A picture is known within three seconds, a slice of sound two seconds after its end.
    assert list(dict.fromkeys(seen)) == [("UNSPECIFIED", 0, 0), ("Block", 1, 0), ("Block", 2, 0), ("Block", 3, 0), ("Block", 3, 1)]  # fmt: skip
    assert (told["MediaInfo"]["Duration"], told["AudioText"]) == (5, "you fool")
    assert [asr["Text"] for asr in told["Asrs"]] == ["you fool"]


def test_offsets_of_a_stream_are_dates(reelvet_sandbox, api, stream):
    task = stream()
    reelvet_sandbox.clock.advance(60)
    told = api.get(task)
    began = datetime.fromisoformat(told["UpdatedAt"]).timestamp()
    offsets = [segment["OffsetTime"] for segment in told["ImageSegments"]]
    assert [math.ceil(int(offset) - began - 0.01) for offset in offsets] == [10, 15, 20]  # whole seconds, cut off
    assert [int(segment["OffsetusTime"]) // 1000 for segment in told["ImageSegments"]] == [int(o) for o in offsets]
    assert [math.ceil(int(segment["OffsetTime"]) - began - 0.01) for segment in told["AudioSegments"]] == [30]


def test_a_stream_that_ends_is_pulled_again_for_ten_minutes(reelvet_sandbox, api, stream):
    task = stream()
    reelvet_sandbox.clock.advance(1 + 60 + 599)
    assert api.get(task)["Status"] == "RUNNING"
    reelvet_sandbox.clock.advance(2)
    told = api.get(task)
    assert (told["Status"], told["Suggestion"], len(told["ImageSegments"])) == ("FINISH", "Block", 3)


def test_a_stream_is_ended_by_cancelling_and_keeps_what_was_seen(reelvet_sandbox, api, stream):
    task = stream()
    reelvet_sandbox.clock.advance(15)
    api.call("CancelTask", {"TaskId": task})
    reelvet_sandbox.clock.advance(1000)
    told = api.get(task)
    assert (told["Status"], told["Suggestion"], len(told["ImageSegments"])) == ("CANCELLED", "Block", 1)
    assert len(api.get(task, ShowAllSegments=True)["ImageSegments"]) == 3  # of 0, 5 and 10 seconds


def test_a_stream_that_cannot_be_reached_fails_after_its_tries(reelvet_sandbox, api):
    task = api.create("unreachable", Type="LIVE_VIDEO")
    reelvet_sandbox.clock.advance(30)
    assert api.get(task)["Status"] == "RUNNING"
    reelvet_sandbox.clock.advance(60)
    assert (api.get(task)["Status"], api.get(task)["ErrorType"]) == ("ERROR", "URL_ERROR")


def test_a_stream_is_no_file(reelvet_sandbox, api, result):
    reelvet_sandbox.scenario("https://live.example.com/a.flv", STREAM)
    assert result(api.create("https://live.example.com/a.flv"), "ERROR")["ErrorType"] == "DECODE_ERROR"


def test_a_stream_has_a_longest_time(reelvet_sandbox, api):
    reelvet_sandbox.scenario(
        "https://live.example.com/a.flv", {"name": "days", "kind": "live", "duration": 300_000, "key_frames": 10}
    )
    task = api.create("https://live.example.com/a.flv", Type="LIVE_VIDEO")
    reelvet_sandbox.clock.advance(86_300)
    assert api.get(task)["Status"] == "RUNNING"
    reelvet_sandbox.clock.advance(200)
    assert api.get(task)["Status"] == "FINISH"
