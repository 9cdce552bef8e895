"""Telling the platform: events that are made of results, parked jobs and decisions, kept in the journal's outbox, signed and sent.

Making them is light and pure; `Deliverer`, which talks, is imported on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelvet.events.making import MOST_BYTES, of_decision, of_parked, of_result
from reelvet.events.telling import Telling
from reelvet.schema.event import EventType

if TYPE_CHECKING:
    from reelvet.events.sending import SCHEDULE, Delivered, Deliverer
    from reelvet.events.signing import Signatures

_LAZY = {
    "SCHEDULE": "reelvet.events.sending",
    "Deliverer": "reelvet.events.sending",
    "Delivered": "reelvet.events.sending",
    "Signatures": "reelvet.events.signing",
}

__all__ = [
    "MOST_BYTES",
    "SCHEDULE",
    "Delivered",
    "Deliverer",
    "EventType",
    "Signatures",
    "Telling",
    "of_decision",
    "of_parked",
    "of_result",
]


def __getattr__(name: str) -> object:
    from importlib import import_module  # noqa: PLC0415

    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)
