"""What every provider that talks lets its users configure about the talking."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator


class ConnectionSettings(BaseModel):
    """The part of a `[providers.<instance>]` table that is the same for every vendor; heirs add the rest."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    official_hosts: ClassVar[frozenset[str]] = frozenset()
    """The vendor's own hosts, or what they end with where it begins with a dot: anything else is a sandbox."""

    base_url: str | None = Field(
        None, description="Where the API is, if not at the vendor's own address; its results are then marked `sandbox`."
    )
    requests_per_second: int | None = Field(
        None, ge=1, description="Requests in any second at most, instead of what the vendor documents."
    )
    timeout: float = Field(60.0, gt=0, description="Seconds for one request.")
    proxy: str | None = Field(None, description="URL of an HTTP proxy.")
    ca_bundle: Path | None = Field(None, description="Certificate authorities to trust instead of the usual ones.")

    @field_validator("base_url")
    @classmethod
    def _check_base_url(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if (
            parts.scheme not in {"http", "https"}
            or not parts.hostname
            or parts.query
            or parts.fragment
            or parts.username
        ):
            raise ValueError("a base URL is a scheme, a host and perhaps a path, as 'https://api.example.com'")
        return value.rstrip("/")

    @field_validator("proxy")
    @classmethod
    def _check_proxy(cls, value: str | None) -> str | None:
        if value is not None and (urlsplit(value).scheme not in {"http", "https"} or not urlsplit(value).hostname):
            raise ValueError("a proxy is a URL, as 'http://proxy.example.com:3128'")
        return value

    @field_validator("ca_bundle")
    @classmethod
    def _check_ca_bundle(cls, value: Path | None) -> Path | None:
        if value is None:
            return None
        import ssl  # noqa: PLC0415  (few have a bundle of their own)

        try:
            ssl.create_default_context(
                cafile=None if value.is_dir() else value, capath=value if value.is_dir() else None
            )
        except (OSError, ssl.SSLError) as error:
            why = getattr(error, "strerror", None) or error
            raise ValueError(f"{str(value)!r} cannot be used: {why}; name a file of certificates in PEM") from None
        return value

    @property
    def is_official(self) -> bool:
        """Whether requests go to the vendor itself."""
        if self.base_url is None:
            return True
        parts = urlsplit(self.base_url)
        host = (parts.hostname or "").lower()
        return parts.scheme == "https" and any(
            host.endswith(own) if own.startswith(".") else host == own for own in self.official_hosts
        )

    def session_options(self) -> dict[str, Any]:
        """What of it `ProviderContext.session` takes: timeouts, proxy, certificate authorities."""
        from reelvet.http import Timeouts  # noqa: PLC0415  (settings are checked without loading HTTP)

        return {
            "timeouts": Timeouts(read=self.timeout, write=self.timeout, total=self.timeout),
            "proxy": self.proxy,
            "verify": self.ca_bundle or True,
        }
