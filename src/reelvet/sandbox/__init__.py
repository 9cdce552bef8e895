"""The sandbox: emulators of the vendors on loopback, for tests, demos and work without an account.

A scenario says in unified terms what is in a video; each provider brings an `Emulator` that tells it in its vendor's own
words. Everything here is written from public documentation and was never held against a live service.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reelvet.sandbox.catalogue import MAGIC, Catalogue
    from reelvet.sandbox.clock import Clock
    from reelvet.sandbox.emulator import Asset, Call, Emulator, Reply, Route, Setup
    from reelvet.sandbox.faults import (
        FAULTS,
        Contradiction,
        Decoys,
        Expired,
        Fault,
        ListLag,
        NeverFinishes,
        StatusBackwards,
        UnknownLabel,
        UnknownStatus,
    )
    from reelvet.sandbox.host import Sandbox
    from reelvet.sandbox.outbox import Delivery
    from reelvet.sandbox.planted import Planted
    from reelvet.sandbox.quota import RateWindow
    from reelvet.sandbox.received import Received, SeenTask
    from reelvet.sandbox.scenario import Ending, Event, FailureReason, Region, Scenario, Speech
    from reelvet.sandbox.tasks import Phase, Task, Tasks
    from reelvet.sandbox.words import NativeWords
    from reelvet.sandbox.world import World

_WHERE = {
    "clock": ("Clock",),
    "emulator": ("Asset", "Call", "Emulator", "Reply", "Route", "Setup"),
    "faults": (
        "FAULTS", "Contradiction", "Decoys", "Expired", "Fault", "ListLag", "NeverFinishes", "StatusBackwards", "UnknownLabel", "UnknownStatus",
    ),
    "host": ("Sandbox",),
    "catalogue": ("MAGIC", "Catalogue"),
    "outbox": ("Delivery",),
    "planted": ("Planted",),
    "quota": ("RateWindow",),
    "received": ("Received", "SeenTask"),
    "scenario": ("Ending", "Event", "FailureReason", "Region", "Scenario", "Speech"),
    "tasks": ("Phase", "Task", "Tasks"),
    "words": ("NativeWords",),
    "world": ("World",),
}  # fmt: skip
_HOME = {name: module for module, names in _WHERE.items() for name in names}

__all__ = [
    "FAULTS",
    "MAGIC",
    "Asset",
    "Call",
    "Catalogue",
    "Clock",
    "Contradiction",
    "Decoys",
    "Delivery",
    "Emulator",
    "Ending",
    "Event",
    "Expired",
    "FailureReason",
    "Fault",
    "ListLag",
    "NativeWords",
    "NeverFinishes",
    "Phase",
    "Planted",
    "RateWindow",
    "Received",
    "Region",
    "Reply",
    "Route",
    "Sandbox",
    "Scenario",
    "SeenTask",
    "Setup",
    "Speech",
    "StatusBackwards",
    "Task",
    "Tasks",
    "UnknownLabel",
    "UnknownStatus",
    "World",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value
