"""TC3-HMAC-SHA256, checked over the bytes that were sent.

Written from https://www.tencentcloud.com/document/api/266/34114 alone: it shares no line with what signs for the provider.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reelvet_tencent.sandbox.refusal import Refused, missing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reelvet.sandbox import Call

SERVICE = "vm"
SKEW = 300.0
"""Seconds by which the clocks may differ."""

_ALGORITHM = "TC3-HMAC-SHA256"
_HEADER = re.compile(
    rf"{_ALGORITHM} Credential=([^/\s,]+)/(\d{{4}}-\d\d-\d\d)/([a-z0-9]+)/tc3_request,"
    r" ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})"
)
_MUST_SIGN = frozenset({"content-type", "host"})
_UNSIGNED = "UNSIGNED-PAYLOAD"
_FAILURE = Refused(
    "AuthFailure.SignatureFailure",
    "The provided credentials could not be validated. Please check your signature is correct.",
)


@dataclass(frozen=True, slots=True)
class Account:
    """A key pair that is known; a temporary one has a token."""

    secret_id: str
    secret_key: str
    token: str | None = None


def check(call: Call, accounts: Iterable[Account], now: float) -> None:
    """Checks who sent a request.

    Args:
        call: The request.
        accounts: The key pairs that are known.
        now: The wall's time: a client signs with its own clock, and knows nothing of a virtual one.

    Raises:
        Refused: It is not, or not correctly, signed.
    """
    id_, date, service, names, given = _authorization(call)
    timestamp = _timestamp(call, now)
    account = next((account for account in accounts if account.secret_id == id_), None)
    if account is None:
        raise _unknown(id_)
    if date != f"{datetime.fromtimestamp(timestamp, UTC):%Y-%m-%d}" or service != SERVICE:
        raise _FAILURE
    hashed = hashlib.sha256(canonical_request(call, names).encode("latin-1")).hexdigest()
    if not hmac.compare_digest(signature(account.secret_key, timestamp, date, service, hashed), given):
        raise _FAILURE
    if call.header("x-tc-token") != account.token:
        raise Refused("AuthFailure.TokenFailure", "The token is missing, expired or not that of the key.")


def canonical_request(call: Call, names: list[str]) -> str:
    """What is signed of a request: method, `/`, query, headers, their names, the hash of the body."""
    headers = "".join(f"{name}:{(call.header(name) or '').strip().lower()}\n" for name in sorted(names))
    body = call.body if call.method == "POST" else b""
    hashed = hashlib.sha256(_UNSIGNED.encode() if _is_unsigned(call) else body).hexdigest()
    query = call.query if call.method == "GET" else ""
    return "\n".join((call.method, "/", query, headers, ";".join(names), hashed))


def signature(secret_key: str, timestamp: int, date: str, service: str, hashed_request: str) -> str:
    """The signature of the hash of a canonical request."""
    key = f"TC3{secret_key}".encode()
    for part in (date, service, "tc3_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    to_sign = "\n".join((_ALGORITHM, str(timestamp), f"{date}/{service}/tc3_request", hashed_request))
    return hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()


def _is_unsigned(call: Call) -> bool:
    return call.header("x-tc-content-sha256") == _UNSIGNED


def _authorization(call: Call) -> tuple[str, str, str, list[str], str]:
    header = call.header("authorization")
    if not header:
        raise missing("Authorization")
    found = _HEADER.fullmatch(header)
    names = found[4].split(";") if found else []
    if found is None or not _MUST_SIGN.issubset(names) or names != sorted(set(names)):
        raise Refused("AuthFailure.InvalidAuthorization", "The request header `Authorization` is invalid.")
    return found[1], found[2], found[3], names, found[5]


def _timestamp(call: Call, now: float) -> int:
    header = call.header("x-tc-timestamp")
    if header is None:
        raise missing("Timestamp")
    if not (header.isascii() and header.isdecimal() and len(header) < len("99999999999")):
        raise Refused("InvalidParameter", "The value type of parameter `Timestamp` is not valid.")
    if abs(int(header) - now) > SKEW:
        says = "The signature is expired: the timestamp and the server's time differ by more than five minutes."
        raise Refused("AuthFailure.SignatureExpire", says)
    return int(header)


def _unknown(secret_id: str) -> Refused:
    if not secret_id.startswith("AKID"):  # as every SecretId in the documentation does
        return Refused("AuthFailure.InvalidSecretId", "The SecretId is not a key of the cloud API.")
    return Refused(
        "AuthFailure.SecretIdNotFound", "The SecretId is not found, please ensure that your SecretId is correct."
    )
