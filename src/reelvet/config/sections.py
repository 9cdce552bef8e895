"""The tables of `reelvet.toml` that are neither an instance nor a policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from reelvet.config.sources import resolve_reference
from reelvet.schema.base import Strict
from reelvet.schema.durations import Duration
from reelvet.schema.errors import ConfigurationError
from reelvet.schema.event import EventType
from reelvet.schema.urls import SignedUrl, mask_url

if TYPE_CHECKING:
    from collections.abc import Mapping


class FetchConfig(Strict):
    """`[fetch]`: what the guarded fetcher may do."""

    allow: tuple[str, ...] = Field(
        (), description="Private hosts that may be fetched from: `host`, `host:port`, or a network in CIDR notation."
    )

    @field_validator("allow")
    @classmethod
    def _check_places(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if value:
            from reelvet.http import AllowList  # noqa: PLC0415  (most configurations allow nothing)

            AllowList(value)
        return value


class SecretsConfig(Strict):
    """`[secrets]`: reelvet's own secrets. Each may be `env:NAME` or `file:PATH`."""

    key: SecretStr | None = Field(
        None, description="Seals URLs in tickets: 32 bytes in URL-safe base64, as `reelvet doctor` shows how to make."
    )
    callbacks: dict[str, SecretStr] = Field(
        default_factory=dict, description="Name -> secret by which a vendor's callbacks are verified."
    )


class PollingConfig(Strict):
    """`[polling]`: how often a vendor is asked. A vendor's own hint comes first."""

    first: float = Field(1.0, gt=0, description="Seconds until the first question, and between two at least.")
    most: float = Field(60.0, gt=0, description="Seconds between two questions at most; 15 at most while watching.")
    list_from: int = Field(
        20, ge=1, description="Tasks in flight from which on the vendor's list is read, where there is one."
    )
    give_up: float = Field(
        86400.0, gt=0, description="Seconds after which `wait` stops waiting for a task that never ends."
    )
    settle_window: float = Field(
        10.0, ge=0, description="Seconds in which a submit of unknown outcome is looked up at the vendor."
    )


class PluginsConfig(Strict):
    """`[plugins]`: which installed plugins may be loaded."""

    allow: tuple[str, ...] | None = Field(
        None, description="Entry-point names; `null`: all, unless REELVET_PLUGINS says otherwise."
    )


class JournalConfig(Strict):
    """`[journal]`: where submissions are kept, so that none is made twice."""

    url: SecretStr | None = Field(
        None,
        description="`sqlite:///PATH`, `postgresql://USER:PASSWORD@HOST/DATABASE` or `memory:`; may be `env:NAME` or `file:PATH`. By default an SQLite file in the state directory.",
    )
    keep_results: bool = Field(False, description="Whether results are kept in it too.")

    def target(self) -> str | None:
        """The URL, its reference resolved; `None` for the file in the state directory.

        Raises:
            ConfigurationError: It cannot be had.
        """
        return None if self.url is None else resolve_reference(self.url.get_secret_value(), field="journal.url")


class SettleConfig(Strict):
    """`[settle]`: what becomes of a submission of which nobody knows whether it created something. By default: parked."""

    after: Duration | None = Field(
        None,
        description="How long it must not have been found at the vendor before `then` is done, as `10m`: longer than the vendor's list lags.",
    )
    then: Literal["resubmit", "review"] | None = Field(
        None,
        description="`resubmit`: send it again, where the vendor can be asked and does not have it. `review`: leave it, and have a person look at the video.",
    )

    @model_validator(mode="after")
    def _check_both(self) -> Self:
        if (self.after is None) != (self.then is None):
            raise ValueError("`after` and `then` belong together; give both, or neither")
        return self


class EventsConfig(Strict):
    """`[events]`: what the platform is told, and where. Without the table it is told nothing."""

    url: SignedUrl = Field(
        description="Where events are sent: an http(s) URL of your own, or `env:NAME` or `file:PATH` for one that holds a token."
    )
    secrets: tuple[SecretStr, ...] = Field(
        min_length=1,
        description="What they are signed with: `whsec_` and 24 to 64 bytes in base64, one or, while it is replaced, several. Each may be `env:NAME` or `file:PATH`.",
    )
    types: tuple[EventType, ...] = Field(tuple(EventType), min_length=1, description="Which events are sent.")
    in_process: bool = Field(
        True, description="Whether a moderator sends them itself; `false` leaves it to `reelvet events deliver`."
    )
    timeout: float = Field(20.0, gt=0, le=120, description="Seconds that the receiver has to answer.")
    concurrency: int = Field(8, ge=1, le=100, description="Events that are sent at a time.")
    give_up: float = Field(
        345600.0, gt=0, description="Seconds after the first try beyond which there is no further one."
    )

    @field_validator("url")
    @classmethod
    def _check_url(cls, value: SignedUrl) -> SignedUrl:
        if not value.startswith(("env:", "file:")):
            _check_target(value)
        return value

    @field_validator("secrets", mode="before")
    @classmethod
    def _one_secret(cls, value: Any) -> Any:
        return [value] if isinstance(value, str | SecretStr) else value

    def target(self, environ: Mapping[str, str] | None = None) -> SignedUrl:
        """The URL, its reference resolved.

        Raises:
            ConfigurationError: It cannot be had, or is no URL that can be called.
        """
        url = SignedUrl(resolve_reference(self.url, field="events.url", environ=environ))
        try:
            _check_target(url)
        except ValueError as error:
            raise ConfigurationError(
                f"events.url {error}", field="events.url", way_out="Give the whole URL that events are to be sent to."
            ) from None
        return url

    def keys(self, environ: Mapping[str, str] | None = None) -> tuple[SecretStr, ...]:
        """The secrets, their references resolved.

        Raises:
            ConfigurationError: One cannot be had.
        """
        return tuple(
            SecretStr(resolve_reference(secret.get_secret_value(), field="events.secrets", environ=environ))
            for secret in self.secrets
        )


def _check_target(url: str) -> None:
    from reelvet.http import Effect, Request  # noqa: PLC0415  (most configurations tell nobody)

    try:
        Request("POST", str(url), effect=Effect.REPEATABLE)
    except ValueError:
        raise ValueError(
            f"{mask_url(url)!r} is no http(s) URL that can be called, percent-encoded, without user name and fragment"
        ) from None
