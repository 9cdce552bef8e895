"""What is signed is what is sent: against the published vector, and on the raw bytes that arrive."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from reelvet.http import Effect, Request
from reelvet.schema.errors import AuthenticationFailed, ConfigurationError, NetworkDisabled
from reelvet.schema.task import TaskRef
from reelvet_huawei import auth
from reelvet_huawei.auth import KeySigner, TokenSigner

VECTOR = json.loads((Path(__file__).parents[1] / "samples" / "signing_kat.json").read_text(encoding="utf-8"))
PROJECT = "0bcc05efb100f2a92f53c011f262dfa0"
AK, SK = "AKEXAMPLE0000000", "sk/Example+Secret=00"
JOBS = f"/v3/{PROJECT}/moderation/video/jobs"
UNKNOWN = (400, {"error_code": "AIS.0030", "error_msg": "Job not found"})


def now():
    return datetime.now(UTC)


async def test_the_published_vector_is_met():
    from huaweicloudsdkcore.auth.credentials import BasicCredentials

    signer = KeySigner(lambda: BasicCredentials(VECTOR["ak"], VECTOR["sk"]), now)
    await signer.ready()
    request = Request.build(
        VECTOR["method"],
        VECTOR["url"],
        effect=Effect.READ,
        operation="Get",
        headers={"Content-Type": "application/json"},
    )
    moment = datetime.strptime(VECTOR["headers"]["x-sdk-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    signed = signer.sign(request, moment)
    assert signed.headers["Authorization"] == (
        f"SDK-HMAC-SHA256 Access={VECTOR['ak']}, SignedHeaders=content-type;host;x-sdk-date, Signature={VECTOR['signature']}"
    )
    assert (signed.url, signed.content) == (request.url, request.content)


TARGETS = [
    "/v3/p/jobs", "/v3/p/jobs/", "/", "", "/a~b-c_d.e", "/a%20b", "/%E5%8C%97%E4%BA%AC", "/a+b", "/a%2Bb", "/a:b@c", "/a=b&c", "/a%25b", "/a//b", "/a,b;c", "/a!$'()*",
    "/x?a=1", "/x?b=2&a=1", "/x?a=2&a=1", "/x?a=%20", "/x?a=a+b", "/x?a=%2B", "/x?a=%2F&b=/", "/x?a=%7E~", "/x?a=", "/x?a", "/x?a=b=c", "/x?a=%E5%8C%97&z", "/x?a=%26&b=%3D",
    "/x?name_like=k%25_1&created_since=1&limit=100", "/x?A=1&a=2&B=3", "/x?a-b=1&a.b=2&ab=3",
]  # fmt: skip


@pytest.mark.parametrize("target", TARGETS)
async def test_odd_paths_and_queries_hold_on_the_raw_bytes(fake, provider, target):
    opened = await provider()
    await opened._auth.ready()
    fake.on("GET", target.partition("?")[0] or "/", (200, {}))
    await opened._session.send(Request("GET", fake.url + target, effect=Effect.READ, operation="Odd"))
    (got,) = fake.received
    assert got.target == (target or "/")
    assert not fake.faults


@pytest.mark.parametrize(
    "body", [{"a": '密 \u00e9 / \\ "'}, {}, [], {"a": [1.5, None, True]}, {"url": "https://h.example/a?b=c&d=%7E"}]
)
async def test_bodies_hold_on_the_raw_bytes(fake, provider, body):
    opened = await provider()
    fake.on("POST", JOBS, (200, {"job_id": "j"}))
    await opened._send("POST", JOBS, "CreateTask", Effect.CREATE, body=body)
    (got,) = fake.received
    assert got.json == body
    assert got.header("Content-Type") == "application/json"
    assert "content-type" in got.header("Authorization")
    assert not fake.faults


async def test_the_check_of_the_tests_notices_whatever_is_changed(fake, provider):
    """The verifier is no rubber stamp."""
    opened = await provider()
    await opened._auth.ready()
    fake.on("POST", "/x", (200, {}))
    plain = Request.build(
        "POST",
        fake.url + "/x?a=1",
        effect=Effect.READ,
        operation="X",
        json_body={"a": 1},
        headers={"Content-Type": "application/json"},
    )
    good = opened._auth.sign(plain, now())

    async def refused(request):
        session = opened.context.session()
        async with session:
            with pytest.raises(AuthenticationFailed):
                await session.send(request)

    from dataclasses import replace

    await refused(replace(good, content=b'{"a":2}'))
    await refused(replace(good, url=fake.url + "/x?a=2"))
    await refused(replace(good, url=fake.url + "/y?a=1"))
    await refused(good.with_headers({"X-Sdk-Date": "20200101T000000Z"}))
    await refused(good.with_headers({"X-Project-Id": "other"}))
    assert len(fake.faults) == 5


async def test_only_what_nobody_changes_on_the_way_is_signed(fake, provider):
    """Proxies rewrite User-Agent and Accept-Encoding."""
    opened = await provider()
    fake.on("GET", f"{JOBS}/j", UNKNOWN)
    await opened.check()
    names = fake.received[0].header("Authorization").partition("SignedHeaders=")[2].partition(",")[0]
    assert names == "host;x-project-id;x-sdk-date"
    assert fake.received[0].header("X-Project-Id") == PROJECT


async def test_every_try_is_signed_anew(fake, provider, monkeypatch):
    opened = await provider()
    times = iter(datetime.now(UTC) + timedelta(seconds=second) for second in range(100))
    original = KeySigner.sign
    monkeypatch.setattr(KeySigner, "sign", lambda self, request, _: original(self, request, next(times)))
    busy = (400, {"error_code": "AIS.0003", "error_msg": "internal"})
    fake.on("GET", f"{JOBS}/j", busy, (200, {"job_id": "j", "status": "running"}))
    await opened.fetch(TaskRef(id="j"))
    dates = [got.header("X-Sdk-Date") for got in fake.received]
    assert len(set(dates)) == len(dates) == 2
    assert not fake.faults


async def test_a_temporary_key_pair_sends_its_token_signed(fake, provider):
    opened = await provider(security_token="session/token==")
    fake.on("GET", f"{JOBS}/{'0' * 32}", UNKNOWN)
    assert (await opened.check()).ok
    assert fake.received[0].header("X-Security-Token") == "session/token=="
    assert not fake.faults


@pytest.mark.parametrize("bad", ["a/b", "../x", "a%2Fb", "", "a b", "ü"])
async def test_an_id_that_would_be_signed_otherwise_than_it_is_sent_is_not_sent(fake, provider, bad):
    from reelvet.schema.errors import TaskNotFound

    with pytest.raises(TaskNotFound, match="no id of Huawei's"):
        await (await provider()).fetch(TaskRef(id=bad))
    assert not fake.received


# --- where the key pair comes from ---


async def test_the_vendor_s_profile_file(fake, provider, monkeypatch, tmp_path):
    path = tmp_path / "credentials"
    path.write_text(f"[basic]\nak = {AK}\nsk = {SK}\n", encoding="utf-8")
    monkeypatch.setenv("HUAWEICLOUD_SDK_CREDENTIALS_FILE", str(path))
    opened = await provider(credentials="profile", ak=None, sk=None)
    fake.on("GET", f"{JOBS}/{'0' * 32}", UNKNOWN)
    assert (await opened.check()).ok
    path.unlink()
    health = await (await provider(credentials="profile", ak=None, sk=None)).check()
    assert not health.ok
    assert "credentials file" in health.says


async def test_the_vendor_s_own_variables(fake, make, monkeypatch):
    monkeypatch.setenv("HUAWEICLOUD_SDK_AK", AK)
    monkeypatch.setenv("HUAWEICLOUD_SDK_SK", SK)
    monkeypatch.setenv("HUAWEICLOUD_SDK_SECURITY_TOKEN", "tok-from-env")
    monkeypatch.setenv("HUAWEICLOUD_SDK_PROJECT_ID", PROJECT)
    async with make(ak=None, sk=None, project_id=None) as moderator:
        fake.on("GET", f"{JOBS}/{'0' * 32}", UNKNOWN)
        assert (await moderator.check()).ok
    assert fake.received[0].header("X-Security-Token") == "tok-from-env"


@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")
async def test_a_machine_s_own_keys_are_fetched_once_and_off_the_loop(fake, provider, metadata):
    opened = await provider(credentials="metadata", ak=None, sk=None)
    fake.on("GET", f"{JOBS}/{'0' * 32}", UNKNOWN)
    healths = await asyncio.gather(*(opened.check() for _ in range(20)))
    assert all(health.ok for health in healths)
    assert len(metadata) == 1
    assert metadata[0] is not threading.main_thread()
    assert {got.header("X-Security-Token") for got in fake.received} == {"token-1"}


@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")
async def test_a_machine_s_keys_are_renewed_before_they_end(metadata):
    clock = [datetime.now(UTC)]
    settings = type("S", (), {"credentials": "metadata", "ak": None, "sk": None, "security_token": None})()
    signer = KeySigner(auth.source(settings), lambda: clock[0])
    await signer.ready()
    await signer.ready()
    assert len(metadata) == 1
    clock[0] += timedelta(minutes=2)
    signer._sdk._expire_at = time.mktime(time.gmtime()) + 60 * 39  # less than the 40 minutes that the SDK keeps
    await asyncio.gather(*(signer.ready() for _ in range(10)))
    assert len(metadata) == 2
    assert signer.pair.security_token == "token-2"


async def test_the_kill_switch_holds_for_the_metadata_service_too(provider):
    opened = await provider(credentials="metadata", ak=None, sk=None)
    with pytest.raises(NetworkDisabled):
        await opened.fetch(TaskRef(id="j"))


# --- the project ---


async def test_the_project_is_looked_up_by_region_once(fake, provider):
    opened = await provider(project_id=None)
    fake.on("GET", "/v3/projects", (200, {"projects": [{"id": PROJECT, "name": "cn-north-4"}], "links": {}}))
    fake.on("GET", f"{JOBS}/{'0' * 32}", UNKNOWN)
    healths = await asyncio.gather(*(opened.check() for _ in range(10)))
    assert all(health.ok for health in healths)
    (lookup,) = fake.of("GET", "/v3/projects")
    assert lookup.query == "name=cn-north-4"
    assert lookup.header("X-Project-Id") is None
    assert {got.header("X-Project-Id") for got in fake.of("GET", f"{JOBS}/{'0' * 32}")} == {PROJECT}
    assert not fake.faults


@pytest.mark.parametrize(
    ("projects", "says"),
    [([], "has 0 projects in region 'cn-north-4'"), ([{"id": "a"}, {"id": "b"}], "has 2 projects")],
)
async def test_no_project_or_several_are_for_the_owner_to_settle(fake, make, job, projects, says):
    fake.on("GET", "/v3/projects", (200, {"projects": projects}))
    async with make(project_id=None) as moderator:
        with pytest.raises(ConfigurationError, match=says) as caught:
            await moderator.submit(job())
    assert "project_id" in str(caught.value)
    assert not fake.of("POST")


# --- tokens ---


async def test_a_token_is_asked_for_once_and_names_the_project(fake, provider, user, token):
    opened = await provider(**user, project_id=None)
    fake.on("POST", "/v3/auth/tokens", token("TOKEN-1"))
    fake.on("GET", f"{JOBS}/{'0' * 32}", UNKNOWN)
    assert all(health.ok for health in await asyncio.gather(*(opened.check() for _ in range(10))))
    (asked,) = fake.of("POST", "/v3/auth/tokens")
    assert asked.json == {
        "auth": {
            "identity": {"methods": ["password"], "password": {"user": {"name": "me", "password": "pass word/1", "domain": {"name": "acct"}}}},
            "scope": {"project": {"name": "cn-north-4"}},
        }
    }  # fmt: skip
    assert asked.header("X-Auth-Token") is None
    assert {got.header("X-Auth-Token") for got in fake.of("GET")} == {"TOKEN-1"}
    assert {got.header("Authorization") for got in fake.of("GET")} == {None}


async def test_a_token_is_renewed_before_it_ends(fake, provider, user, token):
    opened = await provider(**user)
    fake.on("POST", "/v3/auth/tokens", token("TOKEN-1"), token("TOKEN-2"))
    fake.on("GET", f"{JOBS}/{'0' * 32}", UNKNOWN)
    await opened.check()
    opened._auth._clock = lambda: datetime.now(UTC) + timedelta(hours=23.1)
    await opened.check()
    assert [got.header("X-Auth-Token") for got in fake.of("GET")] == ["TOKEN-1", "TOKEN-2"]


@pytest.mark.parametrize("code", ["APIGW.0307", "APIG.0307", "APIG.0301", "APIGW.0301", "AIS.0002", "IVA.0001"])
async def test_a_token_that_is_refused_is_fetched_anew_once(fake, provider, code, user, token):
    opened = await provider(**user)
    over = (401, {"error_code": code, "error_msg": "The token must be updated"})
    fake.on("POST", "/v3/auth/tokens", token("TOKEN-1"), token("TOKEN-2"))
    fake.on("POST", JOBS, over, (200, {"job_id": "j-1", "request_id": "r"}))
    reply = await opened._send("POST", JOBS, "CreateTask", Effect.CREATE, body={})
    assert reply.json()["job_id"] == "j-1"
    assert [got.header("X-Auth-Token") for got in fake.of("POST", JOBS)] == ["TOKEN-1", "TOKEN-2"]
    fake.on("POST", JOBS, over)
    with pytest.raises(AuthenticationFailed):
        await opened._send("POST", JOBS, "CreateTask", Effect.CREATE, body={})
    assert len(fake.of("POST", JOBS)) == 4


async def test_iam_s_own_refusal_is_told_without_the_password(fake, provider, user):
    opened = await provider(**user)
    fake.on(
        "POST",
        "/v3/auth/tokens",
        (
            401,
            {
                "error": {
                    "code": 401,
                    "title": "Unauthorized",
                    "message": "The username or password is wrong: pass word/1",
                }
            },
        ),
    )
    with pytest.raises(AuthenticationFailed, match="wrong") as caught:
        await opened.fetch(TaskRef(id="j"))
    assert "pass word" not in f"{caught.value} {caught.value.body} {caught.value.as_dict()}"


# --- nothing leaks, nothing heavy ---


def test_secrets_are_in_no_repr():
    shown = repr(
        [
            auth.KeyPair("a-key", "s-key", "t"),
            auth.Token("t-text", "p", now()),
            KeySigner(lambda: None, now),
            TokenSigner(None, now),
        ]
    )
    assert not any(secret in shown for secret in ("a-key", "s-key", "t-text"))


def test_the_sdk_is_imported_when_an_instance_is_opened_and_not_before():
    code = (
        "import reelvet_huawei.provider, sys\n"
        "from reelvet import AsyncModerator, Config, ModerationJob\n"
        "m = AsyncModerator(Config.parse({'use': 'huawei'}), credentials=False)\n"
        "m.plan(ModerationJob(media='https://h.example/a.mp4'))\n"
        "m.normalize({'job_id': 'j', 'status': 'running'})\n"
        "print([n for n in sys.modules if n.startswith(('huaweicloudsdkcore', 'obs', 'requests'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_the_host_that_is_signed_is_the_one_that_is_asked():
    assert urlsplit("https://h.example:8443/x").netloc == Request("GET", "https://h.example:8443/x").host
