"""The callbacks of v3: what is sent when, and how it is signed."""

import base64
import hashlib
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from reelvet_huawei.sandbox import PROJECT_ID

V3_AUDIO = f"/v3/{PROJECT_ID}/moderation/audio/jobs"


@pytest.fixture
def listener():
    """Somebody who listens on this machine: where, and what was heard."""
    heard = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            heard.append((self.path, dict(self.headers.items()), body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook?k=1", heard
    server.shutdown()
    thread.join()
    server.server_close()


def until(condition, seconds=5.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)


@pytest.mark.parametrize("path", [None, V3_AUDIO])
@pytest.mark.parametrize(
    ("encoding", "decode"), [("hex", bytes.fromhex), ("HEX", bytes.fromhex), ("base64", base64.b64decode)]
)
def test_what_a_query_answers_is_sent_when_the_job_has_ended_and_signed_with_the_seed(
    reelvet_sandbox, create_v3, get_v3, listener, *, encoding, decode, path
):
    url, heard = listener
    reelvet_sandbox.set_up("huawei", signature=encoding)
    where = {} if path is None else {"path": path}
    job = create_v3("block-nudity", callback=url, seed="s3ed", **where)
    reelvet_sandbox.clock.advance(7.9)
    time.sleep(0.05)
    assert not heard
    reelvet_sandbox.clock.advance(0.2)
    until(lambda: heard)
    place, headers, body = heard[0]
    assert place == "/hook?k=1"
    told = json.loads(body)
    assert told == get_v3(job, **where)
    assert told["status"] == "succeeded"
    message = told["create_time"] + told["job_id"] + told["request_id"] + "s3ed"
    written = headers["x-auth-signature"]
    assert decode(written) == hmac.new(b"s3ed", message.encode(), hashlib.sha256).digest()
    assert (written == written.upper()) is (encoding == "HEX")
    assert "s3ed" not in json.dumps(reelvet_sandbox.tasks("huawei")[0].dump())


def test_without_a_seed_it_is_not_signed_and_a_failure_is_told_too(reelvet_sandbox, create_v3, listener):
    url, heard = listener
    create_v3("broken", callback=url)
    reelvet_sandbox.clock.advance(100)
    until(lambda: heard)
    _, headers, body = heard[0]
    assert "x-auth-signature" not in {name.lower() for name in headers}
    assert json.loads(body)["status"] == "failed"


def test_none_is_sent_for_a_job_that_never_ends(reelvet_sandbox, create_v3, listener):
    url, _ = listener
    create_v3("never-finishes", callback=url)
    reelvet_sandbox.clock.advance(1_000_000)
    assert reelvet_sandbox.callbacks("huawei") == []


def test_it_can_come_twice_and_late(reelvet_sandbox, create_v3, listener):
    url, heard = listener
    reelvet_sandbox.fault("huawei", "callback_twice", copies=3)
    reelvet_sandbox.fault("huawei", "callback_late", seconds=60)
    create_v3("clean", callback=url)
    reelvet_sandbox.clock.advance(67)
    time.sleep(0.05)
    assert not heard
    reelvet_sandbox.clock.advance(2)
    until(lambda: len(heard) == 3)
    assert len({body for _, _, body in heard}) == 1


def test_it_goes_to_this_machine_only(reelvet_sandbox, create_v3):
    create_v3("clean", callback="http://cdn.example.com/hook")
    (delivery,) = reelvet_sandbox.callbacks("huawei")
    assert "on this machine only" in delivery.error
