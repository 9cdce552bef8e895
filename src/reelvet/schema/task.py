"""One task at a vendor: how it is named, and what the vendor says of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import Field

from reelvet.schema.base import Moment, Stored, VendorJson, VendorMap, Words


class Status(StrEnum):
    """How far a task, or a job, is. A vendor's unknown word is `unknown`, which is not finished."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELED = "canceled"
    UNKNOWN = "unknown"

    @property
    def final(self) -> bool:
        """Whether nothing more will come."""
        return self in {Status.SUCCEEDED, Status.PARTIAL, Status.FAILED, Status.CANCELED}


class TaskRef(Stored):
    """The durable name of one task at a vendor."""

    id: str = Field(description="The vendor's task id, as it is.")
    name: str = Field("", description="The task's name within its plan.")
    category: str | None = Field(None, description="The vendor's category or task type, where it has one.")
    extra: dict[str, Any] = Field(
        default_factory=dict, description="What else the provider needs to find the task. Never a secret."
    )


class TaskError(Stored):
    """Why a task failed, in the vendor's words and typed."""

    code: str | None = Field(None, description="The vendor's code, or the provider's own where the vendor has none.")
    message: Words = Field("", description="The vendor's text; URLs masked when dumped.")
    type: str | None = Field(None, description="The class of `reelvet.errors` it corresponds to.")
    retryable: bool | None = Field(None, description="Whether a new attempt may succeed; `null` where nobody says.")


class RawTask(Stored):
    """What a vendor says of a task, kept whole."""

    ref: TaskRef = Field(description="The task that is spoken of.")
    status: Status = Field(description="The vendor's word in ours; `unknown` for a word not known.")
    native_status: str | None = Field(None, description="The vendor's own word.")
    payload: VendorJson = Field(default=None, description="The reply, complete.")
    attachments: VendorMap = Field(
        default_factory=dict, description="What had to be fetched besides: further pages, result files."
    )
    request_ids: tuple[str, ...] = Field((), description="The vendor's ids of the requests that brought this.")
    requests: int = Field(0, description="How many requests were made for the task.")
    error: TaskError | None = Field(None, description="Why it failed; `null` where it did not.")
    poll_after: float | None = Field(None, description="Seconds after which the vendor wants to be asked again.")
    vendor_key: str | None = Field(None, description="The key as the vendor holds it, where it echoes one.")
    created_at: Moment | None = Field(None, description="When the vendor says it was created, UTC.")
