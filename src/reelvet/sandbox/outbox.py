"""Callbacks, from the emulators to whoever listens on this machine."""

from __future__ import annotations

import asyncio
import http.client
import math
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from reelvet.sandbox.faults import CALLBACK, CallbackLate, CallbackTwice

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping

    from reelvet.sandbox.clock import Clock
    from reelvet.sandbox.planted import Garden

_TIMEOUT = 5.0


@dataclass(slots=True, eq=False)
class Delivery:
    """One callback, and what became of it."""

    provider: str
    url: str = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    at: float
    """The virtual second from which on it is sent."""
    status: int | None = None
    """The HTTP status it was answered with."""
    error: str | None = None
    """Why it did not arrive."""

    @property
    def settled(self) -> bool:
        """Whether it was sent, or given up."""
        return self.status is not None or self.error is not None

    def dump(self) -> dict[str, Any]:
        """As JSON-safe data."""
        return {
            "provider": self.provider, "url": self.url, "headers": self.headers, "body": self.body.decode(errors="replace"),
            "at": self.at, "status": self.status, "error": self.error,
        }  # fmt: skip


class Outbox:
    """Sends callbacks when their virtual time has come, and to loopback only: an emulator is no way into a network."""

    def __init__(self, clock: Clock, faults: Garden, lock: threading.RLock) -> None:
        self._clock = clock
        self._faults = faults
        self._lock = lock
        self._loop: asyncio.AbstractEventLoop | None = None
        self._news: asyncio.Event | None = None
        self._under_way: set[asyncio.Task[None]] = set()
        self.deliveries: list[Delivery] = []
        clock.on_change(self._wake)

    def post(
        self, provider: str, url: str, headers: Mapping[str, str], body: bytes, *, at: float | None = None
    ) -> None:
        """Has a callback delivered.

        Args:
            provider: Who calls back.
            url: Where.
            headers: What is sent with it, signatures included.
            body: Byte for byte.
            at: The virtual second; `None`: at once.
        """
        with self._lock:
            copies = max((f.copies for f in self._faults.take(CallbackTwice, provider, CALLBACK)), default=1)
            late = sum(fault.seconds for fault in self._faults.take(CallbackLate, provider, CALLBACK))
            due = max(self._clock.now(), at or 0.0) + late
            refusal = None if _is_here(url) else "the sandbox calls back to http:// on this machine only"
            for _ in range(copies):
                self.deliveries.append(Delivery(provider, url, dict(headers), body, due, error=refusal))
        self._wake()

    def clear(self) -> None:
        """Forgets all; what has not been sent is not sent any more."""
        self.deliveries.clear()

    async def run(self) -> None:
        """Sends what is due until it is cancelled."""
        self._loop, self._news = asyncio.get_running_loop(), asyncio.Event()
        sent: set[Delivery] = set()
        try:
            while True:
                self._news.clear()
                with self._lock:
                    waiting = [d for d in self.deliveries if not d.settled and d not in sent]
                    now = self._clock.now()
                    due = [delivery for delivery in waiting if delivery.at <= now]
                    pause = min((self._clock.wall_until(d.at) for d in waiting if d.at > now), default=math.inf)
                for delivery in due:
                    sent.add(delivery)
                    task = asyncio.create_task(_send(delivery))
                    self._under_way.add(task)
                    task.add_done_callback(self._under_way.discard)
                sent.intersection_update(self.deliveries)
                try:
                    await asyncio.wait_for(self._news.wait(), None if math.isinf(pause) else pause)
                except TimeoutError:
                    continue
        finally:
            self._loop = None
            for task in list(self._under_way):
                task.cancel()

    def _wake(self) -> None:
        if self._loop is not None and self._news is not None:
            self._loop.call_soon_threadsafe(self._news.set)


def _is_here(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        return parts.scheme == "http" and (host == "localhost" or ip_address(host).is_loopback)
    except ValueError:
        return False


async def _send(delivery: Delivery) -> None:
    try:
        delivery.status = await asyncio.to_thread(_post, delivery)
    except (OSError, http.client.HTTPException) as error:
        delivery.error = f"{type(error).__name__}: {error}"


def _post(delivery: Delivery) -> int:
    """Sends it as it is: no redirect is followed, no header added but those that HTTP needs."""
    parts = urlsplit(delivery.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=_TIMEOUT)
    try:
        place = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", place, body=delivery.body, headers=delivery.headers)
        return connection.getresponse().status
    finally:
        connection.close()
