"""What is sent and what comes back, as plain values: no HTTP library is needed to make or read them.

A request is exact: its URL and its body are the very bytes that go out, so a signature over them holds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, ItemsView, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import Any, Self, TypeVar
from urllib.parse import SplitResult, quote, urlsplit

from reelvet.schema.errors import UnexpectedReply
from reelvet.schema.lenient import MOST_DEEP, is_too_deep, storable
from reelvet.schema.urls import MASK, mask_url

# RFC 3986: what may stand in a URL as it is, and a percent sign only before two hex digits.
_URL = re.compile(r"https?://[A-Za-z0-9._\-:\[\]]+(?:[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*", re.ASCII)
# An escaped half of a surrogate pair; most are followed by the other half, and are whole once parsed.
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+", re.ASCII)
_ENDS_A_HEADER = re.compile(r"[\r\n\0]")

_Plain = TypeVar("_Plain", bound="Request | Reply")

_SENSITIVE = re.compile(r"auth|token|cookie|secret|signature|credential|api-?key|password", re.IGNORECASE)


class Effect(Enum):
    """What a request does at the vendor: this, and not its verb, decides whether it may be sent again."""

    READ = "read"
    """Changes nothing."""
    REPEATABLE = "repeatable"
    """Changes something, and once more changes nothing more: cancel, delete."""
    CREATE = "create"
    """May create something that is billed."""


class Headers(Mapping[str, str]):
    """Headers in the order and spelling given, looked up without regard to case. Immutable.

    A header that occurs several times is one value, joined by `, `.

    Raises:
        ValueError: A name or value that cannot stand in a header.
    """

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> None:
        if isinstance(items, Headers):
            self._items: dict[str, tuple[str, str]] = items._items  # noqa: SLF001 - our own: checked already, and never changed
            return
        self._items = {}
        # Dictionaries are asked for first: what is abstract takes long to be told.
        for name, value in items.items() if isinstance(items, dict | Mapping) else items:
            lowered = _checked(name, value)
            known = self._items.get(lowered)
            self._items[lowered] = (known[0], f"{known[1]}, {value}") if known else (name, value)

    def __getitem__(self, name: str) -> str:
        return self._items[name.lower()][1]

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._items.values())

    def __len__(self) -> int:
        return len(self._items)

    def items(self) -> ItemsView[str, str]:
        """Pairs of name, as it was spelled, and value."""
        return dict(self._items.values()).items()

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._items

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and dict(self.lowered()) == dict(other.lowered())

    def __hash__(self) -> int:
        return hash(frozenset(self.lowered()))

    def __repr__(self) -> str:
        return f"Headers({self.masked()!r})"

    def lowered(self) -> list[tuple[str, str]]:
        """Pairs with lower-case names, as signatures are made over them."""
        return [(name, value) for name, (_, value) in self._items.items()]

    def masked(self) -> dict[str, str]:
        """The headers with `***` for those whose name says that they carry a secret."""
        return {name: MASK if _SENSITIVE.search(name) else value for name, value in self.items()}

    def merged(self, *others: Mapping[str, str]) -> Headers:
        """A copy in which the headers of `others` replace those of the same name."""
        merged = object.__new__(Headers)
        merged._items = {**self._items}
        for other in others:
            merged._items.update({_checked(name, value): (name, value) for name, value in other.items()})
        return merged


def _checked(name: str, value: str) -> str:
    """The name in lower case."""
    lowered = _lowered(name)
    if lowered is None or _ENDS_A_HEADER.search(value):
        raise ValueError(f"not a header: {name!r}")
    return lowered


@lru_cache(1024)
def _lowered(name: str) -> str | None:
    """A name in lower case, `None` if it cannot be one. Remembered, as it is always the same few."""
    return name.lower() if _TOKEN.fullmatch(name) else None


def encode_query(query: Mapping[str, Any] | Sequence[tuple[str, Any]]) -> str:
    """Name and value pairs as a query string by RFC 3986: everything but letters, digits and `-._~` is escaped.

    A list or tuple as value repeats its name; `None` leaves it out; booleans are written `true` and `false`.
    """
    pairs = query.items() if isinstance(query, Mapping) else query
    flat = ((name, item) for name, value in pairs for item in (value if isinstance(value, list | tuple) else [value]))
    return "&".join(f"{quote(name, safe='')}={quote(_text(item), safe='')}" for name, item in flat if item is not None)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(frozen=True, slots=True, repr=False)
class Request:
    """One request, byte for byte as it will go out.

    Args:
        method: The verb, upper case.
        url: Absolute, http or https, already percent-encoded, without user info and fragment.
        headers: Values go out as UTF-8.
        content: The body.
        effect: Decides whether the request may be repeated.
        operation: A short fixed name (`CreateTask`): the key of throttle, spans and metrics. Never an id or a URL.

    Raises:
        ValueError: The URL is not as described, or a header could not be sent.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=Headers)
    content: bytes = b""
    effect: Effect = Effect.CREATE
    operation: str = "request"

    def __post_init__(self) -> None:
        if not _is_exact(self.url):
            raise ValueError(
                f"not an absolute, encoded http(s) URL without user info and fragment: {mask_url(self.url)}"
            )
        if not _TOKEN.fullmatch(self.method) or self.method != self.method.upper():
            raise ValueError(f"not an upper-case HTTP method: {self.method!r}")
        object.__setattr__(self, "headers", Headers(self.headers))

    @classmethod
    def build(
        cls,
        method: str,
        url: str,
        *,
        effect: Effect,
        operation: str,
        query: Mapping[str, Any] | Sequence[tuple[str, Any]] = (),
        json_body: Any = None,
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Request:
        """A request with its query encoded and its JSON body written, once and for all.

        Args:
            method: The verb.
            url: As in the class, with or without a query.
            effect: As in the class.
            operation: As in the class.
            query: Appended to the URL, see `encode_query`.
            json_body: Written as compact UTF-8 JSON with `Content-Type: application/json`, unless `headers` says otherwise.
            content: The body, if it is not JSON.
            headers: Further headers.
        """
        encoded = encode_query(query)
        if encoded:
            url += ("&" if "?" in url else "?") + encoded
        given = Headers(headers or {})
        if json_body is not None:
            content = _write_json(json_body).encode()
            if "Content-Type" not in given:
                given = _JSON.merged(given)
        return cls(method.upper(), url, given, content, effect, operation)

    def with_headers(self, headers: Mapping[str, str]) -> Self:
        """A copy in which `headers` are added, or replace those of the same name."""
        # Not `replace`, which would check the URL again: each call is given headers several times.
        return _copied(self, headers=Headers(self.headers).merged(headers))

    @property
    def path(self) -> str:
        """The path as it goes out, `/` if there is none."""
        return urlsplit(self.url).path or "/"

    @property
    def query(self) -> str:
        """The query string as it goes out, without `?`."""
        return urlsplit(self.url).query

    @property
    def host(self) -> str:
        """Host, with the port if the URL names one: what the `Host` header says."""
        return urlsplit(self.url).netloc

    def __repr__(self) -> str:
        headers = Headers(self.headers).masked()
        return f"Request({self.method} {mask_url(self.url)}, headers={headers}, {len(self.content)} bytes, {self.effect.value})"


_JSON = Headers({"Content-Type": "application/json"})
_write_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


@lru_cache(256)
def _is_exact(url: str) -> bool:
    """Whether a URL goes out as it is. Remembered, as most calls go to the same few."""
    parts = urlsplit(url)
    # An empty query would be dropped on the way out, and a signature over it would not hold.
    return bool(
        _URL.fullmatch(url)
        and _has_port_or_none(parts)
        and not url.endswith("?")
        and "@" not in parts.netloc
        and parts.hostname
    )


def _copied(value: _Plain, **changed: Any) -> _Plain:
    """A copy of a request or reply with other values, which are not checked again."""
    copy = object.__new__(type(value))
    for name in value.__slots__:
        object.__setattr__(copy, name, changed[name] if name in changed else getattr(value, name))
    return copy


def _has_port_or_none(parts: SplitResult) -> bool:
    try:
        return parts.port is None or parts.port > 0
    except ValueError:
        return False


def _is_too_deep(content: bytes, read: Any) -> bool:
    # Most replies have not even so many brackets in all.
    return content.count(b"[") + content.count(b"{") > MOST_DEEP and is_too_deep(read)


def _as_is(text: str) -> str:
    return text


@dataclass(frozen=True, slots=True, repr=False)
class Reply:
    """What came back, decoded and whole.

    Args:
        status: The HTTP status.
        headers: Case-insensitive.
        content: The body after content decoding.
        url: The URL that was asked, masked.
        request_id: The vendor's id of the request, from the headers that the session was told to look at.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=Headers)
    content: bytes = b""
    url: str = ""
    request_id: str | None = None
    provider: str | None = None
    instance: str | None = None
    redact: Callable[[str], str] = field(default=_as_is, compare=False)
    _read: tuple[Any, bool] | None = field(default=None, init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "headers", Headers(self.headers))

    @property
    def text(self) -> str:
        """The body as text; bytes that are not UTF-8 become replacement characters."""
        return self.content.decode("utf-8", "replace")

    def of_session(
        self, *, request_id: str | None, provider: str, instance: str, redact: Callable[[str], str]
    ) -> Reply:
        """A copy that says whose it is."""
        return _copied(self, request_id=request_id, provider=provider, instance=instance, redact=redact)

    def json(self) -> Any:
        """The body as JSON. Parsed once: it is the same value each time, which nobody may change.

        Raises:
            UnexpectedReply: It is none. The error carries the redacted body.
        """
        try:
            read, is_deep = self._parsed()
            if not is_deep:
                return read
            why = "is nested too deep"
        except RecursionError:
            why = "is nested too deep"
        except ValueError:
            why = f"is not JSON ({self.headers.get('Content-Type', 'no content type')}, {len(self.content)} bytes)"
        raise UnexpectedReply(
            f"the reply of {self.url} {why}",
            self.provider,
            self.instance,
            status=self.status,
            request_id=self.request_id,
            body=self.redact(self.text),
        )

    def json_if_any(self) -> Any:
        """The same, `None` where it is no JSON; however deep it is nested. For classifiers, who see every reply."""
        try:
            return self._parsed()[0]
        except (ValueError, RecursionError):
            return None

    def _parsed(self) -> tuple[Any, bool]:
        if (known := self._read) is None:
            read = json.loads(self.content)
            is_deep = _is_too_deep(self.content, read)
            known = (storable(read) if not is_deep and _HALF.search(self.content) else read), is_deep
            object.__setattr__(self, "_read", known)
        return known

    def __repr__(self) -> str:
        return f"Reply({self.status}, {len(self.content)} bytes, request_id={self.request_id!r})"
