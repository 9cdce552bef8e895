"""A job as tasks of Tencent's. Pure."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from reelvet.plugins import ask, plan_coverage
from reelvet.schema.media import Channel, MediaKind
from reelvet.schema.plan import Plan, PlannedRequest, Unsupported, VendorTask
from reelvet.schema.result import Note
from reelvet.schema.urls import MASK, mask_urls
from reelvet_tencent.plugin import LIVE_VIDEO, OF_THE_POLICY, VIDEO, VIDEO_AIGC
from reelvet_tencent.settings import TencentOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reelvet.plugins import Asked, Capabilities
    from reelvet.schema.job import ModerationJob
    from reelvet.schema.result import Coverage
    from reelvet.taxonomy import Taxonomy
    from reelvet_tencent.policies import Policies
    from reelvet_tencent.settings import TencentSettings

VERSION = "2021-09-22"
CREATE, DETAIL, LIST, CANCEL = "CreateVideoModerationTask", "DescribeTaskDetail", "DescribeTasks", "CancelTask"

DEFAULT_SEED = ""
"""The name of the secret that is configured as `seed`."""

# "Up to 64 of digits, letters and _-@#": https://cloud.tencent.com/document/product/1124/139434
_DATA_ID = re.compile(r"[A-Za-z0-9_\-@#]{1,64}")
_CHINESE = ("user", "image_frequency", "image_urls", "text_content", "title", "extra")


def data_id(key: str) -> str:
    """A key as the vendor can hold it: as it is, or a digest of it."""
    return key if _DATA_ID.fullmatch(key) else hashlib.sha256(key.encode()).hexdigest()


def plan(
    job: ModerationJob, settings: TencentSettings, policies: Policies, taxonomy: Taxonomy, *, instance: str
) -> Plan:
    """The tasks that answer a job: one, or two if it asks for generated media besides.

    Args:
        job: The job.
        settings: The instance's.
        policies: What its BizTypes look at.
        taxonomy: The tree.
        instance: The instance's name.

    Raises:
        UnknownLabel: A label in the job is in no taxonomy.
    """
    options = TencentOptions(**job.options.get("tencent", {}))
    biz_type = options.biz_type or choose(job, policies, taxonomy)
    able = policies.able(biz_type)
    asked = ask(job, able, taxonomy, provider="tencent")
    unsupported = [*asked.unsupported, *_media(job), *_edition(options, settings), *_secret(job, settings)]
    notes = list(_warnings(job, settings, biz_type, declared=policies.is_declared(biz_type)))
    types = list(_types(job, asked, able))
    if any(item.field.startswith("media") for item in unsupported):
        types = []
    tasks = tuple(_task(job, type_, biz_type, options=options, settings=settings, policies=policies) for type_ in types)
    return Plan(
        provider="tencent",
        instance=instance,
        tasks=tasks,
        requests=tuple(
            PlannedRequest(
                method="POST", path="/", headers=headers(CREATE, settings), body=sent(mask_texts(task.payload))
            )
            for task in tasks
        ),
        coverage=tuple(_coverage(job, asked, able, policies, taxonomy)),
        unsupported=tuple(unsupported),
        warnings=(*asked.warnings, *notes),
        price_class="paid" if tasks else None,
    )


def headers(action: str, settings: TencentSettings) -> dict[str, str]:
    """The headers that say what is asked for: https://cloud.tencent.com/document/api/267/20459."""
    told = {"X-TC-Action": action, "X-TC-Version": VERSION}
    return told | ({"X-TC-Region": settings.region} if settings.region is not None else {})


def choose(job: ModerationJob, policies: Policies, taxonomy: Taxonomy) -> str | None:
    """The BizType that covers what a job asks: the first that covers all of it, the preferred one before the others.

    Where none covers all, one that is not declared may, if it is preferred; else the one that covers the most.
    """
    names = policies.names
    declared = {name: _planned(job, policies.able(name), taxonomy) for name in names if policies.is_declared(name)}
    everything = set().union(*declared.values())
    for name, places in declared.items():
        if places and places == everything:
            return name
    if not names or not policies.is_declared(names[0]):
        return names[0] if names else None
    return max(declared, key=lambda name: len(declared[name]))


