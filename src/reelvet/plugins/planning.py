"""The part of planning that is the same for every provider: what is asked, and what cannot be had."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reelvet.plugins.capabilities import is_language
from reelvet.plugins.coverage import OTHER_LANGUAGE, plan_coverage
from reelvet.schema.media import Channel
from reelvet.schema.plan import Unsupported
from reelvet.schema.result import Coverage, CoverageState, Note

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reelvet.plugins.capabilities import Capabilities, TranscriptCapability
    from reelvet.schema.job import ModerationJob, TranscriptRequest
    from reelvet.taxonomy import Taxonomy

_MOST_ALTERNATIVES = 8
_MOST_PLANNED = 256


@dataclass(frozen=True, slots=True)
class Asked:
    """A job held against what an instance can do."""

    coverage: list[Coverage]
    unsupported: list[Unsupported]
    warnings: list[Note]
    looks_for: dict[Channel, list[str]]
    """Channel -> labels of the instance that must be looked for to answer the job."""


def ask(job: ModerationJob, capabilities: Capabilities, taxonomy: Taxonomy, *, provider: str) -> Asked:
    """Expands what a job asks and holds it against what an instance can do.

    Args:
        job: The job.
        capabilities: The instance's effective ones.
        taxonomy: The tree, plugin labels included.
        provider: The provider's id.

    Raises:
        UnknownLabel: A pattern in `detect` or `stop_on` matches no label.
    """
    able = capabilities.for_kind(job.media.kind)
    language = job.spoken_language
    asked = (job.detect, job.channels, provider, taxonomy, language)
    known = able.planned.get(asked)
    if known is None:
        coverage = plan_coverage(_places(job, able, taxonomy), able, taxonomy, provider, language=language)
        looks_for = _looks_for(coverage, able.for_language(language), taxonomy)
        known = coverage, looks_for, list(_detect(job, able, coverage, taxonomy)), _limits(coverage)
        if len(able.planned) >= _MOST_PLANNED:
            able.planned.clear()
        able.planned[asked] = known
    coverage, looks_for, unseen, limits = known
    unsupported = [*_media(job, capabilities), *(unseen if job.media.kind in able.kinds else ()), *_others(job, able)]
    fresh = {channel: list(labels) for channel, labels in looks_for.items()}
    return Asked(list(coverage), unsupported, [*_wishes(job, able, taxonomy), *limits], fresh)


def _limits(coverage: list[Coverage]) -> list[Note]:
    """A warning for each language that keeps something from being looked for, or its silence from saying anything."""
    limited: dict[str, dict[str, None]] = {}
    for row in coverage:
        if row.why is not None and OTHER_LANGUAGE in row.why:
            limited.setdefault(row.why, {})[row.channel.value] = None
    return [
        Note(code="language_limited", says=f"{', '.join(channels)}: {why}; say `language` where it is known")
        for why, channels in limited.items()
    ]


def _places(job: ModerationJob, able: Capabilities, taxonomy: Taxonomy) -> Iterable[tuple[str, Channel]]:
    channels = tuple(dict.fromkeys(job.channels or able.channels))
    if job.detect is None:
        kinds = set(taxonomy.harms)
        return [
            (label, channel)
            for label in taxonomy.harms
            if label in able.labels & kinds
            for channel in channels
            if (label, channel) in able.by_place
        ]
    places: list[tuple[str, Channel]] = []
    for label in taxonomy.expand_all(job.detect):
        related = (*taxonomy.subtree(label), *taxonomy.ancestors(label))
        seen = [channel for channel in channels if any((other, channel) in able.by_place for other in related)]
        # A label nobody can see still gets a row: in the channels asked for, else in one.
        places += [
            (label, channel) for channel in (channels if job.channels else seen) or channels[:1] or (Channel.VISUAL,)
        ]
    return places


def _looks_for(coverage: list[Coverage], able: Capabilities, taxonomy: Taxonomy) -> dict[Channel, list[str]]:
    wanted: dict[Channel, dict[str, None]] = {}
    for row in coverage:
        if row.state is CoverageState.PLANNED:
            for other in (row.label, *taxonomy.subtree(row.label), *taxonomy.ancestors(row.label)):
                if (other, row.channel) in able.by_place:
                    wanted.setdefault(row.channel, {})[other] = None
    return {channel: list(labels) for channel, labels in wanted.items()}


def _media(job: ModerationJob, capabilities: Capabilities) -> Iterable[Unsupported]:
    if job.media.scheme not in capabilities.schemes:
        ways = tuple(sorted("a local file" if scheme == "file" else f"{scheme}://" for scheme in capabilities.schemes))
        yield Unsupported(field="media", says=f"cannot read {job.media.scheme}: {job.media.source}", alternatives=ways)
    if job.media.kind not in capabilities.kinds:
        yield Unsupported(
            field="media.kind", says=f"does not take {job.media.kind}", alternatives=tuple(sorted(capabilities.kinds))
        )


def _detect(
    job: ModerationJob, able: Capabilities, coverage: list[Coverage], taxonomy: Taxonomy
) -> Iterable[Unsupported]:
    planned = {(row.label, row.channel) for row in coverage if row.state is CoverageState.PLANNED}
    labels = {label for label, _ in planned}
    for pattern in job.detect or ():
        if not labels.intersection(taxonomy.expand(pattern)):
            where = f" in {', '.join(job.channels)}" if job.channels else ""
            ids = set(taxonomy.expand(pattern))
            spoken = next((row.why for row in coverage if row.label in ids and OTHER_LANGUAGE in (row.why or "")), None)
            says = f"does not look for {pattern!r}{where}" + (f": {spoken}" if spoken else "")
            yield Unsupported(field="detect", says=says, alternatives=_nearby(pattern, able))
    for channel in job.channels if job.channels and job.detect != () else ():
        if not any(place[1] is channel for place in planned):
            yield Unsupported(
                field="channels",
                says=f"does not look in {channel.value!r} for what is asked",
                alternatives=tuple(able.channels),
            )
    if job.detect is None and not planned and job.channels is None:
        yield Unsupported(field="detect", says="sees no harm label in such media")


def _nearby(pattern: str, able: Capabilities) -> tuple[str, ...]:
    root = pattern.partition(".")[0].rstrip("*")
    labels = sorted(able.labels)
    return tuple([label for label in labels if label.startswith(root)] or labels)[:_MOST_ALTERNATIVES]


def _others(job: ModerationJob, able: Capabilities) -> Iterable[Unsupported]:
    if job.transcript is not None:
        if able.transcript is None:
            yield Unsupported(field="transcript", says="writes no transcripts")
        else:
            yield from _transcript(job.transcript, able.transcript)
    # Media that never leaves the caller's own machine is in no vendor's region.
    if job.regions is not None and able.regions != ("here",):
        places = able.regions
        if places is None or not set(places) <= set(job.regions):
            where = "in a region that is not known" if places is None else f"in {', '.join(places)}"
            yield Unsupported(field="regions", says=f"processes media {where}, asked for {', '.join(job.regions)}")
    if job.max_cost is not None and able.price_class != "free":
        yield Unsupported(
            field="max_cost",
            says=f"its price is not known, so it cannot be kept below {job.max_cost}",
            alternatives=("leave max_cost out",),
        )


def _transcript(wanted: TranscriptRequest, able: TranscriptCapability) -> Iterable[Unsupported]:
    for language in wanted.languages:
        if not _is_one_of(language, able.languages):
            yield Unsupported(
                field="transcript.languages",
                says=f"does not write {language!r} down",
                alternatives=able.languages or (),
            )
    if wanted.translate_to and not _is_one_of(wanted.translate_to, able.translations):
        yield Unsupported(
            field="transcript.translate_to",
            says=f"does not translate into {wanted.translate_to!r}" if able.translations else "does not translate",
            alternatives=able.translations or ("a transcript without translation",),
        )


def _is_one_of(tag: str, known: tuple[str, ...] | None) -> bool:
    """Whether a BCP 47 tag is among those known. `None`: the vendor will say."""
    return known is None or is_language(tag, known)


def _wishes(job: ModerationJob, able: Capabilities, taxonomy: Taxonomy) -> list[Note]:
    taxonomy.expand_all(job.stop_on, field="stop_on")
    wished = {
        "interval": job.interval is not None,
        "stop_on": bool(job.stop_on),
        "callback": job.callback is not None,
        "user": job.user is not None,
        "metadata": bool(job.metadata),
        "language": job.spoken_language is not None,
    }
    return [
        Note(code="wish_ignored", says=f"{name} is not honoured by this provider")
        for name, is_wished in wished.items()
        if is_wished and name not in able.wishes
    ]
