"""The vendor's words and what they stand for, as they are looked up for every hit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelvet.schema.media import Channel
from reelvet.taxonomy import UNMAPPED
from reelvet_huawei.plugin import IMAGE_TEXT, V2_CATEGORY, V2_TEXT, V3_AUDIO, V3_IMAGE, V3_TEXT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reelvet.schema.result import Relation
    from reelvet.taxonomy import LabelMap, Mapping

Meaning = tuple[str, "Relation | None"]

CLEAN_WORD = "normal"
"""The class of a frame in which a category sees nothing; it stands among the others with its own confidence."""

_TOP = {"v2": V2_CATEGORY, "v3": V3_IMAGE}


class Words:
    """The label map by place and word."""

    def __init__(self, labels: LabelMap) -> None:
        self._by_word: dict[tuple[str, str], list[Mapping]] = {}
        for mapping in labels:
            self._by_word.setdefault((mapping.field, mapping.native), []).append(mapping)

    def category(self, api: str, category: str | None) -> Sequence[Meaning]:
        """A category of frames as a whole."""
        return self._meanings(_TOP[api], category, Channel.OCR if category == IMAGE_TEXT else Channel.VISUAL)

    def inner(self, category: str | None, label: str | None) -> Sequence[Meaning]:
        """A label within a category of frames, as either API has it; empty where no map knows it.

        The list of v3 is not published. Where a word is one that the vendor's image moderation lists under the same
        category it is taken for that.
        """
        if category == IMAGE_TEXT:
            return self.found((f"Moderation v3 {IMAGE_TEXT} label", V3_TEXT), label, Channel.OCR)
        fields = (f"Moderation v3 image {category} label", f"Moderation v2 image {category} label")
        return self.found(fields, label, Channel.VISUAL)

    def text(self, category: str | None, channel: Channel) -> Sequence[Meaning]:
        """A v2 category of text."""
        return self._meanings(V2_TEXT, category, channel)

    def sound(self, label: str | None) -> Sequence[tuple[str, Relation | None, Channel]]:
        """A v3 label of sound, with the channel that it is heard in."""
        found = self._by_word.get((V3_AUDIO, label or ""), ())
        return [(m.label, m.relation, m.channel) for m in found if m.label is not None and m.channel is not None]

    def found(self, fields: Iterable[str], word: str | None, channel: Channel) -> Sequence[Meaning]:
        """The first of some places that knows a word."""
        return next((meanings for field in fields if (meanings := self._meanings(field, word, channel))), ())

    def is_clean(self, category: str | None, label: str | None) -> bool:
        """Whether a label within a category says that nothing was found."""
        mappings = self._by_word.get((f"Moderation v2 image {category} label", label or ""), ())
        return label == CLEAN_WORD or any(mapping.label is None for mapping in mappings)

    def _meanings(self, field: str, word: str | None, channel: Channel) -> Sequence[Meaning]:
        mappings = self._by_word.get((field, word or ""), ())
        return [(m.label, m.relation) for m in mappings if m.label is not None and m.channel in {None, channel}]


NOTHING_KNOWN: tuple[Meaning, ...] = ((UNMAPPED, None),)
