"""Whole conversations with Huawei Cloud, recorded and replayed: one for each operation of both APIs, and of IAM.

`pytest --record-cassettes providers/huawei/tests/cassettes` records them anew against the emulator; with `-m live` against
the service itself, for the account of HUAWEICLOUD_SDK_AK, _SK and _PROJECT_ID in `cn-north-4`, with the clip at
HUAWEICLOUD_CASSETTE_MEDIA (an object in OBS that anybody may read). Each moderation is billed; v2 needs an account that has it.

Signatures and their dates change with every request, and are compared no more than any other header is: method, host,
path, query and body are.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from vcr.request import Request

from reelvet import AsyncModerator, Config, ModerationJob, Ticket
from reelvet.http import Effect, network_disabled
from reelvet.plugins import TimeWindow
from reelvet.schema import errors as e
from reelvet.schema.task import TaskRef
from reelvet.testing.cassettes import Cassettes
from reelvet_huawei import making
from reelvet_huawei.sandbox import (
    DOMAIN,
    PASSWORD,
    PROJECT_ID,
    REGION,
    SECURITY_TOKEN,
    SK,
    TEMPORARY_SK,
    USER,
    HuaweiSandbox,
)

FOLDER = Path(__file__).parents[4] / "cassettes" / "huawei"
EMULATOR = (
    "reelvet's own emulator of Huawei Cloud (reelvet sandbox), written from public documentation; not the live service"
)
HOSTS = {name: f"{name}.{REGION}.myhuaweicloud.com" for name in ("iam", "iva", "moderation")}
LIVE = "https://moderation.cn-north-4.myhuaweicloud.com, https://iva.cn-north-4.myhuaweicloud.com"
VIDEO = "https://reelvet-cassettes.obs.cn-north-4.myhuaweicloud.com/clip.mp4"
"""The place of the clip in all cassettes, wherever it really was."""
SEED = "cassette_seed_1"
WINDOW = TimeWindow(datetime(2026, 1, 1, tzinfo=UTC))


def official(path):
    """The vendor's host for a path."""
    iam = path.startswith(("/v3/auth/", "/v3/projects"))
    return f"https://{HOSTS['iam' if iam else 'iva' if path.startswith('/v2/') else 'moderation']}"


def only_ours(body):
    """A reply without what the account holds besides, and without the end of a token, which would have passed."""
    if not isinstance(body, dict):
        return body
    if isinstance(body.get("tasks"), list):
        items = [item for item in body["tasks"] if "cassette-" in json.dumps(item)]
        return {**body, "count": len(items), "tasks": items}
    if isinstance(body.get("projects"), list):
        return {"projects": [{name: item.get(name) for name in ("id", "name")} for item in body["projects"]]}
    if isinstance(body.get("token"), dict):
        return {"token": {"project": {"id": PROJECT_ID, "name": REGION}}}
    return body


SECRETS = (SK, TEMPORARY_SK, SECURITY_TOKEN, PASSWORD, SEED)
CASSETTES = Cassettes(FOLDER, official=official, scrub=SECRETS, keep=only_ours)


def job(name, **fields):
    asked = {"media": VIDEO, "key": f"cassette-{name}", "detect": ["sexual"], "language": "zh"}
    return ModerationJob(**asked | fields)


# --- v3 ---


async def v3_moderation(moderator, _):
    result = await moderator.moderate(job("v3_moderation", channels=["visual"], interval=5))
    return [result.status, result.verdict, sorted({finding.label for finding in result.findings})]


async def v3_everything(moderator, _):
    result = await moderator.moderate(job("v3_everything", detect=None))
    return [result.status, sorted({row.channel for row in result.coverage})]


async def v3_callback(moderator, _):
    callback = {"url": "https://me.example/huawei?key={key}"}
    ticket = await moderator.submit(job("v3_callback", channels=["visual"], callback=callback))
    return (await moderator.wait(ticket)).status


async def v3_policy(moderator, _):
    result = await moderator.moderate(
        job("v3_policy", channels=["visual"], options={"huawei": {"biz_type": "cassettes"}})
    )
    return [result.status, sorted({row.label for row in result.coverage if row.state != "not_evaluated"})]


async def v3_audio(moderator, provider):
    """Made by another program, as this one submits no audio alone."""
    path = making.V3_AUDIO_JOBS.replace("{project_id}", PROJECT_ID)
    body = {"data": {"url": VIDEO}, "event_type": "default", "categories": ["porn"]}
    made = (await provider._send("POST", path, "CreateTask", Effect.CREATE, body=body)).json()
    return (await moderator.wait(Ticket.adopt("huawei", made["job_id"], category="audio"))).status


