"""The servers of a sandbox: one thread, one event loop, one socket for each emulator and one for the control."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
from typing import TYPE_CHECKING, Any

import uvicorn

from reelvet.sandbox.wire import EmulatorApp, Protocol
from reelvet.schema.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reelvet.sandbox.emulator import Emulator
    from reelvet.sandbox.outbox import Outbox

_PATIENCE = 10.0
_TICK = 0.002


class Serving:
    """Serves until it is stopped."""

    def __init__(
        self, emulators: Mapping[str, Emulator], control: Any, outbox: Outbox, *, host: str, port: int
    ) -> None:
        self._emulators = emulators
        self._control = control
        self._outbox = outbox
        self._ready = threading.Event()
        self._failed: BaseException | None = None
        self._servers: list[uvicorn.Server] = []
        self._stopping: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        names = ["control", *emulators]
        self._sockets: dict[str, socket.socket] = {}
        try:
            for index, name in enumerate(names):
                self._sockets[name] = _bound(host, port + index if port else 0)
        except BaseException:
            self._close_sockets()
            raise
        self.urls = {name: _url(bound) for name, bound in self._sockets.items()}
        self._thread = threading.Thread(target=self._run, name="reelvet-sandbox", daemon=True)

    def start(self) -> None:
        """Returns once all of them accept connections."""
        self._thread.start()
        self._ready.wait(_PATIENCE)
        if self._failed is not None or not self._ready.is_set():
            self.stop()
            raise RuntimeError("the sandbox did not start") from self._failed

    def stop(self) -> None:
        """Ends what is under way and frees the ports."""
        if self._loop is not None and self._stopping is not None:
            with contextlib.suppress(RuntimeError):  # the loop may have ended by itself
                self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(_PATIENCE)
        self._close_sockets()

    def wait(self) -> None:
        """Returns when it has ended. Ctrl-C is heard while it waits."""
        while self._thread.is_alive():
            self._thread.join(0.5)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001  (whoever waits for the start is told)
            self._failed = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        apps = {"control": self._control} | {
            name: EmulatorApp(emulator, self._stopping) for name, emulator in self._emulators.items()
        }
        self._servers = [_server(app) for app in apps.values()]
        running = [
            asyncio.create_task(server.serve(sockets=[self._sockets[name]]))
            for name, server in zip(apps, self._servers, strict=True)
        ]
        outbox = asyncio.create_task(self._outbox.run())
        while not all(server.started for server in self._servers):
            for task in running:
                if task.done():
                    task.result()
            await asyncio.sleep(_TICK)
        self._ready.set()
        await self._stopping.wait()
        for server in self._servers:
            server.should_exit = True
        outbox.cancel()
        await asyncio.gather(*running, outbox, return_exceptions=True)

    def _close_sockets(self) -> None:
        for bound in self._sockets.values():
            bound.close()


def _server(app: Any) -> uvicorn.Server:
    config = uvicorn.Config(
        app, http=Protocol, ws="none", loop="asyncio", lifespan="off", log_config=None, access_log=False, server_header=False,
        date_header=False, timeout_graceful_shutdown=1,
    )  # fmt: skip
    return uvicorn.Server(config)


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named, or asyncio would not switch off the delay that makes every kept-alive reply wait 40 ms.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere it would take a port away from whoever has it
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except (OSError, OverflowError) as error:
        bound.close()
        says = getattr(error, "strerror", None) or error
        raise ConfigurationError(
            f"cannot listen on {host}, port {port or 'any'}: {says}",
            field="port" if port else "host",
            way_out="Choose another --port, or leave it out to take any that is free.",
        ) from None
    return bound


def _url(bound: socket.socket) -> str:
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
