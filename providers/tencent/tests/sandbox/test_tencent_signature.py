"""The signature, held against the vendor's worked examples; what does not hold is refused with the gateway's codes."""

import hashlib
import json
import time
from pathlib import Path

import pytest

from reelvet.sandbox import Call
from reelvet_tencent.sandbox import signature
from reelvet_tencent.sandbox.emulator import TEMPORARY

SAMPLES = Path(__file__).parents[1] / "samples"
VECTORS = json.loads((SAMPLES / "tc3_known_answer_vectors.json").read_text(encoding="utf-8"))
LIST = "DescribeTasks"


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["name"])
def test_the_worked_examples_of_the_documentation(vector):
    body = VECTORS["payload"].encode()
    assert hashlib.sha256(body).hexdigest() == VECTORS["hashed_payload"]
    headers = (
        ("content-type", VECTORS["content_type"]),
        ("host", VECTORS["host"]),
        ("x-tc-action", VECTORS["action"]),
    )
    call = Call("POST", "/", "", headers, body)
    request = signature.canonical_request(call, vector["signed_headers"].split(";"))
    hashed = hashlib.sha256(request.encode()).hexdigest()
    assert hashed == vector["hashed_canonical_request"]
    made = signature.signature(vector["secret_key"], VECTORS["timestamp"], VECTORS["date"], VECTORS["service"], hashed)
    assert made == vector["signature"]


def test_what_is_signed_right_is_let_in(api):
    assert api.list()["Total"] == "0"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"Authorization": None}, "MissingParameter"),
        ({"Authorization": "Bearer x"}, "AuthFailure.InvalidAuthorization"),
        ({"X_TC_Timestamp": None}, "MissingParameter"),
        ({"X_TC_Timestamp": "yesterday"}, "InvalidParameter"),
        ({"key": "another"}, "AuthFailure.SignatureFailure"),
        ({"Host": "vm.tencentcloudapi.com"}, "AuthFailure.SignatureFailure"),
        ({"Content_Type": "application/json; charset=utf-8"}, "AuthFailure.SignatureFailure"),
        ({"X_TC_Token": "x"}, "AuthFailure.TokenFailure"),
        ({"X_TC_Version": None}, "MissingParameter"),
        ({"X_TC_Version": "2020-07-09"}, "NoSuchVersion"),
        ({"X_TC_Region": None}, "MissingParameter"),
        ({"X_TC_Region": "moon"}, "UnsupportedRegion"),
        ({"X_TC_Action": None}, "MissingParameter"),
        ({"X_TC_Action": "DescribeVideoStat"}, "InvalidAction"),
    ],
)
def test_what_is_signed_or_addressed_wrong_is_refused(api, changed, code):
    assert api.refusal(LIST, **changed) == code


def test_a_wrong_signature_has_the_published_body(api):
    printed = json.loads((SAMPLES / "replies" / "error_auth_signature.json").read_text(encoding="utf-8"))
    told = api.call(LIST, key="another")
    assert told["Error"] == printed["Response"]["Error"]


def test_a_changed_body_is_noticed(api):
    headers = api.headers(LIST, b'{"Limit":1}')
    reply = api.http.post("/", content=b'{"Limit":2}', headers=headers)
    assert reply.json()["Response"]["Error"]["Code"] == "AuthFailure.SignatureFailure"


@pytest.mark.parametrize(("away", "code"), [(-290, None), (-310, "SignatureExpire"), (310, "SignatureExpire")])
def test_clocks_may_differ_by_five_minutes_of_the_wall(api, reelvet_sandbox, away, code):
    reelvet_sandbox.clock.advance(100_000)  # virtual time is nothing that a client could sign with
    told = api.call(LIST, signed=int(time.time()) + away)
    assert told.get("Error", {}).get("Code") == (f"AuthFailure.{code}" if code else None)


@pytest.mark.parametrize(
    ("secret_id", "code"),
    [("AKIDnobody", "AuthFailure.SecretIdNotFound"), ("nobody", "AuthFailure.InvalidSecretId")],
)
def test_an_unknown_key_is_named_so(api, secret_id, code):
    api.settings = {**api.settings, "secret_id": secret_id}
    assert api.refusal(LIST) == code


@pytest.mark.parametrize(("token", "code"), [("sandbox-token", None), ("old", "TokenFailure"), (None, "TokenFailure")])
def test_a_temporary_key_needs_its_token(api, token, code):
    api.settings = {**api.settings, "secret_id": TEMPORARY.secret_id, "secret_key": TEMPORARY.secret_key}
    told = api.call(LIST, X_TC_Token=token)
    assert told.get("Error", {}).get("Code") == (f"AuthFailure.{code}" if code else None)


@pytest.mark.parametrize("names", ["host", "content-type", "host;content-type", "content-type;content-type;host"])
def test_content_type_and_host_must_be_signed_in_order(api, names):
    headers = api.headers(LIST, b"{}")
    headers["Authorization"] = headers["Authorization"].replace("content-type;host", names)
    reply = api.http.post("/", content=b"{}", headers=headers)
    assert reply.json()["Response"]["Error"]["Code"] == "AuthFailure.InvalidAuthorization"


@pytest.mark.parametrize(("old", "new"), [("/vm/", "/cvm/"), ("/vm/", "/vm/x"), ("-", "/")])
def test_a_scope_that_is_none_is_refused(api, old, new):
    headers = api.headers(LIST, b"{}")
    headers["Authorization"] = headers["Authorization"].replace(old, new)
    code = api.http.post("/", content=b"{}", headers=headers).json()["Response"]["Error"]["Code"]
    assert code in {"AuthFailure.SignatureFailure", "AuthFailure.InvalidAuthorization"}


def test_other_methods_and_paths_are_no_action(api):
    headers = api.headers(LIST, b"{}")
    assert (
        api.http.put("/", content=b"{}", headers=headers).json()["Response"]["Error"]["Code"] == "UnsupportedProtocol"
    )
    assert api.http.post("/v2", content=b"{}", headers=headers).json()["Response"]["Error"]["Code"] == "InvalidAction"
