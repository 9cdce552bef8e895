"""Reply -> typed error by HTTP status alone. Vendors lay their own tables of codes over it."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Protocol

from reelvet.schema.errors import (
    AuthenticationFailed,
    InvalidRequest,
    PermissionDenied,
    QuotaExceeded,
    RateLimited,
    TaskConflict,
    TaskNotFound,
    UnexpectedReply,
    VendorUnavailable,
)
from reelvet.schema.urls import mask_url

if TYPE_CHECKING:
    from reelvet.http.request import Reply, Request
    from reelvet.schema.errors import ProviderError


class Classifier(Protocol):
    """Tells an error from a success. The session fills in provider, instance, status, request id and body."""

    def __call__(self, request: Request, reply: Reply, /) -> ProviderError | None:
        """The error that the reply stands for, or `None` if it is a success."""
        ...


_BY_STATUS: dict[int, type[ProviderError]] = {
    401: AuthenticationFailed,
    402: QuotaExceeded,
    403: PermissionDenied,
    404: TaskNotFound,
    408: VendorUnavailable,
    409: TaskConflict,
    410: TaskNotFound,
    429: RateLimited,
}

# Where the status says more than its class does about what to mend.
_WAYS: dict[int, str] = {
    402: "Pay what is due in the vendor's console, or choose another instance.",
    404: "Check the task's id, and the instance's base URL and region; vendors forget tasks after a while.",
    405: "Check the configured base URL and region.",
    407: "Check the proxy's credentials.",
    408: "Check the connection; what may have been submitted is to be looked up by its key, not sent again.",
    413: "Send less at a time, or smaller media.",
    414: "Give a shorter URL.",
    421: "Check the configured base URL and region.",
    501: "Check the configured base URL and region: nothing there knows this call.",
    505: "Check the configured base URL and the proxy.",
}

# The one refusal that HTTP itself makes certain: "the request has not been applied because it lacks valid authentication
# credentials", https://www.rfc-editor.org/rfc/rfc9110#section-15.5.2. All others are for the vendor's own table to say.
_CERTAINLY_NOT_APPLIED = 401


def classify_status(request: Request, reply: Reply) -> ProviderError | None:
    """The error of an HTTP status; `None` for 2xx.

    `created` is `maybe` except for 401: only a vendor's documented code can say more.
    """
    status = reply.status
    if 200 <= status < 300:  # noqa: PLR2004
        return None
    where = f"{request.operation}: {request.method} {mask_url(request.url)}"
    way_out = _WAYS.get(status)
    if status < 400:  # noqa: PLR2004
        # Following it would hand the signed request to whoever is named there.
        kind: type[ProviderError] = UnexpectedReply
        target = reply.headers.get("Location")
        says = f"was redirected to {mask_url(target)}" if target else f"was answered with HTTP {status}"
        way_out = "Check the configured base URL and region."
    else:
        kind = VendorUnavailable if status >= 500 else _BY_STATUS.get(status, InvalidRequest)  # noqa: PLR2004
        says = f"was answered with HTTP {status}"
    return kind(
        f"{where} {says}",
        status=status,
        request_id=reply.request_id,
        retry_after=retry_after(reply),
        created="no" if status == _CERTAINLY_NOT_APPLIED else "maybe",
        way_out=way_out,
    )


def retry_after(reply: Reply, now: datetime | None = None) -> float | None:
    """Seconds that the reply's `Retry-After` asks to wait, from a number or an HTTP date; `None` if it says nothing sensible."""
    value = reply.headers.get("Retry-After", "").strip()
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            date = parsedate_to_datetime(value)
        except ValueError:
            return None
        date = date if date.tzinfo else date.replace(tzinfo=UTC)
        seconds = (date - (now or datetime.now(UTC))).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else None
