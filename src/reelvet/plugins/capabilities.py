"""What a provider, or one configured instance of it, can see and do."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from reelvet.schema.media import Channel, MediaKind
from reelvet.schema.result import Relation

if TYPE_CHECKING:
    from collections.abc import Iterable

CONCLUSIVE = frozenset({Relation.EXACT, Relation.CLOSE, Relation.BROAD})
"""Relations under which the vendor's silence says that the label is not there. `narrow` is none of them."""


@dataclass(frozen=True, slots=True)
class Capability:
    """One label that can be seen."""

    label: str
    channels: tuple[Channel, ...]
    relation: Relation = Relation.EXACT
    floor: float | None = None
    """The score (0-1) below which the vendor documents that it reports nothing."""
    languages: tuple[str, ...] | None = None
    """BCP 47 tags in which it works, where the label depends on language; `None`: any, or it does not matter.

    In media of another language it is not looked for; in media whose language nobody said, its silence says nothing.
    """
    kinds: tuple[MediaKind, ...] = (MediaKind.VIDEO,)
    switch: str | None = None
    """What turns it on at the vendor: a category, a task type."""


@dataclass(frozen=True, slots=True)
class TranscriptCapability:
    """What can be written down."""

    languages: tuple[str, ...] | None = None
    """BCP 47 tags; `None`: as the vendor says at run time."""
    translations: tuple[str, ...] | None = ()
    """Languages it can translate into; empty: none; `None`: as the vendor says at run time."""


@dataclass(frozen=True, slots=True)
class Parallel:
    """How many tasks with one kind of media a vendor runs at a time."""

    kind: MediaKind
    tasks: int
    waits: bool = True
    """Whether a task above that number waits until it is its turn; `False`: it is refused, so no more are sent."""


@dataclass(frozen=True)
class Capabilities:
    """Everything that can be asked of a provider. A spec's are the maximum, an instance's `effective()` the truth."""

    entries: tuple[Capability, ...] = ()
    schemes: frozenset[str] = frozenset({"http", "https"})
    """How media may be given: `http`, `https`, `obs`, `cos`, `rtmp`, `file`, or a provider id for its own assets."""
    wishes: frozenset[str] = frozenset()
    """The job's wishes that are honoured: `interval`, `stop_on`, `callback`, `user`, `metadata`, `language`."""
    operations: frozenset[str] = frozenset()
    """Of `cancel`, `find`, `sweep`, `delete`, `callback`: those the vendor has; `run` where the work is done here; `learn` where the
    declaration of a policy kept at the vendor can be learned from what it was seen to do."""
    transcript: TranscriptCapability | None = None
    regions: tuple[str, ...] | None = None
    """Where the media is processed; `None`: not known. `here` is the caller's own machine."""
    key_fits: str | None = None
    """In words, how the vendor keeps the job's key, for the capability matrix."""
    price_class: str | None = None
    parallel: tuple[Parallel, ...] = ()
    """How many tasks the vendor runs at a time, one entry per kind of media; of a kind without one it is not known."""
    extra: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def channels(self) -> tuple[Channel, ...]:
        """Every channel in which anything can be seen, in the order of `Channel`."""
        seen = {channel for entry in self.entries for channel in entry.channels}
        return tuple(channel for channel in Channel if channel in seen)

    @cached_property
    def kinds(self) -> frozenset[MediaKind]:
        """Every kind of media in which anything can be seen."""
        return frozenset(kind for entry in self.entries for kind in entry.kinds)

    @cached_property
    def by_place(self) -> dict[tuple[str, Channel], Capability]:
        """`(label, channel)` -> the most conclusive entry."""
        found: dict[tuple[str, Channel], Capability] = {}
        for entry in self.entries:
            for channel in entry.channels:
                known = found.get((entry.label, channel))
                if known is None or (known.relation not in CONCLUSIVE and entry.relation in CONCLUSIVE):
                    found[entry.label, channel] = entry
        return found

    @cached_property
    def labels(self) -> frozenset[str]:
        """Every label that can be seen as such."""
        return frozenset(entry.label for entry in self.entries)

    def queue_of(self, kind: MediaKind) -> Parallel | None:
        """What a task with this kind of media waits behind; `None` where it is not known, or nothing waits."""
        return next((one for one in self.parallel if one.kind is kind and one.waits), None)

    @cached_property
    def planned(self) -> dict[Any, Any]:
        """What `ask` has worked out for these capabilities: most jobs of a platform ask the same."""
        return {}

    @cached_property
    def _by_kind(self) -> dict[MediaKind, Capabilities]:
        return {}

    @cached_property
    def _depends_on_language(self) -> bool:
        return any(entry.languages is not None for entry in self.entries)

    @cached_property
    def _by_language(self) -> dict[str | None, Capabilities]:
        return {}

    def for_kind(self, kind: MediaKind) -> Capabilities:
        """What of it works on one kind of media."""
        if kind not in self._by_kind:
            self._by_kind[kind] = self.with_entries(entry for entry in self.entries if kind in entry.kinds)
        return self._by_kind[kind]

    def for_language(self, language: str | None) -> Capabilities:
        """What of it works on media of one language; where none is said, what depends on it never settles anything."""
        if not self._depends_on_language:
            return self
        if language not in self._by_language:
            self._by_language[language] = self.with_entries(self._spoken(language))
        return self._by_language[language]

    def _spoken(self, language: str | None) -> Iterable[Capability]:
        for entry in self.entries:
            if entry.languages is None or (language is not None and is_language(language, entry.languages)):
                yield entry
            elif language is None:
                yield replace(entry, relation=Relation.NARROW)

    def with_entries(self, entries: Iterable[Capability]) -> Capabilities:
        """The same with other labels."""
        return replace(self, entries=tuple(entries))  # a copy, so that its cached properties start afresh


def is_language(tag: str, known: tuple[str, ...]) -> bool:
    """Whether a BCP 47 tag is among those known: `en` stands for all its regions."""
    wanted = f"{tag.lower()}-"
    return any(wanted.startswith(f"{one.lower()}-") or f"{one.lower()}-".startswith(wanted) for one in known)
