"""What goes out is byte for byte what was signed; what comes back is read under a cap and told without secrets."""

import asyncio
import copy
import gzip
import pickle
import subprocess
import sys
import zlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from reelvet.http import (
    Effect,
    Headers,
    Reply,
    Request,
    RetryPolicy,
    Session,
    classify_status,
    encode_query,
    retry_after,
)
from reelvet.schema.errors import (
    AuthenticationFailed,
    ConnectFailed,
    InvalidRequest,
    PermissionDenied,
    ProviderError,
    QuotaExceeded,
    RateLimited,
    ReplyTooLarge,
    TaskConflict,
    TaskNotFound,
    TransportFailed,
    UnexpectedReply,
    VendorUnavailable,
)


@pytest.fixture
async def session():
    async with Session(provider="acme", retry=RetryPolicy(attempts=1)) as opened:
        yield opened


def read(url, **more):
    return Request.build("GET", url, effect=Effect.READ, operation="Get", **more)


@pytest.mark.parametrize(
    "target",
    [
        "/a%2Fb/%7Ename/c~d",
        "/x?z=%2F&y=a+b&w=a%20b&v=~%7E",
        "/x?sign=abc%3D%3D&q=1:2/3?4@5!$'()*,;",
        "/%E4%B8%AD?name=%e4%b8%ad",
        "/a/../b/./c",
        "//double//slash",
        "/x?a=b?c&&d",
    ],
)
async def test_the_url_goes_out_byte_for_byte(server, session, target):
    """Neither httpx nor yarl may quote it anew: the signature is over these bytes."""
    await session.send(read(server.url + target))
    assert server.received[0].line == b"GET " + target.encode() + b" HTTP/1.1"


def test_an_empty_query_is_refused():
    """It would not go out, so no signature over it could hold."""
    with pytest.raises(ValueError, match="URL"):
        read("http://127.0.0.1/x?")


@given(st.lists(st.tuples(st.text(min_size=1), st.text()), max_size=4))
def test_encoded_queries_hold_only_unreserved_characters_and_read_back(pairs):
    from urllib.parse import parse_qsl

    pairs = [
        (name.encode("utf-8", "ignore").decode(), value.encode("utf-8", "ignore").decode()) for name, value in pairs
    ]
    text = encode_query(pairs)
    assert set(text) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%&=")
    assert parse_qsl(text, keep_blank_values=True) == pairs


def test_query_values_of_other_types():
    assert encode_query({"a": True, "b": None, "c": [1, 2], "d": "x y+/"}) == "a=true&c=1&c=2&d=x%20y%2B%2F"
    assert read("http://h/p?x=1", query={"y": 2}).url == "http://h/p?x=1&y=2"


async def test_headers_go_out_as_given(server, session):
    """Spelling, non-ASCII values as UTF-8, a Host of one's own; and nothing is added that was not asked for."""
    sent = read(server.url, headers={"X-TC-Action": "Get", "X-Name": "中é", "Host": "signed.example.com"})
    await session.send(sent)
    head = server.received[0].head
    assert b"X-TC-Action: Get\r\n" in head
    assert "X-Name: 中é\r\n".encode() in head
    assert head.count(b"Host:") == 1
    assert b"Host: signed.example.com\r\n" in head
    names = {line.partition(b":")[0].lower() for line in head.split(b"\r\n")[1:] if line}
    assert names == {b"host", b"x-tc-action", b"x-name", b"user-agent", b"accept", b"accept-encoding"}
    assert server.received[0].header(b"User-Agent").startswith(b"reelvet")


async def test_a_body_without_a_content_type_gets_none(server, session):
    """aiohttp would add one, which no signer has seen."""
    await session.send(Request.build("PUT", server.url, effect=Effect.READ, operation="Put", content=b"raw"))
    assert server.received[0].header(b"Content-Type") is None
    assert server.received[0].body == b"raw"


async def test_the_json_body_is_what_was_signed(server):
    seen = []

    class Signer:
        def sign(self, sent, now):
            seen.append(sent.content)
            return sent

    sent = Request.build(
        "POST", server.url, effect=Effect.CREATE, operation="Create", json_body={"b": "é", "a": [1, None]}
    )
    async with Session(provider="acme", signer=Signer()) as session:
        await session.send(sent)
    assert server.received[0].body == seen[0] == '{"b":"é","a":[1,null]}'.encode()
    assert server.received[0].header(b"Content-Type") == b"application/json"


