"""What is configured for Gcore, and what a job may say to it."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from reelvet.plugins import ConnectionSettings
from reelvet_gcore.plugin import OFFICIAL_URL

Category = Literal["nsfw", "hard_nudity", "soft_nudity", "sport"]
_HEIGHT = 480


class GcoreSettings(ConnectionSettings):
    """`[providers.gcore]`: only the token is needed.

    Tokens: https://gcore.com/docs/account-settings/create-use-or-delete-a-permanent-api-token
    """

    official_hosts: ClassVar[frozenset[str]] = frozenset({"api.gcore.com"})

    api_key: SecretStr = Field(
        description="The account's permanent API token, without the word APIKey.",
        json_schema_extra={"env": ["GCORE_API_KEY"]},
    )
    api: Literal["current", "legacy"] = Field(
        "current", description="`legacy` speaks the endpoints of 2024, of which nobody says whether they still answer."
    )
    base_url: str | None = Field(
        None,
        description="Where the API is, if not at https://api.gcore.com; its results are then marked `sandbox`.",
        json_schema_extra={"env": ["GCORE_BASE_URL"]},
    )
    page_size: int = Field(
        10, ge=1, description="Tasks per page of the vendor's list; it documents no maximum, and 10 as its default."
    )
    mp4_height: int = Field(
        _HEIGHT, ge=1, description="Of a video `gcore:ID` the lowest rendition at or above this many lines is taken."
    )
    wait_for_mp4: float = Field(
        0.0, ge=0, description="Seconds to wait for a video `gcore:ID` that is still being transcoded."
    )

    @field_validator("api_key")
    @classmethod
    def _check_token(cls, value: SecretStr) -> SecretStr:
        token = value.get_secret_value()
        if not token.isprintable() or not token.isascii() or " " in token or not token:
            raise ValueError(
                "the token is empty, or has white space or signs in it that no token has; give the token alone"
            )
        if token.lower().startswith("apikey"):
            raise ValueError("give the token alone: the word APIKey is put before it")
        if token.isdigit():
            raise ValueError(
                "the token is digits only: a shell cuts a token at its `$` within double quotes, so write it in single quotes"
            )
        return value

    @property
    def url(self) -> str:
        """Where requests go."""
        return self.base_url or OFFICIAL_URL


class GcoreOptions(BaseModel):
    """`ModerationJob.options["gcore"]`: what this job wants otherwise than planned."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    categories: tuple[Category, ...] | None = Field(
        None, min_length=1, description="The categories to run, each a billed task, instead of the fewest that answer."
    )
    mp4_height: int | None = Field(None, ge=1, description="For a video `gcore:ID`: lines of the rendition at least.")
    wait_for_mp4: float | None = Field(
        None, ge=0, description="For a video `gcore:ID`: seconds to wait while it is transcoded."
    )
    key_frame_times: tuple[float, ...] | None = Field(
        None,
        min_length=1,
        description="Seconds of the video's key frames, ascending: a frame number is then taken as a place in this list.",
    )
    frame_rate: float | None = Field(
        None, gt=0, description="Frames per second: a frame number is then taken as a count of frames."
    )
    first_frame: Literal[0, 1] = Field(
        0, description="What the first frame's number is; Gcore does not document it. Used with the two above."
    )

    @model_validator(mode="after")
    def _check_times(self) -> Self:
        if self.key_frame_times is not None and self.frame_rate is not None:
            raise ValueError("give either key_frame_times or frame_rate: a frame number has one meaning")
        times = self.key_frame_times or ()
        if any(time < 0 for time in times) or list(times) != sorted(times):
            raise ValueError("key_frame_times are seconds from 0 on, in ascending order")
        return self

    @field_validator("categories")
    @classmethod
    def _once_each(cls, value: tuple[Category, ...] | None) -> tuple[Category, ...] | None:
        return None if value is None else tuple(dict.fromkeys(value))
