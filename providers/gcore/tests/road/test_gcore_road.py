"""From a job to a verdict and back, each operation over the wire."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from reelvet import CoverageState, ModerationJob, Status, Ticket, Verdict
from reelvet.plugins import TimeWindow
from reelvet.schema import errors as e


@pytest.mark.parametrize(
    ("scenario", "verdict"),
    [("clean", "pass"), ("block-nudity", "block"), ("review-nudity", "review"), ("below-floor", "pass"), ("between-key-frames", "pass"),
     ("broken", "error"), ("unreachable", "error"), ("internal-error", "error"), ("long", "block"), ("child-safety", "pass")],
)  # fmt: skip
async def test_each_scenario_comes_to_its_verdict(moderator, job, scenario, verdict):
    result = await moderator.moderate(job(scenario))
    assert result.verdict == verdict
    assert result.sandbox is True
    assert result.tasks[0].raw["task_id"] == result.tasks[0].id
    assert (
        result.coverage[0].state is not CoverageState.CLEAN
    )  # the vendor has a floor, so silence never is more than that


async def test_one_job_runs_as_several_tasks_and_comes_back_as_one_result(moderator, job, creates):
    result = await moderator.moderate(
        job(
            "block-nudity",
            detect=["sexual", "context.person"],
            transcript={"languages": ["en"], "translate_to": "de"},
            user="u",
            metadata={"a": 1},
        )
    )
    assert creates() == len(result.tasks) == 3
    assert {f.label for f in result.findings} >= {
        "sexual.explicit.pornography", "sexual.explicit.nudity_female_breast", "context.person.face_female",
    }  # fmt: skip
    assert result.verdict is Verdict.BLOCK
    assert (result.transcripts[0].language, result.transcripts[0].translated_from) == ("de", "en")
    assert result.transcripts[0].segments[0].text == "Willkommen zurück auf dem Kanal."
    assert (result.user, result.metadata) == ("u", {"a": 1})
    assert all(usage.requests >= 1 for usage in result.usage)


async def test_what_the_vendor_holds_is_what_was_planned(moderator, job, reelvet_sandbox):
    asked = job(
        "clean",
        key="key-7",
        user="u",
        metadata={"a": [1]},
        detect=["sexual.explicit.nudity*"],
        stop_on={"sexual.explicit.nudity_anus": 0.8},
    )
    await moderator.submit(asked)
    held = reelvet_sandbox.tasks("gcore")[0].data
    assert held == moderator.plan(asked).tasks[0].payload


async def test_a_stop_leaves_the_rest_not_evaluated(moderator, job):
    result = await moderator.moderate(
        job("block-nudity", detect=["sexual.explicit.nudity*"], stop_on={"sexual.explicit.nudity_female_breast": 0.9})
    )
    states = {row.label: row.state for row in result.coverage}
    assert states["sexual.explicit.nudity_female_breast"] is CoverageState.HIT
    assert states["sexual.explicit.nudity_anus"] is CoverageState.NOT_EVALUATED
    assert len(result.findings) == 1


async def test_another_process_waits_for_the_ticket(configured, job):
    async with configured() as one:
        stored = (await one.submit(job("block-nudity"))).dump_json()
    async with configured() as other:
        assert (await other.wait(Ticket.load(stored))).verdict is Verdict.BLOCK


async def test_a_task_made_elsewhere_is_adopted(moderator, job):
    task = (await moderator.submit(job("block-nudity"))).tasks[0].ref.id
    result = await moderator.wait(Ticket.adopt("gcore", task))
    assert (result.verdict, result.findings[0].label) == (Verdict.BLOCK, "sexual.explicit.pornography")


async def test_a_running_job_shows_its_state_and_can_be_canceled(moderator, job, reelvet_sandbox):
    reelvet_sandbox.clock.pause()
    ticket = await moderator.submit(job())
    assert (await moderator.status(ticket)).status is Status.QUEUED
    reelvet_sandbox.clock.advance(3)
    assert (await moderator.status(ticket)).status is Status.RUNNING
    assert (await moderator.cancel(ticket)).status is Status.CANCELED
    again = await moderator.cancel(ticket)
    assert (again.status, again.verdict) == (Status.CANCELED, Verdict.ERROR)


async def test_canceling_what_has_ended_gives_its_result(moderator, job, reelvet_sandbox):
    ticket = await moderator.submit(job("block-nudity"))
    reelvet_sandbox.clock.advance(1000)
    result = await moderator.cancel(ticket)
    assert (result.status, result.verdict) == (Status.SUCCEEDED, Verdict.BLOCK)
    assert 412 in [request.status for request in reelvet_sandbox.requests("gcore")]


async def test_a_deadline_ends_in_a_cancel_at_the_vendor(moderator, job, reelvet_sandbox):
    result = await moderator.moderate(job("never-finishes", deadline=0.3))
    assert (result.status, result.verdict) == (Status.CANCELED, Verdict.ERROR)
    assert "deadline_passed" in {note.code for note in result.warnings}
    assert [request.operation for request in reelvet_sandbox.requests("gcore")].count("cancel") == 1


async def test_check_is_free_and_tells_what_is_wrong(moderator, configured, reelvet_sandbox, creates):
    assert (await moderator.check()).ok
    async with configured(api_key="1_wrong") as wrong:
        health = await wrong.check()
        assert (health.ok, "permanent API token" in health.way_out) == (False, True)
    reelvet_sandbox.set_up("gcore", feature_enabled=False)
    health = await moderator.check()
    assert (health.ok, "support@gcore.com" in health.way_out) == (False, True)
    assert creates() == 0


# --- videos of the account ---


@pytest.mark.parametrize(("height", "taken"), [(None, 480), (720, 720), (100, 360), (2000, 720)])
async def test_a_video_of_the_account_is_taken_in_the_wanted_rendition(moderator, job, reelvet_sandbox, height, taken):
    options = {"gcore": {"mp4_height": height}} if height else {}
    result = await moderator.moderate(job("gcore:2002", detect=["sexual"], options=options))
    assert result.verdict is Verdict.BLOCK
    assert [task.data["url"].rpartition("_")[2] for task in reelvet_sandbox.tasks("gcore")] == [f"{taken}.mp4"] * 2
    assert [request.operation for request in reelvet_sandbox.requests("gcore")].count("video") == 1


@pytest.mark.parametrize(
    ("video", "error", "says", "retryable"),
    [("gcore:2004", e.MediaRejected, "still being transcoded", True), ("gcore:2005", e.MediaRejected, "still being transcoded", True),
     ("gcore:2006", e.FeatureDisabled, "support@gcore.com", False), ("gcore:2007", e.MediaRejected, "Upload it again", False),
     ("gcore:9", e.TaskNotFound, "404", False)],
)  # fmt: skip
async def test_a_video_without_a_link_is_refused_before_anything_is_created(
    moderator, job, creates, video, error, says, retryable
):
    with pytest.raises(error, match=says) as caught:
        await moderator.submit(job(video))
    assert (caught.value.retryable, creates()) == (retryable, 0)


async def test_a_video_being_transcoded_is_waited_for(moderator, job, creates, monkeypatch):
    monkeypatch.setattr("reelvet_gcore.provider._VIDEO_PAUSE", 0.02)
    with pytest.raises(e.MediaRejected, match="still being transcoded"):
        await moderator.submit(job("gcore:2005", options={"gcore": {"wait_for_mp4": 0.1}}))
    assert creates() == 0


# --- languages ---


async def test_a_language_that_the_vendor_does_not_know_is_refused_before_anything_is_created(moderator, job, creates):
    asked = job("speech-only", detect=[], transcript={"languages": ["en"], "translate_to": "uz"})
    with pytest.raises(e.UnsupportedFeature, match="does not translate 'eng' into 'uzb'"):
        await moderator.submit(asked)
    assert creates() == 0


async def test_such_a_demand_can_be_skipped_and_is_told(moderator, job, creates):
    asked = job("speech-only", transcript={"languages": ["en"], "translate_to": "uz"}, on_unsupported="skip")
    result = await moderator.moderate(asked)
    assert (result.verdict, result.transcripts, creates()) == (Verdict.PASS, (), 1)
    assert [n.says for n in result.warnings if n.code == "unsupported_skipped"] == [
        "transcript.translate_to: does not translate 'eng' into 'uzb'"
    ]


async def test_a_pair_of_languages_is_asked_about_once(moderator, job, reelvet_sandbox):
    for _ in range(3):
        await moderator.submit(job("speech-only", detect=[], transcript={"languages": ["en"]}))
    assert [request.operation for request in reelvet_sandbox.requests("gcore")].count("info") == 1


@pytest.mark.parametrize("scenario", ["clean", "speech-only"])
async def test_a_job_that_only_transcribes_has_no_verdict(moderator, job, scenario):
    result = await moderator.moderate(job(scenario, detect=[], transcript={}))
    assert (result.status, result.verdict, len(result.transcripts)) == (Status.SUCCEEDED, None, 1)
    assert bool(result.transcripts[0].segments) is (scenario == "speech-only")


# --- the list ---


async def test_the_list_is_swept_page_by_page(configured, job):
    async with configured(page_size=3) as moderator:
        ids = {(await moderator.submit(job())).tasks[0].ref.id for _ in range(8)}
        provider = await moderator._instance("gcore").open()
        swept = [raw async for raw in provider.sweep(TimeWindow(datetime.now(UTC) - timedelta(hours=1)))]
        assert {raw.ref.id for raw in swept} == ids
        assert len(swept) == 8
        later = [raw async for raw in provider.sweep(TimeWindow(datetime.now(UTC) + timedelta(hours=1)))]
        assert {raw.status for raw in later} <= {Status.QUEUED}  # what waits has no date


@pytest.mark.parametrize("key", ["key-1", 'quo"ted', "back\\slash", "密钥-7", "密钥", "a b c", "k" * 250])
async def test_find_gives_the_tasks_of_exactly_that_key(configured, reelvet_sandbox, key):
    reelvet_sandbox.fault("gcore", "decoys", times=None)
    async with configured(page_size=2) as moderator:
        for other in (f"{key}-2", f"x{key}", key):
            await moderator.submit(
                ModerationJob(media="https://sandbox.reelvet.example/clean.mp4", detect=["sexual"], key=other)
            )
        found = await moderator.find(key)
        assert sorted((ticket.key, ticket.tasks[0].category) for ticket in found) == [
            (key, "hard_nudity"),
            (key, "nsfw"),
        ]


async def test_the_end_of_the_list_may_be_a_page_that_is_not_there(configured, job, reelvet_sandbox):
    reelvet_sandbox.set_up("gcore", past_the_end="not_found")
    async with configured(page_size=2) as moderator:
        for number in range(4):
            await moderator.submit(job(key=f"key-{number}"))
        assert len(await moderator.find("key-3")) == 1


# --- the legacy API ---


async def test_the_legacy_api_end_to_end(configured, job, reelvet_sandbox):
    async with configured(api="legacy") as moderator:
        result = await moderator.moderate(job("block-nudity", detect=["sexual"]))
        assert result.verdict is Verdict.BLOCK
        assert {f.label for f in result.findings} == {
            "sexual.explicit.pornography",
            "sexual.explicit.nudity_female_breast",
        }
        assert {request.path.rpartition("/")[0] for request in reelvet_sandbox.requests("gcore")} == {
            "/streaming/ai",
            "/streaming/ai/results",
        }
        for refused in (moderator.find("k"), moderator._instance("gcore").provider.cancel(result.tasks[0])):
            with pytest.raises((e.LookupUnsupported, e.CancelUnsupported)):
                await refused
    reelvet_sandbox.set_up("gcore", legacy_enabled=False)
    async with configured(api="legacy") as moderator:
        with pytest.raises(e.TaskNotFound):
            await moderator.submit(job("clean"))
