"""Huawei's error codes -> typed errors.

Sources: the pages of VCM v2 (https://support.huaweicloud.com/en-us/api-vas/vas_03_0047.html) and of Content Moderation
(https://support.huaweicloud.com/api-moderation/moderation_03_0010.html), which lists those of the platform and of the
gateway too.
"""

from __future__ import annotations

import re
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
    TaskNotFound,
    UnexpectedReply,
    VendorUnavailable,
)
from reelvet.schema.task import Status
from reelvet_huawei.auth import CREATE_TOKEN
from reelvet_huawei.mismatch import clock_off, explain, without_secrets
from reelvet_huawei.states import status_of

if TYPE_CHECKING:
    from reelvet.http import Reply, Request

_VCM = "https://support.huaweicloud.com/en-us/api-vas/vas_03_0047.html"
_MODERATION = "https://support.huaweicloud.com/api-moderation/moderation_03_0010.html"
CREATE_TASK = "CreateTask"
"""The operation under which a task is created, where "not found" is said of the service."""


GET_TASK = "GetTask"
"""The operation under which a task is read."""


@dataclass(frozen=True, slots=True)
class Row:
    """One documented code."""

    code: str
    error: type[ProviderError]
    created: Literal["no", "maybe"]
    way_out: str
    source: str
    retryable: bool | None = None
    """Whether the same call may succeed later; `None`: as of the error."""


_SEE = "See what `reelvet plan` says would be sent"
_KEYS = "Check the credentials, and that they belong to an account in this region"
_SIGNED = f"{_KEYS}; and this machine's clock, which may be off by 15 minutes at most"
_MEDIA = "Check the media: it is a public URL, or an object in the same region that the service may read"
_LATER = "Try again later"
_SUBSCRIBE = "Switch the service on in the console, in this region"
_RIGHTS = (
    "Give the user the rights for the service in the project `project_id`, and the account its real-name verification"
)

