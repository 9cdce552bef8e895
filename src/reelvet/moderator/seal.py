"""Sealing the URL of a ticket whose work is still to be done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelvet.schema.errors import ConfigurationError, InvalidTicket
from reelvet.schema.urls import MASK

if TYPE_CHECKING:
    from pydantic import SecretStr

    from reelvet.schema.ticket import Ticket

_SCHEME = "fernet:"


def seal(ticket: Ticket, key: SecretStr | None) -> Ticket:
    """The ticket with its URL encrypted, where it has one to hide and there is a key.

    Raises:
        ConfigurationError: The key is no key, or the library that seals is not installed.
    """
    url = ticket.secret_url
    if url is None or key is None:
        return ticket
    token = _cipher(key).encrypt(url.encode()).decode()
    return ticket.model_copy(update={"sealed": _SCHEME + token}).with_secret_url(url)


def check_key(key: SecretStr | None) -> None:
    """Makes sure before anything is submitted that a key can seal.

    Raises:
        ConfigurationError: The key is no key, or the library that seals is not installed.
    """
    if key is not None:
        _cipher(key)


def unseal(ticket: Ticket, key: SecretStr | None) -> Ticket:
    """The ticket with its URL known again.

    Raises:
        InvalidTicket: It is sealed, and there is no key or another one; or its URL was masked when it was stored.
        ConfigurationError: The key is no key, or the library that seals is not installed.
    """
    if ticket.secret_url is not None:
        return ticket
    if ticket.sealed is None:
        url = ((ticket.job or {}).get("media") or {}).get("url") or ""
        if MASK in url:
            raise InvalidTicket(
                "the ticket's URL was masked when it was stored, so its work cannot be done from here",
                field="job.media.url", way_out="Store such tickets with ticket.save(path), or set `[secrets] key` before submitting.",
            )  # fmt: skip
        return ticket
    if key is None:
        raise InvalidTicket(
            "the ticket's URL is sealed and there is no key",
            field="sealed",
            way_out="Set `[secrets] key` to the key it was sealed with.",
        )
    from cryptography.fernet import InvalidToken  # noqa: PLC0415  (an extra, needed only here)

    try:
        url = _cipher(key).decrypt(ticket.sealed.removeprefix(_SCHEME).encode()).decode()
    except InvalidToken:
        raise InvalidTicket(
            "the ticket was sealed with another key", field="sealed", way_out="Set `[secrets] key` to that key."
        ) from None
    return ticket.with_secret_url(url)


def _cipher(key: SecretStr):  # type: ignore[no-untyped-def]  # noqa: ANN202
    try:
        from cryptography.fernet import Fernet  # noqa: PLC0415
    except ImportError as error:
        raise ConfigurationError(
            "sealing needs the package cryptography", field="secrets.key", way_out="pip install 'cryptography'."
        ) from error
    try:
        return Fernet(key.get_secret_value().encode())
    except ValueError:
        raise ConfigurationError(
            "[secrets] key is not 32 bytes in URL-safe base64", field="secrets.key",
            way_out="Make one with: python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'",
        ) from None  # fmt: skip
