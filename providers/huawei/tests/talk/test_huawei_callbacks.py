"""Callbacks of v3: who may have sent them, what they are worth, and how they name the job."""

from __future__ import annotations

import base64
import contextlib
import copy
import hashlib
import hmac
import json

import pytest
from pydantic import SecretStr

from reelvet.schema.errors import CallbackRejected, CallbackUnsupported

SEED = "seed_1"


def signed(payload, seed=SEED, write=bytes.hex):
    message = f"{payload['create_time']}{payload['job_id']}{payload['request_id']}{seed}"
    digest = hmac.new(seed.encode(), message.encode(), hashlib.sha256).digest()
    return json.dumps(payload).encode(), {"X-Auth-Signature": write(digest)}


def base64_of(digest):
    return base64.b64encode(digest).decode()


@pytest.fixture
def parse(make):
    def parse_(body, headers, query=None, secrets=(SEED,), **settings):
        opened = make(**settings)._instance("huawei").provider
        return opened.parse_callback(body, headers, query or {}, [SecretStr(secret) for secret in secrets])

    return parse_


@pytest.mark.parametrize(
    "write", [bytes.hex, lambda d: d.hex().upper(), base64_of, lambda d: base64.urlsafe_b64encode(d).decode(), lambda d: base64_of(d).rstrip("="), lambda d: f" {d.hex()} "]
)  # fmt: skip
@pytest.mark.parametrize("secrets", [(SEED,), ("new_seed", SEED), (SEED, "old")])
def test_a_callback_is_verified_by_any_of_the_seeds_however_the_digest_is_written(parse, sample, write, secrets):
    payload = sample("v3_query_succeeded_hits")
    body, headers = signed(payload, write=write)
    got = parse(body, {name.lower(): value for name, value in headers.items()}, secrets=secrets)
    assert (got.ref.id, got.raw.status, got.raw.payload) == ("xxx", "succeeded", payload)
    assert got.trusted is False  # the signature covers neither status nor result
    assert got.event_id == "xxx:2022-07-30T08:57:14.014Z"


def test_all_seeds_are_compared_whichever_fits_and_in_constant_time(parse, sample, monkeypatch):
    """How long it takes tells neither which seed it was nor how much of a digest was right."""
    compared = []
    plain = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda *pair: compared.append(pair) or plain(*pair))
    body, headers = signed(sample("v3_query_succeeded_hits"))
    counts = []
    for secrets in ((SEED, "a", "b"), ("a", "b", SEED), ("a", SEED, "b"), ("a", "b", "c")):
        compared.clear()
        with contextlib.suppress(CallbackRejected):
            parse(body, headers, secrets=secrets)
        counts.append(len(compared))
    assert len(set(counts)) == 1
    assert counts[0] >= 3


@pytest.mark.parametrize("field", ["create_time", "job_id", "request_id"])
def test_a_change_of_what_is_signed_is_noticed(parse, sample, field):
    payload = sample("v3_query_succeeded_hits")
    _, headers = signed(payload)
    with pytest.raises(CallbackRejected):
        parse(json.dumps(payload | {field: "other"}).encode(), headers)


def test_a_change_of_the_verdict_is_not_which_is_why_the_job_is_read_again(parse, sample):
    payload = sample("v3_query_succeeded_hits")
    _, headers = signed(payload)
    forged = payload | {"result": {"suggestion": "pass"}}
    assert parse(json.dumps(forged).encode(), headers).trusted is False


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Auth-Signature": ""},
        {"X-Auth-Signature": "zz"},
        {"X-Auth-Signature": "00" * 32},
        {"X-Auth-Signature": "ü"},
    ],
)
def test_a_callback_that_is_not_signed_is_refused(parse, sample, headers):
    with pytest.raises(CallbackRejected, match="not signed with any of 1 seeds"):
        parse(json.dumps(sample("v3_query_succeeded_hits")).encode(), headers)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"status": "succeeded"}', b'{"job_id": ""}', b"\xff"])
def test_what_is_no_callback_is_refused(parse, body):
    with pytest.raises(CallbackRejected, match="names no job"):
        parse(body, {})


@pytest.mark.parametrize("field", ["job_id", "create_time", "request_id"])
@pytest.mark.parametrize("secrets", [(SEED,), ()])
@pytest.mark.parametrize("half", ["\\ud800", "a\\udc00b"])
def test_half_a_character_is_signed_by_nobody(parse, sample, field, secrets, half):
    payload = sample("v3_query_succeeded_hits")
    _, headers = signed(payload)
    body = json.dumps(payload | {field: "HALF"}).replace("HALF", half).encode()
    if secrets or field == "job_id":
        with pytest.raises(CallbackRejected):
            parse(body, headers, secrets=secrets)
    else:
        parse(body, headers, secrets=secrets).raw.model_dump_json()


@pytest.mark.parametrize("told", ["a/b", "../x", "a b", "ü"])
def test_what_is_no_id_of_the_vendors_names_no_job(parse, sample, told):
    with pytest.raises(CallbackRejected, match="names no job"):
        parse(json.dumps(sample("v3_query_succeeded_hits") | {"job_id": told}).encode(), {}, secrets=())


def test_without_a_seed_nothing_is_verified_and_nothing_trusted(parse, sample):
    assert parse(json.dumps(sample("v3_query_succeeded_hits")).encode(), {}, secrets=()).trusted is False


def test_the_key_comes_from_the_url(parse, sample):
    payload = sample("v3_query_succeeded_hits")

    def key(query=None, callback="xxx", **settings):
        told = copy.deepcopy(payload)
        told["request_params"]["callback"] = callback
        body, headers = signed(told)
        return parse(body, headers, query, **settings).key

    assert key() is None
    assert key({"key": "from-query"}) == "from-query"
    assert key(callback="https://me.example/cb?key=a%2Fb&x=1") == "a/b"
    assert key(callback="https://me.example/cb/a%2Fb/done", callback_url="https://me.example/cb/{key}/done") == "a/b"
    assert key(callback="https://me.example/cb?k=%E5%AF%86", callback_url="https://me.example/cb?k={key}") == "密"
    assert key({"k": "from-query", "key": "x"}, callback_url="https://me.example/cb?k={key}&key=x") == "from-query"
    assert key(callback="https://other.example/a", callback_url="https://me.example/{key}") is None


def test_a_callback_of_audio_is_read_as_audio(parse, sample):
    body, headers = signed(sample("v3_audio_query_succeeded"))
    assert parse(body, headers).ref.category == "audio"


def test_v2_sends_no_callbacks(parse):
    with pytest.raises(CallbackUnsupported):
        parse(b"{}", {}, api="v2")
