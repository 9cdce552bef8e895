"""Where a piece of media is, and what it is."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from reelvet.schema.parts import JobPart
from reelvet.schema.urls import SignedUrl, mask_url, url_digest

_ASSET = re.compile(r"[a-z][a-z0-9_.-]+:[^/\\\s][^\s]*")
_WEB = frozenset({"http", "https"})
_LIVE = frozenset({"rtmp", "rtmps"})
_STORES = frozenset({"obs", "cos"})
_NO_ASSETS = _WEB | _LIVE | _STORES | {"file", "data", "blob", "ftp"}


class MediaKind(StrEnum):
    """What the media is."""

    VIDEO = "video"
    IMAGE = "image"
    LIVE = "live"
    AUDIO = "audio"


class Channel(StrEnum):
    """Where in the media something was seen or heard."""

    VISUAL = "visual"
    OCR = "ocr"
    SPEECH = "speech"
    SOUND = "sound"


class Media(JobPart):
    """One piece of media: a URL, an object in a store, a vendor's own asset, or a local file.

    `Media("https://cdn.example.com/a.mp4")`, `Media("obs://bucket/a.mp4")`, `Media("gcore:12345")` and
    `Media(pathlib.Path("a.mp4"))` all work; a `str` is never taken for a file.

    Raises:
        InvalidJob: A field is unknown, or has a value that makes no sense.
    """

    url: SignedUrl | None = Field(
        None,
        description="http(s) URL, `obs://bucket/key`, `cos://bucket/key`, `rtmp(s)://` for live, or `provider:ID` for a vendor's own asset.",
    )
    path: Path | None = Field(None, description="A local file. Made absolute when the media is made.")
    kind: MediaKind = Field(MediaKind.VIDEO, description="`video` unless said otherwise. `audio` is reserved.")
    duration: float | None = Field(
        None, gt=0, description="Seconds, where the caller knows it: a hint for estimates and polling."
    )
    language: str | None = Field(
        None, description="BCP 47 tag of what is spoken or written, where the caller knows it: a hint."
    )

    def __init__(self, source: str | Path | None = None, /, **fields: Any) -> None:
        if isinstance(source, Path):
            fields["path"] = source
        elif source is not None:
            fields["url"] = source
        super().__init__(**fields)

    @field_validator("url")
    @classmethod
    def _check_url(cls, value: SignedUrl | None) -> SignedUrl | None:
        if value is None:
            return None
        scheme, separator, rest = value.partition("://")
        if not separator:
            if _ASSET.fullmatch(value) and value.partition(":")[0] not in _NO_ASSETS:
                return value
            shown = mask_url(value)
            raise ValueError(
                f"{shown!r} is no URL, which begins as 'https://'; a local file is given as pathlib.Path({shown!r})"
            )
        if scheme.lower() not in _WEB | _LIVE | _STORES:
            raise ValueError(
                f"the scheme {scheme!r} of {mask_url(value)!r} is not one of http, https, obs, cos, rtmp, rtmps; a local file is given as pathlib.Path"
            )
        if scheme.lower() in _STORES:
            host: str | None = rest.partition("/")[0]
        else:
            try:
                parts = urlsplit(value)
                host, _ = parts.hostname, parts.port  # the port is read for what is wrong with it
            except ValueError:  # whose text may hold the user info
                raise ValueError(
                    f"{mask_url(value)!r} is no URL: its host or port is malformed; write it as https://host/path or https://host:port/path"
                ) from None
        if not host:
            place = "bucket" if scheme.lower() in _STORES else "host"
            raise ValueError(f"{mask_url(value)!r} names no {place}; write it as {scheme}://{place}/path")
        return value

    @field_validator("path")
    @classmethod
    def _make_absolute(cls, value: Path | None) -> Path | None:
        return value.expanduser().absolute() if value is not None else None

    @model_validator(mode="after")
    def _check_one_source(self) -> Self:
        if (self.url is None) == (self.path is None):
            raise ValueError("give either a url or a path")
        if self.url and self.scheme in _LIVE and self.kind is not MediaKind.LIVE:
            raise ValueError(f"an {self.scheme} URL is a live stream: say kind='live'")
        return self

    @property
    def scheme(self) -> str:
        """`http`, `https`, `obs`, `cos`, `rtmp`, `rtmps`, `file`, or the provider id of an asset."""
        return "file" if self.url is None else self.url.partition(":")[0].lower()

    @property
    def is_web(self) -> bool:
        """Whether it is an http(s) URL."""
        return self.scheme in _WEB

    @property
    def source(self) -> str:
        """The place as it may be shown and stored: a URL without its query, or the path of a file."""
        return mask_url(self.url) if self.url is not None else str(self.path)

    @property
    def digest(self) -> str:
        """`sha256:...` over the place (not the bytes), a URL without the parameters that only sign it."""
        return url_digest(self.url if self.url is not None else f"file://{self.path}")

    @property
    def has_secret(self) -> bool:
        """Whether the URL has parts that are masked when it is stored."""
        return self.url is not None and mask_url(self.url) != self.url
