"""What reelvet sends is what Tencent's own client sends for the same call, compared on one server that records both.

And what reelvet reads is held against that client's models, field by field.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import re
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pydantic.alias_generators import to_pascal
from tencentcloud.common import credential
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.vm.v20210922 import models
from tencentcloud.vm.v20210922.vm_client import VmClient

from reelvet import AsyncModerator, Config, ModerationJob
from reelvet.plugins import TimeWindow
from reelvet.schema.task import TaskRef
from reelvet_tencent import parts, settings, wire

SECRET_ID, SECRET_KEY, REGION = "AKIDcanary", "canary-secret", "ap-guangzhou"
URL = "https://cdn.example.com/clip%20one.mp4?a=b%2Fc&d=%7E"
COVERS = [{"labels": ["sexual"], "channels": ["visual", "speech"]}]
REPLIES = {
    "CreateVideoModerationTask": {"Results": [{"DataId": "key-1", "TaskId": "w-video-1", "Code": "OK", "Message": "Success"}]},
    "DescribeTaskDetail": {"TaskId": "w-video-1", "Status": "FINISH"},
    "DescribeTasks": {"Total": "0", "Data": [], "PageToken": ""},
    "CancelTask": {},
}  # fmt: skip
TOLD = ("Content-Type", "Host", "X-TC-Action", "X-TC-Version", "X-TC-Region", "X-TC-Token")
"""The headers that say what is asked for. Timestamp and signature differ from call to call."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name: self.headers[name] for name in TOLD if self.headers[name]}
        self.server.sent.append((self.command, self.path, headers, json.loads(content)))
        written = json.dumps({"Response": {**REPLIES[headers["X-TC-Action"]], "RequestId": "r-1"}}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(written)))
        self.end_headers()
        self.wfile.write(written)

    def log_message(self, *_):
        """Nothing."""


@pytest.fixture(scope="module")
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as made:
        made.sent = []
        made.daemon_threads = True
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture
def recorded(server):
    """What a call sends."""

    def record(call):
        server.sent.clear()
        call()
        return list(server.sent)

    record.host = f"127.0.0.1:{server.server_port}"
    return record


def theirs(host, name, parameters, token=None):
    """A call of the vendor's own client."""
    profile = ClientProfile(httpProfile=HttpProfile(protocol="http", endpoint=host))
    client = VmClient(credential.Credential(SECRET_ID, SECRET_KEY, token), REGION, profile)
    request = getattr(models, f"{name}Request")()
    request.from_json_string(json.dumps(parameters))
    getattr(client, name)(request)


def ours(host, talk, **more):
    async def run():
        table = {
            "secret_id": SECRET_ID, "secret_key": SECRET_KEY, "region": REGION, "biz_type": "reels_1", "base_url": f"http://{host}", "seed": "seed-0",
            "seeds": {"mine": "seed-1"}, "biz_types": {"reels_1": {"covers": COVERS}}, **more,
        }  # fmt: skip
        async with AsyncModerator(Config.parse({"use": "tencent", "providers": {"tencent": table}})) as moderator:
            provider = await moderator._instance("tencent").open()
            return await talk(moderator, provider)

    return asyncio.run(run())


def create(input_=None, *, task=None, **more):
    one = {"DataId": "key-1", "Input": {"Type": "URL", "Url": URL, **(input_ or {})}, **(task or {})}
    if "BucketInfo" in one["Input"]:
        one["Input"] = input_
    return {"BizType": "reels_1", "Type": "VIDEO", "Tasks": [one], **more}


