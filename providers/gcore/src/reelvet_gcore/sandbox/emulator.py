"""The operations of the emulator."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from reelvet.sandbox import (
    Call,
    Contradiction,
    Decoys,
    Emulator,
    Expired,
    ListLag,
    NativeWords,
    NeverFinishes,
    Phase,
    Reply,
    Route,
    Setup,
    StatusBackwards,
    Task,
    UnknownLabel,
    UnknownStatus,
)
from reelvet.taxonomy import LabelMap
from reelvet_gcore.sandbox import checks, languages, life, listing, results, videos
from reelvet_gcore.sandbox.checks import CATEGORIES, TRANSCRIPTION, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reelvet.sandbox import Asset, World

CLIENT_ID = 4242
API_KEY = f"{CLIENT_ID}_sandbox"
"""A permanent token in the form of today: a number, `_`, letters."""

_CREATING = ("create", "detect_nudity", "transcribe")
_READING = ("get", "results")
_NOT_FOUND = "Not Found. Entity you are looking for was not found, please check the initial parameters"
_QUEUE_SECONDS = 2.0


class GcoreSetup(Setup):
    """What can be set of the emulator of Gcore."""

    queue: int | None = Field(100, ge=0, description="Tasks that may wait or run; the documented limit.")
    queue_status: Literal[400, 429] = Field(400, description="Which of the two documented statuses a full queue has.")
    queue_seconds: float = Field(_QUEUE_SECONDS, ge=0, description="Virtual seconds that a task waits at least.")
    feature_enabled: bool = Field(
        True, description="`false`: 422 on every AI endpoint, as for an account without the feature."
    )
    legacy_enabled: bool = Field(True, description="Whether the endpoints of 2024 still answer; nobody says.")
    mp4_enabled: bool = Field(True, description="`false`: no video has an `mp4_url`.")
    past_the_end: Literal["empty", "not_found"] = Field(
        "empty", description="What a page past the last one is; both would fit what is documented."
    )


class GcoreSandbox(Emulator):
    """Gcore Streaming AI, as its OpenAPI document of July 2026 and its guides tell it."""

    id = "gcore"
    setup_model = GcoreSetup
    setup: GcoreSetup
    routes = (
        Route("create", "POST", "/streaming/ai/tasks"),
        Route("list", "GET", "/streaming/ai/tasks"),
        Route("get", "GET", "/streaming/ai/tasks/{task_id}"),
        Route("cancel", "POST", "/streaming/ai/tasks/{task_id}/cancel"),
        Route("info", "GET", "/streaming/ai/info"),
        Route("video", "GET", "/streaming/videos/{video_id}"),
        Route("client", "GET", "/iam/clients/me"),
        Route("detect_nudity", "POST", "/streaming/ai/detect-nudity"),
        Route("transcribe", "POST", "/streaming/ai/transcribe"),
        Route("results", "GET", "/streaming/ai/results/{task_id}"),
    )
    understands: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "unknown_status": (*_READING, "list"),
        "unknown_label": _READING,
        "contradiction": ("get",),  # the legacy result has no verdict that could contradict it
        "status_backwards": _READING,
        "never_finishes": _CREATING,
        "list_lag": _CREATING,
        "expired": (*_READING, "cancel"),
        "decoys": ("list",),
    }

    def __init__(self, world: World) -> None:
        self._words = NativeWords(LabelMap.load("reelvet_gcore", world.taxonomy), world.taxonomy)
        self._stop_labels = {name: self._words.field_of(f"category={name}") for name in CATEGORIES}
        self._decoys: dict[str, Task] = {}
        super().__init__(world)

    def reset(self) -> None:
        """As at the start."""
        super().reset()
        self._decoys.clear()

    def settings(self) -> dict[str, Any]:
        """What belongs under `[providers.gcore]`."""
        return {"api_key": API_KEY}

    def assets(self) -> tuple[Asset, ...]:
        """The videos of the account."""
        return videos.assets()

    # --- refusals ---

    def authenticate(self, call: Call) -> Reply | None:
        """Refuses with the messages of the general guide; Streaming documents no body of its own for a 401."""
        scheme, _, token = (call.header("authorization") or "").partition(" ")
        if scheme == "APIKey" and token == API_KEY:
            return None
        if scheme == "Bearer":
            return _unauthorized("token_not_valid", "Given token not valid for any token type")
        if scheme != "APIKey" or not token:
            return _unauthorized("not_authenticated", "Authentication credentials were not provided.")
        if re.fullmatch(r"\d+[$_]\w+", token):
            return _unauthorized("token_not_valid", "Token is invalid or expired")
        number = re.match(r"\d*", token)
        return _unauthorized("not_authenticated", f"Bad permanent token: {number[0] if number else ''}")

    def failure(self, call: Call, status: int) -> Reply:
        """The bodies that the documentation shows, the one for 500 of other Streaming endpoints."""
        if status == 429:  # noqa: PLR2004  (HTTP's own number)
            return Reply(status, {"error": "Too many requests, try later"})
        return Reply(status, {"data": [], "errors": ["internal server error"]})

    def not_found(self, call: Call) -> Reply:
        """The body that the documentation shows for tasks and lists."""
        return Reply(404, {"status": 404, "error": _NOT_FOUND})

    # --- operations ---

    def answer(self, call: Call) -> Reply:
        """Carries a request out."""
        operation = call.operation or ""
        if "/ai/" in call.path and not self.setup.feature_enabled:
            return Reply(422, {"error": "Feature is disabled. Contact support to enable."})
        if operation in {"detect_nudity", "transcribe", "results"} and not self.setup.legacy_enabled:
            return self.not_found(call)
        try:
            reply: Reply = getattr(self, f"_{operation}")(call)
        except Refused as error:
            return Reply(400, {"error": str(error)})
        return reply

    def _create(self, call: Call) -> Reply:
        data = checks.creation(call.json, self._stop_labels)
        return self._created(call, data, data.get("category", TRANSCRIPTION), 201)

    def _detect_nudity(self, call: Call) -> Reply:
        data = checks.detection(call.json, self._stop_labels)
        return self._created(call, data, data.get("category", "hard_nudity"), 200)

    def _transcribe(self, call: Call) -> Reply:
        return self._created(call, checks.transcription(call.json), TRANSCRIPTION, 200)

    def _created(self, call: Call, data: dict[str, Any], kind: str, status: int) -> Reply:
        limit = self.setup.queue
        if limit is not None and len(self.tasks.unfinished()) >= limit:
            return Reply(self.setup.queue_status, {"error": f"Queue limit reached ({limit}), try later."})
        scenario = self.world.catalogue.for_url(data["url"])
        outcome = results.failure(scenario, data["url"])
        if outcome is None and kind == TRANSCRIPTION:
            outcome = results.transcript(scenario, data.get("audio_language"), data.get("subtitles_language"))
        elif outcome is None:
            outcome = results.moderation(scenario, kind, self._words, data.get("stop_objects"))
        work = life.seconds_of_work(scenario, kind, outcome.looked_at)
        if call.take(NeverFinishes):
            work = float("inf")
        task = Task(
            id=str(uuid.uuid4()), operation=call.operation or "", data=data, scenario=scenario, queue=self.setup.queue_seconds, work=work,
            extra={"kind": kind, "outcome": outcome},
        )  # fmt: skip
        lag = call.take(ListLag)
        if lag is not None:
            task.listed_from = self.world.clock.now() + lag.seconds
        self.tasks.add(task)
        return Reply(status, {"task_id": task.id})

    def _found(self, call: Call) -> Task | None:
        task = self.tasks.get(call.params["task_id"]) or self._decoys.get(call.params["task_id"])
        if task is None or life.expired(task, self.world.clock.now()) or call.take(Expired):
            return None
        return task

    def _item(self, task: Task) -> dict[str, Any]:
        now = self.world.clock.now()
        status, progress = life.status(task, now)
        return {
            "task_id": task.id,
            "task_data": {**task.data, "client_id": CLIENT_ID},
            "progress": progress,
            "status": status,
            "processing_time": life.processing_time(task, now),
        }

    def _get(self, call: Call) -> Reply:
        task = self._found(call)
        if task is None:
            return self.not_found(call)
        item = self._item(task)
        done = item["status"] in {"SUCCESS", "FAILURE"}
        item["result"] = dict(task.extra["outcome"].result) if done else None
        self._spoil(call, item)
        return Reply(200, item)

    def _spoil(self, call: Call, item: dict[str, Any]) -> None:
        """Applies the faults that concern what a task says."""
        result = item["result"]
        if result is not None and "frames" in result:
            flag = next(name for name in result if name.endswith("_detected"))
            strange = call.take(UnknownLabel)
            if strange is not None:
                result["frames"] = [
                    *result["frames"],
                    {"label": strange.word, "frame_number": 0, "confidence": 0.9},
                ]
                result["detection_results"] = [*result["detection_results"], strange.word]
                result[flag] = True
            contradiction = call.take(
                Contradiction, lambda f: f.how == "verdict_without_evidence" or bool(result["frames"])
            )
            if contradiction is not None and contradiction.how == "verdict_without_evidence":
                result["frames"], result[flag] = [], True
            elif contradiction is not None:
                result[flag] = False
        if item["status"] not in {"RECEIVED", "PENDING"} and call.take(StatusBackwards):
            item.update(status="PENDING", progress=0, result=None)
        strange_status = call.take(UnknownStatus)
        if strange_status is not None:
            item["status"] = strange_status.word

    def _results(self, call: Call) -> Reply:
        """The spelling of 2024: no verdict, `class`, `score`, `frame-no`; and what legacy tasks hold."""
        reply = self._get(call)
        if reply.status == 200 and reply.content["result"] is not None:  # noqa: PLR2004  (HTTP's own number)
            reply.content["result"] = results.legacy(reply.content["result"])
        return reply

    def _list(self, call: Call) -> Reply:
        now = self.world.clock.now()
        tasks = [task for task in self.tasks.listed() if not life.expired(task, now)]
        rows = listing.chosen([(task, self._item(task)) for task in tasks], call.arguments)
        search = call.arguments.get("search", "")
        decoys = call.take(Decoys, lambda _: bool(search)) if "task_id" not in call.arguments else None
        if decoys is not None:
            mocks = [self._decoy(search, number, rows[0][0] if rows else None) for number in range(decoys.count)]
            rows = [*((task, self._item(task)) for task in mocks), *rows]
        page = listing.page_of(rows, call.arguments)
        if page is None:
            if self.setup.past_the_end == "not_found":
                return self.not_found(call)
            page = {"count": len(rows), "next": None, "previous": None, "results": []}
        if page["results"]:
            strange = call.take(UnknownStatus)
            if strange is not None:
                page["results"][0]["status"] = strange.word
        return Reply(200, page)

    def _decoy(self, search: str, number: int, like: Task | None) -> Task:
        """A finished task of somebody else, which a search for a part of its key finds too."""
        key = (f"{search}-{number}", f"x{number}-{search}", f"{search}{number}")[number % 3]
        data = dict(like.data) if like else {"url": "https://example.com/other.mp4", "task_name": TRANSCRIPTION}
        fields = [name for name in ("client_user_id", "client_entity_data") if search in data.get(name, "")]
        for name in fields or ["client_user_id", "client_entity_data"]:
            data[name] = data[name].replace(search, key) if fields else key
        scenario = self.world.catalogue.named("clean")
        kind = data.get("category", TRANSCRIPTION)
        outcome = (
            results.transcript(scenario, None, None)
            if kind == TRANSCRIPTION
            else results.moderation(scenario, kind, self._words, None)
        )
        now = self.world.clock.now()
        decoy = Task(
            id=str(uuid.uuid4()), operation="create", data=data, scenario=scenario, queue=0.0, work=0.0, extra={"kind": kind, "outcome": outcome},
            created=now, created_date=self.world.clock.date(), starts=now, ends=now,
        )  # fmt: skip
        self._decoys[decoy.id] = decoy
        return decoy

    def _cancel(self, call: Call) -> Reply:
        task = self._found(call)
        if task is None:
            return Reply(404, {"error": "Task not found"})
        now = self.world.clock.now()
        if task.phase(now) in {Phase.DONE, Phase.CANCELED}:
            status, _ = life.status(task, now)
            return Reply(412, {"error": f"Cannot cancel task because it is already in status {status}."})
        self.tasks.cancel(task)
        return Reply(202, {"result": "Task has been cancelled successfully."})

    def _info(self, call: Call) -> Reply:
        arguments = call.arguments
        if arguments.get("type") != "language_support":
            return Reply(400, {"error": "Invalid config type"})
        if not arguments.get("audio_language"):  # required by the text, optional in the schema
            raise Refused("audio_language is required")
        audio = languages.of_code(arguments["audio_language"])
        subtitles = arguments.get("subtitles_language")
        into = languages.of_code(subtitles) if subtitles else audio
        return Reply(200, {"supported": languages.supported(audio, into)})

    def _video(self, call: Call) -> Reply:
        found = videos.video(call.params["video_id"], self.world.catalogue, CLIENT_ID, mp4=self.setup.mp4_enabled)
        return self.not_found(call) if found is None else Reply(200, found)

    def _client(self, call: Call) -> Reply:
        return Reply(
            200, {"id": CLIENT_ID, "email": "sandbox@reelvet.example", "status": "active", "currentUser": CLIENT_ID}
        )


def _unauthorized(kind: str, message: str) -> Reply:
    return Reply(401, {"exception_class": kind, "message": message})
