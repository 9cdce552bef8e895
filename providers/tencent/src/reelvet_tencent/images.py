"""Pictures of a reply as findings: `ImageSegments`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelvet.schema.media import Channel
from reelvet_tencent import words
from reelvet_tencent.making import Hit, Making, Spot, box, rest
from reelvet_tencent.words import Stance

if TYPE_CHECKING:
    from reelvet.schema.result import Box
    from reelvet_tencent.parts import ImageResult, ImageResultResult, ImageResultsResultDetail, ImageSegments


def read(make: Making, number: int, segment: ImageSegments) -> None:
    """The findings of one picture."""
    result = segment.result
    spot = Spot(
        f"ImageSegments[{number}].Result",
        make.when("ImageSegments", segment.offset_time, segment.offsetus_time),
        evidence=result.url,
        extra=rest(segment, "result") | rest(result, *_HANDLED),
    )
    since = len(make.findings)
    for place, one in enumerate(result.results):
        _scene(make, spot, f".Results[{place}]", one)
    make.recognized(spot, result.recognition_results, Channel.VISUAL)
    make.snippets(spot, result.hit_snippet_infos, Channel.OCR)
    says = words.stance(result.label, result.suggestion, result.score, sub_label=result.sub_label, flag=result.hit_flag)
    # Unless more was asked for, a picture is listed because something was found: one that does not say what is no pass.
    whole = Hit(result.label, result.sub_label, result.score, result.suggestion)
    if says is not Stance.CLEAN and not make.repeats(since, whole):
        make.add(spot, "", _channel(result), whole)


_HANDLED = (
    "label", "sub_label", "score", "suggestion", "hit_flag", "results", "url", "recognition_results", "hit_snippet_infos",
)  # fmt: skip


def _channel(result: ImageResult) -> Channel:
    return Channel.OCR if any(one.text for one in result.results) else Channel.VISUAL


def _scene(make: Making, spot: Spot, place: str, one: ImageResultResult) -> None:
    since = len(make.findings)
    says = words.stance(one.label, one.suggestion, one.score, sub_label=one.sub_label, flag=one.hit_flag)
    channel = Channel.OCR if one.text else Channel.VISUAL
    extra = rest(one, *_SCENE_HANDLED)
    for number, detail in enumerate(one.details):
        own = words.stance(detail.label, detail.suggestion, detail.score, sub_label=detail.sub_label)
        # A detail without a label is where what the scene found stands.
        if own is Stance.HIT or (own is Stance.SILENT and says is Stance.HIT and _says_where(detail)):
            make.add(spot, f"{place}.Details[{number}]", Channel.OCR if detail.text else channel, _detail(one, detail))
    hit = Hit(one.label, one.sub_label, one.score, one.suggestion, one.text, one.names, extra=extra)
    if says is Stance.HIT and not make.repeats(since, hit):
        make.add(spot, place, channel, hit)


_SCENE_HANDLED = ("hit_flag", "label", "sub_label", "score", "suggestion", "text", "names", "details")


def _says_where(detail: ImageResultsResultDetail) -> bool:
    return bool(detail.text or detail.name or detail.keywords or _box(detail) is not None)


def _detail(one: ImageResultResult, detail: ImageResultsResultDetail) -> Hit:
    inherits = not detail.label or detail.label == one.label
    words_hit = [*detail.keywords, *(info.keyword for info in detail.ocr_hit_infos if info.keyword)]
    return Hit(
        label=detail.label or one.label,
        sub_label=detail.sub_label or (one.sub_label if inherits else None),
        score=detail.score if detail.label and detail.score is not None else one.score,
        suggests=detail.suggestion or one.suggestion,
        text=detail.text or one.text,
        matches=[*words_hit, *([detail.name] if detail.name else one.names if inherits else [])],
        box=_box(detail),
        extra=rest(one, *_SCENE_HANDLED)
        | rest(detail, "label", "sub_label", "score", "suggestion", "text", "name", "keywords", "location"),
    )


def _box(detail: ImageResultsResultDetail) -> Box | None:
    at = detail.location
    return box(at.x, at.y, at.width, at.height, at.rotate)
