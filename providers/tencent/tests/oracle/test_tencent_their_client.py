"""Tencent's own Python clients, unmodified, against the emulator: what they understand, the emulator says right.

Their models are made from the vendor's own description of the API. They leave out without an error what a reply lacks, and warn
of what they do not know; warnings are errors here, and what is missing is looked for field by field.
"""

import hashlib
import json
import time

import pytest
from tencentcloud.common.abstract_model import AbstractModel
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.common.retry import StandardRetryer
from tencentcloud.vm.v20201229 import models as old_models
from tencentcloud.vm.v20201229.vm_client import VmClient as OldClient
from tencentcloud.vm.v20210922 import models
from tencentcloud.vm.v20210922.vm_client import VmClient
from tencentcloud.vm.v20210922.vm_client_async import VmClient as AsyncVmClient

from reelvet_tencent import wire
from reelvet_tencent.sandbox.emulator import TEMPORARY
from reelvet_tencent.sandbox.models import CURRENT, Dialect

MAGIC = "https://sandbox.reelvet.example"


@pytest.fixture
def profile(reelvet_sandbox):
    """Their settings: another endpoint, and plain HTTP."""

    def make(**more):
        endpoint = reelvet_sandbox.base_url("tencent").removeprefix("http://")
        return ClientProfile(httpProfile=HttpProfile(protocol="http", endpoint=endpoint, **more))

    return make


@pytest.fixture
def credential(reelvet_sandbox):
    settings = reelvet_sandbox.settings("tencent")
    return Credential(settings["secret_id"], settings["secret_key"])


@pytest.fixture
def client(credential, profile):
    return VmClient(credential, "ap-guangzhou", profile())


@pytest.fixture
async def async_client(credential, profile):
    async with AsyncVmClient(credential, "ap-guangzhou", profile()) as made:
        yield made


def asked(name, module=models, **data):
    """A request of theirs."""
    request = getattr(module, f"{name}Request")()
    request.from_json_string(json.dumps(data))
    return request


def creation(*scenarios, **more):
    tasks = [
        {"DataId": f"key-{number}", "Input": {"Type": "URL", "Url": f"{MAGIC}/{name}.mp4"}}
        for number, name in enumerate(scenarios)
    ]
    return asked("CreateVideoModerationTask", **{"BizType": "default", "Type": "VIDEO", "Tasks": tasks, **more})


def holes(value, place=""):
    """The fields of their models, below one of them, that the reply did not have."""
    if isinstance(value, AbstractModel):
        for name, inner in vars(value).items():
            if inner is None:
                yield f"{place}.{name.removeprefix('_')}"
            else:
                yield from holes(inner, f"{place}.{name.removeprefix('_')}")
    elif isinstance(value, list):
        for inner in value:
            yield from holes(inner, f"{place}[]")


EVENTS = (
    {"label": "sexual.explicit.nudity_female_breast", "start": 4, "end": 6, "score": 0.9, "box": {"x": 0.1, "y": 0.2, "width": 0.3, "height": 0.4}},
    {"label": "harassment.abuse", "start": 4, "end": 6, "score": 0.9, "channel": "ocr", "text": "you fool", "matches": ["fool"]},
    {"label": "custom", "start": 4, "score": 0.9, "channel": "speech", "text": "you fool", "matches": ["fool"]},
    {"label": "sexual.sound.moaning", "start": 4, "end": 6, "score": 0.9, "channel": "sound"},
    {"label": "context.person.minor", "start": 4, "end": 6, "score": 0.9},
    {"label": "context.person.gender", "start": 4, "end": 6, "score": 0.9, "channel": "sound"},
)  # fmt: skip


@pytest.fixture
def everything(reelvet_sandbox):
    """A scenario in which there is something for every model."""
    speech = [{"start": 1, "end": 2, "text": "hello"}]
    reelvet_sandbox.scenario(None, {"name": "everything", "events": EVENTS, "speech": speech})
    return "everything"


