"""Tencent's times. Of some the documentation contradicts itself: those are given only where the reply itself settles it.

| field | documented |
|---|---|
| `OffsetTime` | seconds of a file; of a stream seconds since 1970 |
| `OffsetusTime` | milliseconds, whatever it is called |
| `AudioResult.Duration`, `StartTime` and `EndTime` of `MoanResults` and `LanguageResults` | milliseconds, or seconds |
| `StartTime` and `EndTime` of `Tags` | milliseconds |
| `Sentences` | hours:minutes:seconds |
| `HitSnippetInfos` | seconds |
| `VideoSegments` | nothing |

https://cloud.tencent.com/document/api/1265/51878 and https://www.tencentcloud.com/document/api/1140/51173
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from reelvet.schema import lenient

_SLACK = 1.0
"""Seconds by which a length in whole seconds may be short of the truth."""

_SURELY_MILLISECONDS = 1000
"""From here on: as seconds it would be a quarter of an hour, as milliseconds it is one second at least."""

_EARLIEST = 1_000_000_000
"""No file is 31 years long: from here on a number of seconds is a date."""


class When(NamedTuple):
    """Where in the media something is."""

    start: float | None = None
    at_date: datetime | None = None


NOWHERE = When()
"""Where nobody says."""

_COS = "q-sign-time="
_SPAN = re.compile(r"\d+(?:;|%3[Bb])(\d+)(?=&|$)", re.ASCII)
"""When a link that object storage signed begins and ends to work, as it is nearly always written."""


@dataclass(frozen=True, slots=True)
class Clock:
    """What is known of a task's media."""

    live: bool = False
    duration: float | None = None
    """Of a file, seconds."""
    began: datetime | None = None
    """When the stream began, where the caller said it."""

    def at(self, offset: Any, fine: Any = None) -> When:
        """Where a picture or sound is.

        Args:
            offset: `OffsetTime`.
            fine: `OffsetusTime`, which is more exact; it counts where it agrees.
        """
        seconds = lenient.number(offset)
        if seconds is None or seconds < 0:
            return NOWHERE
        milliseconds = None if fine is None else lenient.number(fine)
        if milliseconds is not None and milliseconds >= 0 and abs(milliseconds / 1000 - seconds) < _SLACK:
            seconds = milliseconds / 1000
        if seconds < _EARLIEST:
            # A stream's offset is a date, and this is none.
            return NOWHERE if self.live else When(self.within(seconds))
        try:
            date = datetime.fromtimestamp(seconds, UTC)
        except (ValueError, OverflowError, OSError):
            return NOWHERE
        began = self.began
        start = round((date - began).total_seconds(), 3) if began is not None and date >= began else None
        return When(start=start, at_date=date)

    def within(self, seconds: float | None) -> float | None:
        """Seconds from the beginning of the media; `None` for what lies before or behind it, or is a date."""
        if seconds is None or not 0 <= seconds < _EARLIEST:
            return None
        return seconds if self.duration is None or seconds <= self.duration + _SLACK else None

    def length(self, duration: Any, when: When) -> float | None:
        """Seconds of a slice of sound, where the length of the media tells milliseconds from seconds."""
        start = when.start
        if self.live or start is None or self.duration is None:
            return None
        return settled(duration, self.duration - start)


def settled(value: Any, longest: float | None) -> float | None:
    """Seconds of a value that is in milliseconds or in seconds: as seconds it would be too long, so it is the former.

    0 is 0 in either. What fits as seconds might still be either, and so might a few seconds more than fit, as a slice at
    the end may be given the length of the others: `None`.
    """
    number = lenient.number(value)
    if number is None or number < 0:
        return None
    if number == 0:
        return 0.0
    if longest is None or number <= longest + _SLACK or number < _SURELY_MILLISECONDS:
        return None
    return number / 1000 if number / 1000 <= longest + _SLACK else None


def settled_span(start: Any, end: Any, longest: float | None) -> tuple[float, float] | None:
    """Two such values of one part, which are in one unit: that of the end is that of the beginning."""
    begins, ends = lenient.number(start), settled(end, longest)
    if begins is None or ends is None or not 0 <= begins / 1000 <= ends:
        return None
    return begins / 1000, ends


def of_text(value: Any) -> float | None:
    """Seconds of `0:0:0.150`: hours, minutes, seconds."""
    parts = value.split(":") if isinstance(value, str) else []
    numbers = [lenient.number(part) for part in parts]
    known = [number for number in numbers if number is not None and number >= 0]
    if len(parts) != 3 or len(known) != 3:  # noqa: PLR2004
        return None
    return round(known[0] * 3600 + known[1] * 60 + known[2], 3)


def expires(url: str | None) -> datetime | None:
    """When a signed link ends, as its own signature says."""
    if not url or "?" not in url:
        return None
    at = url.find(_COS)
    if at > 0 and url[at - 1] in "?&" and not ("#" in url or "[" in url) and url.find(_COS, at + 1) < 0:
        span = _SPAN.match(url, at + len(_COS))  # a tenth of what it costs to take the URL apart
        if span is not None:
            return _moment(int(span[1]))
    try:
        query = {name.lower(): value for name, value in parse_qsl(urlsplit(url).query)}
    except ValueError:
        return None
    _, _, end = query.get("q-sign-time", "").partition(";")
    if end.isascii() and end.isdigit():
        return _moment(int(end))
    lasts, date = lenient.whole(query.get("x-amz-expires")), query.get("x-amz-date", "")
    try:
        begun = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
    return _moment(begun.timestamp() + lasts) if lasts is not None else None


def _moment(seconds: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
