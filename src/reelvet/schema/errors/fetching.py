"""What went wrong while fetching what others name, and the kill switch."""

from __future__ import annotations

from reelvet.schema.errors.base import ReelvetError


class FetchError(ReelvetError):
    """A URL that others can influence could not be fetched. `url` is masked."""

    default_way_out = "Check that the URL can be fetched whole, without signing in."

    def __init__(
        self, message: str, *, url: str | None = None, retryable: bool = False, way_out: str | None = None
    ) -> None:
        super().__init__(message, way_out=way_out)
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

    default_way_out = "Unset REELVET_NETWORK, or leave `network_disabled()`."
