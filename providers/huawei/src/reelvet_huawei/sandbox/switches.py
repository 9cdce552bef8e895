"""What can be set of the emulator of Huawei."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from reelvet.sandbox import Setup

State = Literal[
    "PENDING", "RECOVERING", "STARTING", "UPGRADING", "CREATE_FAILED", "START_FAILED", "RUNNING", "STOPPING", "STOPPED", "ABNORMAL",
    "SUCCEEDED", "FAILED", "DELETING", "FREEZING", "FROZEN",
]  # fmt: skip
"""The states of a v2 task, all that its list lets one filter by."""


class HuaweiSetup(Setup):
    """What can be set of the emulator of Huawei."""

    per_second: float | None = Field(
        10.0,
        gt=0,
        description="Jobs of v3 that may be created in any second, of video and of audio each; as documented.",
    )
    queue: int | None = Field(None, ge=0, description="Tasks of v2 that may wait or run; more are refused: IVA.0012.")
    queue_seconds: float = Field(2.0, ge=0, description="Virtual seconds that a task waits at least.")
    hosting_seconds: float = Field(
        5.0, ge=0, description="v2: virtual seconds from SUCCEEDED to its result, hosted or in a bucket."
    )
    hosted: Literal["AVAILABLE", "EXCEED_IN_SIZE", "DELETED_MISTAKENLY"] = Field(
        "AVAILABLE", description="v2: what becomes of a hosted result."
    )
    state: State | None = Field(None, description="v2: the state that every task is shown in; `null`: its own.")
    says_why: bool = Field(False, description="v2: whether a failed task has the `error` of the generic specification.")
    statuses: Literal["page", "openapi"] = Field(
        "page", description="v2: whose HTTP statuses; the two documents contradict each other."
    )
    obs_only: bool = Field(True, description="v2: whether only URLs of OBS are taken, as documented.")
    empty_lists: Literal["empty", "missing", "null"] = Field(
        "empty", description="What a result says where it lists nothing."
    )
    biz_types: tuple[str, ...] | None = Field(
        None, description="v3: the policies there are; `null`: any that is named."
    )
    international: bool = Field(False, description="v3: without politics in pictures, as on the international site.")
    signature: Literal["hex", "HEX", "base64"] = Field("hex", description="v3: how callbacks write their signature.")
    agency: bool = Field(True, description="`false`: the services may read no object: their agency for OBS is missing.")
    refuses_media: bool = Field(
        False,
        description="v3: whether media that cannot be downloaded is refused at once, and the job not failed later.",
    )
    buckets: tuple[str, ...] | None = Field(None, description="OBS: the buckets there are; `null`: any that is named.")
    readable: bool = Field(True, description="`false`: OBS lets the account read nothing.")
    writes: bool = Field(True, description="`false`: v2 writes nothing into buckets, though its tasks succeed.")
    folders: Literal["id", "other"] = Field(
        "id",
        description="OBS: what a result's folder is called: the task's id, or the other form of it that frames have.",
    )
    keys_per_page: int = Field(1000, ge=1, le=1000, description="OBS: objects on a page of a list at most.")
    subscribed: bool = Field(True, description="`false`: both services refuse, as for an account without them.")
    serves: Literal["both", "v2", "v3"] = Field("both", description="Which services there are in the region.")
    projects: int = Field(1, ge=0, le=2, description="How many projects IAM finds in the region.")
    token_hours: float = Field(24.0, gt=0, description="How long a token holds; as documented.")
    expired_as: Literal["APIGW.0307", "APIGW.0301"] = Field(
        "APIGW.0307", description="Under which code a token that has expired is refused; the documents have both."
    )
    clock_ahead: float = Field(0.0, description="Seconds by which the gateway's clock is ahead of yours.")
    lock_after: int | None = Field(
        5, ge=1, description="Wrong signatures in a row after which a key is locked for five minutes; as documented."
    )
