"""`ImageSegments`: one picture every five seconds. https://cloud.tencent.com/document/api/1265/51878."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from reelvet.schema.media import Channel
from reelvet_tencent.sandbox.segments import Segment, hit_type, keyword_hits, library, verdict
from reelvet_tencent.sandbox.sight import NORMAL, RECOGNIZED, Found, worst

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reelvet_tencent.sandbox.segments import Watching

EVERY = 5.0
"""Seconds between two pictures: https://cloud.tencent.com/document/product/1265/51890"""

_KIND = "ImageSegments"
_CALLED_BACK = 3.0
"""Seconds until a picture of a stream is known: https://cloud.tencent.com/document/api/1265/51879"""


def segments(watching: Watching, *, only_eventful: bool = False) -> Iterator[Segment]:
    """Every picture that is looked at. The unit of `ImageFrequency` is not documented: here it is seconds between two."""
    scenario, sight = watching.scenario, watching.sight
    if not sight.looks:
        return
    every = float(watching.frequency or EVERY)
    for number in itertools.count():
        time = number * every
        if time >= scenario.duration:
            return
        events = [*scenario.at(time), *scenario.at(time, Channel.OCR)]
        if events or not only_eventful:
            yield _segment(watching, time, [one for event in events if (one := sight.found(event)) is not None])


def _segment(watching: Watching, time: float, everything: list[Found]) -> Segment:
    recognized = [one for one in everything if one.label in RECOGNIZED and not one.sub_label]
    found = [one for one in everything if one not in recognized]
    top = worst(found)
    result = {
        **verdict(found, top),
        "Results": [_result(watching, one) for one in found],
        "Url": watching.link("image", time, "jpg"),
        "Extra": "",
        "RecognitionResults": [_recognition(one) for one in recognized],
        "HitType": hit_type(top, top.event.text or "") if top else "",
        "RequestId": watching.request_id(_KIND, time),
        "HitSnippetInfos": [],
    }
    data = {
        "OffsetTime": watching.offset(time),
        "Result": result,
        "CreatedAt": watching.date(time),
        "OffsetusTime": watching.fine_offset(time),
    }
    return Segment(_KIND, time + _CALLED_BACK, data, tuple(found), tells=bool(recognized))


def _result(watching: Watching, one: Found) -> dict[str, Any]:
    """What one scene found. Whether several of one scene stand beside each other is not documented; here they do."""
    text = one.event.text or "" if one.event.channel is Channel.OCR else ""
    shows = one.hits and (one.event.box is not None or text)
    return {
        "Scene": one.label,
        "HitFlag": int(one.hits),
        "Suggestion": one.suggestion,
        "Label": one.label if one.hits else NORMAL,
        "SubLabel": one.sub_label if one.hits else "",
        "Score": one.score,
        "Names": [],
        "Text": text,
        "Details": [_detail(watching, one, text)] if shows else [],
        "HitType": hit_type(one, text),
    }


def _detail(watching: Watching, one: Found, text: str) -> dict[str, Any]:
    scenario, box = watching.scenario, one.event.box
    x, y, width, height = box.pixels(scenario.width, scenario.height) if box is not None else (0, 0, 0, 0)
    return {
        "Name": "",
        "Text": text,
        "Location": {"X": float(x), "Y": float(y), "Width": width, "Height": height, "Rotate": 0.0},
        "Label": one.label,
        **library(one),
        "Keywords": list(one.event.matches),
        "Suggestion": one.suggestion,
        "Score": one.score,
        "SubLabelCode": one.code,
        "SubLabel": one.sub_label,
        "OcrHitInfos": keyword_hits(one, text),
    }


def _recognition(one: Found) -> dict[str, Any]:
    return {"Label": one.label, "Tags": [{"Name": one.label, "Score": one.score, "StartTime": 0, "EndTime": 0}]}
