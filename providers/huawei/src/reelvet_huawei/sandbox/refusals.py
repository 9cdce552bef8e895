"""How the services, the gateway before them and IAM refuse."""

from __future__ import annotations

import uuid

from reelvet.sandbox import Reply

UNAUTHORIZED = 401
NOT_FOUND = 404
TOO_MANY = 429

_IVA = {
    "IVA.0001": 401, "IVA.0005": 404, "IVA.0006": 500, "IVA.0007": 403, "IVA.0008": 403, "IVA.0009": 403, "IVA.0010": 503,
    "IVA.0014": 403, "IVA.0015": 403,
}  # fmt: skip
"""https://support.huaweicloud.com/en-us/api-vas/vas_03_0047.html; what is not here is a 400."""
_OPENAPI = {"IVA.0005": 400, "IVA.0007": 400}
"""The examples of the API Explorer file these two under another status."""


class Refused(Exception):
    """A request that a service does not take."""

    def __init__(self, code: str, says: str) -> None:
        super().__init__(f"{code} {says}")
        self.code = code
        self.says = says


def invalid(says: str) -> Refused:
    """A parameter of v2, with the beginning that all its published examples share."""
    return Refused("IVA.0004", f"The request param is invalid. {says}")


def nowhere(says: str) -> Refused:
    """Something that v2 does not find."""
    return Refused("IVA.0005", f"The requested resource is NOT found. {says}")


def told(refused: Refused, statuses: str) -> Reply:
    """A refusal as a reply. All of v3's are 400.

    https://support.huaweicloud.com/api-moderation/moderation_03_0010.html
    """
    status = _IVA.get(refused.code, 400)
    if statuses == "openapi":
        status = _OPENAPI.get(refused.code, status)
    return Reply(status, {"error_code": refused.code, "error_msg": refused.says})


def by_gateway(status: int, code: str, says: str) -> Reply:
    """The gateway's own: the request's id stands in the body and in a header, and they are the same.

    As captured in https://github.com/huaweicloud/huaweicloud-sdk-nodejs-v3/issues/2
    """
    number = request_id()
    return Reply(status, {"error_msg": says, "error_code": code, "request_id": number}, {"x-request-id": number})


def by_iam(status: int, title: str, says: str) -> Reply:
    """IAM's.

    https://support.huaweicloud.com/intl/en-us/api-iam/iam_30_0001.html
    """
    return Reply(status, {"error": {"code": status, "message": says, "title": title}})


def request_id() -> str:
    """A new one."""
    return uuid.uuid4().hex


def with_request_id(reply: Reply) -> Reply:
    """Every reply has one in its header: its own, where it names none yet."""
    if "x-request-id" in reply.headers:
        return reply
    return Reply(reply.status, reply.content, {**reply.headers, "x-request-id": request_id()}, reply.raw)
