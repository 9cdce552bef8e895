"""The faults that concern what Huawei means, in each of its services."""

import json

import pytest

from reelvet_huawei.sandbox import PROJECT_ID

V2 = f"/v2/{PROJECT_ID}/services/video-moderation/tasks"
V3 = f"/v3/{PROJECT_ID}/moderation/video/jobs"
V3_AUDIO = f"/v3/{PROJECT_ID}/moderation/audio/jobs"


@pytest.fixture
def tell(get_v2, get_v3):
    """What is said of a task: its status, its result and the lists in that."""

    def call(kind, id_):
        if kind == "v2":
            told = get_v2(id_)
            text = told.get("hosting_result", {}).get("data")
            result = json.loads(text)["result"] if text else None
            return told["state"], result, ("frames", "voices")
        told = get_v3(id_, V3 if kind == "v3" else V3_AUDIO)
        return told["status"], told.get("result"), ("image_detail", "audio_detail") if kind == "v3" else ("details",)

    return call


@pytest.fixture
def make(create_v2, create_v3):
    """Creates in one of the three ways."""

    def call(kind, scenario="clean", **more):
        return (
            create_v2(scenario, **more)
            if kind == "v2"
            else create_v3(scenario, V3 if kind == "v3" else V3_AUDIO, **more)
        )

    return call


SPOKEN = {
    "name": "spoken",
    "events": [
        {"label": "harassment.abuse", "start": 2, "end": 4, "score": 0.9, "channel": "speech", "text": "you fool"},
        {"label": "sexual.explicit.pornography", "start": 2, "end": 12, "score": 0.9},
    ],
}


@pytest.fixture
def spoken(reelvet_sandbox):
    reelvet_sandbox.scenario("https://obs.example/spoken.mp4", SPOKEN)
    return "https://obs.example/spoken.mp4"


KINDS = pytest.mark.parametrize("kind", ["v2", "v3", "audio"])


@KINDS
def test_an_unknown_status(reelvet_sandbox, make, tell, kind):
    task = make(kind)
    reelvet_sandbox.fault("huawei", "unknown_status", word="MUSING")
    first = {"v2": "PENDING"}.get(kind, "running")
    assert [tell(kind, task)[0] for _ in range(2)] == ["MUSING", first]


def test_an_unknown_state_in_a_list(reelvet_sandbox, api, create_v2):
    reelvet_sandbox.fault("huawei", "unknown_status", operation="list_v2")
    assert api.get(V2).json()["count"] == 0  # nothing to strike yet
    create_v2()
    assert api.get(V2).json()["tasks"][0]["state"] == "PONDERING"


@KINDS
def test_an_unknown_label_waits_for_a_result(reelvet_sandbox, make, tell, kind):
    task = make(kind)
    reelvet_sandbox.fault("huawei", "unknown_label")
    assert tell(kind, task)[1] is None
    reelvet_sandbox.clock.advance(1000)
    _, result, _ = tell(kind, task)
    assert result["suggestion"] == "block"
    assert "CONFETTI" in json.dumps(result)
    _, result, _ = tell(kind, task)
    assert "CONFETTI" not in json.dumps(result)
    assert result["suggestion"] == "pass"


@KINDS
@pytest.mark.parametrize("how", ["verdict_without_evidence", "evidence_without_verdict"])
def test_a_contradiction(reelvet_sandbox, make, tell, spoken, kind, how):
    task = make(kind, spoken)
    reelvet_sandbox.clock.advance(1000)
    reelvet_sandbox.fault("huawei", "contradiction", how=how)
    _, result, lists = tell(kind, task)
    is_bare = how == "verdict_without_evidence"
    assert result["suggestion"] == ("block" if is_bare else "pass")
    assert any(result[name] for name in lists) is not is_bare
    _, result, lists = tell(kind, task)
    assert result["suggestion"] == "block"
    assert all(result[name] for name in lists)


@KINDS
def test_a_status_that_goes_back(reelvet_sandbox, make, tell, kind):
    task = make(kind)
    reelvet_sandbox.fault("huawei", "status_backwards")
    before = tell(kind, task)[0]  # there is nothing to go back from yet
    reelvet_sandbox.clock.advance(1000)
    status, result, _ = tell(kind, task)
    assert (status, result) == (before, None)
    assert tell(kind, task)[0].lower() == "succeeded"


@KINDS
def test_a_task_that_never_finishes(reelvet_sandbox, make, tell, kind):
    reelvet_sandbox.fault("huawei", "never_finishes")
    stuck, fine = make(kind), make(kind)
    reelvet_sandbox.clock.advance(100_000)
    assert [tell(kind, task)[0].lower() for task in (stuck, fine)] == ["running", "succeeded"]


def test_an_expired_task_or_result(reelvet_sandbox, api, create_v2, create_v3, get_v2, get_v3):
    hosted, plain, job = create_v2(), create_v2(output={"obs": {"bucket": "mine", "path": "o/"}}), create_v3()
    reelvet_sandbox.clock.advance(1000)
    reelvet_sandbox.fault("huawei", "expired", times=None)
    assert get_v2(hosted)["hosting_result"]["status"] == "OVERDUE"
    assert api.get(f"{V2}/{plain}").json()["error_code"] == "IVA.0005"
    assert api.delete(f"{V2}/{plain}").json()["error_code"] == "IVA.0005"
    assert api.get(f"{V3}/{job}").json()["error_code"] == "AIS.0030"
    reelvet_sandbox.clear_faults()
    assert get_v2(hosted)["hosting_result"]["status"] == "AVAILABLE"
    assert get_v2(plain)["state"] == get_v3(job)["status"].upper() == "SUCCEEDED"


def test_a_list_that_shows_a_new_task_later(reelvet_sandbox, api, create_v2, get_v2):
    reelvet_sandbox.fault("huawei", "list_lag", seconds=90)
    assert get_v2(create_v2())
    assert api.get(V2).json()["count"] == 0
    reelvet_sandbox.clock.advance(91)
    assert api.get(V2).json()["count"] == 1


@pytest.mark.parametrize("made", [True, False])
def test_decoys_contain_the_name_and_come_first(reelvet_sandbox, api, create_v2, get_v2, made):
    task = create_v2(name="key-1") if made else None
    reelvet_sandbox.fault("huawei", "decoys", count=4)
    assert api.get(V2).json()["count"] == made  # nothing is looked for: nothing to be taken for it
    page = api.get(V2, params={"name_like": "key-1"}).json()
    assert page["count"] == 4 + made
    names = [item["name"] for item in page["tasks"]]
    assert all("key-1" in name for name in names)
    assert [name == "key-1" for name in names] == [False] * 4 + [True] * made
    decoy = page["tasks"][0]["id"]
    assert get_v2(decoy)["state"] == "SUCCEEDED"  # somebody else's, but it exists
    assert [seen.id for seen in reelvet_sandbox.tasks("huawei")] == ([task] if made else [])
    assert api.get(V2, params={"name_like": "key-1"}).json()["count"] == made
    assert api.delete(f"{V2}/{decoy}").status_code == 202


def test_a_create_that_is_cut_off_has_created_one(reelvet_sandbox, api, v2_body):
    import httpx

    reelvet_sandbox.fault("huawei", "cut", operation="create_v2", when="after")
    with pytest.raises(httpx.HTTPError):
        api.post(V2, json=v2_body())
    assert [task.data["name"] for task in reelvet_sandbox.tasks("huawei")] == ["task-1"]
