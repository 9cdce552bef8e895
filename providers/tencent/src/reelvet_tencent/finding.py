"""Everything that a reply says was found, and what speaks against taking its silence for absence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reelvet.schema.media import Channel
from reelvet.schema.result import Note
from reelvet_tencent import doubt, images, parts, sounds, stretches, wire, words
from reelvet_tencent.making import Hit, Making, Spot
from reelvet_tencent.shape import Rest, Shape
from reelvet_tencent.words import Stance

if TYPE_CHECKING:
    from reelvet_tencent.shape import Told

_LABEL = Rest(wire.TaskLabel, "label", "sub_label", "score", "suggestion")


_WHOLE = Shape.of(wire.DescribeTaskDetailResponse)
_SEGMENTS = (
    ("ImageSegments", Shape.of(parts.ImageSegments), images.read),
    ("AudioSegments", Shape.of(parts.AudioSegments), sounds.read),
)


def whole(inner: dict[str, Any]) -> dict[str, Any]:
    """A reply, read but for its pictures and sounds: `find` does that one by one, while they are at hand."""
    held = {name: parts.as_parts(inner[name]) for name, _, _ in _SEGMENTS if name in inner}
    return _WHOLE.told({name: value for name, value in inner.items() if name not in held}) | held


def find(make: Making, detail: dict[str, Any], inner: dict[str, Any], *, final: bool) -> None:
    """Makes the findings of a reply, and the doubts of its silence.

    Args:
        make: Where to.
        detail: The reply as `whole` has it. Its pictures and sounds are read.
        inner: The same, as it came.
        final: Whether the task has ended.
    """
    for name, shape, read in _SEGMENTS:
        told = []
        for number, part in enumerate(detail.get(name) or ()):
            segment = shape.told(part)
            told.append(segment)
            read(make, number, segment)
        detail[name] = told
    for number, stretch in enumerate(detail.get("VideoSegments") or ()):
        stretches.read(make, number, stretch)
    make.snippets(Spot(""), detail.get("HitSnippetInfos") or (), Channel.VISUAL)
    _labels(make, detail)
    _label(make, detail)
    doubt.tell(make, detail, inner)
    if final and (why := _verdict(make, detail)):
        make.doubt(Channel, why)


def _labels(make: Making, detail: Told) -> None:
    """Labels of the whole media that no segment has: found somewhere, and nobody says where."""
    for number, one in enumerate(detail.get("Labels") or ()):
        label, sub_label, score, suggests = words.four(one)
        if words.stance(label, suggests, score, sub_label=sub_label) is not Stance.HIT:
            continue
        hit = Hit(label, sub_label, score, suggests, extra=_LABEL(one))
        if make.repeats(0, hit):
            continue
        make.add(Spot(f"Labels[{number}]"), "", _channel(label), hit)
        make.notes.append(
            Note(
                code="no_segment",
                says=f"{label!r} is named for the whole media, and no picture or sound says as much of it",
            )
        )


def _label(make: Making, detail: Told) -> None:
    """The worst label, where nothing else has it."""
    label = detail.get("Label")
    hit = Hit(label)
    if words.stance(label) is Stance.HIT and not make.repeats(0, hit):
        make.add(Spot("Label"), "", _channel(label), hit)


def _verdict(make: Making, detail: Told) -> str | None:
    """The vendor's verdict on the whole, held against what was found: the worst counts."""
    word = detail.get("Suggestion")
    told = words.suggestion(word)
    said = {finding.suggestion for finding in make.findings}
    worst = max((one.severity for one in said if one is not None), default=-1)
    if words.is_strange(word) or (told is not None and told.severity > max(worst, 0)):
        label = detail.get("Label") if detail.get("Label") != words.NORMAL else None
        hit = Hit(label, suggests=word)
        meanings = None if label or make.generated else make.words.unmapped(None, "Suggestion")
        make.add(Spot("Suggestion"), "", _channel(label), hit, meanings)
        if told is not None:
            says = f"the reply says {word} as a whole, and nothing in it does; it counts"
            make.notes.append(Note(code="contradiction", says=says))
    if told is not None and worst > told.severity:
        make.notes.append(Note(code="contradiction", says=f"the reply says {word} as a whole, and parts of it do not"))
    if told is None:
        return f"the reply has no verdict but {word!r}" if word else "the reply has no verdict"
    return None


def _channel(label: str | None) -> Channel:
    return Channel.SOUND if label == sounds.MOAN else Channel.VISUAL
