"""Tencent's callbacks: verified over the raw bytes, and read as what DescribeTaskDetail answers.

https://cloud.tencent.com/document/practice/1265/104001
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any, NoReturn

from reelvet.plugins import Callback
from reelvet.schema import lenient
from reelvet.schema.errors import CallbackForged, CallbackRejected
from reelvet.schema.task import Status, TaskRef
from reelvet_tencent.read import raw_task

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import SecretStr

SIGNATURE = "X-Signature"
LARGEST = 16 * 1024 * 1024
"""Bytes of a callback at most; what the vendor sends at most is not documented."""


def sign(body: bytes, seed: str) -> str:
    """What `X-Signature` says of a body: SHA-256 over the seed and the body."""
    return hashlib.sha256(seed.encode("utf-8", "surrogatepass") + body).hexdigest()


def parse(body: bytes, headers: Mapping[str, str], seeds: Sequence[SecretStr]) -> Callback:
    """A callback. It is trusted if its signature holds; without a seed there is none to hold.

    A signature of this kind can be carried on: whoever has seen one callback can append bytes to it, beginning with
    0x80, and sign that without the seed. So the body must be JSON in strict UTF-8 from its first byte to its last.
    Nor does it hold a time: an old callback verifies for ever, and is told by its `event_id`.

    Raises:
        CallbackForged: It is not signed, or its signature does not hold.
        CallbackRejected: It is malformed.
    """
    if len(body) > LARGEST:
        _reject(f"it has {len(body)} bytes")
    given = next((value for name, value in headers.items() if name.lower() == SIGNATURE.lower()), None)
    trusted = False
    if seeds:
        # With an empty one anybody could sign: the signature would be the digest of the body alone.
        usable = [value for seed in seeds if (value := seed.get_secret_value()).strip()]
        if not usable:
            _reject("its seed is empty", CallbackForged)
        if given is None:
            _reject(f"it has no {SIGNATURE}", CallbackForged)
        # Every seed is tried, so that the time it takes says nothing of which one it was.
        told = given.strip().encode("utf-8", "surrogatepass")  # headers may hold what is no text
        held = [hmac.compare_digest(sign(body, seed).encode(), told) for seed in usable]
        trusted = any(held)
        if not trusted:
            _reject(f"its {SIGNATURE} does not hold", CallbackForged)
    payload = _json(body)
    task_id = lenient.text(payload.get("TaskId"))
    if not task_id or not task_id.strip():
        _reject("it names no task")
    ref = TaskRef(id=task_id, category=lenient.text(payload.get("Type")) or None)
    raw = raw_task(payload, ref=ref)
    return Callback(
        ref=ref,
        raw=raw,
        trusted=trusted,
        key=raw.vendor_key,
        event_id=event_id(payload),
        # At the end it names the first 30 pictures and sounds that hit, while it runs the one that just did.
        complete=raw.status in {Status.FAILED, Status.CANCELED},
    )


def event_id(payload: Mapping[str, Any]) -> str:
    """Equal for two deliveries of one event: by task, status, the pictures and sounds that it names, and what it says of them."""
    told = [lenient.text(payload.get("TaskId")) or "", lenient.text(payload.get("Status")) or ""]
    for name, short in (("ImageSegments", "image"), ("AudioSegments", "audio"), ("VideoSegments", "video")):
        for segment in lenient.items(payload.get(name)):
            offset = lenient.mapping(segment)
            fine = lenient.text(offset.get("OffsetusTime"))
            told.append(f"{short}={lenient.text(offset.get('OffsetTime')) or ''}{f'/{fine}' if fine else ''}")
    # Two policies, or two labels of one, may hit at one place.
    said = json.dumps({name: _lasting(payload.get(name)) for name in _TELLING}, sort_keys=True)
    return ":".join([*told, hashlib.sha256(said.encode()).hexdigest()[:16]])


_TELLING = (
    "Suggestion", "Label", "Labels", "ErrorType", "ImageSegments", "AudioSegments", "VideoSegments", "HitSnippetInfos",
)  # fmt: skip
_PASSING = frozenset({"CreatedAt", "RequestId", "Url", "VideoUrl", "AudioUrl"})
"""What may be another with each delivery: dates, links that are signed anew."""


def _lasting(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _lasting(item) for name, item in value.items() if name not in _PASSING}
    return [_lasting(item) for item in value] if isinstance(value, list) else value


def _json(body: bytes) -> dict[str, Any]:
    try:
        payload = json.loads(body.decode("utf-8"), parse_constant=_no_number, object_pairs_hook=_once_each)
    except (ValueError, RecursionError):
        _reject("it is no JSON in UTF-8")
    if not isinstance(payload, dict):
        _reject("it is no JSON object")
    if lenient.is_too_deep(payload):
        _reject("it is nested deeper than any of the vendor's")
    return payload


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name occurs twice")
    return made


def _reject(says: str, error: type[CallbackRejected] = CallbackRejected) -> NoReturn:
    raise error(
        f"the callback is refused: {says}", "tencent", way_out="Check the seed of the job, and answer 4xx to others."
    )
