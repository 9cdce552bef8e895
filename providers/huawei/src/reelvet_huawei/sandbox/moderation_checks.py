"""What a v3 request must look like.

https://support.huaweicloud.com/api-moderation/moderation_03_0071.html

Which code stands for which mistake is documented in a table of codes, with words for one of them alone (AIS.0401); the
others are the emulator's own.
"""

from __future__ import annotations

import re
from typing import Any

from reelvet_huawei.sandbox.media import is_web
from reelvet_huawei.sandbox.refusals import Refused

EVENT_TYPES = ("default", "group_message", "message", "live", "dynamic")
"""Those of the page; the SDK knows the first alone."""
IMAGE_CATEGORIES = ("porn", "politics", "terrorism", "image_text")
AUDIO_CATEGORIES = ("porn", "ad", "politics", "moan", "abuse")
AUDIO_EVENT_TYPES = ("default", "audiobook", "education", "game", "live", "ecommerce", "voiceroom", "private")
"""Of jobs of audio alone."""
LANGUAGE = "zh"

_INTERVAL, _MOST_INTERVAL = 5, 60
_SEED = re.compile(r"[A-Za-z0-9_]{1,64}")


def video(body: Any, *, policies: tuple[str, ...] | None, international: bool) -> dict[str, Any]:
    """The fields of a job of video that count.

    Args:
        body: The JSON that was sent; `None` where it was none.
        policies: The names of the policies there are; `None`: any.
        international: Whether it is the international site, whose page leaves out politics.

    Raises:
        Refused: It is not what the documentation wants.
    """
    data = _begun(body)
    interval = data["data"].get("frame_interval")
    if interval is not None and (not _is_whole(interval) or not 1 <= interval <= _MOST_INTERVAL):
        raise _unsupported("data.frame_interval")
    data["data"] = {"url": data["data"]["url"], "frame_interval": _INTERVAL if interval is None else interval}
    allowed = tuple(word for word in IMAGE_CATEGORIES if word != "politics" or not international)
    if not _has_policy(data, policies):
        _event_type(data, EVENT_TYPES)
        _categories(data, "image_categories", allowed, needed=True)
        _categories(data, "audio_categories", AUDIO_CATEGORIES)
    return _kept(data, "event_type", "image_categories", "audio_categories")


def audio(body: Any, *, policies: tuple[str, ...] | None) -> dict[str, Any]:
    """The same for a job of audio alone.

    https://support.huaweicloud.com/api-moderation/moderation_03_0083.html
    """
    data = _begun(body)
    data["data"] = {"url": data["data"]["url"]}
    if not _has_policy(data, policies):
        _event_type(data, AUDIO_EVENT_TYPES)
        _categories(data, "categories", AUDIO_CATEGORIES, needed=True)
    return _kept(data, "event_type", "categories")


def _begun(body: Any) -> dict[str, Any]:
    """What both have in common."""
    if not isinstance(body, dict):
        raise Refused("AIS.0014", "The request body is not in JSON format.")
    data = body.get("data")
    if data is None:
        raise _missing("data")
    if not isinstance(data, dict):
        raise _unsupported("data")
    if data.get("url") in (None, ""):
        raise _missing("data.url")
    if not isinstance(data["url"], str) or not is_web(data["url"]):
        raise Refused("AIS.0022", "The URL is invalid.")
    if data.get("language") not in (None, LANGUAGE):
        raise _unsupported("data.language")
    callback = body.get("callback")
    if callback is not None and (not isinstance(callback, str) or not is_web(callback)):
        raise _unsupported("callback")
    seed = body.get("seed")
    if seed is not None and (not isinstance(seed, str) or not _SEED.fullmatch(seed)):
        raise _unsupported("seed")
    return dict(body)


def _has_policy(data: dict[str, Any], policies: tuple[str, ...] | None) -> bool:
    """Whether a policy of the console's decides, in place of event type and categories."""
    name = data.get("biz_type")
    if name is None:
        return False
    if not isinstance(name, str) or not name or (policies is not None and name not in policies):
        raise _unsupported("biz_type")
    return True


def _event_type(data: dict[str, Any], allowed: tuple[str, ...]) -> None:
    value = data.get("event_type")
    if value is None:
        raise _missing("event_type")
    if value not in allowed:
        raise Refused("AIS.0401", "The input parameter event_type is incorrect.")


def _categories(data: dict[str, Any], name: str, allowed: tuple[str, ...], *, needed: bool = False) -> None:
    value = data.get(name)
    if needed and value in (None, []):
        raise _missing(name)
    if value is not None and (not isinstance(value, list) or not all(word in allowed for word in value)):
        raise _unsupported(name)


def _kept(data: dict[str, Any], *names: str) -> dict[str, Any]:
    """With a policy, event type and categories are gone from what the job says of itself."""
    wanted = ("biz_type",) if data.get("biz_type") is not None else names
    return {name: data[name] for name in ("data", *wanted, "callback", "seed") if data.get(name) is not None}


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _missing(name: str) -> Refused:
    return Refused("AIS.0011", f"The input parameter {name} is missing.")


def _unsupported(name: str) -> Refused:
    return Refused("AIS.0012", f"The value of the input parameter {name} is not supported.")
