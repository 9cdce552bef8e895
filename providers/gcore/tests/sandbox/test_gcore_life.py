"""Statuses, progress, times; cancelling; what is kept how long."""

import re
from datetime import datetime

import pytest


def walk(clock, get, task, until, step=0.25):
    """The statuses that a task goes through, and its progress at each look."""
    statuses, progress = [], []
    for _ in range(int(until / step)):
        told = get(task)
        if not statuses or statuses[-1] != told["status"]:
            statuses.append(told["status"])
        progress.append(told["progress"])
        clock.advance(step)
    return statuses, progress


def test_a_task_goes_through_its_statuses_and_waits_between_two_stages(reelvet_sandbox, create, get):
    statuses, progress = walk(reelvet_sandbox.clock, get, create(category="hard_nudity"), until=10)
    assert statuses == ["RECEIVED", "PENDING", "STARTED", "PENDING", "STARTED", "SUCCESS"]
    assert progress == sorted(progress)
    assert progress[0] == 0
    assert progress[-1] == 100


def test_while_it_waits_there_is_no_time_and_no_result(create, get):
    told = get(create())
    assert told["progress"] == 0
    assert told["processing_time"] == {"started_at": None, "completed_at": None, "total_time_sec": None}
    assert told["result"] is None


def test_work_takes_as_long_as_the_media_wants(reelvet_sandbox, create, get):
    task = create(category="hard_nudity")
    reelvet_sandbox.clock.advance(60)
    times = get(task)["processing_time"]
    assert times["total_time_sec"] == 6.0  # 1:5 of 30 seconds
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d\dZ", times[name]) for name in ("started_at", "completed_at"))  # fmt: skip
    lasted = datetime.fromisoformat(times["completed_at"]) - datetime.fromisoformat(times["started_at"])
    assert lasted.total_seconds() == pytest.approx(6.0, abs=0.02)


def test_what_fails_inside_is_tried_three_times_more(reelvet_sandbox, create, get):
    statuses, _ = walk(reelvet_sandbox.clock, get, create("internal-error", "soft_nudity"), until=10, step=0.02)
    assert statuses == ["RECEIVED", "PENDING", *["STARTED", "RETRY"] * 3, "STARTED", "FAILURE"]


def test_what_fails_at_once_says_why_inside_a_200(result, create):
    assert result(create("broken"), status="FAILURE") == {
        "error": "Unsupported file type: https://sandbox.reelvet.example/broken.mp4"
    }


def test_the_documented_failure_comes_from_any_archive(api, result):
    body = {"url": "https://domain.com/video.zip", "task_name": "content-moderation", "category": "nsfw"}
    task = api.post("/streaming/ai/tasks", json=body).json()["task_id"]
    assert result(task, status="FAILURE") == {"error": "Unsupported file type: https://domain.com/video.zip"}


def test_a_misspelled_scenario_is_unreachable_and_never_clean(result, create):
    assert "Cannot download file" in result(create("blok-nudity"), status="FAILURE")["error"]


def test_a_task_that_never_ends_does_not_end(reelvet_sandbox, create, get):
    task = create("never-finishes")
    reelvet_sandbox.clock.advance(10_000_000)
    told = get(task)
    assert (told["status"], told["result"]) == ("STARTED", None)


def test_cancelling_revokes_once_and_keeps_the_progress(api, reelvet_sandbox, create, get):
    task = create(category="hard_nudity")
    reelvet_sandbox.clock.advance(4)
    reply = api.post(f"/streaming/ai/tasks/{task}/cancel")
    assert (reply.status_code, reply.json()) == (202, {"result": "Task has been cancelled successfully."})
    reelvet_sandbox.clock.advance(100)
    told = get(task)
    assert (told["status"], told["progress"], told["result"]) == ("REVOKED", 33, None)
    assert told["processing_time"]["started_at"] is not None
    assert told["processing_time"]["completed_at"] is None
    reply = api.post(f"/streaming/ai/tasks/{task}/cancel")
    assert (reply.status_code, reply.json()["error"]) == (
        412,
        "Cannot cancel task because it is already in status REVOKED.",
    )


def test_what_has_ended_cannot_be_cancelled(api, reelvet_sandbox, create):
    task = create()
    reelvet_sandbox.clock.advance(100)
    reply = api.post(f"/streaming/ai/tasks/{task}/cancel")
    assert (reply.status_code, reply.json()["error"]) == (
        412,
        "Cannot cancel task because it is already in status SUCCESS.",
    )


def test_results_are_kept_for_a_month(api, reelvet_sandbox, create, get):
    task = create()
    reelvet_sandbox.clock.advance(29 * 86_400)
    assert get(task)["status"] == "SUCCESS"
    reelvet_sandbox.clock.advance(2 * 86_400)
    assert api.get(f"/streaming/ai/tasks/{task}").status_code == 404
    assert api.get("/streaming/ai/tasks").json()["count"] == 0
