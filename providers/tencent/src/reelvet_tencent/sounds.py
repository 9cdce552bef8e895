"""Slices of sound of a reply as findings: `AudioSegments`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelvet.schema.media import Channel
from reelvet_tencent import parts, times, words
from reelvet_tencent.making import Hit, Making, Spot
from reelvet_tencent.shape import Rest
from reelvet_tencent.words import Stance

if TYPE_CHECKING:
    from reelvet_tencent.shape import Told

MOAN = "Moan"

_SEGMENT = Rest(parts.AudioSegments, "result")
_RESULT = Rest(
    parts.AudioResult,
    "label", "sub_label", "score", "suggestion", "hit_flag", "text", "url", "text_results", "moan_results",
    "recognition_results", "hit_snippet_infos", "speaker_results", "travel_results", "label_results", "sentences",
)  # fmt: skip
_TEXT = Rest(parts.AudioResultDetailTextResult, "label", "sub_label", "score", "suggestion", "keywords")
_MOAN = Rest(parts.AudioResultDetailMoanResult, "label", "sub_label", "score", "suggestion")
_LABEL = Rest(parts.LabelResult, "label", "score")
_RIDE = Rest(parts.TravelResult, "label", "sub_label", "audio_text")
_SPEAKER = Rest(parts.SpeakerResult, "label", "score")


def read(make: Making, number: int, segment: Told) -> None:
    """The findings of one slice."""
    result = segment.get("Result") or {}
    get, duration = result.get, result.get("Duration")
    when = make.when("AudioSegments", segment.get("OffsetTime"))
    length = make.clock.length(duration, when)
    spot = Spot(
        f"AudioSegments[{number}].Result",
        when,
        when.start + length if when.start is not None and length is not None else None,
        get("Url"),
        ((_SEGMENT, segment), (_RESULT, result)),
    )
    since, said = len(make.findings), get("Text")
    if texts := get("TextResults"):
        _texts(make, spot, texts, said)
    if moans := get("MoanResults"):
        _moans(make, spot, moans, length)
    _others(make, spot, result)
    if recognized := get("RecognitionResults"):
        make.recognized(spot, recognized, Channel.SOUND)
    if snippets := get("HitSnippetInfos"):
        make.snippets(spot, snippets, Channel.SPEECH)
    label, sub_label, score, suggests = words.four(result)
    # Unless more was asked for, a slice is listed because something was found: one that does not say what is no pass.
    if words.stance(label, suggests, score, sub_label=sub_label, flag=get("HitFlag")) is not Stance.CLEAN:
        whole = Hit(label, sub_label, score, suggests, said)
        if not make.repeats(since, whole):
            make.add(spot, "", Channel.SOUND if label == MOAN else Channel.SPEECH, whole)
    if duration and length is None and len(make.findings) > since and not make.clock.live:
        make.note("time_unclear", f"AudioResult.Duration {duration!r} may be in milliseconds or in seconds")


def _texts(make: Making, spot: Spot, texts: list[Told], said: str | None) -> None:
    for number, one in enumerate(texts):
        label, sub_label, score, suggests = words.four(one)
        if words.stance(label, suggests, score, sub_label=sub_label) is Stance.HIT:
            keywords, infos = one.get("Keywords"), one.get("HitInfos")
            matches = parts.texts(keywords) if keywords else ()
            if infos:
                matches += words.of_library(infos)
            hit = Hit(label, sub_label, score, suggests, said, matches, extra=_TEXT(one))
            make.add(spot, f".TextResults[{number}]", Channel.SPEECH, hit)


def _moans(make: Making, spot: Spot, moans: list[Told], length: float | None) -> None:
    for number, one in enumerate(moans):
        label, sub_label, score, suggests = words.four(one)
        if words.stance(label, suggests, score, sub_label=sub_label) is not Stance.HIT:
            continue
        span = times.settled_span(one.get("StartTime"), one.get("EndTime"), length) if spot.is_first else None
        start, end = span or (None, None)
        hit = Hit(label or MOAN, sub_label, score, suggests, start=start, end=end, extra=_MOAN(one))
        make.add(spot, f".MoanResults[{number}]", Channel.SOUND, hit)


def _others(make: Making, spot: Spot, result: Told) -> None:
    """What few policies have: classifiers, rides, speakers. Their words are not documented, so only known ones are mapped."""
    for number, one in enumerate(result.get("LabelResults") or ()):
        label, _, score, suggests = words.four(one)
        suggests = suggests if isinstance(suggests, str) else None  # what its numbers mean is not said
        if words.stance(label, suggests, score) is Stance.HIT:
            make.add(
                spot,
                f".LabelResults[{number}]",
                Channel.SOUND,
                Hit(label, score=score, suggests=suggests, extra=_LABEL(one)),
                None if make.words.knows(label) else make.words.unmapped(label, "LabelResults"),
            )
    for number, one in enumerate(result.get("TravelResults") or ()):
        label, sub_label, _, _ = words.four(one)
        if words.stance(label, sub_label=sub_label) is Stance.HIT or one.get("RiskLevel"):
            make.add(
                spot,
                f".TravelResults[{number}]",
                Channel.SPEECH,
                Hit(label, sub_label, text=one.get("AudioText"), extra=_RIDE(one)),
                None if make.words.knows(label) else make.words.unmapped(label, "TravelResults"),
            )
    for number, one in enumerate(result.get("SpeakerResults") or ()):
        label, _, score, _ = words.four(one)
        if words.stance(label, None, score) is Stance.HIT:
            make.add(
                spot,
                f".SpeakerResults[{number}]",
                Channel.SOUND,
                Hit(label, score=score, extra=_SPEAKER(one)),
                make.words.unmapped(label, "SpeakerResults"),
            )
