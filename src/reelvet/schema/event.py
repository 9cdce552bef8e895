"""What the platform is told of."""

from __future__ import annotations

from enum import StrEnum


class EventType(StrEnum):
    """The type of an outgoing event: full-stop delimited, as Standard Webhooks has them. Permanent."""

    RESULT = "moderation.result"
    """A job has ended, and there is a result."""
    PARKED = "moderation.parked"
    """Nobody knows whether a job exists at the vendor; somebody must decide."""
    DECISION = "moderation.decision"
    """A person has decided about a job."""
