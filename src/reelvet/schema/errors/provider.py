"""What went wrong while talking to a provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from reelvet.schema.errors.base import ReelvetError, with_way_out

if TYPE_CHECKING:
    from reelvet.schema.ticket import Ticket

Created = Literal["no", "maybe"]
"""Whether a failed submit may have left a (billed) task at the vendor."""


class ProviderError(ReelvetError):
    """A call to a provider that did not do what it should.

    Args:
        message: What happened.
        provider: The provider's id, where known.
        instance: The configured instance, where known.
        code: The vendor's own error code.
        status: The HTTP status.
        request_id: The vendor's id of the request: what its support will ask for.
        retryable: Whether the same call may succeed later.
        retry_after: Seconds the vendor asked to wait.
        created: For a submit: `no` when it certainly created nothing, else `maybe`.
        body: The vendor's reply, redacted and cut.
        way_out: What to do about it; by default what the class knows.
    """

    default_way_out = (
        "If it happens again, ask the provider's support, and name the code and the request if there are any."
    )

    retryable_default = False

    def __init__(
        self,
        message: str,
        provider: str | None = None,
        instance: str | None = None,
        *,
        code: str | None = None,
        status: int | None = None,
        request_id: str | None = None,
        retryable: bool | None = None,
        retry_after: float | None = None,
        created: Created = "maybe",
        body: str | None = None,
        way_out: str | None = None,
    ) -> None:
        super().__init__(message, way_out=way_out)
        self.provider = provider
        self.instance = instance
        self.code = code
        self.status = status
        self.request_id = request_id
        self.retryable = self.retryable_default if retryable is None else retryable
        self.retry_after = retry_after
        self.created: Created = created
        self.body = body

    def __str__(self) -> str:
        who = self.instance or self.provider
        facts = [
            f"{name} {value}"
            for name, value in (("HTTP", self.status), ("code", self.code), ("request", self.request_id))
            if value
        ]
        text = f"{who}: {self.message}" if who else self.message
        if facts:
            text += f" [{', '.join(facts)}]"
        return with_way_out(text, self.way_out)


class AuthenticationFailed(ProviderError):
    """The vendor does not accept the credentials."""

    default_way_out = "Check the instance's credentials; `reelvet doctor --live` tries them."


class PermissionDenied(ProviderError):
    """The credentials are good, but may not do this."""

    default_way_out = "Grant the account, or its key, what is missing in the vendor's console."


class FeatureDisabled(ProviderError):
    """The account has not switched the service on, or the vendor has withdrawn it."""

    default_way_out = "Switch the service on in the vendor's console, or choose another instance."


class QuotaExceeded(ProviderError):
    """The account is out of its package, its balance or its queue."""

    default_way_out = (
        "Top up the account or raise its quota in the vendor's console, or wait until its queue is shorter."
    )


class RateLimited(ProviderError):
    """Too many requests; `retry_after` says how long to wait, where the vendor does."""

    default_way_out = "Wait as long as `retry_after` says, else a minute, and ask less often."

    retryable_default = True


class InvalidRequest(ProviderError):
    """The vendor refuses what was sent."""

    default_way_out = "Change what the vendor objects to; `reelvet plan` shows what a job sends."


class MediaRejected(ProviderError):
    """The vendor cannot reach, read or decode the media."""

    default_way_out = (
        "Check that the media is there, can be read and played, and is of a format and size that the provider takes."
    )


class TaskNotFound(ProviderError):
    """The vendor does not know the task (any more)."""

    default_way_out = "Check the task's id and the instance whose account owns it; vendors forget tasks after a while."


class TaskConflict(ProviderError):
    """The task is in a state that does not allow the call."""

    default_way_out = "Look at the task's status first: one that has ended cannot be changed."


class VendorUnavailable(ProviderError):
    """The vendor answers, and says that it cannot serve now."""

    default_way_out = "Try again later."

    retryable_default = True


class UnexpectedReply(ProviderError):
    """The vendor's reply is not what its documentation says, so nothing may be concluded from it."""

    default_way_out = "Check the configured base URL; if it is right, update the provider's distribution."


class TransportFailed(ProviderError):
    """The connection broke, or timed out, after the request may have been sent."""

    default_way_out = (
        "Check the connection; what may have been submitted is to be looked up by its key, not sent again."
    )

    retryable_default = True


class ConnectFailed(TransportFailed):
    """No connection was made: the request certainly was not sent."""

    default_way_out = "Check the network, the base URL and the proxy, and try again: nothing was sent."


class ReplyTooLarge(UnexpectedReply):
    """The reply is larger than the cap of the session."""

    default_way_out = "Raise `max_reply_bytes`, or ask for less per page."


class OperationUnsupported(ProviderError):
    """The provider has no such operation."""

    default_way_out = "`reelvet providers` lists what each provider can do."


class LookupUnsupported(OperationUnsupported):
    """The vendor offers no way to look a task up by key, or to list tasks."""

    default_way_out = "Keep the job's ticket, or look at the vendor's console."


class CancelUnsupported(OperationUnsupported):
    """The vendor offers no cancel."""

    default_way_out = "Let it end, or stop it in the vendor's console."


class DeleteUnsupported(OperationUnsupported):
    """The vendor offers no delete."""

    default_way_out = "Delete it in the vendor's console, or leave it to the vendor's own retention."


class CallbackUnsupported(OperationUnsupported):
    """The vendor sends no callbacks."""

    default_way_out = "Wait for the job's ticket instead."


class CallbackRejected(ProviderError):
    """A callback that is forged, tampered with, malformed or too large."""

    default_way_out = "Do not act on it; if it is the vendor's own, check the secret in [secrets.callbacks]."


class CallbackForged(CallbackRejected):
    """A callback without a signature, or with one that no configured secret fits: it was not the vendor, or was changed."""

    default_way_out = (
        "Do not act on it; if it is the vendor's own, check the secret that the job named, or had been given."
    )


class SubmitOutcomeUnknown(ProviderError):
    """A submit failed in a way that may have created a task. `ticket` is what is needed to look it up; do not resubmit."""

    default_way_out = (
        "Do not submit it under another key: `reelvet settle` looks it up, and takes your word for what it came to."
    )

    def __init__(self, message: str, *args: Any, ticket: Ticket | None = None, **facts: Any) -> None:
        super().__init__(message, *args, **facts)
        self.ticket = ticket


class WaitTimeout(ReelvetError, TimeoutError):
    """`wait` ran out of time; the job goes on and `ticket` still stands for it."""

    default_way_out = "Wait for the ticket again, or cancel it."

    def __init__(self, message: str, *, ticket: Ticket | None = None, way_out: str | None = None) -> None:
        super().__init__(message, way_out=way_out)
        self.ticket = ticket
