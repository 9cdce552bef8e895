"""Live streams, and what the vendor calls back about them and about files."""

from __future__ import annotations

import asyncio
import hashlib
import http.server
import json
import threading
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from reelvet import CoverageState, Status, Verdict
from reelvet.schema import errors as e

PORN = "sexual.explicit.pornography"
URL = "rtmp://live.example.com/app/stream"
STREAM = {
    "name": "stream", "kind": "live", "duration": 120,
    "events": [
        {"label": PORN, "start": 9, "end": 12, "score": 0.95},
        {"label": "harassment.abuse", "start": 31, "end": 33, "score": 0.9, "channel": "speech", "text": "you fool", "matches": ["fool"]},
        {"label": "violence.weapons.firearm", "start": 90, "end": 97, "score": 0.6},
    ],
}  # fmt: skip
ASKED = [PORN, "violence.weapons.firearm", "harassment.abuse"]


@pytest.fixture
def stream(reelvet_sandbox, job):
    reelvet_sandbox.clock.pause()
    reelvet_sandbox.scenario(URL, STREAM)

    def make(**fields):
        return job({"url": URL, "kind": "live"}, **{"detect": ASKED} | fields)

    return make


async def test_a_stream_shows_what_it_found_so_far_and_is_stopped_by_cancel(
    account, configured, stream, edition, reelvet_sandbox
):
    account(edition)
    async with configured() as moderator:
        ticket = await moderator.submit(stream())
        told = []
        for seconds in (2, 20, 40, 60):
            reelvet_sandbox.clock.advance(seconds)
            result = await moderator.status(ticket)
            assert (result.status, result.verdict) == (Status.RUNNING, None)
            assert CoverageState.CLEAN not in {row.state for row in result.coverage}
            told.append({finding.label for finding in result.findings})
        assert told == [set(), {PORN}, {PORN, "harassment.abuse"}, set(ASKED)]
        ended = await moderator.cancel(ticket)
    assert (ended.status, ended.verdict) == (Status.CANCELED, Verdict.BLOCK)
    assert {finding.label for finding in ended.findings} == set(ASKED)
    assert all(finding.at_date is not None and finding.start is None for finding in ended.findings)
    assert "stream_gaps" in {note.code for note in ended.warnings}


async def test_a_clean_stream_that_was_canceled_never_passes(moderator, stream, reelvet_sandbox):
    ticket = await moderator.submit(stream(detect=["sexual.explicit.nudity_anus"]))
    reelvet_sandbox.clock.advance(7)
    ended = await moderator.cancel(ticket)
    assert (ended.status, ended.verdict) == (Status.CANCELED, Verdict.ERROR)
    assert {row.state for row in ended.coverage} == {CoverageState.NOT_EVALUATED}


async def test_a_stream_that_ends_by_itself_is_judged(account, configured, stream, edition, reelvet_sandbox):
    account(edition)
    async with configured() as moderator:
        ticket = await moderator.submit(stream())
        reelvet_sandbox.clock.advance(2000)
        ended = await moderator.wait(ticket)
        other = await moderator.submit(stream(detect=["sexual.suggestive.pose"]))
        reelvet_sandbox.clock.advance(2000)
        clean = await moderator.wait(other)
    assert (ended.status, ended.verdict) == (Status.SUCCEEDED, Verdict.BLOCK)
    assert ended.media.duration is None  # MediaInfo.Duration is the length of a slice
    # How much of a stream was looked at is known only with all segments and its beginning.
    assert {row.state for row in clean.coverage} == {CoverageState.NOT_EVALUATED}
    assert clean.verdict is not Verdict.PASS


async def test_findings_of_a_stream_whose_beginning_is_known_have_a_start(moderator, stream, reelvet_sandbox):
    began = datetime.now(UTC) - timedelta(hours=1)
    options = {"tencent": {"stream_started_at": began.isoformat(), "all_segments": True}}
    ticket = await moderator.submit(stream(options=options))
    reelvet_sandbox.clock.advance(2000)
    ended = await moderator.wait(ticket)
    for finding in ended.findings:
        assert finding.start == pytest.approx((finding.at_date - began).total_seconds(), abs=0.01)
    assert {row.through is not None for row in ended.coverage if row.state != "not_evaluated"} == {True}


