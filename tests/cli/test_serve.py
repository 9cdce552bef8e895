"""`reelvet serve callbacks`, as a process that serves until it is told to stop."""

import hashlib
import json
import os
import signal
import urllib.error
import urllib.request

import pytest

posix = pytest.mark.skipif(os.name != "posix", reason="signals as a terminal sends them")

CONFIG = """
use = "tencent"
[providers.tencent]
secret_id = "i"
secret_key = "k"
region = "ap-guangzhou"
biz_type = "reels_1"
seed = "seed_1"
[providers.hw]
plugin = "huawei"
ak = "a"
sk = "s"
region = "cn-north-4"
api = "v3"
[providers.gcore]
api_key = "g"
"""
BODY = b'{"TaskId": "w-1", "DataId": "k", "Status": "FINISH"}'


@pytest.fixture
def vendors(here, monkeypatch):
    monkeypatch.setenv("REELVET_PLUGINS", "tencent,huawei,gcore")
    (here / "reelvet.toml").write_text(CONFIG)
    return here


def post(url, body, headers):
    request = urllib.request.Request(url, body, headers, method="POST")  # noqa: S310  (its own server)
    try:
        with urllib.request.urlopen(request, timeout=10) as reply:  # noqa: S310
            return reply.status
    except urllib.error.HTTPError as error:
        return error.code


@posix
def test_it_tells_where_it_can_be_called_and_serves_until_interrupted(start, vendors):
    process = start("serve", "callbacks", "--port", "0", "--public-url", "https://hooks.example.com/r/", "--json")
    told = json.loads(process.stdout.readline())
    assert told["instances"] == {
        "tencent": {"callback_url": "https://hooks.example.com/r/tencent?key={key}", "secrets": 1},
        "hw": {"callback_url": "https://hooks.example.com/r/hw?key={key}", "secrets": 0},
    }
    signed = {"X-Signature": hashlib.sha256(b"seed_1" + BODY).hexdigest()}
    answers = [post(f"{told['url']}/tencent", BODY, headers) for headers in (signed, signed, {})]
    assert answers == [200, 200, 401]
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (0, "")
    assert "1 duplicate, 1 forged, 1 nobody's, 1 received" in err
    assert "hw has no secret to verify callbacks with" in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--public-url", "hooks.example.com"], "is no URL to put names behind"),
        (["--public-url", "https://h/?a=1"], "is no URL to put names behind"),
        (["--host", "198.51.100.1", "--port", "0"], "cannot listen on 198.51.100.1"),
    ],
)
def test_what_cannot_be_served_is_refused(reelvet, vendors, arguments, says):
    told = reelvet("serve", "callbacks", *arguments)
    assert (told.code, says in told.err) == (2, True)


def test_without_a_vendor_that_calls_back_there_is_nothing_to_serve(acme):
    told = acme("serve", "callbacks")
    assert (told.code, "no configured instance is of a vendor that sends callbacks" in told.err) == (2, True)
