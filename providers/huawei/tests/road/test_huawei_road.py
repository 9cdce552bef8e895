"""From a job to a verdict and back, each operation of both APIs over the wire."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from reelvet import CoverageState, Status, Ticket, Verdict
from reelvet.plugins import TimeWindow
from reelvet.schema import errors as e
from reelvet.schema.media import Channel
from reelvet_huawei.sandbox import PROJECT_ID, SECURITY_TOKEN, TEMPORARY_AK, TEMPORARY_SK

EVERYWHERE = {
    "name": "everywhere",
    "duration": 20,
    "events": [
        {"label": "sexual.explicit.pornography", "start": 5, "end": 9, "score": 0.9},
        {"label": "harassment.abuse", "start": 10, "end": 14, "score": 0.9, "channel": "ocr", "text": "你是笨蛋", "matches": ["笨蛋"]},
        {"label": "sexual.explicit.pornography", "start": 11, "end": 13, "score": 0.9, "channel": "speech", "text": "约炮"},
        {"label": "sexual.sound.moaning", "start": 15, "end": 18, "score": 0.9, "channel": "sound"},
    ],
    "speech": [{"start": 11, "end": 13, "text": "来约炮吧", "language": "zh"}],
}  # fmt: skip
URL = "https://media.obs.cn-north-4.myhuaweicloud.com/everywhere.mp4"
WINDOW = TimeWindow(datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def everywhere(reelvet_sandbox, job):
    reelvet_sandbox.scenario(URL, EVERYWHERE)
    return lambda **fields: job(URL, **{"detect": None, "channels": None, "language": "zh"} | fields)


async def provider_of(moderator):
    return await moderator._instance("huawei").open()


@pytest.mark.parametrize(
    ("scenario", "verdict", "state"),
    [("clean", "pass", "clean"), ("block-nudity", "block", "hit"), ("review-nudity", "review", "hit"), ("below-floor", "pass", "clean"),
     ("between-key-frames", "pass", "clean"), ("sport", "pass", "clean"), ("speech-only", "pass", "clean"), ("violence", "block", "not_evaluated"),
     ("text-on-screen", "pass", "clean"), ("child-safety", "pass", "clean"), ("picture", "error", "not_evaluated"), ("long", "block", "hit"),
     ("broken", "error", "not_evaluated"), ("unreachable", "error", "not_evaluated"), ("internal-error", "error", "not_evaluated")],
)  # fmt: skip
async def test_each_scenario_comes_to_its_verdict(moderator, job, scenario, verdict, state):
    detect = ["extremism.terrorism"] if scenario == "violence" else ["sexual"]
    result = await moderator.moderate(job(scenario, detect=detect))
    assert result.verdict == verdict
    assert result.sandbox is True
    assert {row.state for row in result.coverage if row.label == detect[0]} == {state}
    assert result.tasks[0].id in {result.tasks[0].raw.get("id"), result.tasks[0].raw.get("job_id")}
    assert ("task_failed" in {note.code for note in result.warnings}) is (verdict == "error")


async def test_a_job_that_asks_for_everything_sees_frames_text_and_sound(moderator, everywhere, api, creates):
    result = await moderator.moderate(everywhere())
    sound = {("sexual.sound.moaning", Channel.SOUND)} if api == "v3" else set()  # v2 listens to speech alone
    told = {(finding.label, finding.channel): finding for finding in result.findings}
    assert set(told) == {
        ("sexual.explicit.pornography", Channel.VISUAL), ("harassment.abuse", Channel.OCR), ("sexual", Channel.SPEECH),
    } | sound  # fmt: skip
    hits = {(row.label, row.channel) for row in result.coverage if row.state is CoverageState.HIT}
    assert hits == {("sexual", Channel.VISUAL), ("harassment.abuse", Channel.OCR), ("sexual", Channel.SPEECH)} | sound
    assert told["harassment.abuse", Channel.OCR].text == "你是笨蛋"
    assert told["sexual", Channel.SPEECH].text == "来约炮吧"
    assert told["sexual", Channel.SPEECH].matches == ("约炮",)
    assert (result.verdict, creates()) == (Verdict.BLOCK, 1)


@pytest.mark.parametrize("channel", ["visual", "ocr", "speech", "sound"])
async def test_only_what_is_asked_for_is_looked_for(moderator, everywhere, api, channel):
    asked = everywhere(channels=[channel])
    if (api, channel) == ("v2", "sound"):
        with pytest.raises(e.UnsupportedFeature, match="'sound'"):
            await moderator.submit(asked)
        return
    result = await moderator.moderate(asked)
    filled = {"visual"} if channel != "visual" and (api == "v2" or channel != "ocr") else set()
    assert {finding.channel.value for finding in result.findings} == {channel} | filled
    assert {row.channel.value for row in result.coverage} == {channel}
    assert ("filler_category" in {note.code for note in result.warnings}) is bool(filled)


@pytest.mark.parametrize("language", ["en", None])
async def test_speech_that_is_not_said_to_be_chinese_is_never_called_clean(moderator, job, language):
    asked = job(
        "clean",
        detect=["harassment", "sexual"],
        channels=["visual", "speech"],
        language=language,
        on_unsupported="skip",
    )
    rows = (await moderator.moderate(asked)).coverage
    assert {row.state for row in rows if row.channel is Channel.SPEECH} == {CoverageState.NOT_EVALUATED}
    assert {row.state for row in rows if row.label == "sexual" and row.channel is Channel.VISUAL} == {
        CoverageState.CLEAN
    }


async def test_what_the_vendor_holds_is_what_was_planned(moderator, everywhere, reelvet_sandbox, api):
    asked = everywhere(key="key-7", interval=2.5)
    await moderator.submit(asked)
    planned = moderator.plan(asked).tasks[0].payload
    held = reelvet_sandbox.tasks("huawei")[0].data
    if api == "v3":  # which does not tell the language
        planned = {**planned, "data": {k: v for k, v in planned["data"].items() if k != "language"}}
    assert held == planned


async def test_an_object_is_taken_in_the_same_region(moderator, job, reelvet_sandbox, api):
    reelvet_sandbox.scenario("obs://media/a b/密.mp4", "block-nudity")
    assert (await moderator.moderate(job("obs://media/a b/密.mp4"))).verdict is Verdict.BLOCK
    (task,) = reelvet_sandbox.tasks("huawei")
    if api == "v2":
        assert task.data["input"] == {"type": "obs", "data": [{"bucket": "media", "path": "a b/密.mp4"}]}
    else:
        address = "https://media.obs.cn-north-4.myhuaweicloud.com/a%20b/%E5%AF%86.mp4"
        assert task.data["data"]["url"] == address


async def test_another_process_waits_for_the_ticket(configured, job, api):
    async with configured(api=api) as one:
        stored = (await one.submit(job("block-nudity"))).dump_json()
    async with configured(api=api) as other:
        assert (await other.wait(Ticket.load(stored))).verdict is Verdict.BLOCK


async def test_a_task_made_elsewhere_is_adopted(moderator, job):
    task = (await moderator.submit(job("block-nudity"))).tasks[0].ref.id
    result = await moderator.wait(Ticket.adopt("huawei", task))
    assert (result.verdict, result.findings[0].label) == (Verdict.BLOCK, "sexual.explicit.pornography")
    assert {(row.label, row.state) for row in result.coverage} == {("sexual", CoverageState.HIT)}


async def test_a_task_that_does_not_exist_is_not_found(moderator):
    with pytest.raises(e.TaskNotFound) as caught:
        await moderator.wait(Ticket.adopt("huawei", "0" * 32))
    assert "Check the id, the region and the project" in caught.value.way_out


async def test_an_audio_job_made_elsewhere_is_read(configured, reelvet_sandbox, by_token):
    reelvet_sandbox.scenario(URL, EVERYWHERE)
    async with configured(**by_token) as moderator:
        provider = await provider_of(moderator)
        from reelvet.http import Effect

        body = {"data": {"url": URL}, "event_type": "default", "categories": ["porn", "moan"]}
        path = f"/v3/{PROJECT_ID}/moderation/audio/jobs"
        made = (await provider._send("POST", path, "CreateTask", Effect.CREATE, body=body)).json()
        result = await moderator.wait(Ticket.adopt("huawei", made["job_id"], category="audio"))
    assert {f.label for f in result.findings} == {"sexual"}  # a stretch has one label there
    assert (result.verdict, result.media.kind) == (Verdict.BLOCK, "audio")


# --- the end of a task ---


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


async def test_a_delete_on_purpose_takes_the_result_along(configured, job, reelvet_sandbox):
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


async def test_v3_has_neither_and_says_so(configured, job, asked):
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


# --- a bucket of one's own ---


async def test_a_result_in_a_bucket_that_cannot_be_read_says_where_it_lies(
    configured, job, reelvet_sandbox, monkeypatch
):
    monkeypatch.setattr("reelvet_huawei.bucket.is_installed", lambda: False)
    async with configured(api="v2", obs_output="obs://mine/out/", upload=True) as moderator:
        result = await moderator.moderate(job("block-nudity"))
    assert reelvet_sandbox.tasks("huawei")[0].data["output"] == {"obs": {"bucket": "mine", "path": "out/"}}
    (note,) = [note for note in result.warnings if note.code == "result_elsewhere"]
    assert "lies in obs://mine/out/" in note.says
    assert "reelvet-huawei[obs] reads it" in note.says
    assert (result.status, result.verdict) == (Status.SUCCEEDED, Verdict.ERROR)


async def test_a_result_in_a_bucket_is_read_from_there(configured, job, result_of, monkeypatch):
    asked_for = []

    async def read(pair, settings, place, task_id):
        asked_for.append((pair.ak, place, task_id))
        return result_of(task_id) if len(asked_for) > 1 else None

    monkeypatch.setattr("reelvet_huawei.bucket.is_installed", lambda: True)
    monkeypatch.setattr("reelvet_huawei.bucket.read", read)
    async with configured(api="v2", obs_output="obs://mine/out/", upload=True) as moderator:
        ticket = await moderator.submit(job("block-nudity"))
        missing = await moderator.wait(ticket)
        result = await moderator.wait(ticket)
    assert (missing.verdict, "result_elsewhere" in {note.code for note in missing.warnings}) == (Verdict.ERROR, True)
    assert result.verdict is Verdict.BLOCK
    assert result.findings[0].evidence.startswith("obs://mine/out/task")
    assert {place for _, place, _ in asked_for} == {("mine", "out/")}


async def test_a_hosted_result_is_taken_though_there_is_a_bucket_too(configured, job, monkeypatch):
    async def read(*_):
        pytest.fail("what is hosted need not be fetched from a bucket")

    monkeypatch.setattr("reelvet_huawei.bucket.read", read)
    async with configured(api="v2", obs_output="obs://mine/out/", hosting=True, upload=True) as moderator:
        result = await moderator.moderate(job("block-nudity"))
    assert result.verdict is Verdict.BLOCK
    assert result.findings[0].evidence.startswith("obs://mine/out/task")


# --- the list ---


async def test_the_list_is_swept_page_by_page(configured, job):
    async with configured(api="v2", page_size=3) as moderator:
        ids = {(await moderator.submit(job())).tasks[0].ref.id for _ in range(8)}
        provider = await provider_of(moderator)
        swept = [raw async for raw in provider.sweep(TimeWindow(datetime.now(UTC) - timedelta(hours=1)))]
        assert {raw.ref.id for raw in swept} == ids
        assert len(swept) == 8
        assert not [raw async for raw in provider.sweep(TimeWindow(datetime.now(UTC) + timedelta(hours=1)))]


@pytest.mark.parametrize("key", ["key-1", "a b c", "密钥-7", "k" * 250, 'quo"ted'])
async def test_find_gives_the_tasks_of_exactly_that_key(configured, job, reelvet_sandbox, key):
    reelvet_sandbox.fault("huawei", "decoys", times=None)
    async with configured(api="v2", page_size=2) as moderator:
        for other in (f"{key}-2"[-250:], f"x{key}"[:250], key):
            ticket = await moderator.submit(job(key=other))
        found = await moderator.find(key)
    assert [(found_.key, found_.tasks[0].ref.id) for found_ in found] == [(key, ticket.tasks[0].ref.id)]


async def test_v3_has_no_list(configured, asked):
    async with configured(api="v3") as moderator:
        with pytest.raises(e.LookupUnsupported):
            await moderator.find("key-1")
        with pytest.raises(e.LookupUnsupported, match="no list of jobs") as caught:
            (await provider_of(moderator)).sweep(WINDOW)
    assert "Put {key} into the callback's URL" in caught.value.way_out
    assert asked("list_v2") == 0


# --- who is calling ---


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


async def test_a_token_is_renewed_before_its_24_hours_are_over(configured, by_token, job, reelvet_sandbox, asked, api):
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


async def test_a_token_that_ends_unexpectedly_is_fetched_anew_and_creates_once(
    configured, by_token, job, reelvet_sandbox, asked, creates, api
):
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


# --- many at a time ---


async def test_more_jobs_than_the_vendor_takes_in_a_second_wait_for_their_turn(
    configured, job, reelvet_sandbox, creates
):
    async with configured(api="v3") as moderator:
        jobs = [job("block-nudity" if number % 2 else "clean") for number in range(14)]
        done = [item async for item in moderator.moderate_many(jobs, concurrency=14)]
    assert sorted(item.result.verdict for item in done) == ["block"] * 7 + ["pass"] * 7
    assert creates() == 14
    assert 429 not in {request.status for request in reelvet_sandbox.requests("huawei")}


async def test_jobs_of_both_apis_go_side_by_side(reelvet_sandbox, job):
    from reelvet import AsyncModerator, Config

    table = reelvet_sandbox.settings("huawei")
    instances = {"old": table | {"plugin": "huawei", "api": "v2"}, "new": table | {"plugin": "huawei", "api": "v3"}}
    polling = reelvet_sandbox.config("huawei")["polling"]
    async with AsyncModerator(Config.parse({"use": "new", "providers": instances, "polling": polling})) as moderator:
        old = await moderator.submit(job("block-nudity"), use="old")
        new = await moderator.submit(job("block-nudity"))
        results = [await moderator.wait(ticket) for ticket in (old, new)]
        with pytest.raises(e.InvalidTicket, match="api 'v2'"):
            await moderator.status(old.model_copy(update={"instance": "new"}))
    assert [(result.instance, result.verdict) for result in results] == [("old", "block"), ("new", "block")]
    assert all("sexual.explicit.pornography" in {f.label for f in result.findings} for result in results)