async def test_signers_see_every_header_that_goes_out_but_host_and_length(server):
    seen = {}

    class Signer:
        def sign(self, sent, now):
            assert now.tzinfo is UTC
            seen.update(Headers(sent.headers).lowered())
            return sent

    async with Session(provider="acme", signer=Signer()) as session:
        await session.send(Request.build("POST", server.url, effect=Effect.READ, operation="x", json_body={}))
    on_wire = {line.partition(b":")[0].decode().lower() for line in server.received[0].head.split(b"\r\n")[1:] if line}
    assert on_wire - {"host", "content-length"} == set(seen)


@pytest.mark.parametrize(
    "url",
    [
        "/relative",
        "ftp://h/x",
        "http://user:canary@h/x",
        "http://h/a b",
        "http://h/é",
        "http://h/%zz",
        "http://h/x#f",
        "http:///x",
        "http://h\\@e/",
        "http://h:99999/",
        "http://h:x/",
        "http://h:0/",
        "http://[::1/",
    ],
)
def test_urls_that_could_not_go_out_as_they_are_are_refused(url):
    with pytest.raises(ValueError, match="URL") as caught:
        read(url)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("headers", [{"X": "a\r\nEvil: 1"}, {"X\n": "a"}, {"X Y": "a"}])
def test_headers_cannot_smuggle_others(headers):
    with pytest.raises(ValueError, match="header"):
        read("http://h/", headers=headers)


def test_a_request_keeps_its_secrets_to_itself():
    sent = read(
        "http://h/x?sig=canary", headers={"Authorization": "canary", "X-Auth-Token": "canary", "Accept": "seen"}
    )
    assert "canary" not in repr(sent)
    assert "canary" not in repr(sent.headers)
    assert "seen" in repr(sent)


@pytest.mark.parametrize("headers", [{"a b": "c"}, {"": "c"}, {"a": "b\r\nx: y"}, {"a": "b\n"}, {"a": "b\0"}])
def test_headers_added_later_cannot_smuggle_others_either(headers):
    with pytest.raises(ValueError, match="not a header"):
        read("http://h/").with_headers(headers)
    with pytest.raises(ValueError, match="not a header"):
        Headers({"x": "y"}).merged(headers)


def test_headers_made_of_headers_are_the_same_and_change_none():
    """They are shared between a request and its copies, so none may be written to."""
    first = Headers([("X-A", "1"), ("x-a", "2"), ("B", "3")])
    again = Headers(first)
    merged = again.merged({"x-A": "4", "C": "5"}, Headers({"b": "6"}))
    assert first == again == Headers({"X-A": "1, 2", "B": "3"})
    assert list(merged.items()) == [("x-A", "4"), ("b", "6"), ("C", "5")]
    assert list(first.items()) == [("X-A", "1, 2"), ("B", "3")]
    assert copy.copy(merged) == copy.deepcopy(merged) == merged


def test_a_request_with_other_headers_is_the_same_request():
    first = Request.build("POST", "http://h/p?q=1", effect=Effect.CREATE, operation="Create", json_body={"a": 1})
    other = first.with_headers({"content-type": "text/x", "X-A": "1"})
    assert other == Request(
        "POST", "http://h/p?q=1", {"content-type": "text/x", "X-A": "1"}, b'{"a":1}', Effect.CREATE, "Create"
    )
    assert first.headers == Headers({"Content-Type": "application/json"})
    assert copy.copy(other) == copy.deepcopy(other) == other


def test_headers_are_found_in_any_spelling():
    headers = Headers([("X-One", "1"), ("x-one", "2"), ("Y", "3")])
    assert headers["X-ONE"] == "1, 2"
    assert "y" in headers
    assert list(headers) == ["X-One", "Y"]
    assert headers == Headers({"x-ONE": "1, 2", "y": "3"})
    assert headers.merged({"x-one": "4"})["X-One"] == "4"


# --- replies ----------------------------------------------------------------------------------------------------


async def test_compressed_replies_are_decoded(server, session, wires):
    server.replies = [wires[0](gzip.compress(b'{"a": "b"}'), headers={"Content-Encoding": "gzip"})]
    assert (await session.send(read(server.url))).json() == {"a": "b"}


