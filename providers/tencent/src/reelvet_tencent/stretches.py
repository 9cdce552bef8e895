"""Stretches that a language model looked at, as findings: `VideoSegments`, of policies that have one.

Its labels are whatever the policy calls them, so none is mapped: https://cloud.tencent.com/document/product/1124/139434
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelvet.schema.media import Channel
from reelvet_tencent import parts, words
from reelvet_tencent.making import Hit, Making, Spot
from reelvet_tencent.shape import Rest
from reelvet_tencent.words import Stance

if TYPE_CHECKING:
    from reelvet_tencent.shape import Told

_SEGMENT = Rest(parts.VideoSegment, "result")
_RESULT = Rest(parts.VideoSegmentResult, "hit_flag", "suggestion", "text", "detail", "video_url")
_DETAIL = Rest(parts.VideoLLMDetail, "label_name", "suggestion", "reason", "target_text")


def read(make: Making, number: int, segment: Told) -> None:
    """The findings of one stretch. The unit of its offset is not documented, so it has no time."""
    result = segment.get("Result") or {}
    suggests, text = result.get("Suggestion"), result.get("Text")
    spot = Spot(
        f"VideoSegments[{number}].Result",
        evidence=result.get("VideoUrl") or result.get("AudioUrl"),
        rests=((_SEGMENT, segment), (_RESULT, result)),
    )
    since = len(make.findings)
    for place, one in enumerate(result.get("Detail") or ()):
        label = one.get("LabelName")
        if words.stance(label, one.get("Suggestion")) is Stance.HIT:
            hit = Hit(
                label,
                suggests=one.get("Suggestion"),
                text=one.get("Reason") or text,
                matches=parts.texts(one.get("TargetText") or ()),
                extra=_DETAIL(one),
            )
            meanings = make.words.unmapped(label, "the policy's own label")
            make.add(spot, f".Detail[{place}]", Channel.VISUAL, hit, meanings)
    says = words.stance(None, suggests, flag=result.get("HitFlag"))
    if says is not Stance.CLEAN and len(make.findings) == since:
        hit = Hit(suggests=suggests, text=text)
        make.add(spot, "", Channel.VISUAL, hit, make.words.unmapped(None, "a stretch that hit"))
