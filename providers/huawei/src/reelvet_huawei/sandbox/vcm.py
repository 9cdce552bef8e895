"""VCM, `/v2/{project_id}/services/video-moderation/tasks`: its four operations.

https://support.huaweicloud.com/en-us/api-vas/vas_03_0146.html (create), vas_03_0147 (list), vas_03_0148 (query),
vas_03_0149 (delete).
"""

from __future__ import annotations

import json
import secrets
import string
import uuid
from typing import TYPE_CHECKING, Any

from reelvet.sandbox import (
    Contradiction,
    Decoys,
    Expired,
    ListLag,
    NeverFinishes,
    Phase,
    Reply,
    StatusBackwards,
    Task,
    UnknownLabel,
    UnknownStatus,
)
from reelvet_huawei.sandbox import account, media, vcm_checks, vcm_life, vcm_listing, vcm_results
from reelvet_huawei.sandbox.refusals import Refused, nowhere

if TYPE_CHECKING:
    from reelvet.sandbox import Call
    from reelvet_huawei.sandbox.emulator import HuaweiSandbox

CREATE, LIST, GET, DELETE = "create_v2", "list_v2", "get_v2", "delete_v2"
_CREATED, _ACCEPTED = 201, 202
_WAITING = ("PENDING", "STARTING")
_LETTERS = string.ascii_lowercase + string.digits


