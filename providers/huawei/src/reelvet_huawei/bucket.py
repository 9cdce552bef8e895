"""What lies in buckets of the caller's, read with the vendor's OBS client where it is installed: v2 results, and whether media is there."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from reelvet.http import check_network, logger
from reelvet.schema.errors import (
    AuthenticationFailed,
    ConfigurationError,
    PermissionDenied,
    ProviderError,
    ReelvetError,
    ReplyTooLarge,
    TaskNotFound,
    TransportFailed,
    UnexpectedReply,
    VendorUnavailable,
)
from reelvet.schema.task import TaskError
from reelvet_huawei import wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from reelvet_huawei.auth import KeyPair
    from reelvet_huawei.settings import HuaweiSettings

_PAGE = 1000
_MOST_PAGES = 20
_MOST_BYTES = 16 * 1024 * 1024
_OK, _NOT_FOUND, _THEIR_FAULT = 300, 404, 500
_OFFICIAL = (".myhuaweicloud.com", ".myhuaweicloud.cn")
_log = logger("huawei")

_KEYS = "check `ak` and `sk`, and that they belong to the account of the bucket"
_REFUSALS: dict[str, tuple[type[ReelvetError], str]] = {
    "NoSuchBucket": (TaskNotFound, "check `obs_output`: the bucket must be there, in the region of the instance"),
    "NoSuchKey": (TaskNotFound, "look into the folder: it may have been moved or deleted"),
    "AccessDenied": (PermissionDenied, "give the user of the key pair the right to list and to read the bucket"),
    "InvalidAccessKeyId": (AuthenticationFailed, _KEYS),
    "SignatureDoesNotMatch": (AuthenticationFailed, _KEYS),
    "RequestTimeTooSkewed": (AuthenticationFailed, "set this machine's clock: it may be off by 15 minutes at most"),
}
"""OBS's code -> what it stands for, and what to do: https://support.huaweicloud.com/eu/sdk-android-devg-obs/obs_26_1601.html"""


@dataclass(frozen=True, slots=True)
class Missing:
    """Why a result could not be read, and what to do about it."""

    code: str
    why: str
    mend: str
    kind: type[ReelvetError] = TaskNotFound
    may_come: bool = False
    """Whether it may just not have been written yet."""

    @property
    def error(self) -> TaskError:
        """The same as data of the task."""
        return TaskError(code=self.code, message=f"{self.why}; {self.mend}", type=self.kind.__name__)


NO_CLIENT = Missing(
    "NoClient",
    "the package esdk-obs-python, which reads a bucket, is not installed",
    "install reelvet-huawei[obs], or let the vendor keep results: hosting = true",
    ConfigurationError,
)
NO_KEYS = Missing(
    "NoKeys",
    "a token does not open a bucket",
    "give a key pair (credentials = 'keys'), or let the vendor keep results: hosting = true",
    ConfigurationError,
)


def is_installed() -> bool:
    """Whether the extra `obs` is there."""
    return find_spec("obs") is not None


async def read(
    pair: KeyPair, settings: HuaweiSettings, place: tuple[str, str], task_id: str, *, is_own: bool = False
) -> Any:
    """The result of a task from below a folder, or `Missing` where it is not there, or not certainly that task's.

    The name of the object is not documented. Its key is taken to hold the task's id, unless the folder is the task's own,
    and to end in `.json`; a single one that does is read, and what it holds is looked at by whoever reads it.

    Args:
        pair: What to sign with.
        settings: The instance's.
        place: Bucket and folder.
        task_id: The vendor's id of the task.
        is_own: Whether nothing but what is the task's lies in the folder.

    Raises:
        TransportFailed: OBS cannot be reached.
        VendorUnavailable: OBS cannot serve now.
    """

    def talk(client: Any) -> Any:
        bucket, folder = place
        where = f"obs://{bucket}/{folder}"
        keys, refused = _keys(client, bucket, folder)
        if refused is not None:
            return refused
        own = f"{folder.rstrip('/')}/"
        mine = [key for key in keys if key.endswith(".json") and (task_id in key or (is_own and key.startswith(own)))]
        if len(mine) != 1:
            told = "no object" if not mine else f"each of {len(mine)} objects"
            why = f"{told} in {where} may be the result of task {task_id}"
            mend = "look into the folder, and whether the agency of the service may write there" if not mine else _OWN
            return Missing("NoSuchKey" if not mine else "Ambiguous", why, mend, may_come=not mine)
        got = client.getObject(bucket, mine[0], loadStreamInMemory=True)
        refused = _refusal(got, f"obs://{bucket}/{mine[0]}")
        if refused is not None:
            return refused
        content = bytes(got.body.buffer or b"")
        if len(content) > _MOST_BYTES:
            return Missing("TooLarge", f"obs://{bucket}/{mine[0]} is larger than any result", _OWN, ReplyTooLarge)
        found = wire.parsed(content)
        unreadable = f"obs://{bucket}/{mine[0]} is no result in JSON"
        return found if found is not None else Missing("Unreadable", unreadable, _OWN, UnexpectedReply)

    return await asyncio.to_thread(_talk, pair, settings, talk)


