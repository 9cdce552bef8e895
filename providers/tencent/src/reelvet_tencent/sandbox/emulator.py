"""The actions of the emulator."""

from __future__ import annotations

import json
import re
import secrets
import string
import time
import uuid
from typing import TYPE_CHECKING, Any, ClassVar

from reelvet.sandbox import (
    Call,
    Decoys,
    Emulator,
    Expired,
    ListLag,
    NeverFinishes,
    Phase,
    Reply,
    Route,
    Setup,
    Task,
    UnknownStatus,
)
from reelvet_tencent.sandbox import checks, forms, life, listing, results, signature
from reelvet_tencent.sandbox.models import VERSIONS, Dialect
from reelvet_tencent.sandbox.posting import Posting
from reelvet_tencent.sandbox.queues import Queues
from reelvet_tencent.sandbox.rates import Rates
from reelvet_tencent.sandbox.refusal import Refused, missing
from reelvet_tencent.sandbox.segments import Watching
from reelvet_tencent.sandbox.setup import TencentSetup
from reelvet_tencent.sandbox.sight import Lexicon, Marks, Sight
from reelvet_tencent.sandbox.spoiling import spoil

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from reelvet.sandbox import World
    from reelvet.schema.media import Channel

ACCOUNT = signature.Account("AKIDsandboxsandboxsandboxsandbox0001", "sandboxsandboxsandboxsandbox0001")
TEMPORARY = signature.Account("AKIDsandboxtemporary", "sandboxtemporary", token="sandbox-token")  # noqa: S106
"""A temporary key pair: its requests need X-TC-Token."""

ACTIONS = {
    "CreateVideoModerationTask": "create",
    "DescribeTaskDetail": "get",
    "DescribeTasks": "list",
    "CancelTask": "cancel",
}
_ACTION_OF = {operation: action for action, operation in ACTIONS.items()}

# https://www.tencentcloud.com/document/api/1140/51174; of the Chinese edition no list was found, so any will do there.
_REGIONS = {"cn": re.compile(r"[a-z]{2,}-[a-z]+(-[a-z0-9]+)*"), "intl": re.compile("ap-singapore")}
_LARGEST = {"GET": 32 * 1024, "POST": 10 * 1024 * 1024}
"""https://cloud.tencent.com/document/product/1278/46710"""

_LINKS_LAST = {"cn": 12 * 3600, "intl": 24 * 3600}
"""https://cloud.tencent.com/document/api/1265/51878 and https://www.tencentcloud.com/document/api/1140/51173"""

_ALPHABET = string.ascii_letters + string.digits
_NOT_ACTIVATED = Refused(
    "UnauthorizedOperation.Unauthorized",
    "The service is not activated, its package is used up, or the account is in arrears.",
)
_UNKNOWN_TASK = Refused("ResourceNotFound", "The task does not exist.")


