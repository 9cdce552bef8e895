"""One API for video content moderation: Gcore, Huawei Cloud, Tencent Cloud, a local model, and plugins of your own.

Everything is imported when it is first used, so that importing reelvet costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reelvet.version import __version__

if TYPE_CHECKING:
    from reelvet import errors
    from reelvet.config import Config
    from reelvet.moderator import AsyncModerator, Moderated, Moderator
    from reelvet.policy import Policy, judge, replay
    from reelvet.schema.delta import Delta
    from reelvet.schema.job import CallbackRequest, ModerationJob, Money, TranscriptRequest
    from reelvet.schema.media import Channel, Media, MediaKind
    from reelvet.schema.plan import Plan
    from reelvet.schema.result import Coverage, CoverageState, Finding, ModerationResult, Verdict
    from reelvet.schema.task import Status
    from reelvet.schema.ticket import Ticket
    from reelvet.taxonomy import Taxonomy

_WHERE = {
    "reelvet.config": ("Config",),
    "reelvet.moderator": ("AsyncModerator", "Moderated", "Moderator"),
    "reelvet.policy": ("Policy", "judge", "replay"),
    "reelvet.schema.delta": ("Delta",),
    "reelvet.schema.job": ("CallbackRequest", "ModerationJob", "Money", "TranscriptRequest"),
    "reelvet.schema.media": ("Channel", "Media", "MediaKind"),
    "reelvet.schema.plan": ("Plan",),
    "reelvet.schema.result": ("Coverage", "CoverageState", "Finding", "ModerationResult", "Verdict"),
    "reelvet.schema.task": ("Status",),
    "reelvet.schema.ticket": ("Ticket",),
    "reelvet.taxonomy": ("Taxonomy",),
}
_HOME = {name: module for module, names in _WHERE.items() for name in names}

__all__ = [
    "AsyncModerator", "CallbackRequest", "Channel", "Config", "Coverage", "CoverageState", "Delta", "Finding", "Media", "MediaKind", "Moderated",
    "ModerationJob", "ModerationResult", "Moderator", "Money", "Plan", "Policy", "Status", "Taxonomy", "Ticket", "TranscriptRequest", "Verdict",
    "__version__", "errors", "judge", "replay",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    from importlib import import_module  # noqa: PLC0415

    if name == "errors":
        value: Any = import_module("reelvet.errors")
    elif name in _HOME:
        value = getattr(import_module(_HOME[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
