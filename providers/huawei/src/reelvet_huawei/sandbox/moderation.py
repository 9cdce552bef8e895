"""Content Moderation v3, `/v3/{project_id}/moderation/{video,audio}/jobs`: create and query, and the callback.

https://support.huaweicloud.com/api-moderation/moderation_03_0071.html (create), moderation_03_0072 (query). There is no
list, no way to cancel or delete, and no key that would make a create idempotent.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import uuid
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from reelvet.sandbox import (
    Contradiction,
    Expired,
    FailureReason,
    NeverFinishes,
    Phase,
    Reply,
    StatusBackwards,
    Task,
    UnknownLabel,
    UnknownStatus,
)
from reelvet_huawei.sandbox import account, media, moderation_checks, moderation_results
from reelvet_huawei.sandbox.refusals import Refused, request_id

if TYPE_CHECKING:
    from reelvet.sandbox import Call
    from reelvet_huawei.sandbox.emulator import HuaweiSandbox
    from reelvet_huawei.sandbox.switches import HuaweiSetup

CREATE, GET = "create_v3", "get_v3"
CREATE_AUDIO, GET_AUDIO = "create_audio_v3", "get_audio_v3"
_BEIJING = timezone(timedelta(hours=8))


class Moderation:
    """What v3 answers."""

    def __init__(self, host: HuaweiSandbox) -> None:
        self._host = host

    def answer(self, call: Call) -> Reply:
        """Carries a request out.

        Raises:
            Refused: It is not one that v3 takes.
        """
        if call.params["project_id"] != account.PROJECT_ID:
            raise Refused("AIS.0004", "Unauthorized: the project does not belong to the caller.")
        if not self._host.setup.subscribed:
            raise Refused("ModelArts.4204", "The API is not subscribed in this region.")
        return self._create(call) if call.operation in {CREATE, CREATE_AUDIO} else self._get(call)

    def _create(self, call: Call) -> Reply:
        setup, world = self._host.setup, self._host.world
        if call.operation == CREATE:
            data = moderation_checks.video(call.json, policies=setup.biz_types, international=setup.international)
            tell = moderation_results.video
        else:
            data = moderation_checks.audio(call.json, policies=setup.biz_types)
            tell = moderation_results.audio
        seed = data.pop("seed", None)  # a secret: it is no part of what tests are shown
        scenario = media.at_url(world.catalogue, data["data"]["url"])
        reason = media.failure_v3(scenario)
        self._check_media(data["data"]["url"], reason)
        task = Task(
            id=_job_id(world.clock.date()), operation=call.operation or CREATE, data=data, scenario=scenario, queue=setup.queue_seconds,
            work=float("inf") if call.take(NeverFinishes) else media.seconds_of_work(scenario, reason),
            extra={"reason": reason, "request_id": request_id(), "result": tell(scenario, data, self._host.eyes)},
        )  # fmt: skip
        self._host.tasks.add(task)
        if "callback" in data and task.ends != float("inf"):
            self._call_back(task, seed)
        number = task.extra["request_id"]
        return Reply(200, {"request_id": number, "job_id": task.id}, {"x-request-id": number})

    def _check_media(self, url: str, reason: FailureReason | None) -> None:
        """Refuses media that the setup has refused at once; the codes are documented, and their words are not."""
        setup, is_object = self._host.setup, media.is_object(url)
        if is_object and not setup.agency:
            raise Refused("ModelArts.4702", "Failed to query the OBS agency.")
        if setup.refuses_media and reason is FailureReason.UNREACHABLE:
            code = "ModelArts.4704" if is_object else "ModelArts.4603"
            raise Refused(code, "Failed to obtain the file.")

    def _get(self, call: Call) -> Reply:
        task = self._host.tasks.get(call.params["job_id"])
        creator = CREATE if call.operation == GET else CREATE_AUDIO
        if task is None or task.operation != creator or call.take(Expired):
            raise Refused("AIS.0030", "Job not found")
        told = self._told(task, self._host.world.clock.now())
        if told["status"] != "running" and call.take(StatusBackwards):
            told["status"] = "running"
            told.pop("result", None)
        if "result" in told:
            told["result"] = self._spoiled(call, task, told["result"])
        strange = call.take(UnknownStatus)
        if strange is not None:
            told["status"] = strange.word
        return Reply(200, told)

    def _told(self, task: Task, now: float) -> dict[str, Any]:
        """A job as it is told. Whether `request_id` is that of the create or of the query is not documented: the first."""
        told: dict[str, Any] = {
            "request_id": task.extra["request_id"],
            "job_id": task.id,
            "status": "running",
            "request_params": {name: value for name, value in task.data.items() if name != "biz_type"},
            "create_time": _date(task, task.created),
            "update_time": _date(
                task, max(moment for moment in (task.created, task.starts, task.ends) if moment <= now)
            ),
        }
        if task.phase(now) is Phase.DONE:
            told["status"] = "failed" if task.extra["reason"] is not None else "succeeded"
        if told["status"] == "succeeded":
            told["result"] = self._host.without_empty(task.extra["result"], ("image_detail", "audio_detail", "details"))
        return told

    def _call_back(self, task: Task, seed: str | None) -> None:
        """Sends what a query would answer once the job has ended."""
        told = self._told(task, task.ends)
        headers = {"content-type": "application/json"}
        if seed is not None:
            signed = told["create_time"] + told["job_id"] + told["request_id"] + seed
            headers["x-auth-signature"] = signature(signed, seed, self._host.setup)
        body = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
        self._host.call_back(task.data["callback"], headers, body, at=task.ends)

    def _spoiled(self, call: Call, task: Task, result: dict[str, Any]) -> dict[str, Any]:
        """Applies the faults that concern what a result says."""
        result = dict(result)
        lists = [name for name in ("image_detail", "audio_detail", "details") if name in task.extra["result"]]
        strange = call.take(UnknownLabel)
        if strange is not None:
            found = (
                moderation_results.strange_sound(strange.word)
                if task.operation == CREATE_AUDIO
                else moderation_results.strange_frame(_first_category(task), strange.word)
            )
            result.update({lists[0]: [*(result.get(lists[0]) or []), found], "suggestion": "block"})
        has_evidence = any(result.get(name) for name in lists)
        contradiction = call.take(Contradiction, lambda f: f.how == "verdict_without_evidence" or has_evidence)
        if contradiction is not None and contradiction.how == "verdict_without_evidence":
            result = self._host.without_empty(
                {**result, **{name: [] for name in lists}, "suggestion": "block"}, tuple(lists)
            )
        elif contradiction is not None:
            result["suggestion"] = "pass"
        return result


def signature(signed: str, seed: str, setup: HuaweiSetup) -> str:
    """HmacSHA256 with the seed as its key. How its digest is written is not documented: the setup says."""
    digest = hmac.new(seed.encode(), signed.encode(), hashlib.sha256)
    if setup.signature == "base64":
        return base64.b64encode(digest.digest()).decode()
    return digest.hexdigest().upper() if setup.signature == "HEX" else digest.hexdigest()


def _first_category(task: Task) -> str:
    return str((task.data.get("image_categories") or moderation_checks.IMAGE_CATEGORIES)[0])


def _job_id(date: datetime) -> str:
    """As in the published examples, whose number is the beginning of a day in Beijing."""
    day = date.astimezone(_BEIJING).replace(hour=0, minute=0, second=0, microsecond=0)
    return f"0{int(day.timestamp())}_{uuid.uuid4().hex}"


def _date(task: Task, moment: float) -> str:
    """As the examples write it: with a zone for video, without one for audio, which here is UTC."""
    date = (task.created_date or datetime.now(UTC)) + timedelta(seconds=moment - task.created)
    if task.operation == CREATE_AUDIO:
        return f"{date:%Y-%m-%d %H:%M:%S}"
    return f"{date:%Y-%m-%dT%H:%M:%S}.{date.microsecond // 1000:03d}Z"
