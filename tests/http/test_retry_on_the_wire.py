"""Law 5 on the wire: what is repeated, how often, and what never is. The server counts."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from reelvet.http import Effect, Limit, Limits, Request, RetryPolicy, Session, Timeouts
from reelvet.schema.errors import (
    ConnectFailed,
    InvalidRequest,
    ProviderError,
    RateLimited,
    TransportFailed,
    UnexpectedReply,
    VendorUnavailable,
)


def request(url, effect, *, method="POST", operation="Op", **more):
    return Request.build(method, url, effect=effect, operation=operation, **more)


@pytest.fixture
async def session(quick):
    async with Session(provider="acme", instance="acme-eu", retry=quick) as opened:
        yield opened


@pytest.mark.parametrize("broken", ["cut", "cut_midway"])
@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
async def test_create_is_on_the_wire_once_when_the_connection_breaks(server, session, wires, broken, method):
    """On a fresh connection, whatever the verb: aiohttp must not repeat it either."""
    server.replies = [wires[1] if broken == "cut" else wires[2]]
    with pytest.raises(TransportFailed) as caught:
        await session.send(request(server.url, Effect.CREATE, method=method))
    assert len(server.received) == 1
    assert caught.value.created == "maybe"
    assert not isinstance(caught.value, ConnectFailed)


@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
async def test_create_is_sent_once_on_a_kept_connection_that_the_server_cuts(server, session, wires, method):
    """The case in which aiohttp repeats idempotent verbs by itself."""
    answer, cut, _ = wires
    server.replies = [answer(), cut]
    await session.send(request(server.url, Effect.READ, method="GET"))
    with pytest.raises(TransportFailed):
        await session.send(request(server.url, Effect.CREATE, method=method))
    assert [got.connection for got in server.received] == [1, 1], (
        "the second request reused the connection, and was not repeated"
    )


@pytest.mark.parametrize("effect", [Effect.READ, Effect.REPEATABLE])
@pytest.mark.parametrize("broken", ["cut", "cut_midway"])
async def test_read_and_repeatable_are_on_the_wire_exactly_attempts_times(server, session, wires, effect, broken):
    server.replies = [wires[1] if broken == "cut" else wires[2]]
    with pytest.raises(TransportFailed):
        await session.send(request(server.url, effect, method="GET"))
    assert len(server.received) == 3


async def test_read_succeeds_after_a_break(server, session, wires):
    answer, cut, _ = wires
    server.replies = [cut, answer(b'{"a": 1}')]
    reply = await session.send(request(server.url, Effect.READ, method="GET"))
    assert reply.json() == {"a": 1}
    assert len(server.received) == 2


async def test_create_is_repeated_when_no_connection_could_be_made(closed_port, session, monkeypatch):
    """Nothing was sent: a refused connection is tried `attempts` times, and says created=no."""
    tries = []
    original = session._wire.exchange

    async def counted(sent):
        tries.append(sent)
        return await original(sent)

    session._transport = counted
    with pytest.raises(ConnectFailed) as caught:
        await session.send(request(f"http://127.0.0.1:{closed_port}/", Effect.CREATE))
    assert len(tries) == 3
    assert caught.value.created == "no"
    assert (caught.value.provider, caught.value.instance) == ("acme", "acme-eu")


@pytest.mark.parametrize(("status", "kind"), [(429, RateLimited), (500, VendorUnavailable), (503, VendorUnavailable)])
async def test_create_is_not_repeated_on_a_status_that_leaves_it_open(server, session, wires, status, kind):
    server.replies = [wires[0](b"busy", status)]
    with pytest.raises(kind) as caught:
        await session.send(request(server.url, Effect.CREATE))
    assert len(server.received) == 1
    assert caught.value.created == "maybe"


async def test_create_is_repeated_when_the_vendors_table_says_that_nothing_was_created(server, quick, wires):
    server.replies = [wires[0](b'{"code": "LimitExceeded"}'), wires[0](b'{"ok": 1}')]

    def classifier(sent, reply):
        return RateLimited("limit", code="LimitExceeded", created="no") if "code" in reply.json() else None

    async with Session(provider="acme", retry=quick, classifier=classifier) as session:
        reply = await session.send(request(server.url, Effect.CREATE))
    assert reply.json() == {"ok": 1}
    assert len(server.received) == 2


async def test_create_that_certainly_created_nothing_but_is_hopeless_is_not_repeated(server, quick, wires):
    server.replies = [wires[0](b'{"code": "Invalid"}')]

    def classifier(sent, reply):
        return InvalidRequest("no", created="no")

    async with Session(provider="acme", retry=quick, classifier=classifier) as session:
        with pytest.raises(InvalidRequest):
            await session.send(request(server.url, Effect.CREATE))
    assert len(server.received) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 422])
async def test_reads_are_not_repeated_on_what_will_not_change(server, session, wires, status):
    server.replies = [wires[0](b"no", status)]
    with pytest.raises(ProviderError) as caught:
        await session.send(request(server.url, Effect.READ, method="GET"))
    assert len(server.received) == 1
    assert caught.value.status == status
    assert caught.value.created == ("no" if status == 401 else "maybe")


@pytest.mark.parametrize("as_date", [False, True])
async def test_retry_after_is_waited_for(server, wires, as_date):
    """In seconds or as a date, though the policy itself would come back at once."""
    value = format_datetime(datetime.now(UTC) + timedelta(seconds=3), usegmt=True) if as_date else "1"
    server.replies = [wires[0](b"", 429, {"Retry-After": value}), wires[0]()]
    async with Session(provider="acme", retry=RetryPolicy(base=0, cap=0)) as session:
        await session.send(request(server.url, Effect.READ, method="GET"))
    first, second = server.received
    assert 0.95 <= second.at - first.at < 3.5
    assert second.at - first.at > (1.5 if as_date else 0.95), "a date is cut to whole seconds"


async def test_a_longer_retry_after_than_the_cap_is_raised_at_once(server, wires):
    server.replies = [wires[0](b"", 429, {"Retry-After": "3"})]
    begun = time.monotonic()
    async with Session(provider="acme", retry=RetryPolicy(retry_after_cap=2.5)) as session:
        with pytest.raises(RateLimited) as caught:
            await session.send(request(server.url, Effect.READ, method="GET"))
    assert caught.value.retry_after == 3
    assert len(server.received) == 1
    assert time.monotonic() - begun < 2


async def test_no_try_begins_after_the_overall_time(server, wires):
    server.replies = [wires[0](b"", 503)]
    async with Session(
        provider="acme", retry=RetryPolicy(attempts=50, base=0.2, cap=0.2, jitter=0, overall=0.5)
    ) as session:
        with pytest.raises(VendorUnavailable):
            await session.send(request(server.url, Effect.READ, method="GET"))
    assert len(server.received) == 3, "at 0, 0.2 and 0.4 s"


async def test_the_first_try_counts_as_one_and_later_errors_do_not_hang_on_it(server, quick, wires, monkeypatch):
    """The last error is raised, not wrapped, and shows none of those before it. The first try is made outside of the loop."""
    server.replies = [wires[0](b"", 503), wires[0](b"", 502), wires[0](b"", 500)]
    said = []
    monkeypatch.setattr(Session, "_before_retry", lambda self, sent, state: said.append(state.attempt_number))
    async with Session(provider="acme", retry=quick) as session:
        with pytest.raises(VendorUnavailable) as caught:
            await session.send(request(server.url, Effect.READ, method="GET"), retry=RetryPolicy(attempts=3, base=0))
    assert len(server.received) == 3
    assert said == [1, 2]
    assert caught.value.status == 500
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


async def test_a_try_that_takes_the_overall_time_is_not_repeated(server, wires):
    """The overall time begins with the first try, and not after it."""

    async def late(got, writer):
        await asyncio.sleep(0.4)
        writer.write(wires[0](b"", 503))

    server.replies = [late]
    async with Session(provider="acme", retry=RetryPolicy(base=0.01, jitter=0, overall=0.3)) as session:
        with pytest.raises(VendorUnavailable):
            await session.send(request(server.url, Effect.READ, method="GET"))
    assert len(server.received) == 1


async def test_one_call_may_have_a_policy_of_its_own(server, session, wires):
    server.replies = [wires[0](b"", 503)]
    with pytest.raises(VendorUnavailable):
        await session.send(request(server.url, Effect.READ, method="GET"), retry=RetryPolicy(attempts=1))
    assert len(server.received) == 1


async def test_each_try_is_signed_anew_with_the_time_of_the_try(server, quick, wires):
    server.replies = [wires[0](b"", 503), wires[0]()]
    times = iter([datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)])

    class Signer:
        def sign(self, sent, now):
            return sent.with_headers({"Authorization": f"Day {now.day}"})

    async with Session(provider="acme", retry=quick, signer=Signer(), clock=lambda: next(times)) as session:
        await session.send(request(server.url, Effect.READ, method="GET"))
    assert [got.header(b"Authorization") for got in server.received] == [b"Day 1", b"Day 2"]


@pytest.mark.parametrize("timeouts", [Timeouts(connect=0.2), Timeouts(connect=5, total=0.2)])
async def test_a_connection_that_is_not_made_in_time_is_certainly_not_sent(deaf_port, quick, timeouts):
    """By its own timeout or by that of the whole try: the error says that nothing was created, so it may be repeated."""
    async with Session(provider="acme", retry=quick, timeouts=timeouts) as session:
        begun = time.monotonic()
        with pytest.raises(ConnectFailed) as caught:
            await session.send(request(f"http://127.0.0.1:{deaf_port}/", Effect.CREATE))
    assert time.monotonic() - begun > 0.55, "three tries"
    assert caught.value.created == "no"
    assert caught.value.retryable


async def test_a_reply_that_does_not_come_times_out_as_maybe_created(server):
    async def silent(got, writer):
        await asyncio.sleep(5)

    server.replies = [silent]
    async with Session(provider="acme", timeouts=Timeouts(read=0.2)) as session:
        with pytest.raises(TransportFailed) as caught:
            await asyncio.wait_for(session.send(request(server.url, Effect.CREATE)), 5)
    assert not isinstance(caught.value, ConnectFailed)
    assert caught.value.created == "maybe"
    assert len(server.received) == 1


async def test_the_total_deadline_ends_a_reply_that_drips(server, wires):
    """Each piece comes within the read timeout, and yet the try ends."""

    async def drip(got, writer):
        writer.write(wires[0](b"", length=10_000))
        while not writer.is_closing():
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.05)

    server.replies = [drip]
    begun = time.monotonic()
    async with Session(provider="acme", timeouts=Timeouts(read=1, total=0.5)) as session:
        with pytest.raises(TransportFailed):
            await asyncio.wait_for(session.send(request(server.url, Effect.CREATE)), 5)
    assert 0.4 < time.monotonic() - begun < 2


async def test_a_body_that_the_server_does_not_take_hits_the_write_timeout():
    """A large upload to a server that accepts and then reads nothing."""

    over = asyncio.Event()

    async def deaf(reader, writer):
        writer.transport.pause_reading()
        await over.wait()
        writer.transport.abort()

    listening = await asyncio.start_server(deaf, "127.0.0.1", 0, limit=1024)
    port = listening.sockets[0].getsockname()[1]
    begun = time.monotonic()
    async with Session(provider="acme", timeouts=Timeouts(write=0.3, read=30, total=30)) as session:
        with pytest.raises(TransportFailed) as caught:
            await session.send(request(f"http://127.0.0.1:{port}/", Effect.CREATE, content=b"x" * 50_000_000))
    over.set()
    listening.close()
    await asyncio.sleep(0.05)
    assert time.monotonic() - begun < 5
    assert not isinstance(caught.value, ConnectFailed)


async def test_a_large_body_arrives_whole_with_its_length(server, session):
    """Bodies above 64 KiB go out in pieces; the server must not see that."""
    content = bytes(range(256)) * 4096
    await session.send(request(server.url, Effect.CREATE, content=content))
    assert server.received[0].body == content
    assert server.received[0].header(b"Transfer-Encoding") is None


async def test_a_redirect_is_never_followed(server, session, wires):
    """A signed request belongs to nobody else. The target's query is masked in the error."""
    server.replies = [wires[0](b"", 302, {"Location": "http://127.0.0.1:9/x?token=canary"})]
    with pytest.raises(UnexpectedReply) as caught:
        await session.send(request(server.url, Effect.READ, method="GET"))
    assert len(server.received) == 1
    assert "http://127.0.0.1:9/x?***" in str(caught.value)
    assert "canary" not in str(caught.value)


