"""The tables of `reelvet.toml` that are neither an instance nor a policy."""

from __future__ import annotations

from pydantic import Field, SecretStr, field_validator

from reelvet.schema.base import Strict


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

    first: float = Field(1.0, gt=0, description="Seconds until the first question.")
    most: float = Field(15.0, gt=0, description="Seconds between two questions at most.")
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
