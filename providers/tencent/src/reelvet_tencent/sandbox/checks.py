"""What a request must look like: fields, types, lengths, enums. https://cloud.tencent.com/document/api/1265/51879."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from reelvet_tencent.sandbox.refusal import Refused, missing, wrong_value

if TYPE_CHECKING:
    from collections.abc import Container

    from reelvet_tencent.sandbox.models import Dialect

VIDEO, LIVE, AIGC, LLM = "VIDEO", "LIVE_VIDEO", "VIDEO_AIGC", "VIDEO_LLM"
MOST_TASKS = 10
MOST_LISTED = 100
DEFAULT = "default"
"""The BizType that the version of 2020 takes where none is given."""

_BIZ_TYPE = re.compile(r"[A-Za-z0-9_]{3,32}")
# Said of 2020-12-29 and of VIDEO_LLM (https://cloud.tencent.com/document/product/1124/139434); that of today is silent.
_DATA_ID = re.compile(r"[A-Za-z0-9_\-@#]{0,64}")
_REGION = re.compile(r"[a-z]{2,}(-[a-z0-9]+)+")
_SCHEMES = {LIVE: frozenset({"http", "https", "rtmp"})}
_OF_FILES = frozenset({"http", "https"})
_PLAIN: dict[str, type] = {"str": str, "bool": bool}
_RANGES = {"Gender": (0, 2), "Level": (0, 3)}
_MOST_FREQUENT, _MOST_IMAGES, _LONGEST = 30, 5, 5000

LISTED = {
    "Type": ("VIDEO", "AUDIO", "LIVE_VIDEO", "LIVE_AUDIO"),
    "Suggestion": ("Pass", "Review", "Block"),
    "TaskStatus": ("PENDING", "RUNNING", "ERROR", "FINISH", "CANCELLED"),
}
"""What the list can be filtered by: https://www.tencentcloud.com/document/api/1140/51172"""


def shaped(dialect: Dialect, model: str, body: Any) -> dict[str, Any]:
    """The parameters that were given; `null` is as good as nothing.

    Raises:
        Refused: One is unknown to the dialect, missing, or of another type.
    """
    if not isinstance(body, dict):
        raise Refused("InvalidParameter", "The request body must be a JSON object.")
    return _object(dialect, model, body, "")


def _object(dialect: Dialect, model: str, data: dict[str, Any], place: str) -> dict[str, Any]:
    fields = dialect.fields(model)
    for name in data:
        if name not in fields:
            # "Sending an undefined parameter is an error": https://www.tencentcloud.com/document/api/1140/51177
            raise Refused("UnknownParameter", f"The parameter `{place}{name}` is not recognized.")
    given = {name: value for name, value in data.items() if value is not None}
    for name, field in fields.items():
        if field.required and name not in given:
            raise missing(f"{place}{name}")
    return {
        name: _value(dialect, fields[name].type, value, f"{place}{name}") for name, value in given.items()
    }  # fmt: skip


def _value(dialect: Dialect, type_: str, value: Any, place: str) -> Any:
    wrong = Refused("InvalidParameter", f"The value type of parameter `{place}` is not valid.")
    if type_.startswith("[]"):
        if not isinstance(value, list):
            raise wrong
        return [_value(dialect, type_[2:], item, f"{place}.{number}") for number, item in enumerate(value)]
    if type_ in _PLAIN or type_ == "int":
        good = isinstance(value, _PLAIN[type_]) if type_ in _PLAIN else type(value) is int
        if not good:
            raise wrong
        return value
    if not isinstance(value, dict):
        raise wrong
    return _object(dialect, type_, value, f"{place}.")


def creation(data: dict[str, Any], dialect: Dialect, biz_types: Container[str]) -> None:
    """Checks what a create says as a whole; each task's `Input` is checked by `media`.

    Raises:
        Refused: A value is none that the documentation allows.
    """
    types = _types(dialect)
    if data["Type"] not in types:
        raise wrong_value("Type", f"it must be one of {', '.join(types)}")
    biz_type = data.get("BizType", DEFAULT)
    if not _BIZ_TYPE.fullmatch(biz_type):
        raise wrong_value("BizType", "it must be 3 to 32 letters, digits and _")
    if biz_type not in biz_types:
        raise wrong_value("BizType", f"there is no policy {biz_type}")
    most = 1 if data["Type"] == LLM else MOST_TASKS
    if not 1 <= len(data["Tasks"]) <= most:
        raise wrong_value("Tasks", f"there must be 1 to {most} of them")
    if data["Type"] == LLM and "CallbackUrl" not in data:
        raise missing("CallbackUrl")
    if "CallbackUrl" in data and not _is_url(data["CallbackUrl"], _OF_FILES):
        raise wrong_value("CallbackUrl", "it must be an HTTP or HTTPS URL")
    for number, task in enumerate(data["Tasks"]):
        _task(task, f"Tasks.{number}.")
    _user(data.get("User", {}))


