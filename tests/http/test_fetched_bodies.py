"""Law 14: what is fetched is no larger, no slower and no less complete than it may be, and failures are told in words."""

import asyncio
import contextlib
import gzip
import io
import pickle
import time
import zlib

import pytest

from reelvet.http import Fetcher
from reelvet.schema.errors import FetchError, FetchTooLarge, FetchTooSlow

LOOPBACK = "127.0.0.1/32"


# --- caps -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["declared", "chunked", "until closed"])
async def test_a_body_above_the_cap_is_too_large(server, wires, how, fetching):
    def undeclared(received, writer):
        chunked = how == "chunked"
        writer.write(
            b"HTTP/1.1 200 OK\r\n"
            + (b"Transfer-Encoding: chunked\r\n\r\n" if chunked else b"Connection: close\r\n\r\n")
        )
        for _ in range(200):
            writer.write((b"400\r\n" if chunked else b"") + b"x" * 1024 + (b"\r\n" if chunked else b""))
        writer.close()

    server.replies = [wires[0](b"x" * 200_000) if how == "declared" else undeclared]
    file = io.BytesIO()
    with pytest.raises(FetchTooLarge):
        await fetching.local().fetch(f"http://public.test:{server.port}/", to=file, max_bytes=100_000)
    assert file.getvalue() == b""


async def test_a_body_of_just_the_cap_is_not(server, wires, fetching):
    server.replies = [wires[0](b"x" * 1000)]
    _, content = await fetching.got(fetching.local(), f"http://public.test:{server.port}/", max_bytes=1000)
    assert len(content) == 1000


