"""A provider's label map read backwards: from the unified id to the vendor's own words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelvet.schema.result import Relation

if TYPE_CHECKING:
    from reelvet.schema.media import Channel
    from reelvet.taxonomy import LabelMap, Mapping, Taxonomy


class NativeWords:
    """What a vendor calls the labels of the taxonomy, by its provider's `labels.csv`: the map is written once."""

    def __init__(self, labels: LabelMap, taxonomy: Taxonomy) -> None:
        self._taxonomy = taxonomy
        self._by_place: dict[tuple[str, str], list[Mapping]] = {}
        for mapping in labels:
            if mapping.label is not None:
                self._by_place.setdefault((mapping.field, mapping.label), []).append(mapping)

    def of(self, label: str, field: str, channel: Channel) -> tuple[Mapping, ...]:
        """What the vendor says in one of its fields of something it notices; empty where it has no word for it.

        The word for the very label comes first, then that for the nearest label above it (a vendor whose class is
        `sexual` sees what is below it), and only then one that means less than the label.

        Args:
            label: What is there.
            field: The vendor's field, as in the map.
            channel: Where it is noticed.
        """
        narrow: tuple[Mapping, ...] = ()
        for known in (label, *self._taxonomy.ancestors(label)):
            found = [m for m in self._by_place.get((field, known), ()) if m.channel in {None, channel}]
            wide = tuple(mapping for mapping in found if mapping.relation is not Relation.NARROW)
            if wide:
                return wide
            if known == label:
                narrow = tuple(found)
        return narrow

    def field_of(self, field: str) -> frozenset[str]:
        """Every word that the vendor has in one of its fields."""
        return frozenset(m.native for (known, _), found in self._by_place.items() if known == field for m in found)
