"""Keeping secrets out of errors, logs and reprs: what is known to be secret, and what looks like it."""

from __future__ import annotations

import base64
import json
import logging
import re
import weakref
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from reelvet.schema.urls import MASK, mask_urls

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import SecretStr

LIMIT = 2000
"""Characters that are kept of a vendor's reply in an error."""

# Replacing anything shorter would tear ordinary words apart.
_SHORTEST_SECRET = 4

_MOST_HIDDEN = 100
"""Secrets that are hidden later on and still looked for: those of sessions that ended long ago are let go."""

_HEADER_LIKE = re.compile(
    r"""(?P<name>\b(?:proxy-)?authorization|\b(?:set-)?cookie|\bx-[a-z-]*(?:token|key)|\bapi[-_ ]?key|\bsecret[-_ ]?(?:access[-_ ]?)?key|"""
    r"""\baccess[-_ ]?token|\bsecurity[-_ ]?token|\bpassword|\bsignature)(?P<quote>["']?)(?P<is>\s*[:=]\s*)"""
    r"""(?:"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|[^\r\n"',;}]+)""",
    re.IGNORECASE,
)


class Redactor:
    """Replaces secrets by `***`: those it was given, in the spellings they travel in, and what looks like credentials.

    Args:
        secrets: Credentials and whatever must not be seen. Those shorter than four characters are not looked for.
    """

    def __init__(self, secrets: Iterable[SecretStr] = ()) -> None:
        self._given = {form for secret in secrets for form in _spellings(secret.get_secret_value())}
        self._hidden: dict[str, set[str]] = {}
        self._known = _pattern(self._given)

    def hide(self, secret: SecretStr) -> None:
        """Looks for one more secret from now on: a key that was fetched, or renewed."""
        value = secret.get_secret_value()
        known = self._hidden.pop(value, None)
        self._hidden[value] = _spellings(value) if known is None else known  # the latest stands last
        if known is not None:
            return
        for oldest in [*self._hidden][:-_MOST_HIDDEN]:
            del self._hidden[oldest]
        self._known = _pattern(self._given.union(*self._hidden.values()))

    def __call__(self, text: str, limit: int | None = LIMIT) -> str:
        """The text without secrets, cut to `limit` characters (`None`: whole) after they are gone."""
        if self._known:
            text = self._known.sub(MASK, text)
        masked: str = mask_urls(text)
        masked = _HEADER_LIKE.sub(rf"\g<name>\g<quote>\g<is>{MASK}", masked)
        if limit is not None and len(masked) > limit:
            return f"{masked[:limit]}... ({len(masked) - limit} more characters)"
        return masked

    def __repr__(self) -> str:
        return "Redactor(***)"


def redact(text: str, secrets: Iterable[SecretStr] = (), *, limit: int | None = LIMIT) -> str:
    """The text without the secrets, without URL queries and without what looks like credentials, cut to `limit` characters."""
    return Redactor(secrets)(text, limit)


def _pattern(spellings: set[str]) -> re.Pattern[str] | None:
    # The longest first, so that no part of a secret is left standing beside the mask of a shorter one.
    ordered = sorted(spellings, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, ordered))) if ordered else None


def _spellings(secret: str) -> set[str]:
    if len(secret) < _SHORTEST_SECRET:
        return set()
    raw = secret.encode()
    forms = {secret, quote(secret, safe=""), quote(secret), quote_plus(secret), json.dumps(secret)[1:-1], raw.hex()}
    # In `Basic` credentials and the like the secret starts at any of three places within a group of base64, and what
    # stands beside it colours the characters at its edges: those are left out.
    for before in range(3):
        padded = b"\0" * before + raw
        start = (0, 2, 3)[before]
        end = len(padded) // 3 * 4
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            forms.add(encode(padded).decode()[start:end])
    return {form for form in forms if len(form) >= _SHORTEST_SECRET}


class RedactingFilter(logging.Filter):
    """Redacts message, traceback and stack of a record with every redactor that is in use in the process."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record; none is dropped."""
        record.msg, record.args = _redact_all(record.getMessage()), None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            # The text is what handlers print; the exception itself would be printed anew by those that do not look at it.
            record.exc_text, record.exc_info = _redact_all(record.exc_text), None
        if record.stack_info:
            record.stack_info = _redact_all(record.stack_info)
        return True


_in_use: weakref.WeakSet[Redactor] = weakref.WeakSet()
_filter = RedactingFilter()
_plain = Redactor()


def remember(redactor: Redactor) -> None:
    """Have the logs of reelvet redacted with it too, for as long as it is referenced."""
    _in_use.add(redactor)


def logger(name: str) -> logging.Logger:
    """The logger `reelvet.<name>`, through which no secret passes.

    Python applies the filters of a logger only to records made on that very logger and not on its children, so one filter
    on `reelvet` would not do: each logger has to be asked for here.
    """
    made = logging.getLogger(f"reelvet.{name}" if name else "reelvet")
    made.addFilter(_filter)
    return made


def _redact_all(text: str) -> str:
    for redactor in (*_in_use, _plain):
        text = redactor(text, None)
    return text