async def v3_unknown(_, provider):
    with pytest.raises(e.TaskNotFound) as caught:
        await provider.fetch(TaskRef(id="0" * 32))
    return caught.value.code


async def v3_check(moderator, _):
    return (await moderator.check()).ok


# --- v2 ---


async def v2_moderation(moderator, _):
    asked = job(
        "v2_moderation", channels=["visual", "ocr", "speech"], options={"huawei": {"description": "a cassette"}}
    )
    result = await moderator.moderate(asked)
    return [result.status, result.verdict, sorted({finding.label for finding in result.findings})]


async def v2_cancel(moderator, _):
    ticket = await moderator.submit(job("v2_cancel", channels=["visual"]))
    return (await moderator.cancel(ticket)).status


async def v2_delete(moderator, provider):
    ticket = await moderator.submit(job("v2_delete", channels=["visual"]))
    status = (await moderator.wait(ticket)).status
    await provider.delete(ticket.tasks[0].ref)
    return status


async def v2_find(moderator, _):
    ticket = await moderator.submit(job("v2_find", channels=["visual"]))
    found = await moderator.find("cassette-v2_find", since=WINDOW.since)
    return ticket.tasks[0].ref.id in {one.tasks[0].ref.id for one in found}


async def v2_sweep(moderator, provider):
    await moderator.submit(job("v2_sweep", channels=["visual"]))
    first = None
    async for raw in provider.sweep(WINDOW):
        first = raw
        break
    return bool(first and first.ref.id)


async def v2_unknown(_, provider):
    with pytest.raises(e.TaskNotFound) as caught:
        await provider.fetch(TaskRef(id="0" * 32))
    return caught.value.code


async def v2_check(moderator, _):
    return (await moderator.check()).ok


# --- who is calling ---


async def iam_project(_, provider):
    return await provider._project_id()


async def iam_token(moderator, provider):
    result = await moderator.moderate(job("iam_token", channels=["visual"]))
    return [result.status, provider._auth.project_id]


CONVERSATIONS = {
    talk.__name__: talk
    for talk in (
        v3_moderation, v3_everything, v3_callback, v3_policy, v3_audio, v3_unknown, v3_check, v2_moderation, v2_cancel, v2_delete, v2_find,
        v2_sweep, v2_unknown, v2_check, iam_project, iam_token,
    )
}  # fmt: skip
ONLY_EMULATED = {"iam_token", "v3_policy"}
"""What needs more of an account than its key pair: the password of a user, a policy made in the console."""


@pytest.fixture
def only_loopback(request):
    """A replay asks the vendor's hosts and never gets there: vcrpy answers."""
    if request.node.get_closest_marker("live"):
        yield
        return
    with network_disabled(allow=("127.0.0.1", *HOSTS.values())):
        yield


async def converse(name, settings):
    """Has a conversation, and gives what came of it."""
    table = {"seed": SEED, "region": REGION, "api": "v2" if name.startswith("v2") else "v3"} | settings
    if name == "iam_project":
        del table["project_id"]
    if name == "iam_token":
        table |= {"credentials": "token", "domain": DOMAIN, "user": USER, "password": PASSWORD}
        table = {field: value for field, value in table.items() if field not in {"ak", "sk", "project_id"}}
    if name == "v3_policy":
        table["biz_types"] = {"cassettes": {"covers": [{"labels": ["sexual"], "channels": ["visual"]}]}}
    polling = {"first": 0.01, "most": 0.05} if "base_url" in settings or settings["sk"] == "replayed" else {}
    async with AsyncModerator(
        Config.parse({"use": "huawei", "providers": {"huawei": table}, "polling": polling})
    ) as moderator:
        return await CONVERSATIONS[name](moderator, await moderator._instance("huawei").open())


@pytest.mark.parametrize("name", CONVERSATIONS)
async def test_each_conversation_is_replayed_to_its_end(name, record_cassettes, reelvet_sandbox):
    if record_cassettes:
        reelvet_sandbox.scenario(VIDEO, "block-nudity")
        if name == "v2_cancel":
            reelvet_sandbox.clock.pause()
        with CASSETTES.record(name, against=EMULATOR):
            told = await converse(name, reelvet_sandbox.settings("huawei"))
        (FOLDER / f"{name}.expected.json").write_text(json.dumps(told) + "\n", encoding="utf-8")
    with CASSETTES.replay(name) as cassette:
        told = await converse(name, {"ak": "REPLAYED", "sk": "replayed", "project_id": PROJECT_ID})
        assert cassette.all_played, f"{cassette.play_count} of {len(cassette)} requests were made"
    assert json.loads(json.dumps(told)) == json.loads((FOLDER / f"{name}.expected.json").read_text(encoding="utf-8"))
    assert not reelvet_sandbox.requests("huawei") or record_cassettes


