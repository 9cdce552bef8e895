"""Submit, wait, cancel: the road of a job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reelvet.moderator.async_moderator import AsyncModerator
    from reelvet.moderator.many import Moderated
    from reelvet.moderator.moderator import Moderator
    from reelvet.moderator.policies import load_policies

__all__ = ["AsyncModerator", "Moderated", "Moderator", "load_policies"]

_HOME = {
    "AsyncModerator": "async_moderator",
    "load_policies": "policies",
    "Moderated": "many",
    "Moderator": "moderator",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
