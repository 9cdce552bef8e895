"""What Huawei's IAM is asked: the project of a region, and tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelvet.http import Effect, Request
from reelvet.schema import lenient
from reelvet.schema.errors import ConfigurationError
from reelvet_huawei import auth, request, wire
from reelvet_huawei.errors import unexpected

if TYPE_CHECKING:
    from datetime import datetime

    from reelvet.http import Session
    from reelvet_huawei.settings import HuaweiSettings


async def project_of(session: Session, settings: HuaweiSettings, *, instance: str) -> str:
    """The id of the one project that a region's name stands for.

    Raises:
        ConfigurationError: The account has none there, or several.
        ProviderError: The call failed.
    """
    made = Request.build(
        "GET", settings.iam + request.PROJECTS, effect=Effect.READ, operation=auth.LIST_PROJECTS,
        query={"name": settings.region},
    )  # fmt: skip
    reply = await session.send(made)
    listed = lenient.mapping(reply.json()).get("projects")
    if not isinstance(listed, list):
        raise unexpected(reply, "of IAM lists no projects")
    ids = [found for item in listed if (found := lenient.text(lenient.mapping(item).get("id")))]
    if len(ids) != 1:
        raise ConfigurationError(
            f"the account has {len(ids)} projects in region {settings.region!r}",
            field=f"providers.{instance}.project_id",
            way_out="Give `project_id`, or another `region`.",
        )
    return ids[0]


async def token(session: Session, settings: HuaweiSettings, now: datetime) -> auth.Token:
    """A new token, scoped to the project.

    Raises:
        ProviderError: The call failed.
    """
    made = Request.build(
        "POST", settings.iam + request.TOKENS, effect=Effect.REPEATABLE, operation=auth.CREATE_TOKEN,
        json_body=auth.token_request(settings), headers={"Content-Type": "application/json;charset=UTF-8"},
    )  # fmt: skip
    reply = await session.send(made)
    text = reply.headers.get("X-Subject-Token")
    if not text:
        raise unexpected(reply, "of IAM holds no token")
    return auth.read_token(text, wire.parsed(reply.content), now)
