"""Sending what is in the outbox: signed, again until it is taken, and never in anybody's way.

An event is leased from the journal, so that no two processes send it; sent; and then told to be sent. A process that dies
between the last two leaves it to be sent once more when its lease has run out, under the same id: at least once.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reelvet.events.signing import Signatures
from reelvet.http import Effect, Request, RetryPolicy, Session, Timeouts, logger, telemetry
from reelvet.journal import WorkerId
from reelvet.schema.errors import (
    NetworkDisabled,
    ProviderError,
    RateLimited,
    ReelvetError,
    TransportFailed,
    VendorUnavailable,
)
from reelvet.schema.urls import mask_urls

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from reelvet.config import Config, EventsConfig
    from reelvet.journal import Event, Journal

SCHEDULE = (5.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0, 50400.0, 72000.0, 86400.0)
"""Seconds from each failed try to the next; the last goes on. That of Standard Webhooks' specification."""
JITTER = 0.2
"""Share of a delay that comes on top of it at most, so that what failed together does not come back together."""

_GONE = 410
_MARGIN = 30.0
"""Seconds by which a lease outlasts the try it is for."""
_IDLE = 2.0
"""Seconds between two looks at an empty outbox."""
_FIRST_REST, _LONGEST_REST = 1.0, 60.0
"""Seconds for which a receiver that is down is left alone, doubled each time."""
_SHORT_REST = 4.0
"""Seconds of such a rest that `drain` waits for."""
_LONGEST_HINT = 86400.0
"""Seconds that a receiver may ask for; a hint beyond that is a slip, and its events would never come."""
_MOST_REPLY = 1024 * 1024
_log = logger("events")


@dataclass(frozen=True, slots=True)
class Delivered:
    """What one round over the outbox came to."""

    sent: int = 0
    put_off: int = 0
    """They failed, and are due again later."""
    given_up: int = 0
    last_failure: str | None = None


def delay_after(tries: int, give_up: float) -> float | None:
    """Seconds until the next try, without jitter.

    Args:
        tries: How many have failed.
        give_up: Seconds after the first try beyond which there is no further one.

    Returns:
        `None` if there is to be none.
    """
    last = SCHEDULE[-1]
    begun = sum(SCHEDULE[: tries - 1]) + last * max(0, tries - 1 - len(SCHEDULE))
    delay = SCHEDULE[min(tries, len(SCHEDULE)) - 1]
    return delay if begun + delay <= give_up else None