ROWS = {
    row.code: row
    for row in (
        Row("IVA.0001", AuthenticationFailed, "no", _KEYS, _VCM),
        Row("IVA.0002", InvalidRequest, "no", "Check `project_id`, or leave it out to have it looked up", _VCM),
        Row("IVA.0003", InvalidRequest, "no", _SEE, _VCM),
        Row("IVA.0004", InvalidRequest, "no", _SEE, _VCM),
        Row("IVA.0005", TaskNotFound, "no", "Check the id, the region and the project", _VCM),
        Row("IVA.0006", VendorUnavailable, "maybe", _LATER, _VCM),
        Row("IVA.0007", FeatureDisabled, "no", _SUBSCRIBE, _VCM),
        Row("IVA.0008", FeatureDisabled, "no", _SUBSCRIBE, _VCM),
        Row("IVA.0009", PermissionDenied, "no", _RIGHTS, _VCM),
        Row("IVA.0010", VendorUnavailable, "maybe", _LATER, _VCM),
        Row("IVA.0011", QuotaExceeded, "no", "Send less at once, or have the specification raised", _VCM),
        Row("IVA.0012", QuotaExceeded, "no", "Wait until tasks have ended, or have the quota raised", _VCM),
        Row("IVA.0013", PermissionDenied, "no", "Give the service its agency (delegation) for OBS", _VCM),
        Row("IVA.0014", PermissionDenied, "no", "Ask the vendor why the account is restricted", _VCM),
        Row("IVA.0015", PermissionDenied, "no", _RIGHTS, _VCM),
        Row("IVA.0102", PermissionDenied, "no", _RIGHTS, _VCM),
        Row("AIS.0002", AuthenticationFailed, "no", _KEYS, _MODERATION),
        Row("AIS.0003", VendorUnavailable, "maybe", _LATER, _MODERATION),
        Row("AIS.0004", PermissionDenied, "no", _RIGHTS, _MODERATION),
        Row("AIS.0005", FeatureDisabled, "no", "Check region and base URL: the service is not there", _MODERATION),
        Row("AIS.0007", FeatureDisabled, "no", _SUBSCRIBE, _MODERATION),
        Row("AIS.0010", InvalidRequest, "no", _SEE, _MODERATION),
        Row("AIS.0011", InvalidRequest, "no", _SEE, _MODERATION),
        Row("AIS.0012", InvalidRequest, "no", _SEE, _MODERATION),
        Row("AIS.0013", InvalidRequest, "no", "Check the base URL", _MODERATION),
        Row("AIS.0014", InvalidRequest, "no", _SEE, _MODERATION),
        Row("AIS.0015", InvalidRequest, "no", _SEE, _MODERATION),
        Row("AIS.0020", InvalidRequest, "no", _SEE, _MODERATION),
        Row("AIS.0021", MediaRejected, "no", _MEDIA, _MODERATION),
        Row("AIS.0022", MediaRejected, "no", _MEDIA, _MODERATION),
        Row("AIS.0023", MediaRejected, "no", "Give a smaller file: v3 takes 300 MB", _MODERATION),
        Row("AIS.0024", MediaRejected, "no", _MEDIA, _MODERATION),
        Row("AIS.0025", MediaRejected, "no", _MEDIA, _MODERATION),
        Row("AIS.0026", AuthenticationFailed, "no", "The token must be scoped to a project: set `region`", _MODERATION),
        Row("AIS.0030", TaskNotFound, "no", "Check the id, the region and the project", _MODERATION),
        Row("AIS.0401", InvalidRequest, "no", _SEE, _MODERATION),
        Row("AIS.0404", VendorUnavailable, "maybe", _LATER, _MODERATION),
        Row("AIS.0405", VendorUnavailable, "maybe", _LATER, _MODERATION),
        Row("ModelArts.4204", FeatureDisabled, "no", _SUBSCRIBE, _MODERATION),
        Row("ModelArts.4603", MediaRejected, "no", _MEDIA, _MODERATION),
        Row("ModelArts.4702", PermissionDenied, "no", "Give the service its agency (delegation) for OBS", _MODERATION),
        Row("ModelArts.4703", MediaRejected, "no", _MEDIA, _MODERATION),
        Row("ModelArts.4704", MediaRejected, "no", _MEDIA, _MODERATION),
        Row("APIG.0101", FeatureDisabled, "no", "Check region and base URL: the API is not there", _MODERATION),
        Row("APIG.0201", VendorUnavailable, "maybe", _LATER, _MODERATION),
        Row("APIG.0301", AuthenticationFailed, "no", _SIGNED, _MODERATION),
        Row("APIG.0303", AuthenticationFailed, "no", _SIGNED, _MODERATION),
        Row("APIG.0307", AuthenticationFailed, "no", "The token is over; a new one is fetched", _MODERATION),
        Row("APIG.0308", RateLimited, "no", "Wait 2 to 5 s, or set `requests_per_second`", _MODERATION),
    )
}
"""Code -> what it stands for. The gateway spells its own APIG.* and APIGW.*; both are read."""

WAYS_OUT = frozenset(row.way_out for row in ROWS.values())

TOKEN_OVER = frozenset({"APIG.0301", "APIGW.0301", "APIG.0307", "APIGW.0307", "IVA.0001", "AIS.0002"})
"""Codes that say that a token is not accepted (any more).

That it "expires" is said under APIG.0301 too: https://support.huaweicloud.com/intl/en-us/ocr_faq/ocr_01_0063.html
"""
_NO_SERVICE = re.compile(r"(The requested resource is NOT found\.\s*)?Service\b", re.IGNORECASE)
"""What IVA.0005 says of a service, in the same page's example; of a task it says "Task" or "The taskId"."""
_CODES = ("error_code", "code")
_TEXTS = ("error_msg", "error_message", "message")


