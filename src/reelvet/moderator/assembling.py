"""One result out of what a provider read. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from reelvet.http import logger
from reelvet.moderator.queued import waits_for
from reelvet.plugins import Looked, Report, final_coverage, plan_coverage
from reelvet.schema.errors import ReelvetError
from reelvet.schema.media import Channel, MediaKind
from reelvet.schema.result import Coverage, CoverageState, MediaFacts, ModerationResult, Note, TaskRecord
from reelvet.schema.task import RawTask, Status
from reelvet.schema.ticket import TaskState
from reelvet.schema.urls import mask_urls
from reelvet.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reelvet.plugins import Provider
    from reelvet.schema.plan import Plan
    from reelvet.schema.ticket import Ticket

_log = logger("moderator")
_WAITING = {Status.QUEUED, Status.RUNNING}
_ABSENT = {TaskState.NOT_CREATED: Status.FAILED, TaskState.UNKNOWN: Status.UNKNOWN}
_EVALUATED = {CoverageState.HIT, CoverageState.CLEAN, CoverageState.BELOW_FLOOR}


def combine(statuses: Iterable[Status]) -> Status:
    """The status of a job from those of its tasks.

    All equal: that; any not final: running; any unknown: unknown; else partial. A job without tasks failed.
    """
    found = set(statuses)
    if not found:
        return Status.FAILED
    if len(found) == 1:
        return found.pop()
    if found & _WAITING:
        return Status.RUNNING
    return Status.UNKNOWN if Status.UNKNOWN in found else Status.PARTIAL


def assemble(
    ticket: Ticket, plan: Plan | None, raws: Sequence[RawTask], provider: Provider, *, notes: Sequence[Note] = ()
) -> ModerationResult:
    """The result of a job, not yet judged.

    Args:
        ticket: The job's handle.
        plan: Its plan, made anew; `None` for tasks created elsewhere.
        raws: What the vendor says of each task that exists.
        provider: Whose `read` is asked.
        notes: Warnings that arose on the way.
    """
    report = read(provider, plan, raws)
    media = media_of(ticket, report)
    missing = [task for task in ticket.tasks if task.state is not TaskState.CREATED]
    status = combine([*(raw.status for raw in raws), *(_ABSENT[task.state] for task in missing)])
    if not ticket.tasks and plan is not None and plan.unsupported:
        notes = [*notes, Note(code="nothing_to_do", says="; ".join(f"{u.field}: {u.says}" for u in plan.unsupported))]
    notes = [*notes, *queue_notes(raws, media.kind, provider)]
    job = ticket.job or {}
    return ModerationResult(
        transcribes_only=_transcribes_only(job, plan, report),
        key=ticket.key,
        provider=ticket.provider,
        instance=ticket.instance,
        sandbox=provider.sandbox,
        status=status,
        verdict=None,
        findings=tuple(report.findings),
        coverage=tuple(_coverage(ticket, plan, report, provider)),
        transcripts=tuple(report.transcripts),
        media=media,
        usage=tuple(report.usage),
        tasks=(
            *(TaskRecord.of(raw, provider=ticket.provider, instance=ticket.instance) for raw in raws),
            *(
                TaskRecord(
                    provider=ticket.provider,
                    instance=ticket.instance,
                    id=task.ref.id,
                    status=_ABSENT[task.state],
                    error=task.error,
                )
                for task in missing
            ),
        ),
        versions={"reelvet": __version__, "taxonomy": provider.context.taxonomy.version, **report.versions},
        created_at=ticket.submitted_at,
        finished_at=datetime.now(UTC) if status.final else None,
        user=job.get("user"),
        metadata=job.get("metadata") or {},
        warnings=tuple(dict.fromkeys([*(plan.warnings if plan else ()), *ticket.warnings, *notes, *report.warnings])),
    )


def statuses_of_absent(ticket: Ticket) -> list[Status]:
    """What counts as the status of each task that does not exist, or may not."""
    return [_ABSENT[task.state] for task in ticket.tasks if task.state is not TaskState.CREATED]


def queue_notes(raws: Sequence[RawTask], kind: MediaKind, provider: Provider) -> list[Note]:
    """That a task waits, where the provider knows for what."""
    waits = any(raw.status is Status.QUEUED for raw in raws)
    says = waits_for(provider.effective(), kind) if waits else None
    return [] if says is None else [Note(code="queued", says=says)]


def read(provider: Provider, plan: Plan | None, raws: Sequence[RawTask]) -> Report:
    """What the provider reads out of the replies. Where that fails nothing was looked at, and the replies are kept."""
    try:
        return provider.read(plan, raws)
    except ReelvetError:
        raise
    except Exception as error:  # noqa: BLE001  (a provider's bug must not lose what was paid for)
        _log.warning("%s failed to read a reply, which is kept raw", provider.id, exc_info=True)
        says = (
            f"the provider failed to read the replies, which are kept: {mask_urls(f'{type(error).__name__}: {error}')}"
        )
        rows = [
            row.model_copy(update={"state": CoverageState.NOT_EVALUATED, "through": 0.0, "why": says})
            for row in (plan.coverage if plan is not None else ())
        ]
        return Report(coverage=rows, warnings=[Note(code="unreadable_result", says=says)])


def _transcribes_only(job: Mapping[str, Any], plan: Plan | None, report: Report) -> bool:
    """Whether nothing was to be detected: the job says so or, of a task made elsewhere, its reply does."""
    if plan is None and job.get("detect") is None:
        return bool(report.transcripts) and not (report.findings or report.coverage)
    return job.get("detect") == [] and job.get("transcript") is not None


def _coverage(ticket: Ticket, plan: Plan | None, report: Report, provider: Provider) -> list[Coverage]:
    if plan is not None:
        return [*(_as_promised(row, ticket) for row in report.coverage), *_unspoken(ticket, plan, report)]
    patterns = (ticket.job or {}).get("detect")
    if patterns is None:
        return list(report.coverage)
    # A task created elsewhere: what it was made to look for is held against what its payload shows that it looked for.
    able, taxonomy = provider.effective(), provider.context.taxonomy
    rows = plan_coverage(
        [(label, channel) for label in taxonomy.expand_all(patterns) for channel in able.channels],
        able,
        taxonomy,
        ticket.provider,
    )
    looked = [
        Looked(
            [row.label],
            row.channel,
            floor=row.floor,
            through=row.through,
            why=None if row.state in _EVALUATED else row.why,
        )
        for row in report.coverage
        if row.state in _EVALUATED or row.why
    ]
    return final_coverage(rows, looked, report.findings, able, taxonomy)


def _unspoken(ticket: Ticket, plan: Plan, report: Report) -> list[Coverage]:
    """A row for whatever was promised, at submission or by the plan, and is not in the report: silence is no row."""
    told = {(row.label, row.channel) for row in report.coverage}
    promised = {(label, Channel(channel)): None for channel, labels in ticket.asks.items() for label in labels}
    promised |= {(row.label, row.channel): None for row in plan.coverage}
    why = "it was promised when the job was submitted, and nothing is said of it now"
    return [
        # Looked at through second 0: no policy may take that for the whole.
        Coverage(
            label=label,
            channel=channel,
            state=CoverageState.NOT_EVALUATED,
            through=0.0,
            provider=ticket.provider,
            why=why,
        )
        for label, channel in promised
        if (label, channel) not in told
    ]


def _as_promised(row: Coverage, ticket: Ticket) -> Coverage:
    """The row, unless settings have changed since and it was never part of what was submitted."""
    if row.state is CoverageState.PLANNED:
        why = "the provider left open whether it was looked at"
        return row.model_copy(update={"state": CoverageState.NOT_EVALUATED, "through": 0.0, "why": why})
    if row.state is CoverageState.NOT_EVALUATED or row.label in ticket.asks.get(row.channel, ()):
        return row
    why = "it was not looked for when the job was submitted"
    return (
        row
        if row.state is CoverageState.HIT
        else row.model_copy(update={"state": CoverageState.NOT_EVALUATED, "floor": None, "why": why})
    )


def media_of(ticket: Ticket, report: Report) -> MediaFacts:
    """What is known of the media: of its kind what the reply says, else the job."""
    told = (ticket.job or {}).get("media") or {}
    known = report.media or MediaFacts()
    kind = known.kind if "kind" in known.model_fields_set or not told.get("kind") else MediaKind(told["kind"])
    return known.model_copy(update={"source": known.source or ticket.media.source, "kind": kind})
