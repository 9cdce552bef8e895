"""The faults that concern what Gcore means."""

import pytest


def test_an_unknown_status(reelvet_sandbox, api, create, get):
    task = create()
    reelvet_sandbox.fault("gcore", "unknown_status", operation="get", word="MUSING")
    assert [get(task)["status"] for _ in range(2)] == ["MUSING", "RECEIVED"]
    reelvet_sandbox.fault("gcore", "unknown_status", operation="list")
    assert api.get("/streaming/ai/tasks").json()["results"][0]["status"] == "PONDERING"


def test_an_unknown_label_waits_for_a_result(reelvet_sandbox, create, get, result):
    task = create("clean")
    reelvet_sandbox.fault("gcore", "unknown_label")
    assert get(task)["result"] is None
    told = result(task)
    assert told["nsfw_detected"] is True
    assert told["detection_results"] == ["CONFETTI"]
    assert told["frames"][0]["label"] == "CONFETTI"
    assert result(task)["frames"] == []


@pytest.mark.parametrize("how", ["verdict_without_evidence", "evidence_without_verdict"])
def test_a_contradiction(reelvet_sandbox, create, result, how):
    reelvet_sandbox.fault("gcore", "contradiction", how=how)
    told = result(create("block-nudity"))
    assert told["nsfw_detected"] is (how == "verdict_without_evidence")
    assert bool(told["frames"]) is (how == "evidence_without_verdict")


def test_a_status_that_goes_back(reelvet_sandbox, create, get):
    task = create()
    reelvet_sandbox.fault("gcore", "status_backwards", skip=1)
    assert get(task)["status"] == "RECEIVED"  # there is nothing to go back from yet
    reelvet_sandbox.clock.advance(100)
    told = [get(task) for _ in range(3)]
    assert [one["status"] for one in told] == ["SUCCESS", "PENDING", "SUCCESS"]
    assert (told[1]["progress"], told[1]["result"]) == (0, None)


def test_a_task_that_never_finishes(reelvet_sandbox, create, get):
    reelvet_sandbox.fault("gcore", "never_finishes")
    stuck, fine = create(), create()
    reelvet_sandbox.clock.advance(10_000)
    assert [get(task)["status"] for task in (stuck, fine)] == ["STARTED", "SUCCESS"]


def test_an_expired_task(reelvet_sandbox, api, create):
    task = create()
    reelvet_sandbox.fault("gcore", "expired", operation="get", times=None)
    assert [api.get(f"/streaming/ai/tasks/{task}").status_code for _ in range(3)] == [404] * 3
    reelvet_sandbox.clear_faults()
    assert api.get(f"/streaming/ai/tasks/{task}").status_code == 200


def test_a_list_that_shows_a_new_task_later(reelvet_sandbox, api, create, get):
    reelvet_sandbox.fault("gcore", "list_lag", seconds=90)
    task = create(client_entity_data="key-1")
    assert get(task)  # by its id it is there
    assert api.get("/streaming/ai/tasks").json()["count"] == 0
    reelvet_sandbox.clock.advance(89)
    assert api.get("/streaming/ai/tasks", params={"search": "key-1"}).json()["count"] == 0
    reelvet_sandbox.clock.advance(2)
    assert api.get("/streaming/ai/tasks", params={"search": "key-1"}).json()["count"] == 1


@pytest.mark.parametrize("made", [True, False])
def test_decoys_contain_the_key_and_come_first(reelvet_sandbox, api, create, get, made):
    task = create(client_entity_data="key-1") if made else None
    reelvet_sandbox.fault("gcore", "decoys", count=4)
    assert api.get("/streaming/ai/tasks").json()["count"] == made  # nothing is looked for: nothing to be taken for it
    page = api.get("/streaming/ai/tasks", params={"search": "key-1"}).json()
    assert page["count"] == 4 + made
    keys = [item["task_data"]["client_entity_data"] for item in page["results"]]
    assert all("key-1" in key for key in keys)
    assert [key == "key-1" for key in keys] == [False] * 4 + [True] * made
    assert get(page["results"][0]["task_id"])["status"] == "SUCCESS"  # somebody else's, but it exists
    assert [seen.id for seen in reelvet_sandbox.tasks("gcore")] == ([task] if made else [])
    assert api.get("/streaming/ai/tasks", params={"search": "key-1"}).json()["count"] == made


def test_the_vendors_own_bodies_of_refusals(reelvet_sandbox, api):
    reelvet_sandbox.fault("gcore", "too_many", retry_after=7)
    reply = api.get("/streaming/ai/tasks")
    assert (reply.status_code, reply.headers["retry-after"]) == (429, "7")
    assert reply.json() == {"error": "Too many requests, try later"}
    reelvet_sandbox.fault("gcore", "server_error")
    assert api.get("/streaming/ai/tasks").json() == {"data": [], "errors": ["internal server error"]}
