"""One try on the wire: httpx over aiohttp. The only module that knows them for calls to vendors.

The transport is our own and not that of `httpx-aiohttp`: that one reports a connection which broke after the request was
sent as `ConnectTimeout`, and here "certainly not sent" decides whether something billed may be sent again. It also hands
the URL on as text, which yarl then quotes anew (`%7E` becomes `~`, `%2F` in a query `/`), so signatures would not hold.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import urlsplit

import aiohttp
import httpx
from yarl import URL

from reelvet.http.redact import logger
from reelvet.http.request import Headers, Reply, Request
from reelvet.http.switch import check_network
from reelvet.schema.errors import ConnectFailed, ProviderError, ReplyTooLarge, TransportFailed, UnexpectedReply
from reelvet.schema.urls import mask_url

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from reelvet.http.redact import Redactor
    from reelvet.http.timeouts import Timeouts

_CHUNK = 64 * 1024
# Shorter than the idle timeout of the usual servers (Node's is 5 s): a create sent on a connection that is just being
# closed ends with an unknown outcome.
_KEEPALIVE = 4.0
_log = logger("http.wire")

_AUTOMATIC = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


@cache
def user_agent() -> str:
    """`reelvet/<version>`."""
    try:
        return f"reelvet/{version('reelvet')}"
    except PackageNotFoundError:
        return "reelvet"


@dataclass(slots=True)
class _Call:
    """What one try knows of itself, so that a failure can say whether anything was sent."""

    request: Request
    sent: Callable[[], None] = lambda: None
    connected: bool = False
    watchdog: asyncio.Timeout | None = None


class _Severed(aiohttp.ClientConnectionError):
    """A connection that broke in use, under a name which aiohttp does not take as a reason to send the request again."""


async def _once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    # aiohttp silently repeats idempotent requests on a connection that the server had closed. There is one retry layer,
    # and it is not this one: https://github.com/aio-libs/aiohttp/blob/v3.14.5/aiohttp/client.py#L738
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _Severed(f"{type(error).__name__}: {error}") from error


async def _connected(session: Any, context: Any, params: Any) -> None:  # noqa: ARG001 - the signature is aiohttp's
    call = context.trace_request_ctx
    call.connected = True


class _Place(NamedTuple):
    """A URL as everybody here wants it. Remembered, as most calls go to the same few."""

    shown: str
    """Without what may be a secret."""
    exact: URL
    """What goes out, byte for byte."""
    of_httpx: httpx.URL
    """For httpx's own sake, without the query."""


@lru_cache(256)
def _place(url: str) -> _Place:
    shown = mask_url(url)
    return _Place(shown, URL(url, encoded=True), httpx.URL(shown.partition("?")[0]))


async def _sent(session: Any, context: Any, params: Any) -> None:  # noqa: ARG001 - the signature is aiohttp's
    call: _Call = context.trace_request_ctx
    call.sent()


async def _sent_whole(session: Any, context: Any, params: Any) -> None:
    if not context.trace_request_ctx.request.content:
        await _sent(session, context, params)


_NOTHING = httpx.ByteStream(b"")


class _Body(httpx.AsyncByteStream):
    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._response.content.iter_chunked(_CHUNK):
            yield chunk

    async def aclose(self) -> None:
        # A body read to its end has given its connection back already; any other takes its connection with it.
        self._response.close()


class _Transport(httpx.AsyncBaseTransport):
    def __init__(self, client: aiohttp.ClientSession, timeouts: Timeouts, proxy: URL | None) -> None:
        self._client = client
        self._timeouts = timeouts
        self._proxy = proxy

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        call: _Call = request.extensions["reelvet"]
        sent = call.request
        headers = [*sent.headers.items()]
        if len(sent.content) <= _CHUNK:
            response = await self._send(call, headers, sent.content or None)
        else:
            # aiohttp has no timeout for writing; in pieces, each piece taken is a sign of life.
            if "Content-Length" not in sent.headers:
                headers.append(("Content-Length", str(len(sent.content))))
            async with asyncio.timeout(None) as watchdog:
                call.watchdog = watchdog
                try:
                    response = await self._send(call, headers, self._pieces(call))
                finally:
                    call.watchdog = None
        return httpx.Response(
            response.status, headers=list(response.raw_headers), stream=_Body(response), request=request
        )

    async def _send(self, call: _Call, headers: list[tuple[str, str]], data: Any) -> aiohttp.ClientResponse:
        return await self._client.request(
            call.request.method,
            _place(call.request.url).exact,
            headers=headers,
            data=data,
            allow_redirects=False,
            proxy=self._proxy,
            trace_request_ctx=call,
        )

    async def _pieces(self, call: _Call) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        content = memoryview(call.request.content)
        for start in range(0, len(content), _CHUNK):
            if call.watchdog:
                call.watchdog.reschedule(loop.time() + self._timeouts.write)
            yield bytes(content[start : start + _CHUNK])
        if call.watchdog:
            call.watchdog.reschedule(None)

    async def aclose(self) -> None:
        await self._client.close()


