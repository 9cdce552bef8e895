"""Turning pydantic's errors into sentences that name the field, the value and the way out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reelvet.schema.urls import MASK, mask_urls

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import ValidationError

_LONGEST_VALUE = 80


def sentences(error: ValidationError, *, secret: Callable[[str], bool] = lambda _: False) -> list[tuple[str, str]]:
    """Each fault as `(dotted field, what is wrong)`, with the value where it is no secret.

    Args:
        error: What pydantic raised.
        secret: Whether the value of a dotted field must not be shown.
    """
    return [_sentence(item, secret) for item in error.errors(include_url=False)]


def first_field(error: ValidationError) -> str | None:
    """The dotted path of the first faulty field."""
    location = error.errors(include_url=False, include_input=False, include_context=False)[0]["loc"]
    return _dotted(location) or None


def _sentence(item: Any, secret: Callable[[str], bool]) -> tuple[str, str]:
    field = _dotted(item["loc"])
    kind, value = item["type"], item.get("input")
    if kind == "extra_forbidden":
        return field, "no such field"
    if kind == "missing":
        return field, "is required"
    if kind == "value_error":
        return field, str(item.get("ctx", {}).get("error", item["msg"]))
    shown = MASK if secret(field) else _show(value)
    return field, f"{item['msg'][0].lower()}{item['msg'][1:]} (got {shown})"


def _show(value: Any) -> str:
    text: str = mask_urls(repr(value))
    return text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "..."


def _dotted(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location)
