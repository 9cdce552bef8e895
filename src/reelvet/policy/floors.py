"""Thresholds that a vendor cannot honour, because it reports nothing that scores so low."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reelvet.policy.rulebook import rulebook
from reelvet.taxonomy import Taxonomy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reelvet.policy.model import Policy


@dataclass(frozen=True, slots=True)
class FloorGap:
    """A threshold below the score from which a vendor reports. `str()` of it is a sentence."""

    policy: str
    label: str
    channel: str | None
    floor: float
    """0-1: the vendor reports nothing below."""
    threshold: float
    """0-1: the policy would judge from here."""
    provider: str | None = None
    instance: str | None = None

    def __str__(self) -> str:
        who = self.instance or self.provider or "the vendor"
        where = f" ({self.channel})" if self.channel else ""
        return (
            f"policy {self.policy!r} judges {self.label}{where} from {self.threshold:g}, but {who} reports nothing below {self.floor:g}: "
            f"where it is silent the verdict is review. Raise the threshold to {self.floor:g}, or turn the label off"
        )


def thresholds_below_floor(
    policy: Policy,
    rows: Iterable[tuple[str, str | None, float | None]],
    *,
    provider: str | None = None,
    instance: str | None = None,
    taxonomy: Taxonomy | None = None,
) -> tuple[FloorGap, ...]:
    """Where a policy's lowest threshold lies below what a vendor reports: there its silence will mean review.

    Args:
        policy: The policy.
        rows: Label, channel and floor (0-1; `None` where none is documented, which gives no gap) of what an instance sees.
        provider: Whose rows they are, for rules narrowed to a provider.
        instance: Whose rows they are, for rules narrowed to an instance.
        taxonomy: The labels, plugin labels included; those of reelvet if left out.

    Returns:
        One item per row that has a gap, in the order of the rows.
    """
    book = rulebook(policy, taxonomy or Taxonomy.default())
    gaps: list[FloorGap] = []
    for label, channel, floor in rows:
        lowest = book.standing(label, channel, provider, instance).lowest
        if floor is not None and lowest is not None and lowest < floor:
            gaps.append(FloorGap(policy.name, label, channel, floor, lowest, provider, instance))
    return tuple(gaps)
