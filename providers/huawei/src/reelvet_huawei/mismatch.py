"""Why a signature was not accepted: what the gateway made of the request that arrived, held against what was sent.

A gateway that cannot verify a signature answers with the canonical request it computed, `|` for each new line, as in
https://github.com/huaweicloud/huaweicloud-sdk-nodejs-v3/issues/2. What it is made of:
https://support.huaweicloud.com/devg-apisign/api-sign-algorithm-002.html
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from reelvet.http import Reply, Request

_MARK = "canonicalRequest:"
_SECRET = re.compile(
    r"""((?:x-security-token|x-auth-token|x-subject-token|authorization)(?:\\*["'])?\s*[:=]\s*(?:\\*["'])?)[^|"'\\\s,}]+""",
    re.IGNORECASE,
)
_LEAST = 6
"""Method, path, query, one header at least, names of headers, digest."""
_CLOCK = "The clock may be off by 15 minutes at most"
_MOST_OFF = timedelta(minutes=15)
_SIGNED_AT = "%Y%m%dT%H%M%SZ"


def without_secrets(text: str) -> str:
    """The text without the tokens that an echoed request carries."""
    return _SECRET.sub(r"\1***", text)


def explain(request: Request, says: str) -> str | None:
    """What differs between the request as it arrived and as it was sent; `None` where the gateway does not echo it."""
    _, mark, echoed = says.partition(_MARK)
    parts = echoed.split("|")
    if not mark or len(parts) < _LEAST:
        return None
    method, path, query = parts[:3]
    digest = parts[-1].strip()
    headers = dict(line.partition(":")[::2] for line in parts[3:-2] if ":" in line)
    sent = {name.lower(): value.strip() for name, value in request.headers.items()}
    faults = []
    if method != request.method:
        faults.append(f"the method arrived as {method}, and {request.method} was sent")
    if unquote(path).rstrip("/") != unquote(request.path).rstrip("/"):
        faults.append(f"the path arrived as {path}, and {request.path} was sent")
    if sorted(unquote(query).split("&")) != sorted(unquote(request.query).split("&")):
        faults.append("the query arrived otherwise than it was sent")
    faults += [
        f"the header {name} arrived otherwise than it was signed"
        for name, value in headers.items()
        if sent.get(name) != value.strip()
    ]
    if digest != hashlib.sha256(request.content).hexdigest():
        faults.append("the body arrived otherwise than it was sent")
    if not faults:
        return f"What arrived is what was sent and signed, so it is the key pair: check `ak` and `sk`. {_CLOCK}."
    return f"Something between here and the vendor changes the request: {'; '.join(faults)}. {_CLOCK}."


def clock_off(request: Request, reply: Reply) -> str | None:
    """What to do about a clock that is further off than the gateway allows; `None` where it is not, as far as is seen.

    The reply's date is held against the one that was signed.
    """
    try:
        signed = datetime.strptime(request.headers.get("X-Sdk-Date") or "", _SIGNED_AT).replace(tzinfo=UTC)
        theirs = parsedate_to_datetime(reply.headers.get("Date") or "").astimezone(UTC)
    except ValueError:
        return None
    off = signed - theirs
    if abs(off) <= _MOST_OFF:
        return None
    way = "ahead of" if off > timedelta(0) else "behind"
    return (
        f"This machine's clock is {round(abs(off).total_seconds() / 60)} minutes {way} the vendor's: set it. {_CLOCK}."
    )