@pytest.mark.live
@pytest.mark.parametrize("name", [name for name in CONVERSATIONS if name not in ONLY_EMULATED])
async def test_each_conversation_is_recorded_against_the_service_itself(name, record_cassettes):
    ak, sk, project, media = (
        os.environ.get(variable)
        for variable in (
            "HUAWEICLOUD_SDK_AK",
            "HUAWEICLOUD_SDK_SK",
            "HUAWEICLOUD_SDK_PROJECT_ID",
            "HUAWEICLOUD_CASSETTE_MEDIA",
        )
    )
    if not (ak and sk and project and media and record_cassettes):
        pytest.fail(
            "set HUAWEICLOUD_SDK_AK, _SK, _PROJECT_ID and HUAWEICLOUD_CASSETTE_MEDIA and say --record-cassettes: this talks to Huawei Cloud and is billed"
        )
    token = os.environ.get("HUAWEICLOUD_SDK_SECURITY_TOKEN") or ""
    scrub = dict.fromkeys((ak, sk, token, SEED), "***") | {project: PROJECT_ID, media: VIDEO}
    with Cassettes(FOLDER, official=official, scrub=scrub, keep=only_ours).record(name, against=LIVE) as cassette:
        told = await converse(name, {"ak": ak, "sk": sk, "project_id": project})
        assert len(cassette)
    told = json.loads(json.dumps(told).replace(project, PROJECT_ID))
    (FOLDER / f"{name}.expected.json").write_text(json.dumps(told) + "\n", encoding="utf-8")
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    assert not [secret for secret in (ak, sk, token, project, media) if secret and secret in text]


@pytest.mark.parametrize(
    ("change", "told"),
    [({"body": b"{}"}, "body"), ({"uri": f"https://{HOSTS['moderation']}/v3/{PROJECT_ID}/moderation/video/job"}, "path"),
     ({"uri": f"https://{HOSTS['moderation']}/v3/{PROJECT_ID}/moderation/video/jobs?a=1"}, "query"), ({"method": "PUT"}, "method"), ({}, None)],
)  # fmt: skip
def test_a_replay_tells_requests_apart_by_all_but_their_signature(change, told):
    with CASSETTES.replay("v3_moderation") as cassette:
        made = cassette.requests[0]
        parts = {"method": made.method, "uri": made.uri, "body": made.body} | change
        other = Request(
            parts["method"], parts["uri"], parts["body"], {"Authorization": "another", "X-Sdk-Date": "20990101T000000Z"}
        )
        assert cassette.can_play_response_for(other) is (told is None)


def test_what_an_account_holds_besides_is_not_recorded():
    ours, theirs = {"name": "cassette-v2_find"}, {"name": "private"}
    assert only_ours({"count": 9, "tasks": [theirs, ours, None]}) == {"count": 1, "tasks": [ours]}
    assert only_ours({"projects": [{"id": "p", "name": "n", "description": "private"}]}) == {
        "projects": [{"id": "p", "name": "n"}]
    }
    assert only_ours({"token": {"user": {"name": "private"}, "expires_at": "2026"}})["token"] == {
        "project": {"id": PROJECT_ID, "name": REGION}
    }
    assert only_ours([{"id": "t"}]) == [{"id": "t"}]


def test_there_is_a_cassette_for_each_conversation_and_no_other():
    assert CASSETTES.names == sorted(CONVERSATIONS)
    assert {CASSETTES.against(name) for name in CASSETTES.names} <= {EMULATOR, LIVE}


def test_the_cassettes_hold_each_operation_of_the_emulator():
    talks = [
        talk
        for name in CASSETTES.names
        for talk in yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))["interactions"]
    ]
    asked = [(talk["request"]["method"], urlsplit(talk["request"]["uri"]).path) for talk in talks]
    for route in HuaweiSandbox.routes:
        assert any(method == route.method and route.match(place) is not None for method, place in asked), (
            route.operation
        )


def test_no_cassette_holds_a_key():
    files = list(FOLDER.iterdir())
    assert len(files) == 2 * len(CONVERSATIONS)
    for file in files:
        text = file.read_text(encoding="utf-8")
        assert not [secret for secret in SECRETS if secret in text], file
        for word in ("authorization", "x-sdk-date", "sdk-hmac-sha256", "x-auth-token", "127.0.0.1", "mii", "access="):
            assert word not in text.lower(), (file, word)
