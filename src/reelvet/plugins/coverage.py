"""What will be looked at, and what was: one row per label asked and channel.

Silence is worth something only where somebody looked. These two functions are the only place where a row becomes
`clean`, so that no provider can be more generous than another.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from reelvet.plugins.capabilities import CONCLUSIVE, Capabilities
from reelvet.schema.result import Coverage, CoverageState
from reelvet.taxonomy import Kind, Taxonomy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reelvet.plugins.capabilities import Capability
    from reelvet.schema.media import Channel
    from reelvet.schema.result import Finding

OTHER_LANGUAGE = "and the language of the media"
"""What every `why` says that is about the media's language."""

_SILENT = {CoverageState.CLEAN, CoverageState.BELOW_FLOOR}


@dataclass(frozen=True, slots=True)
class Looked:
    """What one vendor task really looked at."""

    labels: Sequence[str]
    """Labels that the vendor looked for as such."""
    channel: Channel
    floor: float | None = None
    """The score below which it reports nothing; `None`: as the capabilities say."""
    through: float | None = None
    """Seconds of the media that were looked at; `None`: all of it."""
    why: str | None = None
    """Set where it did not look at everything (early stop, broken tail, failed task): then silence says nothing."""


def plan_coverage(
    asked: Iterable[tuple[str, Channel]],
    capabilities: Capabilities,
    taxonomy: Taxonomy,
    provider: str,
    *,
    language: str | None = None,
) -> list[Coverage]:
    """The rows of a plan.

    Args:
        asked: Label ids (patterns already expanded) and channels.
        capabilities: The instance's effective ones, for the media's kind.
        taxonomy: The tree.
        provider: The provider's id.
        language: BCP 47 tag of the media's language; `None` where nobody said.

    Returns:
        One row each: `planned`, or `not_evaluated` with why; `clearable` where silence can mean absence. A planned row
        with a `why` is looked for, and its silence says nothing for that reason.
    """
    return [
        _plan_row(label, channel, capabilities, taxonomy, provider=provider, language=language)
        for label, channel in asked
    ]


def _plan_row(
    label: str, channel: Channel, capabilities: Capabilities, taxonomy: Taxonomy, *, provider: str, language: str | None
) -> Coverage:
    all_places, places = capabilities.by_place, capabilities.for_language(language).by_place
    entry = places.get((label, channel))
    related = [(other, channel) for other in (*taxonomy.subtree(label), *taxonomy.ancestors(label))]
    if any(place in places for place in related):
        clearable = _clearable(label, channel, places, taxonomy)
        limited = not clearable and _clearable(label, channel, all_places, taxonomy)
        return Coverage(
            label=label,
            channel=channel,
            state=CoverageState.PLANNED,
            floor=entry.floor if entry else None,
            provider=provider,
            clearable=clearable,
            why=_other_language(related, all_places, language) if limited else None,
        )
    if any(place in all_places for place in related):
        why = _other_language(related, all_places, language)
    else:
        why = f"{provider} does not look for it in this channel"
    return Coverage(
        label=label, channel=channel, state=CoverageState.NOT_EVALUATED, provider=provider, why=why, clearable=False
    )


def _other_language(
    related: Iterable[tuple[str, Channel]],
    places: Mapping[tuple[str, Channel], Capability],
    language: str | None,
) -> str:
    spoken = {tag: None for place in related if place in places for tag in places[place].languages or ()}
    what = f"is {language!r}" if language is not None else "is not said"
    return f"it works in {', '.join(spoken)} only, {OTHER_LANGUAGE} {what}"


def _clearable(
    label: str, channel: Channel, places: Mapping[tuple[str, Channel], Capability], taxonomy: Taxonomy
) -> bool:
    """Whether silence can settle the label: its own, or that of all that counts below it."""
    entry = places.get((label, channel))
    if entry is not None and entry.relation in CONCLUSIVE:
        return True
    below = _counted(label, taxonomy)
    return bool(below) and all(_clearable(other, channel, places, taxonomy) for other in below)


def _counted(label: str, taxonomy: Taxonomy) -> tuple[str, ...]:
    """The labels whose silence together is the silence of this one: every harm below it.

    Below a label that is no harm, all count: the silence of a few harms in it would say nothing of the rest.
    """
    if label not in taxonomy:  # stored with a plugin that is not installed here
        return ()
    below = taxonomy.subtree(label)[1:]
    if taxonomy.kind(label) is not Kind.HARM:
        return below
    return tuple(other for other in below if taxonomy.kind(other) is Kind.HARM)


