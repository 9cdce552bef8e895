"""The body of the one request that a job becomes, for each of the two APIs. Pure."""

from __future__ import annotations

import hashlib
import math
import re
from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from reelvet.schema.media import Channel
from reelvet.schema.plan import Unsupported, VendorTask
from reelvet.schema.result import Note
from reelvet.schema.urls import MASK
from reelvet_huawei.choosing import Choice, choose
from reelvet_huawei.settings import MOST_SECONDS, HuaweiOptions, HuaweiSettings, split_obs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reelvet.plugins import Asked, Capabilities
    from reelvet.schema.job import ModerationJob
    from reelvet.taxonomy import LabelMap

VIDEO = "video"
V2_TASKS = "/v2/{project_id}/services/video-moderation/tasks"
V3_JOBS = "/v3/{project_id}/moderation/video/jobs"
V3_AUDIO_JOBS = "/v3/{project_id}/moderation/audio/jobs"

SERVICE_VERSION = "1.2"
"""Of v2's video moderation: https://support.huaweicloud.com/en-us/api-vas/vas_03_0146.html"""
_NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")
"""What a v2 task may be called; the same page."""
_INTERVAL = 5
_CHINESE = ("zh", "cmn")
KEY = "{key}"
"""In a callback's URL and in the place of results it stands for the job's key."""
OWN_FOLDER = "own_folder"
"""Under this name a task's reference says that its results go to a folder of their own."""


def task_name(key: str) -> str:
    """A key as the name of a v2 task: as it is where it fits, else a digest of it."""
    return key if _NAME.fullmatch(key) else hashlib.sha256(key.encode()).hexdigest()[:32]


class Making(ABC):
    """One job becoming a task, with what there is to say of it."""

    path: str

    def __init__(self, job: ModerationJob, settings: HuaweiSettings, options: HuaweiOptions) -> None:
        self.job, self.settings, self.options = job, settings, options
        self.notes: list[Note] = []
        self.biz_type: str | None = None

    @abstractmethod
    def narrowed(self, able: Capabilities) -> Capabilities:
        """What the job's own options leave of it."""

    @abstractmethod
    def refused(self) -> Iterable[Unsupported]:
        """What cannot be done beyond what is asked for."""

    @abstractmethod
    def task(self, asked: Asked, labels: LabelMap) -> VendorTask | None:
        """The task; `None` where there is nothing to look for."""

    def interval(self, most: int | None) -> int | None:
        """The job's interval in whole seconds, finer rather than coarser; `None` where nobody said one."""
        wanted = self.job.interval
        if wanted is None:
            return self.settings.frame_interval
        seconds = max(1, math.floor(wanted))
        if most is not None:
            seconds = min(seconds, most)
        if seconds != wanted:
            why = "the vendor's least is 1 s" if wanted < 1 else "the vendor takes whole seconds"
            if most is not None and wanted > most:
                why = f"the vendor's most is {most} s"
            says = f"interval: {wanted:g} s becomes {seconds} s: {why}"
            self.notes.append(Note(code="wish_adjusted", says=says))
        return seconds

    def filler(self, choice: Choice) -> None:
        """Says of a category that is there because the vendor wants one."""
        if choice.filler is not None:
            says = f"the vendor wants a category of pictures in each job, so {choice.filler!r} is looked for too"
            self.notes.append(Note(code="filler_category", says=says))

    def _made(self, payload: dict[str, Any], choice: Choice, **extra: Any) -> VendorTask:
        told = {"api": self.settings.api, "biz_type": self.biz_type} | extra
        return VendorTask(
            name=VIDEO,
            category=VIDEO,
            vendor_key=task_name(self.job.vendor_key) if self.settings.api == "v2" else self.job.vendor_key,
            payload=payload,
            looks_for={channel.value: labels for channel, labels in choice.looks_for.items()},
            price_class="paid",
            extra={name: value for name, value in told.items() if value is not None},
        )


