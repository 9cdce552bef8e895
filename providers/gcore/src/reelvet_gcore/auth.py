"""The permanent API token on each request."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from pydantic import SecretStr

    from reelvet.http import Request


class ApiKey:
    """`Authorization: APIKey <token>`; "the APIKey prefix is not optional".

    https://gcore.com/docs/developer-tools/rest-api/authentication
    """

    def __init__(self, token: SecretStr) -> None:
        self._header = {"Authorization": f"APIKey {token.get_secret_value()}"}

    def sign(self, request: Request, now: datetime, /) -> Request:
        """The request with the token."""
        return request.with_headers(self._header)

    def __repr__(self) -> str:
        return "ApiKey(***)"