async def test_a_stream_more_than_run_at_a_time_is_refused_and_not_created(
    account, configured, stream, creates, monkeypatch
):
    monkeypatch.setattr("reelvet.http.retry.RetryPolicy.wait", lambda *_: 0.001)
    account(streams=1)
    async with configured() as moderator:
        await moderator.submit(stream())
        with pytest.raises(e.RateLimited, match="concurrency limit") as caught:
            await moderator.submit(stream())
    assert (caught.value.code, caught.value.created, creates()) == ("RequestLimitExceeded", "no", 1)


async def test_a_stream_that_cannot_be_reached_fails(moderator, job, reelvet_sandbox):
    reelvet_sandbox.clock.pause()
    media = {"url": "https://sandbox.reelvet.example/unreachable.flv", "kind": "live"}
    ticket = await moderator.submit(job(media))
    reelvet_sandbox.clock.advance(1000)
    result = await moderator.wait(ticket)
    assert (result.status, result.verdict, result.tasks[0].error.code) == (Status.FAILED, Verdict.ERROR, "URL_ERROR")


async def test_however_often_a_stream_is_looked_at_it_shows_the_same(moderator, stream, reelvet_sandbox):
    """What a look gives is what the vendor lists, however often it is asked."""
    ticket = await moderator.submit(stream())
    reelvet_sandbox.clock.advance(110)
    sizes = {len((await moderator.status(ticket)).findings) for _ in range(30)}
    assert len(sizes) == 1


# --- callbacks ---


class Listener:
    """What arrives at a callback URL."""

    def __init__(self, url):
        self.url = url
        self.received = []

    async def wait(self, count):
        """The headers and bodies, once so many have arrived."""
        async with asyncio.timeout(5):
            while len(self.received) < count:
                await asyncio.sleep(0.005)
        return self.received


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

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        found = Listener(f"http://127.0.0.1:{server.server_port}/hook/{{key}}")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield found
        server.shutdown()
        thread.join()


@pytest.fixture
async def seeded(configured):
    seeds = {"seed": "seed-of-the-house", "seeds": {"old": "seed-of-old", "new": "seed-of-new"}}
    async with configured(**seeds) as made:
        yield made


def provider_of(moderator):
    return moderator._instance("tencent").provider


@pytest.mark.parametrize("name", [None, "old", "new"])
async def test_the_end_of_a_file_is_called_back_and_the_whole_result_is_fetched(
    seeded, job, listener, reelvet_sandbox, name
):
    ticket = await seeded.submit(job("block-nudity", key="key-1", callback={"url": listener.url, "secret": name}))
    reelvet_sandbox.clock.advance(1000)
    ((headers, body),) = await listener.wait(1)
    callback = provider_of(seeded).parse_callback(body, headers, {}, [])
    assert (callback.trusted, callback.key, callback.complete) == (True, "key-1", False)
    assert (callback.ref.id, callback.raw.status) == (ticket.tasks[0].ref.id, Status.SUCCEEDED)
    assert reelvet_sandbox.callbacks("tencent")[0].url.endswith("/hook/key-1")
    # It names the first hits only, so the task is read.
    assert (await seeded.wait(ticket)).verdict is Verdict.BLOCK


async def test_a_callback_names_the_first_hits_and_the_task_has_all_of_them(
    account, seeded, job, listener, reelvet_sandbox
):
    url = "https://cdn.example.com/much.mp4"
    events = [{"label": PORN, "start": 0, "end": 299, "score": 0.97}]
    reelvet_sandbox.scenario(url, {"name": "much", "duration": 300, "events": events})
    ticket = await seeded.submit(job(url, callback={"url": listener.url}))
    reelvet_sandbox.clock.advance(1000)
    ((headers, body),) = await listener.wait(1)
    callback = provider_of(seeded).parse_callback(body, headers, {}, [])
    told = seeded.normalize(callback.raw.payload)
    fetched = await seeded.wait(ticket)
    assert (len(told.findings), len(fetched.findings)) == (30, 60)


