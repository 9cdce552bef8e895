"""A vendor called Acme: a server on loopback that does what it is told to do wrong, and a provider for it."""

from __future__ import annotations

import json
import sys
import threading
import time
import types
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import BaseModel, ConfigDict, SecretStr

from reelvet import Config
from reelvet.http import Effect, Request, RetryPolicy
from reelvet.plugins import (
    Capabilities,
    Capability,
    Created,
    Done,
    Health,
    Looked,
    Outcome,
    Provider,
    ProviderSpec,
    Registry,
    Rejected,
    Report,
    TimeWindow,
    Unknown,
    ask,
    final_coverage,
    plan_coverage,
)
from reelvet.schema.errors import InvalidRequest, ProviderError
from reelvet.schema.media import Channel
from reelvet.schema.plan import Plan, PlannedRequest, VendorTask
from reelvet.schema.result import Finding, Native, Relation, Transcript, TranscriptSegment
from reelvet.schema.task import RawTask, Status, TaskError, TaskRef

CATEGORIES = {"porn": "sexual.explicit.pornography", "gore": "violence.graphic.blood_gore"}
STATUSES = {
    "wait": Status.QUEUED,
    "work": Status.RUNNING,
    "done": Status.SUCCEEDED,
    "broke": Status.FAILED,
    "stopped": Status.CANCELED,
}


@dataclass
class Vendor:
    """The vendor's side: what it holds, what it saw, and how it shall misbehave."""

    url: str = ""
    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)
    creates: list[dict[str, Any]] = field(default_factory=list)
    """Bodies of create requests, as received."""
    requests: list[str] = field(default_factory=list)
    script: list[str] = field(default_factory=list)
    """What becomes of the next creates: `ok`, `reject`, `drop` (created, no answer), `lose` (not created, no answer)."""
    create_delay: float = 0.0
    """Seconds that a create takes."""
    list_lag: float = 0.0
    """Seconds until the list shows a task."""
    states: list[str] = field(default_factory=lambda: ["done"])
    """What a task is, read after read; the last one stays."""
    hits: dict[str, list[float]] = field(default_factory=dict)
    """Category -> scores."""
    grows: bool = False
    """Whether a task that works shows what it has found and heard so far, one more with every read."""
    said: list[str] = field(default_factory=list)
    """What is said in the video."""
    searches_match_substrings: bool = True
    lock: threading.Lock = field(default_factory=threading.Lock)


class _Handler(BaseHTTPRequestHandler):
    vendor: Vendor
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        vendor, path = self.vendor, urlsplit(self.path).path
        with vendor.lock:
            vendor.requests.append(f"POST {path}")
            if path.endswith("/cancel"):
                task = vendor.tasks[path.split("/")[2]]
                task["reads"], task["states"] = 0, ["stopped"]
                self._answer(200, self._shown(task))
                return
            job = json.loads(body)
            time.sleep(vendor.create_delay)
            vendor.creates.append(job)
            what = vendor.script.pop(0) if vendor.script else "ok"
            if what in {"ok", "drop"}:
                id_ = f"t{len(vendor.tasks) + 1}"
                vendor.tasks[id_] = {
                    "id": id_,
                    **job,
                    "made": time.monotonic(),
                    "reads": 0,
                    "states": list(vendor.states),
                }
        if what == "ok":
            self._answer(201, {"id": id_})
        elif what == "reject":
            self._answer(422, {"error": "no such video"})
        else:
            self.close_connection = True
            self.connection.close()

    def do_GET(self) -> None:
        vendor, parts = self.vendor, urlsplit(self.path)
        with vendor.lock:
            vendor.requests.append(f"GET {parts.path}")
            if parts.path == "/tasks":
                wanted = parse_qs(parts.query).get("key", [""])[0]
                shown = [
                    self._shown(task)
                    for task in vendor.tasks.values()
                    if time.monotonic() - task["made"] >= vendor.list_lag and wanted in task["key"]
                ]
                self._answer(200, {"tasks": shown})
                return
            task = vendor.tasks.get(parts.path.split("/")[2])
            if task is None:
                self._answer(404, {"error": "no such task"})
                return
            shown = self._shown(task)
            task["reads"] += 1
        self._answer(200, shown)

    def _shown(self, task: dict[str, Any]) -> dict[str, Any]:
        state = task["states"][min(task["reads"], len(task["states"]) - 1)]
        scores = self.vendor.hits.get(task["category"], [])
        known = len(scores) if state in {"done", "stopped"} else task["reads"] if self.vendor.grows else 0
        hits = [{"at": 3.0 + number, "score": score} for number, score in enumerate(scores[:known])]
        shown = {"id": task["id"], "key": task["key"], "category": task["category"], "state": state, "hits": hits}
        return shown | ({"said": self.vendor.said[:known]} if self.vendor.said else {})

    def _answer(self, status: int, body: Any) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class AcmeSettings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    api_key: SecretStr
    base_url: str = "https://api.acme.invalid"
    can_find: bool = True


