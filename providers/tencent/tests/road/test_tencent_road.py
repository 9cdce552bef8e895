"""From a job to a verdict and back, each operation over the wire, in both editions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from reelvet import CoverageState, Status, Ticket, Verdict
from reelvet.plugins import TimeWindow
from reelvet.sandbox import builtin
from reelvet.schema import errors as e
from reelvet_tencent.sandbox.emulator import TEMPORARY

PORN = "sexual.explicit.pornography"
VERDICTS = {
    "clean": "pass", "block-nudity": "block", "review-nudity": "review", "below-floor": "pass", "between-key-frames": "pass", "sport": "pass",
    "speech-only": "pass", "violence": "block", "text-on-screen": "block", "child-safety": "block", "picture": "error", "long": "block",
    "broken": "error", "unreachable": "error", "internal-error": "error",
}  # fmt: skip
"""Of each scenario of the sandbox: what its policy says, or nobody can."""

AN_HOUR_AGO = TimeWindow(datetime.now(UTC) - timedelta(hours=1))


def test_no_scenario_is_left_out():
    assert {*VERDICTS, "never-finishes"} == {scenario.name for scenario in builtin.built_in()}


@pytest.mark.parametrize("scenario", VERDICTS)
async def test_each_scenario_comes_to_its_verdict(account, configured, job, edition, scenario):
    account(edition)
    async with configured() as moderator:
        result = await moderator.moderate(job(scenario))
    assert result.verdict == VERDICTS[scenario]
    assert result.sandbox is True
    assert result.tasks[0].raw["Response"]["TaskId"] == result.tasks[0].id
    assert result.tasks[0].raw["Response"]["BizType"] == "reels_1"
    states = {"pass": {"clean"}, "error": {"not_evaluated"}}
    assert {row.state for row in result.coverage} <= states.get(VERDICTS[scenario], {"hit", "clean"})


@pytest.mark.parametrize("scenario", VERDICTS)
async def test_nothing_passes_on_a_biz_type_that_nobody_declared(account, configured, job, edition, scenario):
    account(edition)
    async with configured(biz_types={}, biz_type="reels_1") as moderator:
        result = await moderator.moderate(job(scenario))
    assert result.verdict in {Verdict.ERROR, Verdict.REVIEW, Verdict.BLOCK}
    assert {row.state for row in result.coverage} <= {CoverageState.HIT, CoverageState.NOT_EVALUATED}
    # What was found counts all the same.
    assert (result.verdict is Verdict.BLOCK) is (VERDICTS[scenario] == "block")


async def test_what_a_policy_does_not_look_at_is_not_evaluated(account, configured, job):
    account(covers=[{"labels": ["violence"], "channels": ["visual"]}])
    async with configured() as moderator:
        asked = job("block-nudity", detect=["sexual.explicit.pornography", "violence"], on_unsupported="skip")
        result = await moderator.moderate(asked)
    states = {row.label: row.state for row in result.coverage if row.channel == "visual"}
    assert states[PORN] is CoverageState.NOT_EVALUATED
    assert states["violence.weapons.firearm"] is CoverageState.CLEAN


async def test_an_unknown_biz_type_creates_nothing(configured, job, creates):
    async with configured(biz_type="nobody", biz_types={}) as moderator:
        with pytest.raises(e.InvalidRequest, match="BizType") as caught:
            await moderator.submit(job())
    assert (caught.value.created, creates()) == ("no", 0)


async def test_what_the_vendor_holds_is_what_was_planned(moderator, job, reelvet_sandbox):
    options = {"name": "a reel", "priority": 7, "image_frequency": 3, "user": {"nickname": "n"}, "title": "t"}
    asked = job(key="key-7", user="u", options={"tencent": options})
    await moderator.submit(asked)
    assert reelvet_sandbox.tasks("tencent")[0].data == moderator.plan(asked).tasks[0].payload


async def test_a_transcript_comes_with_the_verdict(account, configured, job, edition):
    account(edition)
    async with configured() as moderator:
        result = await moderator.moderate(job("speech-only", detect=[PORN, "harassment"], transcript={}))
        assert result.verdict is Verdict.PASS
        assert "Welcome back to the channel." in result.transcripts[0].text
        only = await moderator.moderate(job("speech-only", detect=[], transcript={}))
    assert (only.verdict, len(only.transcripts)) == (None, 1)


async def test_an_object_in_a_bucket(account, configured, job, edition, reelvet_sandbox, calls):
    account(edition)
    reelvet_sandbox.scenario("cos://bucket-1250000000/folder/clip.mp4", "block-nudity")
    async with configured(cos_region="ap-shanghai") as moderator:
        result = await moderator.moderate(job("cos://bucket-1250000000/folder/clip.mp4"))
        other = await moderator.moderate(job("cos://bucket-1250000000/other.mp4"))
    assert (result.verdict, other.verdict) == (Verdict.BLOCK, Verdict.PASS)
    bucket = {"Bucket": "bucket-1250000000", "Region": "ap-shanghai", "Object": "/folder/clip.mp4"}
    assert calls()[0]["Tasks"][0]["Input"] == {"Type": "COS", "BucketInfo": bucket}


# --- generated media ---


@pytest.fixture
def generated(reelvet_sandbox):
    url = "https://cdn.example.com/generated.mp4"
    events = [{"label": "synthetic.ai_generated", "start": 0, "end": 20, "score": 0.96}]
    reelvet_sandbox.scenario(url, {"name": "generated", "events": events})
    return url


async def test_generated_media_is_a_task_of_its_own_and_one_result(moderator, job, generated, creates):
    result = await moderator.moderate(job(generated, detect=["synthetic.ai_generated", PORN]))
    assert creates() == 2
    assert sorted(task.raw["Response"]["Type"] for task in result.tasks) == ["VIDEO", "VIDEO_AIGC"]
    states = {row.label: row.state for row in result.coverage if row.channel == "visual"}
    assert (states["synthetic.ai_generated"], states[PORN]) == (CoverageState.HIT, CoverageState.CLEAN)
    # Found, and the vendor says Block; that generated media is nothing to be blocked is for the default policy to say.
    found = {(finding.label, finding.suggestion) for finding in result.findings}
    assert (found, result.verdict) == ({("synthetic.ai_generated", Verdict.BLOCK)}, Verdict.PASS)
    clean = await moderator.moderate(job("clean", detect=["synthetic.ai_generated"]))
    assert (clean.verdict, creates()) == (Verdict.PASS, 3)


async def test_the_international_edition_refuses_to_look_for_generated_media(
    account, configured, job, generated, creates
):
    account("intl")
    async with configured() as moderator:
        with pytest.raises(e.UnsupportedFeature, match=r"synthetic\.ai_generated"):
            await moderator.submit(job(generated, detect=["synthetic.ai_generated"]))
        assert creates() == 0
        skipped = await moderator.moderate(
            job(generated, detect=["synthetic.ai_generated", PORN], on_unsupported="skip", user="u")
        )
    states = {row.label: row.state for row in skipped.coverage if row.channel == "visual"}
    assert states["synthetic.ai_generated"] is CoverageState.NOT_EVALUATED
    assert creates() == 1


# --- the ticket's life ---


async def test_another_process_waits_for_the_ticket(configured, job):
    async with configured() as one:
        stored = (await one.submit(job("block-nudity"))).dump_json()
    async with configured() as other:
        assert (await other.wait(Ticket.load(stored))).verdict is Verdict.BLOCK


async def test_a_task_made_elsewhere_is_adopted(moderator, job):
    task = (await moderator.submit(job("block-nudity"))).tasks[0].ref.id
    result = await moderator.wait(Ticket.adopt("tencent", task))
    assert result.verdict is Verdict.BLOCK
    assert PORN in {finding.label for finding in result.findings}


async def test_a_running_job_shows_its_state_and_can_be_canceled(account, configured, job, edition, reelvet_sandbox):
    account(edition)
    reelvet_sandbox.clock.pause()
    async with configured() as moderator:
        ticket = await moderator.submit(job())
        waiting = await moderator.status(ticket)
        assert waiting.status is Status.QUEUED
        assert "queued" in {note.code for note in waiting.warnings}
        reelvet_sandbox.clock.advance(2)
        running = await moderator.status(ticket)
        assert (running.status, running.verdict) == (Status.RUNNING, None)
        assert (await moderator.cancel(ticket)).status is Status.CANCELED
        again = await moderator.cancel(ticket)
        assert (again.status, again.verdict) == (Status.CANCELED, Verdict.ERROR)


async def test_canceling_what_has_ended_gives_its_result(moderator, job, reelvet_sandbox):
    ticket = await moderator.submit(job("block-nudity"))
    reelvet_sandbox.clock.advance(1000)
    result = await moderator.cancel(ticket)
    assert (result.status, result.verdict) == (Status.SUCCEEDED, Verdict.BLOCK)


async def test_a_deadline_ends_in_a_cancel_at_the_vendor(moderator, job, reelvet_sandbox):
    reelvet_sandbox.clock.speed = 1
    result = await moderator.moderate(job("never-finishes", deadline=0.3))
    assert (result.status, result.verdict) == (Status.CANCELED, Verdict.ERROR)
    assert "deadline_passed" in {note.code for note in result.warnings}
    assert [request.operation for request in reelvet_sandbox.requests("tencent")].count("cancel") == 1


async def test_a_task_that_is_gone_is_told(moderator, job, reelvet_sandbox):
    ticket = await moderator.submit(job("block-nudity"))
    reelvet_sandbox.fault("tencent", "expired", operation="get", times=None)
    with pytest.raises(e.TaskNotFound):
        await moderator.wait(ticket)


# --- the account ---


async def test_check_is_free_and_tells_what_is_wrong(account, configured, edition, creates, reelvet_sandbox):
    account(edition)
    async with configured() as moderator:
        assert (await moderator.check()).ok
    for wrong, says in (
        ({"secret_key": "wrong"}, "signature"), ({"secret_id": "AKIDnobody"}, "SecretId"), ({"region": "atlantis"}, "region"),
    ):  # fmt: skip
        async with configured(**wrong) as moderator:
            health = await moderator.check()
            assert not health.ok
            assert says in health.says
            assert "wrong" not in f"{health.says}{health.way_out}".replace("what is wrong", "")
    account(edition, activated=False)
    async with configured() as moderator:
        health = await moderator.check()
    assert not health.ok
    assert "arrears" in (health.way_out or "")
    assert creates() == 0
    assert {one.operation for one in reelvet_sandbox.requests("tencent")} == {"list"}


async def test_temporary_keys_need_their_token(configured, job, edition, account):
    account(edition)
    keys = {"secret_id": TEMPORARY.secret_id, "secret_key": TEMPORARY.secret_key}
    async with configured(**keys, token=TEMPORARY.token) as moderator:
        assert (await moderator.moderate(job("block-nudity"))).verdict is Verdict.BLOCK
    async with configured(**keys) as moderator:
        with pytest.raises(e.AuthenticationFailed) as caught:
            await moderator.submit(job("clean"))
    assert caught.value.created == "no"
    assert TEMPORARY.secret_key not in f"{caught.value!r} {caught.value.body}"


async def test_every_request_is_signed_over_its_action(moderator, job, reelvet_sandbox):
    ticket = await moderator.submit(job())
    await moderator.wait(ticket)
    await moderator.find(ticket.key)
    await moderator.cancel(ticket)
    received = reelvet_sandbox.requests("tencent")
    assert {one.operation for one in received} == {"create", "get", "list", "cancel"}
    for one in received:
        headers = {name.lower(): value for name, value in dict(one.headers).items()}
        assert "SignedHeaders=content-type;host;x-tc-action" in headers["authorization"]


# --- the list ---


@pytest.fixture
def small_pages(monkeypatch):
    monkeypatch.setattr("reelvet_tencent.listing.PAGE", 3)


@pytest.mark.parametrize("at_end", [False, True])
async def test_the_list_is_swept_page_by_page(account, configured, job, edition, small_pages, calls, at_end):
    account(edition, token_on_last_page=at_end)
    async with configured() as moderator:
        ids = {(await moderator.submit(job())).tasks[0].ref.id for _ in range(8)}
        provider = await moderator._instance("tencent").open()
        swept = [raw async for raw in provider.sweep(AN_HOUR_AGO)]
        assert len(swept) == 8
        assert {raw.ref.id for raw in swept} == ids
        pages = len(calls("list"))
        assert pages == 3 + at_end
        later = TimeWindow(datetime.now(UTC) + timedelta(hours=1))
        assert [raw async for raw in provider.sweep(later)] == []
        until = TimeWindow(AN_HOUR_AGO.since - timedelta(hours=1), AN_HOUR_AGO.since)
        assert [raw async for raw in provider.sweep(until)] == []


@pytest.mark.parametrize("key", ["key-1", "a_b-c@d#e", 'quo"ted', "密钥-7", "a b c", "k" * 250])
async def test_find_gives_the_tasks_of_exactly_that_key(configured, job, reelvet_sandbox, small_pages, key):
    reelvet_sandbox.fault("tencent", "decoys", times=None)
    async with configured() as moderator:
        for other in (f"{key}-2", f"x{key}", key):
            await moderator.submit(job(key=other))
        found = await moderator.find(key)
        held = {task.data["Tasks"][0]["DataId"]: task.id for task in reelvet_sandbox.tasks("tencent")}
        wanted = moderator._instance("tencent").provider.vendor_key_of(key)
        assert [(ticket.key, ticket.tasks[0].ref.id) for ticket in found] == [(key, held[wanted])]
        assert await moderator.find(f"{key}-none") == []


async def test_an_attempt_is_another_task_under_another_key(moderator, job, creates):
    first = await moderator.submit(job(key="key-1"))
    assert (await moderator.submit(job(key="key-1"))).tasks[0].ref.id == first.tasks[0].ref.id
    second = await moderator.submit(job(key="key-1", attempt=2))
    assert second.tasks[0].ref.id != first.tasks[0].ref.id
    assert [t.tasks[0].ref.id for t in await moderator.find("key-1", attempt=2)] == [second.tasks[0].ref.id]
    assert creates() == 2
