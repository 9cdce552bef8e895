"""What a provider plugin is made of. Everything an author needs is imported from here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reelvet.plugins.capabilities import CONCLUSIVE, Capabilities, Capability, Parallel, TranscriptCapability
    from reelvet.plugins.connection import ConnectionSettings
    from reelvet.plugins.coverage import Looked, final_coverage, plan_coverage
    from reelvet.plugins.declared import Covers, DeclaredPolicy
    from reelvet.plugins.hookspec import hookimpl
    from reelvet.plugins.planning import Asked, ask
    from reelvet.plugins.provider import (
        Callback,
        Created,
        Done,
        Fault,
        Health,
        Learned,
        Outcome,
        Progress,
        Provider,
        ProviderContext,
        Rejected,
        Report,
        TimeWindow,
        Unknown,
    )
    from reelvet.plugins.registry import Problem, Registry
    from reelvet.plugins.spec import BatchRule, DataHandling, ProviderSpec

_WHERE = {
    "capabilities": ("CONCLUSIVE", "Capabilities", "Capability", "Parallel", "TranscriptCapability"),
    "connection": ("ConnectionSettings",),
    "coverage": ("Looked", "final_coverage", "plan_coverage"),
    "declared": ("Covers", "DeclaredPolicy"),
    "hookspec": ("hookimpl",),
    "planning": ("Asked", "ask"),
    "provider": (
        "Callback", "Created", "Done", "Fault", "Health", "Learned", "Outcome", "Progress", "Provider", "ProviderContext", "Rejected", "Report", "TimeWindow", "Unknown",
    ),
    "registry": ("Problem", "Registry"),
    "spec": ("BatchRule", "DataHandling", "ProviderSpec"),
}  # fmt: skip
_HOME = {name: module for module, names in _WHERE.items() for name in names}

__all__ = [
    "CONCLUSIVE", "Asked", "BatchRule", "Callback", "Capabilities", "Capability", "ConnectionSettings", "Covers", "Created", "DataHandling", "DeclaredPolicy", "Done", "Fault", "Health", "Learned", "Looked", "Outcome", "Parallel", "Problem",
    "Progress", "Provider", "ProviderContext", "ProviderSpec", "Registry", "Rejected", "Report", "TimeWindow", "TranscriptCapability", "Unknown",
    "ask", "final_coverage", "hookimpl", "plan_coverage",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value
