"""Callbacks: when, what, and signed how."""

import hashlib
import http.server
import json
import threading
import time
from pathlib import Path

import pytest

from reelvet_tencent.sandbox.callbacks import sign

SAMPLES = Path(__file__).parents[1] / "samples"
SEED = "dedb6dcc1cb7c63fde8fa5abfd57"
STREAM = {
    "name": "stream", "kind": "live", "duration": 60,
    "events": [
        {"label": "sexual.explicit.pornography", "start": 9, "end": 16, "score": 0.95},
        {"label": "harassment.abuse", "start": 31, "end": 33, "score": 0.9, "channel": "speech", "text": "you fool"},
    ],
}  # fmt: skip


class Listener:
    """What arrives at a callback URL."""

    def __init__(self, url):
        self.url = url
        self.received = []

    def wait(self, count):
        """The bodies, once so many have arrived."""
        until = time.monotonic() + 5
        while len(self.received) < count and time.monotonic() < until:
            time.sleep(0.005)
        time.sleep(0.02)  # for one too many
        assert len(self.received) == count
        return [json.loads(body) for _, body in self.received]


@pytest.fixture
def listener():
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            found.received.append((dict(self.headers), body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Listener(f"http://127.0.0.1:{server.server_port}/hook?a=1")
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield found
    server.shutdown()
    server.server_close()


def test_the_signature_of_the_documentation():
    vector = json.loads((SAMPLES / "callback_signature_vector.json").read_text(encoding="utf-8"))
    assert sign(vector["body"].encode(), vector["seed"]) == vector["expected"]


def test_the_end_is_called_back_signed_over_the_raw_body(api, reelvet_sandbox, listener):
    task = api.create("block-nudity", CallbackUrl=listener.url, Seed=SEED)
    reelvet_sandbox.clock.advance(2)
    assert listener.received == []
    reelvet_sandbox.clock.advance(60)
    (told,) = listener.wait(1)
    headers, body = listener.received[0]
    assert headers["X-Signature"] == hashlib.sha256(SEED.encode() + body).hexdigest()
    assert headers["Content-Type"] == "application/json"
    # What DescribeTaskDetail answers, at top level and without the id of a request.
    assert told == {name: value for name, value in api.get(task).items() if name != "RequestId"}
    assert (told["TaskId"], told["DataId"], told["Status"], told["Suggestion"]) == (task, "key-1", "FINISH", "Block")


def test_without_a_seed_nothing_is_signed_and_without_a_url_nothing_is_sent(api, reelvet_sandbox, listener):
    api.create(Seed=SEED)
    api.create(CallbackUrl=listener.url)
    reelvet_sandbox.clock.advance(60)
    listener.wait(1)
    assert "X-Signature" not in listener.received[0][0]


def test_a_failure_is_called_back_too(api, reelvet_sandbox, listener):
    api.create("unreachable", CallbackUrl=listener.url)
    reelvet_sandbox.clock.advance(60)
    (told,) = listener.wait(1)
    assert (told["Status"], told["ErrorType"]) == ("ERROR", "URL_ERROR")


def test_the_last_callback_holds_thirty_violating_segments(api, reelvet_sandbox, listener):
    events = [{"label": "sexual.suggestive", "start": 0, "end": 300, "score": 0.9}, {"label": "context.person.minor", "start": 0, "end": 400, "score": 0.9}]  # fmt: skip
    reelvet_sandbox.scenario("https://h/a.mp4", {"name": "lots", "duration": 400, "events": events})
    task = api.create("https://h/a.mp4", CallbackUrl=listener.url)
    reelvet_sandbox.clock.advance(1000)
    (told,) = listener.wait(1)
    assert len(told["ImageSegments"]) == 30
    assert len(api.get(task)["ImageSegments"]) == 80
    assert [label["Label"] for label in told["Labels"]] == ["Sexy"]


def test_a_stream_calls_back_each_violation_and_its_end(api, reelvet_sandbox, listener):
    reelvet_sandbox.scenario("rtmp://h/a", STREAM)
    task = api.create("rtmp://h/a", Type="LIVE_VIDEO", CallbackUrl=listener.url, Seed=SEED)
    begun = reelvet_sandbox.clock.now()
    for count, until in ((0, 13), (1, 14.5), (2, 20), (3, 49), (4, 700)):
        reelvet_sandbox.clock.advance(begun + until - reelvet_sandbox.clock.now())
        told = listener.wait(count)
    assert [(one["Status"], len(one["ImageSegments"]), len(one["AudioSegments"]), one["Label"]) for one in told] == [
        ("RUNNING", 1, 0, "Porn"), ("RUNNING", 1, 0, "Porn"), ("RUNNING", 0, 1, "Abuse"), ("FINISH", 2, 1, "Porn"),
    ]  # fmt: skip
    assert {one["TaskId"] for one in told} == {task}
    assert told[0]["ImageSegments"][0]["OffsetTime"] < told[1]["ImageSegments"][0]["OffsetTime"]


def test_what_is_cancelled_calls_no_more(api, reelvet_sandbox, listener):
    reelvet_sandbox.scenario("rtmp://h/a", STREAM)
    task = api.create("rtmp://h/a", Type="LIVE_VIDEO", CallbackUrl=listener.url)
    reelvet_sandbox.clock.advance(15)
    listener.wait(1)
    api.call("CancelTask", {"TaskId": task})
    reelvet_sandbox.clock.advance(1000)
    assert len(listener.wait(1)) == 1


@pytest.mark.parametrize("stuck", ["never-finishes", "long"])
def test_what_moves_up_in_the_queue_calls_back_earlier(api, reelvet_sandbox, listener, stuck):
    reelvet_sandbox.set_up("tencent", parallel=1)
    first = api.create(stuck)
    waiting = api.create("clean", CallbackUrl=listener.url)
    reelvet_sandbox.clock.advance(100)
    api.call("CancelTask", {"TaskId": first})
    reelvet_sandbox.clock.advance(20)
    (told,) = listener.wait(1)
    assert (told["TaskId"], told["Status"]) == (waiting, "FINISH")


def test_twice_and_late(api, reelvet_sandbox, listener):
    reelvet_sandbox.fault("tencent", "callback_twice", copies=3)
    reelvet_sandbox.fault("tencent", "callback_late", seconds=500)
    task = api.create(CallbackUrl=listener.url, Seed=SEED)
    reelvet_sandbox.clock.advance(400)
    listener.wait(0)
    assert api.get(task)["Status"] == "FINISH"
    reelvet_sandbox.clock.advance(200)
    told = listener.wait(3)
    assert told[0] == told[1] == told[2]


def test_late_copies_stay_late_copies_when_the_queue_moves(api, reelvet_sandbox, listener):
    reelvet_sandbox.set_up("tencent", parallel=1)
    reelvet_sandbox.fault("tencent", "callback_twice")
    reelvet_sandbox.fault("tencent", "callback_late", seconds=500)
    first = api.create("long")
    api.create(CallbackUrl=listener.url)
    reelvet_sandbox.clock.advance(100)
    api.call("CancelTask", {"TaskId": first})
    reelvet_sandbox.clock.advance(490)
    assert listener.wait(0) == []
    reelvet_sandbox.clock.advance(60)
    assert len(listener.wait(2)) == 2


def test_another_machine_is_not_called(api, reelvet_sandbox):
    api.create(CallbackUrl="https://example.com/hook")
    reelvet_sandbox.clock.advance(60)
    (delivery,) = reelvet_sandbox.callbacks("tencent")
    assert "this machine only" in delivery.error