async def test_what_is_forged_or_tampered_with_is_refused(seeded, job, listener, reelvet_sandbox):
    await seeded.submit(job("block-nudity", callback={"url": listener.url}))
    reelvet_sandbox.clock.advance(1000)
    ((headers, body),) = await listener.wait(1)
    parse = provider_of(seeded).parse_callback

    def signed(body, seed="seed-of-the-house"):
        return {**headers, "X-Signature": hashlib.sha256(seed.encode() + body).hexdigest()}

    assert parse(body, signed(body), {}, []).trusted
    assert parse(body, headers, {}, [SecretStr("another"), SecretStr("seed-of-the-house")]).trusted
    passed = body.replace(b'"Suggestion":"Block"', b'"Suggestion":"Pass"')
    assert passed != body
    refused = [
        (passed, headers), (body + b" ", headers), (body[:-1], headers), (json.dumps(json.loads(body)).encode(), headers),
        (body, {**headers, "X-Signature": "0" * 64}), (body, {name: value for name, value in headers.items() if name != "X-Signature"}),
        (body, signed(body, "somebody")), (passed, signed(passed, "")),
    ]  # fmt: skip
    # Signed with the seed, and still no callback: what is carried on from a good one, and what is no strict JSON.
    signed_all_the_same = [
        body + b"\x80" + b"\0" * 20 + passed, b"[]", b"", b"null", body.replace(b'"Status":', b'"Status":"FINISH","Status":'),
        body.replace(b'"Score":97', b'"Score":NaN'), b"\xef\xbb\xbf" + body, body.decode().encode("utf-16"), b'{"TaskId":""}',
    ]  # fmt: skip
    assert body not in signed_all_the_same
    refused += [(bad, signed(bad)) for bad in signed_all_the_same]
    for bad, told in refused:
        with pytest.raises(e.CallbackRejected):
            parse(bad, told, {}, [])
    with pytest.raises(e.CallbackRejected):
        parse(body, headers, {}, [SecretStr("another")])


async def test_what_is_not_signed_is_a_hint_and_no_more(configured, job, listener, reelvet_sandbox):
    async with configured() as moderator:
        ticket = await moderator.submit(job("clean", callback={"url": listener.url}))
        reelvet_sandbox.clock.advance(1000)
        ((headers, body),) = await listener.wait(1)
        callback = provider_of(moderator).parse_callback(body, headers, {}, [])
        assert (callback.trusted, callback.ref.id) == (False, ticket.tasks[0].ref.id)


async def test_a_stream_calls_back_each_hit_and_its_end(seeded, stream, listener, reelvet_sandbox):
    ticket = await seeded.submit(stream(callback={"url": listener.url}))
    reelvet_sandbox.clock.advance(2000)
    received = await listener.wait(5)
    callbacks = [provider_of(seeded).parse_callback(body, headers, {}, []) for headers, body in received]
    assert [callback.raw.status for callback in callbacks].count(Status.RUNNING) == len(callbacks) - 1
    assert len({callback.event_id for callback in callbacks}) == len(callbacks)
    assert not any(callback.complete for callback in callbacks)
    for callback in callbacks:
        told = seeded.normalize(callback.raw.payload)
        assert told.findings
        assert (told.verdict is None) is (callback.raw.status is Status.RUNNING)
    assert (await seeded.wait(ticket)).verdict is Verdict.BLOCK


async def test_two_deliveries_of_one_event_are_one(seeded, job, listener, reelvet_sandbox):
    reelvet_sandbox.fault("tencent", "callback_twice", copies=3)
    await seeded.submit(job("block-nudity", callback={"url": listener.url}))
    reelvet_sandbox.clock.advance(1000)
    received = await listener.wait(3)
    assert len({provider_of(seeded).parse_callback(body, headers, {}, []).event_id for headers, body in received}) == 1


async def test_a_failure_is_called_back_in_full(seeded, job, listener, reelvet_sandbox):
    await seeded.submit(job("unreachable", callback={"url": listener.url}))
    reelvet_sandbox.clock.advance(1000)
    ((headers, body),) = await listener.wait(1)
    callback = provider_of(seeded).parse_callback(body, headers, {}, [])
    assert (callback.raw.status, callback.raw.error.code, callback.complete) == (Status.FAILED, "URL_ERROR", True)
