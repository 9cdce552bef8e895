"""The signature, against published answers and an independent derivation on raw bytes; and where keys come from."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
import subprocess
import sys
import threading
from datetime import UTC, datetime
from importlib.metadata import distributions, requires
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tencentcloud.common import credential as sdk
from tencentcloud.common.sign import Sign

from reelvet.http import Effect, Request, network_disabled
from reelvet.schema.errors import AuthenticationFailed, NetworkDisabled
from reelvet_tencent import credentials as room
from reelvet_tencent.auth import Keys, Tc3, canonical
from reelvet_tencent.credentials import Credentials
from reelvet_tencent.settings import TencentSettings

VECTORS = json.loads(
    (Path(__file__).parents[1] / "samples" / "tc3_known_answer_vectors.json").read_text(encoding="utf-8")
)
AT = datetime.fromtimestamp(VECTORS["timestamp"], UTC)
ACCOUNT = {"secret_id": "AKIDcanary", "secret_key": "canary-secret", "region": "ap-guangzhou", "biz_type": "reels_1"}


def derive(secret_key, service, timestamp, headers, body):
    """The documented algorithm, on bytes, by nothing but the standard library.

    https://cloud.tencent.com/document/api/213/30654
    """
    signed = sorted(headers)
    lines = b"".join(name.encode() + b":" + headers[name].strip().lower().encode() + b"\n" for name in signed)
    request = b"\n".join(
        [b"POST", b"/", b"", lines, ";".join(signed).encode(), hashlib.sha256(body).hexdigest().encode()]
    )
    date = datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d").encode()
    scope = date + b"/" + service.encode() + b"/tc3_request"
    text = b"\n".join(
        [b"TC3-HMAC-SHA256", str(timestamp).encode(), scope, hashlib.sha256(request).hexdigest().encode()]
    )
    key = b"TC3" + secret_key.encode()
    for part in (date, service.encode(), b"tc3_request"):
        key = hmac.new(key, part, hashlib.sha256).digest()
    return hashlib.sha256(request).hexdigest(), hmac.new(key, text, hashlib.sha256).hexdigest()


def published(vector):
    headers = {"content-type": VECTORS["content_type"], "host": VECTORS["host"], "x-tc-action": VECTORS["action"]}
    signed = {name: headers[name] for name in vector["signed_headers"].split(";")}
    return derive(vector["secret_key"], VECTORS["service"], VECTORS["timestamp"], signed, VECTORS["payload"].encode())


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["name"])
def test_the_derivation_gives_the_published_answers(vector):
    assert published(vector) == (vector["hashed_canonical_request"], vector["signature"])


def test_what_is_sent_is_signed_as_published():
    vector = next(vector for vector in VECTORS["vectors"] if vector["name"] == "C")
    request = Request.build(
        "POST", f"https://{VECTORS['host']}/", effect=Effect.READ, operation="x", content=VECTORS["payload"].encode(),
        headers={"Content-Type": VECTORS["content_type"], "X-TC-Action": VECTORS["action"]},
    )  # fmt: skip
    signed = Tc3(lambda: Keys(vector["secret_id"], vector["secret_key"]), VECTORS["service"]).sign(request, AT)
    assert hashlib.sha256(canonical(signed).encode()).hexdigest() == vector["hashed_canonical_request"]
    assert signed.headers["Authorization"] == (
        f"TC3-HMAC-SHA256 Credential={vector['secret_id']}/2019-02-25/cvm/tc3_request, "
        f"SignedHeaders=content-type;host;x-tc-action, Signature={vector['signature']}"
    )
    assert signed.headers["X-TC-Timestamp"] == "1551113065"
    assert "X-TC-Token" not in signed.headers


@given(body=st.text(), key=st.text(min_size=1), moment=st.integers(946_684_800, 4_102_444_800))
def test_any_body_key_and_moment_is_signed_as_derived(body, key, moment):
    now = datetime.fromtimestamp(moment, UTC)
    request = Request.build(
        "POST", "http://127.0.0.1:8080/", effect=Effect.READ, operation="x", json_body={"Name": body}, headers={"X-TC-Action": "DescribeTasks"}
    )  # fmt: skip
    signed = Tc3(lambda: Keys("id", key, "a-token")).sign(request, now)
    headers = {"content-type": "application/json", "host": "127.0.0.1:8080", "x-tc-action": "DescribeTasks"}
    _, signature = derive(key, "vm", int(now.timestamp()), headers, request.content)
    assert signed.headers["Authorization"].endswith(f"Signature={signature}")
    assert signed.headers["X-TC-Token"] == "a-token"


def test_the_signing_function_is_the_vendors_own(monkeypatch):
    monkeypatch.setattr(Sign, "sign_tc3", staticmethod(lambda *_: "theirs"))
    request = Request.build(
        "POST", "https://h.example/", effect=Effect.READ, operation="x", json_body={}, headers={"X-TC-Action": "a"}
    )
    assert Tc3(lambda: Keys("i", "k")).sign(request, AT).headers["Authorization"].endswith("Signature=theirs")


def test_no_key_is_seen_in_a_repr():
    keys = Keys("AKIDcanary", "canary-secret", "canary-token")
    assert "canary" not in f"{keys!r} {Tc3(lambda: keys)!r} {Credentials(settings())!r}"


def test_planning_and_reading_load_nothing_of_the_vendors_sdk():
    code = (
        "import json, sys; from reelvet import AsyncModerator, Config, ModerationJob;"
        "m = AsyncModerator(Config.parse({'use': 'tencent'}), credentials=False);"
        "m.plan(ModerationJob(media='https://h.example/a.mp4')); m.normalize({'TaskId': 't', 'Status': 'FINISH'});"
        "print(json.dumps([n for n in sys.modules if n.startswith('tencentcloud') or n == 'requests']))"
    )
    assert (
        json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout)
        == []
    )


def test_of_the_vendors_sdk_nothing_is_needed_that_overwrites_the_other_edition():
    needed = {re.split(r"[^\w.-]", one)[0] for one in requires("reelvet-tencent") or ()}
    assert {one for one in needed if one.startswith("tencentcloud")} == {"tencentcloud-sdk-python-common"}
    assert "tencentcloud-sdk-python-intl-en" not in {one.metadata["Name"] for one in distributions()}


# --- where keys come from ---


def settings(**more):
    return TencentSettings(**{**ACCOUNT, **more})


@pytest.fixture
def open_network(monkeypatch):
    """The sources are asked; what they would fetch is put in their place."""
    asked = []
    monkeypatch.setattr(room, "check_network", asked.append)
    return asked


async def keys_of(**more):
    credentials = Credentials(settings(**more))
    await credentials.refresh()
    keys = credentials.current()
    return keys.secret_id, keys.secret_key, keys.token


async def test_keys_of_the_settings():
    assert await keys_of() == ("AKIDcanary", "canary-secret", None)
    assert (await keys_of(token="t0ken"))[2] == "t0ken"


async def test_keys_of_the_environment(monkeypatch):
    monkeypatch.delenv("TENCENTCLOUD_SECRET_ID", raising=False)
    with pytest.raises(AuthenticationFailed, match="TENCENTCLOUD_SECRET_ID"):
        await keys_of(credentials="environment")
    monkeypatch.setenv("TENCENTCLOUD_SECRET_ID", "id-1")
    monkeypatch.setenv("TENCENTCLOUD_SECRET_KEY", "key-1")
    assert await keys_of(credentials="environment") == ("id-1", "key-1", None)


async def test_keys_of_the_profile(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(AuthenticationFailed, match="credentials"):
        await keys_of(credentials="profile")
    file = tmp_path / ".tencentcloud" / "credentials"
    file.parent.mkdir()
    file.write_text("[default]\nsecret_id = id-2\nsecret_key = key-2\n", encoding="utf-8")
    assert await keys_of(credentials="profile") == ("id-2", "key-2", None)


class _Metadata:
    def __init__(self, text):
        self._text = text

    def read(self):
        return self._text.encode()


async def test_keys_of_a_virtual_machines_role(monkeypatch, open_network):
    def urlopen(url):
        assert url.endswith("/security-credentials/my-role")
        return _Metadata(
            json.dumps(
                {
                    "Code": "Success",
                    "TmpSecretId": "id-3",
                    "TmpSecretKey": "key-3",
                    "Token": "t-3",
                    "ExpiredTime": 2**40,
                }
            )
        )

    monkeypatch.setattr(sdk, "urlopen", urlopen)
    assert await keys_of(credentials="cvm_role", role_name="my-role") == ("id-3", "key-3", "t-3")
    assert open_network == ["metadata.tencentyun.com"]


async def test_a_machine_without_a_role_has_no_keys(monkeypatch, open_network):
    def urlopen(url):
        raise OSError("no route")

    monkeypatch.setattr(sdk, "urlopen", urlopen)
    with pytest.raises(AuthenticationFailed, match="role_name"):
        await keys_of(credentials="cvm_role")


def session_giver(monkeypatch, calls, *, gives="4"):
    def call_json(client, action, params, options=None):
        calls.append((client.profile.httpProfile.endpoint, action, params))
        held = {"TmpSecretId": f"id-{gives}", "TmpSecretKey": f"key-{gives}", "Token": f"t-{gives}"}
        return {"Response": {"Credentials": held, "ExpiredTime": 2**40}}

    monkeypatch.setattr(sdk.CommonClient, "call_json", call_json)


async def test_keys_of_a_role_that_is_taken_on(monkeypatch, open_network):
    calls = []
    session_giver(monkeypatch, calls)
    assert await keys_of(credentials="sts", role_arn="qcs::cam::uin/1:roleName/r") == ("id-4", "key-4", "t-4")
    endpoint, action, params = calls[0]
    assert (endpoint, action, params["RoleArn"]) == (
        "sts.tencentcloudapi.com",
        "AssumeRole",
        "qcs::cam::uin/1:roleName/r",
    )
    assert params["DurationSeconds"] == 7200
    await keys_of(credentials="sts", role_arn="r", region="ap-singapore")
    await keys_of(credentials="sts", role_arn="r", sts_host="sts.example.com")
    assert [call[0] for call in calls[1:]] == ["sts.intl.tencentcloudapi.com", "sts.example.com"]


async def test_keys_by_the_token_of_another_provider_which_is_read_anew(monkeypatch, open_network, tmp_path):
    calls = []
    session_giver(monkeypatch, calls)
    file = tmp_path / "token"
    file.write_text("first\n", encoding="utf-8")
    given = settings(
        credentials="oidc", role_arn="r", oidc_provider_id="p", web_identity_token_file=file, role_seconds=100
    )
    now = [1000.0]
    monkeypatch.setattr(room.time, "monotonic", lambda: now[0])
    credentials = Credentials(given, clock=lambda: now[0])
    await credentials.refresh()
    assert credentials.current().token == "t-4"
    file.write_text("second", encoding="utf-8")
    now[0] += 61
    await credentials.refresh()
    assert [params["WebIdentityToken"] for _, _, params in calls] == ["first", "second"]


async def test_keys_of_a_container(monkeypatch, open_network, tmp_path):
    calls = []
    session_giver(monkeypatch, calls)
    with pytest.raises(AuthenticationFailed, match="TKE"):
        await keys_of(credentials="tke")
    file = tmp_path / "token"
    file.write_text("t", encoding="utf-8")
    for name, value in {
        "REGION": "ap-guangzhou",
        "PROVIDER_ID": "p",
        "WEB_IDENTITY_TOKEN_FILE": str(file),
        "ROLE_ARN": "r",
    }.items():
        monkeypatch.setenv(f"TKE_{name}", value)
    assert await keys_of(credentials="tke") == ("id-4", "key-4", "t-4")


async def test_a_source_that_would_call_out_keeps_to_the_kill_switch():
    for more in ({"credentials": "cvm_role"}, {"credentials": "sts", "role_arn": "r"}):
        with network_disabled(), pytest.raises(NetworkDisabled):
            await keys_of(**more)


async def test_keys_are_read_off_the_loop_once_for_all_who_ask(monkeypatch):
    threads, release = [], threading.Event()

    def read():
        threads.append(threading.current_thread())
        release.wait(5)
        return Keys("i", "k")

    monkeypatch.setattr(room, "source", lambda _: read)
    now = [0.0]
    credentials = Credentials(settings(credentials="environment"), clock=lambda: now[0])
    with pytest.raises(RuntimeError, match="refresh"):
        credentials.current()
    asking = [asyncio.create_task(credentials.refresh()) for _ in range(10)]
    await asyncio.sleep(0.05)  # the loop is free meanwhile
    asking[0].cancel()  # and one that leaves takes nobody along
    release.set()
    await asyncio.gather(*asking[1:])
    assert len(threads) == 1
    assert threads[0] is not threading.main_thread()
    await credentials.refresh()
    assert len(threads) == 1
    now[0] += 61
    await credentials.refresh()
    assert len(threads) == 2


async def test_a_failure_is_told_without_what_the_source_said_and_tried_again(monkeypatch):
    says = [KeyError("canary-secret"), None]

    def read():
        if error := says.pop(0):
            raise error
        return Keys("i", "k")

    monkeypatch.setattr(room, "source", lambda _: read)
    credentials = Credentials(settings(credentials="profile"))
    with pytest.raises(AuthenticationFailed, match="KeyError") as caught:
        await credentials.refresh()
    assert "canary" not in str(caught.value)
    assert caught.value.created == "no"
    await credentials.refresh()
    assert credentials.current().secret_key == "k"
