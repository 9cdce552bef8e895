"""What reelvet sends is what Gcore's own client sends for the same call, compared on one server that records both."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import pytest
from gcore import Gcore

from reelvet import AsyncModerator, Config, ModerationJob
from reelvet.plugins import TimeWindow
from reelvet.schema.task import TaskRef

TOKEN = "1234$abcdef"
URL = "https://cdn.example.com/clip%20one.mp4?a=b%2Fc&d=%7E"
ENTITY = '{"reelvet":1,"key":"key-1","metadata":{}}'
REPLIES = {
    ("POST", "/streaming/ai/tasks"): (201, {"task_id": "t-1"}),
    ("GET", "/streaming/ai/tasks"): (200, {"count": 0, "next": None, "previous": None, "results": []}),
    ("GET", "/streaming/ai/tasks/t-1"): (200, {"task_id": "t-1", "status": "SUCCESS", "progress": 100, "task_data": {}, "processing_time": {}, "result": None}),
    ("POST", "/streaming/ai/tasks/t-1/cancel"): (202, {"result": "Task has been cancelled successfully."}),
    ("GET", "/streaming/ai/info"): (200, {"supported": True}),
    ("GET", "/streaming/videos/70575"): (200, {"id": 70575, "status": "ready", "converted_videos": [{"height": 480, "status": "complete", "mp4_url": "https://v.example/480.mp4"}]}),
}  # fmt: skip


@dataclass
class Sent:
    """One request, as it came in."""

    method: str
    path: str
    query: list = field(default_factory=list)
    body: object = None
    headers: dict = field(default_factory=dict)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        content = self.rfile.read(length)
        headers = {name: self.headers[name] for name in ("Authorization", "Content-Type") if self.headers[name]}
        query = sorted(parse_qsl(parts.query, keep_blank_values=True))
        self.server.sent.append(
            Sent(self.command, parts.path, query, json.loads(content) if content else None, headers)
        )
        status, reply = REPLIES[self.command, parts.path]
        written = json.dumps(reply).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(written)))
        self.end_headers()
        self.wfile.write(written)

    do_POST = do_GET  # noqa: N815  (the base class calls it so)

    def log_message(self, *_):
        """Nothing."""


@pytest.fixture(scope="module")
def server():
    made = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    made.sent = []
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


@pytest.fixture
def recorded(server):
    """What a call sends."""

    def record(call):
        server.sent.clear()
        call()
        return list(server.sent)

    server.url = f"http://127.0.0.1:{server.server_port}"
    record.url = server.url
    return record


@pytest.fixture
def theirs(recorded):
    with Gcore(api_key=TOKEN, base_url=recorded.url, max_retries=0) as client:
        yield client.streaming


def ours(url, talk):
    async def run():
        config = Config.parse({"use": "gcore", "providers": {"gcore": {"api_key": TOKEN, "base_url": url}}})
        async with AsyncModerator(config) as moderator:
            provider = await moderator._instance("gcore").open()
            return await talk(moderator, provider)

    return asyncio.run(run())


def moderation(category, **more):
    return {"task_name": "content-moderation", "url": URL, "category": category, "client_entity_data": ENTITY, **more}


def transcription(**more):
    return {"task_name": "transcription", "url": URL, "client_entity_data": ENTITY, **more}


JOBS = {
    "nsfw": ({"detect": ["sexual.explicit.pornography"]}, [moderation("nsfw")]),
    "hard nudity": ({"detect": ["sexual.explicit.nudity_anus"]}, [moderation("hard_nudity")]),
    "hard nudity with a stop": (
        {"detect": ["sexual.explicit.nudity*"], "stop_on": {"sexual.explicit.nudity_anus": 0.8, "sexual.explicit.nudity_buttocks": 0.5}},
        [moderation("hard_nudity", stop_objects="ANUS_EXPOSED:0.8,BUTTOCKS_EXPOSED:0.5")],
    ),
    "soft nudity with a stop": (
        {"detect": ["context.person.face_male"], "stop_on": {"context.person.face_male": 0.95}},
        [moderation("soft_nudity", stop_objects="FACE_MALE:0.95")],
    ),
    "sport": ({"detect": ["context.sport"]}, [moderation("sport")]),
    "everything it sees that harms": ({}, [moderation("nsfw"), moderation("hard_nudity")]),
    "user and metadata": (
        {"detect": ["context.sport"], "user": "üser-7", "metadata": {"post": [1, "ä"]}},
        [moderation("sport", client_user_id="üser-7", client_entity_data='{"reelvet":1,"key":"key-1","metadata":{"post":[1,"ä"]}}')],
    ),
    "transcription": ({"detect": [], "transcript": {}}, [transcription()]),
    "transcription of a language": ({"detect": [], "transcript": {"languages": ["de"]}}, [transcription(audio_language="ger")]),
    "translation": (
        {"detect": [], "transcript": {"languages": ["de"], "translate_to": "fr"}},
        [transcription(audio_language="ger", subtitles_language="fre")],
    ),
    "both": ({"detect": ["context.sport"], "transcript": {"translate_to": "en"}}, [moderation("sport"), transcription(subtitles_language="eng")]),
}  # fmt: skip
"""Name -> the job, and the calls of Gcore's client that ask the same. Together they send every field there is."""


