"""OBS, as far as results in a bucket need it: what is in a bucket, an object, and whether there is one.

https://support.huaweicloud.com/intl/en-us/api-obs/obs_04_0022.html (list), obs_04_0083 (get), obs_04_0084 (head),
obs_04_0115 (refusals). Both ways to name a bucket are taken: in the host, and as the beginning of the path.

What v2 calls the objects that it writes is documented for frames alone: here it is `result.json` below the same folder.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit
from xml.sax.saxutils import escape

from reelvet.sandbox import FailureReason, Reply
from reelvet_huawei.sandbox import media, obs_signing, vcm_life

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reelvet.sandbox import Call, Task
    from reelvet_huawei.sandbox.emulator import HuaweiSandbox

LIST, GET, HEAD, HEAD_BUCKET = "list_objects", "get_object", "head_object", "head_bucket"
OPERATIONS = {
    LIST: "GET /{bucket}",
    GET: "GET /{bucket}/{object}",
    HEAD: "HEAD /{bucket}/{object}",
    HEAD_BUCKET: "HEAD /{bucket}",
}
"""What is called where; the bucket may stand in the host instead."""

_HOST = re.compile(r"(?:([a-z0-9.-]+)\.)?obs\.[a-z0-9-]+\.myhuaweicloud\.(?:com|cn)")
_FORBIDDEN, _NOT_FOUND, _UNKNOWN = 403, 404, 501
_MOST_KEYS = 1000
_VERSION = "apiversion"
_LISTED = frozenset({"prefix", "marker", "max-keys"})
_XMLNS = "http://obs.myhwclouds.com/doc/2015-06-30/"


def place_of(call: Call) -> tuple[str, str]:
    """Bucket and key that a request names."""
    found = _HOST.fullmatch(_host(call))
    path = unquote(call.path).removeprefix("/")
    if found is not None and found[1]:
        return found[1], path
    bucket, _, key = path.partition("/")
    return bucket, key


def operation_of(call: Call) -> str | None:
    """Which operation a request is for; `None` where it is none of OBS's, as signatures, hosts and dialect tell."""
    is_obs = obs_signing.is_signed(call) or _HOST.fullmatch(_host(call)) is not None or _asks_version(call)
    if not is_obs or call.method not in {"GET", "HEAD"}:
        return None
    has_key = bool(place_of(call)[1])
    return (GET if has_key else LIST) if call.method == "GET" else (HEAD if has_key else HEAD_BUCKET)


def refused(status: int, code: str, says: str) -> Reply:
    """A refusal of OBS."""
    text = f"<Error><Code>{code}</Code><Message>{escape(says)}</Message><RequestId>0</RequestId></Error>"
    return _xml(status, text)


def failure(status: int) -> Reply:
    """Too many requests, or something within it."""
    code, says = ("InternalError", "We encountered an internal error. Please try again.")
    if status in {429, 503}:
        code, says = "SlowDown", "Please reduce your request rate."
    return refused(status, code, says)


