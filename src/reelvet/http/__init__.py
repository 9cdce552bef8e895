"""Calls to vendors and fetches of what others name: the one room that knows an HTTP library, and shows none of it.

Values and decisions are imported at once and are light; `Session` and `Fetcher`, which need the HTTP library, on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelvet.http import telemetry
from reelvet.http.classify import Classifier, classify_status, retry_after
from reelvet.http.limits import Limit, Limits
from reelvet.http.redact import RedactingFilter, Redactor, logger, redact
from reelvet.http.request import Effect, Headers, Reply, Request, encode_query
from reelvet.http.retry import RetryPolicy
from reelvet.http.signing import Signer
from reelvet.http.switch import LOOPBACK, check_network, network_disabled
from reelvet.http.timeouts import Timeouts

if TYPE_CHECKING:
    from reelvet.http.addresses import AllowList
    from reelvet.http.fetch import Fetched, Fetcher, Resolver
    from reelvet.http.session import Session
    from reelvet.http.throttle import Throttle

_LAZY = {
    "AllowList": "reelvet.http.addresses",
    "Fetched": "reelvet.http.fetch",
    "Fetcher": "reelvet.http.fetch",
    "Resolver": "reelvet.http.fetch",
    "Session": "reelvet.http.session",
    "Throttle": "reelvet.http.throttle",
}

__all__ = [
    "LOOPBACK",
    "AllowList",
    "Classifier",
    "Effect",
    "Fetched",
    "Fetcher",
    "Headers",
    "Limit",
    "Limits",
    "RedactingFilter",
    "Redactor",
    "Reply",
    "Request",
    "Resolver",
    "RetryPolicy",
    "Session",
    "Signer",
    "Throttle",
    "Timeouts",
    "check_network",
    "classify_status",
    "encode_query",
    "logger",
    "network_disabled",
    "redact",
    "retry_after",
    "telemetry",
]


def __getattr__(name: str) -> object:
    from importlib import import_module  # noqa: PLC0415

    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