async def test_a_reply_that_cannot_be_decoded_is_unexpected(server, session, wires):
    server.replies = [wires[0](b"not gzip", headers={"Content-Encoding": "gzip"})]
    with pytest.raises(UnexpectedReply) as caught:
        await session.send(read(server.url))
    assert caught.value.provider == "acme"


@pytest.mark.parametrize("how", ["declared", "chunked", "bomb"])
async def test_replies_are_capped_after_decoding(server, wires, how):
    async def chunked(got, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(100):
            writer.write(b"400\r\n" + b"x" * 1024 + b"\r\n")
        await writer.drain()

    bomb = wires[0](zlib.compress(b"\0" * 5_000_000), headers={"Content-Encoding": "deflate"})
    server.replies = [{"declared": wires[0](b"x" * 5000), "chunked": chunked, "bomb": bomb}[how]]
    async with Session(provider="acme", max_reply_bytes=4000) as session:
        with pytest.raises(ReplyTooLarge) as caught:
            await session.send(Request.build("POST", server.url, effect=Effect.CREATE, operation="Create"))
    assert caught.value.created == "maybe"
    assert len(server.received) == 1


async def test_a_reply_that_is_not_json_is_told_with_its_redacted_body(server, wires):
    server.replies = [
        wires[0](b"<html>key-canary-1234</html>", headers={"X-Request-Id": "r-1", "Content-Type": "text/html"})
    ]
    async with Session(provider="acme", instance="acme-2", secrets=[SecretStr("key-canary-1234")]) as session:
        reply = await session.send(read(server.url + "/x?q=canary"))
    with pytest.raises(UnexpectedReply) as caught:
        reply.json()
    error = caught.value
    assert (error.provider, error.instance, error.status, error.request_id) == ("acme", "acme-2", 200, "r-1")
    assert error.body == "<html>***</html>"
    assert "canary" not in str(error)


async def test_the_request_id_is_taken_from_the_headers_named(server, wires):
    server.replies = [wires[0](b"no", 400, headers={"X-Acme-Id": "r-7", "X-Request-Id": "other"})]
    async with Session(provider="acme", request_id_headers=["X-Acme-Id"]) as session:
        with pytest.raises(InvalidRequest) as caught:
            await session.send(read(server.url))
    assert caught.value.request_id == "r-7"


@pytest.mark.parametrize(
    ("status", "kind", "retryable", "created"),
    [
        (400, InvalidRequest, False, "maybe"),
        (401, AuthenticationFailed, False, "no"),
        (402, QuotaExceeded, False, "maybe"),
        (403, PermissionDenied, False, "maybe"),
        (404, TaskNotFound, False, "maybe"),
        (409, TaskConflict, False, "maybe"),
        (422, InvalidRequest, False, "maybe"),
        (429, RateLimited, True, "maybe"),
        (500, VendorUnavailable, True, "maybe"),
        (503, VendorUnavailable, True, "maybe"),
        (304, UnexpectedReply, False, "maybe"),
    ],
)
def test_statuses_become_typed_errors_that_claim_no_more_than_http_says(status, kind, retryable, created):
    error = classify_status(read("http://h/x?sig=canary"), Reply(status, headers={"Retry-After": "7"}))
    assert type(error) is kind
    assert (error.status, error.retryable, error.created, error.retry_after) == (status, retryable, created, 7.0)
    assert "canary" not in str(error)


@pytest.mark.parametrize("status", [*range(300, 600), 999])
def test_every_status_says_a_way_out(status):
    """Its own where it knows one, else that of its class; never that of any error whatever."""
    error = classify_status(read("http://h/x"), Reply(status))
    assert error.way_out not in {None, "", ProviderError.default_way_out}
    assert str(error) == f"{error.message} [HTTP {status}]. {error.way_out}"


def test_success_is_no_error():
    assert classify_status(read("http://h/"), Reply(204)) is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("5", 5.0), ("0.5", 0.5), ("-3", 0.0), ("soon", None), ("nan", None), ("inf", None), ("", None)],
)
def test_retry_after_in_seconds(value, seconds):
    assert retry_after(Reply(429, {"Retry-After": value})) == seconds


def test_retry_after_as_a_date():
    now = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
    reply = Reply(429, {"Retry-After": "Sun, 22 Nov 2026 10:01:30 GMT"})
    assert retry_after(reply, now) == 90.0
    assert retry_after(reply, now + timedelta(hours=1)) == 0.0


