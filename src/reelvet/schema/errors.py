"""Every error that reelvet raises, in one tree.

Two branches hang from `ReelvetError`. What the caller can mend (a job, a configuration, a plugin) is a `CallerError`;
what went wrong while talking to a provider is a `ProviderError`. A job that ended badly at the vendor is neither: it
is a result with status `failed`.

All of them pickle, so they survive process pools and task queues (a ticket in one that may not leave the process with
its URL goes without), and each message says what to do next.
"""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelvet.schema.plan import Unsupported
    from reelvet.schema.ticket import Ticket

Created = Literal["no", "maybe"]
"""Whether a failed submit may have left a (billed) task at the vendor."""


class ReelvetError(Exception):
    """The root of every error of reelvet.

    Args:
        message: What happened, naming the field and the value (never a secret).
        way_out: What the reader can do about it; appended to the message.
    """

    def __init__(self, message: str, *, way_out: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.way_out = way_out

    def __str__(self) -> str:
        return f"{self.message}. {self.way_out}" if self.way_out else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, {name: _fit_to_leave(value) for name, value in self.__dict__.items()})

    def __copy__(self) -> ReelvetError:
        return _rebuild(type(self), self.args, self.__dict__)

    def __deepcopy__(self, memo: dict[int, Any]) -> ReelvetError:
        return _rebuild(type(self), self.args, copy.deepcopy(self.__dict__, memo))

    def as_dict(self) -> dict[str, Any]:
        """The error as JSON-safe data, as `--json` prints it below `error`."""
        data = {
            key: shown
            for key, value in self.__dict__.items()
            if not key.startswith("_") and key != "message" and (shown := _shown(value)) is not None
        }
        return {"type": type(self).__name__, "message": str(self), **data}


def _shown(value: Any) -> Any:
    """What of an attribute goes into JSON: plain values, and lists of what has something to say."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, tuple):
        return [item if isinstance(item, str) else item.model_dump(mode="json") for item in value]
    return None


def _fit_to_leave(value: Any) -> Any:
    """A ticket with an unsealed URL is no reason for a worker to die of its own error: it leaves without."""
    return value.with_secret_url(None) if hasattr(value, "with_secret_url") else value


def _rebuild(cls: type[ReelvetError], args: tuple[Any, ...], state: dict[str, Any]) -> ReelvetError:
    error = cls.__new__(cls, *args)
    Exception.__init__(error, *args)
    error.__dict__.update(state)
    return error


# --- what the caller can mend ------------------------------------------------------------------------------------


class CallerError(ReelvetError):
    """Something that the caller can mend: the job, the configuration, the installation."""


class InvalidJob(CallerError, ValueError):
    """A job, ticket, policy or payload file that cannot be read as one. `field` names the place."""

    def __init__(self, message: str, *, field: str | None = None, way_out: str | None = None) -> None:
        super().__init__(message, way_out=way_out)
        self.field = field


class UnknownLabel(InvalidJob):
    """A label or pattern that is in no taxonomy. `nearest` lists ids that look like it."""

    def __init__(self, label: str, *, nearest: Sequence[str] = (), field: str = "detect") -> None:
        hint = f"Did you mean {' or '.join(repr(n) for n in nearest)}?" if nearest else "See `reelvet labels`."
        super().__init__(f"unknown label {label!r} in {field}", field=field, way_out=hint)
        self.label = label
        self.nearest = tuple(nearest)


class InvalidOptions(InvalidJob):
    """Per-provider options that the provider's own model refuses."""


class InvalidTicket(InvalidJob):
    """A ticket that this version cannot read, or whose sealed part cannot be opened here."""


class SealRefused(CallerError):
    """A URL that may carry a signature would have to be stored, and there is neither a key nor a private file for it."""


class KeyConflict(CallerError, ValueError):
    """The same idempotency key was used for two different jobs."""

    def __init__(self, key: str, *, attempt: int = 1) -> None:
        super().__init__(
            f"key {key!r} (attempt {attempt}) already stands for another job",
            way_out="Give the changed job a key of its own, or submit the old job again with attempt=n.",
        )
        self.key = key
        self.attempt = attempt


class UnsupportedFeature(CallerError, ValueError):
    """A demand of the job that the provider cannot honour. `items` says which, each with its alternatives."""

    def __init__(self, items: Sequence[Unsupported], *, provider: str, instance: str | None = None) -> None:
        lines = "; ".join(
            f"{i.field}: {i.says}" + (f" (instead: {', '.join(i.alternatives)})" if i.alternatives else "")
            for i in items
        )
        super().__init__(
            f"{provider} cannot do what the job asks: {lines}",
            way_out="Change the job, choose another instance, or set on_unsupported='skip' to have it stated in the coverage.",
        )
        self.items = tuple(items)
        self.provider = provider
        self.instance = instance


class ConfigurationError(CallerError, ValueError):
    """A configuration that cannot work. `field` is its dotted path, `source` the file or variable it stands in."""

    def __init__(
        self, message: str, *, field: str | None = None, source: str | None = None, way_out: str | None = None
    ) -> None:
        where = f" ({source})" if source else ""
        super().__init__(f"{message}{where}", way_out=way_out)
        self.field = field
        self.source = source


