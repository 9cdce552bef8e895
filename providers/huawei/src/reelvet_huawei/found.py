"""What a result comes to while it is read: findings, notes, and whether its silence may be taken for absence."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reelvet.schema import lenient
from reelvet.schema.media import Channel
from reelvet.schema.result import Finding, Native, Note, Verdict
from reelvet.taxonomy import UNMAPPED
from reelvet_huawei.words import NOTHING_KNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from reelvet.schema.result import Box
    from reelvet_huawei.words import Meaning

_SUGGESTIONS = {"pass": Verdict.PASS, "review": Verdict.REVIEW, "block": Verdict.BLOCK}


def suggestion(word: str | None) -> Verdict | None:
    """The vendor's verdict in our words; `None` for a word that nobody knows."""
    return _SUGGESTIONS.get((word or "").strip().lower())


_ECHO = frozenset({"request_params", "input", "output", "service_config"})
"""What the caller sent, told back."""
_SAYS = ("suggestion", "verdict")
_HIT = frozenset({"label", "category", "confidence"})


def sayings(value: Any, name: str = "") -> Iterator[str]:
    """Every verdict that stands anywhere in a reply, whatever the field is called before that word."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key not in _ECHO:
                yield from sayings(item, str(key))
    elif isinstance(value, list):
        for item in value:
            yield from sayings(item, name)
    elif isinstance(value, str) and name.lower().endswith(_SAYS):
        yield value


_ZONE = re.compile(r"(Z|[+-]\d\d:?\d\d)$")


@dataclass(frozen=True, slots=True)
class Spot:
    """Where in the media, and what else is the same for all that was found there."""

    channel: Channel
    start: float | None = None
    end: float | None = None
    at_date: datetime | None = None
    text: str | None = None
    evidence: str | None = None
    says: str | None = None
    """The vendor's verdict on the place, in its words."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """What else the vendor says of the place."""


def when(start: Any, end: Any = None) -> dict[str, Any]:
    """Times as parts of a `Spot`: seconds of a file, or of a stream the moment, if its zone is certain."""
    told = {"start": _second(start), "end": _second(end)}
    if told["start"] is not None and told["end"] is not None and told["end"] < told["start"]:
        told["end"] = None
    date = lenient.moment(start) if told["start"] is None and isinstance(start, str) and _ZONE.search(start) else None
    odd = {"start": start, "end": end}
    extra = {name: value for name, value in odd.items() if value is not None and told[name] is None}
    return told | {"at_date": date, "extra": extra}


def _second(value: Any) -> float | None:
    """A second of the media; `None` where it can be none."""
    told = lenient.number(value)
    return told if told is not None and told >= 0 else None


