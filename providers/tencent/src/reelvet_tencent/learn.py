"""What a BizType's policy seems to look at, by what it was seen to do. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reelvet.plugins import Covers, DeclaredPolicy
from reelvet.schema.media import Channel
from reelvet.schema.result import Note
from reelvet.taxonomy import UNMAPPED
from reelvet_tencent.read import unwrapped
from reelvet_tencent.settings import is_biz_type
from reelvet_tencent.sounds import MOAN
from reelvet_tencent.wire import DescribeTaskDetailResponse
from reelvet_tencent.words import NORMAL, Words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reelvet.taxonomy import LabelMap

_Seen = tuple[Channel, str | None]


def propose(payloads: Iterable[Any], labels: LabelMap, notes: list[Note] | None = None) -> dict[str, DeclaredPolicy]:
    """BizType -> a declaration for a person to check against the vendor's console.

    It holds the scenes that the replies show, so the tasks are to be read with all segments. What a policy looks at and
    the media did not bring up may be missing; nothing is in it that was not seen.

    Args:
        payloads: Replies to DescribeTaskDetail.
        labels: Tencent's words.
        notes: Takes a note of whatever is left out: a reply without a BizType, a name that the settings would refuse, a scene
            that is in no map.
    """
    told = notes if notes is not None else []
    seen: dict[str, dict[Channel, dict[str, None]]] = {}
    vocabulary = Words(labels)
    for payload in payloads:
        detail = DescribeTaskDetailResponse.model_validate(unwrapped(payload))
        if not detail.biz_type:
            told.append(
                Note(code="biz_type_missing", says=f"task {detail.task_id!r} does not say of which BizType it is")
            )
            continue
        if not is_biz_type(detail.biz_type):
            says = f"{detail.biz_type!r} is no name of a BizType, so nothing can be declared of it"
            told.append(Note(code="biz_type_refused", says=says))
            continue
        places = seen.setdefault(detail.biz_type, {})
        for channel, word in [*_images(detail), *_sounds(detail)]:
            if word and word != NORMAL:
                for label, _ in vocabulary.recognized(word):
                    if label != UNMAPPED:
                        places.setdefault(channel, {})[label] = None
    told[:] = dict.fromkeys([*told, *vocabulary.notes])
    return {name: _declared(places) for name, places in seen.items()}


def _declared(places: dict[Channel, dict[str, None]]) -> DeclaredPolicy:
    by_labels: dict[tuple[str, ...], list[Channel]] = {}
    for channel in Channel:
        if labels := tuple(places.get(channel, ())):
            by_labels.setdefault(labels, []).append(channel)
    return DeclaredPolicy(
        covers=tuple(Covers(labels=labels, channels=tuple(channels)) for labels, channels in by_labels.items())
    )


def _images(detail: DescribeTaskDetailResponse) -> Iterator[_Seen]:
    for segment in detail.image_segments:
        yield Channel.VISUAL, segment.result.label
        for one in segment.result.results:
            for word in (one.scene, one.label):
                yield Channel.OCR if one.text else Channel.VISUAL, word
        for recognized in segment.result.recognition_results:
            yield Channel.VISUAL, recognized.label


def _sounds(detail: DescribeTaskDetailResponse) -> Iterator[_Seen]:
    for segment in detail.audio_segments:
        result = segment.result
        yield Channel.SOUND if result.label == MOAN else Channel.SPEECH, result.label
        for text in result.text_results:
            yield Channel.SPEECH, text.label
        for moan in result.moan_results:
            yield Channel.SOUND, moan.label
        for recognized in result.recognition_results:
            yield Channel.SOUND, recognized.label
