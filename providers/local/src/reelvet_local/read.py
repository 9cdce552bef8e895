"""A reply of the engine as findings and coverage. Pure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reelvet.plugins import Capabilities, Looked, Report, final_coverage, plan_coverage
from reelvet.schema.errors import InvalidJob
from reelvet.schema.media import Channel, MediaKind
from reelvet.schema.result import Coverage, CoverageState, Finding, MediaFacts, Native, Note, Relation, Usage
from reelvet.schema.task import RawTask, Status
from reelvet.schema.urls import SignedUrl
from reelvet.taxonomy import UNMAPPED
from reelvet_local import wire

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reelvet.schema.plan import Plan
    from reelvet.taxonomy import LabelMap, Mapping, Taxonomy

_STATUSES = {"succeeded": Status.SUCCEEDED, "failed": Status.FAILED, "canceled": Status.CANCELED}
_SILENT = {CoverageState.CLEAN, CoverageState.BELOW_FLOOR}
_BRIEF = 5.0  # seconds of a video of which a single frame is enough
_KINDS = {kind.value: kind for kind in MediaKind}


def status(native: str | None) -> Status:
    """The engine's word in ours."""
    return _STATUSES.get(native or "", Status.UNKNOWN)


def report(
    plan: Plan | None, raws: Sequence[RawTask], capabilities: Capabilities, labels: LabelMap, taxonomy: Taxonomy
) -> Report:
    """What the replies say.

    Args:
        plan: What was asked; `None`: all that the detector looks for.
        raws: The replies.
        capabilities: The instance's.
        labels: The detector's labels.
        taxonomy: The tree.
    """
    natives: dict[str, list[Mapping]] = {}
    for mapping in labels:
        natives.setdefault(mapping.native, []).append(mapping)
    findings: list[Finding] = []
    looked: list[Looked] = []
    notes: list[Note] = []
    payloads: list[wire.Payload] = []
    media: MediaFacts | None = None
    versions = {"label_map": str(labels)}
    for raw in raws:
        payload, fault = _payload(raw)
        notes += fault
        if payload is None:
            continue
        payloads.append(payload)
        findings += _findings(raw, payload, natives, notes)
        looked += _looked(raw, payload, natives)
        notes += _warnings(payload)
        media = _media(payload)
        if payload.detector is not None and payload.detector.name:
            versions["model"] = f"{payload.detector.name} {payload.detector.version or ''}".strip()
    if plan is not None:
        rows = list(plan.coverage)
    else:
        places = [(entry.label, channel) for entry in capabilities.entries for channel in entry.channels]
        rows = plan_coverage(places, capabilities, taxonomy, "local")
    coverage = final_coverage(rows, looked, findings, capabilities, taxonomy)
    doubts = "; ".join(doubt for payload in payloads for doubt in _doubts(payload))
    return Report(
        findings=findings,
        coverage=[_doubted(row, doubts) for row in coverage] if doubts else coverage,
        usage=[Usage(provider="local", task=raw.ref.id, requests=raw.requests) for raw in raws],
        warnings=notes,
        media=media,
        versions=versions,
    )


def _payload(raw: RawTask) -> tuple[wire.Payload | None, list[Note]]:
    if raw.payload is None:
        return None, []
    try:
        return wire.parse(raw.payload), []
    except InvalidJob as error:
        return None, [Note(code="unreadable_payload", says=str(error))]


def _findings(
    raw: RawTask, payload: wire.Payload, natives: dict[str, list[Mapping]], notes: list[Note]
) -> Iterator[Finding]:
    for field, hit in _hits(payload):
        if hit.label not in natives:
            note = Note(code=UNMAPPED, says=f"the detector's label {hit.label!r} is in no map")
            if note not in notes:
                notes.append(note)
            yield _finding(raw, field, hit, UNMAPPED, None)
        for mapping in natives.get(hit.label or "", []):
            if mapping.label is not None:
                yield _finding(raw, field, hit, mapping.label, mapping.relation)


def _hits(payload: wire.Payload) -> Iterator[tuple[str, wire.Hit]]:
    """Every hit, and every highest score above the floor that no hit tells: where a reply contradicts itself, the worst wins."""
    told = set()
    for number, hit in enumerate(payload.hits or []):
        told.add(hit.label)
        yield f"hits[{number}]", hit
    floor = payload.report_floor
    for label, summary in (payload.scores or {}).items():
        if label not in told and summary.max is not None and floor is not None and summary.max >= floor:
            yield f"scores.{label}", wire.Hit(label=label, score=summary.max, start=summary.at)


