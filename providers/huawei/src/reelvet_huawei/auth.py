"""Signatures and tokens on each request, and where the credentials come from.

Signing is the vendor's own: https://support.huaweicloud.com/devg-apisign/api-sign-algorithm-001.html. Its SDK is
imported when an instance is opened, and not before.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from reelvet.http import check_network
from reelvet.schema.errors import AuthenticationFailed, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from reelvet.http import Request
    from reelvet_huawei.settings import HuaweiSettings

LIST_PROJECTS = "ListProjects"
CREATE_TOKEN = "CreateToken"  # noqa: S105  (an operation's name)
PROFILE = "HUAWEICLOUD_SDK_CREDENTIALS_FILE"
_METADATA = "169.254.169.254"
_LOOK_AGAIN = timedelta(minutes=1)
"""How often the SDK is asked whether a temporary key pair is to be renewed; it renews 40 minutes before the end."""
_RENEW_BEFORE = timedelta(hours=1)
"""Before a token ends, or at half of its time where that is less. One holds for 24 hours: https://support.huaweicloud.com/intl/en-us/api-iam/iam_30_0001.html"""
_LONGEST = timedelta(hours=24)


@dataclass(frozen=True, slots=True, repr=False)
class KeyPair:
    """What is signed with; taken all at once, since another thread may be renewing it."""

    ak: str
    sk: str
    security_token: str | None = None

    @property
    def secrets(self) -> list[SecretStr]:
        """What of it must not be seen."""
        return [SecretStr(one) for one in (self.ak, self.sk, self.security_token) if one]

    def __repr__(self) -> str:
        return "KeyPair(***)"


@dataclass(frozen=True, slots=True, repr=False)
class Token:
    """A token of IAM's, with the project it is scoped to."""

    text: str
    project_id: str | None
    expires_at: datetime

    def __repr__(self) -> str:
        return "Token(***)"


class Credentials(Protocol):
    """Where what is put on requests comes from. `ready` may talk; `sign` may not."""

    async def ready(self, *, anew: bool = False) -> None:
        """Makes sure that what requests are signed with holds for the next minutes; `anew`: the vendor has refused it."""

    def sign(self, request: Request, now: datetime, /) -> Request:
        """The request with its credentials."""


class KeySigner:
    """`SDK-HMAC-SHA256` over what is sent, made anew for each try."""

    def __init__(
        self,
        source: Callable[[], Any],
        clock: Callable[[], datetime],
        project_id: str | None = None,
        *,
        whence: str = "",
        hide: Callable[[Sequence[SecretStr]], None] = lambda _: None,
    ) -> None:
        self._source = source
        self._clock = clock
        self._whence = whence
        self._hide = hide
        self._sdk: Any = None
        self._pair: KeyPair | None = None
        self._looked_at: datetime | None = None
        self._lock = asyncio.Lock()
        self.project_id = project_id

    async def ready(self, *, anew: bool = False) -> None:
        """Fetches or renews the key pair, in a thread and once for all who wait.

        Raises:
            ConfigurationError: There are no credentials where they were said to be.
            AuthenticationFailed: They could not be fetched.
        """
        if not self._is_due():
            return
        async with self._lock:
            if self._is_due():
                pair = await asyncio.to_thread(self._renew)
                self._hide(pair.secrets)
                self._pair = pair
                self._looked_at = self._clock()

    @property
    def pair(self) -> KeyPair | None:
        """What is signed with, for the vendor's OBS client."""
        return self._pair

    def _is_due(self) -> bool:
        if self._pair is None or self._looked_at is None:
            return True
        return self._sdk.sts_accessor is not None and self._clock() - self._looked_at > _LOOK_AGAIN

    def _renew(self) -> KeyPair:
        import configparser  # noqa: PLC0415  (of the profile file)

        from huaweicloudsdkcore.exceptions.exceptions import ApiValueError, SdkException  # noqa: PLC0415

        why = None
        try:  # what it talks to the metadata service with raises OSErrors, and for what it finds nowhere a ValueError
            if self._sdk is None:
                self._sdk = self._source()
            self._sdk.process_sts(None)
        except (SdkException, ApiValueError) as error:
            why = f"{type(error).__name__}: {error}"
        except (OSError, ValueError, configparser.Error) as error:
            why = type(error).__name__  # no more of it: what it could not read it may quote, and that holds keys
        if why is not None:  # out of the block, so that nothing hangs on the error
            raise AuthenticationFailed(
                f"no credentials could be had{self._whence}: {why}", created="no", way_out="Check `credentials`."
            )
        if not self._sdk.ak or not self._sdk.sk:
            raise ConfigurationError("there is no key pair", field="credentials", way_out="Give `ak` and `sk`.")
        return KeyPair(self._sdk.ak, self._sdk.sk, self._sdk.security_token)

    def sign(self, request: Request, now: datetime, /) -> Request:
        """The request with its signature. What is signed is what goes out: URL, body, and the headers named here."""
        from huaweicloudsdkcore.auth.credentials import BasicCredentials  # noqa: PLC0415
        from huaweicloudsdkcore.sdk_request import SdkRequest  # noqa: PLC0415

        if self._pair is None:
            raise RuntimeError("a request is signed before `ready`")
        parts = urlsplit(request.url)
        # Not all headers: what stands between here and the vendor may change User-Agent or Accept-Encoding.
        signed = {name: request.headers[name] for name in ("Content-Type",) if name in request.headers}
        signed |= {"Host": request.host, "X-Sdk-Date": now.strftime("%Y%m%dT%H%M%SZ")}
        project_id = None if request.operation == LIST_PROJECTS else self.project_id
        told = SdkRequest(
            method=request.method,
            schema=parts.scheme,
            host=request.host,
            resource_path=request.path,
            query_params=_pairs(request.query),
            header_params=dict(signed),
            body=request.content,
        )
        pair = BasicCredentials(self._pair.ak, self._pair.sk, project_id)
        if self._pair.security_token:
            pair = pair.with_security_token(self._pair.security_token)
        pair.sign_request(told)
        return request.with_headers(told.header_params)

    def __repr__(self) -> str:
        return "KeySigner(***)"


