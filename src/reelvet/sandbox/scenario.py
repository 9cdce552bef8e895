"""What is in a video, said once in unified terms; each vendor's emulator tells it in its own."""

from __future__ import annotations

import difflib
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Self, TypeVar

from pydantic import BaseModel, Field, ValidationError, ValidationInfo, field_validator, model_validator

from reelvet.schema.base import Strict
from reelvet.schema.errors import ConfigurationError, UnknownLabel
from reelvet.schema.media import Channel, MediaKind
from reelvet.schema.urls import SignedUrl
from reelvet.schema.validation import first_field, sentences
from reelvet.taxonomy import Taxonomy

if TYPE_CHECKING:
    from collections.abc import Mapping

_Model = TypeVar("_Model", bound=BaseModel)

_Seconds = Annotated[float, Field(ge=0)]
_MOST_FRAMES = 100_000


class Region(Strict):
    """A rectangle in the picture, in ratios 0-1 of its width and height."""

    x: float = Field(ge=0, le=1, description="Its left edge.")
    y: float = Field(ge=0, le=1, description="Its upper edge.")
    width: float = Field(gt=0, le=1, description="Its width.")
    height: float = Field(gt=0, le=1, description="Its height.")

    def pixels(self, width: int, height: int) -> tuple[int, int, int, int]:
        """The rectangle as `(x, y, width, height)` in pixels of a picture of that size."""
        return (
            round(self.x * width),
            round(self.y * height),
            round(self.width * width),
            round(self.height * height),
        )


class Event(Strict):
    """One thing to be seen, read or heard."""

    label: str = Field(description="A label id of the taxonomy.")
    start: _Seconds = Field(0.0, description="Seconds from the start of the media.")
    end: _Seconds | None = Field(None, description="Seconds; `null`: it is there for an instant only.")
    channel: Channel = Field(Channel.VISUAL, description="Where it is noticed: `visual`, `ocr`, `speech`, `sound`.")
    score: float = Field(ge=0, le=1, description="How sure a vendor is of it, 0-1, before its own floor.")
    box: Region | None = Field(None, description="Where in the picture it is.")
    text: str | None = Field(None, description="What is read or said there.")
    matches: tuple[str, ...] = Field((), description="The words of it that hit.")

    @field_validator("label")
    @classmethod
    def _check_label(cls, value: str, info: ValidationInfo) -> str:
        taxonomy: Taxonomy = (info.context or {}).get("taxonomy") or Taxonomy.default()
        if value not in taxonomy:
            raise ValueError(str(UnknownLabel(value, nearest=taxonomy.nearest(value), field="label")))
        return value

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.end is not None and self.end < self.start:
            raise ValueError(f"end {self.end:g} is before start {self.start:g}; swap them, or leave end out")
        return self

    @property
    def until(self) -> float:
        """Its last second."""
        return self.start if self.end is None else self.end

    def is_at(self, time: float) -> bool:
        """Whether it is there at that second."""
        return self.start <= time <= self.until


class Speech(Strict):
    """One stretch of speech."""

    start: _Seconds = Field(description="Seconds from the start of the media.")
    end: _Seconds = Field(description="Seconds.")
    text: str = Field(min_length=1, description="What is said.")
    language: str = Field("en", description="BCP 47 tag of the language it is said in.")
    translations: dict[str, str] = Field(
        default_factory=dict,
        description="BCP 47 tag -> the same in that language; where it is missing, emulators make up a marked one.",
    )

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.end <= self.start:
            raise ValueError(f"end {self.end:g} is not after start {self.start:g}; swap them")
        return self


class Ending(StrEnum):
    """What becomes of a task that looks at it."""

    SUCCEEDS = "succeeds"
    FAILS = "fails"
    NEVER = "never"


class FailureReason(StrEnum):
    """Why a task fails. Each vendor has words of its own for it."""

    UNSUPPORTED_TYPE = "unsupported_type"
    UNREACHABLE = "unreachable"
    DAMAGED = "damaged"
    TOO_LARGE = "too_large"
    INTERNAL = "internal"


