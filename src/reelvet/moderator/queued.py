"""What a task waits for, where the provider says how many its vendor runs at a time. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelvet.schema.media import MediaKind

if TYPE_CHECKING:
    from reelvet.plugins import Capabilities
    from reelvet.schema.ticket import Ticket


def kind_of(ticket: Ticket) -> MediaKind:
    """The kind of media of a job; of one whose ticket does not say, the usual one."""
    told = ((ticket.job or {}).get("media") or {}).get("kind")
    return MediaKind(told) if told else MediaKind.VIDEO


def waits_for(able: Capabilities, kind: MediaKind) -> str | None:
    """Why a queued task is not begun, for a person; `None` where nobody knows."""
    queue = able.queue_of(kind)
    return None if queue is None else f"queued: the vendor runs {queue.tasks} at a time"
