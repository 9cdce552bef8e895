"""What both services see in a scenario: frames at an interval, the vendor's own classes, a verdict by the score."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelvet.schema.media import Channel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reelvet.sandbox import Event, NativeWords, Scenario

_REVIEW, _BLOCK = 0.5, 0.8
"""More than the first, at least the second. No threshold is documented."""
_SEVERITY = {"pass": 0, "review": 1, "block": 2}

V2_CATEGORY, V2_TEXT = "VCM categories", "VCM text_categories"
V3_CATEGORY, V3_AUDIO = "Moderation v3 image category", "Moderation v3 audio segment label"
_V3_TEXT, _V3_IN_TEXT = "Moderation v3 text label", "Moderation v3 image_text label"
IMAGE_TEXT = "image_text"


def verdict(score: float) -> str | None:
    """What a score comes to; `None`: it is not told at all."""
    if score >= _BLOCK:
        return "block"
    return "review" if score > _REVIEW else None


def worst(suggestions: Iterable[str]) -> str:
    """The gravest of some verdicts, `pass` where there is none."""
    return max(suggestions, key=lambda word: _SEVERITY[word], default="pass")


def frame_times(scenario: Scenario, interval: int) -> list[float]:
    """The second of each frame that is looked at."""
    return [float(time) for time in range(0, max(int(scenario.duration), 1), interval) if time < scenario.duration]


class Eyes:
    """The vendor's words for what is there, by the label map."""

    def __init__(self, words: NativeWords) -> None:
        self._words = words

    def classes_v2(self, event: Event, category: str) -> tuple[str, ...]:
        """What a category of v2 calls it: by its own class, else by its name. Those classes are published for images only."""
        return self._classes(event, category, (f"Moderation v2 image {category} label",), V2_CATEGORY)

    def classes_v3(self, event: Event, category: str) -> tuple[str, ...]:
        """The same for v3, whose list is not published: by the words of its example, then those of image moderation."""
        fields = (f"Moderation v3 image {category} label", f"Moderation v2 image {category} label")
        return self._classes(event, category, fields, V3_CATEGORY)

    def _classes(self, event: Event, category: str, fields: tuple[str, ...], top: str) -> tuple[str, ...]:
        if event.channel is not Channel.VISUAL:
            return ()
        for field in fields:
            found = tuple(word.native for word in self._words.of(event.label, field, Channel.VISUAL))
            if found:
                return found
        known = {word.native for word in self._words.of(event.label, top, Channel.VISUAL)}
        return (category,) if category in known else ()

    def in_text_v3(self, event: Event) -> tuple[str, ...]:
        """What `image_text` calls it: a code that is seen as well as what is to be read."""
        if event.channel not in {Channel.VISUAL, Channel.OCR}:
            return ()
        fields = [_V3_IN_TEXT] + [_V3_TEXT] * (event.channel is Channel.OCR)
        for field in fields:
            found = tuple(word.native for word in self._words.of(event.label, field, Channel.OCR))
            if found:
                return found
        known = {word.native for word in self._words.of(event.label, V3_CATEGORY, event.channel)}
        return (IMAGE_TEXT,) if IMAGE_TEXT in known else ()

    def text_v2(self, event: Event, channel: Channel) -> tuple[str, ...]:
        """The `text_categories` of v2 that what is read, or said, belongs to."""
        if event.channel is not channel:
            return ()
        return tuple(word.native for word in self._words.of(event.label, V2_TEXT, channel))

    def heard_v3(self, event: Event) -> tuple[str, ...]:
        """What v3 calls what is said or sounds."""
        if event.channel not in {Channel.SPEECH, Channel.SOUND}:
            return ()
        return tuple(word.native for word in self._words.of(event.label, V3_AUDIO, event.channel))


def said(scenario: Scenario, start: float, end: float) -> str:
    """What is said between two seconds."""
    return " ".join(speech.text for speech in scenario.speech if speech.start < end and speech.end > start)


def hits(event: Event) -> list[str]:
    """The words that hit."""
    return list(event.matches) or ([event.text] if event.text else [])
