"""A job as tasks of Gcore. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from reelvet.plugins import Capabilities, ask
from reelvet.schema.media import Channel, MediaKind
from reelvet.schema.plan import Plan, PlannedRequest, Unsupported, VendorTask
from reelvet.schema.result import Note
from reelvet_gcore.languages import to_vendor
from reelvet_gcore.plugin import CATEGORIES, FLOORS, HARD, NSFW, SOFT, SPORT
from reelvet_gcore.settings import GcoreOptions, GcoreSettings
from reelvet_gcore.wire import ENVELOPE

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from reelvet.schema.job import ModerationJob
    from reelvet.taxonomy import LabelMap, Taxonomy

TRANSCRIPTION = "transcription"
MODERATION = "content-moderation"
STOPPABLE = frozenset({HARD, SOFT})
"""The categories that take `stop_objects`: https://gcore.com/docs/api-reference/streaming/ai/create-ai-task"""

CREATE = "/streaming/ai/tasks"
CREATE_LEGACY = "/streaming/ai/detect-nudity"
INFO = "/streaming/ai/info"
VIDEO = "/streaming/videos/{id}"

LONGEST_USER = 256
LONGEST_ENTITY = 4096
"""Of `client_user_id` and `client_entity_data`; counted in bytes, which are never fewer than the vendor's characters."""


def plan(
    job: ModerationJob,
    settings: GcoreSettings,
    capabilities: Callable[[tuple[str, ...] | None], Capabilities],
    labels: LabelMap,
    taxonomy: Taxonomy,
    *,
    instance: str,
) -> Plan:
    """The fewest billed tasks that answer a job.

    Args:
        job: The job.
        settings: The instance's.
        capabilities: The instance's effective ones, or what of them some categories can do.
        labels: Gcore's words.
        taxonomy: The tree.
        instance: The instance's name.

    Raises:
        UnknownLabel: A label in the job is in no taxonomy.
    """
    options = GcoreOptions(**job.options.get("gcore", {}))
    able = capabilities(options.categories)
    asked = ask(job, able, taxonomy, provider="gcore")
    notes: list[Note] = []
    unsupported = [*asked.unsupported, *_asset(job)]
    wanted = asked.looks_for.get(Channel.VISUAL, [])
    categories = list(options.categories or choose(wanted, able))
    if job.media.kind is MediaKind.IMAGE and SPORT in categories:
        categories.remove(SPORT)  # named by the caller; a picture has no sequence to look at
        notes.append(
            Note(code="not_for_pictures", says="sport looks at a sequence, so no task is planned for a picture")
        )
    common = _common(job, settings, notes)
    extra = _extra(job, options)
    stops = _stops(job, categories, labels, taxonomy, notes)
    tasks = [
        VendorTask(
            name=category,
            category=category,
            vendor_key=job.vendor_key,
            payload=_moderation(category, common, stops.get(category), settings),
            looks_for={Channel.VISUAL.value: _sees(category, able)},
            price_class="paid",
            extra=extra,
        )
        for category in categories
    ]
    transcription, faults = _transcription(job, common, settings, notes, extra)
    unsupported += faults
    if transcription is not None:
        tasks.append(transcription)
    if any(item.field.startswith("media") for item in unsupported):
        tasks = []
    price = _price(tasks)
    if price == "free":
        unsupported = [item for item in unsupported if item.field != "max_cost"]
    return Plan(
        provider="gcore",
        instance=instance,
        tasks=tuple(tasks),
        requests=tuple(_requests(job, tasks, settings)),
        coverage=tuple(asked.coverage),
        unsupported=tuple(unsupported),
        warnings=(*asked.warnings, *notes),
        price_class=price,
    )


def choose(wanted: Collection[str], able: Capabilities) -> list[str]:
    """The fewest categories that look for all labels wanted: soft_nudity contains hard_nudity, so never both."""
    offered = {category: set(_sees(category, able)) for category in CATEGORIES}
    exposed_or_covered = offered[SOFT] | offered[HARD]
    nudity = exposed_or_covered.intersection(wanted)
    chosen = [NSFW] if offered[NSFW].intersection(wanted) else []
    if nudity:
        chosen.append(HARD if nudity <= offered[HARD] else SOFT)
    return [*chosen, SPORT] if offered[SPORT].intersection(wanted) else chosen


def _sees(category: str, able: Capabilities) -> list[str]:
    return [entry.label for entry in able.entries if entry.switch == category]


def _asset(job: ModerationJob) -> Iterable[Unsupported]:
    if job.media.scheme == "gcore" and not (video_id(job).isascii() and video_id(job).isdecimal()):
        yield Unsupported(
            field="media",
            says=f"{job.media.source!r} names no video: a video's id is a number",
            alternatives=("gcore:12345",),
        )


def video_id(job: ModerationJob) -> str:
    """What follows `gcore:`."""
    return str(job.media.url).partition(":")[2]


def _common(job: ModerationJob, settings: GcoreSettings, notes: list[Note]) -> dict[str, Any]:
    """What every task of the job is sent."""
    common: dict[str, Any] = {"url": str(job.media.url)}
    if settings.api == "legacy":
        return common
    if job.user is not None:
        if len(job.user.encode()) <= LONGEST_USER:
            common["client_user_id"] = job.user
        else:
            says = f"user is longer than the {LONGEST_USER} bytes that fit, so it is not sent; the result has it"
            notes.append(Note(code="wish_ignored", says=says))
    told: dict[str, Any] = {ENVELOPE: 1, "key": job.vendor_key, "metadata": dict(job.metadata)}
    written = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    if len(written.encode()) > LONGEST_ENTITY:
        says = f"metadata does not fit into the vendor's {LONGEST_ENTITY} bytes, so it is not sent; the result has it"
        notes.append(Note(code="wish_ignored", says=says))
        del told["metadata"]
        written = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    common["client_entity_data"] = written
    return common


