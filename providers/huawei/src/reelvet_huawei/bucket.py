"""Reading a v2 result out of a bucket of the caller's, with the vendor's OBS client where it is installed."""

from __future__ import annotations

import asyncio
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from reelvet.http import check_network, logger
from reelvet_huawei import wire

if TYPE_CHECKING:
    from reelvet_huawei.auth import KeyPair

_MOST_KEYS = 1000
_MOST_BYTES = 16 * 1024 * 1024
_OK = 300
_log = logger("huawei")


def is_installed() -> bool:
    """Whether the extra `obs` is there."""
    return find_spec("obs") is not None


async def read(pair: KeyPair, server: str, place: tuple[str, str], task_id: str) -> Any:
    """The result of a task from below a folder; `None` where it is not there, or not certainly that task's.

    The name of the object is not documented. Its key is taken to hold the task's id and to end in `.json`, and what it
    holds is looked at by whoever reads it.

    Args:
        pair: What to sign with.
        server: Where OBS is.
        place: Bucket and folder.
        task_id: The vendor's id of the task.
    """
    return await asyncio.to_thread(_read, pair, server, place, task_id)


def _read(pair: KeyPair, server: str, place: tuple[str, str], task_id: str) -> Any:
    from urllib.parse import urlsplit  # noqa: PLC0415

    from obs import ObsClient  # noqa: PLC0415  (an extra, and loaded only where a result lies in a bucket)

    check_network(urlsplit(server).hostname or "")
    bucket, folder = place
    client = ObsClient(
        access_key_id=pair.ak, secret_access_key=pair.sk, security_token=pair.security_token, server=server,
        path_style=not server.endswith((".myhuaweicloud.com", ".myhuaweicloud.cn")), max_retry_count=0, timeout=60,
    )  # fmt: skip
    try:
        listed = client.listObjects(bucket, prefix=folder or None, max_keys=_MOST_KEYS)
        if listed.status >= _OK:
            _log.warning("the results in obs://%s/%s cannot be listed: HTTP %s", bucket, folder, listed.status)
            return None
        keys = [item.key for item in listed.body.contents or ()]
        mine = [key for key in keys if task_id in key and key.endswith(".json")]
        if len(mine) != 1:
            _log.info("%d objects in obs://%s/%s may be the result of task %s", len(mine), bucket, folder, task_id)
            return None
        got = client.getObject(bucket, mine[0], loadStreamInMemory=True)
        if got.status >= _OK or len(got.body.buffer) > _MOST_BYTES:
            _log.warning("obs://%s/%s cannot be read: HTTP %s", bucket, mine[0], got.status)
            return None
        return wire.parsed(bytes(got.body.buffer))
    finally:
        client.close()
