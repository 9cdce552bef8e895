"""Everything that a reply says was found, and what speaks against taking its silence for absence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reelvet.schema.media import Channel
from reelvet.schema.result import Note
from reelvet_tencent import doubt, images, sounds, stretches, words
from reelvet_tencent.making import Hit, Making, Spot, rest
from reelvet_tencent.words import Stance

if TYPE_CHECKING:
    from reelvet_tencent.wire import DescribeTaskDetailResponse


def find(make: Making, detail: DescribeTaskDetailResponse, inner: dict[str, Any], *, final: bool) -> None:
    """Makes the findings of a reply, and the doubts of its silence.

    Args:
        make: Where to.
        detail: The reply.
        inner: The same, as it came.
        final: Whether the task has ended.
    """
    for number, image in enumerate(detail.image_segments):
        images.read(make, number, image)
    for number, sound in enumerate(detail.audio_segments):
        sounds.read(make, number, sound)
    for number, stretch in enumerate(detail.video_segments):
        stretches.read(make, number, stretch)
    make.snippets(Spot(""), detail.hit_snippet_infos, Channel.VISUAL)
    _labels(make, detail)
    _label(make, detail)
    doubt.tell(make, detail, inner)
    if final and (why := _verdict(make, detail)):
        make.doubt(Channel, why)


def _labels(make: Making, detail: DescribeTaskDetailResponse) -> None:
    """Labels of the whole media that no segment has: found somewhere, and nobody says where."""
    for number, one in enumerate(detail.labels):
        if words.stance(one.label, one.suggestion, one.score, sub_label=one.sub_label) is not Stance.HIT:
            continue
        extra = rest(one, "label", "sub_label", "score", "suggestion")
        hit = Hit(one.label, one.sub_label, one.score, one.suggestion, extra=extra)
        if make.repeats(0, hit):
            continue
        make.add(Spot(f"Labels[{number}]"), "", _channel(one.label), hit)
        make.notes.append(
            Note(
                code="no_segment",
                says=f"{one.label!r} is named for the whole media, and no picture or sound says as much of it",
            )
        )


def _label(make: Making, detail: DescribeTaskDetailResponse) -> None:
    """The worst label, where nothing else has it."""
    hit = Hit(detail.label)
    if words.stance(detail.label) is Stance.HIT and not make.repeats(0, hit):
        make.add(Spot("Label"), "", _channel(detail.label), hit)


def _verdict(make: Making, detail: DescribeTaskDetailResponse) -> str | None:
    """The vendor's verdict on the whole, held against what was found: the worst counts."""
    word, told = detail.suggestion, words.suggestion(detail.suggestion)
    said = [finding.suggestion for finding in make.findings if finding.suggestion is not None]
    worst = max((one.severity for one in said), default=-1)
    if words.is_strange(word) or (told is not None and told.severity > max(worst, 0)):
        label = detail.label if detail.label != words.NORMAL else None
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
