"""What has happened at an emulator, for tests to look at."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reelvet.schema.urls import MASK

if TYPE_CHECKING:
    from datetime import datetime

    from reelvet.sandbox.tasks import Phase

_SECRET = frozenset(
    {"authorization", "proxy-authorization", "cookie", "x-auth-token", "x-security-token", "x-tc-token"}
)


@dataclass(slots=True)
class Received:
    """One request that an emulator received, byte for byte, and what became of it."""

    number: int
    """Counts up over all emulators."""
    provider: str
    method: str
    path: str
    """As it was sent, still percent-encoded."""
    query: str
    """As it was sent, without the `?`."""
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    """Names in lower case, in the order in which they were sent."""
    body: bytes = field(repr=False)
    date: datetime = field(repr=False)
    operation: str | None = None
    """The emulator's name of what was called; `None`: there is no such thing."""
    status: int | None = None
    """The HTTP status that was answered; `None`: there was no answer."""
    faults: tuple[str, ...] = ()
    """The kinds of fault that struck."""
    error: str | None = None
    """What went wrong in the emulator itself: a mistake of its author's."""

    def header(self, name: str) -> str | None:
        """The value of a header; the first one, if it was sent several times."""
        return next((value for known, value in self.headers if known == name.lower()), None)

    def dump(self) -> dict[str, Any]:
        """As JSON-safe data, credentials masked."""
        try:
            body: dict[str, Any] = {"body": self.body.decode()}
        except UnicodeDecodeError:
            body = {"body_base64": base64.b64encode(self.body).decode()}
        return {
            "number": self.number, "provider": self.provider, "operation": self.operation, "method": self.method, "path": self.path,
            "query": self.query, "headers": [[name, MASK if name in _SECRET else value] for name, value in self.headers], **body,
            "date": self.date.isoformat(), "status": self.status, "faults": list(self.faults), "error": self.error,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class SeenTask:
    """One task that was created at an emulator, as it is now."""

    id: str
    provider: str
    operation: str
    """The operation that created it."""
    phase: Phase
    scenario: str
    data: dict[str, Any]
    """What it was created with, in the vendor's shape."""
    date: datetime | None

    def dump(self) -> dict[str, Any]:
        """As JSON-safe data."""
        return {
            "id": self.id, "provider": self.provider, "operation": self.operation, "phase": str(self.phase),
            "scenario": self.scenario, "data": self.data, "date": self.date.isoformat() if self.date else None,
        }  # fmt: skip
