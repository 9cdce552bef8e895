"""From what happened to an event: its id, and a body as Standard Webhooks has it. Pure.

An event goes to the platform and may be logged on the way, so it holds no raw payload and no URL with its query, and it
is small: what does not fit is left out, and said to be.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from reelvet.journal import Event, Place
from reelvet.schema.event import EventType
from reelvet.schema.lenient import storable
from reelvet.schema.result import CoverageState
from reelvet.schema.urls import mask_urls
from reelvet.taxonomy import QUARANTINE

if TYPE_CHECKING:
    from reelvet.schema.result import ModerationResult, Verdict
    from reelvet.schema.ticket import Ticket

MOST_BYTES = 64 * 1024
"""Bytes of a body at most. Receivers commonly take a megabyte, and read what is small sooner."""

# What is left out of a body that is too large, in this order, and how many bytes of it are left for the time being: what
# was found is not to push out what was not looked at, nor the other way round.
_CUTS = (
    ("findings", MOST_BYTES // 2), ("transcripts", 0), ("coverage", 0), ("findings", 0), ("reasons", 0), ("warnings", 0), ("usage", 0),
    ("tasks", 0), ("metadata", 0), ("media", 0), ("versions", 0), ("decisions", 0), ("user", 0),
)  # fmt: skip
_LONGEST = 2000
"""Characters of a sentence at most."""
_FRAME = 1000
"""Bytes for what stands around the data, and for saying what is left out of it."""


def of_result(result: ModerationResult, attempt: int = 1) -> Event:
    """The event of a job that has ended.

    Args:
        result: Its result, judged.
        attempt: The job's attempt, which a result does not hold.
    """
    place = Place(result.key, attempt)
    data = {**result.dump(), "attempt": attempt}
    data["findings"] = [_quarantined(finding) for finding in data["findings"]]
    data["tasks"] = [
        {name: value for name, value in task.items() if name not in {"raw", "attachments"}} for task in data["tasks"]
    ]
    return _event(EventType.RESULT, place, result.finished_at or datetime.now(UTC), data)


def of_parked(ticket: Ticket, why: str, *, at: datetime | None = None) -> Event:
    """The event of a job of which nobody knows whether it exists at the vendor.

    Args:
        ticket: Its ticket, which says of each task what is known.
        why: What was tried to find out, and what came of it.
        at: When; by default now.
    """
    job = ticket.job or {}
    data = {
        "key": ticket.key,
        "attempt": ticket.attempt,
        "provider": ticket.provider,
        "instance": ticket.instance,
        "submitted_at": ticket.submitted_at,
        "why": _sentence(why),
        "media": {"source": mask_urls(ticket.media.source), "kind": (job.get("media") or {}).get("kind")},
        "tasks": [{"name": t.ref.name, "id": t.ref.id, "category": t.category, "state": t.state} for t in ticket.tasks],
        "user": job.get("user"),
        "metadata": job.get("metadata") or {},
    }
    return _event(EventType.PARKED, Place(ticket.key, ticket.attempt), at or datetime.now(UTC), data)


def of_decision(
    place: Place, verdict: Verdict, *, by: str, at: datetime, note: str | None = None, **further: Any
) -> Event:
    """The event of what a person has decided about a job. One decision is told once; another one about it is another event.

    Args:
        place: The job's key and attempt.
        verdict: What it was decided to be.
        by: Who decided, as the platform knows them.
        at: When.
        note: Why, in their words.
        further: Further fields, as the job's `user` and `metadata`, or the `replaces` of the verdict before.
    """
    data = {
        "key": place.key,
        "attempt": place.attempt,
        "verdict": verdict,
        "by": by,
        "at": at,
        "note": None if note is None else _sentence(note),
        **further,
    }
    return _event(EventType.DECISION, place, at, data, at.astimezone(UTC).isoformat(), by, verdict)


def _event(type_: EventType, place: Place, at: datetime, data: dict[str, Any], *apart: str) -> Event:
    """An event.

    Args:
        type_: Its type.
        place: The job.
        at: When it happened.
        data: What is told.
        apart: What tells it apart from others of its type about the same job.
    """
    told = "\n".join((type_.value, place.key, str(place.attempt), *apart))
    id_ = "evt_" + hashlib.sha256(told.encode("utf-8", "backslashreplace")).hexdigest()[:32]

    body = {"type": type_.value, "timestamp": at.astimezone(UTC), "data": _bounded(storable(data))}
    return Event(id=id_, type=type_.value, body=_written(body), place=place)


def _written(value: Any) -> bytes:
    return to_json(value, inf_nan_mode="null")


def _bounded(data: dict[str, Any]) -> dict[str, Any]:
    """As much of it as fits; `left_out` says of each field that was cut how many of its items are missing."""
    left_out: dict[str, int] = {}
    data = {**data, "left_out": left_out}
    over = len(_written(data)) - MOST_BYTES + _FRAME
    for name, least in _CUTS:
        if over > 0 and data.get(name):
            kept, missing, saved = _cut(name, data[name], over, least)
            if missing:
                data[name], over = kept, over - saved
                left_out[name] = left_out.get(name, 0) + missing
    return data


def _cut(name: str, value: Any, over: int, least: int) -> tuple[Any, int, int]:
    """What is kept of a field, how many of its items are not, and how many bytes that saves."""
    if not isinstance(value, list):
        return (
            ({} if isinstance(value, dict) else None),
            len(value) if isinstance(value, dict) else 1,
            len(_written(value)),
        )
    ranked = {"findings": _gravest_first, "coverage": _unseen_first}.get(name, list)(value)
    sizes = [len(_written(item)) + 1 for item in ranked]
    saved, size = 0, sum(sizes)
    while ranked and saved < over and size > least:
        ranked.pop()
        cut = sizes.pop()
        saved, size = saved + cut, size - cut
    return ranked, len(value) - len(ranked), saved


def _unseen_first(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is missing of coverage is what came out clean, before anything else."""
    return sorted(rows, key=lambda row: row["state"] == CoverageState.CLEAN)


def _gravest_first(findings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of each label the highest score before any second one; a finding without a score may be anything."""
    ranked = sorted(findings, key=lambda one: -(1.0 if one["score"] is None else one["score"]))
    seen: set[str] = set()
    first = [one for one in ranked if not (one["label"] in seen or seen.add(one["label"]))]  # type: ignore[func-returns-value]
    chosen = {id(one) for one in first}
    return [*first, *(one for one in ranked if id(one) not in chosen)]


def _quarantined(finding: dict[str, Any]) -> dict[str, Any]:
    """A finding under quarantine is told, and nothing that shows or repeats what was found."""
    if finding["label"].partition(".")[0] != QUARANTINE:
        return finding
    native = {**finding["native"], "extra": {}}
    return {**finding, "evidence": None, "text": None, "matches": [], "native": native}


def _sentence(text: str) -> str:
    masked: str = mask_urls(text)
    return masked if len(masked) <= _LONGEST else f"{masked[:_LONGEST]}..."