@pytest.mark.parametrize("surplus", [b"evil" * 100, b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"])
async def test_of_a_body_larger_than_it_said_nothing_more_gets_into_the_file(server, wires, surplus, fetching):
    """What comes after the declared end is no part of the reply: it is left out, or the whole reply refused."""
    server.replies = [wires[0](b"x" * 1000 + surplus, headers={"Content-Length": "1000"})]
    file = io.BytesIO()
    with contextlib.suppress(FetchError):
        await fetching.local().fetch(f"http://public.test:{server.port}/", to=file, max_bytes=100_000)
    assert len(server.received) == 1
    assert file.getvalue() in {b"", b"x" * 1000}


@pytest.mark.parametrize("how", ["declared", "chunked", "gzip"])
async def test_a_body_that_ends_before_its_time_is_incomplete(server, wires, how, fetching):
    def short(received, writer):
        if how == "chunked":
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n400\r\n" + b"x" * 1024 + b"\r\n")
        elif how == "gzip":
            writer.write(wires[0](gzip.compress(b"x" * 100_000)[:-20], headers={"Content-Encoding": "gzip"}))
        else:
            writer.write(wires[0](b"x" * 10, length=1000))
        writer.close()

    server.replies = [short]
    with pytest.raises(FetchError, match="before its time") as caught:
        await fetching.got(fetching.local(), f"http://public.test:{server.port}/")
    assert caught.value.retryable


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_compressed_body_is_decoded_and_counted_decoded(server, wires, encoding, fetching):
    body = b"moderation " * 1000
    packed = gzip.compress(body) if encoding == "gzip" else zlib.compress(body)
    server.replies = [wires[0](packed, headers={"Content-Encoding": encoding})]
    fetched, content = await fetching.got(fetching.local(), f"http://public.test:{server.port}/")
    assert content == body
    assert fetched.size == len(body)


async def test_what_unpacks_as_only_a_bomb_does_is_stopped_long_before_the_cap(server, wires, fetching):
    server.replies = [wires[0](gzip.compress(b"\0" * 40_000_000), headers={"Content-Encoding": "gzip"})]
    file = io.BytesIO()
    with pytest.raises(FetchTooLarge, match="unpack to 50 times as many"):
        await fetching.local().fetch(f"http://public.test:{server.port}/", to=file, max_bytes=1_000_000_000)
    assert file.getvalue() == b""


async def test_a_bomb_is_stopped_at_the_cap(server, wires, fetching):
    """100 MB in 100 kB: stopped after a step or two, with little memory."""
    import tracemalloc

    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(bytes(1_000_000)) for _ in range(100)) + packer.flush()
    server.replies = [wires[0](bomb, headers={"Content-Encoding": "gzip"})]
    tracemalloc.start()
    with pytest.raises(FetchTooLarge):
        await fetching.got(fetching.local(), f"http://public.test:{server.port}/", max_bytes=2_000_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(bomb) < 2_000_000
    assert peak < 20_000_000


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip"])
async def test_an_encoding_that_was_not_asked_for_is_an_error(server, wires, encoding, fetching):
    server.replies = [wires[0](b"x", headers={"Content-Encoding": encoding})]
    with pytest.raises(FetchError, match="encoding"):
        await fetching.got(fetching.local(), f"http://public.test:{server.port}/")


async def test_a_slow_drip_is_too_slow(server, wires, fetching):
    """A byte now and then keeps every read timeout happy; the least speed does not let it."""

    async def drip(received, writer):
        writer.write(wires[0](b"", length=100_000))
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    server.replies = [drip]
    begun = time.monotonic()
    with pytest.raises(FetchTooSlow, match="bytes/s"):
        await fetching.got(
            fetching.local(min_speed=1000, speed_window=0.3), f"http://public.test:{server.port}/", timeout=5
        )
    assert time.monotonic() - begun < 2


async def test_silence_is_too_slow(server, fetching):
    async def silent(received, writer):
        await asyncio.sleep(5)

    server.replies = [silent]
    with pytest.raises(FetchTooSlow, match="nothing came"):
        await fetching.got(fetching.local(speed_window=0.2), f"http://public.test:{server.port}/")


async def test_the_whole_fetch_has_a_time(server, wires, fetching):
    async def steady(received, writer):
        writer.write(wires[0](b"", length=10_000_000))
        while True:
            writer.write(b"x" * 5000)
            await writer.drain()
            await asyncio.sleep(0.02)

    server.replies = [steady]
    begun = time.monotonic()
    with pytest.raises(FetchTooSlow, match=r"within 0\.5 s"):
        await fetching.got(fetching.local(), f"http://public.test:{server.port}/", max_bytes=100_000_000, timeout=0.5)
    assert 0.4 < time.monotonic() - begun < 2


# --- errors -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "retryable"), [(404, False), (403, False), (206, False), (429, True), (500, True), (503, True)]
)
async def test_a_status_other_than_200_is_an_error(server, wires, status, retryable, fetching):
    server.replies = [wires[0](b"x", status)]
    with pytest.raises(FetchError, match=str(status)) as caught:
        await fetching.got(fetching.local(), f"http://public.test:{server.port}/")
    assert caught.value.retryable is retryable


@pytest.mark.parametrize(
    "how", ["refused", "cut", "no address", "no name", "not an address", "redirect to nowhere", "not http"]
)
async def test_failures_are_told_with_a_masked_url_and_pickle(server, wires, closed_port, how, fetching):
    def garbage(received, writer):
        writer.write(b"SSH-2.0-OpenSSH\r\n")
        writer.close()

    server.replies = [
        {"cut": wires[1], "redirect to nowhere": wires[0](b"", 302), "not http": garbage}.get(how, wires[0]())
    ]

    async def resolver(host, port):
        if how == "no address":
            raise OSError("unknown name")
        if how == "no name":
            raise UnicodeError("label too long")
        return ["nonsense"] if how == "not an address" else ["127.0.0.1"]

    port = closed_port if how == "refused" else server.port
    url = f"http://public.test:{port}/x?sign={'can' + 'ary'}"  # tracebacks quote the source
    with pytest.raises(FetchError) as caught:
        await fetching.got(Fetcher(allow=[LOOPBACK], resolver=resolver), url)
    import traceback

    assert "canary" not in "".join(traceback.format_exception(caught.value))
    assert caught.value.url == f"http://public.test:{port}/x?***"
    copy = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own
    assert (str(copy), copy.__dict__) == (str(caught.value), caught.value.__dict__)


async def test_a_disk_that_is_full_is_told_as_such(server, wires, fetching):
    """And not as a failure of the connection, which another try might mend."""
    server.replies = [wires[0](b"x" * 1000)]

    class Full(io.BytesIO):
        def write(self, data):
            raise OSError(28, "No space left on device")

    with pytest.raises(FetchError, match="No space left") as caught:
        await fetching.local().fetch(f"http://public.test:{server.port}/", to=Full(), max_bytes=10_000)
    assert not caught.value.retryable


async def test_a_location_of_any_bytes_is_refused_in_words_that_can_be_printed(server, fetching):
    server.replies = [b"HTTP/1.1 302 Found\r\nLocation: http://\xff\xfe/\r\nContent-Length: 0\r\n\r\n"]
    with pytest.raises(FetchError) as caught:
        await fetching.got(fetching.local(), f"http://public.test:{server.port}/")
    assert str(caught.value).encode()
