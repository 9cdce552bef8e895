"""Law 14: what others name is fetched only from where it may be, only from the addresses that were checked, and not without end."""

import asyncio
import hashlib
import io

import pytest

from reelvet.http import Fetcher
from reelvet.schema.errors import FetchError, FetchRefused

LOOPBACK = "127.0.0.1/32"


@pytest.fixture
def nothing_is_called(monkeypatch):
    """Any attempt to open a connection fails the test."""

    async def connect(*args, **more):
        raise AssertionError("a connection was attempted")

    monkeypatch.setattr("aiohappyeyeballs.start_connection", connect)
    monkeypatch.setattr("aiohttp.connector.aiohappyeyeballs.start_connection", connect)


# --- what is fetched --------------------------------------------------------------------------------------------


async def test_a_body_is_fetched_with_its_size_digest_and_type(server, wires, fetching):
    body = bytes(range(256)) * 3000
    server.replies = [wires[0](body, headers={"Content-Type": "video/mp4"})]
    fetched, content = await fetching.got(
        fetching.local(), f"http://public.test:{server.port}/a%2Fb/%7Ec?sign=%2F+canary"
    )
    assert content == body
    assert (fetched.size, fetched.sha256) == (len(body), hashlib.sha256(body).hexdigest())
    assert (fetched.content_type, fetched.host) == ("video/mp4", "public.test")
    assert fetched.url == f"http://public.test:{server.port}/a%2Fb/%7Ec?***"
    assert "canary" not in repr(fetched)


async def test_a_signed_url_goes_out_byte_for_byte_and_nothing_of_ours_with_it(server, fetching):
    await fetching.got(fetching.local(), f"http://public.test:{server.port}/a%2Fb/%7Ec?sign=%2F+%3d")
    (received,) = server.received
    assert received.line == b"GET /a%2Fb/%7Ec?sign=%2F+%3d HTTP/1.1"
    names = {line.partition(b":")[0].lower() for line in received.head.split(b"\r\n")[1:] if line}
    assert names <= {b"host", b"user-agent", b"accept", b"accept-encoding", b"connection"}
    assert received.header(b"Accept-Encoding") == b"identity"
    assert received.header(b"Host") == f"public.test:{server.port}".encode()


async def test_a_url_that_is_not_encoded_is(server, fetching):
    await fetching.got(fetching.local(), f"http://public.test:{server.port}/mein film é.mp4")
    assert server.received[0].line == b"GET /mein%20film%20%C3%A9.mp4 HTTP/1.1"


async def test_to_a_path_it_appears_whole_or_not_at_all(server, wires, tmp_path, fetching):
    target = tmp_path / "clip.mp4"
    server.replies = [wires[0](b"first"), wires[2]]
    await fetching.local().fetch(f"http://public.test:{server.port}/", to=target, max_bytes=100)
    assert target.read_bytes() == b"first"
    with pytest.raises(FetchError):
        await fetching.local().fetch(f"http://public.test:{server.port}/", to=target, max_bytes=10_000)
    assert target.read_bytes() == b"first"
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"], "no partial file is left"


async def test_a_cancelled_fetch_leaves_nothing(server, wires, tmp_path, fetching):
    async def begun(received, writer):
        writer.write(wires[0](b"half", length=100))
        await writer.drain()
        await asyncio.sleep(5)

    server.replies = [begun]
    task = asyncio.create_task(
        fetching.local().fetch(f"http://public.test:{server.port}/", to=tmp_path / "x", max_bytes=1000)
    )
    await asyncio.wait_for(server.asked.wait(), 5)
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert list(tmp_path.iterdir()) == []


async def test_an_open_file_is_cut_back_to_where_it_stood(server, wires, fetching):
    server.replies = [wires[2]]
    file = io.BytesIO()
    file.write(b"before")
    with pytest.raises(FetchError):
        await fetching.local().fetch(f"http://public.test:{server.port}/", to=file, max_bytes=10_000)
    assert file.getvalue() == b"before"


async def test_tls_verifies_the_name_and_not_the_pinned_address(tls_server, certificate, fetching):
    """The certificate is for `public.test`; the connection goes to 127.0.0.1."""
    import ssl

    context = ssl.create_default_context(cafile=certificate.path)
    _, content = await fetching.got(fetching.local(verify=context), f"https://public.test:{tls_server.port}/")
    assert content == b"{}"
    with pytest.raises(FetchError, match="TLS"):
        await fetching.got(fetching.local(verify=context), f"https://other.test:{tls_server.port}/")
    with pytest.raises(FetchError, match="TLS"):
        await fetching.got(fetching.local(), f"https://public.test:{tls_server.port}/")
    assert len(tls_server.received) == 1