class TencentSandbox(Emulator):
    """Tencent Cloud VM 2021-09-22 and 2020-12-29, as its SDKs of autumn 2026 and its pages tell it."""

    id = "tencent"
    setup_model = TencentSetup
    setup: TencentSetup
    calls_back = True
    tasks: Queues
    routes = tuple(Route(operation, "POST", "/") for operation in ACTIONS.values())
    understands: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "unknown_status": ("get", "list"),
        "unknown_label": ("get",),
        "contradiction": ("get",),
        "status_backwards": ("get",),
        "never_finishes": ("create",),
        "list_lag": ("create",),
        "expired": ("get", "cancel"),
        "decoys": ("list",),
    }

    def __init__(self, world: World) -> None:
        self._lexicon = Lexicon(world.taxonomy)
        self._decoys: dict[str, Task] = {}
        self._places: dict[str, frozenset[tuple[str, Channel]]] = {}
        self._posting = Posting(self)
        super().__init__(world)
        self.tasks = Queues(world.clock)
        self.set_up(self.setup)

    def reset(self) -> None:
        """As at the start."""
        super().reset()
        self._decoys.clear()
        self._posting.clear()

    def set_up(self, setup: Setup) -> None:
        """Takes other quotas and switches, from now on; tasks that are there keep the policy they were created with."""
        assert isinstance(setup, TencentSetup)  # noqa: S101  (for the type checker; the host checks the model)
        self._places = {name: self._lexicon.places(policy) for name, policy in setup.biz_types.items()}
        super().set_up(setup)
        self.tasks.parallel = None  # files and streams have quotas of their own, and `Queues` keeps them
        if isinstance(self.tasks, Queues):
            self.tasks.hands = setup.parallel
        self._rates = Rates(setup.per_second)

    def settings(self) -> dict[str, Any]:
        """What belongs under `[providers.tencent]`."""
        declared = {name: policy.model_dump(mode="json") for name, policy in self.setup.biz_types.items()}
        return {
            "secret_id": ACCOUNT.secret_id,
            "secret_key": ACCOUNT.secret_key,
            "region": "ap-guangzhou" if self.setup.edition == "cn" else "ap-singapore",
            **({"biz_type": next(iter(declared))} if declared else {}),
            "biz_types": declared,
        }

    # --- refusals ---

    def find_operation(self, call: Call) -> tuple[str | None, dict[str, str]]:
        """The action that the headers name; whether it comes by GET or POST does not matter."""
        known = call.path == "/" and call.method in _LARGEST
        return (ACTIONS.get(call.header("x-tc-action") or "") if known else None), {}

    def admit(self, call: Call) -> bool:
        """Whether the rate of its action lets it pass."""
        return self._rates.admit(call.operation or "")

    def authenticate(self, call: Call) -> Reply | None:
        """Refuses what the gateway refuses: a version or region that is none, and a signature that does not hold."""
        try:
            self._check_common(call)
            signature.check(call, (ACCOUNT, TEMPORARY), time.time())
        except Refused as error:
            return _refusal(error)
        return None

    def _check_common(self, call: Call) -> None:
        version, region = call.header("x-tc-version"), call.header("x-tc-region")
        if version is None:
            raise missing("Version")
        if version not in VERSIONS:
            raise Refused("NoSuchVersion", "The API version does not exist.")
        if region is None and self._dialect(call).is_current:  # of 2020-12-29 it is said that it needs none
            raise missing("Region")
        if region is not None and not _REGIONS[self.setup.edition].fullmatch(region):
            raise Refused("UnsupportedRegion", f"The region {region} is not supported.")
        if len(call.body if call.method == "POST" else call.query) > _LARGEST[call.method]:
            raise Refused("RequestSizeLimitExceeded", "The request is too large.")

    def failure(self, call: Call, status: int) -> Reply:
        """What the gateway says where requests are too many, or it fails itself; by itself it says so with HTTP 200."""
        if status == 429:  # noqa: PLR2004  (HTTP's own number)
            limit = self.setup.per_second or 0
            action = call.header("x-tc-action") or ""
            says = f"Your current request times equals to `{limit:g}` in a second, which exceeds the frequency limit `{limit:g}` for a second. Please reduce the frequency of calls to `{action}`."
            return _refusal(Refused("RequestLimitExceeded", says))
        return _refusal(Refused("InternalError", "An internal error has occurred. Retry your request."))

    def not_found(self, call: Call) -> Reply:
        """The gateway's words where there is no such action."""
        if call.method not in _LARGEST:
            return _refusal(Refused("UnsupportedProtocol", "Only GET and POST are supported."))
        action = call.header("x-tc-action")
        return _refusal(
            missing("Action") if not action else Refused("InvalidAction", f"The action `{action}` does not exist.")
        )

    # --- actions ---

    def answer(self, call: Call) -> Reply:
        """Carries a request out."""
        operation, dialect = call.operation or "", self._dialect(call)
        action = _ACTION_OF[operation]
        if not self.setup.activated:
            return _refusal(_NOT_ACTIVATED)
        try:
            body = self._parameters(call, dialect, f"{action}Request")
            data = checks.shaped(dialect, f"{action}Request", body)
            content = getattr(self, f"_{operation}")(call, dialect, data)
        except Refused as error:
            return _refusal(error)
        return _reply(dialect.trimmed(f"{action}Response", content))

    def _dialect(self, call: Call) -> Dialect:
        return Dialect(call.header("x-tc-version") or "", self.setup.edition)

    @staticmethod
    def _parameters(call: Call, dialect: Dialect, model: str) -> Any:
        kind = (call.header("content-type") or "").partition(";")[0].strip().lower()
        wanted = forms.FORM if call.method == "GET" else "application/json"
        if kind != wanted:
            raise Refused("InvalidParameter", f"The Content-Type of a {call.method} must be {wanted}.")
        if call.method == "GET":
            return forms.parameters(call.query, dialect, model)
        try:
            return json.loads(call.body)
        except ValueError:
            raise Refused("InvalidParameter", "The request body is not valid JSON.") from None

    def _create(self, call: Call, dialect: Dialect, data: dict[str, Any]) -> dict[str, Any]:
        checks.creation(data, dialect, self.setup.biz_types)
        unfinished, streams, more = len(self.tasks.unfinished()), self.tasks.streams(), len(data["Tasks"])
        if data["Type"] == checks.LIVE:
            # What becomes of a call of which a part would still fit is not documented; here it is refused as a whole.
            if self.setup.streams is not None and streams + more > self.setup.streams:
                raise Refused("RequestLimitExceeded", "You have reached the concurrency limit")
        elif self.setup.queue is not None and unfinished - streams + more > self.setup.queue:
            raise Refused("LimitExceeded", "Too many tasks are waiting.")
        made: list[Task] = []
        told = [self._created(call, dialect, data, item, made) for item in data["Tasks"]]
        self.tasks.line_up()
        for task in made:
            self._posting.promise(task, dialect)
        self._posting.keep()
        return {"Results": told}

    def _created(
        self, call: Call, dialect: Dialect, data: dict[str, Any], item: dict[str, Any], made: list[Task]
    ) -> dict[str, Any]:
        told = {"DataId": item.get("DataId", ""), "TaskId": "", "Code": "OK", "Message": "Success"}
        try:
            url = checks.media(item, data["Type"])
        except Refused as error:
            return told | {"Code": error.code, "Message": error.message}
        task = self._task({**data, "Tasks": [item]}, url, dialect)
        if call.take(NeverFinishes):
            task.work = float("inf")
        lag = call.take(ListLag)
        if lag is not None:
            task.listed_from = self.world.clock.now() + lag.seconds
        self.tasks.add(task)
        self._watch(task, dialect, life.date(task, task.starts) if task.extra["live"] else self.world.clock.date())
        made.append(task)
        return told | {"TaskId": task.id}

    def _task(self, data: dict[str, Any], url: str, dialect: Dialect) -> Task:
        scenario, type_ = self.world.catalogue.for_url(url), data["Type"]
        extra = {
            "live": type_ == checks.LIVE,
            "biz_type": data.get("BizType", checks.DEFAULT),
            "reason": life.reason(scenario, type_),
            "seed": data.pop("Seed", None),  # a secret: what a task was created with is shown
            "segments": [],
            "spoken": [],
        }
        return Task(
            id=f"w-{type_.lower()}-{''.join(secrets.choice(_ALPHABET) for _ in range(16))}", operation="create", data=data, scenario=scenario,
            queue=self.setup.queue_seconds, work=life.seconds_of_work(scenario, type_, dialect), extra=extra,
        )  # fmt: skip

    def _watch(self, task: Task, dialect: Dialect, began: datetime) -> None:
        """Looks at the media, with the policy of now."""
        setup, type_ = self.setup, task.data["Type"]
        sight = Sight(
            self._lexicon, self._places[task.extra["biz_type"]], Marks(setup.review_from, setup.block_from), generated=type_ == checks.AIGC
        )  # fmt: skip
        watching = Watching(
            task.id, task.scenario, sight, began, live=task.extra["live"], in_seconds=setup.sound_times == "s",
            frequency=task.data["Tasks"][0].get("DecodeParams", {}).get("ImageFrequency", 0), link_seconds=_LINKS_LAST[dialect.edition],
        )  # fmt: skip
        task.extra["watching"] = watching
        if task.extra["reason"] is None:
            looked_at = list(results.everything(watching, type_, only_eventful=True))
            task.extra["segments"] = [segment for segment in looked_at if segment.hits or segment.tells]
            task.extra["spoken"] = results.spoken(looked_at)

    def _found(self, call: Call, task_id: str) -> Task:
        task = self.tasks.get(task_id) or self._decoys.get(task_id)
        if task is None or call.take(Expired):
            raise _UNKNOWN_TASK
        return task

    def _get(self, call: Call, dialect: Dialect, data: dict[str, Any]) -> dict[str, Any]:
        task = self._found(call, data["TaskId"])
        told = self._told(task, dialect, all_segments=data.get("ShowAllSegments", False))
        spoil(call, told)
        return told

    def _told(self, task: Task, dialect: Dialect, *, all_segments: bool = False) -> dict[str, Any]:
        clock = self.world.clock
        return results.detail(task, clock.now(), clock, dialect, all_segments=all_segments)

    def _list(self, call: Call, dialect: Dialect, data: dict[str, Any]) -> dict[str, Any]:
        limit, since, until = checks.filters(data)
        window, now, wanted = listing.Window(since, until), self.world.clock.date(), data.get("Filter", {})
        rows = listing.chosen(self.tasks.listed(), window, now, wanted, lambda task: self._told(task, dialect))
        sought = self._sought(rows)
        decoys = call.take(Decoys, lambda _: sought is not None) if not data.get("PageToken") else None
        if decoys is not None and sought is not None:
            made = [self._decoy(sought, number, dialect) for number in range(decoys.count)]
            rows = [*((task, self._told(task, dialect)) for task in made), *rows]
        elif data.get("PageToken"):
            rows = [*((task, self._told(task, dialect)) for task in self._decoys.values()), *rows]
        page = listing.page_of(rows, limit, data.get("PageToken"), token_at_end=self.setup.token_on_last_page)
        if page["Data"]:
            strange = call.take(UnknownStatus)
            if strange is not None:
                page["Data"][0]["Status"] = strange.word
        return page

    def _sought(self, rows: list[listing.Row]) -> str | None:
        """The DataId that a list is most likely read for, as it cannot be asked for: that of the last create.

        The create may never have been carried out, and its task be looked for all the same.
        """
        for received in reversed(self.world.received):
            if received.provider == self.id and received.operation == "create":
                found = re.findall(rb'"DataId": ?"([^"]+)"', received.body)
                return found[-1].decode() if found else None
        return rows[0][1]["DataId"] or None if rows else None

    def _decoy(self, key: str, number: int, dialect: Dialect) -> Task:
        """A finished task of somebody else, whose DataId holds the one that is looked for."""
        other = (f"{key}-{number}", f"x{number}-{key}", f"{key}{number}")[number % 3]
        item = {"DataId": other, "Input": {"Type": "URL", "Url": "https://example.com/other.mp4"}}
        biz_type = next(iter(self.setup.biz_types), checks.DEFAULT)
        data = {"BizType": biz_type, "Type": checks.VIDEO, "Tasks": [item]}
        task = self._task(data, item["Input"]["Url"], dialect)  # type: ignore[index]
        now = self.world.clock.now()
        task.created = task.starts = task.ends = now
        task.created_date = self.world.clock.date()
        self._watch(task, dialect, task.created_date)
        self._decoys[task.id] = task
        return task

    def _cancel(self, call: Call, dialect: Dialect, data: dict[str, Any]) -> dict[str, Any]:
        task = self._found(call, data["TaskId"])
        phase = task.phase(self.world.clock.now())
        if phase in {Phase.DONE, Phase.CANCELED}:  # what is answered then is not documented
            raise Refused("UnsupportedOperation", "The task has ended already.")
        self.tasks.cancel(task)
        self._posting.keep()
        return {}


def _reply(content: dict[str, Any]) -> Reply:
    return Reply(200, {"Response": {**content, "RequestId": str(uuid.uuid4())}})


def _refusal(error: Refused) -> Reply:
    return _reply({"Error": {"Code": error.code, "Message": error.message}})