def check(told, expected=frozenset({".InputInfo.BucketInfo"})):
    """Whether a task has ended as it should, and all of its models are filled."""
    assert (told.Status, told.Type, told.Suggestion, told.DataId) == ("FINISH", "VIDEO", "Block", "key-0")
    assert set(holes(told)) == expected  # null in every example
    picture = next(one for one in told.ImageSegments if one.Result.HitFlag)
    assert type(picture) is models.ImageSegments
    assert [type(one) for one in picture.Result.Results] == [models.ImageResultResult] * 2
    assert type(picture.Result.Results[0].Details[0].Location) is models.ImageResultsResultDetailLocation
    assert type(picture.Result.Results[1].Details[0].OcrHitInfos[0].Positions[0]) is models.TextPosition
    assert type(picture.Result.RecognitionResults[0].Tags[0]) is models.Tag
    sound = told.AudioSegments[0].Result
    assert type(sound.TextResults[0].HitInfos[0]) is models.OcrHitInfo
    assert type(sound.MoanResults[0]) is models.AudioResultDetailMoanResult
    assert type(sound.LanguageResults[0]) is models.AudioResultDetailLanguageResult
    assert type(sound.Sentences[0]) is models.Sentence
    assert {type(label) for label in told.Labels} == {models.TaskLabel}
    assert type(told.MediaInfo) is models.MediaInfo
    assert type(told.Asrs[0]) is models.RcbAsr
    assert type(told.SegmentCosUrlList) is models.SegmentCosUrlList


def test_all_four_actions(client, reelvet_sandbox, everything):
    made = client.CreateVideoModerationTask(creation(everything, "never-finishes"))
    assert [(one.DataId, one.Code, one.Message) for one in made.Results] == [("key-0", "OK", "Success"), ("key-1", "OK", "Success")]  # fmt: skip
    assert not list(holes(made))
    reelvet_sandbox.clock.advance(100)
    check(client.DescribeTaskDetail(asked("DescribeTaskDetail", TaskId=made.Results[0].TaskId)))
    check(client.DescribeTaskDetail(asked("DescribeTaskDetail", TaskId=made.Results[0].TaskId, ShowAllSegments=True)))
    page = client.DescribeTasks(asked("DescribeTasks", Filter={"Type": "VIDEO"}, Limit=100))
    assert (page.Total, [type(one) for one in page.Data]) == ("2", [models.TaskData] * 2)
    assert set(holes(page)) == {".Data[].InputInfo.BucketInfo"}
    cancelled = client.CancelTask(asked("CancelTask", TaskId=made.Results[1].TaskId))
    assert cancelled.RequestId
    status = client.DescribeTaskDetail(asked("DescribeTaskDetail", TaskId=made.Results[1].TaskId)).Status
    assert status == "CANCELLED"


async def test_all_four_actions_with_their_async_client(async_client, reelvet_sandbox, everything):
    made = await async_client.CreateVideoModerationTask(creation(everything, "never-finishes"))
    assert [one.Code for one in made.Results] == ["OK", "OK"]
    reelvet_sandbox.clock.advance(100)
    check(await async_client.DescribeTaskDetail(asked("DescribeTaskDetail", TaskId=made.Results[0].TaskId)))
    page = await async_client.DescribeTasks(asked("DescribeTasks"))
    assert page.Total == "2"
    await async_client.CancelTask(asked("CancelTask", TaskId=made.Results[1].TaskId))
    page = await async_client.DescribeTasks(asked("DescribeTasks", Filter={"TaskStatus": "CANCELLED"}))
    assert [one.TaskId for one in page.Data] == [made.Results[1].TaskId]


@pytest.mark.parametrize("scenario", ["clean", "broken", "never-finishes"])
def test_every_status_fills_their_model(client, reelvet_sandbox, scenario):
    reelvet_sandbox.clock.pause()
    task = client.CreateVideoModerationTask(creation(scenario)).Results[0].TaskId
    seen = []
    for _ in range(20):
        told = client.DescribeTaskDetail(asked("DescribeTaskDetail", TaskId=task))
        assert set(holes(told)) == {".InputInfo.BucketInfo"}
        seen.append(told.Status)
        reelvet_sandbox.clock.advance(0.5)
        time.sleep(0.05)  # their requests are counted by the wall
    last = {"clean": "FINISH", "broken": "ERROR", "never-finishes": "RUNNING"}[scenario]
    assert list(dict.fromkeys(seen)) == list(dict.fromkeys(["PENDING", "RUNNING", last]))


def test_a_stream_fills_their_model(client, reelvet_sandbox):
    reelvet_sandbox.clock.pause()
    events = [{"label": "sexual.suggestive", "start": 0, "end": 30, "score": 0.9}]
    reelvet_sandbox.scenario("rtmp://h/live", {"name": "live", "kind": "live", "events": events})
    task = {"DataId": "key-1", "Input": {"Url": "rtmp://h/live"}}
    made = client.CreateVideoModerationTask(creation(Type="LIVE_VIDEO", Tasks=[task]))
    reelvet_sandbox.clock.advance(15)
    told = client.DescribeTaskDetail(asked("DescribeTaskDetail", TaskId=made.Results[0].TaskId))
    assert (told.Status, told.Suggestion, len(told.ImageSegments)) == ("RUNNING", "Block", 3)
    assert int(told.ImageSegments[0].OffsetTime) > 1_000_000_000
    assert set(holes(told)) == {".InputInfo.BucketInfo"}


