"""Vendors' callbacks: verified, kept, answered, and followed up.

`Receiver` knows no web framework; `callbacks_app` is a Starlette application on top of it, to be served or mounted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reelvet.callbacks.app import callbacks_app
    from reelvet.callbacks.receiver import Answer, Receiver

__all__ = ["Answer", "Receiver", "callbacks_app"]

_HOME = {"Answer": "receiver", "Receiver": "receiver", "callbacks_app": "app"}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
