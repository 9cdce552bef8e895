"""A vendor's labels and the unified ids they stand for, read from a provider's `labels.csv`.

The file begins with `# name:` and `# version:` lines (the version is the month it was made), then the columns
`field,native,unified,relation,channel,note`:

- `field`: where in the vendor's payload the word stands, in the provider's own terms;
- `unified`: an id, or `(clean)` where the word says that nothing was found;
- `relation`: `exact`, `close`, `broad` (the vendor's class is wider than the id), `narrow`, or `none` for `(clean)`;
- `channel`: one or several joined by `|`, or `any` for whichever channel the field is met in.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from reelvet.schema.errors import PluginError
from reelvet.schema.media import Channel
from reelvet.schema.result import Relation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reelvet.taxonomy.tree import Taxonomy

CLEAN = "(clean)"
_COLUMNS = ["field", "native", "unified", "relation", "channel", "note"]


@dataclass(frozen=True, slots=True)
class Mapping:
    """One vendor label in one channel."""

    field: str
    native: str
    label: str | None
    """The unified id; `None` where the vendor's word says that nothing was found."""
    relation: Relation
    channel: Channel | None
    """`None`: whichever channel the field is met in."""
    note: str = ""


class LabelMap:
    """All mappings of one provider."""

    def __init__(self, mappings: list[Mapping], *, name: str, version: str) -> None:
        self.name = name
        self.version = version
        self._mappings = tuple(mappings)
        self._by_native: dict[tuple[str, str], list[Mapping]] = {}
        for mapping in mappings:
            self._by_native.setdefault((mapping.field, mapping.native), []).append(mapping)

    def __iter__(self) -> Iterator[Mapping]:
        return iter(self._mappings)

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    def find(self, field: str, native: str, channel: Channel | None = None) -> tuple[Mapping, ...]:
        """What a vendor's word stands for; empty if the map does not know it.

        Args:
            field: Where the word stands, as in the file.
            native: The word, as the vendor spells it.
            channel: Only mappings of this channel, or of any.
        """
        found = self._by_native.get((field, native), [])
        return tuple(m for m in found if channel is None or m.channel in {None, channel})

    @classmethod
    def load(cls, package: str, taxonomy: Taxonomy, name: str = "labels.csv") -> LabelMap:
        """The map of a provider's package.

        Args:
            package: The import name of the provider.
            taxonomy: What the ids must exist in.
            name: The file in the package.

        Raises:
            PluginError: The file is malformed, or names an id that is in no taxonomy.
        """
        return cls.parse(
            resources.files(package).joinpath(name).read_text(encoding="utf-8"), taxonomy, origin=f"{package}/{name}"
        )

    @classmethod
    def parse(cls, text: str, taxonomy: Taxonomy, *, origin: str = "labels.csv") -> LabelMap:
        """A map from the text of a `labels.csv`.

        Raises:
            PluginError: The text is malformed, or names an id that is in no taxonomy.
        """
        head: dict[str, str] = {}
        lines = text.splitlines()
        while lines and lines[0].startswith("#"):
            name, _, value = lines.pop(0).lstrip("# ").partition(":")
            head[name.strip()] = value.strip()
        for wanted in ("name", "version"):
            if not head.get(wanted):
                raise PluginError(
                    f"{origin} does not begin with a '# {wanted}: ...' line",
                    plugin=origin,
                    way_out=f"Write `# {wanted}: ...` above the names of the columns.",
                )
        if not lines or next(csv.reader(lines[:1])) != _COLUMNS:
            raise PluginError(
                f"{origin} does not name the columns {','.join(_COLUMNS)}",
                plugin=origin,
                way_out="Write these names as the first line below the `#` lines.",
            )
        rows = csv.reader(lines[1:])
        skipped = len(text.splitlines()) - len(lines) + 1
        mappings = [
            mapping for row in rows for mapping in _read_row(row, taxonomy, f"{origin}, line {skipped + rows.line_num}")
        ]
        return cls(mappings, name=head["name"], version=head["version"])


def _read_row(row: list[str], taxonomy: Taxonomy, origin: str) -> Iterator[Mapping]:
    try:
        field, native, unified, word, where, note = row
        relation = Relation(word)
        channels = [None] if where == "any" else [Channel(name) for name in where.split("|")]
    except ValueError as error:
        raise PluginError(
            f"{origin}: malformed row {row}: {error}",
            plugin=origin,
            way_out=f"Write {','.join(_COLUMNS)}, with a relation of {', '.join(Relation)} and channels of {', '.join(Channel)}.",
        ) from None
    if (unified == CLEAN) != (relation is Relation.NONE):
        raise PluginError(
            f"{origin}: {native!r}: relation 'none' belongs to '(clean)' and to nothing else",
            plugin=origin,
            way_out="Give both or neither of them.",
        )
    if unified != CLEAN and unified not in taxonomy:
        close = taxonomy.nearest(unified)
        raise PluginError(
            f"{origin}: {native!r} is mapped to {unified!r}, which is no label",
            plugin=origin,
            way_out=f"Did you mean {close[0]!r}?" if close else "`reelvet labels` lists them.",
        )
    for channel in channels:
        yield Mapping(field, native, None if unified == CLEAN else unified, relation, channel, note)
