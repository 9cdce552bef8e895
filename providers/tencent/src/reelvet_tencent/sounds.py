"""Slices of sound of a reply as findings: `AudioSegments`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelvet.schema.media import Channel
from reelvet.schema.result import Note
from reelvet_tencent import times, words
from reelvet_tencent.making import Hit, Making, Spot, rest
from reelvet_tencent.words import Stance

if TYPE_CHECKING:
    from reelvet_tencent.parts import AudioResult, AudioSegments

MOAN = "Moan"

_HANDLED = (
    "label", "sub_label", "score", "suggestion", "hit_flag", "text", "url", "text_results", "moan_results",
    "recognition_results", "hit_snippet_infos", "speaker_results", "travel_results", "label_results", "sentences",
)  # fmt: skip


def read(make: Making, number: int, segment: AudioSegments) -> None:
    """The findings of one slice."""
    result = segment.result
    when = make.when("AudioSegments", segment.offset_time)
    length = make.clock.length(result.duration, segment.offset_time)
    spot = Spot(
        f"AudioSegments[{number}].Result",
        when,
        when.start + length if when.start is not None and length is not None else None,
        evidence=result.url,
        extra=rest(segment, "result") | rest(result, *_HANDLED),
    )
    since = len(make.findings)
    _texts(make, spot, result)
    _moans(make, spot, result, length)
    _others(make, spot, result)
    make.recognized(spot, result.recognition_results, Channel.SOUND)
    make.snippets(spot, result.hit_snippet_infos, Channel.SPEECH)
    says = words.stance(result.label, result.suggestion, result.score, sub_label=result.sub_label, flag=result.hit_flag)
    # Unless more was asked for, a slice is listed because something was found: one that does not say what is no pass.
    whole = Hit(result.label, result.sub_label, result.score, result.suggestion, result.text)
    if says is not Stance.CLEAN and not make.repeats(since, whole):
        make.add(spot, "", Channel.SOUND if result.label == MOAN else Channel.SPEECH, whole)
    if len(make.findings) > since and length is None and result.duration and not make.clock.live:
        told = f"AudioResult.Duration {result.duration!r} may be in milliseconds or in seconds"
        make.notes.append(Note(code="time_unclear", says=told))


def _texts(make: Making, spot: Spot, result: AudioResult) -> None:
    for number, one in enumerate(result.text_results):
        if words.stance(one.label, one.suggestion, one.score, sub_label=one.sub_label) is not Stance.HIT:
            continue
        matches = [*one.keywords, *(info.keyword for info in one.hit_infos if info.keyword)]
        extra = rest(one, "label", "sub_label", "score", "suggestion", "keywords")
        hit = Hit(one.label, one.sub_label, one.score, one.suggestion, result.text, matches, extra=extra)
        make.add(spot, f".TextResults[{number}]", Channel.SPEECH, hit)


def _moans(make: Making, spot: Spot, result: AudioResult, length: float | None) -> None:
    for number, one in enumerate(result.moan_results):
        if words.stance(one.label, one.suggestion, one.score, sub_label=one.sub_label) is not Stance.HIT:
            continue
        span = times.settled_span(one.start_time, one.end_time, length) if spot.is_first else None
        start, end = span or (None, None)
        extra = rest(one, "label", "sub_label", "score", "suggestion")
        hit = Hit(
            one.label or MOAN,
            one.sub_label,
            one.score,
            one.suggestion,
            start=start,
            end=end,
            extra=extra,
        )
        make.add(spot, f".MoanResults[{number}]", Channel.SOUND, hit)


def _others(make: Making, spot: Spot, result: AudioResult) -> None:
    """What few policies have: classifiers, rides, speakers. Their words are not documented, so only known ones are mapped."""
    for number, label in enumerate(result.label_results):
        suggests = label.suggestion if isinstance(label.suggestion, str) else None  # what its numbers mean is not said
        if words.stance(label.label, suggests, label.score) is Stance.HIT:
            known = make.words.knows(label.label)
            make.add(
                spot,
                f".LabelResults[{number}]",
                Channel.SOUND,
                Hit(label.label, score=label.score, suggests=suggests, extra=rest(label, "label", "score")),
                None if known else make.words.unmapped(label.label, "LabelResults"),
            )
    for number, ride in enumerate(result.travel_results):
        if words.stance(ride.label, sub_label=ride.sub_label) is Stance.HIT or ride.risk_level:
            known = make.words.knows(ride.label)
            make.add(
                spot,
                f".TravelResults[{number}]",
                Channel.SPEECH,
                Hit(
                    ride.label,
                    ride.sub_label,
                    text=ride.audio_text,
                    extra=rest(ride, "label", "sub_label", "audio_text"),
                ),
                None if known else make.words.unmapped(ride.label, "TravelResults"),
            )
    for number, speaker in enumerate(result.speaker_results):
        if words.stance(speaker.label, None, speaker.score) is Stance.HIT:
            make.add(
                spot,
                f".SpeakerResults[{number}]",
                Channel.SOUND,
                Hit(speaker.label, score=speaker.score, extra=rest(speaker, "label", "score")),
                make.words.unmapped(speaker.label, "SpeakerResults"),
            )
