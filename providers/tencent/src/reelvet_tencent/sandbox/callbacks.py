"""What is sent to `CallbackUrl`, signed with `Seed`. https://cloud.tencent.com/document/practice/1265/104001."""

from __future__ import annotations

import hashlib
import json
import math
from typing import TYPE_CHECKING, Any

from reelvet_tencent.sandbox import results

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reelvet.sandbox import Clock, Task
    from reelvet_tencent.sandbox.models import Dialect

SIGNATURE = "X-Signature"
MOST = 30
"""Pictures and sounds at most that the last callback names."""


def headers(body: bytes, seed: str | None) -> dict[str, str]:
    """The headers of a callback; it is signed only where a seed was given."""
    signed = {SIGNATURE: sign(body, seed)} if seed else {}
    return {"Content-Type": "application/json", **signed}


def sign(body: bytes, seed: str) -> str:
    """The signature of a body: SHA-256 over the seed and it."""
    digest = hashlib.sha256(seed.encode())
    digest.update(body)
    return digest.hexdigest()


def planned(task: Task, clock: Clock, dialect: Dialect) -> Iterator[tuple[float, bytes]]:
    """When, and what, a task calls back: a stream for every violation, and any task at its end.

    That a task which is cancelled calls back is not documented, so it does not.
    """
    if task.extra["live"] and task.extra["reason"] is None:
        for segment in sorted(task.extra["segments"], key=lambda one: one.ready):
            moment = task.starts + segment.ready
            if segment.hits and moment < task.ends:
                told = results.detail(task, moment, clock, dialect)
                told |= results.verdict([segment], finished=False)
                told |= {name: [segment.data] if segment.kind == name else [] for name in results.LISTS}
                yield moment, _body(told, dialect)
    if math.isfinite(task.ends):
        yield task.ends, _body(_last(task, clock, dialect), dialect)


def _last(task: Task, clock: Clock, dialect: Dialect) -> dict[str, Any]:
    """The end: at most the first 30 violating segments. Whether that is 30 of each kind is not said; here it is."""
    told = results.detail(task, task.ends, clock, dialect)
    violating = [segment for segment in results.known(task, task.ends) if segment.hits]
    told |= {name: [one.data for one in violating if one.kind == name][:MOST] for name in results.LISTS}
    return told


def _body(told: dict[str, Any], dialect: Dialect) -> bytes:
    """The fields of DescribeTaskDetail without `Response`, and without the RequestId of any request."""
    trimmed = dialect.trimmed("DescribeTaskDetailResponse", told)
    return json.dumps(trimmed, ensure_ascii=False, separators=(",", ":")).encode()