# --- what is refused --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://public.test/x",
        "gopher://public.test/",
        "data:text/plain,x",
        "/etc/passwd",
        "//public.test/x",
        "",
        "http://",
        "http:///x",
        "http://user:canary@public.test/",
        "http://canary@public.test/",
        "http://public.test\\@127.0.0.1/",
        "http://public.test:canary/",
        "http://[::1%25lo]/",
        "http://public.test:22/",
        "http://public.test:25/",
        "http://public.test:99999/",
        "http://pub lic.test/",
    ],
)
async def test_urls_that_are_not_plain_http_are_refused(nothing_is_called, url, fetching):
    fetcher = Fetcher(resolver=fetching.names(public_test=[["8.8.8.8"]]))
    with pytest.raises(FetchRefused) as caught:
        await fetching.got(fetcher, url)
    assert "canary@" not in str(caught.value)


PRIVATE = [
    "127.0.0.1",
    "127.255.0.1",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.5.4",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:8.8.8.8",
    "::ffff:127.0.0.1",
    "::7f00:1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::808:808",
    "2002:7f00:1::",
    "2002:808:808::",
    "2001:0:808:808::1",
    "2001:db8::1",
    "3fff::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "100::1",
    "5f00::1",
]


@pytest.mark.parametrize("address", PRIVATE)
async def test_a_private_address_is_refused_as_a_literal_and_behind_a_name(nothing_is_called, address, fetching):
    literal = f"[{address}]" if ":" in address else address
    fetcher = Fetcher(resolver=fetching.names(public_test=[[address]]))
    for url in (f"http://{literal}/x?sign=canary", "http://public.test/x?sign=canary"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("reelvet.http.fetch.check_network", lambda host: None)
            with pytest.raises(FetchRefused, match=r"\[fetch\] allow") as caught:
                await fetching.got(fetcher, url)
        assert "canary" not in str(caught.value)
        assert "canary" not in caught.value.url


@pytest.mark.parametrize(
    "spelled",
    ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "\uff11\uff12\uff17.0.0.1", "localhost", "LOCALHOST."],
)
async def test_other_spellings_of_loopback_are_refused(nothing_is_called, monkeypatch, spelled, fetching):
    """The system's resolver understands them, so the check must see what it says."""
    monkeypatch.setattr("reelvet.http.fetch.check_network", lambda host: None)

    async def resolver(host, port):
        return ["127.0.0.1"]

    with pytest.raises(FetchRefused):
        await fetching.got(Fetcher(resolver=resolver), f"http://{spelled}:8000/")


@pytest.mark.parametrize("answers", [["8.8.8.8", "10.0.0.1"], ["10.0.0.1", "8.8.8.8"], ["2606:4700::1111", "::1"]])
async def test_one_private_address_among_public_ones_refuses_the_name(nothing_is_called, answers, fetching):
    with pytest.raises(FetchRefused):
        await fetching.got(Fetcher(resolver=fetching.names(mixed_test=[answers])), "http://mixed.test/")


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808"])
def test_public_addresses_are_not_refused(address):
    """NAT64 too: in networks with IPv6 alone the whole net lies behind it."""
    from ipaddress import ip_address

    from reelvet.http.addresses import refusal

    assert refusal(ip_address(address)) is None


async def test_a_name_that_changes_its_mind_after_the_check_gains_nothing(server, fetching):
    """DNS rebinding: the second answer would lead to another server, on another address of this machine."""
    stolen = []

    async def other(reader, writer):
        stolen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.close()

    listening = await asyncio.start_server(other, "127.0.0.2", server.port)
    names = fetching.names(rebind_test=[["127.0.0.1"], ["127.0.0.2"], ["127.0.0.2"]])
    try:
        _, content = await fetching.got(Fetcher(allow=[LOOPBACK], resolver=names), f"http://rebind.test:{server.port}/")
    finally:
        listening.close()
    assert content == b"{}"
    assert names.asked == ["rebind.test"], "the name was asked for once, by the check"
    assert stolen == []
    assert len(server.received) == 1


