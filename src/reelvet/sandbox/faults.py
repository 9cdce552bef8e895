"""Faults on demand, as data: what goes wrong, where, and how often.

Those that concern the connection or the body are applied by the host, in one place. Those that concern what a vendor
means (a status, a label, a list) are applied by the emulators, which take them with `Call.take`.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from reelvet.sandbox.scenario import checked, close_to
from reelvet.schema.base import Strict
from reelvet.schema.errors import ConfigurationError

Path = Annotated[
    str,
    Field(
        min_length=1,
        description="Where in the reply: `result.frames.0.label`, or as a JSON pointer; `*` stands for every item.",
    ),
]
Body = Annotated[
    Literal["vendor", "html", "empty"],
    Field(description="What the reply holds: the vendor's own error, a gateway's HTML page, or nothing."),
]
When = Annotated[
    Literal["before", "after"],
    Field(description="Before the request is looked at, or after it was carried out (a task was created)."),
]


class Fault(Strict):
    """What all faults have in common."""

    by_host: ClassVar[bool] = True
    """Whether the host applies it; else the emulators do, each as far as it can."""

    kind: str
    provider: str | None = Field(None, description="The provider whose emulator fails; `null`: each.")
    operation: str | None = Field(None, description="The emulator's name of the operation; `null`: any that it fits.")
    times: int | None = Field(1, ge=1, description="How often it strikes; `null`: until it is taken away.")
    skip: int = Field(0, ge=0, description="How many requests that it fits it lets pass first.")


class Latency(Fault):
    """The reply takes longer."""

    kind: Literal["latency"] = "latency"
    seconds: float = Field(ge=0, le=3600, description="Seconds of the wall.")
    when: When = "before"


class TooMany(Fault):
    """429; nothing is carried out."""

    kind: Literal["too_many"] = "too_many"
    retry_after: float | str | None = Field(
        None, description="The header Retry-After: seconds, or a date; `null`: the reply has none."
    )
    body: Body = "vendor"


class ServerError(Fault):
    """500 and above."""

    kind: Literal["server_error"] = "server_error"
    status: int = Field(500, ge=500, le=599, description="The HTTP status.")
    body: Body = "vendor"
    when: When = "before"


class Cut(Fault):
    """The connection ends without a reply."""

    kind: Literal["cut"] = "cut"
    when: When = "before"
    how: Literal["reset", "close"] = Field("reset", description="With a TCP reset, or in good order.")


class Truncated(Fault):
    """The body ends in the middle, and the connection with it."""

    kind: Literal["truncated"] = "truncated"
    keep: float = Field(0.5, ge=0, lt=1, description="Which part of the body is sent.")


class NotJson(Fault):
    """A body that is no JSON, under the same status."""

    kind: Literal["not_json"] = "not_json"
    text: str = Field("<html><body>It works!</body></html>", description="The body instead.")


class ContentType(Fault):
    """The right body with a wrong Content-Type."""

    kind: Literal["content_type"] = "content_type"
    value: str = Field("text/plain; charset=utf-8", description="The header's value.")


class SetField(Fault):
    """A field of the reply has another value. A last part that is not there yet is added to its object."""

    kind: Literal["set_field"] = "set_field"
    path: Path
    value: Any = Field(description="Any JSON.")


class MissingField(Fault):
    """A field of the reply is missing."""

    kind: Literal["missing_field"] = "missing_field"
    path: Path


class NullField(Fault):
    """A field of the reply is null."""

    kind: Literal["null_field"] = "null_field"
    path: Path


class Shuffled(Fault):
    """The items of a list come in another order: backwards."""

    kind: Literal["shuffled"] = "shuffled"
    path: Path


class DroppedItems(Fault):
    """A list lacks some of its items."""

    kind: Literal["dropped_items"] = "dropped_items"
    path: Path
    items: tuple[int, ...] = Field((0,), min_length=1, description="Which, counted from 0; from the end if negative.")


class UnknownStatus(Fault):
    """A status that is in no documentation."""

    by_host = False
    kind: Literal["unknown_status"] = "unknown_status"
    word: str = Field("PONDERING", description="The status.")


class UnknownLabel(Fault):
    """A label that is in no documentation."""

    by_host = False
    kind: Literal["unknown_label"] = "unknown_label"
    word: str = Field("CONFETTI", description="The label.")


class Contradiction(Fault):
    """A verdict that its own evidence contradicts."""

    by_host = False
    kind: Literal["contradiction"] = "contradiction"
    how: Literal["verdict_without_evidence", "evidence_without_verdict"] = Field(
        "evidence_without_verdict",
        description="A bad verdict with nothing to show for it, or a good one beside what speaks against it.",
    )


class StatusBackwards(Fault):
    """A task that was further is waiting again."""

    by_host = False
    kind: Literal["status_backwards"] = "status_backwards"


class NeverFinishes(Fault):
    """The task that is created now never ends."""

    by_host = False
    kind: Literal["never_finishes"] = "never_finishes"


class Expired(Fault):
    """The vendor has deleted the task, or its result."""

    by_host = False
    kind: Literal["expired"] = "expired"


class ListLag(Fault):
    """Lists do not show the task that is created now until later."""

    by_host = False
    kind: Literal["list_lag"] = "list_lag"
    seconds: float = Field(30.0, ge=0, le=120, description="Virtual seconds.")


class Decoys(Fault):
    """A list holds tasks whose key merely contains the one that is looked for."""

    by_host = False
    kind: Literal["decoys"] = "decoys"
    count: int = Field(3, ge=1, le=50, description="How many.")


class CallbackTwice(Fault):
    """A callback is delivered more than once."""

    kind: Literal["callback_twice"] = "callback_twice"
    copies: int = Field(2, ge=2, le=20, description="How often it is delivered.")


class CallbackLate(Fault):
    """A callback comes later."""

    kind: Literal["callback_late"] = "callback_late"
    seconds: float = Field(60.0, ge=0, description="Virtual seconds.")


CALLBACK = "callback"
"""The operation of callbacks, for faults that strike them."""

CALLBACKS = ("callback_twice", "callback_late")
"""The kinds that strike callbacks."""

FAULTS: dict[str, type[Fault]] = {
    str(kind.model_fields["kind"].default): kind
    for kind in (
        Latency, TooMany, ServerError, Cut, Truncated, NotJson, ContentType, SetField, MissingField, NullField, Shuffled, DroppedItems,
        UnknownStatus, UnknownLabel, Contradiction, StatusBackwards, NeverFinishes, Expired, ListLag, Decoys, CallbackTwice, CallbackLate,
    )
}  # fmt: skip
"""Every kind of fault by its name."""


def parse_fault(data: Any) -> Fault:
    """A fault from data, as `POST /faults` takes it.

    Raises:
        ConfigurationError: There is no such kind, or it has no such parameter.
    """
    known = ", ".join(FAULTS)
    if not isinstance(data, dict) or not isinstance(data.get("kind"), str):
        raise ConfigurationError(
            "a fault needs a kind", field="kind", way_out=f'Write {{"kind": ...}}; there are {known}.'
        )
    kind = data["kind"]
    if kind not in FAULTS:
        raise ConfigurationError(
            f"there is no fault {kind!r}",
            field="kind",
            way_out=close_to(kind, list(FAULTS), otherwise=f"There are {known}."),
        )
    return checked(FAULTS[kind], data, what=f"fault of kind {kind!r}")
