"""Stretches that a language model looked at, as findings: `VideoSegments`, of policies that have one.

Its labels are whatever the policy calls them, so none is mapped: https://cloud.tencent.com/document/product/1124/139434
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelvet.schema.media import Channel
from reelvet_tencent import words
from reelvet_tencent.making import Hit, Making, Spot, rest
from reelvet_tencent.words import Stance

if TYPE_CHECKING:
    from reelvet_tencent.parts import VideoSegment


def read(make: Making, number: int, segment: VideoSegment) -> None:
    """The findings of one stretch. The unit of its offset is not documented, so it has no time."""
    result = segment.result
    spot = Spot(
        f"VideoSegments[{number}].Result",
        evidence=result.video_url or result.audio_url,
        extra=rest(segment, "result") | rest(result, "hit_flag", "suggestion", "text", "detail", "video_url"),
    )
    since = len(make.findings)
    for place, one in enumerate(result.detail):
        if words.stance(one.label_name, one.suggestion) is Stance.HIT:
            hit = Hit(
                one.label_name,
                suggests=one.suggestion,
                text=one.reason or result.text,
                matches=one.target_text,
                extra=rest(one, "label_name", "suggestion", "reason", "target_text"),
            )
            meanings = make.words.unmapped(one.label_name, "the policy's own label")
            make.add(spot, f".Detail[{place}]", Channel.VISUAL, hit, meanings)
    says = words.stance(None, result.suggestion, flag=result.hit_flag)
    if says is not Stance.CLEAN and len(make.findings) == since:
        hit = Hit(suggests=result.suggestion, text=result.text)
        make.add(spot, "", Channel.VISUAL, hit, make.words.unmapped(None, "a stretch that hit"))