@dataclass
class Found:
    """The findings of one task."""

    task: str
    channel: Channel = Channel.VISUAL
    """Where that counts as found of which nobody says where."""
    findings: list[Finding] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    doubt: str | None = None
    """What speaks against taking silence for absence; `None`: nothing."""
    unexplained: str | None = None
    """A verdict of the vendor's that nothing explains: it may be about anything that was looked for."""
    _refined: dict[tuple[str, Channel], str] = field(default_factory=dict)

    def add(
        self,
        place: str,
        spot: Spot,
        meanings: Sequence[Meaning],
        *,
        label: str | None,
        sub_label: str | None = None,
        confidence: Any = None,
        says: str | None = None,
        matches: Sequence[str] = (),
        box: Box | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        """One hit: a finding for each meaning of its word, and `unmapped` where it has none.

        Args:
            place: Where in the payload it stands.
            spot: Where in the media.
            meanings: What the vendor's word stands for.
            label: The vendor's word.
            sub_label: The vendor's word below that.
            confidence: The vendor's score, whatever its type.
            says: The vendor's verdict on this hit; without it that on the place counts.
            matches: The words that hit.
            box: Where in the picture.
            extra: What else the vendor says of it.
        """
        if not meanings:
            self.note(UNMAPPED, f"{place}: the label {sub_label or label!r} is in no map")
        word = says or spot.says
        native = Native(
            field=place,
            label=label,
            sub_label=sub_label,
            score=confidence,
            scale=None if confidence is None else "0-1",
            extra={**spot.extra, **(extra or {})}
            | ({} if suggestion(word) is not None or word is None else {"suggestion": word}),
        )
        verdict = suggestion(word)
        if verdict is None and says:
            self._strange_word(place, says)
            # A word that nobody knows does not better what is said of the place; and by itself it is never `pass`.
            worse = {Verdict.REVIEW, Verdict.BLOCK}
            verdict = known if (known := suggestion(spot.says)) in worse else None
            meanings = [*(meanings or NOTHING_KNOWN), *(NOTHING_KNOWN if meanings else ())]
        for unified, relation in meanings or NOTHING_KNOWN:
            self.findings.append(
                Finding(
                    label=unified,
                    relation=relation,
                    channel=spot.channel,
                    score=lenient.number(confidence),
                    start=spot.start,
                    end=spot.end,
                    at_date=spot.at_date,
                    box=box,
                    text=spot.text,
                    matches=tuple(matches),
                    suggestion=verdict,
                    evidence=spot.evidence,
                    native=native,
                    provider="huawei",
                    task=self.task,
                )
            )

    def refine(self, category: str | None, parents: Sequence[Meaning], meanings: Sequence[Meaning], spot: Spot) -> None:
        """Keeps in mind that a category hit as something else than what it stands for: it was not silent.

        Args:
            category: The vendor's category.
            parents: What it stands for as a whole.
            meanings: What the word below it, which hit, stands for.
            spot: Where it hit.
        """
        for parent, _ in parents:
            others = [label for label, _ in meanings if not _is_within(label, parent)]
            if others:
                says = (
                    f"the vendor's {category!r} was found, as {', '.join(others)}; whether this was too it does not say"
                )
                self._refined.setdefault((parent, spot.channel), says)

    def silent(self, label: str, channel: Channel) -> str | None:
        """Why nothing said of a label is no absence of it; `None`: it is one, or the label was found."""
        why = self._refined.get((label, channel))
        is_hit = why is not None and any(f.channel is channel and _is_within(f.label, label) for f in self.findings)
        return self.doubt or self.unexplained or (None if is_hit else why)

    def note(self, code: str, says: str) -> None:
        """A warning, once."""
        told = Note(code=code, says=says)
        if told not in self.notes:
            self.notes.append(told)

    def _strange_word(self, place: str, word: str) -> None:
        self.note("unknown_verdict", f"{place} says {word!r}, which is not known")

    def unread(self, place: str, spot: Spot) -> None:
        """A part that is there, is not what it should be, and may be a hit: it counts, and silence is no absence."""
        self.cast_doubt(f"{place} is not what it should be")
        self.add(place, spot, NOTHING_KNOWN, label=None)

    def cast_doubt(self, says: str) -> None:
        """What speaks against taking silence for absence; the first is told."""
        self.doubt = self.doubt or says

    def entries(self, place: str, spot: Spot, value: Any) -> list[tuple[int, dict[str, Any]]]:
        """The objects of a list within a hit, each with its number; what is there and is none is unread."""
        items = value if isinstance(value, list) else lenient.items(value)
        if value and not items:
            self.unread(place, spot)
        for number, item in enumerate(items):
            if item and not isinstance(item, dict):
                self.unread(f"{place}[{number}]", spot)
        return [(number, item) for number, item in enumerate(items) if isinstance(item, dict)]

    def strange(self, place: str, fields: Mapping[str, Any] | None) -> None:
        """Fields that nobody documents: objects among them may be hits, all others are harmless."""
        for name, value in (fields or {}).items():
            is_list = isinstance(value, list) and any(isinstance(item, dict) for item in value)
            if is_list or (isinstance(value, dict) and _HIT & value.keys()):
                self.cast_doubt(f"the reply holds what may be a hit, and is not known: {place}.{name}")

    def hold(self, place: str, spot: Spot, since: int) -> None:
        """Holds the vendor's verdict on a place against what was found there: where it is worse, it counts.

        Args:
            place: Where in the payload it stands.
            spot: The place, with its verdict.
            since: How many findings there were before those of the place.
        """
        verdict = suggestion(spot.says)
        found = self.findings[since:]
        worst = Verdict.worst(f.suggestion for f in found if f.suggestion is not None) or Verdict.PASS
        if spot.says and verdict is None:
            self._strange_word(place, spot.says)
            if not any(finding.label == UNMAPPED for finding in found):
                self.add(place, spot, NOTHING_KNOWN, label=spot.says)
        if verdict is not None and verdict.severity > worst.severity:
            self.note("contradiction", f"{place} says {spot.says}, and nothing that was found there says as much")
            self.add(place, spot, NOTHING_KNOWN, label=spot.says)

    def conclude(self, place: str, overall: Any) -> None:
        """Holds the vendor's verdict on the whole against what was found: the worst counts."""
        word = lenient.text(overall) or None
        verdict = suggestion(word)
        worst = Verdict.worst(f.suggestion for f in self.findings if f.suggestion is not None)
        spot = Spot(self.channel, says=word)
        if word is None:
            self.cast_doubt("the reply does not say what it comes to")
        elif verdict is None:
            self.cast_doubt(f"the reply comes to {word!r}, which is not known")
            self.add(place, spot, (), label=word)
        elif verdict is Verdict.PASS:
            if self.findings:
                self.note("contradiction", f"{place} says pass, and something was found; it counts")
        elif worst is None or verdict.severity > worst.severity:
            told = "nothing that was found says as much" if self.findings else "does not say what was found"
            self.note("contradiction", f"{place} says {word}, and {told}")
            self.unexplained = self.unexplained or f"the reply says {word}, and {told}"
            self.add(place, spot, NOTHING_KNOWN, label=word)

    def overhear(self, place: str, *parts: Any) -> None:
        """Holds every verdict that stands anywhere against what was found: one that is worse counts, whoever said it.

        Args:
            place: What they are parts of.
            parts: The reply, and what had to be taken out of it.
        """
        worst = Verdict.worst(f.suggestion for f in self.findings if f.suggestion is not None) or Verdict.PASS
        for word in {word for part in parts for word in sayings(part)}:
            verdict = suggestion(word)
            if verdict is not None and verdict.severity > worst.severity:
                self.note("contradiction", f"{place} says {word} in a field that is not known")
                self.cast_doubt(f"{place} says {word} in a field that is not known")
                self.add(place, Spot(self.channel, says=word), NOTHING_KNOWN, label=word)


def _is_within(label: str, parent: str) -> bool:
    return label == parent or label.startswith(f"{parent}.")


def listed(found: Found, value: Any, what: str) -> list[Any]:
    """The items of a list that may be missing where it would be empty; anything else is a doubt."""
    if value is None or isinstance(value, list):
        return value or []
    if isinstance(value, dict) and value:
        return [value]
    found.cast_doubt(f"the reply's {what} is no list")
    return []
