"""What a job would become at one provider, before anything is sent."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from reelvet.schema.base import Stored, VendorJson, VendorMap, Words
from reelvet.schema.job import Money
from reelvet.schema.result import Coverage, Note


class Unsupported(Stored):
    """A demand that the provider cannot honour."""

    field: str = Field(description="The job's field, dotted.")
    says: Words = Field(description="What cannot be done, with the value.")
    alternatives: tuple[str, ...] = Field((), description="What would work instead.")


class VendorTask(Stored):
    """One unit of the vendor's own task model."""

    name: str = Field(description="Unique within the plan.")
    category: str | None = Field(None, description="The vendor's category or task type, where it has one.")
    vendor_key: str = Field(description="The key by which the task can be found again at the vendor.")
    payload: VendorJson = Field(
        default_factory=dict, description="What the vendor is sent. May hold placeholders until `prepare`."
    )
    looks_for: dict[str, list[str]] = Field(
        default_factory=dict, description="Channel -> unified labels this task looks for."
    )
    share_key: str | None = Field(None, description="Tasks with the same share key may go in one call.")
    price_class: str | None = Field(None, description="`free`, `paid`, or `null` where it is not known.")
    extra: dict[str, Any] = Field(
        default_factory=dict,
        description="What the provider itself needs to prepare the task or to read its reply. Never sent, never a secret.",
    )


class PlannedRequest(Stored):
    """One HTTP request as it would be sent, without credentials."""

    method: str = Field(description="The HTTP method, upper case.")
    path: str = Field(description="The path at the vendor's host, without query.")
    query: VendorMap = Field(default_factory=dict, description="Query parameters, those that sign left out.")
    headers: dict[str, str] = Field(default_factory=dict, description="Those that carry meaning, not those that sign.")
    body: VendorJson = Field(default=None, description="The JSON body; `null` where there is none.")


class Plan(Stored):
    """The vendor tasks of a job, the coverage they promise, and what cannot be done. Pure data."""

    provider: str = Field(description="The provider's id.")
    instance: str | None = Field(None, description="The configured instance; `null` for a plan without configuration.")
    tasks: tuple[VendorTask, ...] = Field((), description="The tasks that the vendor would be asked to do.")
    requests: tuple[PlannedRequest, ...] = Field(
        (), description="What would go over the wire; empty for a provider that sends nothing."
    )
    coverage: tuple[Coverage, ...] = Field(
        (), description="One row per label asked and channel: `planned` or `not_evaluated` with why."
    )
    unsupported: tuple[Unsupported, ...] = Field(
        (), description="Demands that cannot be honoured: `submit` refuses them."
    )
    warnings: tuple[Note, ...] = Field((), description="Wishes that will not be honoured, and what else to know.")
    price_class: str | None = Field(None, description="`free`, `paid`, or `null` where it is not known.")
    estimate: Money | None = Field(None, description="What it would cost, where prices are known.")

    @property
    def asks(self) -> dict[str, list[str]]:
        """Channel -> labels that are planned to be looked for."""
        planned: dict[str, list[str]] = {}
        for row in self.coverage:
            if row.state == "planned":
                planned.setdefault(row.channel, []).append(row.label)
        return planned
