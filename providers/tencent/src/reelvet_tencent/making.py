"""Findings out of the parts of a reply: one per deepest hit, a parent only where no child repeats it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reelvet.schema import lenient
from reelvet.schema.result import Box, Finding, Native, Note
from reelvet.schema.urls import SignedUrl
from reelvet_tencent import times, words
from reelvet_tencent.times import NOWHERE, Clock, When

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reelvet.schema.media import Channel
    from reelvet_tencent.parts import HitSnippetInfo, Part, RecognitionResult
    from reelvet_tencent.words import Meaning, Words

SCALE = "0-100"


@dataclass(frozen=True, slots=True)
class Spot:
    """A picture or a slice of sound: what its findings share."""

    place: str
    when: When = NOWHERE
    end: float | None = None
    evidence: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def is_first(self) -> bool:
        """Whether it begins with the media: only then times within it are times of the media, whichever is meant."""
        return self.when.start == 0


@dataclass(frozen=True, slots=True)
class Hit:
    """What a part says was found."""

    label: str | None = None
    sub_label: str | None = None
    score: Any = None
    suggests: str | None = None
    text: str | None = None
    matches: Sequence[str] = ()
    box: Box | None = None
    start: float | None = None
    end: float | None = None
    extra: dict[str, Any] = field(default_factory=dict)


class Making:
    """The findings of one task."""

    def __init__(self, vocabulary: Words, clock: Clock, *, task: str, generated: bool = False) -> None:
        self.words = vocabulary
        self.clock = clock
        self.findings: list[Finding] = []
        self.notes: list[Note] = []
        self.doubts: dict[Channel, str] = {}
        """Why the silence of a channel says nothing."""
        self._task = task
        self.generated = generated

    def doubt(self, channels: Iterable[Channel], why: str) -> None:
        """From now on the silence of some channels says nothing."""
        for channel in channels:
            self.doubts.setdefault(channel, why)

    def note(self, code: str, says: str) -> None:
        """A warning, once."""
        note = Note(code=code, says=says)
        if note not in self.notes:
            self.notes.append(note)

    def when(self, what: str, offset: Any, fine: Any = None) -> When:
        """Where a picture or sound is, with a warning where what is said of it cannot be."""
        when = self.clock.at(offset, fine)
        if when.start is None and when.at_date is None and lenient.number(offset) is not None:
            self._tell_outside(f"an OffsetTime of {what}")
        return when

    def span(self, what: str, start: float | None, end: float | None) -> tuple[float | None, float | None]:
        """Two moments of the media, with a warning for what cannot be one."""
        begins, ends = self.clock.within(start), self.clock.within(end)
        if begins is not None and ends is not None and ends < begins:
            begins = ends = None
        if (begins, ends) != (start, end):
            self._tell_outside(f"a time of {what}")
        return begins, ends

    def _tell_outside(self, what: str) -> None:
        self.note("time_unclear", f"{what} is no moment of the media, so it is null")

    def meanings(self, hit: Hit) -> list[Meaning]:
        """What a hit of the moderation stands for."""
        look_up = self.words.generated if self.generated else self.words.moderated
        return look_up(hit.label, hit.sub_label)

    def add(self, spot: Spot, place: str, channel: Channel, hit: Hit, meanings: list[Meaning] | None = None) -> None:
        """A finding for each id that a hit stands for.

        Args:
            spot: Where.
            place: The part's place below the spot's; empty for the spot itself.
            channel: Seen, read or heard.
            hit: What.
            meanings: What it stands for, if it is no label of the moderation.
        """
        where = f"{spot.place}{place}".lstrip(".")
        self.words.tell_strange(hit.suggests, where)
        native = Native(
            field=where,
            label=hit.label,
            sub_label=hit.sub_label or None,
            score=hit.score,
            scale=None if hit.score is None else SCALE,
            extra={**spot.extra, **hit.extra},
        )
        start, end = (spot.when.start, spot.end) if hit.start is None else (hit.start, hit.end)
        for label, relation in self.meanings(hit) if meanings is None else meanings:
            self.findings.append(
                Finding(
                    label=label,
                    relation=relation,
                    channel=channel,
                    score=words.ratio(hit.score),
                    start=start,
                    end=end,
                    at_date=spot.when.at_date,
                    box=hit.box,
                    text=hit.text or None,
                    matches=tuple(dict.fromkeys(hit.matches)),
                    suggestion=words.suggestion(hit.suggests),
                    evidence=SignedUrl(spot.evidence) if spot.evidence else None,
                    evidence_expires=times.expires(spot.evidence),
                    native=native,
                    provider="tencent",
                    task=self._task,
                )
            )

    def repeats(self, since: int, parent: Hit) -> bool:
        """Whether one of the findings from a number on says what a parent says, no more mildly and no less surely."""
        told, score = words.suggestion(parent.suggests), lenient.number(parent.score)
        least = -1 if told is None else told.severity
        return any(
            finding.native.label == parent.label
            and (not parent.sub_label or finding.native.sub_label == parent.sub_label)
            and (-1 if finding.suggestion is None else finding.suggestion.severity) >= least
            and (score is None or (lenient.number(finding.native.score) or 0) >= score)
            for finding in self.findings[since:]
        )

    def recognized(self, spot: Spot, results: Iterable[RecognitionResult], channel: Channel) -> None:
        """What was recognized of a face or a voice. It has no verdict: a score of 0 says that it was not."""
        for number, result in enumerate(results):
            for tag_number, tag in enumerate(result.tags):
                if words.stance(tag.name or result.label, None, tag.score) is not words.Stance.HIT:
                    continue
                place = f".RecognitionResults[{number}].Tags[{tag_number}]"
                start, end = None, None
                if spot.is_first:
                    start, end = self.span("Tags", _seconds(tag.start_time), _seconds(tag.end_time))
                self.add(
                    spot,
                    place,
                    channel,
                    Hit(
                        label=result.label,
                        sub_label=None if tag.name == result.label else tag.name,
                        score=tag.score,
                        start=start,
                        end=end,
                        extra=rest(tag, "name", "score"),
                    ),
                    self.words.recognized(result.label),
                )

    def snippets(self, spot: Spot, infos: Iterable[HitSnippetInfo], channel: Channel) -> None:
        """Snippets that hit. What their words mean is not documented, so each is told as it is."""
        for number, info in enumerate(infos):
            known = self.words.knows(info.scene)
            start, end = None, None
            # Beside the whole of a file they count from its beginning; beside a picture or a sound perhaps from there.
            if spot.is_first or (not spot.place and not self.clock.live):
                start, end = self.span("HitSnippetInfos", info.duration.start, info.duration.end)
            self.add(
                spot,
                f".HitSnippetInfos[{number}]",
                channel,
                Hit(
                    label=info.scene,
                    score=info.score,
                    text=info.snippet,
                    box=box(info.rect.x, info.rect.y, info.rect.width, info.rect.height, info.rect.rotate),
                    start=start,
                    end=end,
                    extra=rest(info, "scene", "score", "snippet", "rect"),
                ),
                None if known else self.words.unmapped(info.scene, "snippet"),
            )


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


def rest(part: Part, *without: str) -> dict[str, Any]:
    """What else a part says, its fields spelled as the vendor spells them; what is empty is left out."""
    told = part.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude=set(without))
    return {name: value for name, value in told.items() if not is_empty(value)}


def is_empty(value: Any) -> bool:
    """Whether a value says nothing."""
    return value is None or value in ("", [], {}, ())


def box(
    x: float | None, y: float | None, width: float | None, height: float | None, rotation: float | None
) -> Box | None:
    """A box in pixels; `None` where it has no size."""
    if x is None or y is None or not width or not height:
        return None
    return Box(x=x, y=y, width=width, height=height, rotation=rotation or 0)
