import asyncio
import os
import shutil
from dataclasses import replace
from pathlib import Path, PurePosixPath

from reelvet.plugins import (
    Covers,
    Created,
    DeclaredPolicy,
    Health,
    Learned,
    Looked,
    Progress,
    Provider,
    Rejected,
    Report,
    Unknown,
    ask,
    final_coverage,
    plan_coverage,
)  # fmt: skip
from reelvet.schema.errors import InvalidRequest, TransportFailed
from reelvet.schema.media import Channel
from reelvet.schema.plan import Plan, PlannedRequest, VendorTask
from reelvet.schema.result import Finding, MediaFacts, Native, Note, Transcript
from reelvet.schema.task import RawTask, Status, TaskError, TaskRef
from reelvet_acme.plugin import CAPABILITIES, LOOKS_FOR

NASTY = "[bold red]gore[/]\x1b[2J\x1b]0;owned\x07\nline\u202etxt"


def hits(scenario):
    porn = LOOKS_FOR[0]
    match scenario:
        case "review":
            return [(porn, 3.0, 0.6)]
        case "block":
            return [(porn, 3.0, 0.97), (porn, 4.0, 0.91), (porn, 50.0, 0.7), (LOOKS_FOR[1], 40.0, 0.85)]
        case "many":
            return [(LOOKS_FOR[number % 2], number * 3.0, 0.9) for number in range(10_000)]
        case "nasty":
            return [(porn, 1.0, 0.9)]
    return []


