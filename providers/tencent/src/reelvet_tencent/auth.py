"""TC3-HMAC-SHA256, with the signing function of Tencent's own SDK.

https://cloud.tencent.com/document/api/213/30654
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from reelvet.http import Request

SERVICE = "vm"
ALGORITHM = "TC3-HMAC-SHA256"
SIGNED = ("content-type", "host", "x-tc-action")
"""What is signed. The SDK leaves the action out, so whoever could change it in transit could turn one call into another."""

_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Keys:
    """A key pair, with the token of a temporary one."""

    secret_id: str = field(repr=False)
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


class Tc3:
    """Signs requests with whatever keys hold at the time.

    Args:
        keys: Gives them; called for each try.
        service: The vendor's product.
    """

    def __init__(self, keys: Callable[[], Keys], service: str = SERVICE) -> None:
        # Light, and still not loaded by whoever only plans or reads.
        from tencentcloud.common.sign import Sign  # type: ignore[import-untyped]  # noqa: PLC0415

        self._keys = keys
        self._service = service
        self._sign: Callable[[str, str, str, str], str] = Sign.sign_tc3

    def sign(self, request: Request, now: datetime, /) -> Request:
        """The request with its credentials."""
        keys = self._keys()
        seconds = int(now.timestamp())
        timestamp, date = str(seconds), _date(seconds // _DAY)
        told = {"Host": request.host, "X-TC-Timestamp": timestamp}
        if keys.token:
            told["X-TC-Token"] = keys.token
        request = request.with_headers(told)
        scope = f"{date}/{self._service}/tc3_request"
        to_sign = "\n".join([ALGORITHM, timestamp, scope, _digest(canonical(request).encode())])
        signature = self._sign(keys.secret_key, date, self._service, to_sign)
        credential = f"Credential={keys.secret_id}/{scope}"
        return request.with_headers(
            {"Authorization": f"{ALGORITHM} {credential}, SignedHeaders={';'.join(SIGNED)}, Signature={signature}"}
        )

    def __repr__(self) -> str:
        return "Tc3(***)"


def canonical(request: Request) -> str:
    """The canonical request: names and values of the signed headers in lower case, the path always `/`."""
    told = "".join(f"{name}:{request.headers[name].strip().lower()}\n" for name in SIGNED)
    return "\n".join([request.method, "/", request.query, told, ";".join(SIGNED), _digest(request.content)])


@lru_cache(2)
def _date(day: int) -> str:
    """The date in UTC of a day counted from 1970."""
    return datetime.fromtimestamp(day * _DAY, UTC).strftime("%Y-%m-%d")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