def _planned(job: ModerationJob, able: Capabilities, taxonomy: Taxonomy) -> set[tuple[str, Channel]]:
    coverage = ask(job, able, taxonomy, provider="tencent").coverage
    return {(row.label, row.channel) for row in coverage if row.state == "planned"}


def _coverage(
    job: ModerationJob,
    asked: Asked,
    able: Capabilities,
    policies: Policies,
    taxonomy: Taxonomy,
) -> list[Coverage]:
    rows = asked.coverage
    if job.detect is None:
        # Every harm label that the instance can see: what another of its BizTypes sees is told, as not looked for.
        wider = ask(job, policies.effective, taxonomy, provider="tencent").coverage
        places = dict.fromkeys((row.label, row.channel) for row in [*rows, *wider])
        if len(places) > len(rows):
            rows = plan_coverage(places, able.for_kind(job.media.kind), taxonomy, "tencent")
    return rows


def _generated(able: Capabilities) -> set[str]:
    return {entry.label for entry in able.entries if entry.switch != OF_THE_POLICY}


def _types(job: ModerationJob, asked: Asked, able: Capabilities) -> Iterable[str]:
    wanted = {label for labels in asked.looks_for.values() for label in labels}
    generated = _generated(able)
    if wanted - generated or (job.transcript is not None and able.transcript is not None):
        yield LIVE_VIDEO if job.media.kind is MediaKind.LIVE else VIDEO
    if wanted & generated:
        yield VIDEO_AIGC


def _task(
    job: ModerationJob,
    type_: str,
    biz_type: str | None,
    *,
    options: TencentOptions,
    settings: TencentSettings,
    policies: Policies,
) -> VendorTask:
    body: dict[str, Any] = {} if biz_type is None else {"BizType": biz_type}
    body |= {"Type": type_, "Tasks": [_input(job, options, settings)]}
    seed = None
    if job.callback is not None:
        body["CallbackUrl"] = job.callback.url.replace("{key}", quote(job.key, safe=""))
        seed = _seed(job, settings)
        if seed is not None:
            body["Seed"] = MASK  # put in its place when it is sent
    if options.priority is not None:
        body["Priority"] = options.priority
    if settings.effective_edition == "cn":
        told = options.user.sent() if options.user is not None else {}
        user = ({"UserId": job.user} if job.user is not None else {}) | told
        body |= {"User": user} if user else {}
    able = policies.able(biz_type).for_kind(job.media.kind)
    extra: dict[str, Any] = {
        "seed": seed,
        "transcript": job.transcript is not None,
        "all_segments": all_segments(job, options, settings),
        "stream_started_at": options.stream_started_at.isoformat() if options.stream_started_at is not None else None,
    }
    return VendorTask(
        name=type_,
        category=type_,
        vendor_key=data_id(job.vendor_key),
        payload=body,
        looks_for={channel.value: labels for channel, labels in policies.looks_for(type_, able).items()},
        share_key=_share_key(body, seed),
        price_class="paid",
        extra={name: value for name, value in extra.items() if value not in (None, False)},
    )


def all_segments(job: ModerationJob, options: TencentOptions, settings: TencentSettings) -> bool:
    """Whether pictures and sounds in which nothing was found are to be listed too, as a transcript needs it."""
    wanted = options.all_segments if options.all_segments is not None else settings.all_segments
    return wanted or job.transcript is not None


def _share_key(body: dict[str, Any], seed: str | None) -> str:
    """Equal for tasks that may go in one call: all but the tasks themselves is said once for all of them."""
    common = {name: value for name, value in body.items() if name != "Tasks"}
    return hashlib.sha256(json.dumps([common, seed], sort_keys=True).encode()).hexdigest()


