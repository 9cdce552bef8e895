"""States, dates, hosted results, deletion; v3's three statuses."""

import json
import re
from datetime import datetime, timedelta
from typing import get_args

import pytest

from reelvet_huawei.sandbox import PROJECT_ID
from reelvet_huawei.sandbox.switches import State

V2 = f"/v2/{PROJECT_ID}/services/video-moderation/tasks"
V3 = f"/v3/{PROJECT_ID}/moderation/video/jobs"
V3_AUDIO = f"/v3/{PROJECT_ID}/moderation/audio/jobs"


def test_a_v2_task_goes_through_its_states_and_its_result_comes_after_it(reelvet_sandbox, create_v2, get_v2):
    task, seen = create_v2("block-nudity"), []
    for _ in range(40):
        told = get_v2(task)
        step = (told["state"], told["hosting_result"]["status"])
        if not seen or seen[-1] != step:
            seen.append(step)
        reelvet_sandbox.clock.advance(0.5)
    assert seen == [
        ("PENDING", "NOT_GENERATED"), ("STARTING", "NOT_GENERATED"), ("RUNNING", "NOT_GENERATED"), ("SUCCEEDED", "NOT_GENERATED"),
        ("SUCCEEDED", "AVAILABLE"),
    ]  # fmt: skip


def test_a_hosted_result_is_json_in_a_string_and_kept_for_48_hours(reelvet_sandbox, create_v2, get_v2):
    task = create_v2("block-nudity")
    reelvet_sandbox.clock.advance(13.5)
    told = get_v2(task)
    kept = told["hosting_result"]
    assert isinstance(kept["data"], str)
    assert json.loads(kept["data"])["result"]["suggestion"] == "block"
    assert kept["fileSize"] == f"{len(kept['data'].encode())} bytes"
    (place,) = told["output"]["hosting"]["obs"]
    assert place["path"] == f"hosting/{task}/result.json"
    generated = datetime.fromisoformat(told["created_at"]) + timedelta(seconds=2 + 6 + 5)
    assert abs(datetime.fromisoformat(kept["overdueDate"]) - generated - timedelta(hours=48)) <= timedelta(seconds=1)
    reelvet_sandbox.clock.advance(48 * 3600 - 2)
    assert get_v2(task)["hosting_result"]["status"] == "AVAILABLE"
    reelvet_sandbox.clock.advance(3)
    assert get_v2(task)["hosting_result"] == {"status": "OVERDUE", "overdueDate": kept["overdueDate"]}


def test_a_result_that_goes_to_a_bucket_is_not_hosted(reelvet_sandbox, create_v2, get_v2):
    output = {"obs": {"bucket": "mine", "path": "output/"}}
    task = create_v2("block-nudity", output=output)
    reelvet_sandbox.clock.advance(1000)
    told = get_v2(task)
    assert told["state"] == "SUCCEEDED"
    assert told["output"] == output
    assert "hosting_result" not in told


@pytest.mark.parametrize("status", ["EXCEED_IN_SIZE", "DELETED_MISTAKENLY"])
def test_a_hosted_result_that_cannot_be_had(reelvet_sandbox, create_v2, get_v2, status):
    reelvet_sandbox.set_up("huawei", hosted=status)
    task = create_v2()
    assert get_v2(task)["hosting_result"]["status"] == "NOT_GENERATED"
    reelvet_sandbox.clock.advance(1000)
    kept = get_v2(task)["hosting_result"]
    assert (kept["status"], "data" in kept) == (status, False)


@pytest.mark.parametrize("state", get_args(State))
def test_every_state_that_is_documented_can_be_shown(reelvet_sandbox, api, create_v2, get_v2, state):
    task = create_v2()
    reelvet_sandbox.set_up("huawei", state=state)
    assert get_v2(task)["state"] == state
    (item,) = api.get(V2, params={"state": state}).json()["tasks"]
    assert item["state"] == state
    assert "hosting_result" not in item


def test_there_are_15_of_them():
    assert len(get_args(State)) == 15


