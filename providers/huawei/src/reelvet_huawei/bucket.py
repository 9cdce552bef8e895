"""Reading a v2 result out of a bucket of the caller's, with the vendor's OBS client where it is installed."""

from __future__ import annotations

import asyncio
import ssl
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from reelvet.http import check_network, logger
from reelvet.schema.errors import TransportFailed, VendorUnavailable
from reelvet_huawei import wire

if TYPE_CHECKING:
    from reelvet_huawei.auth import KeyPair
    from reelvet_huawei.settings import HuaweiSettings

_PAGE = 1000
_MOST_PAGES = 20
_MOST_BYTES = 16 * 1024 * 1024
_OK, _THEIR_FAULT = 300, 500
_OFFICIAL = (".myhuaweicloud.com", ".myhuaweicloud.cn")
_log = logger("huawei")


def is_installed() -> bool:
    """Whether the extra `obs` is there."""
    return find_spec("obs") is not None


async def read(pair: KeyPair, settings: HuaweiSettings, place: tuple[str, str], task_id: str) -> Any:
    """The result of a task from below a folder; `None` where it is not there, or not certainly that task's.

    The name of the object is not documented. Its key is taken to hold the task's id and to end in `.json`; a single one
    that does is read, and what it holds is looked at by whoever reads it.

    Args:
        pair: What to sign with.
        settings: The instance's.
        place: Bucket and folder.
        task_id: The vendor's id of the task.

    Raises:
        TransportFailed: OBS cannot be reached.
        VendorUnavailable: OBS cannot serve now.
    """
    return await asyncio.to_thread(_read, pair, settings, place, task_id)


def _read(pair: KeyPair, settings: HuaweiSettings, place: tuple[str, str], task_id: str) -> Any:
    bucket, folder = place
    client = _client(pair, settings)
    try:
        mine = _keys(client, bucket, folder, task_id)
        if len(mine) != 1:
            _log.info("%d objects in obs://%s/%s may be the result of task %s", len(mine), bucket, folder, task_id)
            return None
        got = client.getObject(bucket, mine[0], loadStreamInMemory=True)
        if not _is_there(got, f"obs://{bucket}/{mine[0]}") or len(got.body.buffer) > _MOST_BYTES:
            return None
        return wire.parsed(bytes(got.body.buffer))
    except OSError as error:
        raise TransportFailed(f"OBS cannot be reached: {type(error).__name__}: {error}") from None
    finally:
        client.close()


def _client(pair: KeyPair, settings: HuaweiSettings) -> Any:
    from obs import ObsClient  # noqa: PLC0415  (an extra, and loaded only where a result lies in a bucket)

    server = settings.obs
    check_network(urlsplit(server).hostname or "")
    proxy = urlsplit(settings.proxy or "")
    client = ObsClient(
        access_key_id=pair.ak,
        secret_access_key=pair.sk,
        security_token=pair.security_token,
        server=server,
        path_style=not server.endswith(_OFFICIAL),
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


def _keys(client: Any, bucket: str, folder: str, task_id: str) -> list[str]:
    found: list[str] = []
    marker = None
    for _ in range(_MOST_PAGES):
        page = client.listObjects(bucket, prefix=folder or None, marker=marker, max_keys=_PAGE)
        if not _is_there(page, f"obs://{bucket}/{folder}"):
            return []
        found += [item.key for item in page.body.contents or () if task_id in item.key and item.key.endswith(".json")]
        marker = page.body.next_marker
        if not page.body.is_truncated or not marker:
            break
    return found


def _is_there(answer: Any, what: str) -> bool:
    if answer.status >= _THEIR_FAULT:
        raise VendorUnavailable(f"{what} cannot be read now: HTTP {answer.status}", status=answer.status)
    if answer.status >= _OK:
        _log.warning("%s cannot be read: HTTP %s", what, answer.status)
    return int(answer.status) < _OK