class AcmeProvider(Provider):
    id = "acme"

    def __init__(self, settings, context):
        super().__init__(settings, context)
        self.sandbox = bool(settings and settings.base_url)
        self.polls = 0

    def effective(self):
        if self.settings.floor is None:
            return CAPABILITIES
        return replace(CAPABILITIES, entries=tuple(replace(e, floor=self.settings.floor) for e in CAPABILITIES.entries))

    def plan(self, job):
        asked = ask(job, self.effective(), self.context.taxonomy, provider=self.id)
        url = str(job.media.url or job.media.path)
        payload = {"url": url, "scenario": PurePosixPath(url.partition("?")[0]).stem}
        task = VendorTask(name="all", vendor_key=job.vendor_key, payload=payload)
        return Plan(
            provider=self.id, instance=self.context.instance, tasks=(task,),
            requests=(PlannedRequest(method="POST", path="/v1/tasks", headers={"X-Region": "here"}, body=payload),),
            coverage=tuple(asked.coverage), unsupported=tuple(asked.unsupported), warnings=tuple(asked.warnings),
        )  # fmt: skip

    async def submit(self, tasks):
        self._count(tasks)
        await asyncio.sleep(float(os.environ.get("ACME_SLOW_SUBMIT", "0")))
        while (held := os.environ.get("ACME_HOLD")) and not os.path.exists(held):  # noqa: ASYNC240, PTH110
            await asyncio.sleep(0.02)
        if os.environ.get("ACME_FILLS_DISK"):  # no ticket can be written any more
            tickets = Path(os.environ["REELVET_STATE_DIR"]) / "tickets"
            shutil.rmtree(tickets)
            tickets.write_text("")
        return [self._submit(task) for task in tasks]

    def _count(self, tasks):
        if log := os.environ.get("ACME_LOG"):
            with Path(log).open("a") as file:
                file.writelines(f"{task.vendor_key}\n" for task in tasks)

    def _counted(self):
        return Path(os.environ["ACME_LOG"]).read_text().split()

    def _submit(self, task):
        match task.payload["scenario"]:
            case "rejected":
                return Rejected(InvalidRequest("the vendor does not like it", self.id, created="no"))
            case "lost" if not os.environ.get("ACME_HEALS"):
                return Unknown(TransportFailed("the line broke", self.id))
            case scenario:
                return Created(TaskRef(id=f"{scenario}.{task.vendor_key}", name=task.name))

    async def fetch(self, ref):
        scenario = ref.id.partition(".")[0]
        if scenario in {"growing", "queued"} and self.polls < 3:
            self.polls += 1
            status = Status.QUEUED if scenario == "queued" else Status.RUNNING
            return RawTask(ref=ref, status=status, payload={"id": ref.id, "known": self.polls}, poll_after=0.01)
        if scenario == "slow" and not os.environ.get("ACME_DONE"):
            return RawTask(
                ref=ref, status=Status.RUNNING, native_status="at it", payload={"id": ref.id}, poll_after=0.05
            )
        if scenario == "failed":
            return RawTask(
                ref=ref,
                status=Status.FAILED,
                payload={"id": ref.id},
                error=TaskError(code="E7", message=os.environ.get("ACME_SAYS", "no such video")),
            )
        if scenario == "unreachable":
            raise InvalidRequest("acme is out", self.id)
        return RawTask(
            ref=ref, status=Status.SUCCEEDED, native_status="done", payload={"id": ref.id, "scenario": scenario}
        )

    async def cancel(self, ref):
        return RawTask(ref=ref, status=Status.CANCELED, payload={"id": ref.id})

    async def find(self, key, window):
        if os.environ.get("ACME_LISTS") and key in self._counted():
            return [RawTask(ref=TaskRef(id=f"pass.{key}"), status=Status.RUNNING, vendor_key=key)]
        if key != "known":
            return []
        return [RawTask(ref=TaskRef(id="pass.known"), status=Status.RUNNING, vendor_key=key)]

    def recognize(self, payload):
        return RawTask(ref=TaskRef(id=payload["id"], name="all"), status=Status.SUCCEEDED, payload=payload)

    def read(self, plan, raws):
        scenario = raws[0].ref.id.partition(".")[0] if raws else ""
        done = bool(raws) and raws[0].status is Status.SUCCEEDED
        found = hits(scenario) if done else hits("block") if scenario == "caught" else []
        if scenario == "growing":
            found = hits("block")[: 4 if done else raws[0].payload["known"]]
        nasty = NASTY if scenario == "nasty" else None
        findings = [
            Finding(
                label=label, relation="exact", channel="visual", score=score, start=start, text=nasty, provider=self.id, task=raws[0].ref.id,
                native=Native(field="x", label="Porn"),
            )
            for label, start, score in found
        ]  # fmt: skip
        planned = (
            plan.coverage
            if plan
            else plan_coverage(
                [(x, Channel.VISUAL) for x in LOOKS_FOR], self.effective(), self.context.taxonomy, self.id
            )
        )
        looked = [Looked(LOOKS_FOR, Channel.VISUAL, why=None if done else "the task did not end well")]
        if scenario == "cut":
            looked = [Looked(LOOKS_FOR, Channel.VISUAL, through=30.0, why="the file is broken after that")]
        return Report(
            findings=findings,
            coverage=final_coverage(planned, looked, findings, self.effective(), self.context.taxonomy),
            media=MediaFacts(
                duration=30_000.0 if scenario == "many" else 60.0,
                width=640,
                height=360,
                sampling="every second",
                largest_gap=1.0,
            ),
            warnings=[Note(code="nasty", says=nasty)] if nasty else [],
            transcripts=[Transcript(language="en", text=nasty)]
            if nasty
            else [Transcript(text="you fool")]
            if scenario == "growing"
            else [],
        )

    def learn(self, raws):
        covers = [Covers(labels=LOOKS_FOR[:1], channels=[Channel.VISUAL])] if "block" in str(raws[0].payload) else []
        notes = [Note(code="biz_type_refused", says="'a!' is no name of a BizType")]
        return Learned("biz_types", {"reels 1": DeclaredPolicy(covers=covers)}, notes)

    async def check(self):
        bad = self.settings.api_key.get_secret_value() == "wrong"
        return Health(
            ok=not bad, says="the key is refused" if bad else "all is well", way_out="Get a new key." if bad else None
        )


class RunnerProvider(AcmeProvider):
    id = "runner"

    def __init__(self, settings, context):
        Provider.__init__(self, settings, context)

    def effective(self):
        return replace(CAPABILITIES, operations=frozenset({"run", "cancel"}))

    def plan(self, job):
        return super().plan(job).model_copy(update={"requests": ()})

    async def run(self, ref, task):
        if task.payload["scenario"] == "slow" and not os.environ.get("ACME_DONE"):
            for step in range(1000):
                self.context.progress(Progress(ref.id, step / 1000, f"frame {step}"))
                await asyncio.sleep(0.05)
        # The whole URL, signature included, must have come through the ticket.
        payload = {"scenario": task.payload["scenario"], "whole": "***" not in task.payload["url"]}
        return RawTask(ref=ref, status=Status.SUCCEEDED, native_status="done", payload=payload)

    async def check(self):
        return Health(ok=True, says="it works here")
