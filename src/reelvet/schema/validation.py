"""Turning pydantic's errors into sentences that name the field, the value and the way out."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel

from reelvet.schema.errors import InvalidJob, ReelvetError
from reelvet.schema.urls import MASK, mask_urls

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import ValidationError

_LONGEST_VALUE = 80
_MOST_NAMES = 12

_MOMENT = "a moment as 2027-01-31T12:00:00Z"
# What would be accepted, by the kind of error: its whole name first, else what it begins with.
_BY_KIND = {
    "greater_than": "a number above {gt}",
    "greater_than_equal": "a number of at least {ge}",
    "less_than": "a number below {lt}",
    "less_than_equal": "a number of at most {le}",
    "multiple_of": "a multiple of {multiple_of}",
    "finite_number": "a finite number",
    "string_too_short": "text with a length of at least {min_length}",
    "string_too_long": "text with a length of at most {max_length}",
    "string_pattern_mismatch": "text that matches {pattern}",
    "too_short": "a list with a length of at least {min_length}",
    "too_long": "a list with a length of at most {max_length}",
    "literal_error": "one of these",
    "enum": "one of these",
    "decimal_max_digits": "at most {max_digits} digits",
    "decimal_max_places": "at most {decimal_places} decimal places",
    "decimal_whole_digits": "at most {whole_digits} digits before the decimal point",
    "url_scheme": "a URL that begins with {expected_schemes}",
    "timezone_aware": f"{_MOMENT}, with its time zone",
    "timezone_naive": "a moment without a time zone",
    "union_tag_invalid": "one of {expected_tags} as {discriminator}",
    "none_required": "nothing: leave it out",
}
_BY_BEGINNING = {
    "int_": "a whole number",
    "float_": "a number",
    "decimal_": "a number",
    "bool_": "true or false",
    "string_": "text",
    "bytes_": "bytes",
    "path_": "a path as text",
    "url_": "a URL",
    "uuid_": "a UUID",
    "json_": "JSON",
    "invalid-json-value": "what can be written as JSON",
    "time_delta_": "seconds or a timedelta",
    "datetime_": _MOMENT,
    "date_": "a date as 2027-01-31",
    "time_": "a time as 12:00:00",
    "dict_": "a table: names with values",
    "mapping_": "a table: names with values",
    "model_": "a table: names with values",
    "dataclass_": "a table: names with values",
    "list_": "a list",
    "tuple_": "a list",
    "set_": "a list",
    "frozen_set_": "a list",
    "iterable_": "a list",
}
_OTHERWISE = "a value for which that holds"
_LISTS = ("list_", "tuple_", "set_", "frozen_set_")


def sentences(
    error: ValidationError,
    *,
    secret: Callable[[str], bool] = lambda _: False,
    model: type[BaseModel] | None = None,
) -> list[tuple[str, str]]:
    """Each fault as `(dotted field, what is wrong and what would be accepted)`, with the value where it is no secret.

    Args:
        error: What pydantic raised.
        secret: Whether the value of a dotted field must not be shown.
        model: What was validated; a misspelled field is then told which one looks like it.
    """
    return [told for item in error.errors(include_url=False) for told in _sentences(item, secret, model)]


def refusal(error: ValidationError, what: str, model: type[BaseModel], way_out: str) -> InvalidJob:
    """What pydantic raised as an error of ours, which says the same where it is raised within another model."""
    faults = sentences(error, model=model)
    says = "; ".join(f"{field or what}: {told}" for field, told in faults)
    refused = InvalidJob(f"invalid {what}: {says}", field=first_field(error), way_out=way_out)
    refused._faults = faults  # noqa: SLF001
    return refused


def first_field(error: ValidationError) -> str | None:
    """The dotted path of the first faulty field."""
    return _field(error.errors(include_url=False, include_input=False)[0]) or None


def shown(value: Any) -> str:
    """A value as an error quotes it: URLs masked, cut."""
    text: str = mask_urls(repr(value))
    return text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "..."


def accepted(item: Any) -> str:
    """What one of pydantic's errors would have accepted, as the end of a sentence: `give a number above 0`."""
    kind, context, value = str(item["type"]), item.get("ctx") or {}, item.get("input")
    if kind.startswith(_LISTS) and isinstance(value, str) and kind.endswith("_type"):
        return "give a list, also of one alone"
    words = _BY_KIND.get(kind)
    if words is None:
        words = next((words for begins, words in _BY_BEGINNING.items() if kind.startswith(begins)), _OTHERWISE)
    return "give " + words.format_map({name: _plain(said) for name, said in context.items()})


def _plain(said: Any) -> str:
    return f"{said:g}" if isinstance(said, float) else str(said)


def _sentences(item: Any, secret: Callable[[str], bool], model: type[BaseModel] | None) -> list[tuple[str, str]]:
    cause = item.get("ctx", {}).get("error")
    within = cause._faults if isinstance(cause, InvalidJob) else ()  # noqa: SLF001
    place = ".".join(map(str, item["loc"]))
    return [(f"{place}.{field}".strip("."), says) for field, says in within] or [_sentence(item, secret, model)]


def _sentence(item: Any, secret: Callable[[str], bool], model: type[BaseModel] | None) -> tuple[str, str]:
    field, kind = _field(item), item["type"]
    if kind == "extra_forbidden":
        return field, f"no such field{_known(str(item['loc'][-1]), _names(model, item['loc'][:-1]))}"
    if kind == "missing":
        return field, "is required; add it"
    if kind == "value_error":
        return field, _own_words(item)
    value = MASK if secret(field) else shown(item.get("input"))
    return field, f"{item['msg'][0].lower()}{item['msg'][1:]} (got {value}); {accepted(item)}"


def _known(name: str, names: list[str]) -> str:
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return f", did you mean {close[0]!r}?"
    return f"; there are {', '.join(names)}" if 0 < len(names) <= _MOST_NAMES else "; take it out"


def _own_words(item: Any) -> str:
    """What a validator of ours says: it knows better than pydantic what would be accepted."""
    cause = item.get("ctx", {}).get("error")
    if not isinstance(cause, ReelvetError):
        return str(cause if cause is not None else item["msg"])
    if cause.way_out == cause.default_way_out:
        return cause.message
    return f"{cause.message}; {cause.way_out[0].lower()}{cause.way_out[1:].rstrip('.')}"


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
