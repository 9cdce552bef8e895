"""The contract of a vendor's emulator."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar
from urllib.parse import parse_qsl, unquote

from pydantic import Field

from reelvet.sandbox.faults import CALLBACK, CALLBACKS, Fault
from reelvet.sandbox.quota import RateWindow
from reelvet.sandbox.tasks import Tasks
from reelvet.schema.base import Strict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reelvet.sandbox.planted import Garden
    from reelvet.sandbox.world import World

_Kind = TypeVar("_Kind", bound=Fault)


class Setup(Strict):
    """What can be set of every emulator; each adds its own fields."""

    per_second: float | None = Field(None, gt=0, description="Requests in any second of the wall; `null`: any number.")
    queue: int | None = Field(None, ge=0, description="Tasks that may wait or run; `null`: any number.")
    parallel: int | None = Field(None, ge=1, description="Tasks that run at a time; `null`: all.")


@dataclass(frozen=True, slots=True)
class Route:
    """One operation and where it is called."""

    operation: str
    method: str
    path: str
    """`/streaming/ai/tasks/{task_id}`: a part in braces stands for anything without a slash."""

    def match(self, path: str) -> dict[str, str] | None:
        """The parts of a raw path that stand for something, decoded; `None` where it is another path."""
        shape = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(self.path))
        found = re.fullmatch(shape, path)
        return None if found is None else {name: unquote(value) for name, value in found.groupdict().items()}


@dataclass(frozen=True, slots=True)
class Reply:
    """What an emulator answers."""

    status: int
    content: Any = None
    """JSON. Faults change it."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case. `content-type` is `application/json` unless it is given."""
    raw: bytes | None = None
    """The body instead of `content`, byte for byte."""

    @property
    def body(self) -> bytes:
        """The body as it is sent."""
        if self.raw is not None:
            return self.raw
        try:
            return json.dumps(self.content, ensure_ascii=False, separators=(",", ":")).encode()
        except UnicodeEncodeError:  # half a surrogate pair, echoed as it was sent: escaped
            return json.dumps(self.content, separators=(",", ":")).encode()


@dataclass(eq=False)
class Call:
    """One request, byte for byte."""

    method: str
    path: str
    """As it was sent, still percent-encoded: what signatures are made over."""
    query: str
    """As it was sent, without the `?`."""
    headers: tuple[tuple[str, str], ...]
    """Names in lower case, in the order in which they were sent."""
    body: bytes
    provider: str = ""
    operation: str | None = None
    params: dict[str, str] = field(default_factory=dict)
    """The parts of the path that stand for something."""
    struck: list[str] = field(default_factory=list)
    """The kinds of fault that struck it."""
    garden: Garden | None = None

    def header(self, name: str) -> str | None:
        """The value of a header; the first one, if it was sent several times."""
        return next((value for known, value in self.headers if known == name.lower()), None)

    @cached_property
    def arguments(self) -> dict[str, str]:
        """The query, decoded; the last value of a name counts."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @cached_property
    def json(self) -> Any:
        """The body as JSON; `None` where it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def take(self, kind: type[_Kind], fits: Callable[[_Kind], bool] = lambda _: True) -> _Kind | None:
        """The fault of a kind that strikes this request, counted down; `None` where none does.

        The hook by which emulators apply the faults that concern meaning. Take one only where it has something to
        strike, for it is spent by it.
        """
        struck = self.garden.take(kind, self.provider, self.operation, fits) if self.garden is not None else []
        self.struck += [fault.kind for fault in struck]
        return struck[0] if struck else None


@dataclass(frozen=True, slots=True)
class Asset:
    """Something that is stored at the vendor, and stands for a scenario."""

    id: str
    """How a job names it, as `gcore:2001`."""
    scenario: str
    says: str = ""


class Emulator(ABC):
    """A vendor's API, as far as its documentation goes. Named by `ProviderSpec.sandbox`.

    All methods run in the thread of the server with `world.lock` held, and none of them waits.
    """

    id: ClassVar[str]
    """The provider's id."""
    routes: ClassVar[tuple[Route, ...]] = ()
    setup_model: ClassVar[type[Setup]] = Setup
    calls_back: ClassVar[bool] = False
    """Whether the vendor has callbacks."""
    understands: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Kind of fault -> the operations in which this emulator applies it. Those that the host applies need no entry."""

    base_url: str | None = None
    """Where it is reached while the sandbox serves; for settings that name a further endpoint of the vendor's."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.tasks = Tasks(world.clock)
        self.setup = self.setup_model()
        self._window: RateWindow | None = None
        self.reset()

    @property
    def operations(self) -> tuple[str, ...]:
        """The names of its operations."""
        return tuple(dict.fromkeys(route.operation for route in self.routes))

    def struck_by(self, kind: str, *, by_host: bool) -> tuple[str, ...]:
        """The operations that a kind of fault can strike here; none where it cannot strike at all."""
        if kind in CALLBACKS:
            return (CALLBACK,) if self.calls_back else ()
        return self.operations if by_host else self.understands.get(kind, ())

    def call_back(self, url: str, headers: Mapping[str, str], body: bytes, *, at: float | None = None) -> None:
        """Sends a callback, at a virtual second or at once. It goes to this machine only."""
        self.world.outbox.post(self.id, url, headers, body, at=at)

    def reset(self) -> None:
        """As at the start."""
        self.tasks.clear()
        self.set_up(self.setup_model())

    def set_up(self, setup: Setup) -> None:
        """Takes other quotas and switches, from now on."""
        self.setup = setup
        self.tasks.parallel = setup.parallel
        self._window = RateWindow(setup.per_second) if setup.per_second is not None else None

    # what a vendor's emulator says

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """What belongs under `[providers.<id>]` besides `base_url`: credentials that it accepts."""

    @abstractmethod
    def answer(self, call: Call) -> Reply:
        """Carries out a request whose operation is known, and that neither credentials nor rate refuse."""

    @abstractmethod
    def failure(self, call: Call, status: int) -> Reply:
        """The vendor's own body for a 429 or a 5xx."""

    def authenticate(self, call: Call) -> Reply | None:
        """The refusal of a request whose credentials or signature are wrong; `None` where they are right."""
        return None

    def not_found(self, call: Call) -> Reply:
        """The reply where there is no such operation."""
        return Reply(404, {"error": "Not Found"})

    def find_operation(self, call: Call) -> tuple[str | None, dict[str, str]]:
        """The operation a request is for, and the parts of its path. Vendors that name it in a header override this."""
        for route in self.routes:
            params = route.match(call.path) if route.method == call.method else None
            if params is not None:
                return route.operation, params
        return None, {}

    def admit(self, call: Call) -> bool:
        """Whether the rate of requests lets it pass. Vendors that count by operation override this."""
        return self._window is None or self._window.admit()

    def assets(self) -> tuple[Asset, ...]:
        """What is stored at the vendor from the start."""
        return ()

    def handle(self, call: Call) -> Reply:
        """Carries out a request, from its credentials on."""
        if call.operation is None:
            return self.not_found(call)
        refusal = self.authenticate(call)
        if refusal is not None:
            return refusal
        return self.answer(call) if self.admit(call) else self.failure(call, 429)
