"""Gcore's refusals -> typed errors. The Streaming API has no error codes: its statuses decide, and documented texts.

Sources: https://gcore.com/docs/api-reference/streaming/ai/create-ai-task (the API), and
https://gcore.com/docs/developer-tools/rest-api/error-handling (all of Gcore).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from reelvet.http import classify_status, retry_after
from reelvet.schema.errors import (
    AuthenticationFailed,
    FeatureDisabled,
    InvalidRequest,
    MediaRejected,
    PermissionDenied,
    ProviderError,
    RateLimited,
    TaskConflict,
    TaskNotFound,
)
from reelvet.schema.task import TaskError

if TYPE_CHECKING:
    from reelvet.http import Reply, Request

_API = "https://gcore.com/docs/api-reference/streaming/ai/create-ai-task"
_GUIDE = "https://gcore.com/docs/developer-tools/rest-api/error-handling"
# What such a message goes on with is a piece of the token.
_TOKEN = re.compile(r"(Bad (?:permanent )?token:)[^\"}]*")


@dataclass(frozen=True, slots=True)
class Row:
    """One documented refusal."""

    status: int
    says: str
    """How the text begins, exactly; empty for any text."""
    error: type[ProviderError]
    created: Literal["no", "maybe"]
    way_out: str
    source: str


_WAIT = "Wait until tasks have ended: the vendor's queue takes 100"
ROWS = (
    Row(400, "Queue limit reached", RateLimited, "no", _WAIT, _API),
    Row(400, "", InvalidRequest, "no", "See what `reelvet plan` says would be sent", _API),
    Row(
        401, "Bad permanent token", AuthenticationFailed, "no",
        "Check `api_key`; a shell cuts a token at its `$` within double quotes, so write it in single quotes", _GUIDE,
    ),
    Row(401, "", AuthenticationFailed, "no", "Give a permanent API token of the account as `api_key`", _GUIDE),
    Row(403, "", PermissionDenied, "no", "Give the token's user the rights for Streaming", _GUIDE),
    Row(404, "", TaskNotFound, "no", "Results are kept for one month; check the account and the task's id", _API),
    Row(412, "", TaskConflict, "no", "Fetch it: a task that has ended cannot be cancelled", _API),
    Row(
        422, "Feature is disabled", FeatureDisabled, "no",
        "Have Gcore's support enable Streaming AI for the account: support@gcore.com", _API,
    ),
    Row(422, "", InvalidRequest, "no", "See what `reelvet plan` says would be sent", _API),
    Row(429, "", RateLimited, "no", "Wait, or set `requests_per_second`", _API),
)  # fmt: skip
"""In order: the first row of the status whose text fits. Other statuses are told by the status, `created: maybe`."""


@dataclass(frozen=True, slots=True)
class FailureRow:
    """One documented reason of a task that ended with FAILURE."""

    says: str
    error: type[ProviderError]
    retryable: bool


FAILURES = (FailureRow("Unsupported file type", MediaRejected, retryable=False),)
"""The one reason that the API documents; any other is a ProviderError of which nobody says whether it will pass."""


def classify(request: Request, reply: Reply) -> ProviderError | None:
    """The error of a reply; `None` for a success."""
    if 200 <= reply.status < 300:  # noqa: PLR2004
        return None
    body = _json(reply.content)
    says = vendor_text(body)
    row = next((row for row in ROWS if row.status == reply.status and _is_of(row, says)), None)
    if row is None:  # no refusal of the vendor's API: a gateway's page, or a status that it does not document
        error = classify_status(request, reply)
        if error is not None:
            error.body = _without_token(reply.text)
        return error
    told = _without_token(says or f"was answered with HTTP {reply.status}")
    return row.error(
        f"{request.operation}: {told.rstrip('.')}",
        status=reply.status,
        code=_text_of(body, "exception_class"),
        request_id=reply.request_id or _text_of(body, "request_id"),
        retry_after=retry_after(reply),
        created=row.created,
        body=_without_token(reply.text),
        way_out=f"{row.way_out}.",
    )


def _is_of(row: Row, says: str | None) -> bool:
    """Whether a refusal is that of a row: by its text, or by a status that says all by itself."""
    return row.error is RateLimited and not row.says if says is None else says.startswith(row.says)


def _without_token(text: str) -> str:
    return _TOKEN.sub(r"\1 ***", text)


def task_error(says: str | None) -> TaskError:
    """Why a task ended with FAILURE, as data."""
    row = _failure(says)
    return TaskError(
        message=says or "the vendor gives no reason",
        type=(row.error if row else ProviderError).__name__,
        retryable=row.retryable if row else None,
    )


def is_documented_failure(says: str | None) -> bool:
    """Whether a text is one that tasks are known to fail with, and no refusal of a call."""
    return _failure(says) is not None


def _failure(says: str | None) -> FailureRow | None:
    return next((row for row in FAILURES if says and says.startswith(row.says)), None)


def vendor_text(body: Any) -> str | None:
    """The text of an error, under any of the names that Gcore's products use, the Streaming API's first."""
    if not isinstance(body, dict):
        return None
    for name in ("error", "message", "detail"):
        if isinstance(body.get(name), str):
            return str(body[name])
    told = body.get("errors")
    if isinstance(told, list) and told:
        return "; ".join(str(item) for item in told)
    return None


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _text_of(body: Any, name: str) -> str | None:
    value = body.get(name) if isinstance(body, dict) else None
    return value if isinstance(value, str) else None