class Deliverer:
    """Sends the events of a journal to the platform.

    Either in the background of an event loop (`start`, `aclose`), or until nothing is due (`drain`).

    Args:
        config: `[events]`.
        journal: Whose outbox.
        owner: Who leases; by default this process.

    Raises:
        ConfigurationError: The URL or a secret cannot be had or used, or the library that signs is not installed.
    """

    def __init__(self, config: EventsConfig, journal: Journal, *, owner: str | None = None) -> None:
        self._config = config
        self._journal = journal
        self._owner = owner or WorkerId().name
        self._url = str(config.target())
        keys = config.keys()
        timeout = config.timeout
        self._session_how: dict[str, Any] = {
            "provider": "events",
            "signer": Signatures(keys),
            # There is one retry layer, and it is the schedule: it outlives the process.
            "retry": RetryPolicy(attempts=1),
            "timeouts": Timeouts(connect=min(10.0, timeout), read=timeout, write=timeout, total=timeout),
            "max_reply_bytes": _MOST_REPLY,
            "secrets": keys,
            "connections": config.concurrency,
        }
        self._lease = timeout + _MARGIN
        self._in_flight: set[asyncio.Task[None]] = set()
        self._rest, self._rest_until = 0.0, 0.0
        self._counts: Counter[str] = Counter()
        self._last_failure: str | None = None
        self._running: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()
        self._closing = False

    @classmethod
    def of(cls, config: Config, journal: Journal) -> Deliverer | None:
        """The one that a moderator runs; `None` where nothing is to be sent, or not by it.

        Raises:
            ConfigurationError: As by the class.
        """
        return cls(config.events, journal) if config.events is not None and config.events.in_process else None

    # --- in the background ---

    def start(self) -> None:
        """Begins to send, in the running event loop. Once more is no more."""
        if self._running is None:
            self._closing, self._woken = False, asyncio.Event()
            self._running = asyncio.get_running_loop().create_task(self._run(), name="reelvet events")

    def wake(self) -> None:
        """Something was put in the outbox: it is looked at now, and not in a moment. In the loop of `start` only."""
        self._woken.set()

    async def aclose(self, patience: float = 5.0) -> None:
        """Sends what is due, for some seconds at most, and ends. What is left over is sent by the next one."""
        running, self._running = self._running, None
        if running is None:
            return
        self._closing = True
        self.wake()
        _, late = await asyncio.wait({running}, timeout=patience)
        if late:
            running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    async def _run(self) -> None:
        async with self._opened() as session:
            while True:
                try:
                    sending = await self._round(session)
                except Exception:  # noqa: BLE001  (a journal of one's own may raise anything; the next look may succeed)
                    _log.warning("the outbox could not be read; it is tried again", exc_info=True)
                    self._let_rest()
                    sending = len(self._in_flight)
                if not sending and self._closing:
                    return
                await self._pause()

    async def _pause(self) -> None:
        """Until there may be something to do: a slot is free, the receiver has had its rest, something was put in, or time has passed."""
        woken = asyncio.ensure_future(self._woken.wait())
        try:
            resting = self._rest_until - time.monotonic()
            seconds = resting if resting > 0 else _IDLE
            await asyncio.wait({*self._in_flight, woken}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            woken.cancel()
        self._woken.clear()

    # --- once ---

    async def drain(self) -> Delivered:
        """Sends all that is due now. Ends early where the receiver stays down: the rest stays due.

        Raises:
            JournalError: The outbox cannot be read.
        """
        self._counts, self._last_failure = Counter(), None
        async with self._opened() as session:
            while await self._round(session) or self._rests_shortly():
                if self._in_flight:
                    await asyncio.wait(self._in_flight, return_when=asyncio.FIRST_COMPLETED)
                else:
                    await asyncio.sleep(max(0.0, self._rest_until - time.monotonic()))
        counts = self._counts
        return Delivered(counts["sent"], counts["put_off"], counts["given_up"], self._last_failure)

    def _rests_shortly(self) -> bool:
        """Whether it is worth waiting: one event that a receiver stumbles over must not keep all others from being sent."""
        return 0 < self._rest_until - time.monotonic() <= _SHORT_REST

    # --- both ---

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[Session]:
        async with Session(**self._session_how) as session:
            try:
                yield session
            finally:  # what is broken off is sent again when its lease has run out
                left = list(self._in_flight)
                for task in left:
                    task.cancel()
                await asyncio.gather(*left, return_exceptions=True)

    async def _round(self, session: Session) -> int:
        """Begins to send as much as there is room for. How many are being sent now."""
        if room := self._room():
            for event in await self._journal.due(self._owner, self._lease, room):
                task = asyncio.create_task(self._deliver(event, session))
                self._in_flight.add(task)
                task.add_done_callback(self._in_flight.discard)
        return len(self._in_flight)

    def _room(self) -> int:
        if time.monotonic() < self._rest_until:
            return 0
        # After a failure one goes first, to see whether the receiver is back.
        most = 1 if self._rest else self._config.concurrency
        return max(0, most - len(self._in_flight))

    async def _deliver(self, event: Event, session: Session) -> None:
        """Sends an event and writes down what came of it."""
        failure: Exception | None = None
        try:
            headers = {"Content-Type": "application/json", "webhook-id": event.id}
            await session.send(Request("POST", self._url, headers, event.body, Effect.REPEATABLE, "event"))
        except Exception as error:  # noqa: BLE001  (whatever it was, the event was not taken)
            failure = error
        try:
            if failure is None:
                self._rest = 0.0
                await self._journal.sent(event)
                self._count(event, "sent")
            else:
                await self._put_off(event, failure)
        except Exception as error:  # noqa: BLE001  (as above: it is sent again when its lease has run out, which is allowed)
            _log.warning("what became of event %s could not be written down", event.id, exc_info=True)
            self._last_failure = f"what became of an event could not be written down: {type(error).__name__}"
            self._let_rest()

    async def _put_off(self, event: Event, error: Exception) -> None:
        says = error.message if isinstance(error, ReelvetError) else mask_urls(f"{type(error).__name__}: {error}")
        status = error.status if isinstance(error, ProviderError) else None
        hint = error.retry_after if isinstance(error, ProviderError) else None
        hint = min(hint or 0.0, _LONGEST_HINT)
        tries = event.tries + 1
        delay = delay_after(tries, self._config.give_up) if status != _GONE else None
        if delay is not None:
            delay = max(hint, delay * random.uniform(1.0, 1.0 + JITTER))  # noqa: S311 - spreads load, guards nothing
        # Others than these are about the event, or about how it is sent: no reason to keep the next one back.
        if isinstance(error, RateLimited | VendorUnavailable | TransportFailed | NetworkDisabled) or status == _GONE:
            self._let_rest(hint)
        self._last_failure = says
        if delay is None:
            _log.error("event %s (%s) is given up after %d tries: %s", event.id, event.type, tries, says)
        else:
            _log.warning("event %s (%s) was not taken, again in %.0f s: %s", event.id, event.type, delay, says)
        await self._journal.put_off(event, delay, says)
        self._count(event, "given_up" if delay is None else "put_off")

    def _let_rest(self, hint: float = 0.0) -> None:
        """The receiver, or the journal, is left alone for a while; several failures at a time are one."""
        now = time.monotonic()
        if now >= self._rest_until:
            self._rest = min(max(self._rest * 2, _FIRST_REST), _LONGEST_REST)
        self._rest_until = max(self._rest_until, now + max(self._rest, hint))

    def _count(self, event: Event, outcome: str) -> None:
        self._counts[outcome] += 1
        telemetry.count(
            "reelvet.events", {"reelvet.event": event.type, "outcome": outcome}, description="tries to send an event"
        )