@pytest.mark.parametrize("scenario", ["broken", "unreachable", "internal-error", "picture", "no-such-name"])
def test_what_cannot_be_looked_at_fails(reelvet_sandbox, create_v2, get_v2, create_v3, get_v3, *, scenario):
    task, job, sound = create_v2(scenario), create_v3(scenario), create_v3(scenario, V3_AUDIO)
    reelvet_sandbox.clock.advance(1000)
    told = get_v2(task)
    assert (told["state"], told["hosting_result"]) == ("FAILED", {"status": "NOT_GENERATED"})
    assert told["output"]["hosting"] == {"obs": [""]}
    assert "error" not in told
    for path, id_ in ((V3, job), (V3_AUDIO, sound)):
        found = get_v3(id_, path)
        assert found["status"] == "failed"
        assert "result" not in found


def test_a_failure_says_why_as_the_generic_specification_has_it_where_that_is_wanted(
    reelvet_sandbox, create_v2, get_v2
):
    reelvet_sandbox.set_up("huawei", says_why=True)
    task = create_v2("broken")
    reelvet_sandbox.clock.advance(1000)
    assert get_v2(task)["error"] == {"code": "ALG.002", "message": "The format of the video is not supported."}


def test_more_than_two_hours_are_too_long_for_v3(reelvet_sandbox, create_v3, get_v3):
    reelvet_sandbox.scenario("https://cdn.example.com/a.mp4", {"name": "endless", "duration": 7201})
    job, longest = create_v3("https://cdn.example.com/a.mp4"), create_v3("long")
    reelvet_sandbox.clock.advance(10_000)
    assert [get_v3(one)["status"] for one in (job, longest)] == ["failed", "succeeded"]


def test_deleting_is_done_at_once_or_accepted(reelvet_sandbox, api, create_v2, get_v2):
    plain, hosted = create_v2(output={"obs": {"bucket": "mine", "path": "o/"}}), create_v2()
    reply = api.delete(f"{V2}/{plain}")
    assert (reply.status_code, reply.content) == (200, b"")
    assert api.get(f"{V2}/{plain}").status_code == 404
    assert api.delete(f"{V2}/{hosted}").status_code == 202
    assert get_v2(hosted)["state"] == "DELETING"
    reelvet_sandbox.clock.advance(3)
    assert api.get(f"{V2}/{hosted}").status_code == 404
    assert api.get(V2).json() == {"count": 0, "tasks": []}
    assert [task.phase for task in reelvet_sandbox.tasks("huawei")] == ["canceled", "canceled"]
    reply = api.delete(f"{V2}/{hosted}")
    assert reply.status_code == 404
    assert reply.json() == {
        "error_code": "IVA.0005",
        "error_msg": f"The requested resource is NOT found. The taskId {hosted} is not found.",
    }


def test_a_v3_job_runs_and_has_succeeded(reelvet_sandbox, create_v3, get_v3):
    job = create_v3("block-nudity")
    assert re.fullmatch(r"0\d{10}_[0-9a-f]{32}", job)
    told = get_v3(job)
    assert told["status"] == "running"
    assert "result" not in told
    assert told["create_time"] == told["update_time"]
    reelvet_sandbox.clock.advance(100)
    after = get_v3(job)
    assert (after["status"], after["create_time"]) == ("succeeded", told["create_time"])
    lasted = datetime.fromisoformat(after["update_time"]) - datetime.fromisoformat(after["create_time"])
    assert lasted.total_seconds() == pytest.approx(2 + 6, abs=0.01)
    assert after["request_id"] == told["request_id"]


def test_creating_twice_makes_two_in_either_service(create_v2, create_v3):
    assert create_v2() != create_v2()
    assert create_v3() != create_v3()


def test_what_never_ends_does_not_end(reelvet_sandbox, create_v2, get_v2, create_v3, get_v3):
    task, job = create_v2("never-finishes"), create_v3("never-finishes")
    reelvet_sandbox.clock.advance(10_000_000)
    assert (get_v2(task)["state"], get_v3(job)["status"]) == ("RUNNING", "running")


def test_tasks_of_one_service_are_none_of_the_other(api, create_v2, create_v3):
    task, job = create_v2(), create_v3()
    assert api.get(f"{V3}/{task}").json() == {"error_code": "AIS.0030", "error_msg": "Job not found"}
    assert api.get(f"{V3_AUDIO}/{job}").status_code == 400
    assert api.get(V2).json()["count"] == 1
