"""The unified labels: ids, kinds, patterns.

Ids are permanent: they stand in other people's databases. `a.b` stands for the label and everything below it.
"""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property
from importlib import resources
from typing import TYPE_CHECKING

from reelvet.schema.errors import PluginError, UnknownLabel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

UNMAPPED = "unmapped"
"""The id of a finding whose vendor label no map knows."""

QUARANTINE = "child_safety"
"""Findings at or below this id are reported and block; their evidence is never touched."""

_ALIKE = 0.65
_SAME_ROOT = 0.1
_PLUGIN_ID = re.compile(r"x\.[a-z0-9_]+(\.[a-z0-9_]+)+")


class Kind(StrEnum):
    """What a label means for a default policy."""

    HARM = "harm"
    SENSITIVE = "sensitive"
    CONTEXT = "context"
    META = "meta"


@dataclass(frozen=True, slots=True)
class Label:
    """One label of the taxonomy."""

    id: str
    """Dotted, one to three levels; a plugin's own begins with `x.<plugin>.`."""
    kind: Kind
    """`harm`; `sensitive`: jurisdiction or brand decides; `context`: neutral; `meta`: about the result."""
    definition: str
    aws_v7: str | None = None
    """The label of AWS Rekognition's moderation taxonomy, version 7, that means the same."""
    parent: str | None = None
    """The id above it; `None` for a root."""


