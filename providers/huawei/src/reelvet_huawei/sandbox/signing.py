"""SDK-HMAC-SHA256 as the documentation describes it, over the bytes that arrived. Nothing of the vendor's SDK is used.

https://support.huaweicloud.com/devg-apisign/api-sign-algorithm-002.html (the request), -003 (what is signed), -004
(the signature), -005 (the header).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote_to_bytes

if TYPE_CHECKING:
    from reelvet.sandbox import Call, World

ALGORITHM = "SDK-HMAC-SHA256"
DATE = "%Y%m%dT%H%M%SZ"
NEEDED = frozenset({"host", "x-sdk-date"})
"""What must be among the signed headers."""
_MOST_OFF = timedelta(minutes=15)
_UNSIGNED = "UNSIGNED-PAYLOAD"
_FORM = re.compile(rf"{ALGORITHM} Access=([^,\s]+), ?SignedHeaders=([^,\s]+), ?Signature=([0-9a-f]{{64}})")


@dataclass(frozen=True, slots=True)
class Authorization:
    """What the header of that name says."""

    access: str
    signed_headers: tuple[str, ...]
    signature: str

    @classmethod
    def parse(cls, header: str) -> Authorization | None:
        """The header's parts; `None` where it has another form."""
        found = _FORM.fullmatch(header.strip())
        return None if found is None else cls(found[1], tuple(found[2].split(";")), found[3])


def canonical_request(call: Call, signed_headers: tuple[str, ...]) -> bytes:
    """The request in the one form that both sides can make of it."""
    lines = [
        call.method.upper(),
        _canonical_path(call.path),
        _canonical_query(call.query),
        "".join(f"{name}:{_value(call, name)}\n" for name in sorted(signed_headers)),
        ";".join(sorted(signed_headers)),
        _digest(call),
    ]
    return "\n".join(lines).encode("latin-1")  # as header values came in, so that their bytes are those that were sent


def signature(canonical: bytes, date: str, secret: str) -> str:
    """What the holder of the secret key makes of it."""
    to_sign = f"{ALGORITHM}\n{date}\n{hashlib.sha256(canonical).hexdigest()}"
    return hmac.new(secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()


def is_in_time(world: World, signed: datetime, ahead: float) -> bool:
    """Whether something was signed within 15 minutes of now.

    Tests let days pass by hand while clients go on signing by the clock on the wall: either now will do.
    """
    moments = (world.clock.date(), datetime.now(UTC))
    return any(abs(moment + timedelta(seconds=ahead) - signed) <= _MOST_OFF for moment in moments)


def _canonical_path(path: str) -> str:
    """Each segment decoded and encoded anew, and a slash at the end, whether one was sent or not."""
    encoded = "/".join(_encoded(segment) for segment in path.split("/"))
    return encoded if encoded.endswith("/") else f"{encoded}/"


def _canonical_query(query: str) -> str:
    pairs = [pair.partition("=") for pair in query.split("&") if pair]
    return "&".join(sorted(f"{_encoded(name)}={_encoded(value)}" for name, _, value in pairs))


def _encoded(text: str) -> str:
    """By RFC 3986, where `+` is a plus and no space."""
    return quote(unquote_to_bytes(text.encode("latin-1")), safe="-_.~")


def _value(call: Call, name: str) -> str:
    return ",".join(value.strip() for known, value in call.headers if known == name)


def _digest(call: Call) -> str:
    if call.body and call.header("x-sdk-content-sha256") == _UNSIGNED:
        return _UNSIGNED
    return hashlib.sha256(call.body).hexdigest()
