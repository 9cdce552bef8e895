"""A job out of a command line: MEDIA, options, a job file."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from reelvet.schema.errors import InvalidJob

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelvet.schema.job import ModerationJob

STDIN = "-"

_ASSET = re.compile(r"[a-z][a-z0-9_.-]+:[^/\\\s][^\s]*")


def read_media(text: str) -> dict[str, Any]:
    """The media that MEDIA names: a URL, a vendor's own asset (`provider:ID`), else a file, which must be there.

    Raises:
        InvalidJob: There is no such file, or it is a directory, or there is nothing in it.
    """
    if text.startswith("file://"):
        text = url2pathname(urlsplit(text).path)
    elif "://" in text or (_ASSET.fullmatch(text) and not Path(text).exists()):
        return {"url": text}
    path = Path(text).expanduser()
    if not path.exists():
        raise InvalidJob(
            f"there is no file {text}",
            field="media",
            way_out="MEDIA is a file, a URL, or provider:ID for a vendor's own asset.",
        )
    if path.is_dir():
        raise InvalidJob(f"{text} is a directory", field="media", way_out="Give one file at a time.")
    if path.is_file() and path.stat().st_size == 0:
        raise InvalidJob(f"{text} is empty", field="media", way_out="Copy or download it again, whole.")
    if path.suffix == ".json":
        raise InvalidJob(f"{text} is no media", field="media", way_out=f"If it is a job, give it with --job {text}")
    return {"path": str(path)}


def read_text(source: str, what: str) -> str:
    """The text of a file, or of stdin for `-`.

    Args:
        source: The path.
        what: What it is, for the error.

    Raises:
        InvalidJob: It cannot be read.
    """
    if source == STDIN:
        return sys.stdin.read()
    try:
        return Path(source).expanduser().read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidJob(
            f"cannot read {what} {source}: {error.strerror}", way_out="Name a file that exists, or - for stdin."
        ) from None
    except UnicodeDecodeError:
        raise InvalidJob(
            f"cannot read {what} {source}: it is not UTF-8 text", way_out="Give it as JSON, not the media itself."
        ) from None


def read_json(source: str, what: str) -> Any:
    """The JSON in a file, or on stdin for `-`.

    Raises:
        InvalidJob: It cannot be read, or is no JSON.
    """
    text = read_text(source, what)
    try:
        return json.loads(text)
    except ValueError as error:
        raise InvalidJob(f"{what} {source} is no JSON: {error}", way_out="Mend it at that place.") from None
    except RecursionError:
        raise InvalidJob(f"{what} {source} is nested too deep", way_out="Take what is around it away.") from None


def build_job(
    media: str | None,
    *,
    job: str | None = None,
    kind: str | None = None,
    transcript: Sequence[str] | None = None,
    translate_to: str | None = None,
    callback: str | None = None,
    callback_secret: str | None = None,
    stop_on: Sequence[str] | None = None,
    metadata: Sequence[str] | None = None,
    deadline: str | None = None,
    options: Sequence[str] | None = None,
    **fields: Any,
) -> ModerationJob:
    """The job that a job file and options come to; what is given on the command line wins.

    Args:
        media: MEDIA.
        job: The path of a job file.
        kind: What the media is.
        transcript: Languages; `auto` for any.
        translate_to: Target language of the transcript.
        callback: Where the vendor shall report.
        callback_secret: Name of the secret for that.
        stop_on: `LABEL=SCORE`.
        metadata: `NAME=TEXT`.
        deadline: Seconds, or a date.
        options: `PROVIDER.FIELD=VALUE`.
        fields: Further fields of `ModerationJob`; empty ones say nothing.

    Raises:
        InvalidJob: No media is named, or something makes no sense.
    """
    from reelvet.schema.job import ModerationJob  # noqa: PLC0415

    data = _read_job(job) if job is not None else {}
    if media is not None:
        data["media"] = read_media(media)
    if "media" not in data:
        raise InvalidJob("no media is named", field="media", way_out="Give MEDIA, or a job with --job.")
    if kind:
        data["media"] = {**({"url": data["media"]} if isinstance(data["media"], str) else data["media"]), "kind": kind}
    if transcript or translate_to:
        languages = [language for language in transcript or () if language != "auto"]
        data["transcript"] = {"languages": languages, "translate_to": translate_to}
    if callback or callback_secret:
        data["callback"] = {**({"url": callback} if callback else {}), "secret": callback_secret}
    if stop_on:
        data["stop_on"] = {label: _score(label, score) for label, score in _pairs("--stop-on", stop_on, "LABEL=SCORE")}
    if metadata:
        data["metadata"] = {**data.get("metadata", {}), **dict(_pairs("--metadata", metadata, "NAME=TEXT"))}
    if deadline:
        data["deadline"] = float(deadline) if re.fullmatch(r"[0-9]+(\.[0-9]+)?", deadline) else deadline
    if options:
        data["options"] = _options(data.get("options", {}), options)
    data.update({name: value for name, value in fields.items() if value is not None and value != []})
    return ModerationJob.parse(data)


def _read_job(source: str) -> dict[str, Any]:
    data = read_json(source, "the job")
    if not isinstance(data, dict):
        raise InvalidJob(
            f"a job is a JSON object, not {type(data).__name__}",
            field="--job",
            way_out="`reelvet schema job` shows every field.",
        )
    return data


def _options(known: dict[str, dict[str, Any]], texts: Sequence[str]) -> dict[str, dict[str, Any]]:
    options = {provider: dict(fields) for provider, fields in known.items()}
    for place, value in _pairs("--option", texts, "PROVIDER.FIELD=VALUE"):
        provider, _, field = place.partition(".")
        if not provider or not field:
            raise InvalidJob(
                f"--option {place!r} names no provider or no field",
                field="options",
                way_out="Write PROVIDER.FIELD=VALUE.",
            )
        options.setdefault(provider, {})[field] = _value(value)
    return options


def _pairs(option: str, texts: Sequence[str], form: str) -> list[tuple[str, str]]:
    pairs = []
    for text in texts:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise InvalidJob(
                f"{option} {text!r} is not of the form {form}", field=option, way_out=f"Write {option} {form}."
            )
        pairs.append((name, value))
    return pairs


def _score(label: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InvalidJob(
            f"--stop-on: the score of {label!r} is {text!r}, which is no number",
            field="stop_on",
            way_out="Give a score above 0 and at most 1.",
        ) from None


def _value(text: str) -> Any:
    """A number, a boolean or whatever JSON says; anything else is the text itself."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
