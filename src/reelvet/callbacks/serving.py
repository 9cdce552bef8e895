"""Serves the callbacks' application by itself, until it is told to stop."""

from __future__ import annotations

import os
import signal
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from reelvet.schema.errors import ConfigurationError

try:
    import uvicorn
except ModuleNotFoundError as _error:
    raise ConfigurationError(
        f"serving callbacks needs the package {_error.name}",
        field="callbacks",
        way_out="pip install 'reelvet[callbacks]'.",
    ) from _error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_AT_ONCE = 256
"""Callbacks that are answered at a time; one more is told to come again."""
_PATIENCE = 3
"""Seconds that what is being answered may take once the server is told to stop."""


class Server(uvicorn.Server):
    """Serves the callbacks' application until `should_exit` is set. Signals are the business of whoever runs it.

    Args:
        app: The application.
        ready: Called once connections are accepted.
    """

    def __init__(self, app: Any, *, ready: Callable[[], None] = lambda: None) -> None:
        super().__init__(
            uvicorn.Config(
                app, ws="none", lifespan="on", log_config=None, access_log=False, server_header=False, limit_concurrency=_AT_ONCE,
                timeout_graceful_shutdown=_PATIENCE,
            )
        )  # fmt: skip
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: D102
        await super().startup(sockets)
        if self.started:
            self._ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:  # noqa: D102
        yield


def bind(host: str, port: int) -> socket.socket:
    """A socket to listen on.

    Raises:
        ConfigurationError: The port is taken, or the address is none of this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere it would take a port away from whoever has it
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except (OSError, OverflowError) as error:
        bound.close()
        says = getattr(error, "strerror", None) or error
        raise ConfigurationError(
            f"cannot listen on {host}, port {port}: {says}", field="port", way_out="Choose another --port, or --host."
        ) from None
    return bound


def url_of(bound: socket.socket) -> str:
    """Where a socket can be reached."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def serve(app: Any, bound: socket.socket, *, ready: Callable[[], None] = lambda: None) -> None:
    """Serves until SIGTERM or Ctrl-C, then answers what is under way, and returns.

    Args:
        app: The application.
        bound: Where.
        ready: Called once connections are accepted.
    """
    server = Server(app, ready=ready)
    with _stopped_by_signals(server):
        await server.serve(sockets=[bound])


@contextmanager
def _stopped_by_signals(server: Server) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        server.should_exit = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
