"""Pictures of a reply as findings: `ImageSegments`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelvet.schema.media import Channel
from reelvet_tencent import parts, words
from reelvet_tencent.making import Hit, Making, Spot, box
from reelvet_tencent.shape import Rest
from reelvet_tencent.words import Stance

if TYPE_CHECKING:
    from reelvet_tencent.shape import Told

_SEGMENT = Rest(parts.ImageSegments, "result")
_RESULT = Rest(
    parts.ImageResult,
    "label", "sub_label", "score", "suggestion", "hit_flag", "results", "url", "recognition_results", "hit_snippet_infos",
)  # fmt: skip
_SCENE = Rest(
    parts.ImageResultResult, "hit_flag", "label", "sub_label", "score", "suggestion", "text", "names", "details"
)
_DETAIL = Rest(
    parts.ImageResultsResultDetail,
    "label", "sub_label", "score", "suggestion", "text", "name", "keywords", "location",
)  # fmt: skip


def read(make: Making, number: int, segment: Told) -> None:
    """The findings of one picture."""
    result = segment.get("Result") or {}
    when = make.when("ImageSegments", segment.get("OffsetTime"), segment.get("OffsetusTime"))
    rests = ((_SEGMENT, segment), (_RESULT, result))
    spot = Spot(f"ImageSegments[{number}].Result", when, evidence=result.get("Url"), rests=rests)
    since = len(make.findings)
    scenes = result.get("Results") or ()
    for place, one in enumerate(scenes):
        _scene(make, spot, place, one)
    if recognized := result.get("RecognitionResults"):
        make.recognized(spot, recognized, Channel.VISUAL)
    if snippets := result.get("HitSnippetInfos"):
        make.snippets(spot, snippets, Channel.OCR)
    label, sub_label, score, suggests = words.four(result)
    says = words.stance(label, suggests, score, sub_label=sub_label, flag=result.get("HitFlag"))
    # Unless more was asked for, a picture is listed because something was found: one that does not say what is no pass.
    if says is not Stance.CLEAN:
        whole = Hit(label, sub_label, score, suggests)
        if not make.repeats(since, whole):
            make.add(spot, "", Channel.OCR if any(one.get("Text") for one in scenes) else Channel.VISUAL, whole)


def _scene(make: Making, spot: Spot, place: int, one: Told) -> None:
    label, sub_label, score, suggests = words.four(one)
    says = words.stance(label, suggests, score, sub_label=sub_label, flag=one.get("HitFlag"))
    details = one.get("Details")
    if says is not Stance.HIT and not details:
        return
    since = len(make.findings)
    text, names = one.get("Text"), one.get("Names")
    names = parts.texts(names) if names else ()
    channel = Channel.OCR if text else Channel.VISUAL
    extra = _SCENE(one)
    for number, detail in enumerate(details or ()):
        own_label, own_sub_label, own_score, own_suggests = words.four(detail)
        own = words.stance(own_label, own_suggests, own_score, sub_label=own_sub_label)
        if own is Stance.CLEAN or (own is Stance.SILENT and says is not Stance.HIT):
            continue
        at, own_text, name = box(detail.get("Location")), detail.get("Text"), detail.get("Name")
        keywords = parts.texts(detail.get("Keywords") or ())
        # A detail without a label is where what the scene found stands.
        if own is Stance.SILENT and not (own_text or name or keywords or at is not None):
            continue
        inherits = not own_label or own_label == label
        matches = keywords
        if infos := detail.get("OcrHitInfos"):
            matches += words.of_library(infos)
        if name:
            matches += (name,)
        elif inherits:
            matches += names
        hit = Hit(
            own_label or label,
            own_sub_label or (sub_label if inherits else None),
            own_score if own_label and own_score is not None else score,
            own_suggests or suggests,
            own_text or text,
            matches,
            at,
            extra={**extra, **_DETAIL(detail)},
        )
        place_of = f".Results[{place}].Details[{number}]"
        make.add(spot, place_of, Channel.OCR if own_text else channel, hit)
    if says is Stance.HIT:
        hit = Hit(label, sub_label, score, suggests, text, names, extra=extra)
        if not make.repeats(since, hit):
            make.add(spot, f".Results[{place}]", channel, hit)
