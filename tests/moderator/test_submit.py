"""Never twice, never lost: what reaches the vendor, counted on the wire."""

from __future__ import annotations

import asyncio

import pytest

from reelvet import AsyncModerator, Config, ModerationJob, Status, Ticket, Verdict
from reelvet.http import telemetry
from reelvet.schema.errors import (
    ConfigurationError,
    ConnectFailed,
    InvalidOptions,
    InvalidRequest,
    KeyConflict,
    SubmitOutcomeUnknown,
    UnknownInstance,
    UnknownLabel,
    UnsupportedFeature,
)
from reelvet.schema.ticket import TaskState

URL = "https://cdn.example.com/clip.mp4"
BOTH = ["sexual.explicit.pornography", "violence.graphic.blood_gore"]


def job(**fields):
    return ModerationJob(**{"media": URL, "detect": BOTH[:1], **fields})


async def test_a_job_becomes_a_verdict(moderator, vendor):
    vendor.hits = {"porn": [0.97]}
    result = await moderator.moderate(job())
    assert result.status is Status.SUCCEEDED
    assert result.verdict is Verdict.BLOCK
    assert [(f.label, f.score, f.start) for f in result.findings] == [("sexual.explicit.pornography", 0.97, 3.0)]
    assert [row.state for row in result.coverage] == ["hit"]
    assert result.tasks[0].raw["hits"] == [{"at": 3.0, "score": 0.97}]
    assert result.sandbox


async def test_the_same_job_twice_is_one_create_and_one_ticket(moderator, vendor):
    same = job()
    first, second = await moderator.submit(same), await moderator.submit(same)
    assert first == second
    assert len(vendor.creates) == 1


async def test_the_same_job_at_the_same_time_is_one_create(moderator, vendor):
    same = job()
    tickets = await asyncio.gather(*(moderator.submit(same) for _ in range(20)))
    assert len(vendor.creates) == 1
    assert all(ticket == tickets[0] for ticket in tickets)


async def test_another_job_under_the_same_key_is_a_conflict(moderator, vendor):
    await moderator.submit(job(key="k1"))
    with pytest.raises(KeyConflict, match="'k1'"):
        await moderator.submit(job(key="k1", detect=BOTH))
    assert len(vendor.creates) == 1


async def test_a_new_attempt_is_submitted_again_under_another_vendor_key(moderator, vendor):
    await moderator.submit(job(key="k1"))
    ticket = await moderator.submit(job(key="k1", attempt=2))
    assert ticket.attempt == 2
    keys = [body["key"] for body in vendor.creates]
    assert keys[0] == "k1"
    assert keys[1] != "k1"


async def test_a_task_created_without_an_answer_is_found_and_adopted_never_repeated(moderator, vendor):
    vendor.script, vendor.list_lag = ["drop"], 0.7
    ticket = await moderator.submit(job(key="k1"))
    assert len(vendor.creates) == 1
    assert [(task.ref.id, task.state) for task in ticket.tasks] == [("t1", TaskState.CREATED)]
    assert (await moderator.wait(ticket)).status is Status.SUCCEEDED


async def test_what_is_not_found_is_still_unknown_and_never_sent_again(moderator, vendor):
    vendor.script = ["lose"]
    for _ in range(2):
        with pytest.raises(SubmitOutcomeUnknown) as caught:
            await moderator.submit(job(key="k1"))
        assert [task.state for task in caught.value.ticket.tasks] == [TaskState.UNKNOWN]
    assert len(vendor.creates) == 1
    assert "canary-secret" not in str(caught.value) + caught.value.ticket.dump_json()


async def test_a_key_that_only_contains_ours_is_not_adopted(moderator, vendor):
    await moderator.submit(job(key="k1-longer"))
    vendor.script = ["lose"]
    with pytest.raises(SubmitOutcomeUnknown):
        await moderator.submit(job(key="k1"))


async def test_a_vendor_without_lookup_leaves_the_outcome_unknown(config, registry, vendor):
    table = {**config.providers["acme"], "can_find": False}
    config = config.model_copy(update={"providers": {"acme": table}})
    vendor.script = ["drop"]
    async with AsyncModerator(config, registry=registry) as moderator:
        with pytest.raises(SubmitOutcomeUnknown, match=r"`reelvet settle \S+`.*attempt=2 submits it anew"):
            await moderator.submit(job())
    assert len(vendor.creates) == 1


