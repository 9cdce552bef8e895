"""Callbacks of v3: sent by the emulator, verified and read, and never trusted before the job was read again."""

from __future__ import annotations

import asyncio
import json

import pytest
from pydantic import SecretStr

from reelvet import Status, Ticket, Verdict
from reelvet.schema import errors as e

SEED = "seed_1"


@pytest.fixture
async def called(configured, job, reelvet_sandbox, receiver):
    """Submits a job that asks for a callback, and gives the moderator, the ticket and what came in."""
    here, received = receiver
    opened = []

    async def call(scenario="block-nudity", path="/huawei?key={key}", count=1, secret=None, **settings):
        moderator = configured(**{"api": "v3", "seed": SEED} | settings)
        opened.append(moderator)
        callback = {"url": f"{here}{path}"} | ({"secret": secret} if secret else {})
        ticket = await moderator.submit(job(scenario, key="key/1", callback=callback))
        for _ in range(300):
            if len(received) >= count:
                break
            await asyncio.sleep(0.01)
        return moderator, ticket, received

    yield call
    for moderator in opened:
        await moderator.aclose()


def parsed(moderator, came, *seeds, body=None):
    path, headers, sent = came
    query = dict(part.split("=") for part in path.partition("?")[2].split("&") if part)
    provider = moderator._instance("huawei").provider
    return provider.parse_callback(body or sent, headers, query, [SecretStr(seed) for seed in seeds])


@pytest.mark.parametrize("writing", ["hex", "HEX", "base64"])
async def test_a_callback_names_the_job_and_is_read_again_before_it_counts(called, reelvet_sandbox, writing):
    reelvet_sandbox.set_up("huawei", signature=writing)
    moderator, ticket, received = await called()
    got = parsed(moderator, received[0], "old_seed", SEED, "next_seed")
    assert (got.trusted, got.ref.id, got.raw.status) == (False, ticket.tasks[0].ref.id, Status.SUCCEEDED)
    result = await moderator.wait(Ticket.adopt("huawei", got.ref.id, detect=["sexual"]))
    assert result.verdict is Verdict.BLOCK
    assert got.raw.payload == result.tasks[0].raw


@pytest.mark.parametrize("path", ["/huawei?key={key}", "/huawei/{key}/done"])
async def test_a_callback_yields_the_key_from_its_url(called, receiver, path):
    moderator, _, received = await called(path=path, callback_url=f"{receiver[0]}{path}")
    assert received[0][0] == path.replace("{key}", "key%2F1")
    came = (received[0][0].partition("?")[0], *received[0][1:])  # the framework has lost the query
    assert parsed(moderator, came, SEED).key == "key/1"


async def test_a_seed_of_another_name_signs_where_the_job_says_so(called):
    moderator, _, received = await called(secret="theirs", seeds={"theirs": "their_seed"})
    assert parsed(moderator, received[0], "their_seed").ref.id
    with pytest.raises(e.CallbackRejected):
        parsed(moderator, received[0], SEED)


@pytest.mark.parametrize("field", ["job_id", "create_time", "request_id"])
async def test_a_forged_callback_is_refused(called, field):
    moderator, _, received = await called()
    forged = json.dumps(json.loads(received[0][2]) | {field: "0" * 32}).encode()
    with pytest.raises(e.CallbackRejected, match="not signed with any of 2 seeds"):
        parsed(moderator, received[0], SEED, "old_seed", body=forged)


async def test_a_forged_verdict_passes_the_signature_and_not_the_reading(called):
    moderator, ticket, received = await called()
    told = json.loads(received[0][2]) | {"result": {"suggestion": "pass", "image_detail": [], "audio_detail": []}}
    got = parsed(moderator, received[0], SEED, body=json.dumps(told).encode())
    assert got.trusted is False
    assert (await moderator.wait(ticket)).verdict is Verdict.BLOCK


async def test_a_callback_that_comes_twice_is_the_same_event(called, reelvet_sandbox):
    reelvet_sandbox.fault("huawei", "callback_twice", copies=3)
    moderator, _, received = await called(count=3)
    assert len({parsed(moderator, came, SEED).event_id for came in received}) == 1


async def test_a_failed_job_calls_back_too(called):
    moderator, _, received = await called("broken")
    got = parsed(moderator, received[0], SEED)
    assert (got.raw.status, "gives no reason" in got.raw.error.message) == (Status.FAILED, True)


async def test_an_orphan_announces_itself(configured, job, reelvet_sandbox, receiver, creates):
    """The answer of the create was lost, so nobody knows the job's id until it calls back."""
    here, received = receiver
    reelvet_sandbox.fault("huawei", "cut", operation="create_v3", when="after")
    async with configured(seed=SEED) as moderator:
        with pytest.raises(e.SubmitOutcomeUnknown) as caught:
            await moderator.submit(job("block-nudity", key="orphan-1", callback={"url": f"{here}/cb?key={{key}}"}))
        assert caught.value.ticket.tasks[0].state == "unknown"
        for _ in range(300):
            if received:
                break
            await asyncio.sleep(0.01)
        got = parsed(moderator, received[0], SEED)
        assert (got.key, creates()) == ("orphan-1", 1)
        assert (await moderator.wait(Ticket.adopt("huawei", got.ref.id, key=got.key))).verdict is Verdict.BLOCK
