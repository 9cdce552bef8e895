"""The table of boundaries and vendors that stands in the documentation."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness import Outcome

PAGE = Path(__file__).parents[2] / "docs" / "never-twice.md"
_BEGIN, _END = "<!-- kills -->\n", "<!-- /kills -->"
_CALLS = {
    "CreateTask": "create",
    "CreateVideoModerationTask": "create",
    "ListTasks": "look-up",
    "DescribeTasks": "look-up",
}
"""The operations of each vendor, in nobody's words."""
_ORDER = (
    "never", "journal `records`", "journal `get`", "journal `begin`", "create: before it connects", "create: before the request", "create: the request",
    "create: a reply", "create: the reply", "look-up: before it connects", "look-up: before the request", "look-up: the request", "look-up: a reply",
    "look-up: the reply", "journal `take`", "journal `keep`", "journal `drop`", "the caller",
)  # fmt: skip
_STEPS = (": before", ": written", ": committed", ": read")


def row_of(outcome: Outcome) -> str:
    """The row of the table that a case belongs to."""
    boundary = outcome.case.boundary if outcome.was_killed else "never"
    call, colon, rest = boundary.partition(": ")
    return f"{_CALLS.get(call, call)}{colon}{rest}"


def _rank(row: str) -> tuple[int, int, str]:
    place = next((n for n, begin in enumerate(_ORDER) if row.startswith(begin)), len(_ORDER))
    return place, next((n for n, step in enumerate(_STEPS) if step in row), 0), row


def _cell(outcomes: Iterable[Outcome]) -> str:
    """What became of it how often: `12 done`, and of what is parked, how often it exists at the vendor all the same."""
    counted = Counter(outcome.told for outcome in outcomes)
    return ", ".join(f"{number} {told}" for told, number in sorted(counted.items())) or "-"


def lines(outcomes: Sequence[Outcome]) -> list[str]:
    """The tables, as Markdown."""
    vendors = list(dict.fromkeys(outcome.case.vendor for outcome in outcomes))
    rows = sorted({row_of(outcome) for outcome in outcomes}, key=_rank)
    killed = sum(outcome.was_killed for outcome in outcomes)
    told = [f"{len(outcomes)} runs, {killed} processes killed, {sum(bool(o.faults) for o in outcomes)} wrong.", ""]
    for settles in (False, True):
        here = [outcome for outcome in outcomes if outcome.case.settles is settles]
        told += [f"Settling {'on' if settles else 'off'}:", ""]
        told += [f"| killed at | {' | '.join(vendors)} |", "|---" * (len(vendors) + 1) + "|"]
        for row in rows:
            of_row = [outcome for outcome in here if row_of(outcome) == row]
            if of_row:
                cells = [_cell(o for o in of_row if o.case.vendor == vendor) for vendor in vendors]
                told.append(f"| {row} | {' | '.join(cells)} |")
        most = [str(max((o.most for o in here if o.case.vendor == vendor), default=0)) for vendor in vendors]
        strangers = [
            str(sum("a stranger was adopted" in o.faults for o in here if o.case.vendor == vendor))
            for vendor in vendors
        ]
        told += [
            f"| **created per key, at most** | {' | '.join(most)} |",
            f"| **adopted wrongly** | {' | '.join(strangers)} |",
        ]
        told += [
            f"| **neither done nor parked** | {' | '.join(str(sum('neither done nor parked' in o.faults for o in here if o.case.vendor == v)) for v in vendors)} |",
            "",
        ]
    return told


def write(outcomes: Sequence[Outcome]) -> None:
    """Puts the tables into the page."""
    text = PAGE.read_text(encoding="utf-8")
    new = re.sub(
        f"(?<={re.escape(_BEGIN)}).*?(?={re.escape(_END)})", lambda _: "\n".join(lines(outcomes)), text, flags=re.DOTALL
    )
    PAGE.write_text(new, encoding="utf-8")