@pytest.mark.parametrize("name", JOBS)
def test_a_job_is_sent_as_their_client_sends_it(recorded, theirs, name):
    fields, calls = JOBS[name]
    job = ModerationJob(media=URL, key="key-1", **fields)
    sent = recorded(lambda: ours(recorded.url, lambda moderator, _: moderator.submit(job)))
    wanted = recorded(lambda: [theirs.ai_tasks.create(**call) for call in calls])
    assert wanted
    posts = [request for request in sent if request.method == "POST"]
    assert sorted(posts, key=repr) == sorted(wanted, key=repr)


def test_the_table_sends_every_field_of_their_client():
    from gcore.types.streaming import ai_task_create_params as params

    theirs = set()
    for name in params.__all__[1:]:
        theirs |= getattr(params, name).__annotations__.keys()
    assert {name for _, calls in JOBS.values() for call in calls for name in call} == theirs


@pytest.mark.parametrize(
    "filters",
    [{}, {"page": 2, "limit": 50}, {"search": "a b/c&d", "task_name": "content-moderation", "status": "SUCCESS"},
     {"task_id": "t-1", "ordering": "started_at", "date_created": "2026-11-25T10:00:00+01:00"}],
)  # fmt: skip
def test_the_list_is_asked_for_as_their_client_does(recorded, theirs, filters):
    sent = recorded(lambda: ours(recorded.url, lambda _, provider: provider.list_page(**filters)))
    assert sent == recorded(lambda: theirs.ai_tasks.list(**filters))


def test_every_filter_of_their_client_is_ours():
    import inspect

    from gcore.types.streaming.ai_task_list_params import AITaskListParams

    from reelvet_gcore.provider import GcoreProvider

    assert set(inspect.signature(GcoreProvider.list_page).parameters) - {"self"} == set(
        AITaskListParams.__annotations__
    )


def test_find_is_the_list_with_a_search(recorded, theirs):
    window = TimeWindow(datetime(2026, 1, 1, tzinfo=UTC))
    sent = recorded(lambda: ours(recorded.url, lambda _, provider: provider.find("key-1", window)))
    assert sent == recorded(lambda: theirs.ai_tasks.list(search="key-1", page=1, limit=10))


def test_get_cancel_and_the_languages_are_asked_for_as_their_client_does(recorded, theirs):
    ref = TaskRef(id="t-1")
    assert recorded(lambda: ours(recorded.url, lambda _, p: p.fetch(ref))) == recorded(
        lambda: theirs.ai_tasks.get("t-1")
    )
    cancelled = recorded(lambda: ours(recorded.url, lambda _, p: p.cancel(ref)))
    wanted = recorded(lambda: theirs.ai_tasks.cancel("t-1"))
    assert (cancelled[0].method, cancelled[0].path, cancelled[0].body) == (
        wanted[0].method,
        wanted[0].path,
        wanted[0].body,
    )
    assert cancelled[0].headers["Authorization"] == wanted[0].headers["Authorization"]
    asked = recorded(lambda: ours(recorded.url, lambda _, p: p.language_support("eng", "fre")))
    assert asked == recorded(
        lambda: theirs.ai_tasks.get_ai_settings(type="language_support", audio_language="eng", subtitles_language="fre")
    )


def test_a_video_of_gcores_own_is_looked_up_as_their_client_does(recorded, theirs):
    job = ModerationJob(media="gcore:70575", key="key-1", detect=["context.sport"])
    sent = recorded(lambda: ours(recorded.url, lambda moderator, _: moderator.submit(job)))
    assert sent[:1] == recorded(lambda: theirs.videos.get(70575))
    assert sent[1].body["url"] == "https://v.example/480.mp4"
