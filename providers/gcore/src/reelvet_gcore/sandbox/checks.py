"""What a request must look like: required fields, types, lengths, enums.

The documentation lists the statuses of refusals and, but for a full queue, no words for them. The words here are the
emulator's own.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

TRANSCRIPTION = "transcription"
MODERATION = "content-moderation"
CATEGORIES = ("nsfw", "hard_nudity", "soft_nudity", "sport")
"""Those of today. `weapon` and `child_pornography` left the documentation in August 2025; what becomes of them is not said."""

STOPPING = ("hard_nudity", "soft_nudity")
STATUSES = ("FAILURE", "PENDING", "RECEIVED", "RETRY", "REVOKED", "STARTED", "SUCCESS")
ORDERINGS = ("task_id", "status", "task_name", "started_at")

_LENGTHS = {"client_user_id": 256, "client_entity_data": 4096}
_LANGUAGES = ("audio_language", "subtitles_language")
_FIELDS = ("task_name", "url", "category", "stop_objects", *_LANGUAGES, *_LENGTHS)


_MOST_DIGITS = 18


class Refused(Exception):
    """A request that the API does not take."""


def creation(body: Any, stop_labels: dict[str, frozenset[str]]) -> dict[str, Any]:
    """The fields of a create that count.

    Args:
        body: The JSON that was sent.
        stop_labels: Category -> the labels that `stop_objects` may name.

    Raises:
        Refused: It is none of the documented task types.
    """
    data = _object(body)
    _text(data, "task_name", required=True)
    _one_of("task_name", data["task_name"], (TRANSCRIPTION, MODERATION))
    _url(data)
    _common(data)
    if data["task_name"] == MODERATION:
        _text(data, "category", required=True)
        _one_of("category", data["category"], CATEGORIES)
        _stop_objects(data, data["category"], stop_labels)
    for name in (*_LANGUAGES, "category", "stop_objects"):
        _text(data, name)
    return {name: data[name] for name in _FIELDS if data.get(name) is not None}


def detection(body: Any, stop_labels: dict[str, frozenset[str]]) -> dict[str, Any]:
    """The same for `detect-nudity` of 2024. Without a category it looks for what `hard_nudity` looks for."""
    data = _object(body)
    _url(data)
    _text(data, "category")
    if data.get("category") is not None:
        _one_of("category", data["category"], CATEGORIES)
    _stop_objects(data, data.get("category") or "hard_nudity", stop_labels)
    return {name: data[name] for name in ("url", "category", "stop_objects") if data.get(name) is not None}


def transcription(body: Any) -> dict[str, Any]:
    """The same for `transcribe` of 2024."""
    data = _object(body)
    _url(data)
    for name in _LANGUAGES:
        _text(data, name)
    return {name: data[name] for name in ("url", *_LANGUAGES) if data.get(name) is not None}


def whole_number(text: str | None, name: str, default: int) -> int:
    """A query parameter that counts from 1."""
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS and int(text) >= 1):
        raise Refused(f"{name} must be a positive integer")
    return int(text)


def one_of(name: str, value: str | None, allowed: tuple[str, ...]) -> None:
    """A query parameter that is an enum."""
    if value is not None:
        _one_of(name, value, allowed)


def stops(text: str | None) -> dict[str, float | None]:
    """What `stop_objects` says: label -> the score above which it stops, `None` where none is given."""
    found: dict[str, float | None] = {}
    for item in text.split(",") if text else ():
        label, colon, threshold = item.partition(":")
        found[label] = float(threshold) if colon else None
    return found


def _object(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise Refused("Request body must be a JSON object")
    return body


def _text(data: dict[str, Any], name: str, *, required: bool = False) -> None:
    value = data.get(name)
    if value is None:
        if required:
            raise Refused(f"{name} is required")
    elif not isinstance(value, str):
        raise Refused(f"{name} must be a string")


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise Refused(f"{name} must be one of: {', '.join(allowed)}")


def _url(data: dict[str, Any]) -> None:
    _text(data, "url", required=True)
    try:
        parts = urlsplit(data["url"])
        good = parts.scheme.lower() in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        good = False
    if not good:
        raise Refused("url must be a public HTTP/HTTPS URL")


def _common(data: dict[str, Any]) -> None:
    for name, most in _LENGTHS.items():
        _text(data, name)
        if len(data.get(name) or "") > most:
            raise Refused(f"{name} must be at most {most} characters long")


def _stop_objects(data: dict[str, Any], category: str, stop_labels: dict[str, frozenset[str]]) -> None:
    _text(data, "stop_objects")
    text = data.get("stop_objects")
    if text is None:
        return
    if category not in STOPPING:  # the schemas of the others have no such field; what it does there is not documented
        raise Refused(f"stop_objects is not supported for category {category}")
    for item in text.split(","):
        label, colon, threshold = item.partition(":")
        if label not in stop_labels[category]:
            raise Refused(f"stop_objects: unknown label {label}")
        if colon and not _is_probability(threshold):
            raise Refused(f"stop_objects: threshold of {label} must be a number from 0 to 1")


def _is_probability(text: str) -> bool:
    try:
        return 0 <= float(text) <= 1
    except ValueError:
        return False
