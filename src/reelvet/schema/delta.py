"""What is new about a job that runs."""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import Field

from reelvet.schema.base import Moment, Stored
from reelvet.schema.result import Finding, ModerationResult, Note, Transcript
from reelvet.schema.task import Status


class Delta(Stored):
    """What is new about a job since the delta before; the last one has its result."""

    schema_version: int = Field(1, alias="schema", description="The version of this shape.")
    key: str = Field(description="The job's idempotency key.")
    at: Moment = Field(default_factory=lambda: datetime.now(UTC), description="When it was noticed, UTC.")
    status: Status = Field(description="How far the job is.")
    findings: tuple[Finding, ...] = Field(
        (), description="What was found and not told before, the earliest of each task first."
    )
    transcripts: tuple[Transcript, ...] = Field(
        (),
        description="What was said and not told before: `text` and `segments` hold what is new of them, `vtt` nothing.",
    )
    warnings: tuple[Note, ...] = Field((), description="What else to know, and was not told before.")
    result: ModerationResult | None = Field(
        None, description="The job's result, judged, with all that was found; `null` but in the last delta."
    )
