"""The shape of a stored reply of the engine, read leniently: it may have been stored by another version."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from reelvet.schema.errors import InvalidJob
from reelvet.schema.validation import first_field, sentences

WAY_OUT = "Give what stands in `tasks[].raw` of a result of this provider."


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)


class Failure(_Lenient):
    """Why a run failed."""

    code: str | None = None
    message: str | None = None


class Facts(_Lenient):
    """What the file says about itself."""

    kind: str | None = None
    container: str | None = None
    duration: float | None = None
    width: int | None = None
    height: int | None = None
    other_video_streams: int | None = None


class Hit(_Lenient):
    """A frame at or above the report floor."""

    label: str | None = None
    score: float | None = None
    start: float | None = None
    frame: int | None = None
    thumbnail: str | None = None


class Sampling(_Lenient):
    """Which frames were looked at."""

    rule: str | None = None
    interval: float | None = None
    max_gap: float | None = None
    frames: int | None = None
    largest_gap: float | None = None
    filled_gaps: int | None = None
    time_resets: int | None = None
    damaged: int | None = None
    every: int | None = None


class ScoreSummary(_Lenient):
    """All scores of one label."""

    max: float | None = None
    at: float | None = None


class DetectorInfo(_Lenient):
    """The model."""

    name: str | None = None
    version: str | None = None
    labels: list[str] | None = None


class Payload(_Lenient):
    """A run, ended: the engine's `Outcome`, and the floor it was asked to report from."""

    status: str | None = None
    error: Failure | None = None
    facts: Facts | None = None
    hits: list[Hit] | None = None
    scores: dict[str, ScoreSummary] | None = None
    sampling: Sampling | None = None
    through: float | None = None
    stopped_early: bool | None = None
    detector: DetectorInfo | None = None
    report_floor: float | None = None


RAW_ONLY = {
    "scores": "scores below the floor are no findings; one above it that no hit tells becomes one",
    "facts.container": "kept for whoever debugs a file; that of a cut-off one makes silence doubtful",
    "facts.codec": "kept for whoever debugs a file",
    "facts.fps": "kept for whoever debugs a file",
    "facts.rotation": "applied already",
    "sampling.interval": "told in words in media.sampling",
    "sampling.max_gap": "told in words in media.sampling",
    "detector.labels": "told by coverage",
}
"""Leaves of a payload that no unified field carries, and why."""


def parse(payload: Any) -> Payload:
    """A stored reply.

    Raises:
        InvalidJob: It is none.
    """
    try:
        return Payload.model_validate(payload)
    except ValidationError as error:
        faults = "; ".join(f"{field or 'payload'}: {says}" for field, says in sentences(error))
        raise InvalidJob(
            f"not a reply of the local engine: {faults}", field=first_field(error), way_out=WAY_OUT
        ) from None
