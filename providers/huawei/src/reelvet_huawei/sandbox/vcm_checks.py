"""What a v2 request must look like.

https://support.huaweicloud.com/en-us/api-vas/vas_03_0146.html

The regular expressions are those of the generic service, whose specification the API Explorer has. Of a refusal's words
only the beginning and two whole examples are published; the others are made after those.
"""

from __future__ import annotations

import re
from typing import Any

from reelvet_huawei.sandbox.media import is_obs, is_web
from reelvet_huawei.sandbox.refusals import Refused, invalid, nowhere

SERVICE = "video-moderation"
VERSION = "1.2"
CATEGORIES = ("politics", "terrorism", "porn")
TEXT_CATEGORIES = ("politics", "porn", "ad", "abuse", "contraband", "flood")

TASK_ID = r"^[0-9a-f]{32}|task\w{8}$"
_NAME = "^[\u4e00-\u9fa5a-zA-Z0-9_-]{1,100}$"
_BUCKET = r"^[a-z0-9](?!.*[-.][-.].*)([a-z0-9-.]{1,61})[a-z0-9]$"
_PATH = re.compile(r"(?![/.])(?!.*//)[^:*?\"<>|\\]{1,1023}")
_MOST_DESCRIPTION, _MOST_URL = 500, 1000
_INPUTS = ("obs", "url")
_FLAGS = ("upload", "use_ocr", "use_sis")


def creation(body: Any, *, obs_only: bool) -> dict[str, Any]:
    """The body of a create, checked.

    Args:
        body: The JSON that was sent; `None` where it was none.
        obs_only: Whether only URLs of OBS are taken.

    Raises:
        Refused: It is not what the documentation wants.
    """
    if not isinstance(body, dict):
        raise Refused("IVA.0003", "Request body is not a valid json object.")
    for name in ("name", "input", "output", "service_version"):
        _needed(body, name)
    _matches("name", body["name"], _NAME)
    description = body.get("description", "")
    if not isinstance(description, str) or len(description) > _MOST_DESCRIPTION:
        raise invalid(f"The field [description] must be a string of at most {_MOST_DESCRIPTION} characters.")
    _input(_object(body, "input"), obs_only=obs_only)
    output = _object(body, "output")
    _output(output)
    if body["service_version"] != VERSION:
        raise nowhere(f"Service {SERVICE}/{body['service_version']} not found.")
    if body.get("service_config") is not None:
        _config(_object(body, "service_config"), has_obs="obs" in output)
    return body


def task_id(value: str) -> None:
    """The id in a path.

    Raises:
        Refused: It has another form.
    """
    if not re.fullmatch(r"[0-9a-f]{32}|task\w{8}", value):
        raise invalid(f"parameter [task_id] does not match {TASK_ID}.")


def _input(data: dict[str, Any], *, obs_only: bool) -> None:
    _needed(data, "type", "input.type")
    if data["type"] not in _INPUTS:
        raise invalid(f"The field [input.type] must be one of {', '.join(_INPUTS)}.")
    _needed(data, "data", "input.data")
    channels = data["data"]
    if not isinstance(channels, list) or not all(isinstance(item, dict) for item in channels):
        raise invalid("The field [input.data] must be an array of objects.")
    if len(channels) != 1:
        raise invalid("The field [input.data] must hold one input at a time.")
    if data["type"] == "obs":
        _place(channels[0], "input.data[0]")
        return
    _needed(channels[0], "url", "input.data[0].url")
    url = channels[0]["url"]
    if not isinstance(url, str) or len(url) > _MOST_URL or not is_web(url):
        raise invalid(f"The field [input.data[0].url] must be a URL of at most {_MOST_URL} characters.")
    if obs_only and not is_obs(url):  # https://support.huaweicloud.com/en-us/api-vas/vas_03_0045.html
        raise invalid("The field [input.data[0].url] must be the URL of an OBS object.")


def _output(data: dict[str, Any]) -> None:
    strange = sorted(set(data) - {"obs", "hosting"})
    if strange:
        raise invalid(f"The field [output.{strange[0]}] is not supported by service {SERVICE}.")
    if not data:
        raise invalid("The field [output] is required and cannot be empty.")
    if "obs" in data:
        _place(_object(data, "obs", "output.obs"), "output.obs")
    if "hosting" in data:
        _object(data, "hosting", "output.hosting")


def _config(data: dict[str, Any], *, has_obs: bool) -> None:
    """Its children are mandatory on the page, and optional in the SDK: the page counts."""
    _needed(data, "common", "service_config.common")
    common = _object(data, "common", "service_config.common")
    interval = common.get("frame_interval")
    if interval is None:
        raise _missing("service_config.common.frame_interval")
    if not isinstance(interval, int) or isinstance(interval, bool) or interval < 1:
        raise invalid("The field [service_config.common.frame_interval] must be a positive integer.")
    _needed(common, "categories", "service_config.common.categories")
    _words(common, "categories", CATEGORIES)
    if common.get("text_categories") is not None:
        _words(common, "text_categories", TEXT_CATEGORIES)
    for name in _FLAGS:
        if common.get(name, "false") not in ("true", "false"):
            raise invalid(f"The field [service_config.common.{name}] must be one of true, false.")
    if common.get("upload") == "true" and not has_obs:
        raise invalid("The field [output.obs] is required where [service_config.common.upload] is true.")


def _words(data: dict[str, Any], name: str, allowed: tuple[str, ...]) -> None:
    value = data[name]
    strange = set(value.split(",")) - set(allowed) if isinstance(value, str) else {str(value)}
    if strange:
        raise invalid(f"The field [service_config.common.{name}] must consist of {', '.join(allowed)}.")


def _place(data: dict[str, Any], where: str) -> None:
    for name in ("bucket", "path"):
        _needed(data, name, f"{where}.{name}")
    _matches(f"{where}.bucket", data["bucket"], _BUCKET)
    if not isinstance(data["path"], str) or not _PATH.fullmatch(data["path"]):
        raise invalid(f"The field [{where}.path] is no path of an OBS object.")


def _matches(where: str, value: Any, expression: str) -> None:
    if not isinstance(value, str) or not re.fullmatch(expression, value):
        raise invalid(f"parameter [{where}] does not match {expression}.")


def _object(data: dict[str, Any], name: str, where: str | None = None) -> dict[str, Any]:
    value = data[name]
    if not isinstance(value, dict):
        raise invalid(f"The field [{where or name}] must be an object.")
    return value


def _needed(data: dict[str, Any], name: str, where: str | None = None) -> None:
    if data.get(name) in (None, "", [], {}):
        raise _missing(where or name)


def _missing(where: str) -> Refused:
    """In the words of the published example."""
    return invalid(f"The field [{where}] is required and cannot be empty.")
