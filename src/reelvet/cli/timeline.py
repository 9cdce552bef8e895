"""The video as one line of text per label, and findings gathered into stretches. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reelvet.cli.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reelvet.schema.result import Coverage, Finding

_USUAL_GAP = 1.0
_EVALUATED = frozenset({"hit", "clean", "below_floor"})


@dataclass(frozen=True, slots=True)
class Marks:
    """The characters of a bar."""

    found: str
    clear: str
    unseen: str


BLOCKS = Marks("█", "·", " ")
LETTERS = Marks("#", ".", " ")


@dataclass(slots=True)
class Stretch:
    """Findings of one label in one channel that follow each other closely."""

    label: str
    channel: str
    start: float | None
    end: float | None
    score: float | None
    """The highest."""
    hits: int = 1
    text: str = ""

    @property
    def rank(self) -> float:
        """The more it matters, the higher. A finding without a score is as serious as any."""
        return 1.0 if self.score is None else self.score


@dataclass(frozen=True, slots=True)
class Row:
    """One label's line."""

    label: str
    bar: str
    score: float | None
    hits: int


def gather(findings: Iterable[Finding], gap: float | None) -> list[Stretch]:
    """Stretches in order of time, those without a time last.

    Args:
        findings: In any order.
        gap: Seconds between two looked-at instants, where known: hits no further apart than that (and a half) are one stretch.
    """
    near = (gap or _USUAL_GAP) * 1.5
    open_: dict[tuple[str, str], Stretch] = {}
    stretches: list[Stretch] = []
    for finding in sorted(findings, key=lambda f: (f.start is None, f.start or 0.0)):
        place = (finding.label, str(finding.channel))
        last = open_.get(place)
        if last is not None and _follows(last, finding, near):
            last.hits += 1
            last.end = max((x for x in (last.end, finding.end, finding.start) if x is not None), default=None)
            last.score = None if last.score is None or finding.score is None else max(last.score, finding.score)
            last.text = last.text or (finding.text or "")
            continue
        open_[place] = Stretch(*place, finding.start, finding.end, finding.score, text=finding.text or "")
        stretches.append(open_[place])
    return stretches


def _follows(last: Stretch, finding: Finding, near: float) -> bool:
    if last.start is None or finding.start is None:
        return last.start is finding.start
    return finding.start - (last.end if last.end is not None else last.start) <= near


def length(duration: float | None, findings: Sequence[Finding]) -> float | None:
    """Seconds that the timeline spans: the media's duration, or as far as findings reach; `None` where neither is known."""
    ends = [x for finding in findings for x in (finding.start, finding.end) if x is not None]
    reach = max([*ends, duration or 0.0])
    return reach or None


def rows(findings: Sequence[Finding], coverage: Sequence[Coverage], span: float, width: int, marks: Marks) -> list[Row]:
    """One line per label found, the worst first; without findings, one line for all that was looked at.

    Args:
        findings: What was found.
        coverage: What was looked at: beyond `through` the line is empty.
        span: Seconds from its left to its right end.
        width: Characters.
        marks: What to draw with.
    """
    by_label: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.start is not None:
            by_label.setdefault(finding.label, []).append(finding)
    made = [
        Row(clean(label), _bar(found, _seen(coverage, label), span, width, marks), _highest(found), len(found))
        for label, found in by_label.items()
    ]
    if not findings and any(row.state in _EVALUATED for row in coverage):
        made = [Row("nothing found", _bar([], _seen(coverage, None), span, width, marks), None, 0)]
    return sorted(made, key=lambda row: (-(row.score if row.score is not None else 1.0), row.label))


def _bar(findings: Sequence[Finding], seen: float | None, span: float, width: int, marks: Marks) -> str:
    cells = [
        marks.clear if seen is None or (column + 0.5) * span / width <= seen else marks.unseen
        for column in range(width)
    ]
    for finding in findings:
        first = _column(finding.start or 0.0, span, width)
        last = _column(finding.end, span, width) if finding.end is not None else first
        cells[first : last + 1] = [marks.found] * (max(last, first) - first + 1)
    return "".join(cells)


def _column(seconds: float, span: float, width: int) -> int:
    return min(max(int(seconds / span * width), 0), width - 1)


def _seen(coverage: Sequence[Coverage], label: str | None) -> float | None:
    """Seconds through which a label (or for `None` everything asked) was looked at; `None`: all of it; 0: not at all."""
    told = [row for row in coverage if label is None or row.label == label]
    if label is None:
        told = [row for row in told if row.state in _EVALUATED or row.through is not None]
    limits = [0.0 if row.state not in _EVALUATED and row.through is None else row.through for row in told]
    known = [limit for limit in limits if limit is not None]
    if not limits:
        return 0.0
    # One channel that saw all of it is enough for a dot where a label was found; nothing found needs every channel.
    if label is not None:
        return None if len(known) < len(limits) else max(known)
    return min(known) if known else None


def _highest(findings: Sequence[Finding]) -> float | None:
    scores = [finding.score for finding in findings if finding.score is not None]
    return max(scores) if scores else None
