"""The application: what it reads, how its paths name instance and key, and that it can stand within another."""

import asyncio
import http.client
import json
from contextlib import closing

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from reelvet.callbacks import Receiver, callbacks_app
from reelvet.journal import MemoryJournal
from reelvet.schema.errors import JournalError


def call(url, method, path, body=None, headers=None):
    with closing(http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)) as connection:
        connection.request(
            method, path, body=body, headers=headers or {}, encode_chunked="Transfer-Encoding" in (headers or {})
        )
        reply = connection.getresponse()
        return reply.status, reply.read()


@pytest.fixture
def came(monkeypatch):
    """What the receiver was given, in place of what it does with it."""
    received = []

    async def receive(self, instance, body, headers, query):
        received.append((instance, body, headers, query))
        return self.refuse(200, "received")

    monkeypatch.setattr(Receiver, "receive", receive)
    return received


PATHS = [
    ("/tencent", "tencent", {}),
    ("/tencent/", "tencent", {}),
    ("/tencent?key=a%2Fb&x=1", "tencent", {"key": "a/b", "x": "1"}),
    ("/tencent/a%2Fb", "tencent", {"key": "a/b"}),
    ("/tencent/a%252Fb", "tencent", {"key": "a%2Fb"}),
    ("/tencent/%E2%82%AC%20+", "tencent", {"key": "€ +"}),
    ("/tencent/in%20path?key=in+query", "tencent", {"key": "in path"}),
    ("/health", "health", {}),
    ("/hooks/of/tencent-cn/k", "tencent-cn", {"key": "k"}),
]


async def test_the_path_names_the_instance_and_path_or_query_the_key(moderator, serve, came):
    inner = callbacks_app(moderator)
    url = await serve(Starlette(routes=[Mount("/hooks/of", inner), Mount("/", inner)]))
    for path, instance, query in PATHS:
        assert await asyncio.to_thread(call, url, "POST", path, b"{}", {"X-Signature": "s"}) == (200, b"received")
        named, body, headers, asked = came.pop()
        assert (named, body, headers["x-signature"], asked) == (instance, b"{}", "s", query), path


async def test_of_what_is_too_large_or_too_slow_no_more_is_read(moderator, serve, came, monkeypatch):
    monkeypatch.setattr("reelvet.callbacks.app._SLOWEST", 0.2)
    receiver = Receiver(moderator, most=1000)
    url = await serve(callbacks_app(moderator, receiver=receiver))
    assert (await asyncio.to_thread(call, url, "POST", "/tencent", b"x" * 1001))[0] == 413
    endless = iter([b"x" * 600] * 2)  # in chunks, without a length
    assert (await asyncio.to_thread(call, url, "POST", "/tencent", endless, {"Transfer-Encoding": "chunked"}))[0] == 413
    assert (await asyncio.to_thread(call, url, "POST", "/tencent", b"x", {"Content-Length": "5"}))[0] == 408
    assert (await asyncio.to_thread(call, url, "GET", "/tencent"))[0] == 405
    assert not came
    assert receiver.counts["too large"] == 2
    assert receiver.counts["too slow"] == 1


async def test_it_says_whether_the_journal_can_be_read(moderator, serve, monkeypatch):
    url = await serve(callbacks_app(moderator))
    assert await asyncio.to_thread(call, url, "GET", "/health") == (200, b'{"ok":true}')

    async def broken(_):
        raise JournalError("gone")

    monkeypatch.setattr(MemoryJournal, "last_news", broken)
    status, body = await asyncio.to_thread(call, url, "GET", "/health")
    assert (status, json.loads(body)["ok"]) == (503, False)


async def test_within_another_application_the_first_callback_begins_the_follow_up(
    moderator, serve, tencent_body, until
):
    """Whose lifespan may run none of it."""
    receiver = Receiver(moderator)
    url = await serve(Starlette(routes=[Mount("/hooks", callbacks_app(moderator, receiver=receiver))]))
    body, headers = tencent_body()
    assert await asyncio.to_thread(call, url, "POST", "/hooks/tencent", body, headers) == (200, b"received")
    await until(lambda: receiver.counts["nobody's"] == 1)
    await receiver.aclose()
