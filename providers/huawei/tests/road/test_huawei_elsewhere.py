"""Results of v2 that lie in a bucket of one's own. With the vendor's client for it: the folder `oracle`."""

from __future__ import annotations

import pytest

from reelvet import Status, Verdict
from reelvet_huawei.bucket import Missing


async def test_a_result_in_a_bucket_that_cannot_be_read_says_where_it_lies(configured, job, reelvet_sandbox):
    async with configured(api="v2", obs_output="obs://mine/out/", upload=True) as moderator:
        result = await moderator.moderate(job("block-nudity"))
    assert reelvet_sandbox.tasks("huawei")[0].data["output"] == {"obs": {"bucket": "mine", "path": "out/"}}
    (note,) = [note for note in result.warnings if note.code == "result_elsewhere"]
    assert "lies in obs://mine/out/" in note.says
    assert "install reelvet-huawei[obs]" in note.says
    assert (result.status, result.verdict) == (Status.SUCCEEDED, Verdict.ERROR)
    assert (result.tasks[0].error.code, result.tasks[0].error.type) == ("NoClient", "ConfigurationError")


async def test_a_result_in_a_bucket_is_read_from_there(configured, job, result_of, monkeypatch):
    asked_for = []

    async def read(pair, settings, place, task_id, *, is_own):
        asked_for.append((pair.ak, place, is_own))
        return result_of(task_id) if len(asked_for) > 1 else Missing("NoSuchKey", "it is not there", "look for it")

    monkeypatch.setattr("reelvet_huawei.bucket.is_installed", lambda: True)
    monkeypatch.setattr("reelvet_huawei.bucket.read", read)
    async with configured(api="v2", obs_output="obs://mine/out/", upload=True) as moderator:
        ticket = await moderator.submit(job("block-nudity"))
        missing = await moderator.wait(ticket)
        result = await moderator.wait(ticket)
    assert (missing.verdict, "result_elsewhere" in {note.code for note in missing.warnings}) == (Verdict.ERROR, True)
    assert result.verdict is Verdict.BLOCK
    assert result.findings[0].evidence.startswith("obs://mine/out/task")
    assert missing.tasks[0].error.message == "it is not there; look for it"
    assert {told[1:] for told in asked_for} == {(("mine", "out/"), False)}


async def test_a_hosted_result_is_taken_though_there_is_a_bucket_too(configured, job, monkeypatch):
    async def read(*_):
        pytest.fail("what is hosted need not be fetched from a bucket")

    monkeypatch.setattr("reelvet_huawei.bucket.read", read)
    async with configured(api="v2", obs_output="obs://mine/out/", hosting=True, upload=True) as moderator:
        result = await moderator.moderate(job("block-nudity"))
    assert result.verdict is Verdict.BLOCK
    assert result.findings[0].evidence.startswith("obs://mine/out/task")
