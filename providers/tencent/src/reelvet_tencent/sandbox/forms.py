"""Requests by GET: parameters in the query, nested names flattened, as `Tasks.0.Input.Url`.

https://www.tencentcloud.com/document/api/266/34114
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from reelvet_tencent.sandbox.refusal import Refused

if TYPE_CHECKING:
    from reelvet_tencent.sandbox.models import Dialect

FORM = "application/x-www-form-urlencoded"
_BOOLEANS = {"true": True, "false": False}
"""In whichever case: the vendor's own client writes `True`."""


def parameters(query: str, dialect: Dialect, model: str) -> dict[str, Any]:
    """The parameters of a query as JSON would hold them. What cannot be read as its type stays text, and is refused so.

    Raises:
        Refused: Two names contradict each other.
    """
    found: dict[str, Any] = {}
    for name, text in parse_qsl(query, keep_blank_values=True):
        *path, last = name.split(".")
        holder = found
        for part in path:
            holder = holder.setdefault(part, {})
            if not isinstance(holder, dict):
                raise Refused("InvalidParameter", f"The parameter `{name}` is not valid.")
        holder[last] = text
    return _typed(found, dialect, model)


def _typed(data: dict[str, Any], dialect: Dialect, model: str) -> dict[str, Any]:
    fields = dialect.fields(model)
    return {
        name: _value(value, dialect, fields[name].type) if name in fields else value for name, value in data.items()
    }


def _value(value: Any, dialect: Dialect, type_: str) -> Any:
    if type_.startswith("[]") and isinstance(value, dict) and all(name.isdecimal() for name in value):
        return [_value(value[name], dialect, type_[2:]) for name in sorted(value, key=int)]
    if isinstance(value, dict):
        return _typed(value, dialect, type_)
    if type_ == "int" and value.lstrip("-").isdecimal():
        return int(value)
    return _BOOLEANS.get(value.lower(), value) if type_ == "bool" else value
