"""The kill switch: no test, and nobody who asks for it, talks to the network by accident.

It holds for the whole process and not for one task or thread: the synchronous facade works in a thread of its own.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from reelvet.schema.errors import ConfigurationError, NetworkDisabled

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIABLE = "REELVET_NETWORK"
"""Environment variable: `off` forbids every call, `loopback` all but loopback, `on` or unset none."""

LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""The names by which this machine calls itself."""

_held: list[tuple[object, frozenset[str]]] = []


@contextmanager
def network_disabled(*, allow: tuple[str, ...] = ()) -> Iterator[None]:
    """Within it every call of a `Session` or `Fetcher` raises `NetworkDisabled`, in all threads.

    Args:
        allow: Hosts that may be called, written exactly as in the URL; for this machine, `LOOPBACK`.
    """
    held = (object(), frozenset(host.lower() for host in allow))
    _held.append(held)
    try:
        yield
    finally:
        _held.remove(held)


def check_network(host: str) -> None:
    """Do nothing if `host` may be called.

    Raises:
        NetworkDisabled: The switch is on and the host not among those it allows.
        ConfigurationError: `REELVET_NETWORK` holds a word that nobody knows.
    """
    word = os.environ.get(VARIABLE, "").strip().lower()
    if word not in {"", "on", "off", "loopback"}:
        raise ConfigurationError(
            f"{VARIABLE}={word!r} is unknown", source=VARIABLE, way_out="Use `on`, `off` or `loopback`."
        )
    allowed = [hosts for _, hosts in _held]
    if word in {"off", "loopback"}:
        allowed.append(frozenset(LOOPBACK) if word == "loopback" else frozenset())
    if any(host.lower() not in hosts for hosts in allowed):
        raise NetworkDisabled(
            f"a call to {host} was attempted while the network is switched off",
            way_out=f"Unset {VARIABLE} or leave `network_disabled()`; in tests, use a server on loopback and allow it by name.",
        )
