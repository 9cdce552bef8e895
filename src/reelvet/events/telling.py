"""What is to be told of what happened, as the configuration has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reelvet.events import making
from reelvet.http import logger
from reelvet.schema.event import EventType

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from reelvet.config import EventsConfig
    from reelvet.journal import Event, Place
    from reelvet.schema.result import ModerationResult, Verdict
    from reelvet.schema.ticket import Ticket

_log = logger("events")


class Telling:
    """Makes the events that somebody wants, for `Journal.keep` and `conclude`, which put them in the outbox. Never raises.

    Args:
        config: `[events]`; `None`: nobody wants any.
    """

    def __init__(self, config: EventsConfig | None) -> None:
        self._types = frozenset(config.types) if config is not None else frozenset()

    def events_for_result(self, result: ModerationResult, attempt: int = 1) -> list[Event]:
        """Of a job that has ended or was handed to a person; nothing of one that goes on, as there is only one event about it."""
        if not result.status.final and result.verdict is None:
            return []
        return self._made(EventType.RESULT, lambda: making.of_result(result, attempt))

    def events_for_parked(self, ticket: Ticket, why: str) -> list[Event]:
        """Of a job of which nobody knows whether it exists at the vendor."""
        return self._made(EventType.PARKED, lambda: making.of_parked(ticket, why))

    def events_for_decision(
        self, place: Place, verdict: Verdict, *, by: str, at: datetime, note: str | None = None, **further: Any
    ) -> list[Event]:
        """Of what a person has decided."""
        return self._made(
            EventType.DECISION, lambda: making.of_decision(place, verdict, by=by, at=at, note=note, **further)
        )

    def _made(self, type_: EventType, make: Callable[[], Event]) -> list[Event]:
        if type_ not in self._types:
            return []
        try:
            return [make()]
        except Exception:  # noqa: BLE001  (what was paid for is not lost for want of an event about it)
            _log.warning("an event of type %s could not be made", type_, exc_info=True)
            return []
