"""What stands before the services: who is calling, and is the signature right?

Its words: https://support.huaweicloud.com/intl/en-us/usermanual-apig/apig-faq-0003.html; those on a signature that does
not fit are captured in https://github.com/huaweicloud/huaweicloud-sdk-nodejs-v3/issues/2.
"""

from __future__ import annotations

import hmac
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reelvet_huawei.sandbox import account, signing
from reelvet_huawei.sandbox.refusals import NOT_FOUND, TOO_MANY, UNAUTHORIZED, by_gateway
from reelvet_huawei.sandbox.signing import Authorization

if TYPE_CHECKING:
    from reelvet.sandbox import Call, Reply, World
    from reelvet_huawei.sandbox.iam import Iam
    from reelvet_huawei.sandbox.switches import HuaweiSetup

_LOCKED_FOR = 300.0


class Gateway:
    """Lets requests in or not, and counts signatures that were wrong."""

    def __init__(self, world: World, iam: Iam) -> None:
        self._world = world
        self._iam = iam
        self._wrong: dict[str, int] = {}
        self._locked_until: dict[str, float] = {}

    def reset(self) -> None:
        """As at the start."""
        self._wrong.clear()
        self._locked_until.clear()

    def refusal(self, call: Call, setup: HuaweiSetup) -> Reply | None:
        """Why a request is not let in; `None` where it is.

        One that carries a signature and a token, as the vendor's SDK sends it where a token is added by hand, is judged by
        the signature; which of the two counts is documented nowhere.
        """
        header = call.header("authorization")
        if header is not None and header.startswith(signing.ALGORITHM):
            authorization = Authorization.parse(header)
            if authorization is None:
                return _unknown("verify aksk signature fail, authorization header is invalid")
            return self._by_signature(call, authorization, setup)
        return self._by_token(call.header("x-auth-token"), setup)

    def _by_token(self, token: str | None, setup: HuaweiSetup) -> Reply | None:
        known = None if token is None else self._iam.known(token)
        if known is None:
            return _unknown("x-auth-token not found" if token is None else "decrypt token fail")
        if self._iam.holds(known):
            return None
        if setup.expired_as == "APIGW.0301":
            return _unknown(f"token expires, expires_at: {known.expires_at:%Y-%m-%dT%H:%M:%SZ}")
        return by_gateway(UNAUTHORIZED, "APIGW.0307", "The token must be updated.")

    def _by_signature(self, call: Call, told: Authorization, setup: HuaweiSetup) -> Reply | None:
        now = self._world.clock.now()
        if self._locked_until.get(told.access, 0.0) > now:
            return _unknown("AK access failed to reach the limit,forbidden.")
        secret = account.SECRETS.get(told.access)
        if secret is None:
            return _unknown(f"Get secretKey failed,ak:{told.access},err:ak not exist")
        why = self._fault(call, told, secret, setup)
        if why is None:
            self._wrong.pop(told.access, None)
            return None
        wrong = self._wrong[told.access] = self._wrong.get(told.access, 0) + 1
        if setup.lock_after is not None and wrong > setup.lock_after:  # "more than five times in a row"
            self._locked_until[told.access] = now + _LOCKED_FOR
            del self._wrong[told.access]
        return _unknown(why)

    def _fault(self, call: Call, told: Authorization, secret: str, setup: HuaweiSetup) -> str | None:
        date = call.header("x-sdk-date") or ""
        if not signing.NEEDED.issubset(told.signed_headers) or not date:
            return "verify aksk signature fail, host and x-sdk-date must be signed"
        if not self._is_in_time(date, setup.clock_ahead):
            return "calc ak sk signature fail:signature expired"
        token = call.header("x-security-token")
        if told.access == account.TEMPORARY_AK and token != account.SECURITY_TOKEN:
            return "security token is invalid"
        if told.access == account.AK and token is not None:
            return "security token does not belong to the ak"
        canonical = signing.canonical_request(call, told.signed_headers)
        if hmac.compare_digest(signing.signature(canonical, date, secret), told.signature):
            return None
        echoed = canonical.decode("latin-1").replace("\n", "|")
        return f"verify aksk signature fail, canonicalRequest:{echoed}"

    def _is_in_time(self, date: str, ahead: float) -> bool:
        try:
            signed = datetime.strptime(date, signing.DATE).replace(tzinfo=UTC)
        except ValueError:
            return False
        return signing.is_in_time(self._world, signed, ahead)


def _unknown(why: str) -> Reply:
    return by_gateway(UNAUTHORIZED, "APIGW.0301", f"Incorrect IAM authentication information: {why}")


def no_such_api() -> Reply:
    """There is no such API here."""
    return by_gateway(NOT_FOUND, "APIGW.0101", "The API does not exist or has not been published in the environment")


def throttled(limit: float | None) -> Reply:
    """The documented body.

    https://support.huaweicloud.com/api-moderation/moderation_03_0010.html
    """
    says = f"The throttling threshold has been reached: policy user over ratelimit,limit:{limit or 10:g},time:1 second"
    return by_gateway(TOO_MANY, "APIG.0308", says)