USER = {
    "user_id": "u-1", "account_type": "7", "nickname": "имя", "gender": 1, "age": 19, "level": 2, "phone": "176", "desc": "d", "head_url": "https://h.example/a.png",
    "room_id": "r", "group_id": "g", "group_size": 3, "receiver_id": "u-2", "send_time": "1750000000000",
}  # fmt: skip
JOBS = {
    "a file": ({}, create()),
    "generated media": ({"detect": ["synthetic.ai_generated"]}, create(Type="VIDEO_AIGC")),
    "a stream": ({"media": {"url": "rtmp://live.example.com/a?b=c", "kind": "live"}}, create({"Url": "rtmp://live.example.com/a?b=c"}, Type="LIVE_VIDEO")),
    "an object in a bucket": (
        {"media": "cos://clips-1250000000/a/ä b.mp4", "options": {"cos_region": "ap-beijing"}},
        create({"Type": "COS", "BucketInfo": {"Bucket": "clips-1250000000", "Region": "ap-beijing", "Object": "/a/ä b.mp4"}}),
    ),
    "a callback": ({"callback": {"url": "https://me.example.com/hook"}}, create(CallbackUrl="https://me.example.com/hook", Seed="seed-0")),
    "a callback with a seed of its own": (
        {"callback": {"url": "https://me.example.com/{key}", "secret": "mine"}}, create(CallbackUrl="https://me.example.com/key-1", Seed="seed-1"),
    ),
    "a priority": ({"options": {"priority": 7}}, create(Priority=7)),
    "another BizType": ({"options": {"biz_type": "other_1"}}, create(BizType="other_1")),
    "a user": ({"user": "u-7"}, create(User={"UserId": "u-7"})),
    "everything of a user": ({"options": {"user": USER}}, create(User={to_pascal(name): value for name, value in USER.items()})),
    "a name and a frequency": ({"options": {"name": "имя", "image_frequency": 2}}, create(task={"Name": "имя", "DecodeParams": {"ImageFrequency": 2}})),
    "text and pictures": (
        {"options": {"image_urls": ["https://h.example/a.jpg"], "text_content": "hi", "title": "t", "extra": "x"}},
        create({"ImageUrlList": ["https://h.example/a.jpg"], "TextContent": "aGk=", "Title": "t", "Extra": "x"}),
    ),
}  # fmt: skip
"""Name -> the job, and what Tencent's client is asked for the same. Together they send every field there is."""


@pytest.mark.parametrize("name", JOBS)
def test_a_job_is_sent_as_their_client_sends_it(recorded, name):
    fields, parameters = JOBS[name]
    options = {"options": {"tencent": fields["options"]}} if "options" in fields else {}
    job = ModerationJob(**{"media": URL, "key": "key-1", "detect": ["sexual"], **fields, **options})
    sent = recorded(lambda: ours(recorded.host, lambda moderator, _: moderator.submit(job)))
    assert sent == recorded(lambda: theirs(recorded.host, "CreateVideoModerationTask", parameters))


def names(value):
    if isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from names(item)
    elif isinstance(value, list):
        for item in value:
            yield from names(item)


def fields_of(model):
    """The fields of a model of the vendor's client."""
    return set(re.findall(r":type (\w+):", inspect.getsource(getattr(models, model).__init__)))


def test_the_table_sends_every_field_of_their_client():
    theirs_all = set().union(
        *(fields_of(model) for model in ("CreateVideoModerationTaskRequest", "TaskInput", "StorageInfo", "BucketInfo", "DecodeParams", "User"))
    )  # fmt: skip
    assert {name for _, parameters in JOBS.values() for name in names(parameters)} == theirs_all
    assert {to_pascal(name) for name in settings.User.model_fields} == fields_of("User")


def test_several_jobs_are_one_call_of_theirs(recorded):
    async def talk(moderator, _):
        jobs = [ModerationJob(media=URL, key=f"key-{n}", detect=["sexual"]) for n in (1, 2)]
        await asyncio.gather(*(moderator.submit(job) for job in jobs), return_exceptions=True)

    sent = recorded(lambda: ours(recorded.host, talk))
    given = {"Type": "URL", "Url": URL}
    parameters = {
        "BizType": "reels_1",
        "Type": "VIDEO",
        "Tasks": [{"DataId": f"key-{n}", "Input": given} for n in (1, 2)],
    }
    wanted = recorded(lambda: theirs(recorded.host, "CreateVideoModerationTask", parameters))
    assert [one for one in sent if one[2]["X-TC-Action"] == "CreateVideoModerationTask"] == wanted


@pytest.mark.parametrize("everything", [False, True])
def test_a_task_is_asked_for_as_their_client_does(recorded, everything):
    ref = TaskRef(id="w-video-1", extra={"all_segments": True} if everything else {})
    parameters = {"TaskId": "w-video-1"} | ({"ShowAllSegments": True} if everything else {})
    assert set(parameters) <= fields_of("DescribeTaskDetailRequest") <= {"TaskId", "ShowAllSegments"}
    sent = recorded(lambda: ours(recorded.host, lambda _, provider: provider.fetch(ref)))
    assert sent == recorded(lambda: theirs(recorded.host, "DescribeTaskDetail", parameters))


