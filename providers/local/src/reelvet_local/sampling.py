"""Which frames are looked at, where they lie, and how large the holes are. Pure: integers and fractions, no media library.

Times are counted in ticks of the stream's time base, from the start of the media, so that nothing is rounded before the
last step.
"""

from __future__ import annotations

import bisect
import heapq
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reelvet_local.outcome import Rule

DEFAULT_INTERVAL = 1.0
DEFAULT_MAX_GAP = 10.0
SHORTEST = 0.001  # seconds
LONGEST = 86_400.0
_REMEMBERED = 8192  # packets and intervals kept in mind; far beyond any codec's reordering


@dataclass(frozen=True, slots=True)
class SamplingRule:
    """How frames are chosen.

    `interval`: of every stretch [k * interval, (k + 1) * interval) the first frame, by timestamp. A frame that stays on
    screen for a whole interval or longer is never left out, whatever the frame rate does.
    `keyframes`: of every such stretch the first key frame; where key frames are more than `max_gap` apart, what lies
    between them is sampled by `interval`.

    Attributes:
        rule: `interval` or `keyframes`.
        interval: Seconds, above 0.
        max_gap: Seconds, above 0; only for `keyframes`.
    """

    rule: Rule = "interval"
    interval: float = DEFAULT_INTERVAL
    max_gap: float = DEFAULT_MAX_GAP

    def __post_init__(self) -> None:
        if self.rule not in {"interval", "keyframes"}:
            raise ValueError(f"sampling {self.rule!r} is neither 'interval' nor 'keyframes'")
        for name in ("interval", "max_gap"):
            if not SHORTEST <= getattr(self, name) <= LONGEST:
                raise ValueError(
                    f"{name} = {getattr(self, name)!r} is not between {SHORTEST:g} and {LONGEST:g} seconds"
                )


class Slots:
    """The grid of `interval`: tells which packets must be decoded and which frames are taken.

    Args:
        interval: Seconds.
        time_base: Seconds per tick.
    """

    def __init__(self, interval: float, time_base: Fraction) -> None:
        ticks = Fraction(str(interval)) / time_base
        self._ticks, self._per = ticks.numerator, ticks.denominator
        self._first: dict[int, int] = {}
        self._known: list[int] = []
        self._taken = -1

    def slot(self, tick: int) -> int:
        """Number of the interval in which a tick lies."""
        return max(tick, 0) * self._per // self._ticks

    def spans(self, ticks: int) -> bool:
        """Whether so many ticks last for a whole interval or longer."""
        return ticks * self._per >= self._ticks

    def see(self, tick: int) -> None:
        """Note a packet, in decoding order, one or more packets before `needs` is asked about it."""
        bisect.insort(self._known, tick)
        if len(self._known) > _REMEMBERED:
            del self._known[: _REMEMBERED // 2]

    def needs(self, tick: int) -> bool:
        """Whether a packet may hold a frame to be taken. Asked in decoding order, once for each packet.

        True for every packet that is the earliest of its interval so far (so the earliest of all is always among them),
        and for those that may stay on screen for long. How long, is told by the frames known to follow; the duration of
        a packet is of no use, as containers derive it from the decoding order.
        """
        slot = self.slot(tick)
        first = self._first.get(slot)
        if first is None or tick < first:
            self._first[slot] = tick
            if len(self._first) > _REMEMBERED:
                del self._first[min(self._first)]
            return True
        following = bisect.bisect_right(self._known, tick)
        return following == len(self._known) or self.spans(self._known[following] - tick)

    def take(self, tick: int) -> bool:
        """Whether a frame is the first of its interval. Frames come in presentation order."""
        slot = self.slot(tick)
        if slot <= self._taken:
            return False
        self._taken = slot
        return True


class FrameIndex:
    """Index of a frame in presentation order, from the timestamps of all packets, decoded or not.

    Valid for codecs where a packet holds exactly one shown frame. `at` gives `None` as soon as anything speaks against
    it: a packet without timestamp, two with the same one, frames that precede the first key frame.
    """

    def __init__(self, *, exact: bool) -> None:
        self._exact = exact
        self._start: int | None = None
        self._ahead: list[int] = []
        self._passed = 0

    def add(self, tick: int | None, *, key: bool) -> None:
        """Count a packet, in decoding order."""
        if not self._exact:
            return
        if self._start is None:
            if not key:
                return  # nothing can be decoded before the first key frame
            self._start = tick
        if tick is None or self._start is None or tick < self._start:
            self._exact = False
            self._ahead.clear()
            return
        heapq.heappush(self._ahead, tick)

    def at(self, tick: int) -> int | None:
        """Index of the frame shown at a tick; ask in ascending order."""
        before: int | None = None
        while self._exact and self._ahead and self._ahead[0] < tick:
            passed = heapq.heappop(self._ahead)
            self._exact = passed != before
            before = passed
            self._passed += 1
        if not self._exact or not self._ahead or self._ahead[0] != tick:
            return None
        return self._passed


class Holes:
    """Tells a stretch whose frames did not come out from one in which a single picture is shown for long.

    Packets that had to give a frame are expected. What is still expected when a later frame comes out is missed: the
    decoder refused it, or swallowed it without a word.

    Args:
        least: Ticks that must lie between two looked-at frames for a hole.

    Attributes:
        first: The first hole: ticks of the last frame looked at before it and of the first one after it.
        suspect: The first stretch of such length, hole or long picture.
    """

    def __init__(self, least: Fraction) -> None:
        self.first: tuple[int, int] | None = None
        self.suspect: tuple[int, int] | None = None
        self._least = least
        self._expected: list[tuple[int, bool]] = []
        self._looked = 0
        self._missed = 0  # the latest one since then
        self._refused = False

    def expect(self, tick: int, *, refused: bool) -> None:
        """Note a packet that holds a frame to be decoded, or that the decoder refused."""
        bisect.insort(self._expected, (tick, refused))
        if len(self._expected) > _REMEMBERED:
            pairs = zip(self._expected[::2], self._expected[1::2], strict=False)
            self._expected = [(later, one or other) for (_, one), (later, other) in pairs]

    def shown(self, tick: int) -> None:
        """Note a frame that came out, looked at or not. Frames come in presentation order."""
        before = bisect.bisect_left(self._expected, (tick, False))
        for missed, refused in self._expected[:before]:
            if missed > self._looked:
                self._missed = max(self._missed, missed)
                self._refused = self._refused or refused
        del self._expected[: bisect.bisect_right(self._expected, (tick, True))]

    def look(self, tick: int) -> None:
        """Note a frame that is looked at, after `shown` was told of it and before it is told of the next."""
        # A lone packet that gives no frame may be meant so (VP8); a packet refused, or a series of them, is not.
        gone = self._refused or self._missed - self._looked > self._least
        if tick - self._looked > self._least:
            self.suspect = self.suspect or (self._looked, tick)
            if gone:
                self.first = self.first or (self._looked, tick)
        self._looked, self._missed, self._refused = max(tick, self._looked), 0, False


class Gaps:
    """The longest stretch of seconds without a looked-at instant, beginning at 0."""

    def __init__(self) -> None:
        self.largest = 0.0
        self.last = 0.0

    def look(self, seconds: float) -> None:
        """Note an instant that was looked at (or the end)."""
        self.largest = max(self.largest, seconds - self.last)
        self.last = max(self.last, seconds)