def _pairs(query: str) -> list[tuple[str, str]]:
    """Names and values as a server reads them. Not as a form: a plus sign is one, and no white space."""
    parts = (part.partition("=") for part in query.split("&") if part)
    return [(unquote(name), unquote(value)) for name, _, value in parts]


class TokenSigner:
    """`X-Auth-Token`: a token of IAM's, fetched when it is needed and renewed before it ends."""

    def __init__(
        self,
        fetch: Callable[[], Awaitable[Token]],
        clock: Callable[[], datetime],
        *,
        hide: Callable[[Sequence[SecretStr]], None] = lambda _: None,
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._hide = hide
        self._token: Token | None = None
        self._renew_at: datetime | None = None
        self._lock = asyncio.Lock()

    async def ready(self, *, anew: bool = False) -> None:
        """Fetches or renews the token, once for all who wait.

        Raises:
            ProviderError: IAM refuses, or cannot be reached.
        """
        refused = self._token if anew else None
        if not self._is_due(refused):
            return
        async with self._lock:
            if self._is_due(refused):
                token, now = await self._fetch(), self._clock()
                self._hide([SecretStr(token.text)])
                # One that has ended when it comes was timed by another clock: it holds until the vendor refuses it.
                life = token.expires_at - now if token.expires_at > now else _LONGEST
                self._renew_at = now + life - min(_RENEW_BEFORE, life / 2)
                self._token = token

    def _is_due(self, refused: Token | None) -> bool:
        token, renew_at = self._token, self._renew_at
        return token is None or renew_at is None or token is refused or self._clock() > renew_at

    @property
    def project_id(self) -> str | None:
        """The project that the token is scoped to."""
        return self._token.project_id if self._token is not None else None

    def sign(self, request: Request, now: datetime, /) -> Request:
        """The request with the token; that which asks for one goes without."""
        if request.operation == CREATE_TOKEN:
            return request
        if self._token is None:
            raise RuntimeError("a request is signed before `ready`")
        return request.with_headers({"X-Auth-Token": self._token.text})

    def __repr__(self) -> str:
        return "TokenSigner(***)"


def token_request(settings: HuaweiSettings) -> dict[str, Any]:
    """What a token is asked for with.

    https://support.huaweicloud.com/intl/en-us/api-iam/iam_30_0001.html
    """
    if settings.password is None:
        raise ConfigurationError(
            "no password is given", field="password", way_out="Give `password`, or other `credentials`."
        )
    scope = {"id": settings.project_id} if settings.project_id else {"name": settings.region}
    user = {
        "name": settings.user,
        "password": settings.password.get_secret_value(),
        "domain": {"name": settings.domain},
    }
    return {
        "auth": {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": {"project": scope},
        }
    }


def read_token(text: str, body: Any, now: datetime) -> Token:
    """A token out of IAM's reply: it stands in a header, and what is known of it in the body."""
    from reelvet.schema import lenient  # noqa: PLC0415

    told = lenient.mapping(lenient.mapping(body).get("token"))
    project = lenient.mapping(told.get("project"))
    expires_at = lenient.moment(told.get("expires_at"))
    return Token(text, lenient.text(project.get("id")), expires_at or now + _LONGEST)


def profile_path() -> Path:
    """Where the SDK looks for its profile file."""
    return Path(os.environ.get(PROFILE) or Path.home() / ".huaweicloud" / "credentials")


def whence(settings: HuaweiSettings) -> str:
    """Where a key pair is to come from, for an error that says that it does not."""
    return f" from the file {profile_path()}" if settings.credentials == "profile" else ""


def source(settings: HuaweiSettings) -> Callable[[], Any]:
    """Makes the SDK's credentials; called in a thread, since it reads files."""

    def make() -> Any:
        from huaweicloudsdkcore.auth.credentials import BasicCredentials  # noqa: PLC0415
        from huaweicloudsdkcore.auth.internal import MetadataAccessor  # noqa: PLC0415
        from huaweicloudsdkcore.auth.provider import ProfileCredentialProvider  # noqa: PLC0415

        if settings.credentials == "profile":
            return ProfileCredentialProvider.get_basic().get_credentials()
        if settings.credentials == "metadata":
            check_network(_METADATA)
            found = BasicCredentials()
            found.sts_accessor = MetadataAccessor()
            return found
        ak, sk = (key.get_secret_value() if key is not None else None for key in (settings.ak, settings.sk))
        pair = BasicCredentials(ak, sk)
        token = settings.security_token
        return pair.with_security_token(token.get_secret_value()) if token is not None else pair

    return make