async def test_errors_pickle_with_all_they_carry(server, wires, closed_port):
    """They cross process pools and task queues; so the chained exceptions must not matter."""
    server.replies = [wires[0](b"slow down", 429, {"Retry-After": "9", "X-Request-Id": "r"}), wires[1]]
    caught = []
    async with Session(provider="acme", instance="a", retry=RetryPolicy(attempts=1)) as session:
        for url in (server.url, server.url, f"http://127.0.0.1:{closed_port}"):
            with pytest.raises((RateLimited, TransportFailed)) as error:
                await session.send(Request.build("POST", url, effect=Effect.CREATE, operation="Create"))
            caught.append(error.value)
    assert [type(error) for error in caught] == [RateLimited, TransportFailed, ConnectFailed]
    for error in caught:
        copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
        assert type(copy) is type(error)
        assert copy.__dict__ == error.__dict__
        assert str(copy) == str(error)


async def test_a_transport_takes_the_place_of_the_network(quick):
    """Stored replies run through retry, signing and classifying alike."""
    replies = iter([Reply(503), Reply(200, content=b'{"ok": true}')])
    asked = []

    async def stored(sent):
        asked.append(sent.operation)
        return next(replies)

    async with Session(provider="acme", transport=stored, retry=quick) as session:
        reply = await session.send(read("http://nowhere.invalid/"))
    assert reply.json() == {"ok": True}
    assert asked == ["Get", "Get"]


async def test_a_session_that_is_not_open_says_so():
    with pytest.raises(RuntimeError, match="async with"):
        await Session(provider="acme").send(read("http://127.0.0.1/"))


async def test_a_proxy_is_used_when_given_and_not_taken_from_the_environment(server, monkeypatch, wires):
    """The server plays the proxy. The name asked for is resolved by the proxy alone."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    async with Session(provider="acme") as session:
        await session.send(read(server.url + "/direct"))
    async with Session(provider="acme", proxy=server.url) as session:
        await session.send(read("http://public.test/x%2F?z=%7E"))
    assert [got.line for got in server.received] == [
        b"GET /direct HTTP/1.1",
        b"GET http://public.test/x%2F?z=%7E HTTP/1.1",
    ]


def test_the_light_names_import_no_http_library():
    """`import reelvet` must be cheap, and provider cards use Limits and Effect."""
    code = (
        "import sys, reelvet.http as h; h.Request, h.Limits, h.RetryPolicy, h.redact, h.network_disabled;"
        "print([m for m in ('httpx', 'aiohttp', 'tenacity', 'opentelemetry', 'asyncio') if m in sys.modules]);"
        "print(sorted(n for n in h.__all__ if getattr(h, n, None) is None)); print('httpx' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:3] == ["[]", "[]", "True"]


def test_no_public_signature_names_the_http_library():
    """Law 11: a move to another library must be nobody else's business."""
    import inspect

    import reelvet.http

    for name in reelvet.http.__all__:
        thing = getattr(reelvet.http, name)
        members = [thing, *(m for n, m in inspect.getmembers(thing) if not n.startswith("_") or n == "__init__")]
        for member in members:
            if callable(member) and (notes := getattr(member, "__annotations__", None)):
                assert not any(word in str(notes) for word in ("httpx", "aiohttp", "yarl", "tenacity")), name


async def test_concurrent_calls_do_not_mix_their_replies(server, session, wires):
    def echo(got, writer):
        writer.write(wires[0](got.line.split(b" ")[1].strip(b"/")))

    server.replies = [echo]
    replies = await asyncio.gather(*(session.send(read(f"{server.url}/{n}")) for n in range(50)))
    assert [int(reply.text) for reply in replies] == list(range(50))


def test_a_reply_with_half_a_surrogate_pair_can_be_written_down_again():
    assert Reply(200, {}, b'{"a": "\\ud83d", "b": "\\ud83d\\ude00"}').json() == {"a": "\\ud83d", "b": "\U0001f600"}


@pytest.mark.parametrize("content", [b"[" * 150 + b"]" * 150, b"[" * 100_000])
def test_a_reply_nested_beyond_reason_is_none(content):
    with pytest.raises(UnexpectedReply, match="nested too deep"):
        Reply(200, {}, content).json()
