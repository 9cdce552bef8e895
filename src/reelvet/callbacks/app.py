"""The receiver as a Starlette application: served by itself, or mounted in another one."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from reelvet.callbacks.receiver import Answer, Receiver
from reelvet.schema.errors import ConfigurationError, JournalError

try:
    from starlette.applications import Starlette
    from starlette.requests import ClientDisconnect, Request
    from starlette.responses import JSONResponse, Response
    from starlette.routing import Route
except ModuleNotFoundError as _error:
    raise ConfigurationError(
        f"serving callbacks needs the package {_error.name}",
        field="callbacks",
        way_out="pip install 'reelvet[callbacks]'.",
    ) from _error

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from reelvet.moderator import AsyncModerator

_SLOWEST = 10.0
"""Seconds in which a callback must have arrived whole."""
_HEALTHY = 5.0


def callbacks_app(moderator: AsyncModerator, *, receiver: Receiver | None = None) -> Starlette:
    """An ASGI application that receives callbacks.

    `POST /{instance}?key={key}` and `POST /{instance}/{key}` receive them; `GET /health` says whether the journal can
    be read. Its lifespan follows up what an earlier process has left, and leaves off at the end; where it is mounted
    in an application that runs no lifespan of it, that begins with the first callback.

    Args:
        moderator: Its journal keeps them, and who waits in it is woken. It is the caller's to close.
        receiver: By default one of its own.

    Raises:
        ConfigurationError: Starlette is not installed.
    """
    receiver = receiver if receiver is not None else Receiver(moderator)

    async def receive(request: Request) -> Response:
        answer = await _receive(request, receiver)
        headers = {"Retry-After": "5"} if answer.status == 503 else None  # noqa: PLR2004
        return Response(answer.body, answer.status, headers=headers, media_type="text/plain")

    async def health(_: Request) -> Response:
        try:
            await asyncio.wait_for(moderator.journal.last_news(), _HEALTHY)
        except (JournalError, TimeoutError):
            return JSONResponse({"ok": False, "says": "the journal cannot be read"}, 503)
        return JSONResponse({"ok": True})

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with receiver:
            yield

    routes = [
        Route("/health", health, methods=["GET"]),
        Route("/{instance}", receive, methods=["POST"]),
        # A key may have a slash in it, which stands in the path as %2F and comes here as it is.
        Route("/{instance}/{key:path}", receive, methods=["POST"]),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


async def _receive(request: Request, receiver: Receiver) -> Answer:
    try:
        body = await asyncio.wait_for(_body(request, receiver.most), _SLOWEST)
    except TimeoutError:
        return receiver.refuse(408, "too slow")
    except ClientDisconnect:
        return receiver.refuse(400, "broken off")
    if body is None:
        return receiver.refuse(413, "too large")
    query = dict(request.query_params)
    if key := request.path_params.get("key"):
        query["key"] = key
    return await receiver.receive(request.path_params["instance"], body, dict(request.headers), query)


async def _body(request: Request, most: int) -> bytes | None:
    """The body; `None` if there is more of it than there may be, of which no more is read."""
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > most:
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            return None
    return bytes(body)
