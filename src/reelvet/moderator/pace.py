"""When to ask: from how old a task is, how long its media is, and how long such tasks took lately. Pure."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

SHARE = 0.15
"""Of a task's age, until it is asked for again: whenever it ends, that is noticed half as much of its time later, in the mean."""

_SHARE_OF_LISTS = 0.1
"""The same where the list is read: it also takes a while to read, and one request tells of many."""

_REMEMBERED = 1000
_ENOUGH = 5
"""Tasks from which on something is concluded from how long they took."""

_SOONEST = 0.05
"""The share of tasks that may end before the first question: none is asked while hardly any such task has ended yet."""

_OF_MEDIA = 0.05
"""Of the media's duration, before which nobody is expected to have looked at it, where nothing is known yet."""

_RARELY = 0.5
_RARELY_FIRST = 10.0
_GROWTH = 1.5
_LEAST_BETWEEN_LISTS = 0.5
"""Seconds: of tasks that end sooner a list shows little but those that have ended."""

LONGEST_HINT = 600.0
"""Seconds that a vendor may ask to be left alone; a hint beyond that is a slip, and would end the waiting."""


class Pace:
    """How long the tasks of one instance took lately, by what the vendor calls their kind.

    Args:
        first: Seconds between two questions at least.
        most: Seconds between two questions at most, unless the vendor asks for more.
    """

    def __init__(self, first: float, most: float) -> None:
        self._first = first
        self._most = max(first, most)
        self._took: dict[str | None, deque[float]] = {}
        self._took_of_media: dict[str | None, deque[float]] = {}
        self._soonest: dict[tuple[str | None, bool], float] = {}

    def learn(self, kind: str | None, took: float, media: float | None) -> None:
        """That a task ended.

        Args:
            kind: The vendor's word for its kind.
            took: Seconds from its submission to its end.
            media: The media's duration in seconds, where it is known.
        """
        self._took.setdefault(kind, deque(maxlen=_REMEMBERED)).append(took)
        self._soonest.pop((kind, False), None)
        if media is not None:
            self._took_of_media.setdefault(kind, deque(maxlen=_REMEMBERED)).append(took / media)
            self._soonest.pop((kind, True), None)

    def soonest(self, kind: str | None, media: float | None) -> float:
        """The age before which hardly any such task ends; 0 where nothing is known."""
        if media is not None and len(self._took_of_media.get(kind, ())) >= _ENOUGH:
            return media * self._early(kind, self._took_of_media, of_media=True)
        if self.knows(kind):
            return self._early(kind, self._took, of_media=False)
        return 0.0 if media is None else media * _OF_MEDIA

    def _early(self, kind: str | None, took: dict[str | None, deque[float]], *, of_media: bool) -> float:
        known = self._soonest.get((kind, of_media))
        if known is None:
            seen = sorted(took[kind])
            known = self._soonest[kind, of_media] = seen[int(len(seen) * _SOONEST)] * (1 - SHARE / 2)
        return known

    def knows(self, kind: str | None) -> bool:
        """Whether enough such tasks have ended to conclude anything."""
        return len(self._took.get(kind, ())) >= _ENOUGH

    def pause(self, age: float, soonest: float = 0.0, *, hint: float | None = None, failures: int = 0) -> float:
        """Seconds until a task is asked for, or asked for again.

        Args:
            age: Seconds since it was submitted.
            soonest: The age before which it will hardly end.
            hint: Seconds after which the vendor wants to be asked again; goes before everything else.
            failures: How many questions in a row have failed.
        """
        if hint is not None and hint > 0:
            return min(hint, LONGEST_HINT)
        usual = max(self._first, SHARE * age, soonest - age) * _GROWTH ** min(failures, 100)
        return min(usual, self._most)

    def rarely(self, age: float, *, hint: float | None = None) -> float:
        """The same for a task of which one is expected to know by others, or by the vendor's list."""
        return max(min(max(self._first * _RARELY_FIRST, _RARELY * age), self._most), min(hint or 0.0, LONGEST_HINT))

    def between_lists(self, tasks: Collection[tuple[float, float]], *, hint: float | None = None) -> float:
        """Seconds until the vendor's list is read, or read again.

        Args:
            tasks: Age and soonest end of each task that waits, or of some of them.
            hint: Seconds after which the vendor wants the first of them to be asked for again.
        """
        ripe = sorted(age for age, soonest in tasks if age >= soonest)
        # The younger ones set the pace: of their shorter time a pause is the larger part.
        usual = (
            _SHARE_OF_LISTS * ripe[len(ripe) // 4] if ripe else min((soon - age for age, soon in tasks), default=0.0)
        )
        return max(min(max(self._first, usual), self._most), min(hint or 0.0, LONGEST_HINT), _LEAST_BETWEEN_LISTS)