class MakingV2(Making):
    """A job as a task of VCM v2."""

    path = V2_TASKS

    def narrowed(self, able: Capabilities) -> Capabilities:
        """What the job's own options leave of it."""
        options = self.options
        off = {
            Channel.VISUAL: options.categories,
            Channel.OCR: () if options.use_ocr is False else options.text_categories,
            Channel.SPEECH: () if options.use_sis is False else options.text_categories,
        }
        return _kept(able, off)

    def refused(self) -> Iterable[Unsupported]:
        """Options of the other API, and a result or frames that would be written nowhere."""
        for name in ("biz_type", "event_type", "image_categories", "audio_categories"):
            if getattr(self.options, name) is not None:
                yield _other_api(name, "v3")
        if self._upload and self._place is None:
            yield Unsupported(
                field="options.huawei.upload",
                says="writes frames to a bucket of yours only, and none is given",
                alternatives=("obs_output = 'obs://bucket/path/'",),
            )
        if not self._hosting and self._place is None:
            yield Unsupported(
                field="options.huawei.hosting",
                says="the result would be kept nowhere",
                alternatives=("hosting = true", "obs_output = 'obs://bucket/path/'"),
            )

    @property
    def _place(self) -> str | None:
        return self.options.obs_output or self.settings.obs_output

    @property
    def _upload(self) -> bool:
        return self.settings.upload if self.options.upload is None else self.options.upload

    @property
    def _hosting(self) -> bool:
        said = self.settings.hosting if self.options.hosting is None else self.options.hosting
        return self._place is None if said is None else said

    def task(self, asked: Asked, labels: LabelMap) -> VendorTask | None:
        """The task; `None` where there is nothing to look for."""
        choice = choose("v2", asked.looks_for, labels, self.options)
        output = self._output()
        if choice is None or not output:  # nothing to look for, or nowhere to keep what is found
            return None
        self.filler(choice)
        if self.options.text_categories and not choice.texts:
            says = "options.huawei.text_categories: text is neither read nor heard, so they are not looked for"
            self.notes.append(Note(code="wish_ignored", says=says))
        common: dict[str, Any] = {
            "frame_interval": self.interval(None) or _INTERVAL,
            "categories": ",".join(choice.images),
        }
        if choice.texts:
            common["text_categories"] = ",".join(choice.texts)
        common |= {
            "upload": _word(self._upload and self._place is not None),
            "use_ocr": _word(choice.ocr),
            "use_sis": _word(choice.speech),
        }
        description = {"description": self.options.description} if self.options.description is not None else {}
        payload = {
            "name": task_name(self.job.vendor_key),
            **description,
            "input": self._input(),
            "output": output,
            "service_config": {"common": common},
            "service_version": SERVICE_VERSION,
        }
        is_own = True if "obs" in output and KEY in (self._place or "") else None
        return self._made(payload, choice, **{OWN_FOLDER: is_own})

    def _input(self) -> dict[str, Any]:
        index = {"index": self.options.index} if self.options.index is not None else {}
        url = str(self.job.media.url)
        if self.job.media.scheme == "obs":
            bucket, path = split_obs(url)
            return {"type": "obs", "data": [{"bucket": bucket, **index, "path": path}]}
        host = (urlsplit(url).hostname or "").lower()
        if not (".obs." in host and host.endswith((".myhuaweicloud.com", ".myhuaweicloud.cn"))):
            says = f"v2 documents URLs of OBS objects only, which anybody may read, and {host} is no host of OBS"
            self.notes.append(Note(code="media_may_be_refused", says=says))
        return {"type": "url", "data": [{**index, "url": url}]}

    def _output(self) -> dict[str, Any]:
        output: dict[str, Any] = {}
        if self._place is not None:
            # A folder of its own tells a result from others: the vendor does not say what it calls the file.
            bucket, path = split_obs(self._place.replace(KEY, task_name(self.job.vendor_key)))
            output["obs"] = {"bucket": bucket, "path": path}
        if self._hosting:
            output["hosting"] = {}
        return output


