"""The signatures of Standard Webhooks, by its own library."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC
from typing import TYPE_CHECKING

from reelvet.schema.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pydantic import SecretStr

    from reelvet.http import Request

_PREFIX = "whsec_"
_LEAST, _MOST = 24, 64
"""Bytes of a secret, https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#signature-scheme"""
_MAKE = "Make one with: python -c 'import base64, os; print(\"whsec_\" + base64.b64encode(os.urandom(32)).decode())'"


class Signatures:
    """Signs a request with every secret: while one is replaced, the receiver knows the old one or the new one.

    Args:
        secrets: Each `whsec_` and base64.

    Raises:
        ConfigurationError: One is no such secret, or the library is not installed.
    """

    def __init__(self, secrets: Sequence[SecretStr]) -> None:
        try:
            from standardwebhooks import Webhook  # noqa: PLC0415  (an extra, needed only here)
        except ImportError as error:
            raise ConfigurationError(
                "[events] needs the package standardwebhooks, which signs what is sent",
                field="events",
                way_out="pip install 'reelvet[events]', or take the table [events] out.",
            ) from error
        self._signers = [Webhook(_checked(secret)) for secret in secrets]

    def sign(self, request: Request, now: datetime, /) -> Request:
        """The request with its time and signatures. Its id and its body are as they were, however often it is sent."""
        now = now.astimezone(UTC)
        id_, body = request.headers["webhook-id"], request.content.decode()
        signatures = " ".join(signer.sign(id_, now, body) for signer in self._signers)
        return request.with_headers({"webhook-timestamp": str(int(now.timestamp())), "webhook-signature": signatures})


def _checked(secret: SecretStr) -> str:
    """The secret, if it is one. The library itself takes any text for base64, and what it cannot read of it for nothing."""
    text = secret.get_secret_value()
    try:
        size = len(base64.b64decode(text.removeprefix(_PREFIX), validate=True))
    except (ValueError, binascii.Error):
        size = 0
    if not text.startswith(_PREFIX) or not _LEAST <= size <= _MOST:
        raise ConfigurationError(
            f"a secret in events.secrets is not {_PREFIX} followed by {_LEAST} to {_MOST} bytes in base64",
            field="events.secrets",
            way_out=_MAKE,
        )
    return text
