"""What a caller wants to know about one piece of media."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    Field,
    JsonValue,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
    model_validator,
)

from reelvet.schema.base import Strict, VendorMap
from reelvet.schema.errors import InvalidJob
from reelvet.schema.media import Channel, Media
from reelvet.schema.parts import JobPart
from reelvet.schema.urls import SignedUrl, mask_url, without_signature
from reelvet.schema.validation import first_field, sentences, shown

_PATTERN = re.compile(r"\*|[a-z0-9_]+(\.[a-z0-9_]+)*(\.?\*)?")
_NUMBER = re.compile(r"\s*[+-]?[0-9]+(\.[0-9]*)?\s*")
_DEADLINES = "give seconds above 0, a timedelta, or a moment with its time zone, as '2027-01-31T12:00:00Z'"
_INVALID = "invalid job: "
_FIELDS = "`reelvet schema job` shows every field."
_MONEY = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Z]{3})\s*")


def vendor_key(key: str, attempt: int) -> str:
    """The key as vendors get it: `key` for the first attempt, a digest of key and attempt afterwards."""
    return key if attempt == 1 else hashlib.sha256(f"{key}\n{attempt}".encode()).hexdigest()[:32]


class Money(JobPart):
    """An amount in one currency; `"0.50 USD"` is understood."""

    amount: Decimal = Field(ge=0, description="In units of the currency.")
    currency: str = Field(pattern="^[A-Z]{3}$", description="ISO 4217 code.")

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        if isinstance(value, Mapping | Money):
            return value
        match = _MONEY.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            raise ValueError(f"{shown(value)} is no amount; write it as '0.50 USD'")
        return {"amount": match[1], "currency": match[2]}

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"


class TranscriptRequest(JobPart):
    """A demand to have what is said written down."""

    languages: tuple[str, ...] = Field((), description="BCP 47 tags of what is spoken; empty lets the vendor find out.")
    translate_to: str | None = Field(None, description="BCP 47 tag of the language to translate into.")


class CallbackRequest(JobPart):
    """Where the vendor shall report, for vendors that do."""

    url: SignedUrl = Field(description="http(s) URL of yours. `{key}` in it stands for the job's key.")
    secret: str | None = Field(None, description="The name of a configured callback secret, never the secret.")

    @field_validator("url")
    @classmethod
    def _check_url(cls, value: SignedUrl) -> SignedUrl:
        if not value.lower().startswith(("http://", "https://")):
            raise ValueError(f"{mask_url(value)!r} is no callback URL; give one that starts with https:// or http://")
        return value


def _read_media(value: Any) -> Any:
    if isinstance(value, str):
        return {"url": value}
    if isinstance(value, Path):
        return {"path": value}
    if not isinstance(value, Mapping | Media):
        raise ValueError(f"{shown(value)} is no media; give a URL as text, a pathlib.Path, or a Media")  # noqa: TRY004  (pydantic knows a ValueError)
    return value


def _read_options(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return {
        name: options.model_dump(mode="json", exclude_unset=True, context={"signed_urls": True})
        if isinstance(options, BaseModel)
        else options
        for name, options in value.items()
    }


def _read_deadline(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    given = float(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else value
    try:
        read = handler(given)
    except ValidationError:
        raise ValueError(f"{shown(value)} is no deadline; {_DEADLINES}") from None
    if isinstance(read, timedelta) and read <= timedelta(0):
        raise ValueError(f"{value!r} has passed before the job begins; {_DEADLINES}")
    return read


def _invalid(error: ValidationError) -> InvalidJob:
    said = error.errors(include_url=False)[0].get("ctx", {}).get("error")
    if isinstance(said, InvalidJob) and said.message.startswith(_INVALID):
        return said  # pydantic asks the job's own `__init__`, which has said it already
    faults = "; ".join(f"{field or 'job'}: {says}" for field, says in sentences(error, model=ModerationJob))
    return InvalidJob(_INVALID + faults, field=first_field(error), way_out=_FIELDS)


class ModerationJob(Strict):
    """What a caller wants to know about one piece of media, in no vendor's words.

    *Demands* (`media`, `detect`, `channels` when given, `transcript`, `regions`) are met or the job is refused with
    `UnsupportedFeature`. *Wishes* (`interval`, `stop_on`, `callback`, `user`, `metadata`, `language`) are honoured
    where the provider can, and are a warning in plan and result where it cannot. The rest the core keeps itself.

    Raises:
        InvalidJob: A field is missing, unknown, or has a value that makes no sense.
    """

    media: Annotated[Media, BeforeValidator(_read_media)] = Field(
        description="A str is a URL, a pathlib.Path a local file."
    )
    detect: tuple[str, ...] | None = Field(
        None,
        description="Label ids or patterns; `a.b` stands for it and all below it. `None`: every harm label the instance can see. `[]`: nothing, with a transcript request only.",
    )
    channels: tuple[Channel, ...] | None = Field(
        None, description="Where to look. `None`: every channel the instance covers the labels in."
    )
    transcript: TranscriptRequest | None = Field(None, description="What is said, written down.")
    regions: tuple[str, ...] | None = Field(
        None, description="Regions in which the media may be processed; a constraint on the instance."
    )

    interval: float | None = Field(
        None, gt=0, description="Seconds between two looked-at instants. `None`: the provider's default."
    )
    stop_on: dict[str, float] = Field(
        default_factory=dict, description="Label -> score (0-1] at which looking further is not worth it."
    )
    callback: CallbackRequest | None = Field(None, description="Where the vendor shall report.")
    user: str | None = Field(
        None, description="Your id of whoever uploaded the media. Kept as given, unmasked: put no secret in it."
    )
    metadata: dict[str, JsonValue] = Field(
        default_factory=dict,
        description="Anything of yours; comes back in the result. Kept as given, unmasked: put no secret in it.",
    )
    language: str | None = Field(
        None,
        description="BCP 47 tag of the media's language, overriding `media.language`: a hint, and where a provider judges in some languages only what its silence is worth.",
    )

    key: str = Field(
        default_factory=lambda: str(uuid.uuid4()),
        min_length=1,
        max_length=256,
        description="Idempotency key: one key, one job, one submission.",
    )
    attempt: int = Field(1, ge=1, description="A deliberate re-run of the same job is the next attempt.")
    deadline: Annotated[timedelta | AwareDatetime | None, WrapValidator(_read_deadline)] = Field(
        None,
        union_mode="left_to_right",
        description="Seconds or timedelta from the submission, or a moment with time zone, after which the result is no longer wanted.",
    )
    max_cost: Money | None = Field(
        None, description="The most this job may cost; a job whose price is not known is refused."
    )
    options: Annotated[dict[str, VendorMap], BeforeValidator(_read_options)] = Field(
        default_factory=dict,
        description="Provider id -> what only that provider knows. Those of other providers are carried along. URLs in them are masked when dumped, so in tickets too.",
    )
    on_unsupported: Literal["raise", "skip"] = Field(
        "raise", description="`skip` turns a refused demand into coverage `not_evaluated`."
    )

    def __init__(self, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as error:
            raise _invalid(error) from None

    @classmethod
    def model_validate(cls, obj: Any, **how: Any) -> Self:
        """As pydantic's, but what is wrong is an `InvalidJob`."""
        try:
            return super().model_validate(obj, **how)
        except ValidationError as error:
            raise _invalid(error) from None

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **how: Any) -> Self:
        """As pydantic's, but what is wrong is an `InvalidJob`."""
        try:
            return super().model_validate_json(json_data, **how)
        except ValidationError as error:
            raise _invalid(error) from None

    @classmethod
    def parse(cls, data: str | bytes | Mapping[str, Any]) -> Self:
        """A job from JSON text or from a mapping.

        Raises:
            InvalidJob: It is not JSON, not an object, or not a job.
        """
        if isinstance(data, str | bytes):
            try:
                data = json.loads(data)
            except ValueError as error:
                raise InvalidJob(f"the job is no JSON: {error}", way_out="Mend it at that place.") from None
        if not isinstance(data, Mapping):
            raise InvalidJob(f"a job is a JSON object, not {type(data).__name__}", way_out=_FIELDS)
        return cls(**{str(name): value for name, value in data.items()})

    @field_validator("detect", mode="after")
    @classmethod
    def _check_patterns(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for pattern in value or ():
            if not _PATTERN.fullmatch(pattern):
                raise ValueError(f"{pattern!r} is no label; labels are lower case and dotted, as 'sexual.explicit'")
        return value

    @field_validator("stop_on")
    @classmethod
    def _check_scores(cls, value: dict[str, float]) -> dict[str, float]:
        for label, score in value.items():
            if not 0 < score <= 1:
                raise ValueError(f"the score of {label!r} is {score}; scores are above 0 and at most 1")
        return value

    @model_validator(mode="after")
    def _check_something_is_asked(self) -> Self:
        if self.detect is not None and not self.detect and self.transcript is None:
            raise InvalidJob(
                "detect=[] asks for nothing",
                field="detect",
                way_out="Leave it out for every harm label, or ask for a transcript.",
            )
        if self.channels is not None and not self.channels:
            raise InvalidJob("channels=[] looks nowhere", field="channels", way_out="Leave it out for every channel.")
        return self

    @property
    def spoken_language(self) -> str | None:
        """The language hint: the job's own, else its media's."""
        return self.language or self.media.language

    @property
    def vendor_key(self) -> str:
        """The key as vendors get it: `key` for the first attempt, a digest of key and attempt afterwards."""
        return vendor_key(self.key, self.attempt)

    @property
    def fingerprint(self) -> str:
        """`sha256:...` over what the job asks: equal for the same job made twice.

        Key, attempt and deadline are no part of it, nor are the parameters by which object stores sign a URL.
        """
        asked = self.model_dump(mode="json", exclude={"key", "attempt", "deadline"}, context={"signed_urls": True})
        if self.media.is_web:
            asked["media"]["url"] = without_signature(str(self.media.url))
        text = json.dumps(asked, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return "sha256:" + hashlib.sha256(text.encode()).hexdigest()

    def expires_at(self, submitted_at: datetime) -> datetime | None:
        """The moment of the deadline, for a job submitted at `submitted_at`."""
        if isinstance(self.deadline, timedelta):
            return submitted_at + self.deadline
        return self.deadline