def _extra(job: ModerationJob, options: GcoreOptions) -> dict[str, Any]:
    """What reading and preparing need to know of the job, and the vendor does not."""
    told = options.model_dump(exclude={"categories"}, exclude_none=True, exclude_defaults=True, mode="json")
    if job.media.duration is not None:
        told["duration"] = job.media.duration
    return told


def _moderation(category: str, common: dict[str, Any], stops: str | None, settings: GcoreSettings) -> dict[str, Any]:
    stop = {"stop_objects": stops} if stops else {}
    if settings.api == "legacy":
        # The endpoint documents hard nudity and no category; the vendor's own portal sent one for the others.
        return {**common, **({} if category == HARD else {"category": category}), **stop}
    return {"task_name": MODERATION, **common, "category": category, **stop}


def _stops(
    job: ModerationJob, categories: Collection[str], labels: LabelMap, taxonomy: Taxonomy, notes: list[Note]
) -> dict[str, str]:
    """Category -> its `stop_objects`; what no planned category can stop on is a note."""
    native: dict[str, dict[str, float]] = {}
    for pattern, score in job.stop_on.items():
        wanted = set(taxonomy.expand(pattern, field="stop_on"))
        said = False
        for category in STOPPABLE.intersection(categories):
            for mapping in labels:
                if mapping.field == f"category={category}" and mapping.label in wanted:
                    words = native.setdefault(category, {})
                    least = max(score, FLOORS[category])
                    words[mapping.native] = min(least, words.get(mapping.native, least))
                    said = True
        if said and score < FLOORS[HARD]:
            says = f"stop_on: {pattern!r} stops at {FLOORS[HARD]:g}, not at {score:g}: below that Gcore reports nothing"
            notes.append(Note(code="wish_adjusted", says=says))
        if not said:
            says = f"stop_on: no task of this job can stop on {pattern!r}; hard_nudity and soft_nudity can, on what they look for"
            notes.append(Note(code="wish_ignored", says=says))
    return {
        category: ",".join(f"{word}:{_plain(score)}" for word, score in words.items())
        for category, words in native.items()
    }


def _plain(score: float) -> str:
    return f"{score:.4f}".rstrip("0").rstrip(".")


def _transcription(
    job: ModerationJob, common: dict[str, Any], settings: GcoreSettings, notes: list[Note], extra: dict[str, Any]
) -> tuple[VendorTask | None, list[Unsupported]]:
    if job.transcript is None or settings.api == "legacy":
        return None, []
    wanted = job.transcript
    faults = []
    codes: dict[str, str | None] = {}
    for field, tags in (
        ("transcript.languages", wanted.languages),
        ("transcript.translate_to", (wanted.translate_to,) if wanted.translate_to else ()),
    ):
        for tag in tags:
            codes[tag] = to_vendor(tag)
            if codes[tag] is None:
                says = f"{tag!r} is no language: neither a BCP 47 tag nor an ISO 639 code"
                faults.append(Unsupported(field=field, says=says, alternatives=("en", "de", "zh-Hans")))
    if faults:
        return None, faults
    spoken = {code for tag in wanted.languages if (code := codes[tag])}
    audio = next(iter(spoken)) if len(spoken) == 1 else None
    if len(spoken) > 1:
        says = "several languages are spoken, so the vendor is left to tell them apart: it takes one or none"
        notes.append(Note(code="languages_left_open", says=says))
    elif not spoken and job.spoken_language is not None:
        audio = to_vendor(job.spoken_language)
    target = codes[wanted.translate_to] if wanted.translate_to else None
    payload = {"task_name": TRANSCRIPTION, **common}
    if audio is not None:
        payload["audio_language"] = audio
    if target is not None and target != audio:
        payload["subtitles_language"] = target
    paid = "subtitles_language" in payload
    return VendorTask(
        name=TRANSCRIPTION,
        category=TRANSCRIPTION,
        vendor_key=job.vendor_key,
        payload=payload,
        price_class="paid" if paid else "free",
        extra=extra,
    ), []


def _price(tasks: Collection[VendorTask]) -> str | None:
    classes = {task.price_class for task in tasks}
    return "paid" if "paid" in classes else "free" if classes else None


def _requests(job: ModerationJob, tasks: list[VendorTask], settings: GcoreSettings) -> Iterable[PlannedRequest]:
    if tasks and job.media.scheme == "gcore":
        yield PlannedRequest(method="GET", path=VIDEO.format(id=video_id(job)))
    for task in tasks:
        if language := language_query(task.payload):
            yield PlannedRequest(method="GET", path=INFO, query=language)
    path = CREATE_LEGACY if settings.api == "legacy" else CREATE
    for task in tasks:
        yield PlannedRequest(method="POST", path=path, body=task.payload)


def language_query(payload: dict[str, Any]) -> dict[str, str]:
    """The question whether the vendor knows the languages of a task; empty where there is nothing to ask.

    It needs the spoken language: https://gcore.com/docs/api-reference/streaming/ai/get-ai-settings
    """
    if not payload.get("audio_language"):
        return {}
    names = ("audio_language", "subtitles_language")
    return {"type": "language_support", **{name: payload[name] for name in names if payload.get(name)}}
