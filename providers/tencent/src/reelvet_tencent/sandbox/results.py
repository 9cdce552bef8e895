"""A task as DescribeTaskDetail tells it. https://cloud.tencent.com/document/api/1265/51878."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from reelvet.sandbox import MAGIC
from reelvet_tencent.sandbox import images, life, sounds, stretches
from reelvet_tencent.sandbox.checks import LIVE, LLM
from reelvet_tencent.sandbox.sight import NORMAL, PASS, Found, worst

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reelvet.sandbox import Clock, Task
    from reelvet_tencent.sandbox.models import Dialect
    from reelvet_tencent.sandbox.segments import Segment, Watching

UNSPECIFIED = "UNSPECIFIED"
"""The suggestion of a task that has none yet, as an example has it; the text knows no such word."""

LISTS = ("ImageSegments", "AudioSegments", "VideoSegments")
_LONGEST_TEXT = 1000
_LATEST_TRY = 120
_LIVE_SLICE = 5
"""`MediaInfo.Duration` of a stream: the length of a slice. https://cloud.tencent.com/document/product/1265/51890"""


def everything(watching: Watching, type_: str, *, only_eventful: bool = False) -> Iterator[Segment]:
    """Every segment of a task, whether something was found in it or not.

    Args:
        watching: The task.
        type_: Its type.
        only_eventful: Whether to leave out those in which nothing is to be noticed, of which long media has many.
    """
    if type_ == LLM:
        yield from stretches.segments(watching)
    else:
        yield from images.segments(watching, only_eventful=only_eventful)
        yield from sounds.segments(watching, only_eventful=only_eventful)


def known(task: Task, now: float) -> list[Segment]:
    """The segments that hit, or recognize something, as far as they are told: of a stream while it runs, of a file at its end."""
    if not task.extra["live"]:
        return list(task.extra["segments"]) if life.status(task, now) == life.FINISH else []
    until = now if task.canceled is None else min(now, task.canceled)
    return [segment for segment in task.extra["segments"] if task.starts + segment.ready <= until]


def detail(task: Task, now: float, clock: Clock, dialect: Dialect, *, all_segments: bool = False) -> dict[str, Any]:
    """The whole reply, but for its RequestId.

    Args:
        task: The task.
        now: The virtual second.
        clock: The sandbox's clock.
        dialect: Whose words are spoken.
        all_segments: Whether segments in which nothing was found are listed too.
    """
    state = life.status(task, now)
    segments = known(task, now)
    shown = _all(task, now) if all_segments and (task.extra["live"] or state == life.FINISH) else segments
    over = state == life.FINISH or (task.extra["live"] and state != life.PENDING and task.extra["reason"] is None)
    kind, description = life.told(task.extra["reason"], dialect) if state == life.ERROR else ("", "")
    said = _said(task, now) if over else []
    return {
        **_head(task, state, now),
        **verdict(segments, finished=state == life.FINISH),
        "MediaInfo": _media_info(task, over=over),
        "TryInSeconds": _try_in(task, state, clock),
        **{name: [one.data for one in shown if one.kind == name] for name in LISTS},
        "ErrorType": kind,
        "ErrorDescription": description,
        "AudioText": " ".join(text for text, _ in said)[:_LONGEST_TEXT],
        # What distinguishes it from AudioText is not documented; here it is what was said slice by slice.
        "Asrs": [{"Text": text, "CreatedAt": date} for text, date in said],
        "SegmentCosUrlList": _links(task, finished=state == life.FINISH),
        "HitSnippetInfos": [],
    }


def _said(task: Task, now: float) -> list[tuple[str, str]]:
    """What was said, and the date of each: of a file that of its task, as is documented; of a stream when it was heard."""
    if not task.extra["live"]:
        return [(text, life.written(life.date(task, task.created))) for _, text in task.extra["spoken"]]
    until = now if task.canceled is None else min(now, task.canceled)
    heard = [(text, task.starts + ready) for ready, text in task.extra["spoken"]]
    return [(text, life.written(life.date(task, moment))) for text, moment in heard if moment <= until]


