"""What could not be kept."""

from __future__ import annotations

from reelvet.schema.errors.base import ReelvetError


class JournalError(ReelvetError):
    """The journal could not be read or written. Nothing is submitted that could not be entered first."""

    default_way_out = "See that the database is there, has room and may be written; `[journal] url` names it."