class MakingV3(Making):
    """A job as a job of Content Moderation v3."""

    path = V3_JOBS

    def __init__(self, job: ModerationJob, settings: HuaweiSettings, options: HuaweiOptions) -> None:
        super().__init__(job, settings, options)
        own = options.event_type or options.image_categories or options.audio_categories is not None
        self.biz_type = options.biz_type or (None if own else settings.biz_type)

    def narrowed(self, able: Capabilities) -> Capabilities:
        """What the job's own options leave of it."""
        images, sounds = self.options.image_categories, self.options.audio_categories
        return _kept(able, {
            Channel.VISUAL: images, Channel.OCR: images, Channel.SPEECH: sounds, Channel.SOUND: sounds,
        })  # fmt: skip

    def refused(self) -> Iterable[Unsupported]:
        """Options of the other API, and a callback that could not be signed as asked."""
        names = (
            "description",
            "index",
            "categories",
            "text_categories",
            "use_ocr",
            "use_sis",
            "obs_output",
            "hosting",
            "upload",
        )
        for name in names:
            if getattr(self.options, name) is not None:
                yield _other_api(name, "v2")
        callback = self.job.callback
        if callback is not None and callback.secret is not None and callback.secret not in self.settings.seeds:
            yield Unsupported(
                field="callback.secret",
                says=f"no seed of the name {callback.secret!r} is configured",
                alternatives=tuple(self.settings.seeds) or (f"seeds.{callback.secret} = 'env:...'",),
            )

    def task(self, asked: Asked, labels: LabelMap) -> VendorTask | None:
        """The task; `None` where there is nothing to look for."""
        data: dict[str, Any] = {"url": self._url()}
        if self.biz_type is not None:
            payload: dict[str, Any] = {"data": data, "biz_type": self.biz_type}
            choice = Choice(looks_for=asked.looks_for)
        else:
            chosen = choose("v3", asked.looks_for, labels, self.options)
            if chosen is None:
                return None
            choice = chosen
            self.filler(choice)
            payload = {
                "data": data,
                "event_type": self.options.event_type or self.settings.event_type,
                "image_categories": list(choice.images),
            }
            if choice.sounds:
                payload["audio_categories"] = list(choice.sounds)
        interval = self.interval(MOST_SECONDS)
        if interval is not None:
            data["frame_interval"] = interval
        spoken = (self.job.spoken_language or "").lower().partition("-")[0]
        if spoken in _CHINESE:
            data["language"] = "zh"
        return self._made(payload | self._callback(), choice, seed=self._seed())

    def _url(self) -> str:
        url = str(self.job.media.url)
        if self.job.media.scheme != "obs":
            return url
        bucket, path = split_obs(url)
        # The address of an object: https://support.huaweicloud.com/intl/en-us/usermanual-obs/obs_03_0312.html
        return f"https://{bucket}.obs.{self.settings.region or '{region}'}.myhuaweicloud.com/{quote(path)}"

    def _callback(self) -> dict[str, Any]:
        callback = self.job.callback
        if callback is None:
            return {}
        told = {"callback": str(callback.url).replace(KEY, quote(self.job.key, safe=""))}
        return told if self._seed() is None else told | {"seed": MASK}  # put in its place when it is sent

    def _seed(self) -> str | None:
        """The name of the seed: that of the job, or "" for the instance's own; `None` where there is none."""
        callback = self.job.callback
        if callback is None:
            return None
        if callback.secret is not None:
            return callback.secret if callback.secret in self.settings.seeds else None
        return "" if self.settings.seed is not None else None


def _kept(able: Capabilities, switches: Mapping[Channel, tuple[str, ...] | None]) -> Capabilities:
    """The capabilities whose switch is on; `None`: all of a channel."""
    if all(names is None for names in switches.values()):
        return able

    def is_on(switch: str | None, channel: Channel) -> bool:
        names = switches.get(channel)
        return names is None or switch in names

    kept = [
        replace(entry, channels=tuple(c for c in entry.channels if is_on(entry.switch, c))) for entry in able.entries
    ]
    return able.with_entries(entry for entry in kept if entry.channels)


def _other_api(name: str, api: str) -> Unsupported:
    return Unsupported(
        field=f"options.huawei.{name}",
        says=f"is a field of {api} only",
        alternatives=(f"an instance with api = {api!r}",),
    )


def _word(flag: bool) -> str:
    """A flag, which in v2 is a word.

    https://support.huaweicloud.com/en-us/api-vas/vas_03_0146.html
    """
    return "true" if flag else "false"
