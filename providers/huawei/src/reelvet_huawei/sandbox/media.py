"""Which media a request names, and whether either service can look at it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from reelvet.sandbox import MAGIC, Ending, FailureReason
from reelvet.schema.media import MediaKind

if TYPE_CHECKING:
    from reelvet.sandbox import Catalogue, Scenario

_OBJECT = re.compile(r"([a-z0-9.-]+)\.obs\.[a-z0-9-]+\.myhuaweicloud\.(?:com|cn)")
"""Bucket and region: https://support.huaweicloud.com/intl/en-us/usermanual-obs/obs_03_0312.html"""
_LONGEST_V3 = 7200.0
"""Two hours: https://support.huaweicloud.com/productdesc-moderation/moderation_01_0004.html"""
_PACE = 0.2
_LEAST = 1.0

CODES = {
    FailureReason.UNSUPPORTED_TYPE: ("ALG.002", "The format of the video is not supported."),
    FailureReason.UNREACHABLE: ("ALG.002", "The video cannot be downloaded."),
    FailureReason.DAMAGED: ("ALG.002", "The video cannot be decoded."),
    FailureReason.TOO_LARGE: ("ALG.002", "The video is too large."),
    FailureReason.INTERNAL: ("ALG.002", "Internal error."),
}
"""The code is that of the specification's one example; the words are the emulator's own."""


def is_web(url: str) -> bool:
    """Whether it is http(s), with a host."""
    try:
        parts = urlsplit(url)
        return parts.scheme.lower() in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return False


def is_obs(url: str) -> bool:
    """Whether a URL is one of OBS, by a part of its host: `bucket.obs.region...`, or `obs-...` as in the vendor's example."""
    host = urlsplit(url).hostname or ""
    return host == MAGIC or any(part == "obs" or part.startswith("obs-") for part in host.split("."))


def is_object(url: str) -> bool:
    """Whether a URL is the address of an object, which is read with the service's agency."""
    return _OBJECT.fullmatch(urlsplit(url).hostname or "") is not None


def at_url(library: Catalogue, url: str) -> Scenario:
    """What is in the media at a URL. An object's is looked up as `obs://bucket/path` too, as jobs name it."""
    found = library.for_url(url)
    parts = urlsplit(url)
    inside = _OBJECT.fullmatch(parts.hostname or "")
    if found.name != "clean" or inside is None:
        return found
    return library.for_url(f"obs://{inside[1]}/{unquote(parts.path).lstrip('/')}")


def failure(scenario: Scenario, *, longest: float | None = None) -> FailureReason | None:
    """Why nothing comes out; neither service documents what becomes of pictures, streams and media that is too long."""
    if scenario.ending is Ending.FAILS:
        return scenario.reason
    if scenario.kind is not MediaKind.VIDEO:
        return FailureReason.UNSUPPORTED_TYPE
    if longest is not None and scenario.duration > longest:
        return FailureReason.TOO_LARGE
    return None


def failure_v3(scenario: Scenario) -> FailureReason | None:
    """The same for v3, which takes two hours at most."""
    return failure(scenario, longest=_LONGEST_V3)


def seconds_of_work(scenario: Scenario, reason: FailureReason | None) -> float:
    """How long it is worked at; documented nowhere."""
    if scenario.ending is Ending.NEVER:
        return float("inf")
    return _LEAST if reason is not None else max(scenario.duration * _PACE, _LEAST)
