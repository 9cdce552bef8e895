"""The vendor's models as data: which fields each has, of which type, in which version and edition.

`models.csv` is read off the vendor's own SDKs, `vm/v20210922` and `vm/v20201229` of tencentcloud-sdk-python-vm 3.1.172
(Chinese edition) and tencentcloud-sdk-python-intl-en 3.1.193 (international); `required` holds for requests, by
https://cloud.tencent.com/document/api/1265/51879. Models that are called otherwise in 2020-12-29 (`HitInfo`,
`AudioLabelResult`) stand under their name of today.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

CURRENT, OLD = "2021-09-22", "2020-12-29"
VERSIONS = (CURRENT, OLD)

Edition = Literal["cn", "intl"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a model."""

    type: str
    """`str`, `int`, `float`, `bool` or a model; `[]` before it: a list of them."""
    required: bool


@dataclass(frozen=True, slots=True)
class Dialect:
    """The API in one version and edition."""

    version: str
    edition: Edition

    @property
    def is_current(self) -> bool:
        """Whether it is the version of today."""
        return self.version == CURRENT

    def fields(self, model: str) -> dict[str, Field]:
        """The fields of a model."""
        return _models(self.version, self.edition).get(model, {})

    def trimmed(self, model: str, data: dict[str, Any]) -> dict[str, Any]:
        """A part of a reply with those of its fields that the dialect has."""
        fields = self.fields(model)
        return {name: self._value(fields[name].type, value) for name, value in data.items() if name in fields}

    def _value(self, type_: str, value: Any) -> Any:
        if isinstance(value, list):
            return [self._value(type_.removeprefix("[]"), item) for item in value]
        return self.trimmed(type_, value) if isinstance(value, dict) else value


@cache
def _models(version: str, edition: Edition) -> dict[str, dict[str, Field]]:
    column = edition if version == CURRENT else f"{edition}_2020"
    found: dict[str, dict[str, Field]] = {}
    text = resources.files(__package__ or "").joinpath("models.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        if row[column]:
            place = (row["model"], row["field"])
            type_ = _OLD_TYPES.get(place, row["type"]) if version == OLD else row["type"]
            required = bool(row["required"]) and not (version == OLD and place in _OLD_OPTIONAL)
            found.setdefault(row["model"], {})[row["field"]] = Field(type_, required)
    return found


# https://cloud.tencent.com/document/product/1265/51890
_OLD_TYPES = {("TaskFilter", "BizType"): "[]str"}
_OLD_OPTIONAL = {("CreateVideoModerationTaskRequest", "BizType")}
