"""Gcore's detections, in any of the three spellings: findings, and whether silence may be taken for absence."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reelvet.schema import lenient
from reelvet.schema.media import Channel
from reelvet.schema.result import Finding, Native, Note, Relation
from reelvet.taxonomy import UNMAPPED
from reelvet_gcore import wire
from reelvet_gcore.plugin import CATEGORIES, FLOORS, HARD, NSFW, SOFT, SPORT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reelvet.taxonomy import LabelMap, Mapping
    from reelvet_gcore.frames import Clock

_FLAG = "detected"
_SPEECH = "speech_detected"
_FLAGS_OF = {
    NSFW: frozenset({"nsfw_detected", "porn_detected"}),
    HARD: frozenset({"nudity_detected", "porn_detected"}),
    SOFT: frozenset({"nudity_detected", "porn_detected"}),
    SPORT: frozenset({"sport_detected"}),
}
"""`porn_detected` is how the schemas before 2026-06-29 spelled two of them."""

_MEANS: dict[str | None, tuple[str, Relation | None]] = {
    NSFW: ("sexual.explicit.pornography", Relation.CLOSE),
    HARD: ("sexual", Relation.NARROW),
    SPORT: ("context.sport", Relation.CLOSE),
}
"""What a flag says by itself, where no frame says more. That of soft_nudity is up for a mere face, so it says nothing."""

_QUARANTINED, _QUARANTINED_FLAG = "child_pornography", "child_pornography_detected"
_QUARANTINE = ("child_safety.sexual", Relation.NARROW)
"""A category withdrawn in 2025, whose frames are labelled as faces: whatever it lists is what the category is about."""

_SUMMARY = {"frames", "detection_results"}


class Words:
    """The label map by category and word, as it is looked up for every frame."""

    def __init__(self, labels: LabelMap) -> None:
        self._by_word: dict[tuple[str, str], list[Mapping]] = {}
        self._labels: dict[str, list[str]] = {category: [] for category in CATEGORIES}
        for mapping in labels:
            category = mapping.field.removeprefix("category=")
            self._by_word.setdefault((category, mapping.native), []).append(mapping)
            if mapping.label is not None and category in self._labels:
                self._labels[category].append(mapping.label)

    def find(self, category: str | None, word: str | None) -> Sequence[Mapping]:
        """What a word of a category stands for; empty where no map knows it."""
        return self._by_word.get((category or "", word or ""), ())

    def labels(self, category: str) -> list[str]:
        """All that a category looks for."""
        return self._labels[category]


@dataclass(slots=True)
class Hits:
    """Where one word was found. Two plain lists, as there may be thousands."""

    scores: list[float | None] = field(default_factory=list)
    starts: list[float | None] = field(default_factory=list)

    def add(self, score: float | None, start: float | None) -> None:
        """One more place."""
        self.scores.append(score)
        self.starts.append(start)


@dataclass(slots=True)
class Found:
    """What a result says."""

    findings: list[Finding] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    doubt: str | None = None
    """Why its silence says nothing; `None` where it may be taken for absence."""
    hits: dict[str, Hits] = field(default_factory=dict)
    """Word -> where it was found."""


def flags(result: Any) -> dict[str, Any]:
    """The fields of a result that say whether something was detected, however they are spelled; speech left out."""
    if not isinstance(result, dict):
        return {}
    return {name: value for name, value in result.items() if name.lower().endswith(_FLAG) and name != _SPEECH}


def is_one(result: Any) -> bool:
    """Whether a result is that of a detection."""
    return isinstance(result, dict) and bool(flags(result) or "frames" in result or "detection_results" in result)


def infer(result: Any, words: Words, *, is_legacy: bool) -> str | None:
    """The category of a result whose task does not say: by its flag, else by its labels.

    Args:
        result: The result.
        words: The label map.
        is_legacy: Whether the task has no name, as those of `detect-nudity`, which looks for hard nudity.
    """
    if not is_one(result):
        return None
    up = flags(result)
    if "sport_detected" in up:
        return SPORT
    if "nsfw_detected" in up:
        return NSFW
    known = [word for _, frame in _frames(result) if (word := lenient.text(frame.label))]
    known += [word for _, word in _names(result)]
    known = list(dict.fromkeys(known))
    for category in (HARD, SOFT, NSFW, SPORT):
        if known and all(words.find(category, word) for word in known):
            return category
    if known:
        return None
    nudity = _FLAGS_OF[HARD].intersection(up)
    return HARD if nudity or (is_legacy and not up and "frames" not in result) else None


def read(result: Any, category: str | None, words: Words, clock: Clock, *, task: str, is_legacy: bool) -> Found:
    """The findings of a result, and whether it is whole.

    Args:
        result: The `result` of the reply, or what stands in its place.
        category: The task's category.
        words: The label map.
        clock: How frame numbers become seconds.
        task: The vendor's task id.
        is_legacy: Whether the task may be one of `detect-nudity`, whose results are bare lists.
    """
    found = Found()
    if not is_one(result):
        found.doubt = "the reply holds no result of a detection"
        return found
    make = _Making(found, category, words, clock, task)
    for place, frame in _frames(result):
        make.frame(place, frame)
    for number, word in _names(result):
        if word not in found.hits:
            make.name(f"result.detection_results[{number}]", word)
    make.flags(flags(result))
    found.doubt = _doubt(result, category, found, is_legacy=is_legacy)
    if found.findings and clock.says and any(finding.start is not None for finding in found.findings):
        found.notes.append(Note(code="times_derived", says=clock.says))
    return found


def stopped(found: Found, stop_objects: Any, *, floor: float) -> tuple[str | None, float | None]:
    """Why the rest may not have been looked at, and through which second it was, if a stop tag may have hit.

    The reply has no mark of an early stop. One is possible where a stop tag was found at its threshold; and where the
    threshold is below what is reported, or is not given (which then holds is not documented), whatever was found.
    """
    why = "it may have stopped early, as stop_objects asked"
    hits: list[float | None] = []
    for tag in (lenient.text(stop_objects) or "").split(","):
        word, _, least = tag.strip().partition(":")
        threshold = lenient.number(least)
        if word and (threshold is None or threshold < floor):
            return why, None
        at = found.hits.get(word, Hits())
        hits += [
            start
            for score, start in zip(at.scores, at.starts, strict=True)
            if threshold is None or score is None or score >= threshold
        ]
    if not hits:
        return None, None
    starts = [start for start in hits if start is not None]
    return why, min(starts) if len(starts) == len(hits) else None


@dataclass(slots=True)
class _Pattern:
    """What all frames with one word have in common, validated: a result has thousands of frames and a handful of words."""

    hits: Hits
    native: Native
    findings: list[Finding]


@dataclass
class _Making:
    found: Found
    category: str | None
    words: Words
    clock: Clock
    task: str
    _patterns: dict[str | None, _Pattern] = field(default_factory=dict)

    def frame(self, place: str, frame: wire.Frame) -> None:
        word = lenient.text(frame.label)
        pattern = self._patterns.get(word)
        if pattern is None:
            pattern = self._patterns[word] = self._pattern(word, place)
        score = lenient.number(frame.confidence)
        number = lenient.whole(frame.frame_number)
        start = self.clock.start(number)
        pattern.hits.add(score, start)
        # Only what this very code has just made is trusted. `extra` is the vendor's, and is validated.
        native = (
            Native(field=place, label=word, score=frame.confidence, scale="0-1", extra=frame.extra)
            if frame.extra
            else pattern.native.alike(field=place, score=frame.confidence, extra={})
        )
        within = score if score is not None and 0 <= score <= 1 else None  # as `Finding` itself has it
        for finding in pattern.findings:
            self.found.findings.append(finding.alike(score=within, start=start, frame=number, native=native))

    def _pattern(self, word: str | None, place: str) -> _Pattern:
        native = Native(field=place, label=word, score=None, scale="0-1", extra={})
        findings = [
            Finding(
                label=label,
                relation=relation,
                channel=Channel.VISUAL,
                score=None,
                start=None,
                frame=None,
                native=native,
                provider="gcore",
                task=self.task,
            )
            for label, relation in self._meanings(word, place)
        ]
        return _Pattern(self.found.hits.setdefault(word or "", Hits()), native, findings)

    def name(self, place: str, word: str) -> None:
        """A label that the summary names and no frame has: found somewhere, at a confidence nobody says."""
        self.found.hits.setdefault(word, Hits()).add(None, None)
        for label, relation in self._meanings(word, place):
            self._bare(place, word, label, relation)
        self._contradiction(f"the reply names {word!r} as found and has no frame of it; it counts as found")

    def flags(self, up: dict[str, Any]) -> None:
        """Flags that are up: told by frames, or findings by themselves."""
        told = bool(self.found.findings)
        enough = any(self._is_reportable(score) for hits in self.found.hits.values() for score in hits.scores)
        for name, value in up.items():
            place, is_up = f"result.{name}", lenient.flag(value)
            if name == _QUARANTINED_FLAG:
                if is_up is not False:
                    self._bare(place, name, *_QUARANTINE)
            elif is_up is False and told:
                self._contradiction(f"the reply has {name} false and names findings; they count")
            elif is_up and not enough:
                means = _MEANS.get(self.category) if name in _FLAGS_OF.get(self.category or "", ()) else None
                self._bare(place, name, *(means or (UNMAPPED, None)))
                self._contradiction(f"the reply has {name} true and names nothing that would be reported")

    def _is_reportable(self, score: float | None) -> bool:
        """Whether a frame with that confidence is listed at all, by what is documented; one without may be."""
        return score is None or score >= FLOORS.get(self.category or "", 0.0)

    def _contradiction(self, says: str) -> None:
        self.found.notes.append(Note(code="contradiction", says=says))

    def _bare(self, place: str, word: str, label: str, relation: Relation | None) -> None:
        self.found.findings.append(
            Finding(
                label=label,
                relation=relation,
                channel=Channel.VISUAL,
                native=Native(field=place, label=word),
                provider="gcore",
                task=self.task,
            )
        )

    def _meanings(self, word: str | None, place: str) -> list[tuple[str, Relation | None]]:
        """Asked once for each distinct word."""
        if self.category == _QUARANTINED:
            return [_QUARANTINE]
        mappings = self.words.find(self.category, word)
        if mappings:
            return [(mapping.label, mapping.relation) for mapping in mappings if mapping.label is not None]
        says = f"{place}: the label {word!r} of category {self.category or 'unknown'!r} is in no map"
        self.found.notes.append(Note(code=UNMAPPED, says=says))
        return [(UNMAPPED, None)]


def _frames(result: dict[str, Any]) -> Iterator[tuple[str, wire.Frame]]:
    """The frames, and where each stands: in `frames`, or in `detection_results` as in 2024."""
    for name in ("frames", "detection_results"):
        items = result.get(name)
        if isinstance(items, dict):
            items = [items]
        for number, item in enumerate(items if isinstance(items, list) else []):
            if isinstance(item, str) and name == "detection_results":
                continue  # the summary of the present spelling
            yield f"result.{name}[{number}]", wire.Frame.of(item)


def _names(result: dict[str, Any]) -> list[tuple[int, str]]:
    items = result.get("detection_results")
    if isinstance(items, str):
        items = [items]
    return [(n, item) for n, item in enumerate(items if isinstance(items, list) else []) if isinstance(item, str)]


def _doubt(result: dict[str, Any], category: str | None, found: Found, *, is_legacy: bool) -> str | None:
    """What speaks against taking the silence of a result for absence."""
    named, frames, up = result.get("detection_results"), result.get("frames"), flags(result)
    if strange := _strange(result):
        return strange
    if is_legacy and "frames" not in result and not up:  # the spelling of 2024: nothing but a list of hits
        whole = isinstance(named, list) and all(isinstance(item, dict) for item in named)
        return None if whole else "the reply is no whole list of hits"
    known = [name for name in up if name in _FLAGS_OF.get(category or "", ())]
    if len(known) != 1 or len(up) != 1 or lenient.flag(up[known[0]]) is None:
        return "the reply does not say whether anything was found"
    if not isinstance(named, list) or not isinstance(frames, list):
        return "the reply does not list what was found"
    if lenient.flag(up[known[0]]) and not found.hits:
        return "the reply says that something was found and not what"
    return None


def _strange(result: dict[str, Any]) -> str | None:
    """What a whole result does not hold: an error, or lists nobody documents that may be of what was found."""
    if result.get("error"):
        return "the reply holds an error beside its result"
    lists = [name for name, value in result.items() if name not in _SUMMARY and _may_be_hits(value)]
    return f"the reply holds lists that are not known: {', '.join(lists)}" if lists else None


def _may_be_hits(value: Any) -> bool:
    """Whether a field that nobody documents may list what was found, as the documented ones do."""
    return isinstance(value, list) and any(isinstance(item, dict) for item in value)