def _input(job: ModerationJob, options: TencentOptions, settings: TencentSettings) -> dict[str, Any]:
    url = str(job.media.url)
    given: dict[str, Any] = {"Type": "URL", "Url": url}
    if job.media.scheme == "cos":
        bucket, _, key = url.partition("://")[2].partition("/")
        region = options.cos_region or settings.cos_region or settings.region
        # The vendor's example has a slash before the object's name: https://cloud.tencent.com/document/api/1265/51879
        given = {"Type": "COS", "BucketInfo": {"Bucket": bucket, "Region": region, "Object": f"/{key}"}}
    task: dict[str, Any] = {"DataId": data_id(job.vendor_key)}
    if options.name is not None:
        task["Name"] = options.name
    if settings.effective_edition == "cn":
        more = {
            "ImageUrlList": list(options.image_urls) if options.image_urls else None,
            "TextContent": options.text_content,  # as text until it is sent, so that links in it are known for such
            "Title": options.title,
            "Extra": options.extra,
        }
        given |= {name: value for name, value in more.items() if value is not None}
        if options.image_frequency is not None:
            task["DecodeParams"] = {"ImageFrequency": options.image_frequency}
    return task | {"Input": given}


def sent(body: dict[str, Any]) -> dict[str, Any]:
    """A body of tasks as it goes over the wire: the texts in it encoded."""
    return _with_texts(body, lambda text: base64.b64encode(text.encode()).decode())


def mask_texts(body: dict[str, Any]) -> dict[str, Any]:
    """The same with the links in its texts masked, which once encoded nobody would know for links."""
    return _with_texts(body, mask_urls)


def _with_texts(body: dict[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    def changed(task: dict[str, Any]) -> dict[str, Any]:
        given = task["Input"]
        if "TextContent" not in given:
            return task
        return task | {"Input": given | {"TextContent": change(given["TextContent"])}}

    return body | {"Tasks": [changed(task) for task in body["Tasks"]]}


def _seed(job: ModerationJob, settings: TencentSettings) -> str | None:
    """The name of the secret that a job's callbacks are signed with."""
    if job.callback is not None and job.callback.secret is not None:
        return job.callback.secret
    return DEFAULT_SEED if settings.seed is not None else None


def _secret(job: ModerationJob, settings: TencentSettings) -> Iterable[Unsupported]:
    if job.callback is not None and job.callback.secret is not None and job.callback.secret not in settings.seeds:
        yield Unsupported(
            field="callback.secret",
            says=f"no secret {job.callback.secret!r} is configured in `seeds`",
            alternatives=tuple(settings.seeds),
        )


def _media(job: ModerationJob) -> Iterable[Unsupported]:
    live = job.media.kind is MediaKind.LIVE
    if job.media.scheme == "rtmp" and not live:
        yield Unsupported(field="media.kind", says="reads rtmp as a live stream only", alternatives=("live",))
    if job.media.scheme == "cos":
        if live:
            yield Unsupported(
                field="media", says="a live stream is no object in a bucket", alternatives=("http://", "rtmp://")
            )
        elif not str(job.media.url).partition("://")[2].partition("/")[2]:
            says = f"{job.media.source!r} names no object"
            yield Unsupported(field="media", says=says, alternatives=("cos://bucket-1250000000/clip.mp4",))


def _edition(options: TencentOptions, settings: TencentSettings) -> Iterable[Unsupported]:
    if settings.effective_edition == "cn":
        return
    for name in _CHINESE:
        if getattr(options, name) is not None:
            says = "the international edition has no such parameter, and refuses what it does not know"
            yield Unsupported(field=f"options.tencent.{name}", says=says, alternatives=("leave it out",))


def _warnings(job: ModerationJob, settings: TencentSettings, biz_type: str | None, *, declared: bool) -> Iterable[Note]:
    if biz_type is None:
        yield Note(code="biz_type_missing", says="no BizType is configured: a submit needs `biz_type`")
    elif not declared:
        says = f"what the policy of BizType {biz_type!r} looks at is not declared, so its silence will say nothing: declare it in `biz_types`"
        yield Note(code="undeclared_policy", says=says)
    options = job.options.get("tencent", {})
    listed = all_segments(job, TencentOptions(**options), settings)
    if job.media.kind is MediaKind.LIVE and not (listed and options.get("stream_started_at")):
        says = "how far a stream was looked at is told only with `all_segments` and `stream_started_at`: without, its silence will say nothing"
        yield Note(code="stream_extent", says=says)
    if settings.region is None:
        yield Note(code="region_missing", says="no region is configured: a submit needs `region`")
    if job.callback is not None and _seed(job, settings) is None:
        says = "no `seed` is configured, so callbacks will not be signed, and are worth no more than a hint to look"
        yield Note(code="callback_unsigned", says=says)