class Obs:
    """What OBS answers."""

    def __init__(self, host: HuaweiSandbox) -> None:
        self._host = host

    def refusal(self, call: Call) -> Reply | None:
        """Why a request is not let in; `None` where it is. Which signatures there are is asked without one."""
        if _asks_version(call):
            return None
        world = self._host.world
        fault = obs_signing.fault(call, _resource(call), world=world, ahead=self._host.setup.clock_ahead)
        return refused(_FORBIDDEN, *fault) if fault is not None else None

    def answer(self, call: Call) -> Reply:
        """Carries out a request that is let in."""
        if _asks_version(call):
            return Reply(200, raw=b"", headers={"x-obs-api": "3.0"})
        setup, (bucket, key) = self._host.setup, place_of(call)
        if setup.buckets is not None and bucket not in setup.buckets:
            return refused(_NOT_FOUND, "NoSuchBucket", "The specified bucket does not exist.")
        if not setup.readable:
            return refused(_FORBIDDEN, "AccessDenied", "Access Denied")
        if call.operation == LIST:
            return self._list(call, bucket)
        return self._object(call, bucket, key)

    def _object(self, call: Call, bucket: str, key: str) -> Reply:
        task = self._objects(bucket).get(key)
        if task is not None:
            content = self._content(call, task, key)
            headers = {"content-type": "application/octet-stream", "etag": '"0"'}
            return Reply(200, raw=content if call.operation == GET else b"", headers=headers)
        if call.operation == HEAD_BUCKET or (call.operation == HEAD and self._is_media(bucket, key)):
            return Reply(200, raw=b"")
        return refused(_NOT_FOUND, "NoSuchKey", "The specified key does not exist.")

    def _list(self, call: Call, bucket: str) -> Reply:
        strange = sorted(set(call.arguments) - _LISTED)
        if strange:
            return refused(_UNKNOWN, "NotImplemented", f"The emulator has no {strange[0]}.")
        asked = call.arguments
        prefix, marker = asked.get("prefix", ""), asked.get("marker", "")
        most = min(int(asked.get("max-keys", _MOST_KEYS)), _MOST_KEYS, self._host.setup.keys_per_page)
        keys = sorted(key for key in self._objects(bucket) if key.startswith(prefix) and key > marker)
        page = keys[:most]
        more = len(keys) > len(page)
        items = "".join(_item(key) for key in page)
        tail = f"<NextMarker>{escape(page[-1])}</NextMarker>" if more and page else ""
        text = (
            f'<ListBucketResult xmlns="{_XMLNS}"><Name>{bucket}</Name><Prefix>{escape(prefix)}</Prefix>'
            f"<Marker>{escape(marker)}</Marker>{tail}<MaxKeys>{most}</MaxKeys><IsTruncated>{str(more).lower()}</IsTruncated>"
            f"{items}</ListBucketResult>"
        )
        return _xml(200, text)

    def _objects(self, bucket: str) -> dict[str, Task]:
        """What tasks of v2 have written into a bucket by now: key -> task."""
        now, setup = self._host.world.clock.now(), self._host.setup
        written = [
            task
            for task in self._host.tasks
            if (task.data.get("output") or {}).get("obs", {}).get("bucket") == bucket
            if setup.writes and vcm_life.is_written(task, now, setup)
        ]
        return {key: task for task in written for key in self._keys(task)}

    def _keys(self, task: Task) -> Iterable[str]:
        folder = task.data["output"]["obs"]["path"].rstrip("/")
        own = task.id if self._host.setup.folders == "id" else task.extra["folder"]
        yield f"{folder}/{own}/result.json"
        common = (task.data.get("service_config") or {}).get("common") or {}
        if common.get("upload") == "true":
            yield from (f"{folder}/{frame['frame_img_path']}" for frame in task.extra["result"]["result"]["frames"])

    def _content(self, call: Call, task: Task, key: str) -> bytes:
        return self._host.vcm.text(call, task).encode() if key.endswith(".json") else b"\xff\xd8\xff\xd9"

    def _is_media(self, bucket: str, key: str) -> bool:
        """Whether there is media: of such its scenario tells. Its bytes are not to be had."""
        found = media.at_url(self._host.world.catalogue, f"obs://{bucket}/{key}")
        return found.reason is not FailureReason.UNREACHABLE


def _host(call: Call) -> str:
    return urlsplit(f"//{call.header('host') or ''}").hostname or ""


def _asks_version(call: Call) -> bool:
    return call.method == "HEAD" and call.query == _VERSION


def _resource(call: Call) -> str:
    """What is asked for, as it is signed: as it was sent, and below the bucket where that stands in the host."""
    found = _HOST.fullmatch(_host(call))
    return f"/{found[1]}{call.path}" if found is not None and found[1] else call.path


def _item(key: str) -> str:
    name = escape(key)
    return (
        f"<Contents><Key>{name}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>0</ETag>"
        "<Size>1</Size><StorageClass>STANDARD</StorageClass></Contents>"
    )


def _xml(status: int, text: str) -> Reply:
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    return Reply(status, raw=f"{head}{text}".encode(), headers={"content-type": "application/xml"})
