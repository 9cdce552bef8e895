"""The faults that concern what Tencent means, and those of the host that strike the lists of a batch."""

import pytest

from .conftest import creation, item

CREATE = "CreateVideoModerationTask"


def test_an_unknown_status(reelvet_sandbox, api):
    task = api.create()
    reelvet_sandbox.fault("tencent", "unknown_status", operation="get", word="MUSING")
    assert [api.get(task)["Status"] for _ in range(2)] == ["MUSING", "PENDING"]
    reelvet_sandbox.fault("tencent", "unknown_status", operation="list")
    assert api.list()["Data"][0]["Status"] == "PONDERING"


def test_an_unknown_label_waits_for_a_result(reelvet_sandbox, api, result):
    task = api.create()
    reelvet_sandbox.fault("tencent", "unknown_label")
    assert api.get(task)["Label"] == ""
    told = result(task)
    assert (told["Label"], told["Suggestion"], told["Labels"][0]["Label"]) == ("CONFETTI", "Block", "CONFETTI")
    segment = told["ImageSegments"][0]["Result"]
    assert (segment["Label"], segment["Results"][0]["Label"], segment["HitFlag"]) == ("CONFETTI", "CONFETTI", 1)
    assert result(task)["Label"] == "Normal"


@pytest.mark.parametrize("how", ["verdict_without_evidence", "evidence_without_verdict"])
def test_a_contradiction(reelvet_sandbox, api, result, how):
    reelvet_sandbox.fault("tencent", "contradiction", how=how)
    told = result(api.create("block-nudity"))
    assert told["Suggestion"] == ("Block" if how == "verdict_without_evidence" else "Pass")
    assert bool(told["ImageSegments"]) is (how == "evidence_without_verdict")
    assert told["Labels"] == []


def test_evidence_without_a_verdict_waits_for_evidence(reelvet_sandbox, api, result):
    reelvet_sandbox.fault("tencent", "contradiction")
    result(api.create("clean"))
    assert [planted.struck for planted in reelvet_sandbox.faults()] == [0]


def test_a_status_that_goes_back(reelvet_sandbox, api):
    task = api.create("block-nudity")
    reelvet_sandbox.fault("tencent", "status_backwards")
    assert api.get(task)["Status"] == "PENDING"  # there is nothing to go back from yet
    reelvet_sandbox.clock.advance(100)
    told = [api.get(task) for _ in range(3)]
    assert [one["Status"] for one in told] == ["PENDING", "FINISH", "FINISH"]
    assert (told[0]["ImageSegments"], told[0]["Suggestion"]) == ([], "UNSPECIFIED")


def test_a_task_that_never_finishes(reelvet_sandbox, api):
    reelvet_sandbox.fault("tencent", "never_finishes")
    results = api.call(CREATE, creation(Tasks=[item(data_id="a"), item(data_id="b")]))["Results"]
    reelvet_sandbox.clock.advance(10_000)
    assert [api.get(one["TaskId"])["Status"] for one in results] == ["RUNNING", "FINISH"]


def test_an_expired_task(reelvet_sandbox, api):
    task = api.create()
    reelvet_sandbox.fault("tencent", "expired", operation="get", times=None)
    assert [api.refusal("DescribeTaskDetail", {"TaskId": task}) for _ in range(3)] == ["ResourceNotFound"] * 3
    reelvet_sandbox.clear_faults()
    assert api.get(task)["TaskId"] == task
    reelvet_sandbox.fault("tencent", "expired", operation="cancel")
    assert api.refusal("CancelTask", {"TaskId": task}) == "ResourceNotFound"


def test_a_list_that_shows_a_new_task_later(reelvet_sandbox, api):
    reelvet_sandbox.fault("tencent", "list_lag", seconds=90)
    task = api.create()
    assert api.get(task)["TaskId"] == task
    assert api.list()["Total"] == "0"
    reelvet_sandbox.clock.advance(91)
    assert api.list()["Total"] == "1"


@pytest.mark.parametrize("made", [True, False])
def test_decoys_hold_the_key_and_come_first(reelvet_sandbox, api, made):
    if not made:  # the create is lost on its way, and its task is looked for all the same
        reelvet_sandbox.fault("tencent", "server_error", operation="create")
        api.http.post("/", content=(body := b'{"Tasks":[{"DataId":"key-1"}]}'), headers=api.headers(CREATE, body))
    task = api.create() if made else None
    reelvet_sandbox.fault("tencent", "decoys", count=4)
    page = api.list(Limit=3)
    found = page["Data"] + api.list(Limit=3, PageToken=page["PageToken"])["Data"]
    assert all("key-1" in one["DataId"] for one in found)
    assert [one["DataId"] == "key-1" for one in found] == [False] * 4 + [True] * made
    assert api.get(found[0]["TaskId"])["Status"] == "FINISH"  # somebody else's, but it exists
    assert [seen.id for seen in reelvet_sandbox.tasks("tencent")] == ([task] if made else [])
    assert api.list()["Total"] == str(int(made))


def test_decoys_wait_for_something_to_be_looked_for(reelvet_sandbox, api):
    reelvet_sandbox.fault("tencent", "decoys")
    assert api.list()["Total"] == "0"
    assert [planted.struck for planted in reelvet_sandbox.faults()] == [0]


def test_results_of_a_batch_may_be_shuffled_or_lack_some(reelvet_sandbox, api):
    body = creation(Tasks=[item(data_id=key) for key in "abc"])
    reelvet_sandbox.fault("tencent", "shuffled", path="Response.Results", operation="create")
    reelvet_sandbox.fault("tencent", "dropped_items", path="Response.Results", items=[1], operation="create", skip=1)
    reelvet_sandbox.fault("tencent", "set_field", path="Response.Results.0.Code", value="InternalError", operation="create", skip=2)  # fmt: skip
    told = [[one["DataId"] for one in api.call(CREATE, body)["Results"]] for _ in range(2)]
    assert told == [["c", "b", "a"], ["a", "c"]]
    assert [one["Code"] for one in api.call(CREATE, body)["Results"]] == ["InternalError", "OK", "OK"]
    assert len(reelvet_sandbox.tasks("tencent")) == 9


def test_the_vendors_own_bodies_of_refusals(reelvet_sandbox, api):
    reelvet_sandbox.fault("tencent", "too_many", retry_after=7)
    reply = api.http.post("/", content=b"{}", headers=api.headers("DescribeTasks", b"{}"))
    assert reply.headers["retry-after"] == "7"
    assert reply.json()["Response"]["Error"]["Code"] == "RequestLimitExceeded"
    reelvet_sandbox.fault("tencent", "server_error", status=502)
    reply = api.http.post("/", content=b"{}", headers=api.headers("DescribeTasks", b"{}"))
    assert (reply.status_code, reply.json()["Response"]["Error"]["Code"]) == (502, "InternalError")
