"""IAM, as far as it is needed to be let in: tokens, and the project of a region."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from reelvet.sandbox import Reply
from reelvet_huawei.sandbox import account
from reelvet_huawei.sandbox.refusals import by_iam

if TYPE_CHECKING:
    from datetime import datetime

    from reelvet.sandbox import Call, World
    from reelvet_huawei.sandbox.switches import HuaweiSetup

_CREATED = 201
_DOMAIN = {"id": account.DOMAIN_ID, "name": account.DOMAIN}


@dataclass(frozen=True, slots=True, repr=False)
class Token:
    """A token that was given out."""

    project_id: str | None
    """`None`: it is for the account as a whole."""
    expires_at: datetime


class Iam:
    """Gives out tokens and remembers them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._tokens: dict[str, Token] = {}

    def reset(self) -> None:
        """As at the start."""
        self._tokens.clear()

    def known(self, text: str) -> Token | None:
        """The token of a text, be it expired; `None` where nobody was given it."""
        return self._tokens.get(text)

    def holds(self, token: Token) -> bool:
        """Whether it has not expired. Told by the date, since that is what a client compares with its own clock."""
        return self._world.clock.date() < token.expires_at

    def create_token(self, call: Call, setup: HuaweiSetup) -> Reply:
        """POST /v3/auth/tokens.

        https://support.huaweicloud.com/intl/en-us/api-iam/iam_30_0001.html

        By a password, or by another token (https://support.huaweicloud.com/intl/en-us/api-iam/iam_13_0604.html).
        """
        auth = _part(call.json, "auth")
        methods = _part(auth, "identity").get("methods")
        if methods == ["password"]:
            is_known = _is_user(_part(_part(_part(auth, "identity"), "password"), "user"))
        elif methods == ["token"]:
            other = self.known(str(_part(_part(auth, "identity"), "token").get("id")))
            is_known = other is not None and self.holds(other)
        else:
            return by_iam(400, "Bad Request", "The request body is invalid.")
        if not is_known:
            return by_iam(401, "Unauthorized", "The username or password is wrong.")
        scope = _part(auth, "scope")
        if "project" in scope and not _is_project(_part(scope, "project")):
            return by_iam(401, "Unauthorized", "The token must be scoped to a project that the user belongs to.")
        return self._given(methods, account.PROJECT_ID if "project" in scope else None, setup)

    def _given(self, methods: list[str], project_id: str | None, setup: HuaweiSetup) -> Reply:
        issued_at = self._world.clock.date()
        token = Token(project_id, issued_at + timedelta(hours=setup.token_hours))
        text = f"MII{secrets.token_urlsafe(96)}"
        self._tokens[text] = token
        user = {"domain": _DOMAIN, "id": account.USER_ID, "name": account.USER, "password_expires_at": ""}
        scope: dict[str, Any] = {"domain": _DOMAIN}
        if project_id is not None:
            scope = {"project": {"domain": _DOMAIN, "id": project_id, "name": account.REGION}}
        told = {
            "catalog": [],
            "expires_at": _written(token.expires_at),
            "issued_at": _written(issued_at),
            "methods": methods,
            **scope,
            "roles": [{"id": "0", "name": "te_admin"}],
            "user": user,
        }
        return Reply(_CREATED, {"token": told}, {"x-subject-token": text})

    def list_projects(self, call: Call, setup: HuaweiSetup) -> Reply:
        """GET /v3/projects.

        https://support.huaweicloud.com/intl/en-us/api-iam/iam_06_0001.html
        """
        ids = (account.PROJECT_ID, account.OTHER_PROJECT_ID)[: setup.projects]
        wanted = call.arguments.get("name")
        found = ids if wanted in {None, account.REGION} else ()
        here = f"https://{call.header('host')}/v3/projects"
        projects = [
            {
                "domain_id": account.DOMAIN_ID, "is_domain": False, "parent_id": account.DOMAIN_ID, "name": account.REGION, "description": "",
                "links": {"self": f"{here}/{id_}"}, "id": id_, "enabled": True,
            }
            for id_ in found
        ]  # fmt: skip
        links = {"next": None, "previous": None, "self": f"{here}?{call.query}" if call.query else here}
        return Reply(200, {"links": links, "projects": projects})


def _is_user(user: dict[str, Any]) -> bool:
    named = (user.get("name"), user.get("password"), _part(user, "domain").get("name"))
    return named == (account.USER, account.PASSWORD, account.DOMAIN)


def _is_project(project: dict[str, Any]) -> bool:
    return project.get("id") == account.PROJECT_ID or ("id" not in project and project.get("name") == account.REGION)


def _part(value: Any, name: str) -> dict[str, Any]:
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def _written(date: datetime) -> str:
    return f"{date:%Y-%m-%dT%H:%M:%S.%f}Z"