def test_a_task_is_cancelled_as_their_client_does(recorded):
    sent = recorded(lambda: ours(recorded.host, lambda _, provider: provider.cancel(TaskRef(id="w-video-1"))))
    assert sent[:1] == recorded(lambda: theirs(recorded.host, "CancelTask", {"TaskId": "w-video-1"}))
    assert fields_of("CancelTaskRequest") == {"TaskId"}


LISTS = [
    {},
    {"limit": 1},
    {
        "limit": 100,
        "page_token": "a.b",
        "start_time": "2025-06-05T00:00:00+08:00",
        "end_time": "2025-06-06T23:59:59+08:00",
    },
    {"biz_type": "reels_1", "type": "VIDEO", "suggestion": "Block", "task_status": "FINISH"},
]


@pytest.mark.parametrize("asked", LISTS)
def test_the_list_is_asked_for_as_their_client_does(recorded, asked):
    filters = {"biz_type", "type", "suggestion", "task_status"}
    parameters = {to_pascal(name): value for name, value in asked.items() if name not in filters}
    if wanted := {to_pascal(name): value for name, value in asked.items() if name in filters}:
        parameters["Filter"] = wanted
    sent = recorded(lambda: ours(recorded.host, lambda _, provider: provider.list_page(**asked)))
    assert sent == recorded(lambda: theirs(recorded.host, "DescribeTasks", parameters))


def test_every_parameter_of_their_list_is_ours():
    asked = {to_pascal(name) for one in LISTS for name in one}
    assert asked == (fields_of("DescribeTasksRequest") - {"Filter"}) | fields_of("TaskFilter")


def test_a_search_and_a_check_are_the_list(recorded):
    window = TimeWindow(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
    told = {"Limit": 100, "StartTime": "2026-01-01T00:00:00+00:00", "EndTime": "2026-01-02T00:00:00+00:00"}
    sent = recorded(lambda: ours(recorded.host, lambda _, provider: provider.find("key-1", window)))
    assert sent == recorded(lambda: theirs(recorded.host, "DescribeTasks", told))
    sent = recorded(lambda: ours(recorded.host, lambda _, provider: provider.check()))
    assert sent == recorded(lambda: theirs(recorded.host, "DescribeTasks", {"Limit": 1}))


def test_the_token_of_temporary_keys_goes_where_theirs_does(recorded):
    sent = recorded(
        lambda: ours(recorded.host, lambda _, provider: provider.fetch(TaskRef(id="w-video-1")), token="t-1")
    )
    assert sent == recorded(lambda: theirs(recorded.host, "DescribeTaskDetail", {"TaskId": "w-video-1"}, token="t-1"))
    assert sent[0][2]["X-TC-Token"] == "t-1"


# --- what is read ---

OURS = {
    name: model
    for module in (parts, wire)
    for name, model in vars(module).items()
    if inspect.isclass(model)
    and issubclass(model, parts.Part)
    and model is not parts.Part
    and model.__module__ == module.__name__
}
REQUESTS = {
    "BucketInfo", "CancelTaskRequest", "CreateVideoModerationTaskRequest", "DecodeParams", "DescribeTaskDetailRequest", "DescribeTasksRequest",
    "StorageInfo", "TaskFilter", "TaskInput", "User",
}  # fmt: skip
"""What is sent; compared above."""


def theirs_of(version):
    module = importlib.import_module(f"tencentcloud.vm.{version}.models")
    return {
        name: set(re.findall(r":type (\w+):", inspect.getsource(model.__init__)))
        for name, model in vars(module).items()
        if inspect.isclass(model) and model.__module__ == module.__name__
    }


def test_every_model_of_theirs_is_ours_and_none_besides():
    assert set(OURS) == set(theirs_of("v20210922")) - REQUESTS


@pytest.mark.parametrize("name", OURS)
def test_the_fields_of_a_model_are_theirs(name):
    known = {field.alias or to_pascal(one) for one, field in OURS[name].model_fields.items()}
    present = theirs_of("v20210922")[name] - {"RequestId"} | ({"RequestId"} & known)
    assert (known - present, present - known) == (set(), set()), "only ours, only theirs"


RENAMED = {"HitInfo": "OcrHitInfo", "AudioLabelResult": "LabelResult"}
"""What the version of 2020-12-29 calls otherwise, with the same fields."""


def test_the_older_version_has_no_field_that_is_not_known():
    older, known = theirs_of("v20201229"), theirs_of("v20210922")
    lacking = {name: fields - known.get(RENAMED.get(name, name), set()) for name, fields in older.items()}
    assert {name: fields for name, fields in lacking.items() if fields} == {}
