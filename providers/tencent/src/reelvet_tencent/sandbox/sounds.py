"""`AudioSegments`: slices of fifteen seconds. https://cloud.tencent.com/document/api/1265/51878."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from reelvet.schema.media import Channel
from reelvet_tencent.sandbox.segments import Segment, hit_type, keyword_hits, library, verdict
from reelvet_tencent.sandbox.sight import CUSTOM, MOAN, RECOGNIZED, Found, worst

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reelvet.sandbox import Event, Scenario, Speech
    from reelvet_tencent.sandbox.segments import Watching

SLICE = 15.0
"""Seconds of a slice: https://cloud.tencent.com/document/product/1265/51890"""

_KIND = "AudioSegments"
_CALLED_BACK = 2.0
"""Seconds after its end until a slice of a stream is known: https://cloud.tencent.com/document/api/1265/51879"""

_OF_A_CUSTOM_LIBRARY = 2
# Languages are told in ISO 639-3, as `cmn`; of the two-letter codes these are the ones that scenarios are likely to have.
_LANGUAGES = {
    "ar": "arb", "de": "deu", "en": "eng", "es": "spa", "fr": "fra", "hi": "hin", "id": "ind", "it": "ita", "ja": "jpn",
    "ko": "kor", "ms": "msa", "nl": "nld", "pl": "pol", "pt": "por", "ru": "rus", "th": "tha", "tr": "tur", "vi": "vie", "zh": "cmn",
}  # fmt: skip


def segments(watching: Watching, *, only_eventful: bool = False) -> Iterator[Segment]:
    """Every slice that is listened to."""
    scenario = watching.scenario
    if not watching.sight.listens:
        return
    for number in itertools.count():
        start = number * SLICE
        if start >= scenario.duration:
            return
        if not only_eventful or _is_eventful(scenario, start):
            yield _segment(watching, start, min(SLICE, scenario.duration - start))


def _is_eventful(scenario: Scenario, start: float) -> bool:
    stretches = [
        *((one.start, one.end) for one in scenario.speech),
        *((one.start, one.until) for one in scenario.events),
    ]
    return any(since < start + SLICE and until >= start for since, until in stretches)


def _segment(watching: Watching, start: float, length: float) -> Segment:
    speech = [one for one in watching.scenario.speech if start <= one.start < start + length]
    # What is said is told where it begins; a sound in every slice that it goes through.
    heard = [
        event
        for event in watching.scenario.events
        if (event.channel is Channel.SPEECH and start <= event.start < start + length)
        or (event.channel is Channel.SOUND and event.start < start + length and event.until >= start)
    ]
    everything = [one for event in heard if (one := watching.sight.found(event)) is not None]
    recognized = [one for one in everything if one.label in RECOGNIZED and not one.sub_label]
    found = [one for one in everything if one not in recognized]
    moans = [one for one in found if one.label == MOAN]
    spoken = [one for one in found if one.event.channel is Channel.SPEECH]
    text = _text(speech, [one.event for one in spoken])
    top = worst(found)
    slice_ = _Slice(watching, start, length)
    result = {
        **verdict(found, top),
        "Text": text,
        "Url": watching.link("audio", start, "mp3"),
        "Duration": f"{watching.sound_time(length):g}" if watching.in_seconds else str(watching.sound_time(length)),
        "Extra": "",
        "TextResults": [_text_result(one, text) for one in spoken if one.hits],
        "MoanResults": [slice_.moan(one) for one in moans],
        "LanguageResults": slice_.languages(speech),
        "RecognitionResults": [slice_.recognition(one) for one in recognized],
        "SpeakerResults": [],
        "TravelResults": [],
        "SubTag": "",
        "SubTagCode": "",
        "LabelResults": [],
        "HitType": hit_type(top, text) if top and top in spoken else "",
        "Sentences": [slice_.sentence(one) for one in speech],
        "RequestId": watching.request_id(_KIND, start),
        "HitSnippetInfos": [],
    }
    ready = start + length + _CALLED_BACK
    data = {"OffsetTime": watching.offset(start), "Result": result, "CreatedAt": watching.date(ready)}
    return Segment(_KIND, ready, data, tuple(found), tells=bool(recognized), text=text)


def _text(speech: list[Speech], said: list[Event]) -> str:
    text = " ".join(one.text for one in speech)
    return " ".join([text, *(event.text for event in said if event.text and event.text not in text)]).strip()


def _text_result(one: Found, text: str) -> dict[str, Any]:
    """A hit in what is said. One of the semantic model has no keywords, as is documented."""
    return {
        "Label": one.label,
        "Keywords": list(one.event.matches),
        **library(one),
        "Score": one.score,
        "LibType": _OF_A_CUSTOM_LIBRARY if one.label == CUSTOM else 0,
        "Suggestion": one.suggestion,
        "SubLabel": one.sub_label,
        "HitInfos": keyword_hits(one, text),
    }


class _Slice:
    """Times within a slice: whether they count from its beginning is not documented; here they do."""

    def __init__(self, watching: Watching, start: float, length: float) -> None:
        self._watching = watching
        self._start = start
        self._length = length

    def _within(self, start: float, end: float) -> tuple[float, float]:
        return max(start - self._start, 0.0), min(max(end - self._start, 0.0), self._length)

    def _times(self, start: float, end: float) -> dict[str, float]:
        since, until = self._within(start, end)
        return {"StartTime": self._watching.sound_time(since), "EndTime": self._watching.sound_time(until)}

    def moan(self, one: Found) -> dict[str, Any]:
        """An item of `MoanResults`."""
        return {
            "Label": MOAN,
            "Score": one.score,
            **self._times(one.event.start, one.event.until),
            "SubLabelCode": MOAN,
            "SubLabel": MOAN,
            "Suggestion": one.suggestion,
        }

    def languages(self, speech: list[Speech]) -> list[dict[str, Any]]:
        """`LanguageResults`: each language that is spoken, from where to where."""
        found: dict[str, tuple[float, float]] = {}
        for one in speech:
            main = one.language.partition("-")[0].lower()
            code = _LANGUAGES.get(main, main)
            since, until = found.get(code, (one.start, one.end))
            found[code] = (min(since, one.start), max(until, one.end))
        return [
            {"Label": code, "Score": 99, **self._times(since, until), "SubLabelCode": code}
            for code, (since, until) in found.items()
        ]

    def recognition(self, one: Found) -> dict[str, Any]:
        """An item of `RecognitionResults`, whose times are documented in milliseconds only."""
        since, until = self._within(one.event.start, one.event.until)
        tag = {"Name": one.label, "Score": one.score, "StartTime": round(since * 1000), "EndTime": round(until * 1000)}
        return {"Label": one.label, "Tags": [tag]}

    def sentence(self, one: Speech) -> dict[str, str]:
        """An item of `Sentences`."""
        since, until = self._within(one.start, one.end)
        return {"Text": one.text, "StartTime": _clock(since), "EndTime": _clock(until)}


def _clock(seconds: float) -> str:
    """Hours, minutes and seconds, as in the one example: `0:0:0.150`."""
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60}:{minutes % 60}:{rest // 1000}.{rest % 1000:03d}"
