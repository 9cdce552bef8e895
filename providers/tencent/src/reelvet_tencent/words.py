"""Tencent's words: labels, suggestions, and whether a part of a reply says that something was found."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from reelvet.schema import lenient
from reelvet.schema.result import Note, Relation, Verdict
from reelvet.taxonomy import UNMAPPED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelvet.taxonomy import LabelMap, Mapping
    from reelvet_tencent.shape import Told

SUGGESTIONS = {"Pass": Verdict.PASS, "Review": Verdict.REVIEW, "Block": Verdict.BLOCK}
"""https://cloud.tencent.com/document/api/1265/51878"""

UNSPECIFIED = "UNSPECIFIED"
"""What examples of running tasks have for a suggestion: no verdict."""

NORMAL = "Normal"
"""Nothing was found."""

_OTHERS = frozenset({"Others", "Other"})
_NO_SUB_LABEL = frozenset({None, "", NORMAL, *_OTHERS})
_FOUND = frozenset({"Review", "Block"})
_RECOGNIZED = frozenset({"Teenager", "Gender"})
_LABEL, _ALIAS = "Label", "Label (COS/CI spelling)"
_AIGC = ("Type=VIDEO_AIGC", "(task type)")

Meaning = tuple[str, Relation | None]
_UNKNOWN: Meaning = (UNMAPPED, None)


class Stance(Enum):
    """What a part of a reply says of itself."""

    HIT = "hit"
    CLEAN = "clean"
    SILENT = "silent"


def four(part: Told) -> tuple[str | None, str | None, Any, str | None]:
    """Label, sub-label, score and suggestion of a part."""
    get = part.get
    return get("Label"), get("SubLabel"), get("Score"), get("Suggestion")


def of_library(infos: Sequence[Told]) -> tuple[str, ...]:
    """The words of a library that were read or heard."""
    return tuple([word for info in infos if (word := info.get("Keyword"))])


def suggestion(word: str | None) -> Verdict | None:
    """The vendor's verdict in our words; a word that nobody knows is none, and told by `is_strange`."""
    return SUGGESTIONS.get(word or "")


def is_strange(word: str | None) -> bool:
    """Whether a suggestion is a word that nobody knows, which may mean anything and is no pass."""
    return bool(word) and word not in SUGGESTIONS and word != UNSPECIFIED


def stance(
    label: str | None = None,
    suggests: str | None = None,
    score: Any = None,
    *,
    sub_label: str | None = None,
    flag: int | None = None,
) -> Stance:
    """What a part says of itself; where it contradicts itself, the worst.

    Args:
        label: Its label.
        suggests: Its suggestion.
        score: Its score. With one of 0 what it names was not found.
        sub_label: Its sub-label.
        flag: Its hit flag.
    """
    named = label if label != NORMAL else None
    if flag or suggests in _FOUND or is_strange(suggests):
        return Stance.HIT
    # A sub-label below nothing: whatever else is said, it names what was found.
    if not named and sub_label not in _NO_SUB_LABEL and lenient.number(score) != 0:
        return Stance.HIT
    if suggests == "Pass":
        return Stance.CLEAN
    if named:  # no flag that is down outranks it, where nobody says that it may pass
        return Stance.CLEAN if lenient.number(score) == 0 else Stance.HIT
    return Stance.CLEAN if flag is not None or label == NORMAL else Stance.SILENT


def ratio(score: Any) -> float | None:
    """A score of 0-100 as 0-1; `None` for one that is off that scale."""
    if type(score) is not int:  # nearly always one
        score = lenient.number(score)
    return score / 100 if score is not None and 0 <= score <= 100 else None  # noqa: PLR2004


class Words:
    """The label map as it is looked up, and what was found to be in no map."""

    def __init__(self, labels: LabelMap) -> None:
        self._labels = labels
        self._told: set[tuple[str, str]] = set()
        self.notes: list[Note] = []

    def moderated(self, label: str | None, sub_label: str | None) -> list[Meaning]:
        """What a label of the moderation stands for: its sub-label's ids, else its own, else unmapped."""
        if label and sub_label and sub_label not in _OTHERS:
            # Where the map says in which channel a word was met, it is the word that counts.
            known = self._labels.find(f"SubLabel of {label}", sub_label)
            if known:
                return _meanings(known)
        if label == NORMAL and (named := self._below_any(sub_label)):
            self._tell("contradiction", f"the label {label!r} has the sub-label {sub_label!r}, which counts")
            return named
        parent = self._parent(label)
        if not parent:
            self._tell(UNMAPPED, f"the label {label!r}{_below(sub_label)} is in no map")
            return [_UNKNOWN]
        if sub_label and sub_label not in _OTHERS and sub_label != label:
            self._tell(
                "unrefined_label", f"the sub-label {sub_label!r} of {label!r} is in no map; it counts as {label!r}"
            )
        return parent

    def recognized(self, label: str | None) -> list[Meaning]:
        """What a kind of recognition stands for."""
        known = self._labels.find(_LABEL, label or "")
        if known:
            return _meanings(known)
        self._tell(UNMAPPED, f"the recognition {label!r} is in no map")
        return [_UNKNOWN]

    def generated(self, label: str | None, sub_label: str | None) -> list[Meaning]:
        """What a label stands for in a task that looks for generated media: of such labels none is documented."""
        if label and (self._labels.find(_LABEL, label) or self._labels.find(_ALIAS, label)):
            return self.moderated(label, sub_label)
        says = (
            f"the label {label!r}{_below(sub_label)} of a task that looks for generated media counts as generated media"
        )
        self._tell("unrefined_label", says)
        return _meanings(self._labels.find(*_AIGC))

    def knows(self, label: str | None) -> bool:
        """Whether a word is a label of the moderation that some map knows."""
        return bool(self._parent(label))

    def unmapped(self, label: str | None, where: str) -> list[Meaning]:
        """What a word stands for that means nothing documented."""
        self._tell(UNMAPPED, f"{where}: {label!r} is in no map")
        return [_UNKNOWN]

    def unreadable(self, place: str) -> list[Meaning]:
        """What stands for whatever cannot be read."""
        self._tell(UNMAPPED, f"{place} cannot be read")
        return [_UNKNOWN]

    def _below_any(self, sub_label: str | None) -> list[Meaning]:
        """What a sub-label stands for, whatever the label is."""
        known = tuple(one for one in self._labels if one.field.startswith("SubLabel of ") and one.native == sub_label)
        return list(dict.fromkeys(_meanings(known)))

    def _parent(self, label: str | None) -> list[Meaning]:
        # As a label of the moderation these say what was wrong only by their sub-label: "a minor" would be no harm.
        if not label or label in _RECOGNIZED:
            return []
        return _meanings(self._labels.find(_LABEL, label) or self._labels.find(_ALIAS, label))

    def tell_strange(self, word: str | None, place: str) -> None:
        """A warning, if a suggestion is a word that nobody knows."""
        if is_strange(word):
            self._tell("unknown_verdict", f"{place}: {word!r} is none of {', '.join(SUGGESTIONS)}")

    def _tell(self, code: str, says: str) -> None:
        if (code, says) not in self._told:
            self._told.add((code, says))
            self.notes.append(Note(code=code, says=says))


def _meanings(mappings: tuple[Mapping, ...]) -> list[Meaning]:
    return [(mapping.label, mapping.relation) for mapping in mappings if mapping.label is not None]


def _below(sub_label: str | None) -> str:
    return f" with the sub-label {sub_label!r}" if sub_label else ""
