"""What was looked at and what was not, in words. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from reelvet.cli.text import clean, clock, count
from reelvet.taxonomy import Taxonomy

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reelvet.schema.result import Coverage, Finding, MediaFacts

_EVALUATED = frozenset({"hit", "clean", "below_floor"})
_MOST_NAMED = 6
_MOST_REASONS = 4
_MOST_ROOTS = 3
# The last instant looked at stands a little before the end.
_SLACK = 1.0


def looked_at(
    coverage: Sequence[Coverage], findings: Iterable[Finding], taxonomy: Taxonomy | None = None
) -> tuple[str, str]:
    """What was looked at, and what was not.

    Returns:
        `1 of 106 harm labels: sexual.explicit.pornography`, and `sexual (21), violence (23), ...`: harm labels only, by their root.
    """
    taxonomy = taxonomy or Taxonomy.default()
    # A row is a hit for what was found below it too, which does not say that all of it was looked at.
    found = {finding.label for finding in findings}
    evaluated = dict.fromkeys(
        row.label for row in coverage if row.state in _EVALUATED and (row.state != "hit" or row.label in found)
    )
    harms = set(taxonomy.harms)
    seen = [label for label in evaluated if label in harms]
    others = [label for label in evaluated if label not in harms]
    told = f"{len(seen)} of {len(harms)} harm labels"
    if seen:
        told += f": {_some(seen)}"
    if others:
        told += f"; and {count(len(others), 'other label')}: {_some(others)}"
    missing = Counter(_root(label, taxonomy) for label in taxonomy.harms if label not in evaluated)
    return told, ", ".join(f"{clean(root)} ({number})" for root, number in missing.items()) or "nothing"


def shortcomings(coverage: Sequence[Coverage], media: MediaFacts) -> list[str]:
    """What was asked and not looked at, not wholly, or not closely: one line per reason.

    First what could have come out clean, then what the provider could never have cleared.
    """
    why: dict[str, list[Coverage]] = {}
    told_below = {
        (above, row.channel) for row in coverage if row.state not in _EVALUATED for above in _above(row.label)
    }
    for row in sorted(coverage, key=lambda row: not row.clearable):
        if row.state not in _EVALUATED:
            if not row.clearable and (row.label, row.channel) in told_below:
                continue  # it would say no more than the labels below it, each of which is told
            why.setdefault(f"not looked at, {row.why}" if row.why else "not looked at", []).append(row)
        if row.through is not None and (
            media.duration is None or row.through < media.duration - max(_SLACK, media.largest_gap or 0.0)
        ):
            why.setdefault(
                f"looked at until {clock(row.through)} only" + (f", {row.why}" if row.why else ""), []
            ).append(row)
        if row.state == "below_floor":
            floor = "low scores" if row.floor is None else f"scores below {row.floor:g}"
            why.setdefault(f"{floor} are not reported", []).append(row)
    told = [f"{_places(rows)}: {clean(reason)}" for reason, rows in why.items()]
    hidden = len(told) - _MOST_REASONS
    return told[:_MOST_REASONS] + ([f"and {count(hidden, 'more reason')}, in the JSON"] if hidden > 0 else [])


def _root(label: str, taxonomy: Taxonomy) -> str:
    return (label, *taxonomy.ancestors(label))[-1]


def _above(label: str) -> list[str]:
    parts = label.split(".")
    return [".".join(parts[:number]) for number in range(1, len(parts))]


def _places(rows: Sequence[Coverage]) -> str:
    """`sexual.explicit (visual)` for one label, `sexual (46), hate (2), visual` for more, in as few words."""
    labels = list(dict.fromkeys(row.label for row in rows))
    channels = ", ".join(dict.fromkeys(clean(row.channel) for row in rows))
    if len(labels) == 1:
        return f"{clean(labels[0])} ({channels})"
    roots = Counter(label.partition(".")[0] for label in labels)
    shown = ", ".join(f"{clean(root)} ({number})" for root, number in list(roots.items())[:_MOST_ROOTS])
    rest = sum(list(roots.values())[_MOST_ROOTS:])
    return f"{shown}{f' and {rest} more' if rest else ''}, {channels}"


def _some(labels: Sequence[str]) -> str:
    shown = [clean(label) for label in dict.fromkeys(labels)]
    return ", ".join(shown[:_MOST_NAMED]) + (
        f" and {len(shown) - _MOST_NAMED} more" if len(shown) > _MOST_NAMED else ""
    )