async def test_each_hop_is_checked_anew_even_for_the_same_name(server, wires, fetching):
    """The first answer is allowed, the one on the redirect is not."""
    server.replies = [wires[0](b"", 302, {"Location": "/again"})]
    names = fetching.names(rebind_test=[["127.0.0.1"], ["127.0.0.2"]])
    with pytest.raises(FetchRefused):
        await fetching.got(Fetcher(allow=[LOOPBACK], resolver=names), f"http://rebind.test:{server.port}/")
    assert len(server.received) == 1


@pytest.mark.parametrize(
    "target",
    [
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "http://u:p@other.test/",
        "//[::1]/",
        "http://other.test:22/",
    ],
)
async def test_a_redirect_to_what_is_not_allowed_is_refused(server, wires, monkeypatch, target, fetching):
    monkeypatch.setattr("reelvet.http.fetch.check_network", lambda host: None)
    server.replies = [wires[0](b"", 302, {"Location": target})]
    names = fetching.names(public_test=[["127.0.0.1"]], other_test=[["8.8.8.8"]])
    with pytest.raises(FetchRefused):
        await fetching.got(Fetcher(allow=[LOOPBACK], resolver=names), f"http://public.test:{server.port}/")
    assert len(server.received) == 1


async def test_redirects_are_followed_without_cookies_and_the_last_host_is_told(server, wires, fetching):
    def first(received, writer):
        writer.write(
            wires[0](
                b"ignored",
                302,
                {"Location": f"http://other.test:{server.port}/b?x=%2F", "Set-Cookie": "s=1; Domain=test"},
            )
        )

    server.replies = [first, wires[0](b"there")]
    fetched, content = await fetching.got(fetching.local(), f"http://public.test:{server.port}/a")
    assert content == b"there"
    assert fetched.host == "other.test"
    assert server.received[1].line == b"GET /b?x=%2F HTTP/1.1"
    assert server.received[1].header(b"Cookie") is None
    assert server.received[1].header(b"Referer") is None


async def test_redirects_end_after_five(server, wires, fetching):
    server.replies = [wires[0](b"", 302, {"Location": "/again"})]
    with pytest.raises(FetchRefused, match="5 times"):
        await fetching.got(fetching.local(), f"http://public.test:{server.port}/")
    assert len(server.received) == 6


async def test_a_redirect_from_https_down_to_http_is_refused(tls_server, server, certificate, wires, fetching):
    import ssl

    tls_server.replies = [wires[0](b"", 302, {"Location": f"http://public.test:{server.port}/"})]
    fetcher = fetching.local(verify=ssl.create_default_context(cafile=certificate.path))
    with pytest.raises(FetchRefused, match="down to http"):
        await fetching.got(fetcher, f"https://public.test:{tls_server.port}/")
    assert server.received == []


# --- the allow list ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "allowed"),
    [
        ("public.test", True),
        ("PUBLIC.test.", True),
        ("public.test:PORT", True),
        ("127.0.0.1", True),
        ("127.0.0.0/8", True),
        ("public.test:1", False),
        ("other.test", False),
        ("lic.test", False),
        ("test", False),
        ("10.0.0.0/8", False),
    ],
)
async def test_private_hosts_are_fetched_from_only_if_listed(server, entry, allowed, fetching):
    fetcher = Fetcher(
        allow=[entry.replace("PORT", str(server.port))], resolver=fetching.names(public_test=[["127.0.0.1"]])
    )
    if allowed:
        _, content = await fetching.got(fetcher, f"http://public.test:{server.port}/")
        assert content == b"{}"
    else:
        with pytest.raises(FetchRefused):
            await fetching.got(fetcher, f"http://public.test:{server.port}/")
        assert server.received == []


async def test_a_listed_name_does_not_open_the_metadata_service(nothing_is_called, fetching):
    """A name that is trusted and has come to point there was not meant; only the address itself opens it."""
    with pytest.raises(FetchRefused):
        await fetching.got(
            Fetcher(allow=["public.test"], resolver=fetching.names(public_test=[["169.254.169.254"]])),
            "http://public.test/",
        )


@pytest.mark.parametrize("entry", ["", "http://h/", "h/x", "10.0.0.1/8", "*.internal", "u@h", "h:port", "h:99999"])
def test_entries_that_cannot_be_read_stop_the_start(entry):
    """Fail closed: 10.0.0.1/8 may mean one host or a range, so it means nothing."""
    from reelvet.schema.errors import ConfigurationError

    with pytest.raises(ConfigurationError) as caught:
        Fetcher(allow=[entry])
    assert caught.value.field == "fetch.allow"