class AcmeOptions(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    priority: int = 0


class Acme(Provider):
    """One vendor task per category."""

    id = "acme"
    settings: AcmeSettings

    @property
    def sandbox(self) -> bool:  # type: ignore[override]
        return self.settings.base_url != "https://api.acme.invalid"

    def effective(self) -> Capabilities:
        return Capabilities(
            entries=tuple(
                Capability(label, (Channel.VISUAL,), Relation.EXACT, switch=name) for name, label in CATEGORIES.items()
            ),
            operations=frozenset({"cancel", "find"} if self.settings.can_find else {"cancel"}),
            wishes=frozenset({"user", "metadata"}),
        )

    def plan(self, job: Any) -> Plan:
        asked = ask(job, self.effective(), self.context.taxonomy, provider=self.id)
        wanted = asked.looks_for.get(Channel.VISUAL, [])
        tasks = tuple(
            VendorTask(
                name=name,
                category=name,
                vendor_key=job.vendor_key,
                payload={"url": str(job.media.url), "key": job.vendor_key, "category": name},
                looks_for={"visual": [label]},
            )
            for name, label in CATEGORIES.items()
            if label in wanted
        )
        return Plan(
            provider=self.id,
            instance=self.context.instance,
            tasks=tasks,
            requests=tuple(PlannedRequest(method="POST", path="/tasks", body=task.payload) for task in tasks),
            coverage=tuple(asked.coverage),
            unsupported=tuple(asked.unsupported),
            warnings=tuple(asked.warnings),
        )

    def read(self, plan: Plan | None, raws: Sequence[RawTask]) -> Report:
        findings, looked, spoken = [], [], []
        for raw in raws:
            payload = raw.payload or {}
            label = CATEGORIES.get(payload.get("category"))
            if label is None:
                continue
            if raw.status is Status.SUCCEEDED:
                looked.append(Looked([label], Channel.VISUAL))
            if said := payload.get("said"):
                segments = tuple(TranscriptSegment(start=10.0 * n, text=text) for n, text in enumerate(said))
                spoken.append(Transcript(language="en", text=" ".join(said), segments=segments, task=raw.ref.id))
            for number, hit in enumerate(payload.get("hits", [])):
                native = Native(field=f"hits[{number}]", label=payload["category"], score=hit["score"], scale="0-1")
                findings.append(
                    Finding(
                        label=label, relation=Relation.EXACT, channel=Channel.VISUAL, score=hit["score"], start=hit["at"],
                        native=native, provider=self.id, task=raw.ref.id,
                    )
                )  # fmt: skip
        able, tree = self.effective(), self.context.taxonomy
        places = [(label, Channel.VISUAL) for look in looked for label in look.labels]
        rows = plan.coverage if plan is not None else plan_coverage(places, able, tree, self.id)
        return Report(
            findings=findings,
            coverage=final_coverage(rows, looked, findings, able, tree),
            transcripts=spoken,
            versions={"label_map": "acme 2026-11"},
        )

    async def open(self) -> None:
        assert self.context.session is not None
        retry = RetryPolicy(attempts=3, base=0.01)
        self._session = self.context.session(secrets=[self.settings.api_key], retry=retry, classifier=_classify)
        await self._session.__aenter__()

    async def close(self) -> None:
        await self._session.__aexit__(None, None, None)

    async def submit(self, tasks: Sequence[VendorTask]) -> Sequence[Outcome]:
        return [await self._create(task) for task in tasks]

    async def _create(self, task: VendorTask) -> Outcome:
        try:
            reply = await self._send("POST", "/tasks", Effect.CREATE, task.payload)
        except ProviderError as error:
            return Rejected(error) if error.created == "no" else Unknown(error)
        return Created(TaskRef(id=reply["id"], name=task.name, category=task.category))

    async def fetch(self, ref: TaskRef) -> RawTask:
        return self._raw(await self._send("GET", f"/tasks/{ref.id}", Effect.READ), ref)

    async def cancel(self, ref: TaskRef) -> RawTask:
        return self._raw(await self._send("POST", f"/tasks/{ref.id}/cancel", Effect.REPEATABLE, {}), ref)

    async def find(self, key: str, window: TimeWindow) -> Sequence[RawTask]:
        reply = await self._send("GET", f"/tasks?key={key}", Effect.READ)
        return [
            self._raw(task, TaskRef(id=task["id"], category=task["category"]))
            for task in reply["tasks"]
            if task["key"] == key
        ]

    async def check(self) -> Health:
        return Health(True, "reached")

    def recognize(self, payload: Any) -> RawTask:
        return self._raw(payload, TaskRef(id=payload["id"], category=payload["category"]))

    def _raw(self, payload: dict[str, Any], ref: TaskRef) -> RawTask:
        status = STATUSES.get(payload["state"], Status.UNKNOWN)
        error = TaskError(code="broke", message="it broke") if status is Status.FAILED else None
        return RawTask(
            ref=ref,
            status=status,
            native_status=payload["state"],
            payload=payload,
            error=error,
            vendor_key=payload["key"],
            poll_after=0.01,
        )

    async def _send(self, method: str, path: str, effect: Effect, body: Any = None) -> Any:
        request = Request(
            method,
            self.settings.base_url + path,
            headers={"X-Key": self.settings.api_key.get_secret_value()},
            content=b"" if body is None else json.dumps(body).encode(),
            effect=effect,
            operation=method,
        )
        return (await self._session.send(request)).json()


def _classify(request: Request, reply: Any) -> ProviderError | None:
    from reelvet.http import classify_status

    if reply.status == 422:
        return InvalidRequest(reply.json()["error"], created="no", status=422)
    return classify_status(request, reply)


class Instant(Acme):
    """A vendor that answers at once."""

    id = "instant"

    async def submit(self, tasks: Sequence[VendorTask]) -> Sequence[Outcome]:
        return [
            Done(self._raw({"id": f"i-{task.name}", "key": task.vendor_key, "category": task.name, "state": "done", "hits": []},
                           TaskRef(id=f"i-{task.name}", name=task.name, category=task.name)))
            for task in tasks
        ]  # fmt: skip


class Broken(Acme):
    """A provider that answers for fewer tasks than it was given."""

    id = "broken"

    async def submit(self, tasks: Sequence[VendorTask]) -> Sequence[Outcome]:
        return (await super().submit(tasks))[:-1]


class Here(Acme):
    """A provider that does its own work when somebody waits."""

    id = "here"
    seen: ClassVar[list[str]] = []

    def effective(self) -> Capabilities:
        from dataclasses import replace

        return replace(super().effective(), operations=frozenset({"run"}))

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        pass

    async def submit(self, tasks: Sequence[VendorTask]) -> Sequence[Outcome]:
        return [Created(TaskRef(id=f"h-{task.name}", name=task.name, category=task.category)) for task in tasks]

    async def run(self, ref: TaskRef, task: VendorTask) -> RawTask:
        self.seen.append(task.payload["url"])
        return self._raw(
            {"id": ref.id, "key": task.vendor_key, "category": task.name, "state": "done", "hits": []}, ref
        )


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    vendor = Vendor()
    handler = type("Handler", (_Handler,), {"vendor": vendor})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        vendor.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield vendor
        server.shutdown()
        thread.join()


@pytest.fixture
def registry() -> Registry:
    module = types.ModuleType("reelvet_acme_test")
    module.__dict__.update(
        Acme=Acme, Instant=Instant, Broken=Broken, Here=Here, AcmeSettings=AcmeSettings, AcmeOptions=AcmeOptions
    )
    sys.modules[module.__name__] = module
    registry = Registry()
    for id_, cls in (("acme", "Acme"), ("instant", "Instant"), ("broken", "Broken"), ("here", "Here")):
        registry.register(
            ProviderSpec(
                id=id_, title=cls, provider=f"{module.__name__}:{cls}", settings=f"{module.__name__}:AcmeSettings",
                options=f"{module.__name__}:AcmeOptions",
            )
        )  # fmt: skip
    return registry


@pytest.fixture
def config(vendor: Vendor) -> Config:
    table = {"api_key": "canary-secret", "base_url": vendor.url}
    return Config.parse(
        {
            "use": "acme",
            "providers": dict.fromkeys(("acme", "instant", "broken", "here"), table),
            "polling": {"first": 0.01, "most": 0.05, "settle_window": 1.5},
        }
    )


@pytest.fixture
async def moderator(config: Config, registry: Registry) -> AsyncIterator[Any]:
    from reelvet import AsyncModerator

    async with AsyncModerator(config, registry=registry) as moderator:
        yield moderator
