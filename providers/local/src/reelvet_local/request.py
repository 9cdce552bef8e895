"""A job as the one task of the local engine. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reelvet.plugins import Capabilities, ask
from reelvet.schema.plan import Plan, VendorTask
from reelvet.schema.result import Note
from reelvet.taxonomy import QUARANTINE
from reelvet_local.sampling import LONGEST, SHORTEST
from reelvet_local.settings import LocalOptions

if TYPE_CHECKING:
    from reelvet.schema.job import ModerationJob
    from reelvet.taxonomy import LabelMap, Taxonomy
    from reelvet_local.settings import LocalSettings

TASK = "look"


def plan(
    job: ModerationJob,
    settings: LocalSettings,
    capabilities: Capabilities,
    labels: LabelMap,
    taxonomy: Taxonomy,
    *,
    instance: str,
) -> Plan:
    """What the engine is told to do.

    Raises:
        UnknownLabel: A label in the job is in no taxonomy.
    """
    asked = ask(job, capabilities, taxonomy, provider="local")
    options = LocalOptions(**job.options.get("local", {}))
    stop_on, notes = _stop_on(job, labels, taxonomy)
    interval = job.interval if job.interval is not None else settings.interval
    if not SHORTEST <= interval <= LONGEST:
        wished, interval = interval, min(max(interval, SHORTEST), LONGEST)
        says = f"interval = {wished:g} is not between {SHORTEST:g} and {LONGEST:g} seconds, so it is {interval:g}"
        notes.append(Note(code="wish_adjusted", says=says))
    thumbnails = options.thumbnails or settings.thumbnails
    payload: dict[str, Any] = {
        "source": str(job.media.path or job.media.url),
        "sampling": options.sampling or settings.sampling,
        "interval": interval,
        "max_gap": options.max_gap if options.max_gap is not None else settings.max_gap,
        "stop_on": stop_on,
        "report_floor": options.report_floor if options.report_floor is not None else settings.report_floor,
        "thumbnails": str(thumbnails) if thumbnails is not None else None,
        "never_kept": sorted(
            {m.native for m in labels if m.label is not None and taxonomy.is_within(m.label, QUARANTINE)}
        ),
    }
    task = VendorTask(
        name=TASK,
        vendor_key=job.vendor_key,
        payload=payload,
        looks_for={k.value: v for k, v in asked.looks_for.items()},
    )
    possible = asked.looks_for and not any(item.field.startswith("media") for item in asked.unsupported)
    return Plan(
        provider="local",
        instance=instance,
        tasks=(task,) if possible else (),
        coverage=tuple(asked.coverage),
        unsupported=tuple(asked.unsupported),
        warnings=(*asked.warnings, *notes),
        price_class="free",
    )


def _stop_on(job: ModerationJob, labels: LabelMap, taxonomy: Taxonomy) -> tuple[dict[str, float], list[Note]]:
    """The job's early stop in the detector's words; what it never says is a note."""
    native: dict[str, float] = {}
    notes = []
    for pattern, score in job.stop_on.items():
        wanted = set(taxonomy.expand(pattern, field="stop_on"))
        said = [mapping.native for mapping in labels if mapping.label in wanted]
        for word in said:
            native[word] = min(score, native.get(word, score))
        if not said:
            notes.append(Note(code="wish_ignored", says=f"stop_on: the local model does not look for {pattern!r}"))
    return native, notes