class Vcm:
    """What v2 answers."""

    def __init__(self, host: HuaweiSandbox) -> None:
        self._host = host
        self._decoys: dict[str, Task] = {}

    def reset(self) -> None:
        """As at the start."""
        self._decoys.clear()

    def answer(self, call: Call) -> Reply:
        """Carries a request out.

        Raises:
            Refused: It is not one that v2 takes.
        """
        if call.params["project_id"] != account.PROJECT_ID:
            raise Refused("IVA.0002", "The project id is invalid.")
        if not self._host.setup.subscribed:
            raise Refused("IVA.0007", "No permission to access service. Please subscribe first.")
        service = call.params["service_name"]
        if service != vcm_checks.SERVICE:
            version = call.json.get("service_version") if isinstance(call.json, dict) else None
            raise nowhere(f"Service {service}/{version or '1.0'} not found.")
        operation = {CREATE: self._create, LIST: self._list, GET: self._get, DELETE: self._delete}
        return operation[call.operation or ""](call)

    # --- operations ---

    def _create(self, call: Call) -> Reply:
        setup = self._host.setup
        data = vcm_checks.creation(call.json, obs_only=setup.obs_only)
        if not setup.agency and (data["input"]["type"] == "obs" or "obs" in data["output"]):
            raise Refused("IVA.0013", "The agency is invalid.")
        waiting = [task for task in self._host.tasks.unfinished() if task.operation == CREATE]
        if setup.queue is not None and len(waiting) >= setup.queue:
            raise Refused("IVA.0012", f"The number of tasks exceeds the quota {setup.queue}.")
        task = self._made(data)
        if call.take(NeverFinishes):
            task.work = float("inf")
        lag = call.take(ListLag)
        if lag is not None:
            task.listed_from = self._host.world.clock.now() + lag.seconds
        self._host.tasks.add(task)
        return Reply(200 if setup.statuses == "openapi" else _CREATED, [{"id": task.id}])

    def _made(self, data: dict[str, Any]) -> Task:
        source = data["input"]["data"][0]
        url = source["url"] if data["input"]["type"] == "url" else f"obs://{source['bucket']}/{source['path']}"
        scenario = media.at_url(self._host.world.catalogue, url)
        reason = media.failure(scenario)
        error = None if reason is None else dict(zip(("code", "message"), media.CODES[reason], strict=True))
        folder = f"task{''.join(secrets.choice(_LETTERS) for _ in range(8))}"
        found = vcm_results.result(scenario, data, self._host.eyes, folder)
        return Task(
            id=uuid.uuid4().hex, operation=CREATE, data=data, scenario=scenario, queue=self._host.setup.queue_seconds,
            work=media.seconds_of_work(scenario, reason),
            extra={"reason": reason, "error": error, "result": found, "folder": folder},
        )  # fmt: skip

    def _list(self, call: Call) -> Reply:
        now, setup = self._host.world.clock.now(), self._host.setup
        rows = [
            (task, vcm_life.told(task, now, setup))
            for task in self._host.tasks.listed()
            if task.operation == CREATE and not vcm_life.is_gone(task, now)
        ]
        wanted = call.arguments.get("name_like", "")
        decoys = call.take(Decoys, lambda _: bool(wanted))
        if decoys is not None:
            mocks = [self._decoy(wanted, number, rows[0][0] if rows else None) for number in range(decoys.count)]
            rows = [*((task, vcm_life.told(task, now, setup)) for task in mocks), *rows]
        page = vcm_listing.page_of(rows, call.arguments)
        strange = call.take(UnknownStatus, lambda _: bool(page["tasks"]))
        if strange is not None:
            page["tasks"][0]["state"] = strange.word
        return Reply(200, page)

    def _get(self, call: Call) -> Reply:
        task = self._known(call)
        if task is None:
            raise nowhere(f"Task {call.params['task_id']} is not found under service {vcm_checks.SERVICE}.")
        now, setup = self._host.world.clock.now(), self._host.setup
        if not vcm_life.is_hosted(task) and call.take(Expired):
            raise nowhere(f"Task {task.id} is not found under service {vcm_checks.SERVICE}.")
        item = vcm_life.told(task, now, setup)
        if item["state"] not in _WAITING and call.take(StatusBackwards):
            item["state"] = _WAITING[0]
        elif vcm_life.is_hosted(task):
            item["hosting_result"] = self._hosted(call, task, now)
        strange = call.take(UnknownStatus)
        if strange is not None:
            item["state"] = strange.word
        return Reply(200, item)

    def _delete(self, call: Call) -> Reply:
        """Accepted where there is a hosted result, done where there is none. A task that runs is stopped by it."""
        task = self._known(call)
        if task is None or call.take(Expired):
            raise nowhere(f"The taskId {call.params['task_id']} is not found.")
        now = self._host.world.clock.now()
        task.extra.setdefault("deleted", now)
        if task.id not in self._decoys and task.phase(now) in {Phase.QUEUED, Phase.RUNNING}:
            self._host.tasks.cancel(task)
        is_accepted = vcm_life.is_hosted(task) or self._host.setup.statuses == "openapi"
        return Reply(_ACCEPTED if is_accepted else 200, raw=b"")

    # --- what they share ---

    def _known(self, call: Call) -> Task | None:
        id_ = call.params["task_id"]
        vcm_checks.task_id(id_)
        task = self._host.tasks.get(id_) or self._decoys.get(id_)
        if task is None or task.operation != CREATE or vcm_life.is_gone(task, self._host.world.clock.now()):
            return None
        return task

    def _hosted(self, call: Call, task: Task, now: float) -> dict[str, Any]:
        """The hosted result, which is JSON in a string."""
        told = vcm_life.hosting_result(task, now, self._host.setup, expired=False)
        if told["status"] != "NOT_GENERATED" and call.take(Expired):
            told = vcm_life.hosting_result(task, now, self._host.setup, expired=True)
        if told["status"] != "AVAILABLE":
            return told
        text = self.text(call, task)
        return {**told, "data": text, "fileSize": f"{len(text.encode())} bytes"}

    def text(self, call: Call, task: Task) -> str:
        """The result as it is written down, wherever that is, with the faults that concern what it says."""
        return json.dumps(self._spoiled(call, task), ensure_ascii=False, sort_keys=True)

    def _spoiled(self, call: Call, task: Task) -> dict[str, Any]:
        content = task.extra["result"]
        result = dict(content["result"])
        strange = call.take(UnknownLabel)
        if strange is not None:
            config = (task.data.get("service_config") or {}).get("common") or {}
            category = (config.get("categories") or vcm_checks.CATEGORIES[0]).partition(",")[0]
            frame = vcm_results.strange_frame(category, strange.word, task.extra["folder"])
            result.update(frames=[*result["frames"], frame], suggestion="block")
        has_evidence = bool(result["frames"] or result["voices"])
        contradiction = call.take(Contradiction, lambda f: f.how == "verdict_without_evidence" or has_evidence)
        if contradiction is not None and contradiction.how == "verdict_without_evidence":
            result.update(frames=[], voices=[], suggestion="block")
        elif contradiction is not None:
            result["suggestion"] = "pass"
        return {**content, "result": self._host.without_empty(result, ("frames", "voices"))}

    def _decoy(self, wanted: str, number: int, like: Task | None) -> Task:
        """A finished task of somebody else, which a search for a part of its name finds too."""
        name = (f"{wanted}-{number}", f"x{number}-{wanted}", f"{wanted}{number}")[number % 3]
        usual = {
            "input": {"type": "obs", "data": [{"bucket": "others", "path": "other.mp4"}]},
            "output": {"hosting": {}},
        }
        task = self._made({**(like.data if like else {**usual, "service_version": vcm_checks.VERSION}), "name": name})
        now, date = self._host.world.clock.now(), self._host.world.clock.date()
        task.created = task.starts = task.ends = now
        task.created_date, task.work = date, 0.0
        self._decoys[task.id] = task
        return task