def classify(request: Request, reply: Reply) -> ProviderError | None:
    """The error of a reply; `None` for a success."""
    body = reply.json_if_any()
    code, says = told(body)
    is_success = 200 <= reply.status < 300  # noqa: PLR2004
    if is_success and (not code or _is_of_a_task(request, body)):
        if body is None and reply.content.strip() not in {
            b"",
            b"null",
        }:  # a portal's page is no success of the vendor's
            page = reply.headers.get("Content-Type", "no content type")
            return UnexpectedReply(f"{request.operation}: the reply is not JSON ({page}, {len(reply.content)} bytes)")
        return None
    row = _row(code)
    if row is None:
        error = _unknown(request, reply, code, says)
    else:
        kind = row.error
        if kind is TaskNotFound and (request.operation == CREATE_TASK or _NO_SERVICE.match(says or "")):
            kind = FeatureDisabled  # it is the service or its version that is not found
        error = kind(
            f"{request.operation}: {without_secrets(says or 'no reason given').rstrip('.')}",
            created=row.created,
            retryable=row.retryable,
            way_out=f"{row.way_out}.",
        )
    error.status = reply.status
    error.code = code or error.code
    error.request_id = reply.request_id or _text(body, "request_id")
    error.retry_after = retry_after(reply)
    error.body = without_secrets(reply.text)
    if isinstance(error, AuthenticationFailed):
        error.way_out = clock_off(request, reply) or explain(request, says or "") or _who(request) or error.way_out
    return error


def _who(request: Request) -> str | None:
    """What else to look at where it is not said what is wrong with who calls."""
    if request.operation == CREATE_TOKEN:
        return "Check `domain`, `user` and `password`, and that the user may see the project of `region`."
    if "X-Security-Token" in request.headers:
        return f"{_SIGNED}. A temporary key pair ends with its `security_token`: get new ones."
    return None


def _unknown(request: Request, reply: Reply, code: str | None, says: str | None) -> ProviderError:
    """A code that is not in the table: the status tells, and what it says of a create is never certain."""
    error = classify_status(request, reply)
    if error is None:  # a refusal under a status of success
        error = UnexpectedReply(f"{request.operation} was answered with an error under HTTP {reply.status}")
    if says:
        error.message = f"{error.message}: {without_secrets(says).rstrip('.')}"
        error.args = (error.message,)
    if code and error.created == "no" and not isinstance(error, AuthenticationFailed):
        error.created = "maybe"
    return error


def unexpected(reply: Reply, says: str) -> UnexpectedReply:
    """The error of a reply that is none of those documented."""
    return UnexpectedReply(
        f"the reply {says}", reply.provider, reply.instance,
        status=reply.status, request_id=reply.request_id, body=reply.redact(reply.text),
    )  # fmt: skip


def _is_of_a_task(request: Request, body: Any) -> bool:
    """Whether a reply tells of a task, which may have failed: that is no failure of the call."""
    is_named = _text(body, "job_id") or _text(body, "id")
    return request.operation == GET_TASK and bool(is_named) and status_of(body) is not Status.UNKNOWN


def fault_of(body: Any) -> tuple[str | None, str | None]:
    """Code and text of the error that a reply about a task holds beside all else; `None` for each it does not."""
    outer, inner = lenient.mapping(body), lenient.mapping(lenient.mapping(body).get("error"))
    places = ((outer, ("error_code",)), (inner, _CODES)), ((outer, _TEXTS[:2]), (inner, _TEXTS))
    code, says = (
        next((text for shape, names in place for name in names if (text := _text(shape, name))), None)
        for place in places
    )
    return code, says


def kind_of(code: str | None) -> type[ProviderError]:
    """The error that a code stands for."""
    row = _row(code)
    return row.error if row is not None else ProviderError


def way_out_of(code: str | None) -> str | None:
    """What to do about a code; `None` for one that is in no table."""
    row = _row(code)
    return row.way_out if row is not None else None


def _row(code: str | None) -> Row | None:
    return ROWS.get((code or "").replace("APIGW.", "APIG."))


def told(body: Any) -> tuple[str | None, str | None]:
    """Code and text of a refusal, under any of the names that the services, the gateway and IAM use."""
    if not isinstance(body, dict):
        return None, None
    inner = body.get("error")
    if isinstance(inner, dict) and "error_code" not in body and "state" not in body and "id" not in body:
        body = inner  # IAM's envelope
    elif "error_code" not in body and "error_msg" not in body and "error_message" not in body:
        return None, None
    code = next((text for name in _CODES if (text := _text(body, name))), None)
    return code, next((text for name in _TEXTS if (text := _text(body, name))), None)


def _text(body: Any, name: str) -> str | None:
    return lenient.text(body.get(name)) if isinstance(body, dict) else None