def test_stretches_fill_their_model(client, reelvet_sandbox):
    made = client.CreateVideoModerationTask(
        creation("block-nudity", Type="VIDEO_LLM", CallbackUrl="http://127.0.0.1:9/")
    )
    reelvet_sandbox.clock.advance(100)
    told = client.DescribeTaskDetail(asked("DescribeTaskDetail", TaskId=made.Results[0].TaskId))
    assert type(told.VideoSegments[0].Result.Detail[0]) is models.VideoLLMDetail
    assert set(holes(told)) == {".InputInfo.BucketInfo"}


def filled(model):
    """A reply of that model with something in every field of every model below it, as the emulator knows them."""
    values = {"str": "1", "int": 1, "float": 1.0, "bool": True}
    told = {}
    for name, field in Dialect(CURRENT, "cn").fields(model).items():
        type_ = field.type.removeprefix("[]")
        value = values[type_] if type_ in values else filled(type_)
        told[name] = [value] if field.type.startswith("[]") else value
    return told


def types(value):
    if isinstance(value, AbstractModel):
        yield type(value).__name__
        value = [*vars(value).values()]
    for inner in value if isinstance(value, list) else ():
        yield from types(inner)


def test_every_model_that_they_have_is_filled_without_anything_missing_or_unknown(client, reelvet_sandbox):
    """Also what no scenario has, as hits of the audio moderation for rides; of none of them is one lost on our side either."""
    replies = {
        "CreateVideoModerationTask": ("create", creation("clean")),
        "DescribeTaskDetail": ("get", asked("DescribeTaskDetail", TaskId="t")),
        "DescribeTasks": ("list", asked("DescribeTasks")),
        "CancelTask": ("cancel", asked("CancelTask", TaskId="t")),
    }
    seen = set()
    for action, (operation, request) in replies.items():
        reply = filled(f"{action}Response")
        reelvet_sandbox.fault("tencent", "not_json", operation=operation, text=json.dumps({"Response": reply}))
        told = getattr(client, action)(request)
        assert list(holes(told)) == []
        assert json.loads(told.to_json_string()) == reply
        seen |= {*types(told)}
        assert getattr(wire, f"{action}Response").model_validate(reply).model_dump(by_alias=True).keys() >= reply.keys()
    theirs = {
        name for name, kind in vars(models).items() if isinstance(kind, type) and kind.__module__ == models.__name__
    }
    assert theirs - seen == {name for name in theirs if name.endswith("Request")} | {
        "StorageInfo", "BucketInfo", "TaskInput", "DecodeParams", "User", "TaskFilter"
    }  # fmt: skip


def test_every_parameter_that_they_have_is_taken(client, reelvet_sandbox):
    user = {
        "UserId": "u", "AccountType": "7", "Nickname": "n", "Gender": 1, "Age": 19, "Level": 1, "Phone": "176****2131", "Desc": "d",
        "HeadUrl": "https://h/i.jpg", "RoomId": "r", "GroupId": "g", "GroupSize": 10, "ReceiverId": "x", "SendTime": "2025-05-15 15:40:06",
    }  # fmt: skip
    place = {"Bucket": "clips-1", "Region": "ap-guangzhou", "Object": "/a.mp4"}
    task = {
        "DataId": "k",
        "Name": "n",
        "Input": {"Type": "COS", "BucketInfo": place},
        "DecodeParams": {"ImageFrequency": 1},
    }
    request = creation(Tasks=[task], Seed="seed", CallbackUrl="https://h/cb", Priority=10, User=user)
    assert client.CreateVideoModerationTask(request).Results[0].Code == "OK"
    (made,) = reelvet_sandbox.tasks("tencent")
    assert (made.data["User"], made.data["Tasks"], made.data["Priority"]) == (user, [task], 10)


def test_a_task_that_fails_alone_raises_nothing(client):
    tasks = [{"DataId": "a", "Input": {"Url": "nowhere"}}, {"DataId": "b", "Input": {"Url": "https://h/b.mp4"}}]
    made = client.CreateVideoModerationTask(creation(Tasks=tasks))
    assert [(one.DataId, one.Code, bool(one.TaskId)) for one in made.Results] == [
        ("a", "InvalidParameterValue", False), ("b", "OK", True),
    ]  # fmt: skip


