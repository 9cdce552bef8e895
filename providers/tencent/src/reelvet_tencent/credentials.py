"""Where the key pair comes from: the settings, or one of the sources that Tencent's SDK knows.

The SDK's sources block, and some of them call the vendor: they are asked in a thread, by one caller at a time, and the
others wait for the same answer.
"""

from __future__ import annotations

import asyncio
import configparser
import time
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from reelvet.http import check_network
from reelvet.schema.errors import AuthenticationFailed
from reelvet_tencent.auth import Keys

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reelvet_tencent.settings import TencentSettings

_FRESH = 60.0
"""Seconds for which an answer is used. The SDK renews keys minutes before they end."""

_PATIENCE = 30.0
"""Seconds for an answer: the SDK's own calls to a machine's metadata have no limit."""

_METADATA = "metadata.tencentyun.com"
STS_HOSTS = {"cn": "sts.tencentcloudapi.com", "intl": "sts.intl.tencentcloudapi.com"}
"""https://cloud.tencent.com/document/api/1312/48197; the root domain of the other edition is `intl.tencentcloudapi.com`."""


class Credentials:
    """The keys of one instance, in one event loop.

    Args:
        settings: The instance's.
        hide: Told each secret that is fetched, before it is used, so that it is kept out of errors and logs.
        clock: Seconds that go on.
    """

    def __init__(
        self,
        settings: TencentSettings,
        *,
        hide: Callable[[SecretStr], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._hide = hide
        self._clock = clock
        self._source: Callable[[], Keys] | None = None
        self._keys: Keys | None = None
        self._read_at = 0.0
        self._reading: asyncio.Task[Keys] | None = None
        if settings.credentials == "keys":
            self._keys = Keys(
                _secret(settings.secret_id), _secret(settings.secret_key), _secret(settings.token) or None
            )
        else:
            self._source = source(settings)

    def current(self) -> Keys:
        """The keys, as `refresh` left them."""
        if self._keys is None:
            raise RuntimeError("the credentials have not been read: call `refresh`")
        return self._keys

    async def refresh(self) -> None:
        """Reads the keys anew, if they may have changed.

        Raises:
            AuthenticationFailed: There are none to be had.
            NetworkDisabled: The kill switch is on, and they would have to be fetched.
        """
        if self._source is None or (self._keys is not None and self._clock() - self._read_at < _FRESH):
            return
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read(self._source))
            self._reading.add_done_callback(_seen)  # whoever waited may be gone
        self._keys = await asyncio.shield(self._reading)

    async def _read(self, read: Callable[[], Keys]) -> Keys:
        from tencentcloud.common.exception.tencent_cloud_sdk_exception import (  # type: ignore[import-untyped]  # noqa: PLC0415
            TencentCloudSDKException,
        )

        name = self._settings.credentials
        try:
            keys = await asyncio.wait_for(asyncio.to_thread(read), _PATIENCE)
        except (*_TROUBLES, TencentCloudSDKException) as error:
            # The text may hold a reply with keys in it, so the kind of error and the vendor's code have to do.
            code = getattr(error, "code", None)
            told = type(error).__name__
        else:
            if keys.secret_id and keys.secret_key:
                for secret in (keys.secret_id, keys.secret_key, keys.token):
                    if secret:
                        self._hide(SecretStr(secret))
                self._read_at = self._clock()
                return keys
            code, told = None, "it has none"
        raise AuthenticationFailed(
            f"no keys from {name!r}: {told}",
            code=code if isinstance(code, str) else None,
            created="no",
            way_out=_WAYS[name],
        )

    def __repr__(self) -> str:
        return f"Credentials({self._settings.credentials}, ***)"


_TROUBLES = (OSError, ValueError, LookupError, TypeError, AttributeError, configparser.Error)
"""What the SDK's sources raise of themselves: no such file, no route, a reply without the field that they look for."""

_WAYS = {
    "environment": "Set TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY.",
    "profile": "Write them into ~/.tencentcloud/credentials, below [default].",
    "cvm_role": "Bind a role to the virtual machine, or name it in `role_name`.",
    "tke": "Run it in a pod of a cluster that hands out roles: the variables TKE_... say so.",
    "sts": "Check `role_arn`, and that the key pair may take it on.",
    "oidc": "Check `role_arn`, `oidc_provider_id` and `web_identity_token_file`.",
}


def source(settings: TencentSettings) -> Callable[[], Keys]:
    """What reads the keys; blocks. The SDK is loaded when it is first called."""
    makes: dict[str, Callable[[], Callable[[], Keys]]] = {
        "environment": lambda: _looked_up("EnvironmentVariableCredential"),
        "profile": lambda: _looked_up("ProfileCredential"),
        "cvm_role": lambda: _kept(_METADATA, lambda sdk: sdk.CVMRoleCredential(settings.role_name)),
        "tke": lambda: _kept(STS_HOSTS["cn"], lambda sdk: sdk.DefaultTkeOIDCRoleArnProvider().get_credential()),
        "sts": lambda: _kept(_sts_host(settings), lambda sdk: _sts(sdk, settings)),
        "oidc": lambda: _renewed(settings),
    }
    return makes[settings.credentials]()


def _sdk() -> Any:
    from tencentcloud.common import credential  # type: ignore[import-untyped]  # noqa: PLC0415

    return credential


def _looked_up(name: str) -> Callable[[], Keys]:
    def read() -> Keys:
        found = getattr(_sdk(), name)().get_credential()
        return Keys("", "") if found is None else _keys_of(found)

    return read


def _kept(host: str, make: Callable[[Any], Any]) -> Callable[[], Keys]:
    """A source that renews its keys by itself."""
    made: list[Any] = []

    def read() -> Keys:
        check_network(host)
        if not made:
            made.append(make(_sdk()))
        return _keys_of(made[0])

    return read


def _renewed(settings: TencentSettings) -> Callable[[], Keys]:
    """A session made anew halfway: the provider's token in the file changes, and the SDK would keep the first one."""
    made: list[tuple[float, Any]] = []

    def read() -> Keys:
        check_network(_sts_host(settings))
        if not made or time.monotonic() - made[0][0] > settings.role_seconds / 2:
            made[:] = [(time.monotonic(), _oidc(_sdk(), settings, settings.web_identity_token_file))]
        return _keys_of(made[0][1])

    return read


def _sts(sdk: Any, settings: TencentSettings) -> Any:
    return sdk.STSAssumeRoleCredential(
        _secret(settings.secret_id),
        _secret(settings.secret_key),
        settings.role_arn,
        settings.role_session_name,
        settings.role_seconds,
        _sts_host(settings),
    )


def _oidc(sdk: Any, settings: TencentSettings, file: Path | None) -> Any:
    token = file.read_text(encoding="utf-8").strip() if file is not None else ""
    return sdk.OIDCRoleArnCredential(
        settings.region,
        settings.oidc_provider_id,
        token,
        settings.role_arn,
        settings.role_session_name,
        settings.role_seconds,
        _sts_host(settings),
    )


def _sts_host(settings: TencentSettings) -> str:
    return settings.sts_host or STS_HOSTS[settings.effective_edition]


def _keys_of(credential: Any) -> Keys:
    """The keys of a source of the SDK, all three of one session where it can give them so."""
    if hasattr(credential, "get_credential_info"):
        secret_id, secret_key, token = credential.get_credential_info()
    else:
        secret_id, secret_key, token = credential.secret_id, credential.secret_key, credential.token
    return Keys(secret_id or "", secret_key or "", token)


def _seen(reading: asyncio.Task[Keys]) -> None:
    if not reading.cancelled():
        reading.exception()


def _secret(value: SecretStr | None) -> str:
    return value.get_secret_value() if value is not None else ""
