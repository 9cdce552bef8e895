"""Turning pydantic's errors into sentences that name the field, the value and the way out."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel

from reelvet.schema.errors import InvalidJob
from reelvet.schema.urls import MASK, mask_urls

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import ValidationError

_LONGEST_VALUE = 80


def sentences(
    error: ValidationError,
    *,
    secret: Callable[[str], bool] = lambda _: False,
    model: type[BaseModel] | None = None,
) -> list[tuple[str, str]]:
    """Each fault as `(dotted field, what is wrong)`, with the value where it is no secret.

    Args:
        error: What pydantic raised.
        secret: Whether the value of a dotted field must not be shown.
        model: What was validated; a misspelled field is then told which one looks like it.
    """
    return [_sentence(item, secret, model) for item in error.errors(include_url=False)]


def first_field(error: ValidationError) -> str | None:
    """The dotted path of the first faulty field."""
    return _field(error.errors(include_url=False, include_input=False)[0]) or None


def _sentence(item: Any, secret: Callable[[str], bool], model: type[BaseModel] | None) -> tuple[str, str]:
    field = _field(item)
    kind, value = item["type"], item.get("input")
    if kind == "extra_forbidden":
        close = difflib.get_close_matches(str(item["loc"][-1]), _names(model, item["loc"][:-1]), n=1)
        return field, "no such field" + (f", did you mean {close[0]!r}?" if close else "")
    if kind == "missing":
        return field, "is required"
    if kind == "value_error":
        return field, str(item.get("ctx", {}).get("error", item["msg"]))
    shown = MASK if secret(field) else _show(value)
    return field, f"{item['msg'][0].lower()}{item['msg'][1:]} (got {shown})"


def _show(value: Any) -> str:
    text: str = mask_urls(repr(value))
    return text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "..."


def _field(item: Any) -> str:
    """Where the fault is; a rule about several fields names the one that it is about."""
    cause = item.get("ctx", {}).get("error")
    named = (cause.field,) if isinstance(cause, InvalidJob) and cause.field else ()
    return ".".join(str(part) for part in (*item["loc"], *named))


def _names(model: type[BaseModel] | None, location: tuple[int | str, ...]) -> list[str]:
    """The fields of the model at a place within another."""
    for part in location:
        if isinstance(part, int):  # an item of a list of models
            continue
        fields = model.model_fields if model else {}
        annotation = fields[str(part)].annotation if str(part) in fields else None
        model = next((kind for kind in (annotation, *get_args(annotation)) if _is_model(kind)), None)
    return list(model.model_fields) if model else []


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
