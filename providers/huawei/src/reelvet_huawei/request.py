"""A job as the one task of Huawei's that it becomes. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reelvet.plugins import Asked, ask
from reelvet.schema.media import MediaKind
from reelvet.schema.plan import Plan, PlannedRequest, Unsupported, VendorTask
from reelvet.schema.result import CoverageState
from reelvet_huawei.making import Making, MakingV2, MakingV3
from reelvet_huawei.plugin import capabilities_of
from reelvet_huawei.settings import HuaweiOptions, HuaweiSettings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reelvet.schema.job import ModerationJob
    from reelvet.taxonomy import LabelMap, Taxonomy
    from reelvet_huawei.read import Able

PROJECTS = "/v3/projects"
TOKENS = "/v3/auth/tokens"


def plan(
    job: ModerationJob,
    settings: HuaweiSettings,
    able: Able,
    labels: LabelMap,
    taxonomy: Taxonomy,
    *,
    instance: str,
) -> Plan:
    """The task that answers a job.

    Args:
        job: The job.
        settings: The instance's.
        able: What an API can see, under a policy if there is one.
        labels: Huawei's words.
        taxonomy: The tree.
        instance: The instance's name.

    Raises:
        UnknownLabel: A label in the job, or in a policy's declaration, is in no taxonomy.
    """
    options = HuaweiOptions(**job.options.get("huawei", {}))
    making = MakingV2(job, settings, options) if settings.api == "v2" else MakingV3(job, settings, options)
    known = able(settings.api, making.biz_type)
    if making.biz_type is not None and making.biz_type not in settings.biz_types:
        most = replace(capabilities_of("v3", declared=True), regions=known.regions)
        asked = _undeclared(ask(job, most, taxonomy, provider="huawei"), making.biz_type)
    else:
        asked = ask(job, making.narrowed(known), taxonomy, provider="huawei")
    unsupported = [*map(_explained, asked.unsupported), *making.refused()]
    task = None
    if not any(item.field.startswith("media") for item in unsupported):
        task = making.task(asked, labels)
    tasks = (task,) if task is not None else ()
    return Plan(
        provider="huawei",
        instance=instance,
        tasks=tasks,
        requests=tuple(_requests(making, settings, tasks)),
        coverage=tuple(asked.coverage),
        unsupported=tuple(unsupported),
        warnings=(*asked.warnings, *making.notes),
        price_class="paid" if tasks else None,
    )


def _explained(item: Unsupported) -> Unsupported:
    if item.field == "media.kind" and str(MediaKind.AUDIO) in item.says:
        says = "does not submit audio alone; stored replies about it are read (`reelvet normalize`)"
        return item.model_copy(update={"says": says})
    return item


def _undeclared(asked: Asked, biz_type: str) -> Asked:
    """What is asked of a policy of which nobody said what it looks at: hits are kept, and nothing is promised."""
    why = f"nobody said what the policy {biz_type!r} looks at"
    rows = [
        row.model_copy(update={"state": CoverageState.NOT_EVALUATED, "why": why, "clearable": False, "floor": None})
        for row in asked.coverage
    ]
    way = f"declare it: [providers.<instance>.biz_types.{biz_type}] covers = [...]"
    refused = Unsupported(field="detect", says=why, alternatives=(way,))
    others = [item for item in asked.unsupported if item.field not in {"detect", "channels"}]
    return Asked(rows, [*others, refused], asked.warnings, {})


def _requests(making: Making, settings: HuaweiSettings, tasks: tuple[VendorTask, ...]) -> Iterable[PlannedRequest]:
    if not tasks:
        return
    project = settings.project_id
    if project is None and settings.credentials != "token":
        yield PlannedRequest(method="GET", path=PROJECTS, query={"name": settings.region or "{region}"})
    path = making.path.replace("{project_id}", project) if project is not None else making.path
    yield PlannedRequest(method="POST", path=path, body=tasks[0].payload)
