"""What was told before, in little memory: digests, and of the oldest only until when they were.

A stream may run for days, and its vendor may give everything anew whenever it is asked.
"""

from __future__ import annotations

import re
from collections import Counter
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, TypeVar

from reelvet.schema.result import Note

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reelvet.schema.result import Finding, Transcript, TranscriptSegment

T = TypeVar("T")

MOST = 20_000
"""Digests that are kept of the findings of one task, and of what is said in it; about 2 MB."""

_MOST_NOTES = 200
# In lists that slide along with a stream the place of an item changes: the outermost number says nothing.
_NUMBER = re.compile(r"\[\d+\]|(?<=\.)\d+(?=\.|$)")
_FULL = Note(
    code="not_told_apart",
    says="too much was found whose time is not known to tell all of it apart while the job runs; the result has it",
)


class Seen:
    """What was told of one job.

    Args:
        most: Digests that are kept of the findings of a task, and of what is said in it.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._told: dict[tuple[Any, ...], _Told] = {}
        self._texts: dict[tuple[Any, ...], tuple[int, int]] = {}
        self._notes = _Told(_MOST_NOTES)

    def findings(self, found: Iterable[Finding]) -> tuple[Finding, ...]:
        """Those that were not told before, each task's in the order of their times.

        Told apart by task, label, the vendor's words, the place in the reply and the time. What the vendor comes to
        think of one later, as its score, makes it no other.
        """
        return self._new(found, _of_finding, _identity, _moment)

    def transcripts(self, heard: Iterable[Transcript]) -> tuple[Transcript, ...]:
        """What of some transcripts was not told before; those without anything new are left out."""
        fresh = ((transcript, *self._said(transcript)) for transcript in heard)
        return tuple(
            transcript.model_copy(update={"text": text, "segments": segments, "vtt": None})
            for transcript, text, segments in fresh
            if text or segments
        )

    def notes(self, notes: Iterable[Note]) -> tuple[Note, ...]:
        """Warnings that were not told before."""
        full = [_FULL] if any(told.is_full for told in self._told.values()) else []
        return tuple(note for note in [*notes, *full] if self._notes.add(_digest(note.code, note.says), None))

    def _said(self, transcript: Transcript) -> tuple[str, tuple[TranscriptSegment, ...]]:
        of = ("said", transcript.task, transcript.translated_from)
        segments = self._new(
            transcript.segments, lambda one: (*of, one.start is None), lambda one: (one.start, one.text), _start
        )
        length, digest = self._texts.get(of, (0, _digest("")))
        text = transcript.text
        self._texts[of] = (len(text), _digest(text))
        if len(text) >= length and _digest(text[:length]) == digest:
            return text[length:].strip(), segments
        # It is another text than before: that of what is new in it, where that is known.
        return " ".join(one.text for one in segments) or text, segments

    def _new(
        self,
        items: Iterable[T],
        of: Callable[[T], tuple[Any, ...]],
        identity: Callable[[T], tuple[Any, ...]],
        moment: Callable[[T], float | None],
    ) -> tuple[T, ...]:
        by_clock: dict[tuple[Any, ...], list[tuple[float | None, T]]] = {}
        for item in items:
            by_clock.setdefault(of(item), []).append((moment(item), item))
        fresh = []
        for clock, timed in by_clock.items():
            told = self._told.get(clock)
            if told is None:
                told = self._told[clock] = _Told(self._most)
            alike: Counter[int] = Counter()
            # By time, so that what is forgotten is older than all that comes.
            for when, item in sorted(timed, key=lambda one: one[0] or 0.0):
                digest = _digest(*identity(item))
                alike[digest] += 1
                if alike[digest] > 1:  # as many as there are alike in one reply
                    digest = _digest(digest, alike[digest])
                if told.add(digest, when):
                    fresh.append(item)
        return tuple(fresh)


class _Told:
    """Digests of what was told, as many as there is room for; what is older than the oldest of them was told too."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._moments: dict[int, float] = {}
        self._timeless: set[int] = set()
        self._until: float | None = None
        self.is_full = False
        """Whether there was one more without a time than there is room for."""

    def add(self, digest: int, moment: float | None) -> bool:
        """Whether it is new; from now on it is not."""
        if moment is None:
            if digest in self._timeless:
                return False
            if len(self._timeless) >= self._most:
                self.is_full = True  # to tell it again and again would be worse
                return False
            self._timeless.add(digest)
            return True
        if digest in self._moments or (self._until is not None and moment <= self._until):
            return False
        self._moments[digest] = moment
        if len(self._moments) > self._most:
            self._forget()
        return True

    def _forget(self) -> None:
        """Forgets the older half, but for when it ended."""
        latest = sorted(self._moments.items(), key=lambda item: item[1])
        half = len(latest) // 2
        self._until = latest[half - 1][1]
        self._moments = dict(latest[half:])


def _of_finding(finding: Finding) -> tuple[Any, ...]:
    """Whose clock the finding is on: its task's, by the date, by the media's time, or none."""
    clock = "date" if finding.at_date is not None else "start" if finding.start is not None else "none"
    return "found", finding.task, clock


def _identity(finding: Finding) -> tuple[Any, ...]:
    native = finding.native
    place = _NUMBER.sub("[]", native.field, count=1)
    return str(finding.channel), finding.label, native.label, native.sub_label, place, _moment(finding), finding.frame


def _moment(finding: Finding) -> float | None:
    return finding.at_date.timestamp() if finding.at_date is not None else finding.start


def _start(segment: TranscriptSegment) -> float | None:
    return segment.start


def _digest(*parts: Any) -> int:
    return int.from_bytes(blake2b(repr(parts).encode("utf-8", "replace"), digest_size=8).digest())