def _types(dialect: Dialect) -> tuple[str, ...]:
    generated = dialect.is_current and dialect.edition == "cn"
    return (VIDEO, LIVE, AIGC, LLM) if generated else (VIDEO, LIVE)


def _task(task: dict[str, Any], place: str) -> None:
    if not _DATA_ID.fullmatch(task.get("DataId", "")):
        raise wrong_value(f"{place}DataId", "it must be at most 64 of A-Z a-z 0-9 _ - @ #")
    if not 0 <= task.get("DecodeParams", {}).get("ImageFrequency", 0) <= _MOST_FREQUENT:
        raise wrong_value(f"{place}DecodeParams.ImageFrequency", f"it must be 0 to {_MOST_FREQUENT}")


def _user(user: dict[str, Any]) -> None:
    for name, (least, most) in _RANGES.items():
        if not least <= user.get(name, least) <= most:
            raise wrong_value(f"User.{name}", f"it must be {least} to {most}")
    if len(user.get("Desc", "")) > _LONGEST:
        raise wrong_value("User.Desc", f"it must be at most {_LONGEST} characters long")


def media(task: dict[str, Any], type_: str) -> str:
    """The media of one task, as a scenario is looked up: its URL, or `cos://bucket/object`.

    That a wrong one fails alone is the emulator's choice: a result has a code of its own, and nobody says for what.

    Raises:
        Refused: There is none.
    """
    given = task.get("Input")
    if not given:
        raise missing("Input")
    kind = given.get("Type", "URL")
    if kind == "COS":
        bucket = given.get("BucketInfo")
        if bucket is None:
            raise missing("Input.BucketInfo")
        if not (bucket["Bucket"] and bucket["Object"] and _REGION.fullmatch(bucket["Region"])):
            raise wrong_value("Input.BucketInfo", "it must name bucket, region and object")
        return f"cos://{bucket['Bucket']}/{bucket['Object'].lstrip('/')}"
    if kind != "URL":
        raise wrong_value("Input.Type", "it must be one of URL, COS")
    if type_ == LLM:
        _texts(given)
    if not given.get("Url"):
        raise missing("Input.Url")
    schemes = _SCHEMES.get(type_, _OF_FILES)
    if not _is_url(given["Url"], schemes):
        raise wrong_value("Input.Url", f"it must be a URL with {', '.join(sorted(schemes))}")
    return str(given["Url"])


def _texts(given: dict[str, Any]) -> None:
    if len(given.get("ImageUrlList", ())) > _MOST_IMAGES:
        raise wrong_value("Input.ImageUrlList", f"there must be at most {_MOST_IMAGES} of them")
    try:
        text = base64.b64decode(given.get("TextContent", ""), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise wrong_value("Input.TextContent", "it must be text in base64") from None
    if len(text) > _LONGEST:
        raise wrong_value("Input.TextContent", f"it must be at most {_LONGEST} characters long")


def filters(data: dict[str, Any]) -> tuple[int, datetime | None, datetime | None]:
    """What a list is cut by: `Limit`, `StartTime`, `EndTime`.

    Raises:
        Refused: A value is none that the documentation allows.
    """
    limit = data.get("Limit", 10)
    if not 1 <= limit <= MOST_LISTED:
        raise wrong_value("Limit", f"it must be 1 to {MOST_LISTED}")
    for name, allowed in LISTED.items():
        if data.get("Filter", {}).get(name, allowed[0]) not in allowed:
            raise wrong_value(f"Filter.{name}", f"it must be one of {', '.join(allowed)}")
    since, until = (_date(data, name) for name in ("StartTime", "EndTime"))
    if since and until and until < since:
        raise wrong_value("EndTime", "it is before StartTime")
    return limit, since, until


def _date(data: dict[str, Any], name: str) -> datetime | None:
    if not data.get(name):
        return None
    try:
        date = datetime.fromisoformat(data[name])
    except ValueError:
        date = None
    if date is None or date.tzinfo is None:
        raise wrong_value(name, "it must be a date in ISO 8601 with its offset")
    return date


def _is_url(text: str, schemes: frozenset[str]) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme.lower() in schemes and bool(parts.hostname)
    except ValueError:
        return False