async def test_a_refused_job_raises_the_vendors_reason_and_may_be_tried_again(moderator, vendor):
    vendor.script = ["reject"]
    with pytest.raises(InvalidRequest, match="no such video"):
        await moderator.submit(job(key="k1"))
    await moderator.submit(job(key="k1"))
    assert len(vendor.creates) == 2


async def test_nothing_is_sent_when_no_connection_can_be_made_and_it_is_no_mystery(config, registry):
    table = {**config.providers["acme"], "base_url": "http://127.0.0.1:9"}
    async with AsyncModerator(config.model_copy(update={"providers": {"acme": table}}), registry=registry) as moderator:
        with pytest.raises(ConnectFailed):
            await moderator.submit(job())


async def test_one_refused_task_of_two_is_data(moderator, vendor):
    vendor.script = ["reject", "ok"]
    ticket = await moderator.submit(job(detect=BOTH))
    assert [task.state for task in ticket.tasks] == [TaskState.NOT_CREATED, TaskState.CREATED]
    assert ticket.tasks[0].error.message == f"no such video. {InvalidRequest.default_way_out}"
    result = await moderator.wait(ticket)
    assert result.status is Status.PARTIAL
    assert result.verdict is Verdict.ERROR
    assert {row.label: row.state for row in result.coverage} == {BOTH[0]: "not_evaluated", BOTH[1]: "clean"}


async def test_one_unknown_task_of_two_is_told_with_the_created_one(moderator, vendor):
    vendor.script = ["ok", "lose"]
    with pytest.raises(SubmitOutcomeUnknown) as caught:
        await moderator.submit(job(detect=BOTH))
    assert [task.state for task in caught.value.ticket.tasks] == [TaskState.CREATED, TaskState.UNKNOWN]


async def test_outcomes_that_do_not_match_the_tasks_leave_them_unknown_and_are_looked_up(moderator, vendor):
    ticket = await moderator.submit(job(detect=BOTH), use="broken")
    assert [task.state for task in ticket.tasks] == [TaskState.CREATED, TaskState.CREATED]
    assert len(vendor.creates) == 2


async def test_a_caller_that_gives_up_does_not_break_the_submission_off(moderator, vendor):
    vendor.create_delay = 0.3
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await moderator.submit(job(key="k1"))
    ticket = await moderator.submit(job(key="k1"))
    assert len(vendor.creates) == 1
    assert ticket.tasks[0].ref.id == "t1"


async def test_a_refusal_is_told_to_all_who_asked_at_the_same_time_and_then_forgotten(moderator, vendor):
    vendor.script, vendor.create_delay = ["reject"], 0.1
    outcomes = await asyncio.gather(*(moderator.submit(job(key="k1")) for _ in range(5)), return_exceptions=True)
    assert all(isinstance(outcome, InvalidRequest) for outcome in outcomes)
    assert len(vendor.creates) == 1
    tickets = await asyncio.gather(*(moderator.submit(job(key="k1")) for _ in range(5)))
    assert len({ticket.tasks[0].ref.id for ticket in tickets}) == 1
    assert len(vendor.creates) == 2


async def test_a_bug_in_a_provider_leaves_the_outcome_unknown(moderator, vendor, registry, monkeypatch):
    async def stumble(self, tasks):
        raise KeyError("id")

    monkeypatch.setattr(registry.load("acme"), "submit", stumble)
    with pytest.raises(SubmitOutcomeUnknown, match="KeyError"):
        await moderator.submit(job())


async def test_jobs_are_counted_by_verdict(moderator, vendor, monkeypatch):
    counted = []
    monkeypatch.setattr(
        telemetry, "count", lambda name, attributes, **_: counted.append((name, attributes["reelvet.verdict"]))
    )
    vendor.hits = {"porn": [0.97]}
    await moderator.moderate(job())
    assert counted == [("reelvet.jobs", "block")]


async def test_a_demand_that_cannot_be_met_is_refused_before_anything_is_sent(moderator, vendor):
    with pytest.raises(UnsupportedFeature, match="does not look for 'gambling'"):
        await moderator.submit(job(detect=["gambling"]))
    with pytest.raises(UnsupportedFeature, match="transcript"):
        await moderator.submit(job(transcript={}))
    assert vendor.requests == []


