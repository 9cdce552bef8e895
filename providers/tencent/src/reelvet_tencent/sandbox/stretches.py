"""`VideoSegments`: stretches that a language model looks at, in tasks of type VIDEO_LLM.

https://cloud.tencent.com/document/product/1124/139434 shows one of 31 seconds and tells neither their length nor their unit.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from reelvet_tencent.sandbox.segments import Segment
from reelvet_tencent.sandbox.sight import PASS, Found, worst

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reelvet_tencent.sandbox.segments import Watching

STRETCH = 30.0
_KIND = "VideoSegments"


def segments(watching: Watching) -> Iterator[Segment]:
    """Every stretch. What the policy calls its labels is its owner's business; here they are the vendor's own."""
    scenario = watching.scenario
    for number in itertools.count():
        start = number * STRETCH
        if start >= scenario.duration:
            return
        length = min(STRETCH, scenario.duration - start)
        events = [event for event in scenario.events if event.start < start + length and event.until >= start]
        found = tuple(one for event in events if (one := watching.sight.found(event)) is not None)
        top = worst(found)
        text = " ".join(one.text for one in scenario.speech if start <= one.start < start + length)
        result = {
            "HitFlag": int(top is not None),
            "Suggestion": top.suggestion if top else PASS,
            "Text": text,
            "Detail": [_detail(one) for one in found if one.hits],
            "VideoUrl": watching.link("video", start, "mp4"),
            "AudioUrl": watching.link("audio", start, "mp3"),
            "Duration": f"{length:g}",
            "RequestId": watching.request_id(_KIND, start),
        }
        data = {"Result": result, "OffsetTime": watching.offset(start), "CreatedAt": watching.date(start)}
        yield Segment(_KIND, start + length, data, found, text=text)


def _detail(one: Found) -> dict[str, Any]:
    return {
        "LabelName": one.label,
        "Reason": f"The model takes it for {one.sub_label or one.label}.",
        "TargetText": list(one.event.matches),
        "Suggestion": one.suggestion,
        "Extra": "",
    }
