"""The one guarded fetcher: for every URL that others can influence.

What it holds to: http and https only, no user info, ports 80, 443 and from 1024 up; every address of the name is checked,
and the connection goes to the very addresses that were checked, so a name that changes its mind in between gains nothing;
so on every hop, at most five; never from https down to http; no cookies, no credentials, no proxy; caps on size (after
decoding), on time and on slowness. What it leaves behind after a failure is nothing.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from reelvet.http import telemetry
from reelvet.http.addresses import Address, AllowList, parse
from reelvet.http.body import Sink
from reelvet.http.switch import check_network
from reelvet.http.wire import default_tls, user_agent
from reelvet.schema.errors import FetchError, FetchRefused, FetchTooLarge, FetchTooSlow
from reelvet.schema.urls import mask_url

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Sequence

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_RETRYABLE = frozenset({408, 425, 429})
_PLAIN_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_.])?|[0-9a-f:.]+", re.IGNORECASE | re.ASCII)
_PRINTABLE = re.compile(r"[!-~]+", re.ASCII)
_CHUNK = 256 * 1024
_WAY_OUT = "If this place is meant, add it to [fetch] allow as host, host:port or range of addresses."


class Resolver(Protocol):
    """Finds the addresses of a name."""

    async def __call__(self, host: str, port: int, /) -> Sequence[str]:
        """All addresses of the host as text. Raises `OSError` if there are none."""
        ...


async def resolve_by_system(host: str, port: int) -> list[str]:
    """The addresses that the system's own resolver gives."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was fetched.

    Args:
        url: The last URL after redirects, masked.
        host: Its host.
        content_type: As the server says, without a guess.
        size: Bytes written.
        sha256: Their digest, hexadecimal.
    """

    url: str
    host: str
    content_type: str | None
    size: int
    sha256: str


class Fetcher:
    """Fetches what others name. Holds nothing open between fetches, and may be used from any event loop.

    Args:
        allow: Private places that may be fetched from, see `AllowList`.
        resolver: Takes the place of the system's resolver.
        max_redirects: Hops after the first.
        connect_timeout: Seconds for one connection.
        min_speed: Bytes per second that must be kept up on average over each `speed_window`.
        speed_window: Seconds.
        verify: `False` trusts any certificate; or a context of your own.

    Raises:
        ConfigurationError: An entry of `allow` cannot be read.
    """

    def __init__(
        self,
        *,
        allow: Iterable[str] = (),
        resolver: Resolver = resolve_by_system,
        max_redirects: int = 5,
        connect_timeout: float = 10.0,
        min_speed: int = 1024,
        speed_window: float = 10.0,
        verify: bool | ssl.SSLContext = True,
    ) -> None:
        self._allow = AllowList(allow)
        self._resolve = resolver
        self._max_redirects = max_redirects
        self._connect_timeout = connect_timeout
        self._min_speed = min_speed
        self._speed_window = speed_window
        self._verify = verify

    async def fetch(self, url: str, *, to: str | Path | BinaryIO, max_bytes: int, timeout: float = 300.0) -> Fetched:
        """Fetch the URL into a file.

        Args:
            url: http or https. Sent as it is if it is encoded already (a signature may depend on it), else encoded.
            to: A path, which appears only when all is there (mode 0600, replacing what was there), or an open binary file,
                which is cut back to where it stood if the fetch fails.
            max_bytes: Cap on the bytes written.
            timeout: Seconds for everything, redirects included.

        Raises:
            FetchRefused: The URL, a redirect of it or an address of it is not allowed.
            FetchTooLarge: The body is larger than the cap.
            FetchTooSlow: It did not arrive in time, or too slowly.
            FetchError: It cannot be had or is incomplete; `retryable` says whether another try may help.
            NetworkDisabled: The kill switch is on.
        """
        with telemetry.span("reelvet.http fetch") as span:
            if isinstance(to, str | Path):
                fetched = await self._fetch_to_path(url, Path(to), max_bytes, timeout)
            else:
                fetched = await self._fetch_to_file(url, to, max_bytes, timeout)
            span.set_attribute("reelvet.fetch.size", fetched.size)
            return fetched

    async def _fetch_to_path(self, url: str, path: Path, max_bytes: int, seconds: float) -> Fetched:
        handle, name = await asyncio.to_thread(
            tempfile.mkstemp, prefix=f".{path.name}.", suffix=".part", dir=path.parent
        )
        try:
            with os.fdopen(handle, "wb") as file:
                fetched = await self._within(url, file, max_bytes, seconds)
            await asyncio.to_thread(os.replace, name, path)
        except BaseException:
            # Not in a thread: in a cancelled task there may be no time to wait for one.
            with suppress(FileNotFoundError):
                os.unlink(name)  # noqa: PTH108 - ruff takes Path.unlink for blocking, and it is no less so
            raise
        return fetched

    async def _fetch_to_file(self, url: str, file: BinaryIO, max_bytes: int, seconds: float) -> Fetched:
        start = file.tell() if file.seekable() else None
        try:
            return await self._within(url, file, max_bytes, seconds)
        except BaseException:
            if start is not None:
                file.seek(start)
                file.truncate()
            raise

    async def _within(self, url: str, file: BinaryIO, max_bytes: int, seconds: float) -> Fetched:
        masked = mask_url(url)
        deadline = asyncio.timeout(seconds)
        try:
            async with deadline:
                return await self._follow(url, Sink(file, max_bytes, masked))
        except TimeoutError:
            says = (
                f"not fetched within {seconds:g} s"
                if deadline.expired()
                else f"nothing came for {self._speed_window:g} s"
            )
        raise FetchTooSlow(
            f"{masked} was {says}" if deadline.expired() else f"{masked}: {says}", url=masked, retryable=True
        )

    async def _follow(self, url: str, sink: Sink) -> Fetched:
        hop = _parsed(url)
        for _ in range(self._max_redirects + 1):
            addresses = await self._checked(hop)
            target = await self._hop(hop, addresses, sink)
            if isinstance(target, Fetched):
                return target
            if hop.scheme == "https" and target.scheme == "http":
                raise FetchRefused(
                    f"{_masked(hop)} redirects from https down to http ({_masked(target)})",
                    url=_masked(hop),
                    way_out="Give the URL at which the media itself is.",
                )
            hop = target
        raise FetchRefused(
            f"{mask_url(url)} redirects more than {self._max_redirects} times",
            url=mask_url(url),
            way_out="Give the URL at which the media itself is.",
        )

    async def _checked(self, url: URL) -> list[Address]:
        host, port = url.raw_host or "", url.port or 0
        check_network(host)
        literal = parse(host)
        try:
            names = [host] if literal else await self._resolve(host, port)
        except (OSError, UnicodeError) as error:  # UnicodeError: a label that is too long for a name
            raise FetchError(
                f"the host of {_masked(url)} has no address: {error}",
                url=_masked(url),
                retryable=True,
                way_out="Check how the host is written, and that this machine can look names up.",
            ) from error
        addresses = [address for name in names if (address := parse(name.partition("%")[0]))]
        if not addresses or len(addresses) != len(names):
            raise FetchError(f"the host of {_masked(url)} has no address that can be read", url=_masked(url))
        # One bad address among good ones is no accident, and which of them is called is not ours to choose.
        for address in addresses:
            if why := self._allow.refusal(host, port, address):
                at = "" if literal else f" (it is at {address})"
                raise FetchRefused(
                    f"{_masked(url)} is not fetched: its address is {why}{at}", url=_masked(url), way_out=_WAY_OUT
                )
        if not self._allow.allows_port(host, port, addresses):
            raise FetchRefused(
                f"{_masked(url)} is not fetched: port {port} is none of the web", url=_masked(url), way_out=_WAY_OUT
            )
        return addresses

    async def _hop(self, url: URL, addresses: list[Address], sink: Sink) -> Fetched | URL:
        pinned = frozenset(str(address) for address in addresses)

        def only_pinned(info: tuple[int, int, int, str, tuple[str | int, ...]]) -> socket.socket:
            # The resolver below gives nothing else; this holds even if aiohttp should one day ask somebody else.
            if str(info[4][0]) not in pinned:
                raise OSError("an address that was not checked")
            return socket.socket(info[0], info[1], info[2])

        verify = default_tls() if self._verify is True else self._verify
        connector = aiohttp.TCPConnector(
            resolver=_Pinned(url.raw_host or "", addresses),
            use_dns_cache=False,
            ssl=verify,
            force_close=True,
            socket_factory=only_pinned,
        )
        try:
            async with (
                aiohttp.ClientSession(
                    connector=connector,
                    cookie_jar=aiohttp.DummyCookieJar(),
                    auto_decompress=False,
                    timeout=aiohttp.ClientTimeout(
                        total=None, connect=self._connect_timeout, sock_read=self._speed_window
                    ),
                ) as client,
                client.get(
                    url,
                    allow_redirects=False,
                    headers={"User-Agent": user_agent(), "Accept": "*/*", "Accept-Encoding": "identity"},
                ) as response,
            ):
                return await self._answer(url, response, sink)
        except aiohttp.ClientPayloadError:
            says = "its body ends before its time"
        except aiohttp.ClientSSLError as error:
            says = f"no trusted TLS connection: {error}"
        except aiohttp.ConnectionTimeoutError:
            says = f"no connection within {self._connect_timeout:g} s"
        except TimeoutError:
            raise
        except aiohttp.ClientResponseError:
            says = "its reply is not HTTP as it should be: malformed, or more came than its Content-Length says"
        except (aiohttp.ClientError, OSError) as error:
            # Of these messages some quote the whole URL: the kind has to do.
            says = f"the connection failed ({type(error).__name__})"
        raise FetchError(f"{_masked(url)} could not be fetched: {says}", url=_masked(url), retryable=True)

    async def _answer(self, url: URL, response: aiohttp.ClientResponse, sink: Sink) -> Fetched | URL:
        masked = _masked(url)
        if response.status in _REDIRECTS:
            location = response.headers.get("Location")
            if not location:
                raise FetchError(f"{masked} redirects to nowhere", url=masked)
            return _parsed(location, url)
        if response.status != 200:  # noqa: PLR2004
            again = response.status >= 500 or response.status in _RETRYABLE  # noqa: PLR2004
            raise FetchError(f"{masked} was answered with HTTP {response.status}", url=masked, retryable=again)
        if response.content_length is not None and response.content_length > sink.max_bytes:
            raise FetchTooLarge(
                f"{masked} says it has {response.content_length} bytes, more than {sink.max_bytes}", url=masked
            )
        sink.start(response.headers.get("Content-Encoding", ""))
        loop = asyncio.get_running_loop()
        since, arrived = loop.time(), 0
        async for chunk in response.content.iter_chunked(_CHUNK):
            arrived += len(chunk)
            await sink.write(chunk)
            elapsed = loop.time() - since
            if elapsed >= self._speed_window:
                if arrived < self._min_speed * elapsed:
                    raise FetchTooSlow(
                        f"{masked} comes with {arrived / elapsed:.0f} bytes/s, less than {self._min_speed}",
                        url=masked,
                        retryable=True,
                    )
                since, arrived = loop.time(), 0
        await sink.finish()
        kind = response.headers.get("Content-Type")
        kind = kind[:200].encode("utf-8", "replace").decode() if kind else None
        return Fetched(masked, url.raw_host or "", kind, sink.size, sink.sha256)


class _Pinned(AbstractResolver):
    """Knows one host, and of it only the addresses that were checked."""

    def __init__(self, host: str, addresses: Sequence[Address]) -> None:
        self._host = host
        self._addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        if host != self._host:
            raise OSError(f"{host} was not checked")
        return [
            ResolveResult(
                hostname=host,
                host=str(address),
                port=port,
                family=socket.AF_INET if address.version == 4 else socket.AF_INET6,  # noqa: PLR2004
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in self._addresses
            if family in {socket.AF_UNSPEC, socket.AF_INET if address.version == 4 else socket.AF_INET6}  # noqa: PLR2004
        ]

    async def close(self) -> None:
        """Nothing is held."""


def _masked(url: URL) -> str:
    return mask_url(str(url))


def _parsed(text: str, base: URL | None = None) -> URL:
    """The URL as one parser reads it for the check and for the call: two that read it differently are a way around the check."""
    # A Location header may hold any bytes, which Python keeps as surrogates that cannot be printed.
    text = text.encode("utf-8", "replace").decode()
    try:
        url = URL(text, encoded=_PRINTABLE.fullmatch(text) is not None)
        if base is not None:
            url = base.join(url)
        host, port = url.raw_host, url.port
    except ValueError:
        raise FetchRefused(f"{mask_url(text)} is not a URL", url=mask_url(text)) from None
    masked = _masked(url)
    if url.scheme not in {"http", "https"}:
        raise FetchRefused(f"{masked} is not fetched: only http and https are", url=masked)
    if url.raw_user is not None or url.raw_password is not None:
        raise FetchRefused(
            f"{masked} is not fetched: it holds user info", url=masked, way_out="Use a signed URL instead."
        )
    if not host or not port or not _PLAIN_HOST.fullmatch(host) or "\\" in str(url):
        raise FetchRefused(f"{masked} is not fetched: its host cannot be read", url=masked)
    with suppress(ValueError):
        url = url.with_fragment(None)
    return url
