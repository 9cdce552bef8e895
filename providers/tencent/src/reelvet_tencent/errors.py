"""Tencent's codes -> typed errors. HTTP says 200 of an error too: the code in the body decides.

Sources: https://cloud.tencent.com/api/error-center?product=vm, https://www.tencentcloud.com/document/api/1140/51177 (the
codes) and https://cloud.tencent.com/document/api/271/2056 (the shape of a reply).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from reelvet.http import classify_status, retry_after
from reelvet.schema import lenient
from reelvet.schema.errors import (
    AuthenticationFailed,
    FeatureDisabled,
    InvalidRequest,
    MediaRejected,
    PermissionDenied,
    ProviderError,
    QuotaExceeded,
    RateLimited,
    TaskConflict,
    TaskNotFound,
    UnexpectedReply,
    VendorUnavailable,
)
from reelvet.schema.task import TaskError
from reelvet_tencent.plugin import LIVE_VIDEO

if TYPE_CHECKING:
    from reelvet.http import Reply, Request

CODES = "https://cloud.tencent.com/api/error-center?product=vm"
GATEWAY = "https://www.tencentcloud.com/document/api/1140/51177"
DETAIL = "https://cloud.tencent.com/document/api/1265/51878"


@dataclass(frozen=True, slots=True)
class Row:
    """One documented code; those below it (`Code.Something`) count as it, unless they have a row of their own."""

    code: str
    error: type[ProviderError]
    created: Literal["no", "maybe"]
    way_out: str
    source: str = CODES
    retryable: bool | None = None
    """`None`: as the class of error says."""


_KEYS = "Check `secret_id`, `secret_key` and `token`; both editions have accounts of their own"
_CLOCK = "Set this machine's clock: a signature is good for 300 s"
_BODY = "See what `reelvet plan` says would be sent"
_RIGHTS = "Give the account the policy QcloudVMFullAccess"
_WAIT = "Wait, or set `requests_per_second`; of live streams 100 run at a time, and none waits"
_VENDOR = "Try again later; if it stays, ask Tencent's support, with the request's id"
_ROOM = "See at the vendor's console what is used up"
_REGION = "Check `region`, `edition` and `base_url`"

STREAMS = (
    "Of live streams 100 run at a time, unless Tencent agreed to more, and none waits: cancel one (`reelvet cancel`), or "
    "wait until one ends. If fewer run, there were too many requests: set `requests_per_second`."
)
"""What to do about RequestLimitExceeded where a stream was submitted: the code is that of too many requests too."""

ROWS = (
    Row("AuthFailure", AuthenticationFailed, "no", _KEYS),
    Row("AuthFailure.SignatureExpire", AuthenticationFailed, "no", _CLOCK, GATEWAY),
    Row("AuthFailure.UnauthorizedOperation", PermissionDenied, "no", _RIGHTS, GATEWAY),
    Row("AuthFailure.MFAFailure", PermissionDenied, "no", "Use a key that needs no second factor", GATEWAY),
    Row("DryRunOperation", InvalidRequest, "no", _BODY),
    Row("FailedOperation", VendorUnavailable, "maybe", _VENDOR, retryable=False),
    Row("InternalError", VendorUnavailable, "maybe", _VENDOR),
    Row("InvalidParameter", InvalidRequest, "no", _BODY),
    Row("InvalidParameterValue", InvalidRequest, "no", _BODY),
    Row("LimitExceeded", QuotaExceeded, "no", _ROOM),
    Row("MissingParameter", InvalidRequest, "no", _BODY),
    Row("OperationDenied", PermissionDenied, "no", _RIGHTS),
    Row("RequestLimitExceeded", RateLimited, "no", _WAIT),
    Row("ResourceInUse", TaskConflict, "no", "Fetch the task: it is in a state that does not allow this"),
    Row("ResourceInsufficient", QuotaExceeded, "no", _ROOM),
    Row("ResourceNotFound", TaskNotFound, "no", "Check the account, the region and the task's id"),
    Row("ResourceUnavailable", VendorUnavailable, "maybe", _VENDOR),
    Row("ResourcesSoldOut", QuotaExceeded, "no", _ROOM),
    Row("UnauthorizedOperation", PermissionDenied, "no", _RIGHTS),
    Row(
        "UnauthorizedOperation.Unauthorized", FeatureDisabled, "no",
        "The service is not activated, there is no package left, or the account is in arrears: see https://console.cloud.tencent.com/cms",
    ),
    Row("UnknownParameter", InvalidRequest, "no", "Check `edition`: the international one lacks parameters; then " + _BODY.lower()),
    Row("UnsupportedOperation", InvalidRequest, "no", _BODY),
    Row("ActionOffline", FeatureDisabled, "no", "The vendor has withdrawn the action", GATEWAY),
    Row("InvalidAction", InvalidRequest, "no", _REGION, GATEWAY),
    Row("InvalidRequest", InvalidRequest, "no", _BODY, GATEWAY),
    Row("IpInBlacklist", PermissionDenied, "no", "Take this address off the account's list of barred ones", GATEWAY),
    Row("IpNotInWhitelist", PermissionDenied, "no", "Put this address on the account's list of allowed ones", GATEWAY),
    Row("NoSuchProduct", InvalidRequest, "no", _REGION, GATEWAY),
    Row("NoSuchVersion", InvalidRequest, "no", _REGION, GATEWAY),
    Row("RequestSizeLimitExceeded", InvalidRequest, "no", _BODY, GATEWAY),
    Row("ResponseSizeLimitExceeded", UnexpectedReply, "maybe", "Leave `all_segments` out", GATEWAY),
    Row("ServiceUnavailable", VendorUnavailable, "maybe", _VENDOR, GATEWAY),
    Row("UnsupportedProtocol", InvalidRequest, "no", _REGION, GATEWAY),
    Row("UnsupportedRegion", InvalidRequest, "no", _REGION, GATEWAY),
)  # fmt: skip

OF_ONE = frozenset(
    {"InvalidParameter", "InvalidParameterValue", "MissingParameter", "UnknownParameter", "RequestSizeLimitExceeded"}
)
"""Codes by which one task of a call, or that there were several, may have had all of it refused."""

_BY_CODE = {row.code: row for row in ROWS}


@dataclass(frozen=True, slots=True)
class FailureRow:
    """One documented reason of a task that ended with ERROR."""

    code: str
    error: type[ProviderError]
    retryable: bool | None
    says: str


FAILURES = (
    FailureRow("DECODE_ERROR", MediaRejected, retryable=False, says="the media could not be decoded"),
    FailureRow("URL_ERROR", MediaRejected, retryable=None, says="the media could not be downloaded"),
    FailureRow("TIMEOUT_ERROR", VendorUnavailable, retryable=True, says="it took too long"),
    FailureRow("CALLBACK_ERRORR", ProviderError, retryable=None, says="the callback failed"),  # the vendor's spelling
    FailureRow("CALLBACK_ERROR", ProviderError, retryable=None, says="the callback failed"),
    FailureRow("MODERATION_ERROR", ProviderError, retryable=None, says="the moderation failed"),
    FailureRow(
        "URL_NOT_SUPPORTED", MediaRejected, retryable=False, says="the media is too large, or has no pictures or sound"
    ),
)
"""https://cloud.tencent.com/document/api/1265/51878. Whether a new try helps is not documented; `None` says so."""


