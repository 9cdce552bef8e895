"""Conversations with a vendor, recorded once and replayed: readable YAML that says what it was recorded against.

A cassette is made by vcrpy below the HTTP library, so it holds what really went over the wire. Hosts are written as the
vendor's own and credentials are left out, so that a replay needs neither an emulator nor an account.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import vcr  # type: ignore[import-untyped]
import yaml  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

_MATCH = ("method", "host", "path", "query", "body")
_SECRET_HEADERS = (
    "authorization",
    "x-auth-token",
    "x-security-token",
    "x-tc-token",
    "x-sdk-date",
    "cookie",
    "set-cookie",
)
# Those of a reply that hold a credential which the conversation goes on with: their value alone is left out.
_SECRET_VALUES = ("x-subject-token",)
_MASK = "***"
# What a server says of itself and of the hour; the same conversation recorded twice is the same file.
_FLEETING = ("date", "server", "connection", "keep-alive")


class Cassettes:
    """The recorded conversations of one provider.

    Args:
        folder: Where they are.
        official: The vendor's own base URL, under whose host everything is recorded; or, where a vendor has several, what
            gives that of a path.
        scrub: Further texts that must not be written, as the key itself. They become `***` wherever they stand, or what a
            mapping says.
        keep: Makes of the JSON of a reply what of it may be kept; a list of an account's tasks holds other people's.
    """

    def __init__(
        self,
        folder: Path,
        *,
        official: str | Callable[[str], str],
        scrub: Sequence[str] | Mapping[str, str] = (),
        keep: Callable[[Any], Any] = lambda body: body,
    ) -> None:
        self.folder = folder
        self._official = official
        told = scrub if isinstance(scrub, Mapping) else dict.fromkeys(scrub, _MASK)
        self._scrub = {text: instead for text, instead in told.items() if text}
        self._keep = keep

    @property
    def names(self) -> list[str]:
        """The conversations that are recorded."""
        return sorted(path.stem for path in self.folder.glob("*.yaml"))

    def against(self, name: str) -> str:
        """What a conversation was recorded against, in words."""
        return str(yaml.safe_load((self.folder / f"{name}.yaml").read_text(encoding="utf-8"))["recorded_against"])

    @contextmanager
    def replay(self, name: str) -> Iterator[Any]:
        """Answers from a cassette; a request that is not in it, in order, is refused.

        Yields:
            The cassette, whose `all_played` says whether nothing of it was left over.
        """
        with self._vcr("none", "").use_cassette(f"{name}.yaml") as cassette:
            yield cassette

    @contextmanager
    def record(self, name: str, *, against: str) -> Iterator[Any]:
        """Talks, and writes a cassette of it in place of the old one.

        Args:
            name: Its name.
            against: What is talked to, in words: who reads the cassette is told.
        """
        (self.folder / f"{name}.yaml").unlink(missing_ok=True)
        with self._vcr("all", against).use_cassette(f"{name}.yaml") as cassette:
            yield cassette

    def _vcr(self, mode: str, against: str) -> vcr.VCR:
        recorder = vcr.VCR(
            cassette_library_dir=str(self.folder),
            record_mode=mode,
            match_on=_MATCH,
            serializer="reelvet",
            decode_compressed_response=True,
            filter_headers=_SECRET_HEADERS,
            before_record_request=self._request,
            before_record_response=self._response,
        )
        recorder.register_serializer("reelvet", _Serializer(against))
        return recorder

    def _request(self, request: Any) -> Any:
        parts = urlsplit(self._clean(request.uri))
        official = urlsplit(self._official if isinstance(self._official, str) else self._official(parts.path))
        request.uri = parts._replace(scheme=official.scheme, netloc=official.netloc).geturl()
        for name, value in list(request.headers.items()):
            request.headers[name] = official.netloc if name.lower() == "host" else _each(self._clean, value)
        if isinstance(request.body, bytes):
            request.body = self._clean(request.body.decode("utf-8", "replace")).encode()
        return request

    def _response(self, response: dict[str, Any]) -> dict[str, Any]:
        left_out = {*_FLEETING, *_SECRET_HEADERS}
        kept = {
            name: [_MASK] if name.lower() in _SECRET_VALUES else value
            for name, value in response["headers"].items()
            if name.lower() not in left_out
        }
        body = response["body"].get("string")
        if isinstance(body, bytes):
            text = body.decode("utf-8", "replace")
            with suppress(ValueError):  # a page, or nothing, stays as it came
                text = json.dumps(self._keep(json.loads(text)), ensure_ascii=False)
            body = self._clean(text).encode()
            kept = {
                name: [str(len(body))] if name.lower() == "content-length" else value for name, value in kept.items()
            }
        return {**response, "headers": kept, "body": {**response["body"], "string": body}}

    def _clean(self, text: str) -> str:
        for secret, instead in self._scrub.items():
            text = text.replace(secret, instead)
        return text


def _each(clean: Callable[[str], str], value: Any) -> Any:
    """A header's value, or each of its values."""
    return [_each(clean, item) for item in value] if isinstance(value, list) else clean(str(value))


class _Serializer:
    """vcrpy's YAML, with a line on top that says what was recorded."""

    def __init__(self, against: str) -> None:
        self._against = against

    def serialize(self, cassette: dict[str, Any]) -> str:
        told = {"recorded_against": self._against, "recorded_on": f"{datetime.now(UTC):%Y-%m-%d}", **cassette}
        return str(yaml.safe_dump(told, sort_keys=False, allow_unicode=True, width=120))

    def deserialize(self, text: str) -> Any:
        return yaml.safe_load(text)
