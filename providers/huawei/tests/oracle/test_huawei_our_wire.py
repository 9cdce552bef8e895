"""What reelvet sends is what Huawei's own clients send for the same call, compared on one server that records both."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkmoderation.v3 import (
    ModerationClient,
    RunCreateVideoModerationJobRequest,
    RunQueryAudioModerationJobRequest,
    RunQueryVideoModerationJobRequest,
    VideoCreateRequest,
    VideoCreateRequestData,
)
from huaweicloudsdkvcm.v2 import (
    CheckVideoJobRequest,
    CreateVideoJobReq,
    CreateVideoJobReqInput,
    CreateVideoJobRequest,
    DeleteVideoJobRequest,
    InputData,
    ListVideoJobsRequest,
    Output,
    OutputHosting,
    OutputObs,
    ServiceConfig,
    ServiceConfigCommon,
    VcmClient,
)

from reelvet import AsyncModerator, Config, ModerationJob
from reelvet.http import Effect
from reelvet.schema.task import TaskRef

AK, SK, PROJECT = "AKEXAMPLE0000000", "sk/Example+Secret=00", "0bcc05efb100f2a92f53c011f262dfa0"
URL = "https://b.obs.cn-north-4.myhuaweicloud.com/clip%20one.mp4?a=b%2Fc&d=%7E"
TASK = "f18320e61e4c4dc685aa2dfc22a28dc5"
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@dataclass
class Sent:
    """One request, as it came in."""

    method: str
    path: str
    query: str
    body: object
    headers: dict


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        parts = urlsplit(self.path)
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.sent.append(
            Sent(self.command, parts.path, parts.query, json.loads(content) if content else None, headers)
        )
        v2 = [{"id": TASK}] if self.command == "POST" else {"id": TASK, "state": "RUNNING", "tasks": []}
        reply = v2 if "/v2/" in parts.path else {"job_id": "j", "status": "running"}
        written = json.dumps(reply).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(written)))
        self.end_headers()
        self.wfile.write(written)

    do_POST = do_DELETE = do_GET  # noqa: N815  (the base class calls them so)

    def log_message(self, *_):
        """Nothing."""


@pytest.fixture(scope="module")
def server():
    made = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    made.sent = []
    thread = threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


def record(server, call):
    """What a call sends."""
    server.sent.clear()
    call(f"http://127.0.0.1:{server.server_port}")
    return list(server.sent)


def theirs(server, client, call):
    def made(url):
        credentials = BasicCredentials(AK, SK, PROJECT)
        call(client.new_builder().with_credentials(credentials).with_endpoint(url).build())

    return record(server, made)


def ours(server, talk, **settings):
    async def run(url):
        table = {"ak": AK, "sk": SK, "region": "cn-north-4", "project_id": PROJECT, "base_url": url, **settings}
        config = Config.parse({"use": "huawei", "providers": {"huawei": table}})
        async with AsyncModerator(config) as moderator:
            provider = await moderator._instance("huawei").open()
            return await talk(moderator, provider)

    return record(server, lambda url: asyncio.run(run(url)))


_SIGNED = re.compile(r"SDK-HMAC-SHA256 Access=AKEXAMPLE0000000, SignedHeaders=[a-z;-]+, Signature=[0-9a-f]{64}")


def meaning(sent):
    """Everything of a conversation that carries meaning; whether signatures are right is tested elsewhere."""
    return [
        (
            one.method, one.path, one.query, one.body, one.headers["host"], one.headers["x-project-id"],
            one.headers["content-type"].lower() if one.body is not None else None,
            bool(_SIGNED.fullmatch(one.headers["authorization"])),
        )
        for one in sent
    ]  # fmt: skip


def job(options=(), **fields):
    told = {
        "media": URL,
        "key": "key-1",
        "detect": ["sexual"],
        "channels": ["visual"],
        "options": {"huawei": dict(options)},
    }
    return ModerationJob(**told | fields)


def common(**fields):
    return ServiceConfigCommon(
        **{"frame_interval": 5, "categories": "porn", "upload": "false", "use_ocr": "false", "use_sis": "false"}
        | fields
    )


V2 = {
    "least": (job(), {}, {}),
    "a key that does not fit": (job(key="a key"), {"name": hashlib.sha256(b"a key").hexdigest()[:32]}, {}),
    "object": (job(media="obs://bkt/dir/a b.mp4"), {"input": CreateVideoJobReqInput(type="obs", data=[InputData(bucket="bkt", path="dir/a b.mp4")])}, {}),
    "description": (job({"description": "text 密"}), {"description": "text 密"}, {}),
    "interval": (job(interval=7), {"common": common(frame_interval=7)}, {}),
    "categories": (job({"categories": ["politics", "terrorism"]}, detect=["politics.figure"]), {"common": common(categories="politics,terrorism")}, {}),
    "speech and text": (
        job(channels=["ocr", "speech"], detect=["harassment.abuse"], language="zh"),
        {"common": common(text_categories="abuse", use_ocr="true", use_sis="true")}, {},
    ),
    "text categories": (
        job({"text_categories": ["ad", "flood"]}, channels=["ocr"], detect=["spam"], language="zh"),
        {"common": common(text_categories="ad,flood", use_ocr="true")}, {},
    ),
    "bucket": (job(), {"output": Output(obs=OutputObs(bucket="bkt", path="out/"))}, {"obs_output": "obs://bkt/out/"}),
    "bucket and hosting": (
        job({"hosting": True}), {"output": Output(obs=OutputObs(bucket="bkt", path="out/"), hosting=OutputHosting())}, {"obs_output": "obs://bkt/out/"},
    ),
    "upload": (
        job(), {"output": Output(obs=OutputObs(bucket="bkt", path="out/")), "common": common(upload="true")}, {"obs_output": "obs://bkt/out/", "upload": True},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", V2)
def test_a_create_of_v2_is_theirs(server, name):
    asked, fields, settings = V2[name]
    told = {
        "name": "key-1", "input": CreateVideoJobReqInput(type="url", data=[InputData(url=URL)]), "output": Output(hosting=OutputHosting()), "service_version": "1.2",
        "service_config": ServiceConfig(common=fields.get("common", common())), **{k: v for k, v in fields.items() if k != "common"},
    }  # fmt: skip
    request = CreateVideoJobRequest(body=CreateVideoJobReq(**told))

    async def talk(moderator, provider):
        await provider.submit(moderator.plan(asked).tasks)

    our = meaning(ours(server, talk, api="v2", **settings))
    assert our == meaning(theirs(server, VcmClient, lambda client: client.create_video_job(request)))
    assert [(one[0], one[-1]) for one in our] == [("POST", True)]


V3 = {
    "least": (job(), {}, {}),
    "interval": (job(interval=7), {"data": VideoCreateRequestData(url=URL, frame_interval=7)}, {}),
    "language": (job(language="zh"), {"data": VideoCreateRequestData(url=URL, language="zh")}, {}),
    "all images": (job({"image_categories": ["porn", "politics", "terrorism", "image_text"]}), {"image_categories": ["porn", "politics", "terrorism", "image_text"]}, {}),
    "sound": (job({"audio_categories": ["porn", "moan"]}), {"audio_categories": ["porn", "moan"]}, {}),
    "event type": (job({"event_type": "live"}), {"event_type": "live"}, {}),
    "policy": (
        job(), {"biz_type": "strict", "event_type": None, "image_categories": None},
        {"biz_type": "strict", "biz_types": {"strict": {"covers": [{"labels": ["sexual"], "channels": ["visual"]}]}}},
    ),
    "callback": (job(callback={"url": "https://me.example/{key}"}), {"param_callback": "https://me.example/key-1"}, {}),
    "callback and seed": (job(callback={"url": "https://me.example/cb"}), {"param_callback": "https://me.example/cb", "seed": "seed_1"}, {"seed": "seed_1"}),
}  # fmt: skip


@pytest.mark.parametrize("name", V3)
def test_a_create_of_v3_is_theirs(server, name):
    asked, fields, settings = V3[name]
    told = {"data": VideoCreateRequestData(url=URL), "event_type": "default", "image_categories": ["porn"], **fields}
    request = RunCreateVideoModerationJobRequest(body=VideoCreateRequest(**told))

    async def talk(moderator, provider):
        await provider.submit(moderator.plan(asked).tasks)

    our = meaning(ours(server, talk, **settings))
    their = theirs(server, ModerationClient, lambda client: client.run_create_video_moderation_job(request))
    assert our == meaning(their)
    assert [(one[0], one[-1]) for one in our] == [("POST", True)]


def test_the_table_covers_every_field_that_the_clients_know():
    """Every field of the requests occurs; what is left out is named."""
    left_out = {
        "CreateVideoJobReqInput": set(), "Output": {"dis", "webhook", "localpath"}, "InputData": set(InputData.openapi_types) - {"bucket", "path", "url"},
        "OutputHosting": set(OutputHosting.openapi_types),  # filled in by the vendor
    }  # fmt: skip
    bodies = [VideoCreateRequest, VideoCreateRequestData, CreateVideoJobReq, ServiceConfigCommon, Output, OutputObs]
    used = {"service_config", "common"} | set(ServiceConfigCommon.openapi_types)
    for table in (V2, V3):
        for _, fields, _ in table.values():
            used |= set(fields)
    used |= {
        "data",
        "param_callback",
        "input",
        "output",
        "service_version",
        "name",
        "event_type",
        "image_categories",
        "url",
        "language",
        "frame_interval",
        "obs",
        "hosting",
        "bucket",
        "path",
    }
    for model in bodies:
        assert set(model.openapi_types) - left_out.get(model.__name__, set()) <= used, model.__name__


CALLS = {
    "query of v3": ("v3", lambda p: p.fetch(TaskRef(id="j")), lambda c: c.run_query_video_moderation_job(RunQueryVideoModerationJobRequest(job_id="j"))),
    "query of audio": ("v3", lambda p: p.fetch(TaskRef(id="j", category="audio")), lambda c: c.run_query_audio_moderation_job(RunQueryAudioModerationJobRequest(job_id="j"))),
    "query of v2": ("v2", lambda p: p.fetch(TaskRef(id=TASK)), lambda c: c.check_video_job(CheckVideoJobRequest(task_id=TASK))),
    "delete of v2": ("v2", lambda p: p.delete(TaskRef(id=TASK)), lambda c: c.delete_video_job(DeleteVideoJobRequest(task_id=TASK))),
    "list of v2": ("v2", lambda p: p._send("GET", f"/v2/{PROJECT}/services/video-moderation/tasks", "ListTasks", Effect.READ), lambda c: c.list_video_jobs(ListVideoJobsRequest())),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_the_other_calls_are_theirs(server, name):
    api, our, their = CALLS[name]
    client = VcmClient if api == "v2" else ModerationClient

    async def talk(_, provider):
        await our(provider)

    our = meaning(ours(server, talk, api=api))
    assert our == meaning(theirs(server, client, their))
    assert [one[-1] for one in our] == [True]