async def test_a_redirect_is_an_error_even_for_a_classifier_that_lets_everything_pass(server, wires):
    server.replies = [wires[0](b"", 307, {"Location": "/x"})]
    async with Session(provider="acme", classifier=lambda sent, reply: None) as session:
        with pytest.raises(UnexpectedReply):
            await session.send(request(server.url, Effect.READ, method="GET"))


async def test_a_redirect_to_what_is_no_url_is_told_as_the_redirect_it_is(server, session, wires):
    server.replies = [wires[0](b"", 302, {"Location": "http://[::1/x"})]
    with pytest.raises(UnexpectedReply, match="redirected"):
        await session.send(request(server.url, Effect.CREATE))
    assert len(server.received) == 1


async def test_cookies_are_not_kept(server, session, wires):
    server.replies = [wires[0](b"{}", 200, {"Set-Cookie": "session=1; Path=/"})]
    for _ in range(2):
        await session.send(request(server.url, Effect.READ, method="GET"))
    assert server.received[1].header(b"Cookie") is None


async def test_cancelling_a_call_leaves_the_session_usable(server, session, wires):
    async def silent(got, writer):
        await asyncio.sleep(5)

    server.replies = [silent, wires[0](b"[1]")]
    task = asyncio.create_task(session.send(request(server.url, Effect.CREATE)))
    await asyncio.wait_for(server.asked.wait(), 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    reply = await session.send(request(server.url, Effect.READ, method="GET"))
    assert reply.json() == [1]
    assert len(server.received) == 2, "the cancelled call was not repeated"


async def test_more_calls_than_connections_wait_and_do_not_fail(server, quick, wires):
    """Waiting for a free connection is not a failure to connect, however short the connect timeout."""

    async def slow(got, writer):
        await asyncio.sleep(0.3)
        writer.write(wires[0]())

    server.replies = [slow]
    async with Session(provider="acme", connections=2, timeouts=Timeouts(connect=0.1)) as session:
        await asyncio.gather(*(session.send(request(server.url, Effect.CREATE)) for _ in range(6)))
    assert len(server.received) == 6
    assert server.connections == 2


async def test_an_untrusted_certificate_is_told_and_not_retried(tls_server, quick):
    async with Session(provider="acme", retry=quick) as session:
        with pytest.raises(ConnectFailed, match="TLS") as caught:
            await session.send(request(f"https://localhost:{tls_server.port}/", Effect.CREATE))
    assert not caught.value.retryable
    assert caught.value.created == "no"
    assert tls_server.received == []


async def test_a_bundle_of_ones_own_is_trusted(tls_server, certificate, quick):
    async with Session(provider="acme", retry=quick, verify=certificate.path) as session:
        reply = await session.send(request(f"https://localhost:{tls_server.port}/", Effect.CREATE))
    assert reply.status == 200


@pytest.mark.parametrize("host", ["a" * 64 + ".localhost", "a..localhost"])
async def test_a_host_that_cannot_be_one_is_an_error_of_ours(quick, monkeypatch, host):
    """Names that Python's resolver chokes on raise other things than OSError."""
    monkeypatch.setattr("reelvet.http.wire.check_network", lambda host: None)
    async with Session(provider="acme", retry=quick) as session:
        with pytest.raises(ConnectFailed):
            await session.send(request(f"http://{host}/", Effect.CREATE))


async def test_operations_that_wait_for_their_limit_keep_no_connection_from_others(server):
    """One operation that is used up must not hold up the polling of all others."""
    limits = Limits({"Create": Limit(1, per=60)})
    create = request(server.url, Effect.CREATE, operation="Create")
    async with Session(provider="acme", limits=limits, connections=2) as session:
        stuck = [asyncio.create_task(session.send(create)) for _ in range(5)]
        await asyncio.wait(stuck, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait_for(session.send(request(server.url, Effect.READ, operation="Get")), 5)
        for task in stuck:
            task.cancel()
        await asyncio.gather(*stuck, return_exceptions=True)
    assert len(server.received) == 2
