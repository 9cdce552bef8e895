"""A task as the vendor tells it, with what lies in OBS beside it: a result of v2, and whether the media of a failure is there."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from reelvet.schema import lenient
from reelvet.schema.errors import MediaRejected, ProviderError
from reelvet.schema.task import RawTask, Status
from reelvet_huawei import bucket, read, wire
from reelvet_huawei.making import KEY, OWN_FOLDER
from reelvet_huawei.settings import split_obs

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from reelvet.schema.task import TaskRef
    from reelvet_huawei.auth import KeyPair
    from reelvet_huawei.settings import HuaweiSettings

_ADDRESS = re.compile(r"([a-z0-9.-]+)\.obs\.[a-z0-9-]+\.myhuaweicloud\.(?:com|cn)")
"""The host of an object: https://support.huaweicloud.com/intl/en-us/usermanual-obs/obs_03_0312.html"""


class Objects:
    """What lies in OBS for the tasks of one instance.

    Args:
        settings: The instance's.
        pair: What to sign with; `None` for an instance that has a token.
        clock: What time it is.
    """

    def __init__(
        self, settings: HuaweiSettings, pair: Callable[[], KeyPair | None], clock: Callable[[], datetime]
    ) -> None:
        self._settings = settings
        self._pair = pair
        self._clock = clock
        self._waiting: dict[str, datetime] = {}

    async def complete(self, raw: RawTask) -> RawTask:
        """The task with what OBS says of it.

        Raises:
            TransportFailed: OBS cannot be reached.
            VendorUnavailable: OBS cannot serve now.
        """
        if raw.status is Status.FAILED:
            return await self._explained(raw)
        if raw.status is not Status.SUCCEEDED or self._settings.api != "v2" or not isinstance(raw.payload, dict):
            return raw
        task = wire.VcmTask.model_validate(raw.payload)
        place = read.where(task)
        if place is None or wire.parsed(task.hosting_result.data) is not None:
            return raw
        found = await self._result(place, raw.ref, task.name)
        if isinstance(found, bucket.Missing):
            if found.may_come and self._is_waited_for(raw.ref.id):
                return raw.model_copy(update={"status": Status.RUNNING})
            return raw.model_copy(update={"error": found.error})
        self._waiting.pop(raw.ref.id, None)
        return read.raw_task(
            raw.payload,
            ref=raw.ref,
            requests=raw.requests,
            request_ids=raw.request_ids,
            attachments={read.RESULT: found},
        )

    async def _result(self, place: tuple[str, str], ref: TaskRef, name: str | None) -> Any:
        pair = self._pair()
        if pair is None:
            return bucket.NO_KEYS
        if not bucket.is_installed():
            return bucket.NO_CLIENT
        configured = self._settings.obs_output or ""
        is_configured = KEY in configured and bool(name) and split_obs(configured.replace(KEY, name or "")) == place
        is_own = is_configured or ref.extra.get(OWN_FOLDER) is True
        return await bucket.read(pair, self._settings, place, ref.id, is_own=is_own)

    def _is_waited_for(self, task_id: str) -> bool:
        """Whether a result that is not there may still be written: a hosted one comes after its task has succeeded too."""
        now = self._clock()
        since = self._waiting.setdefault(task_id, now)
        return now - since < timedelta(seconds=self._settings.obs_wait)

    async def _explained(self, raw: RawTask) -> RawTask:
        """A failure of which nobody says why, with that its media is not there, if it is an object and OBS says so."""
        place, pair = _media(raw.payload), self._pair()
        if raw.error is None or raw.error.type != ProviderError.__name__ or place is None or pair is None:
            return raw
        told = f"obs://{place[0]}/{place[1]}"
        if not bucket.is_installed():
            says = f"{raw.error.message} Whether {told} is there is looked up with reelvet-huawei[obs]."
            return raw.model_copy(update={"error": raw.error.model_copy(update={"message": says})})
        if not await bucket.lacks(pair, self._settings, place):
            return raw
        says = f"{read.cause(raw.error)}: the object {told} is not there. Check bucket, path and `region`."
        update = {"message": says, "type": MediaRejected.__name__}
        return raw.model_copy(update={"error": raw.error.model_copy(update=update)})


def _media(payload: Any) -> tuple[str, str] | None:
    """Bucket and path of the object that a task of either API looks at; `None` where it is none."""
    shape = lenient.mapping(payload)
    if read.api_of(shape) == "v3":
        return _at(wire.Job.model_validate(shape).request_params.data.url)
    told = lenient.mapping(shape.get("input")).get("data")
    source = lenient.mapping(told[0] if isinstance(told, list) and told else told)
    named, path = lenient.text(source.get("bucket")), lenient.text(source.get("path"))
    return (named, path) if named and path and read.BUCKET.fullmatch(named) else _at(lenient.text(source.get("url")))


def _at(url: str | None) -> tuple[str, str] | None:
    try:
        parts = urlsplit(url or "")
        found = _ADDRESS.fullmatch(parts.hostname or "")
    except ValueError:
        return None
    path = unquote(parts.path).lstrip("/")
    return (found[1], path) if found is not None and path else None