_OWN = "give each job a folder of its own: obs_output = 'obs://bucket/path/{key}/'"


async def lacks(pair: KeyPair, settings: HuaweiSettings, place: tuple[str, str]) -> bool:
    """Whether an object is certainly not there. What cannot be said, for whatever reason, is not.

    Args:
        pair: What to sign with.
        settings: The instance's.
        place: Bucket and path.
    """

    def talk(client: Any) -> bool:
        return int(client.getObjectMetadata(*place).status) == _NOT_FOUND

    try:
        return bool(await asyncio.to_thread(_talk, pair, settings, talk))
    except ReelvetError as error:
        _log.info("whether obs://%s/%s is there cannot be told: %s", *place, error)
        return False


def _talk(pair: KeyPair, settings: HuaweiSettings, talk: Callable[[Any], Any]) -> Any:
    client = _client(pair, settings)
    try:
        return talk(client)
    except ReelvetError:
        raise
    except Exception as error:  # noqa: BLE001  (the client has no class of its own: a body that ends early is this one)
        raise TransportFailed(f"OBS cannot be reached: {type(error).__name__}: {error}") from None
    finally:
        client.close()


def _client(pair: KeyPair, settings: HuaweiSettings) -> Any:
    server = settings.obs
    host = urlsplit(server).hostname or ""
    check_network(host)
    try:
        from obs import ObsClient  # noqa: PLC0415  (an extra, and loaded only where something lies in a bucket)
    except Exception as error:
        raise ConfigurationError(
            f"the package esdk-obs-python cannot be loaded: {type(error).__name__}: {error}",
            field="obs_output",
            way_out="Install reelvet-huawei[obs] anew, or let the vendor keep results: hosting = true.",
        ) from error
    proxy = urlsplit(settings.proxy or "")
    client = ObsClient(
        access_key_id=pair.ak,
        secret_access_key=pair.sk,
        security_token=pair.security_token,
        server=server,
        path_style=not host.endswith(_OFFICIAL),
        max_retry_count=0,
        max_redirect_count=0,
        timeout=settings.timeout,
        proxy_host=proxy.hostname,
        proxy_port=proxy.port,
        proxy_username=unquote(proxy.username) if proxy.username else None,
        proxy_password=unquote(proxy.password) if proxy.password else None,
    )
    if client.is_secure:
        # By itself it checks no certificate, and given authorities to trust it does not hold the host's name against one.
        bundle = settings.ca_bundle
        is_folder = bundle is not None and bundle.is_dir()
        client.context = ssl.create_default_context(
            cafile=None if is_folder else bundle, capath=bundle if is_folder else None
        )
    return client


def _keys(client: Any, bucket: str, folder: str) -> tuple[list[str], Missing | None]:
    """All keys below a folder, or why they are not to be had."""
    found: list[str] = []
    marker = None
    for _ in range(_MOST_PAGES):
        page = client.listObjects(bucket, prefix=folder or None, marker=marker, max_keys=_PAGE)
        refused = _refusal(page, f"obs://{bucket}/{folder}")
        if refused is not None:
            return [], refused
        if not hasattr(page.body, "contents"):  # where it cannot read a reply the client says nothing and gives none
            raise UnexpectedReply(f"what OBS lists of obs://{bucket}/{folder} cannot be read", retryable=True)
        found += [item.key for item in page.body.contents or () if item.key]
        marker = page.body.next_marker
        if not page.body.is_truncated or not marker:
            break
    return found, None


def _refusal(answer: Any, what: str) -> Missing | None:
    """Why OBS does not hand it out; `None` where it does.

    Raises:
        VendorUnavailable: It cannot now.
    """
    if answer.status >= _THEIR_FAULT:
        raise VendorUnavailable(f"{what} cannot be read now: HTTP {answer.status}", status=answer.status)
    if answer.status < _OK:
        return None
    told = getattr(answer, "errorCode", None)
    code = told or ("NoSuchKey" if answer.status == _NOT_FOUND else "AccessDenied")
    kind, mend = _REFUSALS.get(code, (ProviderError, "see what OBS says of this code"))
    _log.warning("%s cannot be read: HTTP %s, %s", what, answer.status, code)
    return Missing(code, f"{what} cannot be read (HTTP {answer.status}, {code})", mend, kind)