class Taxonomy:
    """A tree of labels. Immutable; `extended` gives a larger one."""

    def __init__(self, labels: Iterable[Label], version: str) -> None:
        self.version = version
        self._labels = {label.id: label for label in labels}
        children: dict[str | None, list[str]] = {}
        for label in self._labels.values():
            children.setdefault(label.parent, []).append(label.id)
        self._children = children
        self._subtrees: dict[str, tuple[str, ...]] = {}
        self._ancestors: dict[str, tuple[str, ...]] = {}

    @classmethod
    def default(cls) -> Taxonomy:
        """The labels that ship with reelvet."""
        return _default()

    def extended(self, plugin: str, labels: Iterable[Label]) -> Taxonomy:
        """This taxonomy with a plugin's labels.

        Args:
            plugin: The plugin's id; its labels begin with `x.<plugin>.`.
            labels: The labels, each with a parent that is already known or comes with them.

        Raises:
            PluginError: An id is taken or outside the plugin's own branch, or a parent is unknown.
        """
        added = list(labels)
        parents = {label.id: label.parent for label in added}
        for label in added:
            if not _PLUGIN_ID.fullmatch(label.id) or not label.id.startswith(f"x.{plugin}."):
                raise PluginError(
                    f"label {label.id!r} of plugin {plugin!r} must begin with 'x.{plugin}.'",
                    plugin=plugin,
                    way_out=f"Rename it, in lower case: 'x.{plugin}.<name>'.",
                )
            if label.id in self._labels or sum(other.id == label.id for other in added) > 1:
                raise PluginError(
                    f"label {label.id!r} of plugin {plugin!r} is already registered",
                    plugin=plugin,
                    way_out="Register it once.",
                )
            above, seen = label.parent, {label.id}
            while above in parents and above not in seen:
                seen.add(above)
                above = parents[above]
            if above not in self._labels:
                wrong = "is its own ancestor" if above in seen else f"has the unknown parent {label.parent!r}"
                raise PluginError(
                    f"label {label.id!r} of plugin {plugin!r} {wrong}",
                    plugin=plugin,
                    way_out="Give it a parent in the taxonomy, so that patterns on the parent match it.",
                )
        return Taxonomy([*self._labels.values(), *added], self.version) if added else self

    def __contains__(self, label: str) -> bool:
        return label in self._labels

    def __iter__(self) -> Iterator[Label]:
        return iter(self._labels.values())

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, label: str) -> Label:
        try:
            return self._labels[label]
        except KeyError:
            raise UnknownLabel(label, nearest=self.nearest(label), field="label") from None

    def kind(self, label: str) -> Kind:
        """The kind of a label."""
        return self[label].kind

    @cached_property
    def harms(self) -> tuple[str, ...]:
        """The ids of kind harm, in the order of the data."""
        return tuple(label.id for label in self._labels.values() if label.kind is Kind.HARM)

    def ancestors(self, label: str) -> tuple[str, ...]:
        """The ids above a label, the nearest first."""
        if label not in self._ancestors:
            found: list[str] = []
            parent = self[label].parent
            while parent is not None and parent not in found:
                found.append(parent)
                parent = self[parent].parent
            self._ancestors[label] = tuple(found)
        return self._ancestors[label]

    def subtree(self, label: str) -> tuple[str, ...]:
        """A label and everything below it, plugin labels included."""
        if label not in self._subtrees:
            below = [self[label].id]
            for child in self._children.get(label, ()):
                below.extend(self.subtree(child))
            self._subtrees[label] = tuple(dict.fromkeys(below))
        return self._subtrees[label]

    def is_within(self, label: str, ancestor: str) -> bool:
        """Whether `label` is `ancestor` or below it."""
        return label in self._labels and (label == ancestor or ancestor in self.ancestors(label))

    def expand(self, pattern: str, *, field: str = "detect") -> tuple[str, ...]:
        """The ids a pattern stands for.

        Args:
            pattern: An id (it and everything below), `a.b.*` (only what is below), any beginning and `*`
                (`sexual.explicit.nudity*`), or `*`. A plugin's labels count as below their parent.
            field: The job field it stands in, for the error.

        Raises:
            UnknownLabel: No label matches; the error names the nearest ids.
        """
        if pattern in self._labels:
            return self.subtree(pattern)
        found: list[str] = []
        if pattern.endswith(".*") and pattern[:-2] in self._labels:
            found += self.subtree(pattern[:-2])[1:]
        elif pattern.endswith("*"):
            shape = re.compile(".*".join(map(re.escape, pattern.split("*"))))
            found += (below for head in self._labels if shape.fullmatch(head) for below in self.subtree(head))
        if not found:
            raise UnknownLabel(pattern, nearest=self.nearest(pattern), field=field)
        return tuple(dict.fromkeys(found))

    def expand_all(self, patterns: Iterable[str], *, field: str = "detect") -> tuple[str, ...]:
        """The ids several patterns stand for, each once, in their order."""
        return tuple(dict.fromkeys(label for pattern in patterns for label in self.expand(pattern, field=field)))

    def nearest(self, label: str, most: int = 3) -> list[str]:
        """Ids that look like a misspelled one."""
        wanted = label.rstrip("*.").lower()
        root, last = wanted.partition(".")[0], wanted.rpartition(".")[2]

        def likeness(known: str) -> float:
            whole = difflib.SequenceMatcher(None, wanted, known).ratio()
            tail = difflib.SequenceMatcher(None, last, known.rpartition(".")[2]).ratio()
            return (whole + tail) / 2 + _SAME_ROOT * (known.partition(".")[0] == root)

        ranked = sorted(((likeness(known), known) for known in self._labels), key=lambda found: -found[0])
        return [known for alike, known in ranked[:most] if alike >= _ALIKE]


@cache
def _default() -> Taxonomy:
    data: Mapping[str, object] = json.loads(resources.files("reelvet.taxonomy").joinpath("labels.json").read_bytes())
    labels: list[dict[str, str]] = data["labels"]  # type: ignore[assignment]
    return Taxonomy(
        [
            Label(
                id=label["id"],
                kind=Kind(label["kind"]),
                definition=label["definition"],
                aws_v7=label["aws_v7"] or None,
                parent=label["id"].rpartition(".")[0] or None,
            )
            for label in labels
        ],
        version=str(data["version"]),
    )
