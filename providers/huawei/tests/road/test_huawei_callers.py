"""Who is calling: key pairs, temporary ones, tokens, and the project that IAM knows."""

from __future__ import annotations

import pytest

from reelvet import Verdict
from reelvet.schema import errors as e
from reelvet_huawei.sandbox import SECURITY_TOKEN, TEMPORARY_AK, TEMPORARY_SK


async def test_check_is_free_and_tells_what_is_wrong(moderator, configured, reelvet_sandbox, creates, api):
    assert (await moderator.check()).ok
    async with configured(api=api, sk="wrong") as wrong:
        health = await wrong.check()
        assert (health.ok, "check `ak` and `sk`" in health.way_out) == (False, True)
    reelvet_sandbox.set_up("huawei", subscribed=False)
    health = await moderator.check()
    assert (health.ok, "Switch the service on in the console" in health.way_out) == (False, True)
    assert creates() == 0


async def test_the_project_is_looked_up_once(configured, job, reelvet_sandbox, api, asked):
    async with configured(api=api, project_id=None) as moderator:
        first, second = await moderator.submit(job()), await moderator.submit(job("block-nudity"))
        assert [(await moderator.wait(ticket)).verdict for ticket in (first, second)] == ["pass", "block"]
    assert asked("projects") == 1
    assert next(r for r in reelvet_sandbox.requests("huawei") if r.operation == "projects").query == "name=cn-north-4"


@pytest.mark.parametrize("projects", [0, 2])
async def test_a_region_without_one_project_is_told_before_anything_is_created(
    configured, job, reelvet_sandbox, creates, projects
):
    reelvet_sandbox.set_up("huawei", projects=projects)
    async with configured(project_id=None) as moderator:
        with pytest.raises(e.ConfigurationError, match=f"has {projects} projects in region 'cn-north-4'") as caught:
            await moderator.submit(job())
    assert "Give `project_id`, or another `region`" in caught.value.way_out
    assert creates() == 0


async def test_a_temporary_key_pair_goes_the_whole_road(configured, job, api):
    async with configured(api=api, ak=TEMPORARY_AK, sk=TEMPORARY_SK, security_token=SECURITY_TOKEN) as moderator:
        assert (await moderator.moderate(job("block-nudity"))).verdict is Verdict.BLOCK


async def test_a_token_says_the_project_and_is_fetched_once(configured, by_token, job, api, asked):
    async with configured(api=api, **by_token) as moderator:
        tickets = [await moderator.submit(job(name)) for name in ("clean", "block-nudity")]
        assert [(await moderator.wait(ticket)).verdict for ticket in tickets] == ["pass", "block"]
    assert (asked("token"), asked("projects")) == (1, 0)


async def test_a_token_is_renewed_before_its_24_hours_are_over(
    configured, by_token, job, reelvet_sandbox, asked, api, provider_of
):
    clock = reelvet_sandbox.clock
    clock.pause()
    async with configured(api=api, **by_token) as moderator:
        (await provider_of(moderator))._auth._clock = clock.date
        ticket = await moderator.submit(job("block-nudity"))
        clock.advance(22.9 * 3600)
        await moderator.status(ticket)
        assert asked("token") == 1
        clock.advance(0.2 * 3600)
        assert (await moderator.status(ticket)).verdict is Verdict.BLOCK
        assert asked("token") == 2
        clock.advance(23.5 * 3600)  # far beyond the end of the first one
        if api == "v3":
            assert (await moderator.status(ticket)).verdict is Verdict.BLOCK
            assert asked("token") == 3
    assert 401 not in {request.status for request in reelvet_sandbox.requests("huawei")}


@pytest.mark.parametrize("code", ["APIGW.0307", "APIGW.0301"])
async def test_a_token_that_ends_unexpectedly_is_fetched_anew_and_creates_once(
    configured, by_token, job, reelvet_sandbox, asked, creates, api, code
):
    reelvet_sandbox.set_up("huawei", expired_as=code)
    async with configured(api=api, **by_token) as moderator:
        assert (await moderator.check()).ok
        reelvet_sandbox.clock.advance(25 * 3600)  # which the clock of this machine has not noticed
        await moderator.submit(job())
    assert (asked("token"), creates()) == (2, 1)
    tries = [request.status for request in reelvet_sandbox.requests("huawei") if request.operation == f"create_{api}"]
    assert tries == [401, 201 if api == "v2" else 200]


async def test_a_token_that_holds_for_minutes_only_is_not_fetched_for_every_call(
    configured, by_token, job, reelvet_sandbox, asked
):
    reelvet_sandbox.set_up("huawei", token_hours=0.5)
    async with configured(**by_token) as moderator:
        for _ in range(3):
            await moderator.submit(job())
    assert asked("token") == 1