class MissingSecret(ConfigurationError):
    """A credential is needed and nowhere to be found."""


class UnknownInstance(ConfigurationError):
    """An instance that is neither configured nor the name of an installed provider."""


class PluginError(CallerError):
    """A provider plugin cannot be used. `plugin` is its id or entry-point name, `distribution` what installed it."""

    def __init__(
        self, message: str, *, plugin: str, distribution: str | None = None, way_out: str | None = None
    ) -> None:
        super().__init__(message, way_out=way_out)
        self.plugin = plugin
        self.distribution = distribution


class PluginNotFound(PluginError, LookupError):
    """No installed distribution registers a provider of that id."""


class PluginBroken(PluginError):
    """A plugin that was found but fails to load; the cause is chained."""


class DuplicatePlugin(PluginError):
    """Two distributions register the same provider id, so neither can be trusted to be the one that is meant."""


class NotFinished(CallerError):
    """A result was asked for before the job had ended."""


class JobFailed(ReelvetError):
    """Raised by `ModerationResult.or_raise()` alone: the job ended, and not well. The result is attached."""

    def __init__(self, message: str, *, status: str, result: Any = None) -> None:
        super().__init__(message)
        self.status = status
        self.result = result


# --- what went wrong while talking -------------------------------------------------------------------------------


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
        way_out: What to do about it.
    """

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
        return f"{text}. {self.way_out}" if self.way_out else text


class AuthenticationFailed(ProviderError):
    """The vendor does not accept the credentials."""


class PermissionDenied(ProviderError):
    """The credentials are good, but may not do this."""


class FeatureDisabled(ProviderError):
    """The account has not switched the service on, or the vendor has withdrawn it."""


class QuotaExceeded(ProviderError):
    """The account is out of its package, its balance or its queue."""


class RateLimited(ProviderError):
    """Too many requests; `retry_after` says how long to wait, where the vendor does."""

    retryable_default = True


class InvalidRequest(ProviderError):
    """The vendor refuses what was sent."""


class MediaRejected(ProviderError):
    """The vendor cannot reach, read or decode the media."""


class TaskNotFound(ProviderError):
    """The vendor does not know the task (any more)."""


class TaskConflict(ProviderError):
    """The task is in a state that does not allow the call."""


class VendorUnavailable(ProviderError):
    """The vendor answers, and says that it cannot serve now."""

    retryable_default = True


class UnexpectedReply(ProviderError):
    """The vendor's reply is not what its documentation says, so nothing may be concluded from it."""


class TransportFailed(ProviderError):
    """The connection broke, or timed out, after the request may have been sent."""

    retryable_default = True


class ConnectFailed(TransportFailed):
    """No connection was made: the request certainly was not sent."""


class ReplyTooLarge(UnexpectedReply):
    """The reply is larger than the cap of the session."""


class OperationUnsupported(ProviderError):
    """The provider has no such operation."""


class LookupUnsupported(OperationUnsupported):
    """The vendor offers no way to look a task up by key, or to list tasks."""


class CancelUnsupported(OperationUnsupported):
    """The vendor offers no cancel."""


class DeleteUnsupported(OperationUnsupported):
    """The vendor offers no delete."""


class CallbackUnsupported(OperationUnsupported):
    """The vendor sends no callbacks."""


class CallbackRejected(ProviderError):
    """A callback that is forged, tampered with, malformed or too large."""


class SubmitOutcomeUnknown(ProviderError):
    """A submit failed in a way that may have created a task. `ticket` is what is needed to look it up; do not resubmit."""

    def __init__(self, message: str, *args: Any, ticket: Ticket | None = None, **facts: Any) -> None:
        super().__init__(message, *args, **facts)
        self.ticket = ticket


class WaitTimeout(ReelvetError, TimeoutError):
    """`wait` ran out of time; the job goes on and `ticket` still stands for it."""

    def __init__(self, message: str, *, ticket: Ticket | None = None, way_out: str | None = None) -> None:
        super().__init__(message, way_out=way_out)
        self.ticket = ticket


# --- fetching what others name -----------------------------------------------------------------------------------


class FetchError(ReelvetError):
    """A URL that others can influence could not be fetched. `url` is masked."""

    default_way_out = "Check that the URL can be fetched whole, without signing in."

    def __init__(
        self, message: str, *, url: str | None = None, retryable: bool = False, way_out: str | None = None
    ) -> None:
        super().__init__(message, way_out=way_out or self.default_way_out)
        self.url = url
        self.retryable = retryable


class FetchRefused(FetchError):
    """The URL, a redirect of it or the address it resolves to is not allowed."""

    default_way_out = "Give an http(s) URL of a public host; a local file is given as a path."


class FetchTooLarge(FetchError):
    """The body is larger than the cap, or unpacks as only a bomb does."""

    default_way_out = "Raise the cap if this is meant."


class FetchTooSlow(FetchError):
    """The body did not arrive in the time given."""

    default_way_out = "Try again later, or allow it more time."


class NetworkDisabled(ReelvetError, RuntimeError):
    """A real network call was attempted while the kill switch is on."""