def final_coverage(
    planned: Iterable[Coverage],
    looked: Iterable[Looked],
    findings: Iterable[Finding],
    capabilities: Capabilities,
    taxonomy: Taxonomy,
) -> list[Coverage]:
    """The rows of a result.

    A row is `hit` if anything at or below it was found; `clean` (`below_floor` where the vendor documents a floor)
    only if that very label was looked for and its mapping is conclusive, or if every harm label below it is silent;
    else `not_evaluated` with why. A row that was not planned stays as it is, unless something was found after all.

    Args:
        planned: The rows of the plan.
        looked: What was really looked at.
        findings: What was found.
        capabilities: The instance's effective ones, for the media's kind.
        taxonomy: The tree.
    """
    places: dict[tuple[str, Channel], Looked] = {}
    for look in looked:
        for label in look.labels:
            known = places.get((label, look.channel))
            places[label, look.channel] = look if known is None else min(known, look, key=_doubt)
    # Thousands of findings stand in a handful of places.
    hits = {
        (label, channel)
        for found, channel in {(finding.label, finding.channel) for finding in findings}
        for label in (found, *(taxonomy.ancestors(found) if found in taxonomy else ()))
    }
    settle = _Settling(places, hits, capabilities, taxonomy)
    return [settle.row(row) for row in planned]


def _doubt(look: Looked) -> tuple[bool, float, float]:
    """Of two looks at one place the one counts that says more: a whole one, with a lower floor, that went further."""
    return look.why is not None, look.floor or 0.0, -(inf if look.through is None else look.through)


@dataclass(slots=True)
class _Settling:
    places: dict[tuple[str, Channel], Looked]
    hits: set[tuple[str, Channel]]
    capabilities: Capabilities
    taxonomy: Taxonomy

    def row(self, row: Coverage) -> Coverage:
        place = (row.label, row.channel)
        if place in self.hits:  # whatever was planned: the worst wins
            look = self.places.get(place)
            return self._as(
                row, CoverageState.HIT, through=look.through if look else None, why=look.why if look else None
            )
        if row.state is not CoverageState.PLANNED:
            return row
        if row.why is not None:  # looked for without a chance to settle it
            look = self.places.get(place)
            return self._as(row, CoverageState.NOT_EVALUATED, through=look.through if look else None, why=row.why)
        if place in self.places:
            direct = self._direct(row)
            if direct.state in _SILENT:
                return direct
            below = self._from_below(row)
            return below if below is not None and below.state in _SILENT else direct
        return self._from_below(row) or self._from_above(row)

    def _direct(self, row: Coverage) -> Coverage:
        look = self.places[row.label, row.channel]
        entry = self.capabilities.by_place.get((row.label, row.channel))
        if look.why is not None:
            return self._as(row, CoverageState.NOT_EVALUATED, through=look.through, why=look.why)
        if entry is None or entry.relation not in CONCLUSIVE:
            return self._as(
                row,
                CoverageState.NOT_EVALUATED,
                why="the vendor looks for a narrower class only, so its silence does not cover the label",
            )
        floor = look.floor if look.floor is not None else entry.floor
        state = CoverageState.CLEAN if floor is None else CoverageState.BELOW_FLOOR
        return self._as(row, state, floor=floor, through=look.through)

    def _from_below(self, row: Coverage) -> Coverage | None:
        below = _counted(row.label, self.taxonomy)
        known = [self._silence(self._at(row, label)) for label in below]
        rows = [r for r in known if r is not None]
        if not rows:
            return None
        silent = [r for r in rows if r.state in _SILENT]
        if len(silent) < len(below):
            why = f"{len(silent)} of {len(below)} labels below it looked at"
            partly = next((r.why for r in rows if r.state not in _SILENT), None)
            return self._as(row, CoverageState.NOT_EVALUATED, why=f"{why}; {partly}" if partly else why)
        through = min((r.through for r in silent if r.through is not None), default=None)
        floors = [r.floor for r in silent if r.floor is not None]
        if floors:
            return self._as(row, CoverageState.BELOW_FLOOR, floor=max(floors), through=through)
        return self._as(row, CoverageState.CLEAN, through=through)

    def _silence(self, row: Coverage) -> Coverage | None:
        """What is known of one label below: looked at itself, or all there is below it; `None`: nothing."""
        direct = self._direct(row) if (row.label, row.channel) in self.places else None
        if direct is not None and direct.state in _SILENT:
            return direct
        below = self._from_below(row)
        return below if below is not None and below.state in _SILENT else direct

    def _from_above(self, row: Coverage) -> Coverage:
        above = self.taxonomy.ancestors(row.label) if row.label in self.taxonomy else ()
        coarse = next((a for a in above if (a, row.channel) in self.places), None)
        if coarse is None:
            return self._as(row, CoverageState.NOT_EVALUATED, why="the task that was to look for it has not done so")
        what = (
            "it was found, which does not say whether this was"
            if (coarse, row.channel) in self.hits
            else "its silence says nothing of this label"
        )
        return self._as(row, CoverageState.NOT_EVALUATED, why=f"only {coarse} as a whole is looked for; {what}")

    @staticmethod
    def _at(row: Coverage, label: str) -> Coverage:
        return row.model_copy(update={"label": label})

    @staticmethod
    def _as(
        row: Coverage,
        state: CoverageState,
        *,
        floor: float | None = None,
        through: float | None = None,
        why: str | None = None,
    ) -> Coverage:
        return row.model_copy(update={"state": state, "floor": floor, "through": through, "why": why})
