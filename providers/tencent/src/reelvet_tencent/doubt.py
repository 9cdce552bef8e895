"""What of a reply cannot be read where it would say whether something was found. Pure.

What nobody can read may be a hit: each such place is a finding that stands for nothing known, and the silence of its
channels says nothing. A field that nobody knows is no reason to doubt, as the vendor adds some every few weeks, unless
it says of itself that something was found.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, get_args

from reelvet.schema import lenient
from reelvet.schema.media import Channel
from reelvet.taxonomy import UNMAPPED
from reelvet_tencent.making import Hit, Making, Spot
from reelvet_tencent.parts import UNREADABLE, Part, flag
from reelvet_tencent.shape import is_empty
from reelvet_tencent.wire import DescribeTaskDetailResponse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reelvet_tencent.shape import Told
    from reelvet_tencent.times import When

SEEN = (Channel.VISUAL, Channel.OCR)
HEARD = (Channel.SPEECH, Channel.SOUND)

_WORDS = frozenset({"label", "sub_label", "suggestion", "label_name", "risk_level"})
"""Fields that say what was found, or that nothing was."""

_HARMLESS = frozenset({"asrs", "sentences", "positions", "language_results"})
"""Lists in which nothing is found: what was said, where, and in which language."""

_OF_LIST = re.compile(r"(Image|Audio)Segments\b(?:\[(\d+)\])?")


_NUMBER = re.compile(r"\[\d+\]")


@dataclass(frozen=True, slots=True)
class _Shape:
    """What of a part is looked at, by the vendor's names."""

    names: frozenset[str]
    words: frozenset[str]
    lists: dict[str, type[Part]]
    parts: dict[str, type[Part]]


def tell(make: Making, detail: Told, inner: dict[str, Any]) -> None:
    """Makes a finding of each place that cannot be read, and a doubt of its channels.

    Args:
        make: Where to. What else is found is to be made before.
        detail: The reply, read.
        inner: The same, as it came.
    """
    told = {place for finding in make.findings if finding.label == UNMAPPED for place in _above(finding.native.field)}
    for place, value in unreadable(inner, detail, DescribeTaskDetailResponse, ""):
        make.doubt(_channels(place), f"{place} cannot be read")
        meanings = make.words.unreadable(_NUMBER.sub("[]", place))
        if place not in told:  # nobody said already that something unknown was found there or below
            spot = Spot(place, _when(make, detail, place))
            make.add(spot, "", _channels(place)[0], Hit(extra={UNREADABLE: value}), meanings)


def unreadable(value: Any, told: Any, model: type[Part], place: str) -> Iterator[tuple[str, Any]]:
    """Where a part cannot be read, and what stands there.

    Args:
        value: The part, as it came.
        told: The same, read. Where that is the very object, all of it was as documented.
        model: What it should be.
        place: Where it stands.
    """
    if told is value:
        return
    shape = _shape(model)
    if not isinstance(value, dict) or not shape.names.intersection(value):
        yield place, value
        return
    for name, inner in value.items():
        where = f"{place}.{name}".lstrip(".")
        if is_empty(inner):
            continue
        if name in shape.words:
            if lenient.text(inner) is None:
                yield where, inner
        elif name in shape.parts:
            yield from unreadable(inner, told.get(name), shape.parts[name], where)
        elif name in shape.lists:
            yield from _unreadable_items(inner, told[name], shape.lists[name], where)
        elif name not in shape.names and _says_hit(inner):
            yield where, inner


def _unreadable_items(value: Any, told: Sequence[Told], model: type[Part], place: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, list | dict):
        yield place, value
        return
    for number, (item, one) in enumerate(zip(lenient.items(value), told, strict=True)):
        if one is not item:
            yield from unreadable(item, one, model, f"{place}[{number}]")


def _says_hit(value: Any) -> bool:
    """Whether something of which nothing is known says that it hit, in the vendor's words."""
    if isinstance(value, list):
        return any(_says_hit(item) for item in value)
    if not isinstance(value, dict):
        return False
    told = {str(name).replace("_", "").lower(): item for name, item in value.items()}
    says = (lenient.text(told.get("suggestion")) or "").lower()
    return says in {"review", "block"} or flag(told.get("hitflag")) is True or any(map(_says_hit, value.values()))


@cache
def _shape(model: type[Part]) -> _Shape:
    words, lists, parts = set(), {}, {}
    for name, field in model.model_fields.items():
        alias = str(field.alias)
        items = [item for item in get_args(field.annotation) if isinstance(item, type) and issubclass(item, Part)]
        if name in _WORDS:
            words.add(alias)
        elif items and name not in _HARMLESS:
            lists[alias] = items[0]
        elif name == "result" and isinstance(field.annotation, type):
            parts[alias] = field.annotation
    names = {spelled for name, field in model.model_fields.items() for spelled in (name, str(field.alias))}
    return _Shape(frozenset(names), frozenset(words), lists, parts)


def _above(place: str | None) -> Iterator[str]:
    """A place, and all in which it stands."""
    if place is not None:
        yield place
        for step in re.finditer(r"[.\[]", place):
            yield place[: step.start()]


def _channels(place: str) -> tuple[Channel, ...]:
    """The channels that a place is of, the one that a finding there gets first."""
    of = _OF_LIST.match(place)
    if of is None:
        return (*SEEN, *HEARD)
    return SEEN if of[1] == "Image" else HEARD


def _when(make: Making, detail: Told, place: str) -> When:
    of = _OF_LIST.match(place)
    if of is None or of[2] is None:
        return make.clock.at(None)
    segments = detail[f"{of[1]}Segments"]
    return make.clock.at(segments[int(of[2])].get("OffsetTime"))
