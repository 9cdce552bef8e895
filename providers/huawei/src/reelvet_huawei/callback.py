"""Callbacks of v3: who sent them, and what they say. Pure.

https://support.huaweicloud.com/api-moderation/moderation_03_0071.html
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from reelvet.http import Headers
from reelvet.plugins import Callback
from reelvet.schema.errors import CallbackForged, CallbackRejected
from reelvet.schema.task import TaskRef
from reelvet_huawei import read, whose, wire

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pydantic import SecretStr

SIGNATURE = "X-Auth-Signature"
_PLACEHOLDER = "{key}"
_KEY = "key"


def parse(
    body: bytes,
    headers: Mapping[str, str],
    query: Mapping[str, str],
    secrets: Sequence[SecretStr],
    *,
    template: str | None,
) -> Callback:
    """A callback. Never trusted: its signature covers neither status nor result, so the job is to be read again.

    Args:
        body: As it came in.
        headers: As they came in.
        query: Of the URL it came to; what a route found in the path may stand in it too, under `key`.
        secrets: The seeds that may have been used; with none, it is not verified.
        template: The URL that jobs give, with `{key}`.

    Raises:
        CallbackForged: No seed fits its signature.
        CallbackRejected: It is malformed.
    """
    payload = wire.parsed(body)
    job = wire.Job.model_validate(payload if isinstance(payload, dict) else {})
    if not job.job_id or not whose.ID.fullmatch(job.job_id):
        raise CallbackRejected("the callback names no job", way_out="Give the body as it came in.")
    if secrets and not _is_signed(job, Headers(headers).get(SIGNATURE), secrets):
        raise CallbackForged(
            f"the callback of job {job.job_id} is not signed with any of {len(secrets)} seeds",
            way_out="Check that the seed is the one the job was created with.",
        )
    category = read.recognize(payload).ref.category if read.api_of(payload) else read.VIDEO
    ref = TaskRef(id=job.job_id, name=read.VIDEO, category=category)
    raw = read.raw_task(payload, ref=ref) if read.api_of(payload) else None
    return Callback(
        ref=ref,
        raw=raw,
        trusted=False,
        key=query.get(_parameter(template)) or _key(job.request_params.callback, template),
        event_id=f"{job.job_id}:{job.update_time or job.status or ''}",
    )


def key_in(payload: Any, template: str | None) -> str | None:
    """The job's key, as the reply to a query tells it: in the URL that the vendor was given for the callback."""
    job = wire.Job.model_validate(payload if isinstance(payload, dict) else {})
    return _key(job.request_params.callback, template)


def _is_signed(job: wire.Job, signature: str | None, secrets: Sequence[SecretStr]) -> bool:
    """HMAC-SHA256 over `create_time + job_id + request_id + seed`, keyed by the seed, compared in constant time.

    How the digest is written is not documented: hexadecimal and base64 are both read.
    """
    said = list(_digests(signature or ""))
    message = f"{job.create_time or ''}{job.job_id or ''}{job.request_id or ''}"
    fits = False
    for secret in secrets:
        seed = secret.get_secret_value()
        digest = hmac.new(seed.encode(), (message + seed).encode(), hashlib.sha256).digest()
        for one in said:
            fits |= hmac.compare_digest(one, digest)
    return fits


def _digests(signature: str) -> Iterator[bytes]:
    text = signature.strip()
    with suppress(ValueError):
        yield bytes.fromhex(text)
    with suppress(binascii.Error, ValueError):
        padded = text + "=" * (-len(text) % 4)
        yield base64.b64decode(padded, altchars=b"-_" if set(text) & set("-_") else None, validate=True)


def _parameter(template: str | None) -> str:
    """The parameter of the URL that holds the key: as the template has it, else by its name."""
    pairs = parse_qsl(urlsplit(template or "").query)
    return next((name for name, value in pairs if value == _PLACEHOLDER), _KEY)


def _key(url: str | None, template: str | None) -> str | None:
    """The job's key out of the URL that the vendor was given: by the template, or by the parameter's name."""
    if not url:
        return None
    if template is not None and _PLACEHOLDER in template:
        shape = "([^/?&#]+)".join(map(re.escape, template.split(_PLACEHOLDER)))
        found = re.fullmatch(shape, url)
        return unquote(found[1]) if found else None
    return dict[str, Any](parse_qsl(urlsplit(url).query)).get(_KEY)