def _all(task: Task, now: float) -> list[Segment]:
    watching: Watching = task.extra["watching"]
    until = now if task.canceled is None else min(now, task.canceled)
    found = everything(watching, task.data["Type"])
    return [one for one in found if not task.extra["live"] or task.starts + one.ready <= until]


def _head(task: Task, state: str, now: float) -> dict[str, Any]:
    item = task.data["Tasks"][0]
    return {
        "TaskId": task.id,
        "DataId": item.get("DataId", ""),
        "BizType": task.extra["biz_type"],
        "Name": item.get("Name", ""),
        "Status": state,
        "Type": task.data["Type"],
        "InputInfo": _input_info(item["Input"]),
        "CreatedAt": life.written(life.date(task, task.created)),
        "UpdatedAt": life.written(life.date(task, life.updated(task, now))),
    }


def _input_info(given: dict[str, Any]) -> dict[str, Any]:
    """The input again. `BucketInfo` is documented as a string, and in examples null: here it is JSON in a string."""
    bucket = given.get("BucketInfo")
    return {
        "Type": given.get("Type", "URL"),
        "Url": given.get("Url", ""),
        "BucketInfo": json.dumps(bucket, separators=(",", ":")) if bucket is not None else None,
        "ImageUrlList": given.get("ImageUrlList", []),
        "TextContent": given.get("TextContent", ""),
        "Title": given.get("Title", ""),
        "Extra": given.get("Extra", ""),
    }


def verdict(segments: Iterable[Segment], *, finished: bool) -> dict[str, Any]:
    """What is said of the whole media: the verdict, its labels, the worst of them.

    Args:
        segments: What is listed.
        finished: Whether silence is a verdict yet.
    """
    found: dict[tuple[str, str], Found] = {}
    for segment in segments:
        for one in segment.found:
            place = (one.label, one.sub_label)
            if one.hits and (place not in found or one.weight > found[place].weight):
                found[place] = one
    ranked = sorted(found.values(), key=lambda one: one.weight, reverse=True)
    top = worst(ranked)
    silent = (PASS, NORMAL) if finished else (UNSPECIFIED, "")
    return {
        "Suggestion": top.suggestion if top else silent[0],
        "Labels": [
            {"Label": one.label, "Suggestion": one.suggestion, "Score": one.score, "SubLabel": one.sub_label}
            for one in ranked
        ],
        "Label": top.label if top else silent[1],
    }


def _media_info(task: Task, *, over: bool) -> dict[str, Any]:
    scenario = task.scenario
    if not over:
        return {"Codecs": "", "Duration": 0, "Width": 0, "Height": 0, "Thumbnail": ""}
    duration = _LIVE_SLICE if task.data["Type"] == LIVE else math.ceil(scenario.duration)
    return {
        "Codecs": "h264 aac",
        "Duration": duration,
        "Width": scenario.width,
        "Height": scenario.height,
        "Thumbnail": "",
    }


def _try_in(task: Task, state: str, clock: Clock) -> int:
    """Seconds after which it is worth asking again, by the asker's clock; examples have 0 and 120."""
    if state not in {life.PENDING, life.RUNNING}:
        return 0
    return round(min(clock.wall_until(task.ends), _LATEST_TRY)) if not task.extra["live"] else 0


def _links(task: Task, *, finished: bool) -> dict[str, str]:
    """Where all segments are to be had; the format of what is there is not documented, so there is nothing."""
    names = {
        "ImageAllUrl": "image_all",
        "AudioAllUrl": "audio_all",
        "ImageBlockUrl": "image_block",
        "AudioBlockUrl": "audio_block",
        "AsrUrl": "asr_txt",
    }
    place = f"https://{MAGIC}/segment-/video/{task.id}"
    return {field: f"{place}/{name}.json" if finished else "" for field, name in names.items()}


def spoken(segments: Sequence[Segment]) -> list[tuple[float, str]]:
    """When, and what, was written down of what was said."""
    return [(segment.ready, segment.text) for segment in segments if segment.text]