def test_refusals_are_their_exceptions(client, credential, profile, reelvet_sandbox):
    with pytest.raises(TencentCloudSDKException) as caught:
        client.DescribeTaskDetail(asked("DescribeTaskDetail", TaskId="nobody"))
    assert caught.value.code == "ResourceNotFound"
    assert caught.value.requestId
    wrong = VmClient(Credential(credential.secret_id, "wrong"), "ap-guangzhou", profile())
    with pytest.raises(TencentCloudSDKException, match=r"AuthFailure\.SignatureFailure"):
        wrong.DescribeTasks(asked("DescribeTasks"))
    with pytest.raises(TencentCloudSDKException, match="UnsupportedRegion"):
        VmClient(credential, "moon", profile()).DescribeTasks(asked("DescribeTasks"))
    reelvet_sandbox.set_up("tencent", activated=False)
    with pytest.raises(TencentCloudSDKException, match=r"UnauthorizedOperation\.Unauthorized"):
        client.CreateVideoModerationTask(creation("clean"))


async def test_refusals_with_their_async_client(async_client, reelvet_sandbox):
    reelvet_sandbox.set_up("tencent", per_second=1)
    await async_client.DescribeTasks(asked("DescribeTasks"))
    with pytest.raises(TencentCloudSDKException, match="RequestLimitExceeded"):
        await async_client.DescribeTasks(asked("DescribeTasks"))


def test_temporary_keys_get_and_an_unsigned_payload_are_theirs_too(profile, credential):
    temporary = Credential(TEMPORARY.secret_id, TEMPORARY.secret_key, TEMPORARY.token)
    assert VmClient(temporary, "ap-guangzhou", profile()).DescribeTasks(asked("DescribeTasks")).Total == "0"
    by_get = VmClient(credential, "ap-guangzhou", profile(reqMethod="GET"))
    made = by_get.CreateVideoModerationTask(creation("clean"))
    assert made.Results[0].Code == "OK"
    shown = by_get.DescribeTaskDetail(asked("DescribeTaskDetail", TaskId=made.Results[0].TaskId, ShowAllSegments=True))
    assert shown.DataId == "key-0"
    unsigned = profile()
    unsigned.unsignedPayload = True
    assert VmClient(credential, "ap-guangzhou", unsigned).DescribeTasks(asked("DescribeTasks")).Total == "1"


def test_the_version_of_2020(credential, profile, reelvet_sandbox, everything):
    client = OldClient(credential, "", profile())
    reelvet_sandbox.clock.pause()
    task = {"DataId": "key-0", "Input": {"Url": f"{MAGIC}/{everything}.mp4"}}
    made = client.CreateVideoModerationTask(asked("CreateVideoModerationTask", old_models, Type="VIDEO", Tasks=[task]))
    reelvet_sandbox.clock.advance(100)
    told = client.DescribeTaskDetail(asked("DescribeTaskDetail", old_models, TaskId=made.Results[0].TaskId))
    assert set(holes(told)) == {".InputInfo.BucketInfo"}
    assert (told.BizType, told.Suggestion, told.MediaInfo.Duration) == ("default", "Block", 30)
    page = client.DescribeTasks(asked("DescribeTasks", old_models, Filter={"BizType": ["default"]}))
    assert set(holes(page)) == {".Data[].InputInfo.BucketInfo"}
    waiting = client.CreateVideoModerationTask(
        asked("CreateVideoModerationTask", old_models, Type="VIDEO", Tasks=[task])
    )
    client.CancelTask(asked("CancelTask", old_models, TaskId=waiting.Results[0].TaskId))


def test_their_standard_retries_pay_three_times_for_one_refusal(credential, profile, reelvet_sandbox):
    """Why reelvet keeps a vendor's own retries off: an error that was overcome is remembered, and the create sent again."""
    settings = profile()
    settings.retryer = StandardRetryer(max_attempts=3, backoff_fn=lambda _: 0.0)
    client = VmClient(credential, "ap-guangzhou", settings)
    refusal = {"Error": {"Code": "RequestLimitExceeded", "Message": "later"}, "RequestId": "r"}
    reelvet_sandbox.fault("tencent", "set_field", path="Response", value=refusal, operation="create")
    with pytest.raises(TencentCloudSDKException, match="later"):
        client.CreateVideoModerationTask(creation("clean"))
    assert len(reelvet_sandbox.tasks("tencent")) == 3


def test_what_they_send_is_signed_over_type_and_host_alone(client, reelvet_sandbox):
    client.DescribeTasks(asked("DescribeTasks"))
    (request,) = reelvet_sandbox.requests("tencent")
    assert "SignedHeaders=content-type;host," in request.header("authorization")
    assert hashlib.sha256(request.body).hexdigest() == hashlib.sha256(b"{}").hexdigest()