def _finding(raw: RawTask, field: str, hit: wire.Hit, label: str, relation: Relation | None) -> Finding:
    return Finding(
        label=label,
        relation=relation,
        channel=Channel.VISUAL,
        score=hit.score if hit.score is not None and 0 <= hit.score <= 1 else None,
        start=hit.start,
        frame=hit.frame,
        evidence=SignedUrl(Path(hit.thumbnail).absolute().as_uri()) if hit.thumbnail else None,
        native=Native(field=field, label=hit.label, score=hit.score, scale="0-1"),
        provider="local",
        task=raw.ref.id,
    )


def _looked(raw: RawTask, payload: wire.Payload, natives: dict[str, list[Mapping]]) -> Iterator[Looked]:
    """What was looked at, if a single frame was. A run that did not reach the end says nothing by its silence."""
    known = payload.detector.labels if payload.detector and payload.detector.labels is not None else None
    if payload.sampling is None or not payload.sampling.frames or known is None:
        return
    labels = [m.label for native in known for m in natives.get(native, []) if m.label is not None]
    why, through = _cut_short(raw, payload), payload.through
    if why is None and through is not None:
        # All of it: the sound may go on after the last picture, and not every file says how long it is.
        duration = payload.facts.duration if payload.facts else None
        through = None if duration is None else max(through, duration)
    yield Looked(labels, Channel.VISUAL, floor=payload.report_floor, through=through, why=why)


def _cut_short(raw: RawTask, payload: wire.Payload) -> str | None:
    at = f" after {payload.through:.1f} s" if payload.through is not None else ""
    if payload.hits is None or payload.report_floor is None:
        return "the reply does not say what was found"
    if payload.stopped_early:
        return f"stopped{at}, as stop_on asked"
    if raw.status is Status.SUCCEEDED and payload.status == "succeeded" and payload.error is None:
        return _other_tracks(payload)
    if raw.status is Status.CANCELED:
        return f"canceled{at}"
    told = payload.error.message or payload.error.code if payload.error else "the run did not succeed"
    return f"ended{at}: {told}"


def _doubts(payload: wire.Payload) -> Iterator[str]:
    """What speaks against taking silence for absence, though the run went to the end."""
    if payload.sampling is not None and payload.sampling.damaged:
        yield f"{payload.sampling.damaged} packets or frames are damaged, so something may not have been seen"
    if payload.facts is not None and payload.facts.container == "asf" and payload.facts.duration is None:
        yield "the file does not say how long it is, as one that is cut off"


def _doubted(row: Coverage, doubts: str) -> Coverage:
    return row.model_copy(update={"why": row.why or doubts}) if row.state in _SILENT else row


def _warnings(payload: wire.Payload) -> Iterator[Note]:
    for doubt in _doubts(payload):
        yield Note(code="damaged", says=doubt)
    if payload.sampling is not None and payload.sampling.time_resets:
        yield Note(
            code="time_resets",
            says=f"the timestamps start over {payload.sampling.time_resets} times, so times count on from there and may differ from a player's",
        )
    if others := _other_tracks(payload):
        yield Note(code="other_tracks", says=others)
    facts, gap = payload.facts, payload.sampling.largest_gap if payload.sampling else None
    if facts is not None and facts.kind == "video" and gap is not None:
        whole = max(facts.duration or 0.0, payload.through or 0.0)
        if whole > _BRIEF and gap > whole / 2:
            yield Note(
                code="sparse_sampling",
                says=f"for {gap:.0f} s on end of {whole:.0f} s no picture was looked at: too large an interval, or a picture shown for long",
            )


def _other_tracks(payload: wire.Payload) -> str | None:
    if payload.facts is None or not payload.facts.other_video_streams:
        return None
    what = "pictures" if payload.facts.kind == "image" else "video tracks"
    return f"{payload.facts.other_video_streams} further {what} were not looked at"


def _media(payload: wire.Payload) -> MediaFacts:
    facts = payload.facts or wire.Facts()
    return MediaFacts(
        kind=_KINDS.get(facts.kind or "", MediaKind.VIDEO),
        duration=facts.duration,
        width=facts.width,
        height=facts.height,
        sampling=_sampling(payload.sampling, facts),
        largest_gap=payload.sampling.largest_gap if payload.sampling else None,
    )


def _sampling(sampling: wire.Sampling | None, facts: wire.Facts) -> str | None:
    if sampling is None:
        return None
    if sampling.every is not None:
        return (
            f"one of every {sampling.every} frames; the file has no timestamps; {sampling.frames or 0} frames looked at"
        )
    if facts.kind == "image" and sampling.largest_gap is None:
        return f"every picture; {sampling.frames or 0} looked at"
    rule = f"the first frame of every {sampling.interval:g} s" if sampling.interval else "frames"
    if sampling.rule == "keyframes":
        rule = (
            f"key frames, at most one per {sampling.interval or 0:g} s, gaps over {sampling.max_gap or 0:g} s filled in"
        )
    return f"{rule}; {sampling.frames or 0} frames looked at"
