"""It refuses what the vendor refuses, with the documented codes; what is wrong with one task is told of that task."""

import pytest

from .conftest import creation, item

CREATE, GET, LIST = "CreateVideoModerationTask", "DescribeTaskDetail", "DescribeTasks"


def with_task(**more):
    return creation() | {"Tasks": [{**item(), **more}]}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "InvalidParameter"),
        (b"{", "InvalidParameter"),
        (b"[]", "InvalidParameter"),
        (creation(BizType=None), "MissingParameter"),
        (creation(Type=None), "MissingParameter"),
        (creation(Tasks=None), "MissingParameter"),
        (creation(BizType=1001), "InvalidParameter"),
        (creation(Tasks={"DataId": "a"}), "InvalidParameter"),
        (creation(Tasks=["a"]), "InvalidParameter"),
        (creation(Priority="1"), "InvalidParameter"),
        (creation(Priority=True), "InvalidParameter"),
        (creation(Foo=1), "UnknownParameter"),
        (with_task(Foo=1), "UnknownParameter"),
        (with_task(Input={"Link": "https://h/a.mp4"}), "UnknownParameter"),
        (with_task(Input={"BucketInfo": {"Bucket": "b", "Region": "ap-guangzhou"}}), "MissingParameter"),
        (creation(Type="AUDIO"), "InvalidParameterValue"),
        (creation(BizType="nobody"), "InvalidParameterValue"),
        (creation(BizType="de"), "InvalidParameterValue"),
        (creation(BizType="a-b-c"), "InvalidParameterValue"),
        (creation(Tasks=[]), "InvalidParameterValue"),
        (creation(Tasks=[item(data_id=f"k{n}") for n in range(11)]), "InvalidParameterValue"),
        (creation(CallbackUrl="ftp://h/a"), "InvalidParameterValue"),
        (creation(data_id="k" * 65), "InvalidParameterValue"),
        (creation(data_id="a key"), "InvalidParameterValue"),
        (creation(data_id="a.b"), "InvalidParameterValue"),
        (with_task(DecodeParams={"ImageFrequency": 31}), "InvalidParameterValue"),
        (creation(User={"Gender": 3}), "InvalidParameterValue"),
        (creation(User={"Desc": "x" * 5001}), "InvalidParameterValue"),
        (creation(User={"Name": "x"}), "UnknownParameter"),
        (creation(Type="VIDEO_LLM"), "MissingParameter"),
    ],
)
def test_a_create_that_is_wrong_as_a_whole_creates_nothing(api, reelvet_sandbox, body, code):
    assert api.refusal(CREATE, body) == code
    assert not reelvet_sandbox.tasks("tencent")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (None, "MissingParameter"),
        ({}, "MissingParameter"),
        ({"Type": "URL"}, "MissingParameter"),
        ({"Type": "COS", "Url": "https://h/a.mp4"}, "MissingParameter"),
        ({"Type": "FTP", "Url": "https://h/a.mp4"}, "InvalidParameterValue"),
        ({"Url": "clip.mp4"}, "InvalidParameterValue"),
        ({"Url": "rtmp://h/live"}, "InvalidParameterValue"),
        ({"Url": "https://[h/a.mp4"}, "InvalidParameterValue"),
        ({"Type": "COS", "BucketInfo": {"Bucket": "b", "Region": "", "Object": "/a"}}, "InvalidParameterValue"),
    ],
)
def test_an_input_that_is_wrong_fails_alone(api, reelvet_sandbox, given, code):
    tasks = [item(data_id="one"), {"DataId": "two", "Input": given}, item(data_id="three")]
    results = api.call(CREATE, creation(Tasks=tasks))["Results"]
    assert [(one["DataId"], one["Code"]) for one in results] == [("one", "OK"), ("two", code), ("three", "OK")]
    assert results[1]["TaskId"] == ""
    assert results[1]["Message"]
    assert [task.id for task in reelvet_sandbox.tasks("tencent")] == [results[0]["TaskId"], results[2]["TaskId"]]


def test_ten_tasks_go_in_one_call(api, reelvet_sandbox):
    results = api.call(CREATE, creation(Tasks=[item(data_id=f"A_z-@#{n}") for n in range(10)]))["Results"]
    assert [one["DataId"] for one in results] == [f"A_z-@#{n}" for n in range(10)]
    assert len({one["TaskId"] for one in results}) == 10
    assert all(one["TaskId"].startswith("w-video-") for one in results)


def test_a_data_id_that_is_sent_again_is_another_task(api, reelvet_sandbox):
    assert api.create() != api.create()
    assert len(reelvet_sandbox.tasks("tencent")) == 2


