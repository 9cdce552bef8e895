"""The signature of OBS in a header, over the bytes that arrived. Nothing of the vendor's SDK is used.

https://support.huaweicloud.com/intl/en-us/api-obs/obs_04_0010.html. Beside its own form (`OBS`, headers `x-obs-`) it
takes the one that its clients use where a bucket stands in the path (`AWS`, headers `x-amz-`): the same but for the names.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from reelvet_huawei.sandbox import account
from reelvet_huawei.sandbox.signing import is_in_time

if TYPE_CHECKING:
    from reelvet.sandbox import Call, World

_FORM = re.compile(r"(OBS|AWS) ([^:\s]+):([A-Za-z0-9+/]+={0,2})")
_PREFIX = {"OBS": "x-obs-", "AWS": "x-amz-"}


def is_signed(call: Call) -> bool:
    """Whether a request carries such a signature, right or wrong."""
    return (call.header("authorization") or "").startswith(("OBS ", "AWS "))


def fault(call: Call, resource: str, *, world: World, ahead: float) -> tuple[str, str] | None:
    """Code and words of why a request is not let in; `None` where it is.

    Args:
        call: The request.
        resource: What is asked for, as it is signed.
        world: Whose clock counts.
        ahead: By how many seconds the vendor's is ahead of it.
    """
    told = _FORM.fullmatch(call.header("authorization") or "")
    if told is None:
        return "AccessDenied", "Access Denied"
    kind, ak, said = told[1], told[2], told[3]
    secret = account.SECRETS.get(ak)
    token = call.header(f"{_PREFIX[kind]}security-token")
    if secret is None or (token != account.SECURITY_TOKEN if ak == account.TEMPORARY_AK else token is not None):
        return "InvalidAccessKeyId", "The AWS access key Id you provided does not exist in our records."
    try:
        date = parsedate_to_datetime(call.header(f"{_PREFIX[kind]}date") or call.header("date") or "").astimezone(UTC)
    except ValueError:
        return "AccessDenied", "A valid Date or x-obs-date header is required"
    if not is_in_time(world, date, ahead):
        return "RequestTimeTooSkewed", "The difference between the request time and the current time is too large."
    digest = hmac.new(secret.encode(), _text(call, kind, resource).encode("latin-1"), hashlib.sha1).digest()
    if hmac.compare_digest(base64.b64encode(digest).decode(), said):
        return None
    return "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided."


def _text(call: Call, kind: str, resource: str) -> str:
    """What is signed. Only parameters that name a part of an object are part of it, and there are none of those here."""
    prefix = _PREFIX[kind]
    own = sorted((name, value.strip()) for name, value in call.headers if name.startswith(prefix))
    date = "" if any(name == f"{prefix}date" for name, _ in own) else call.header("date") or ""
    lines = [call.method, call.header("content-md5") or "", call.header("content-type") or "", date]
    return "\n".join([*lines, *(f"{name}:{value}" for name, value in own), resource])