class Scenario(Strict):
    """What is in one piece of media, and what becomes of a task that looks at it."""

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9-]{0,62}$",
        description="Lower case letters, digits and `-`; `https://sandbox.reelvet.example/NAME.mp4` stands for it.",
    )
    says: str = Field("", description="What it is good for, in a sentence.")
    urls: tuple[SignedUrl, ...] = Field((), description="Further media URLs that stand for it, each whole.")
    kind: MediaKind = Field(MediaKind.VIDEO, description="`video`, `image` or `live`.")
    duration: float = Field(30.0, gt=0, le=604_800, description="Seconds.")
    fps: float = Field(25.0, gt=0, le=240, description="Frames per second.")
    key_frames: Annotated[float, Field(ge=0.01)] | tuple[_Seconds, ...] = Field(
        2.0, description="Seconds between two key frames, or the time of each."
    )
    width: int = Field(1280, gt=0, description="Pixels.")
    height: int = Field(720, gt=0, description="Pixels.")
    language: str = Field("en", description="BCP 47 tag of what is written in it.")
    events: tuple[Event, ...] = Field((), description="What is to be noticed in it.")
    speech: tuple[Speech, ...] = Field((), description="What is said in it.")
    ending: Ending = Field(Ending.SUCCEEDS, description="`succeeds`, `fails` (with a `reason`) or `never`.")
    reason: FailureReason | None = Field(
        None, description="`unsupported_type`, `unreachable`, `damaged`, `too_large` or `internal`."
    )

    @field_validator("kind")
    @classmethod
    def _check_kind(cls, value: MediaKind) -> MediaKind:
        if value is MediaKind.AUDIO:
            raise ValueError("the kind 'audio' is reserved; take video, image or live")
        return value

    @model_validator(mode="after")
    def _check_whole(self) -> Self:
        if (self.reason is not None) != (self.ending is Ending.FAILS):
            reasons = ", ".join(FailureReason)
            raise ValueError(f"a reason and ending 'fails' belong together; the reasons are {reasons}")
        for name, index, last in self._ends():
            if last > self.duration:
                raise ValueError(
                    f"{name}.{index} ends at {last:g}, after the {self.duration:g} seconds of the media; shorten it or raise duration"
                )
        if isinstance(self.key_frames, tuple):
            if list(self.key_frames) != sorted(set(self.key_frames)) or not self.key_frames:
                raise ValueError("the times in key_frames must ascend, and there must be one")
            if self.key_frames[-1] > self.duration:
                raise ValueError(
                    f"the key frame at {self.key_frames[-1]:g} is after the {self.duration:g} seconds of the media"
                )
        elif self.duration / self.key_frames > _MOST_FRAMES:
            raise ValueError(f"that makes more than {_MOST_FRAMES} key frames; raise key_frames or lower duration")
        return self

    def _ends(self) -> list[tuple[str, int, float]]:
        events = [("events", index, event.until) for index, event in enumerate(self.events)]
        return events + [("speech", index, speech.end) for index, speech in enumerate(self.speech)]

    @property
    def key_frame_times(self) -> tuple[float, ...]:
        """The second of each key frame."""
        if self.kind is MediaKind.IMAGE:
            return (0.0,)
        if isinstance(self.key_frames, tuple):
            return self.key_frames
        count = int(self.duration / self.key_frames) + 1
        return tuple(time for time in (round(i * self.key_frames, 6) for i in range(count)) if time < self.duration)

    def at(self, time: float, channel: Channel = Channel.VISUAL) -> tuple[Event, ...]:
        """What is there at a second."""
        return tuple(event for event in self.events if event.channel is channel and event.is_at(time))

    @classmethod
    def parse(cls, data: Any, *, taxonomy: Taxonomy | None = None, source: str | None = None) -> Self:
        """A scenario from data, as it stands in a file.

        Raises:
            ConfigurationError: A field is unknown, missing or wrong; the message names it, its value and the way out.
        """
        return checked(cls, data, what="scenario", source=source, context={"taxonomy": taxonomy})


def checked(
    model: type[_Model], data: Any, *, what: str, source: str | None = None, context: Mapping[str, Any] | None = None
) -> _Model:
    """What somebody has written, as a model.

    Raises:
        ConfigurationError: It is wrong; the message names field, value and way out.
    """
    try:
        return model.model_validate(data, context=dict(context) if context else None)
    except ValidationError as error:
        told = "; ".join(f"{field or what}: {says}" for field, says in sentences(error, model=model))
        named = f"{what} {data['name']!r}" if isinstance(data, dict) and isinstance(data.get("name"), str) else what
        raise ConfigurationError(
            f"invalid {named}: {told}", field=first_field(error), source=source,
            way_out=f"A {what} has the fields {', '.join(model.model_fields)}.",
        ) from None  # fmt: skip


def close_to(word: str, known: list[str], *, otherwise: str) -> str:
    """The way out of a misspelled word."""
    close = difflib.get_close_matches(word, known, n=1)
    return f"Did you mean {close[0]!r}?" if close else otherwise