async def test_skipping_turns_the_refusal_into_coverage(moderator):
    result = await moderator.moderate(job(detect=[BOTH[0], "gambling"], on_unsupported="skip"))
    states = {row.label: (row.state, row.clearable) for row in result.coverage}
    assert states[BOTH[0]] == ("clean", True)
    assert states["gambling"] == ("not_evaluated", False)
    assert "unsupported_skipped" in {note.code for note in result.warnings}


async def test_a_job_of_which_nothing_can_be_done_is_an_error_not_a_pass(moderator, vendor):
    result = await moderator.moderate(job(detect=["gambling"], on_unsupported="skip"))
    assert (result.status, result.verdict) == (Status.FAILED, Verdict.ERROR)
    assert vendor.creates == []


async def test_a_label_nobody_knows_is_refused_with_the_nearest(moderator, vendor):
    with pytest.raises(UnknownLabel, match=r"Did you mean .*'sexual'"):
        await moderator.submit(job(detect=["sexaul"]))
    assert vendor.requests == []


async def test_wrong_options_are_refused_and_those_of_strangers_carried_along(moderator):
    with pytest.raises(InvalidOptions, match=r"options\.acme\.prioritty.*did you mean .priority"):
        await moderator.submit(job(options={"acme": {"prioritty": 1}}))
    with pytest.raises(InvalidOptions):
        await moderator.submit(job(options={"instant": {"prioritty": 1}}))
    ticket = await moderator.submit(job(options={"elsewhere": {"anything": 1}}))
    assert ticket.job["options"] == {"elsewhere": {"anything": 1}}


async def test_a_synchronous_vendors_answer_is_kept_in_the_ticket(moderator, vendor):
    ticket = Ticket.load((await moderator.submit(job(), use="instant")).dump_json())
    result = await moderator.wait(ticket)
    assert (result.status, result.verdict) == (Status.SUCCEEDED, Verdict.PASS)
    assert vendor.requests == []


async def test_a_wish_that_is_not_honoured_is_a_warning_in_plan_and_result(moderator):
    wishing = job(interval=2.0)
    assert [note.code for note in moderator.plan(wishing).warnings] == ["wish_ignored"]
    assert [note.says for note in (await moderator.moderate(wishing)).warnings] == [
        "interval is not honoured by this provider"
    ]


async def test_a_plan_shows_what_would_be_sent_without_secrets(moderator, vendor):
    plan = moderator.plan(job(media=f"{URL}?sig=s3cr3t"))
    text = plan.dump_json()
    assert plan.requests[0].body["url"] == f"{URL}?sig=s3cr3t"
    assert "s3cr3t" not in text
    assert "canary-secret" not in text
    assert vendor.requests == []


def test_an_instance_that_cannot_be_used_stops_the_start(config, registry):
    with pytest.raises(UnknownInstance, match="Did you mean 'acme'"):
        AsyncModerator(config, use="acmee", registry=registry)
    with pytest.raises(ConfigurationError, match="api_key is missing"):
        AsyncModerator(Config.parse({"use": "acme"}), registry=registry)
    with pytest.raises(ConfigurationError, match="policy"):
        AsyncModerator(config.model_copy(update={"policy": ()}), registry=registry)


def test_production_refuses_an_emulator(config, registry):
    with pytest.raises(ConfigurationError, match="production"):
        AsyncModerator(config.model_copy(update={"production": True}), registry=registry)


def test_planning_needs_no_credentials(registry):
    moderator = AsyncModerator(Config.parse({}), use="acme", registry=registry, credentials=False)
    assert moderator.plan(job()).tasks[0].name == "porn"


async def test_a_key_is_looked_for_as_the_vendor_holds_it(moderator, vendor, monkeypatch):
    """A vendor that cannot hold every key holds another in its place, and the provider knows which."""
    await moderator.submit(job(key="digest"))
    monkeypatch.setattr(moderator._instance("acme").provider, "vendor_key_of", {"a key too long": "digest"}.get)
    found = await moderator.find("a key too long")
    assert [(ticket.key, ticket.tasks[0].ref.id) for ticket in found] == [("a key too long", "t1")]


async def test_work_done_here_is_done_with_the_url_of_whoever_asked_last(config, registry):
    """The signature that was kept may have expired."""
    async with AsyncModerator(config, use="here", registry=registry) as moderator:
        await moderator.submit(job(key="k1", media=f"{URL}?X-Amz-Signature=old"))
        ticket = await moderator.submit(job(key="k1", media=f"{URL}?X-Amz-Signature=new"))
    assert ticket.secret_url == f"{URL}?X-Amz-Signature=new"
