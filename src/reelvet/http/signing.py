"""The seam at which a provider puts its credentials on a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from reelvet.http.request import Request


class Signer(Protocol):
    """Puts credentials on a request. Called anew for each try, since signatures age."""

    def sign(self, request: Request, now: datetime, /) -> Request:
        """The same request with its credentials. `now` is aware, in UTC; URL and body go out exactly as returned."""
        ...
