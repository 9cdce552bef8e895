"""`reelvet events`: what waits, what failed, and sending it by hand or for good."""

import asyncio
import http.server
import signal
import threading
import time

import pytest

from reelvet.events import of_result
from reelvet.journal import open_journal
from reelvet.schema.result import ModerationResult

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def platform():
    """What is told to the platform: ids, and the statuses it answers with."""

    class Handler(http.server.BaseHTTPRequestHandler):
        got, answers = [], []

        def log_message(self, *_):
            pass

        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.got.append(self.headers["webhook-id"])
            self.send_response(self.answers.pop(0) if self.answers else 204)
            self.send_header("Content-Length", "0")
            self.end_headers()

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        Handler.url = f"http://127.0.0.1:{server.server_port}/hook"
        yield Handler
        server.shutdown()
        thread.join()


@pytest.fixture
def outbox(here):
    """Puts events for some results into the journal that the commands use."""

    def put(*keys):
        async def post():
            journal = open_journal("sqlite:///journal.db")
            results = [ModerationResult(key=key, status="succeeded", verdict="pass") for key in keys]
            await journal.post([of_result(one) for one in results])
            await journal.close()

        asyncio.run(post())

    return put


def config(url, secret="env:HOOK_SECRET"):  # noqa: S107
    return f'[journal]\nurl = "sqlite:///journal.db"\n[events]\nurl = "{url}"\nsecrets = "{secret}"\n'


@pytest.fixture
def events(reelvet, here, platform):
    (here / "reelvet.toml").write_text(config(platform.url))
    return lambda *arguments: reelvet("events", *arguments)


def test_what_waits_is_sent(events, outbox, platform, monkeypatch):
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    outbox("k1", "k2")
    assert events().out == "waiting 2, sent 0, given up 0\n"
    called = events("deliver")
    assert (called.code, called.out) == (0, "sent 2, put off 0, given up 0\n")
    assert len(platform.got) == 2
    assert events("--json").json == {"waiting": 0, "sent": 2, "given_up": 0, "failing": []}
    assert events("deliver", "--json").json == {"sent": 0, "put_off": 0, "given_up": 0, "last_failure": None}


def test_what_was_given_up_is_shown_and_sent_on_demand(events, outbox, platform, monkeypatch):
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    platform.answers[:] = [410]
    outbox("k1")
    called = events("deliver")
    assert (called.code, called.out) == (12, "sent 0, put off 0, given up 1\n")
    shown = events()
    assert "moderation.result k1: 1 try, event: POST http://127.0.0.1" in shown.out
    assert "reelvet events deliver --given-up" in shown.err
    assert events("deliver").out == "sent 0, put off 0, given up 0\n"
    assert events("deliver", "--given-up").out == "sent 1, put off 0, given up 0\n"


@pytest.mark.parametrize(
    ("written", "secret", "says"),
    [
        ("", SECRET, "there is no [events]"),
        (config("https://h/a"), "", "HOOK_SECRET, which is not set"),
        (config("https://h/a"), "hush-hush", "whsec_ followed by"),
        (config("h/a"), SECRET, "no http(s) URL"),
    ],
)
def test_what_cannot_work_is_told(reelvet, here, monkeypatch, written, secret, says):
    monkeypatch.setenv("HOOK_SECRET", secret)
    (here / "reelvet.toml").write_text(written)
    called = reelvet("events", "deliver")
    assert called.code == 2
    assert says in called.err
    assert "hush-hush" not in called.err


def test_following_ends_with_ctrl_c(start, here, platform, outbox):
    (here / "reelvet.toml").write_text(config(platform.url, SECRET))
    outbox("k")
    process = start("events", "deliver", "--follow")
    until = time.monotonic() + 20
    while not platform.got and time.monotonic() < until:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, len(platform.got)) == (0, 1)
    assert "no events are sent any more" in err
