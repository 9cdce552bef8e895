"""Calls to one vendor account: throttled, signed, sent, understood, and repeated where that is safe."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import cache, partial
from typing import TYPE_CHECKING, Self

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt, stop_any
from tenacity.stop import stop_base

from reelvet.http import telemetry
from reelvet.http.classify import Classifier, classify_status
from reelvet.http.limits import Limits
from reelvet.http.redact import Redactor, logger, remember
from reelvet.http.retry import RetryPolicy
from reelvet.http.throttle import Throttle
from reelvet.http.timeouts import Timeouts
from reelvet.http.wire import Wire, header_of, user_agent
from reelvet.schema.errors import ProviderError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path
    from types import TracebackType

    from pydantic import SecretStr

    from reelvet.http.request import Reply, Request
    from reelvet.http.signing import Signer

REQUEST_ID_HEADERS = ("X-Request-Id", "X-Tc-Requestid", "X-Amzn-Requestid", "Request-Id", "X-Trace-Id")
"""Where vendors put their id of a request, unless a session is told better."""

_log = logger("http")


def _now() -> datetime:
    return datetime.now(UTC)


class Session:
    """The calls of one instance, in one event loop. An async context manager; may be opened once.

    Args:
        provider: The provider's id, for errors.
        instance: The configured instance, for errors, spans and throttle.
        signer: Puts the credentials on each try; `None` sends requests as they are.
        classifier: Tells errors from successes; it sees every reply, those with status 200 too.
        limits: What the vendor allows.
        retry: How often to repeat what may be repeated.
        timeouts: For one try.
        max_reply_bytes: Cap of one decoded reply.
        secrets: What must not be seen in any error or log.
        request_id_headers: Where the vendor's id of the request stands, the most telling first.
        verify: `True` for the usual certificate authorities, a bundle or folder of others, or a context. `False` trusts anybody.
        proxy: URL of an HTTP proxy. It sees where calls go.
        trust_env: Whether the proxies of the environment and `~/.netrc` are used.
        connections: Most connections at a time; further calls wait.
        transport: Takes the place of the network, for replaying stored replies.
        clock: The time that signers are told.
    """

    def __init__(
        self,
        *,
        provider: str,
        instance: str | None = None,
        signer: Signer | None = None,
        classifier: Classifier = classify_status,
        limits: Limits | None = None,
        retry: RetryPolicy | None = None,
        timeouts: Timeouts | None = None,
        max_reply_bytes: int = 16 * 1024 * 1024,
        secrets: Sequence[SecretStr] = (),
        request_id_headers: Sequence[str] = REQUEST_ID_HEADERS,
        verify: bool | str | Path | ssl.SSLContext = True,
        proxy: str | None = None,
        trust_env: bool = False,
        connections: int = 100,
        transport: Callable[[Request], Awaitable[Reply]] | None = None,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self.provider = provider
        self.instance = instance or provider
        self._signer = signer
        self._classify = classifier
        # A call waits for a connection there, without a deadline, and not in the pool, where waiting would be failing to connect.
        self._throttle = Throttle(limits or Limits(), connections=connections)
        self._retry = retry or RetryPolicy()
        self._request_id_headers = tuple(request_id_headers)
        self._clock = clock
        self._redactor = Redactor(secrets)
        self._transport = transport
        self._wire: Wire | None = None
        self._exchange: Callable[..., Awaitable[Reply]] | None = None
        self._make_wire = partial(
            Wire,
            timeouts=timeouts or Timeouts(),
            max_reply_bytes=max_reply_bytes,
            redactor=self._redactor,
            verify=verify,
            proxy=proxy,
            trust_env=trust_env,
            connections=connections,
        )
        remember(self._redactor)

    async def __aenter__(self) -> Self:
        if self._transport is None:
            self._wire = self._make_wire()
            self._transport = self._exchange = self._wire.exchange
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._transport = None
        if self._wire:
            await self._wire.close()
            self._wire = None

    def hide(self, *secrets: SecretStr) -> None:
        """Keeps further secrets out of errors and logs: keys that are fetched or renewed while the session is in use."""
        for secret in secrets:
            self._redactor.hide(secret)

    async def send(self, request: Request, *, retry: RetryPolicy | None = None) -> Reply:
        """Send a request until it succeeds, fails for good or may not be repeated; the reply is a success by the classifier.

        Waiting for the throttle is not counted by any timeout of a single try.

        Args:
            request: What to send. `User-Agent`, `Accept` and `Accept-Encoding` are added where it has none, before signing.
            retry: Another policy for this call alone.

        Raises:
            ProviderError: As classified, or one of those below.
            ConnectFailed: No connection could be made; nothing was sent.
            TransportFailed: The connection broke after the request may have been sent.
            ReplyTooLarge: The reply is larger than the cap.
            UnexpectedReply: A redirect, or a reply that cannot be decoded.
            NetworkDisabled: The kill switch is on.
        """
        policy = retry or self._retry
        if missing := {name: value for name, value in _defaults().items() if name not in request.headers}:
            request = request.with_headers(missing)
        with telemetry.span(f"reelvet.http {request.operation}", self._attributes(request)) as span:
            begun, failed = time.monotonic(), None
            try:
                reply = await self._try(request)
            except ProviderError as error:
                if not policy.repeats(request.effect, error):
                    raise
                failed = error
            if failed is not None:  # out of the block, so that no later error hangs on this one
                reply = await self._try_again(request, policy, failed, begun)
            span.set_attribute("http.response.status_code", reply.status)
            return reply

    async def room(self, operation: str) -> None:
        """Wait until a request of that operation would not be throttled. Nothing is reserved: another may be quicker."""
        await self._throttle.room(operation)

    async def _try_again(self, request: Request, policy: RetryPolicy, failed: ProviderError, begun: float) -> Reply:
        """The tries after the first, which is counted as one. Only now, as most calls need none of it."""
        first = [failed]

        async def attempt() -> Reply:
            if first:
                raise first.pop()
            return await self._try(request)

        retrying = AsyncRetrying(
            retry=retry_if_exception(
                lambda error: isinstance(error, ProviderError) and policy.repeats(request.effect, error)
            ),
            wait=lambda state: policy.wait(state.attempt_number, _retry_after(state)),
            stop=stop_any(stop_after_attempt(policy.attempts), _TooLate(begun + policy.overall)),
            before_sleep=partial(self._before_retry, request),
            reraise=True,
        )
        return await retrying(attempt)

    async def _try(self, request: Request) -> Reply:
        async with self._throttle.passage(request.operation) as sent:
            if self._transport is None:
                raise RuntimeError("the session is not open: use it in `async with`")
            begun = time.perf_counter()
            outcome = "ok"
            try:
                # Signed only now: signatures age, and the wait for leave may have been long.
                signed = self._signer.sign(request, self._clock()) if self._signer else request
                # Only the network can say when a request has gone out; what takes its place knows no such moment.
                told = (signed, sent) if self._transport is self._exchange else (signed,)
                reply = await self._transport(*told)
                return self._understood(signed, reply)
            except BaseException as error:
                outcome = type(error).__name__
                if isinstance(error, ProviderError):
                    self._complete(error)
                raise
            finally:
                telemetry.record(
                    "reelvet.http.duration",
                    time.perf_counter() - begun,
                    {**self._attributes(request), "outcome": outcome},
                    description="Duration of one try",
                )

    def _understood(self, request: Request, reply: Reply) -> Reply:
        reply = reply.of_session(
            request_id=reply.request_id or header_of(reply, self._request_id_headers),
            provider=self.provider,
            instance=self.instance,
            redact=self._redactor,
        )
        error = self._classify(request, reply)
        if error is None and 300 <= reply.status < 400:  # noqa: PLR2004 - a redirect is never a result, whatever a vendor's table says
            error = classify_status(request, reply)
        if error is None:
            return reply
        error.status = error.status or reply.status
        error.request_id = error.request_id or reply.request_id
        error.body = reply.text if error.body is None else error.body
        raise error

    def _complete(self, error: ProviderError) -> None:
        error.provider = error.provider or self.provider
        error.instance = error.instance or self.instance
        # What a vendor says may repeat what it was sent.
        error.message = self._redactor(error.message)
        error.args = (error.message, *error.args[1:])
        if error.body is not None:
            error.body = self._redactor(error.body)

    def _before_retry(self, request: Request, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        _log.info(
            "%s: %s failed (try %d), again in %.1f s: %s",
            self.instance,
            request.operation,
            state.attempt_number,
            state.upcoming_sleep,
            error,
        )
        telemetry.count(
            "reelvet.http.retries",
            {**self._attributes(request), "error.type": type(error).__name__},
            description="Repeated tries",
        )

    def _attributes(self, request: Request) -> dict[str, str]:
        return {
            "reelvet.provider": self.provider,
            "reelvet.instance": self.instance,
            "reelvet.operation": request.operation,
            "http.request.method": request.method,
        }

    def __repr__(self) -> str:
        return f"Session(provider={self.provider!r}, instance={self.instance!r})"


class _TooLate(stop_base):
    """No try begins after a moment."""

    def __init__(self, moment: float) -> None:
        self._moment = moment

    def __call__(self, state: RetryCallState) -> bool:
        return time.monotonic() + state.upcoming_sleep >= self._moment


@cache
@cache
def _defaults() -> dict[str, str]:
    return {"User-Agent": user_agent(), "Accept": "application/json, */*;q=0.5", "Accept-Encoding": "gzip, deflate"}


def _retry_after(state: RetryCallState) -> float | None:
    error = state.outcome.exception() if state.outcome else None
    return error.retry_after if isinstance(error, ProviderError) else None