class Wire:
    """A pool of connections, and one try at a time over it. Made within a running event loop."""

    def __init__(
        self,
        *,
        timeouts: Timeouts,
        max_reply_bytes: int,
        redactor: Redactor,
        verify: bool | str | Path | ssl.SSLContext,
        proxy: str | None,
        trust_env: bool,
        connections: int,
    ) -> None:
        self._timeouts = timeouts
        self._max = max_reply_bytes
        self._redact = redactor
        self._proxy = URL(proxy) if proxy else None
        trace = aiohttp.TraceConfig()
        trace.on_connection_create_end.append(_connected)
        trace.on_connection_reuseconn.append(_connected)
        # The head is handed over with the body, if there is one, and then some turns of the loop later.
        trace.on_request_headers_sent.append(_sent_whole)
        trace.on_request_chunk_sent.append(_sent)
        client = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections, ssl=_tls(verify), keepalive_timeout=_KEEPALIVE),
            # The whole try has its deadline in `exchange`.
            timeout=aiohttp.ClientTimeout(total=None, connect=timeouts.connect, sock_read=timeouts.read),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=_AUTOMATIC,
            trust_env=trust_env,
            middlewares=(_once,),
            trace_configs=[trace],
        )
        # Asked directly: all that `httpx.AsyncClient` would do besides is not wanted, such as keeping cookies.
        self._transport = _Transport(client, timeouts, self._proxy)

    async def close(self) -> None:
        """Close every connection."""
        await self._transport.aclose()

    async def exchange(self, request: Request, sent: Callable[[], None] = lambda: None) -> Reply:
        """Send the request once and read the whole reply.

        Args:
            request: What to send.
            sent: Called when it goes into the socket.

        Raises:
            ConnectFailed: No connection was made, so nothing was sent.
            TransportFailed: It broke or timed out after the request may have been sent.
            ReplyTooLarge: The decoded reply is larger than the cap.
            UnexpectedReply: The reply cannot be decoded.
            NetworkDisabled: The kill switch is on.
        """
        check_network(urlsplit(request.url).hostname or "")
        if self._proxy:
            check_network(self._proxy.host or "")
        call = _Call(request, sent)
        try:
            async with asyncio.timeout(self._timeouts.total):
                return await self._exchange(call)
        except (aiohttp.ClientError, httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
            failure = self._failure(call, error)
            cause = error if self._harmless(error) else None
        # Outside of the block, so that the exception of the HTTP library does not hang on as context if it may not be seen.
        raise failure from cause

    async def _exchange(self, call: _Call) -> Reply:
        place = _place(call.request.url)
        where = place.shown
        # With a stream, so that httpx works out no headers: what goes out is in the call.
        outgoing = httpx.Request(call.request.method, place.of_httpx, stream=_NOTHING, extensions={"reelvet": call})
        response = await self._transport.handle_async_request(outgoing)
        try:
            _log.info('HTTP Request: %s %s "HTTP/1.1 %d"', call.request.method, where, response.status_code)
            headers = Headers(
                [(name.decode("latin-1"), value.decode("utf-8", "replace")) for name, value in response.headers.raw]
            )
            if int(headers.get("Content-Length", "0")) > self._max:
                raise self._too_large(call.request)
            content = bytearray()
            # What is not encoded need not go through the decoders.
            chunks = (
                response.aiter_bytes()
                if "Content-Encoding" in headers
                else aiter(cast("httpx.AsyncByteStream", response.stream))
            )
            async for chunk in chunks:
                content += chunk
                if len(content) > self._max:
                    raise self._too_large(call.request)
        finally:
            await response.aclose()
        return Reply(response.status_code, headers, bytes(content), where)

    def _too_large(self, request: Request) -> ReplyTooLarge:
        return ReplyTooLarge(f"the reply to {request.operation} is larger than {self._max} bytes")

    def _failure(self, call: _Call, error: Exception) -> ProviderError:
        host = urlsplit(call.request.url).netloc
        says = self._redact(str(error) or type(error).__name__, 300)
        operation = call.request.operation
        if isinstance(error, httpx.DecodingError):
            return UnexpectedReply(f"the reply to {operation} cannot be decoded: {says}")
        if call.connected:
            return TransportFailed(
                f"{operation}: the connection to {host} broke after the request may have been sent: {says}",
                created="maybe",
            )
        if isinstance(error, ssl.SSLError | ssl.CertificateError | aiohttp.ClientSSLError):
            return ConnectFailed(
                f"{operation}: no trusted TLS connection to {host}: {says}",
                created="no",
                retryable=False,
                way_out="Check the base URL; for a certificate authority of your own set `verify` to its bundle.",
            )
        if isinstance(error, aiohttp.InvalidURL | httpx.InvalidURL | UnicodeError):
            return ConnectFailed(
                f"{operation}: {host} is no host that can be called",
                created="no",
                retryable=False,
                way_out="Check the configured base URL and region.",
            )
        return ConnectFailed(f"{operation}: no connection to {host}: {says}", created="no")

    def _harmless(self, error: BaseException | None) -> bool:
        """Whether the error and all it hangs on may be seen: chained exceptions are printed, and some quote the whole URL."""
        while error is not None:
            if (
                self._redact(str(error), None) != str(error)
                or "://" in str(error)
                or isinstance(error, httpx.HTTPError)
            ):
                return False
            error = error.__cause__ or error.__context__
        return True


@cache
def default_tls() -> ssl.SSLContext:
    """A context that trusts the certificate authorities of certifi; made once, for it takes tens of milliseconds."""
    return httpx.create_ssl_context(trust_env=False)


def _tls(verify: bool | str | Path | ssl.SSLContext) -> ssl.SSLContext | bool:
    if isinstance(verify, str | Path):
        path = Path(verify)
        return ssl.create_default_context(capath=path) if path.is_dir() else ssl.create_default_context(cafile=path)
    return default_tls() if verify is True else verify


def header_of(reply: Reply, names: Sequence[str]) -> str | None:
    """The first of the named headers that the reply has."""
    return next((value for name in names if (value := reply.headers.get(name))), None)
