"""A v2 result that lies in a bucket of the caller's."""

from __future__ import annotations

import json
import sys
import types
from importlib.machinery import ModuleSpec

import pytest

from reelvet.schema.errors import ProviderError
from reelvet.schema.task import TaskRef
from reelvet.schema.ticket import Ticket

TASKS = "/v2/0bcc05efb100f2a92f53c011f262dfa0/services/video-moderation/tasks"
TASK = "f18320e61e4c4dc685aa2dfc22a28dc5"


@pytest.fixture
def obs_client(monkeypatch, sample):
    """The vendor's OBS client, as far as it is used. Against the real one: the folder `oracle`."""
    calls = []

    class Answer:
        def __init__(self, status, **body):
            self.status, self.body = status, types.SimpleNamespace(**body)

    class ObsClient:
        keys = (f"output/{TASK}/result.json", "output/other/result.json", f"output/{TASK}/92_ad.jpg")
        status = 200
        is_secure = False

        def __init__(self, **how):
            calls.append(("open", how))

        def listObjects(self, bucket, prefix, marker, max_keys):  # noqa: N802  (the client's own name)
            calls.append(("list", bucket, prefix, marker))
            if self.status == 0:
                raise ConnectionResetError("reset")
            half = len(self.keys) // 2
            keys = self.keys[half:] if marker else self.keys[:half]
            contents = [types.SimpleNamespace(key=key) for key in keys]
            return Answer(self.status, contents=contents, is_truncated=not marker, next_marker="half")

        def getObject(self, bucket, key, loadStreamInMemory):  # noqa: N802, N803  (as above)
            calls.append(("get", bucket, key))
            return Answer(200, buffer=json.dumps(sample("v2_result_json_hits")).encode())

        def close(self):
            calls.append(("close",))

    module = types.ModuleType("obs")
    module.ObsClient = ObsClient
    module.__spec__ = ModuleSpec("obs", None)
    monkeypatch.setitem(sys.modules, "obs", module)
    return ObsClient, calls


async def test_a_result_in_a_bucket_is_read_with_the_vendor_s_client(fake, make, sample, obs_client):
    _, calls = obs_client
    fake.on("GET", f"{TASKS}/{TASK}", (200, sample("v2_query_running") | {"state": "SUCCEEDED"}))
    async with make(api="v2", obs_url=fake.url, security_token="st-1") as moderator:
        result = await moderator.wait(Ticket.adopt("huawei", TASK))
    assert [f.label for f in result.findings] == ["spam.advertising"] * 2
    assert result.tasks[0].attachments["result.json"] == sample("v2_result_json_hits")
    assert [call[0] for call in calls] == ["open", "list", "list", "get", "close"]
    assert calls[0][1]["security_token"] == "st-1"
    assert calls[1][1:] == ("obs-iva", "output/", None)


@pytest.mark.parametrize(
    ("keys", "status", "code"),
    [([], 200, "NoSuchKey"), (["output/other/result.json"], 200, "NoSuchKey"), ([f"output/{TASK}/a.json", f"output/{TASK}/b.json"], 200, "Ambiguous"),
     ([], 403, "AccessDenied"), ([], 404, "NoSuchKey")],
)  # fmt: skip
async def test_a_bucket_without_certainly_that_result_says_where_it_lies(
    fake, make, sample, obs_client, keys, status, code
):
    client, _ = obs_client
    client.keys, client.status = keys, status
    fake.on("GET", f"{TASKS}/{TASK}", (200, sample("v2_query_running") | {"state": "SUCCEEDED"}))
    async with make(api="v2", obs_url=fake.url, obs_wait=0) as moderator:
        result = await moderator.wait(Ticket.adopt("huawei", TASK))
    assert (result.status, result.verdict, result.tasks[0].error.code) == ("succeeded", "error", code)
    assert "result_elsewhere" in {note.code for note in result.warnings}


@pytest.mark.parametrize("status", [0, 503])
async def test_a_bucket_that_cannot_be_reached_now_is_asked_again(fake, provider, sample, obs_client, status):
    client, calls = obs_client
    client.status = status
    fake.on("GET", f"{TASKS}/{TASK}", (200, sample("v2_query_running") | {"state": "SUCCEEDED"}))
    with pytest.raises(ProviderError) as caught:
        await (await provider(api="v2", obs_url=fake.url)).fetch(TaskRef(id=TASK))
    assert caught.value.retryable
    assert calls[-1] == ("close",)


async def test_without_the_extra_it_says_where_the_result_lies(fake, make, sample, monkeypatch):
    from reelvet_huawei import bucket

    monkeypatch.setattr(bucket, "is_installed", lambda: False)
    fake.on("GET", f"{TASKS}/{TASK}", (200, sample("v2_query_running") | {"state": "SUCCEEDED"}))
    async with make(api="v2") as moderator:
        result = await moderator.wait(Ticket.adopt("huawei", TASK))
    assert "obs://obs-iva/output/" in next(n.says for n in result.warnings if n.code == "result_elsewhere")
