"""Findings out of the parts of a reply: one per deepest hit, a parent only where no child repeats it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from reelvet.schema import lenient
from reelvet.schema.result import Box, Finding, Native, Note
from reelvet.schema.urls import SignedUrl
from reelvet_tencent import parts, times, words
from reelvet_tencent.shape import Rest
from reelvet_tencent.times import NOWHERE, Clock, When

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from reelvet.schema.media import Channel
    from reelvet_tencent.shape import Told
    from reelvet_tencent.words import Meaning, Words

SCALE = "0-100"

_TAG = Rest(parts.Tag, "name", "score")
_SNIPPET = Rest(parts.HitSnippetInfo, "scene", "score", "snippet", "rect")


class Spot:
    """A picture or a slice of sound: what its findings share.

    Args:
        place: Where it stands in the reply.
        when: Where it is in the media.
        end: Seconds at which it ends.
        evidence: A link to it.
        rests: What else is told of it: how, and of what. Only asked of one in which something was found.
    """

    __slots__ = ("_rests", "_shared", "_url", "end", "place", "when")

    def __init__(
        self,
        place: str,
        when: When = NOWHERE,
        end: float | None = None,
        evidence: str | None = None,
        rests: Iterable[tuple[Rest, Told]] = (),
    ) -> None:
        self.place = place
        self.when = when
        self.end = end
        self._url = evidence
        self._rests = rests
        self._shared: tuple[SignedUrl | None, datetime | None, dict[str, Any]] | None = None

    @property
    def is_first(self) -> bool:
        """Whether it begins with the media: only then times within it are times of the media, whichever is meant."""
        return self.when.start == 0

    @property
    def shared(self) -> tuple[SignedUrl | None, datetime | None, dict[str, Any]]:
        """Its evidence, when that expires, and what else is told of it."""
        if self._shared is None:
            url = self._url
            extra: dict[str, Any] = {}
            for rest, part in self._rests:
                extra |= rest(part)
            self._shared = (SignedUrl(_sound(url)), times.expires(url), extra) if url else (None, None, extra)
        return self._shared


_NOTHING: dict[str, Any] = {}


class Hit(NamedTuple):
    """What a part says was found."""

    label: str | None = None
    sub_label: str | None = None
    score: Any = None
    suggests: str | None = None
    text: str | None = None
    matches: tuple[str, ...] = ()
    box: Box | None = None
    start: float | None = None
    end: float | None = None
    extra: Mapping[str, Any] = _NOTHING


class _Pattern(NamedTuple):
    """What all hits of one word have in common, validated: a reply has thousands of hits and a handful of words."""

    native: Native
    findings: tuple[Finding, ...]
    is_strange: bool


class Making:
    """The findings of one task."""

    def __init__(self, vocabulary: Words, clock: Clock, *, task: str, generated: bool = False) -> None:
        self.words = vocabulary
        self.clock = clock
        self.findings: list[Finding] = []
        self.notes: list[Note] = []
        self.doubts: dict[Channel, str] = {}
        """Why the silence of a channel says nothing."""
        self._told: set[tuple[str, str]] = set()
        self._patterns: dict[tuple[Any, ...], _Pattern] = {}
        self._task = task
        self.generated = generated

    def doubt(self, channels: Iterable[Channel], why: str) -> None:
        """From now on the silence of some channels says nothing."""
        for channel in channels:
            self.doubts.setdefault(channel, why)

    def note(self, code: str, says: str) -> None:
        """A warning, once."""
        if (code, says) not in self._told:
            self._told.add((code, says))
            self.notes.append(Note(code=code, says=says))

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
        where = f"{spot.place}{place}" if spot.place else place.lstrip(".")
        label, sub_label, score, suggests, text, matches, box, start, end, extra = hit
        key = (label, sub_label, suggests, channel, None if meanings is None else tuple(meanings))
        pattern = self._patterns.get(key)
        if pattern is None or pattern.is_strange:
            self.words.tell_strange(suggests, where)
        if pattern is None:
            pattern = self._patterns[key] = self._pattern(hit, channel, meanings)
        evidence, expires, shared = spot.shared
        when = spot.when
        if start is None:
            start, end = when.start, spot.end
        # Trusted is what this very code has worked out, and what the layout of its part says is text.
        native = pattern.native.alike(
            field=where, score=score, scale=None if score is None else SCALE, extra={**shared, **extra}
        )
        ratio = words.ratio(score)
        text = _sound(text) if text else None
        if matches:
            matches = tuple([_sound(match) for match in (dict.fromkeys(matches) if len(matches) > 1 else matches)])
        at_date, findings = when.at_date, self.findings
        for finding in pattern.findings:
            findings.append(
                finding.alike(
                    score=ratio,
                    start=start,
                    end=end,
                    at_date=at_date,
                    box=box,
                    text=text,
                    matches=matches,
                    evidence=evidence,
                    evidence_expires=expires,
                    native=native,
                )
            )

    def _pattern(self, hit: Hit, channel: Channel, meanings: list[Meaning] | None) -> _Pattern:
        native = Native(
            field="",
            label=hit.label and _sound(hit.label),
            sub_label=_sound(hit.sub_label) if hit.sub_label else None,
            score=None,
            scale=None,
            extra={},
        )
        findings = tuple(
            Finding(
                label=label,
                relation=relation,
                channel=channel,
                score=None,
                start=None,
                end=None,
                at_date=None,
                box=None,
                text=None,
                matches=(),
                suggestion=words.suggestion(hit.suggests),
                evidence=None,
                evidence_expires=None,
                native=native,
                provider="tencent",
                task=self._task,
            )
            for label, relation in (self.meanings(hit) if meanings is None else meanings)
        )
        return _Pattern(native, findings, words.is_strange(hit.suggests))

    def repeats(self, since: int, parent: Hit) -> bool:
        """Whether one of the findings from a number on says what a parent says, no more mildly and no less surely."""
        findings = self.findings
        if since >= len(findings):
            return False
        label, sub_label, score, suggests = parent[:4]
        told, score = words.suggestion(suggests), _as_number(score)
        least = -1 if told is None else told.severity
        for number in range(since, len(findings)):
            finding = findings[number]
            native, said = finding.native, finding.suggestion
            if (
                native.label == label
                and (not sub_label or native.sub_label == sub_label)
                and (said is told or (-1 if said is None else said.severity) >= least)
                and (score is None or (_as_number(native.score) or 0) >= score)
            ):
                return True
        return False

    def recognized(self, spot: Spot, results: Iterable[Told], channel: Channel) -> None:
        """What was recognized of a face or a voice. It has no verdict: a score of 0 says that it was not."""
        for number, result in enumerate(results):
            label = result.get("Label")
            for tag_number, tag in enumerate(result.get("Tags") or ()):
                name, score = tag.get("Name"), tag.get("Score")
                if words.stance(name or label, None, score) is not words.Stance.HIT:
                    continue
                place = f".RecognitionResults[{number}].Tags[{tag_number}]"
                start, end = None, None
                if spot.is_first:
                    start, end = self.span("Tags", _seconds(tag.get("StartTime")), _seconds(tag.get("EndTime")))
                self.add(
                    spot,
                    place,
                    channel,
                    Hit(
                        label=label,
                        sub_label=None if name == label else name,
                        score=score,
                        start=start,
                        end=end,
                        extra=_TAG(tag),
                    ),
                    self.words.recognized(label),
                )

    def snippets(self, spot: Spot, infos: Iterable[Told], channel: Channel) -> None:
        """Snippets that hit. What their words mean is not documented, so each is told as it is."""
        for number, info in enumerate(infos):
            scene = info.get("Scene")
            known = self.words.knows(scene)
            start, end = None, None
            # Beside the whole of a file they count from its beginning; beside a picture or a sound perhaps from there.
            if spot.is_first or (not spot.place and not self.clock.live):
                said = info.get("Duration") or {}
                start, end = self.span(
                    "HitSnippetInfos", lenient.number(said.get("Start")), lenient.number(said.get("End"))
                )
            self.add(
                spot,
                f".HitSnippetInfos[{number}]",
                channel,
                Hit(
                    label=scene,
                    score=info.get("Score"),
                    text=info.get("Snippet"),
                    box=box(info.get("Rect")),
                    start=start,
                    end=end,
                    extra=_SNIPPET(info),
                ),
                None if known else self.words.unmapped(scene, "snippet"),
            )


def _as_number(score: Any) -> float | None:
    return score if type(score) is int else lenient.number(score)  # nearly always


def _seconds(milliseconds: Any) -> float | None:
    read = lenient.number(milliseconds)
    return None if read is None else read / 1000


def _sound(text: str) -> str:
    """A text without halves of surrogate pairs, which can be written down nowhere."""
    return text if text.isprintable() else str(lenient.storable(text))


_BOX = Box(x=0, y=0, width=0, height=0, rotation=0)


def box(at: Told | None) -> Box | None:
    """A box in pixels; `None` where it has no size."""
    if not at:
        return None
    number = lenient.number
    x, y, width, height = number(at.get("X")), number(at.get("Y")), number(at.get("Width")), number(at.get("Height"))
    if x is None or y is None or not width or not height:
        return None
    return _BOX.alike(x=x, y=y, width=width, height=height, rotation=number(at.get("Rotate")) or 0.0)