def test_what_a_task_was_created_with_is_kept_but_for_its_seed(api, reelvet_sandbox):
    api.create(Seed="s3cret", Priority=3, User={"UserId": "u1", "Gender": 2})
    (task,) = reelvet_sandbox.tasks("tencent")
    assert task.data == creation(Priority=3, User={"UserId": "u1", "Gender": 2})


@pytest.mark.parametrize(
    "body",
    [
        creation(User={"UserId": "u"}),
        creation(Type="VIDEO_AIGC"),
        with_task(DecodeParams={"ImageFrequency": 1}),
        with_task(Input={"Url": "https://h/a.mp4", "Title": "t"}),
    ],
)
def test_what_the_international_edition_lacks_is_refused_there(api, reelvet_sandbox, body):
    assert "Results" in api.call(CREATE, body)
    reelvet_sandbox.set_up("tencent", edition="intl")
    code = "InvalidParameterValue" if body["Type"] != "VIDEO" else "UnknownParameter"
    assert api.refusal(CREATE, body, X_TC_Region="ap-singapore") == code
    assert api.refusal(CREATE, creation()) == "UnsupportedRegion"


def test_the_version_of_2020_needs_no_biz_type_and_no_region(api, reelvet_sandbox):
    api.version = "2020-12-29"
    body = creation(BizType=None)
    assert api.call(CREATE, body, X_TC_Region=None)["Results"][0]["Code"] == "OK"
    assert api.call(LIST, {"Filter": {"BizType": ["default", "x"]}})["Total"] == "1"
    assert api.refusal(LIST, {"Filter": {"BizType": "default"}}) == "InvalidParameter"
    assert api.refusal(CREATE, creation(User={})) == "UnknownParameter"
    reelvet_sandbox.set_up("tencent", biz_types={"reels_1": {"covers": []}})
    assert api.refusal(CREATE, body) == "InvalidParameterValue"  # the policy `default` must have been created


@pytest.mark.parametrize(
    ("action", "body", "code"),
    [
        (GET, {}, "MissingParameter"),
        (GET, {"TaskId": 5}, "InvalidParameter"),
        (GET, {"TaskId": "x", "ShowAllSegments": "true"}, "InvalidParameter"),
        (GET, {"TaskId": "x"}, "ResourceNotFound"),
        ("CancelTask", {"TaskId": "x"}, "ResourceNotFound"),
        (LIST, {"Limit": 0}, "InvalidParameterValue"),
        (LIST, {"Limit": 101}, "InvalidParameterValue"),
        (LIST, {"PageToken": "x"}, "InvalidParameterValue"),
        (LIST, {"StartTime": "yesterday"}, "InvalidParameterValue"),
        (LIST, {"StartTime": "2026-11-01T00:00:00"}, "InvalidParameterValue"),
        (LIST, {"StartTime": "2026-11-02T00:00:00Z", "EndTime": "2026-11-01T00:00:00Z"}, "InvalidParameterValue"),
        (LIST, {"Filter": {"Type": "MOVIE"}}, "InvalidParameterValue"),
        (LIST, {"Filter": {"Suggestion": "pass"}}, "InvalidParameterValue"),
        (LIST, {"Filter": {"TaskStatus": "FINISHED"}}, "InvalidParameterValue"),
        (LIST, {"Filter": {"DataId": "x"}}, "UnknownParameter"),
    ],
)
def test_the_other_actions_check_theirs(api, action, body, code):
    assert api.refusal(action, body) == code


@pytest.mark.parametrize("action", [CREATE, GET, LIST, "CancelTask"])
def test_an_account_without_the_service_is_refused_everywhere(api, reelvet_sandbox, action):
    reelvet_sandbox.set_up("tencent", activated=False)
    assert api.refusal(action, {}) == "UnauthorizedOperation.Unauthorized"


def test_each_action_is_counted_by_itself(api, reelvet_sandbox):
    reelvet_sandbox.set_up("tencent", per_second=3)
    codes = [api.call(LIST).get("Error", {}).get("Code") for _ in range(5)]
    assert codes == [None, None, None, "RequestLimitExceeded", "RequestLimitExceeded"]
    assert api.refusal(GET, {"TaskId": "x"}) == "ResourceNotFound"


def test_twenty_a_second_is_the_documented_rate(reelvet_sandbox):
    assert reelvet_sandbox.set_up("tencent")["per_second"] == 20


def test_what_is_too_large_is_refused(api):
    assert api.refusal(LIST, b" " * (10 * 1024 * 1024 + 1)) == "RequestSizeLimitExceeded"
