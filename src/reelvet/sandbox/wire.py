"""From bytes to an emulator and back: the one place where connections and bodies are made to fail."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import struct
import traceback
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from reelvet.sandbox import faults
from reelvet.sandbox.damage import changes, damaged
from reelvet.sandbox.emulator import Call, Reply
from reelvet.sandbox.received import Received

if TYPE_CHECKING:
    from reelvet.sandbox.emulator import Emulator

_log = logging.getLogger("reelvet.sandbox")

_TRANSPORT = "reelvet.transport"
_HTML = b"<html>\r\n<head><title>%d</title></head>\r\n<body><center><h1>%d</h1></center></body>\r\n</html>\r\n"
# Closing with this set sends a reset at once instead of ending in good order.
_NO_LINGER = struct.pack("ii", 1, 0)


class Protocol(H11Protocol):
    """uvicorn's own, which hands on the transport, so that a connection can be cut."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Called once for each connection."""
        super().connection_made(transport)
        inner = self.app

        async def with_transport(scope: Any, receive: Any, send: Any) -> None:
            scope.setdefault("extensions", {})[_TRANSPORT] = transport
            await inner(scope, receive, send)

        self.app = with_transport


class EmulatorApp:
    """An emulator as an ASGI application."""

    def __init__(self, emulator: Emulator, stopping: asyncio.Event) -> None:
        self._emulator = emulator
        self._world = emulator.world
        self._stopping = stopping

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answers one request, or does not, as the faults want it."""
        body = await _whole_body(receive)
        if body is None:
            return  # whoever asked has gone before asking
        call, received = self._enter(scope, body)
        connection = _Connection(scope, receive, send)
        try:
            await self._play(call, received, connection)
        finally:
            received.faults = tuple(call.struck)

    async def _play(self, call: Call, received: Received, connection: _Connection) -> None:
        early = self._take(call, "before")
        await self._sleep(early)
        if any(isinstance(fault, faults.Cut) for fault in early):
            await connection.cut(next(f.how for f in early if isinstance(f, faults.Cut)))
            return
        refusals = [fault for fault in early if isinstance(fault, faults.TooMany | faults.ServerError)]
        reply = self._refuse(call, refusals[0]) if refusals else self._handle(call, received)
        late = self._take(call, "after")
        for fault in late:
            if isinstance(fault, faults.ServerError):
                reply = self._refuse(call, fault)
        for fault in self._take_damage(call, reply):
            reply = damaged(reply, fault)
        await self._sleep(late)
        cut = next((fault for fault in late if isinstance(fault, faults.Cut)), None)
        received.faults = tuple(call.struck)
        if cut is not None:
            await connection.cut(cut.how)
            return
        with self._world.lock:
            broken = call.take(faults.Truncated)
        received.faults = tuple(call.struck)
        received.status = reply.status  # before it is sent: whoever has the reply may look here
        if broken is not None:
            await connection.send_part(reply, broken.keep)
        else:
            await connection.send(reply)

    def _enter(self, scope: Any, body: bytes) -> tuple[Call, Received]:
        headers = tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"])
        call = Call(
            method=scope["method"], path=scope["raw_path"].decode("latin-1"), query=scope["query_string"].decode("latin-1"), headers=headers,
            body=body, provider=self._emulator.id, garden=self._world.faults,
        )  # fmt: skip
        with self._world.lock:
            call.operation, call.params = self._emulator.find_operation(call)
            received = Received(
                number=next(self._world.numbers), provider=call.provider, method=call.method, path=call.path, query=call.query,
                headers=headers, body=body, date=self._world.clock.date(), operation=call.operation,
            )  # fmt: skip
            self._world.received.append(received)
        return call, received

    def _handle(self, call: Call, received: Received) -> Reply:
        try:
            with self._world.lock:
                return self._emulator.handle(call)
        except Exception as error:  # noqa: BLE001  (a mistake in an emulator must not look like a vendor's answer)
            _log.exception("the emulator of %s failed at %s", call.provider, call.operation)
            received.error = f"{type(error).__name__}: {error}"
            text = f"The emulator of {call.provider} is at fault, not what was sent.\n\n{traceback.format_exc()}"
            return Reply(500, raw=text.encode(), headers={"content-type": "text/plain; charset=utf-8"})

    def _take(self, call: Call, when: str) -> list[faults.Fault]:
        """The faults of the connection that strike before the request is looked at, or after it was carried out."""

        def fits(fault: faults.Fault) -> bool:
            return getattr(fault, "when", "before") == when

        kinds: list[type[faults.Fault]] = [faults.Latency, faults.Cut, faults.TooMany, faults.ServerError]
        with self._world.lock:
            struck = [f for kind in kinds for f in self._world.faults.take(kind, call.provider, call.operation, fits)]
        call.struck += [fault.kind for fault in struck]
        return struck

    def _take_damage(self, call: Call, reply: Reply) -> list[faults.Fault]:
        with self._world.lock:
            struck = self._world.faults.take(
                faults.Fault, call.provider, call.operation, lambda f: changes(f, reply.content)
            )
        call.struck += [fault.kind for fault in struck]
        return struck

    def _refuse(self, call: Call, fault: faults.Fault) -> Reply:
        """A refusal that the emulator did not mean."""
        if isinstance(fault, faults.ServerError):
            status, body, headers = fault.status, fault.body, {}
        else:
            assert isinstance(fault, faults.TooMany)  # noqa: S101  (for the type checker; there is no third)
            status, body = 429, fault.body
            headers = {} if fault.retry_after is None else {"retry-after": _plain(fault.retry_after)}
        if body == "vendor":
            with self._world.lock:
                reply = self._emulator.failure(call, status)
            return Reply(status, reply.content, {**reply.headers, **headers}, reply.raw)
        raw = _HTML % (status, status) if body == "html" else b""
        return Reply(status, headers={"content-type": "text/html", **headers}, raw=raw)

    async def _sleep(self, struck: list[faults.Fault]) -> None:
        seconds = sum(fault.seconds for fault in struck if isinstance(fault, faults.Latency))
        if seconds:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), seconds)


class _Connection:
    """Where one reply goes."""

    def __init__(self, scope: Any, receive: Any, send: Any) -> None:
        self._transport: asyncio.Transport = scope["extensions"][_TRANSPORT]
        self._receive = receive
        self._send = send

    async def send(self, reply: Reply) -> None:
        """Sends a reply."""
        body = reply.body
        await self._send(_start(reply, len(body)))
        await self._send({"type": "http.response.body", "body": body})

    async def send_part(self, reply: Reply, keep: float) -> None:
        """Sends the beginning of a reply, and ends the connection."""
        body = reply.body
        await self._send(_start(reply, len(body)))
        await self._send({"type": "http.response.body", "body": body[: int(len(body) * keep)], "more_body": True})
        self._transport.close()  # what is written goes out first
        await self._until_gone()

    async def cut(self, how: str) -> None:
        """Ends the connection without a word."""
        if how == "reset":
            handle = self._transport.get_extra_info("socket")
            handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            self._transport.abort()
        else:
            self._transport.close()
        await self._until_gone()

    async def _until_gone(self) -> None:
        # Returning any earlier, the server would take it for a mistake and answer with a 500 of its own.
        while (await self._receive())["type"] != "http.disconnect":
            pass


async def _whole_body(receive: Any) -> bytes | None:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if not message.get("more_body"):
            return bytes(body)


def _start(reply: Reply, length: int) -> dict[str, Any]:
    # The date is the wall's, unless an emulator says otherwise: a vendor's clock may be another than the caller's.
    date = format_datetime(datetime.now(UTC), usegmt=True)
    headers = {"content-type": "application/json", "date": date, **reply.headers, "content-length": str(length)}
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    return {"type": "http.response.start", "status": reply.status, "headers": encoded}


def _plain(value: float | str) -> str:
    return f"{value:g}" if isinstance(value, int | float) else value
