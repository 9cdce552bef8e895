"""What can be set of the emulator of Tencent."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from reelvet.sandbox import Setup
from reelvet.schema.media import Channel
from reelvet_tencent.sandbox.sight import Cover, Policy

_BizType = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{3,32}$")]
_EVERYTHING = Policy(covers=(Cover(labels=("*",), channels=tuple(Channel)),))


class TencentSetup(Setup):
    """What can be set of the emulator of Tencent."""

    per_second: float | None = Field(
        20.0, gt=0, description="Requests in any second of the wall, of each action; the documented limit."
    )
    parallel: int | None = Field(10, ge=1, description="Files looked at at a time, the others wait; as documented.")
    queue: int | None = Field(None, ge=0, description="Files that may wait or run; no number is documented.")
    streams: int | None = Field(100, ge=0, description="Streams at a time; as documented, none waits.")
    queue_seconds: float = Field(1.0, ge=0, description="Virtual seconds that a task waits at least.")
    edition: Literal["cn", "intl"] = Field("cn", description="`cn`, or `intl`, which lacks fields and parameters.")
    activated: bool = Field(True, description="`false`: the service is not activated, or the account in arrears.")
    biz_types: dict[_BizType, Policy] = Field(
        default_factory=lambda: {"default": _EVERYTHING},
        description="The BizTypes that there are, and what the policy of each looks at.",
    )
    review_from: int = Field(55, ge=1, le=100, description="The score from which on a policy says Review.")
    block_from: int = Field(85, ge=1, le=100, description="The score from which on a policy says Block.")
    sound_times: Literal["ms", "s"] = Field(
        "ms", description="The unit of times within a sound, of which the documentation contradicts itself."
    )
    token_on_last_page: bool = Field(
        False, description="Whether the last page of the list has a PageToken, as in the documentation's example."
    )
