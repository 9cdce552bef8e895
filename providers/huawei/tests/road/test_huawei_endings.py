"""How a job ends, and what ends it, at each of the two APIs."""

from __future__ import annotations

import pytest

from reelvet import Status, Verdict
from reelvet.schema import errors as e


async def test_the_states_of_a_job_on_its_way(moderator, job, reelvet_sandbox, api):
    reelvet_sandbox.clock.pause()
    ticket = await moderator.submit(job())
    seen = []
    for _ in range(40):
        result = await moderator.status(ticket)
        seen += [result.tasks[0].native_status] if result.tasks[0].native_status not in seen[-1:] else []
        assert (result.verdict is None) is (result.status is not Status.SUCCEEDED)
        reelvet_sandbox.clock.advance(0.5)
    way = {
        "v2": ["PENDING", "STARTING", "RUNNING", "SUCCEEDED NOT_GENERATED", "SUCCEEDED AVAILABLE"],
        "v3": ["running", "succeeded"],
    }
    assert [word.removesuffix(" NOT_GENERATED") if word.startswith(("P", "ST", "R")) else word for word in seen] == way[
        api
    ]


async def test_a_running_task_of_v2_is_cancelled_by_deleting_it(configured, job, reelvet_sandbox):
    reelvet_sandbox.clock.pause()
    async with configured(api="v2") as moderator:
        ticket = await moderator.submit(job())
        reelvet_sandbox.clock.advance(3)
        result = await moderator.cancel(ticket)
        assert (result.status, result.verdict) == (Status.CANCELED, Verdict.ERROR)
        assert result.tasks[0].raw["state"] == "RUNNING"  # as it was before
        reelvet_sandbox.clock.advance(3)
        with pytest.raises(e.TaskNotFound):
            await moderator.status(ticket)


@pytest.mark.parametrize("scenario", ["block-nudity", "broken"])
async def test_a_cancel_never_deletes_what_has_ended(configured, job, reelvet_sandbox, asked, scenario):
    async with configured(api="v2") as moderator:
        ticket = await moderator.submit(job(scenario))
        reelvet_sandbox.clock.advance(1000)
        for _ in range(2):
            result = await moderator.cancel(ticket)
            assert result.verdict == ("block" if scenario == "block-nudity" else "error")
        assert asked("delete_v2") == 0
        assert (await moderator.status(ticket)).status.final


async def test_nor_what_has_succeeded_and_has_no_result_yet(configured, job, reelvet_sandbox, asked):
    reelvet_sandbox.set_up("huawei", hosting_seconds=100)
    reelvet_sandbox.clock.pause()
    async with configured(api="v2") as moderator:
        ticket = await moderator.submit(job("block-nudity"))
        reelvet_sandbox.clock.advance(20)
        assert (await moderator.cancel(ticket)).tasks[0].native_status == "SUCCEEDED NOT_GENERATED"
        assert asked("delete_v2") == 0
        reelvet_sandbox.clock.resume()
        assert (await moderator.wait(ticket)).verdict is Verdict.BLOCK


async def test_a_delete_on_purpose_takes_the_result_along(configured, job, reelvet_sandbox, provider_of):
    async with configured(api="v2") as moderator:
        ticket = await moderator.submit(job("block-nudity"))
        assert (await moderator.wait(ticket)).verdict is Verdict.BLOCK
        provider = await provider_of(moderator)
        await provider.delete(ticket.tasks[0].ref)
        reelvet_sandbox.clock.advance(3)
        with pytest.raises(e.TaskNotFound):
            await moderator.status(ticket)
        with pytest.raises(e.TaskNotFound):
            await provider.delete(ticket.tasks[0].ref)


async def test_v3_has_neither_and_says_so(configured, job, asked, provider_of):
    async with configured(api="v3") as moderator:
        ticket = await moderator.submit(job())
        with pytest.raises(e.CancelUnsupported, match="v3 has no cancel"):
            await moderator.cancel(ticket)
        with pytest.raises(e.DeleteUnsupported, match="v3 has no delete"):
            await (await provider_of(moderator)).delete(ticket.tasks[0].ref)
        assert (await moderator.wait(ticket)).verdict is Verdict.PASS
    assert asked("create_v3") == 1


async def test_a_deadline_ends_in_a_cancel_where_there_is_one(moderator, job, asked, api):
    result = await moderator.moderate(job("never-finishes", deadline=0.3))
    (note,) = [note for note in result.warnings if note.code == "deadline_passed"]
    if api == "v2":
        assert (result.status, result.verdict, asked("delete_v2")) == (Status.CANCELED, Verdict.ERROR, 1)
        assert "was canceled" in note.says
    else:
        assert (result.status, result.verdict) == (Status.RUNNING, None)
        assert "could not be canceled and goes on" in note.says


@pytest.mark.parametrize(
    ("hosted", "says"), [("EXCEED_IN_SIZE", "too large"), ("DELETED_MISTAKENLY", "deleted at the vendor")]
)
async def test_a_result_that_the_vendor_does_not_hand_out_is_no_pass(configured, job, reelvet_sandbox, hosted, says):
    reelvet_sandbox.set_up("huawei", hosted=hosted)
    async with configured(api="v2") as moderator:
        result = await moderator.moderate(job())
    assert (result.status, result.verdict, says in result.tasks[0].error.message) == (
        Status.FAILED,
        Verdict.ERROR,
        True,
    )


@pytest.mark.parametrize("empty", ["empty", "missing", "null"])
async def test_lists_that_hold_nothing_may_be_written_in_any_way(moderator, job, reelvet_sandbox, empty):
    reelvet_sandbox.set_up("huawei", empty_lists=empty)
    assert [(await moderator.moderate(job(s))).verdict for s in ("clean", "block-nudity")] == ["pass", "block"]


async def test_a_policy_of_the_console_decides(configured, everywhere):
    covers = {
        "covers": [{"labels": ["sexual"], "channels": ["visual"]}, {"labels": ["illicit"], "channels": ["speech"]}]
    }
    async with configured(api="v3", biz_type="reels_1", biz_types={"reels_1": covers}) as moderator:
        result = await moderator.moderate(everywhere())
    states = {(row.label, row.channel.value): row.state.value for row in result.coverage}
    assert states == {("sexual", "visual"): "hit", ("illicit", "speech"): "clean"}
    assert ("harassment.abuse", "ocr") in {
        (f.label, f.channel.value) for f in result.findings
    }  # found, though nobody declared it