def row_of(code: str | None) -> Row | None:
    """The row of a code, or of the nearest code above it."""
    while code:
        if code in _BY_CODE:
            return _BY_CODE[code]
        code = code.rpartition(".")[0]
    return None


def of_code(code: str | None, says: str, **facts: Any) -> ProviderError:
    """The error of a code; of one that nobody knows it is not known whether something was created."""
    row = row_of(code)
    if row is None:
        way_out = "Look the code up in Tencent's documentation of its errors, or ask its support with the request's id."
        return ProviderError(says, code=code, created="maybe", way_out=way_out, **facts)
    facts["way_out"] = f"{row.way_out}."
    return row.error(says, code=code, created=row.created, retryable=row.retryable, **facts)


def tell_of_streams(error: ProviderError, category: str | None) -> None:
    """Says what else a refusal of a stream may mean: the vendor has one code for too many streams and too many requests."""
    if isinstance(error, RateLimited) and category == LIVE_VIDEO:
        error.way_out = STREAMS


def classify(request: Request, reply: Reply) -> ProviderError | None:
    """The error of a reply; `None` for a success. What is no reply of the API is an error, and never an empty result."""
    body = reply.json_if_any()
    response = body.get("Response") if isinstance(body, dict) else None
    if not isinstance(response, dict):
        return classify_status(request, reply) or UnexpectedReply(
            f"{request.operation}: the reply is none of Tencent's API: it has no Response",
            way_out="Check `base_url` and the proxy.",
        )
    request_id = lenient.text(response.get("RequestId")) or reply.request_id
    if "Error" in response:
        told = response["Error"] if isinstance(response["Error"], dict) else {}
        code, says = lenient.text(told.get("Code")), lenient.text(told.get("Message"))
        return of_code(
            code,
            f"{request.operation}: {(says or code or 'the vendor gives no reason').rstrip('.')}",
            status=reply.status,
            request_id=request_id,
            retry_after=retry_after(reply),
        )
    error = classify_status(request, reply)
    if error is not None:
        error.request_id = request_id
    return error


def task_error(type_: str | None, description: str | None) -> TaskError:
    """Why a task ended with ERROR, as data."""
    row = next((row for row in FAILURES if row.code == type_), None)
    told = ": ".join(part for part in (row.says if row else None, description) if part)
    return TaskError(
        code=type_ or None,
        message=told or type_ or "the vendor gives no reason",
        type=(row.error if row else ProviderError).__name__,
        retryable=row.retryable if row else None,
    )
