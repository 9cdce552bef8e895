"""Gcore's own Python client, unmodified, against the emulator: what it understands, the emulator says right.

Its models are made from the same OpenAPI document. It parses a reply into the first of several models that fits, and
where none does into the first of all without an error. So each type is asserted; where the client itself takes one
thing for another, that is asserted as what it is.
"""

import gcore
import pytest
from gcore import AsyncGcore, Gcore
from gcore.types.streaming import Video
from gcore.types.streaming.ai_contentmoderation_hardnudity import AIContentmoderationHardnudity
from gcore.types.streaming.ai_contentmoderation_nsfw import AIContentmoderationNsfw
from gcore.types.streaming.ai_contentmoderation_softnudity import AIContentmoderationSoftnudity
from gcore.types.streaming.ai_contentmoderation_sport import AIContentmoderationSport
from gcore.types.streaming.ai_task import AITask, TaskDataAITranscribe
from gcore.types.streaming.ai_task_get_response import (
    AITaskGetResponse,
    AITaskGetResponseResultAIResultsContentmoderationHardnudity,
    AITaskGetResponseResultAIResultsContentmoderationNsfw,
    AITaskGetResponseResultAIResultsContentmoderationSoftnudity,
    AITaskGetResponseResultAIResultsContentmoderationSport,
    AITaskGetResponseResultAIResultsFailure,
    AITaskGetResponseResultAIResultsTranscribe,
)

MAGIC = "https://sandbox.reelvet.example"

NSFW = AITaskGetResponseResultAIResultsContentmoderationNsfw
HARD = AITaskGetResponseResultAIResultsContentmoderationHardnudity
SOFT = AITaskGetResponseResultAIResultsContentmoderationSoftnudity
SPORT = AITaskGetResponseResultAIResultsContentmoderationSport
TRANSCRIBE = AITaskGetResponseResultAIResultsTranscribe
FAILURE = AITaskGetResponseResultAIResultsFailure

CATEGORIES = [
    ("nsfw", "block-nudity", AIContentmoderationNsfw, NSFW),
    ("nsfw", "clean", AIContentmoderationNsfw, NSFW),
    ("hard_nudity", "block-nudity", AIContentmoderationHardnudity, HARD),
    ("hard_nudity", "clean", AIContentmoderationHardnudity, HARD),
    ("soft_nudity", "block-nudity", AIContentmoderationSoftnudity, SOFT),
    ("sport", "sport", AIContentmoderationSport, SPORT),
    ("sport", "clean", AIContentmoderationSport, SPORT),
]


@pytest.fixture
def client(reelvet_sandbox):
    settings = reelvet_sandbox.settings("gcore")
    with Gcore(api_key=settings["api_key"], base_url=settings["base_url"], max_retries=0) as made:
        yield made


@pytest.fixture
async def async_client(reelvet_sandbox):
    settings = reelvet_sandbox.settings("gcore")
    async with AsyncGcore(api_key=settings["api_key"], base_url=settings["base_url"], max_retries=0) as made:
        yield made


def moderation(scenario, category, **more):
    return {"task_name": "content-moderation", "category": category, "url": f"{MAGIC}/{scenario}.mp4", **more}


@pytest.mark.parametrize(("category", "scenario", "data", "result"), CATEGORIES)
def test_each_category_is_created_listed_and_read_as_its_own_type(
    client, reelvet_sandbox, *, category, scenario, data, result
):
    created = client.streaming.ai_tasks.create(**moderation(scenario, category, client_entity_data="key-1"))
    reelvet_sandbox.clock.advance(1000)
    got = client.streaming.ai_tasks.get(created.task_id)
    assert type(got) is AITaskGetResponse
    assert type(got.result) is result
    assert (type(got.task_data), got.task_data.category) == (data, category)
    assert (got.status, got.progress, got.task_data.client_entity_data) == ("SUCCESS", 100, "key-1")
    assert bool(got.result.frames) is bool(got.result.detection_results) is (scenario != "clean")
    assert all(type(frame.frame_number) is int for frame in got.result.frames)
    assert got.processing_time.completed_at > got.processing_time.started_at
    assert not got.model_extra
    assert not got.result.model_extra
    (listed,) = client.streaming.ai_tasks.list(search="key-1").results
    assert (type(listed), type(listed.task_data), listed.task_id) == (AITask, data, created.task_id)


@pytest.mark.parametrize(("category", "scenario", "data", "result"), CATEGORIES)
async def test_the_same_with_their_async_client(async_client, reelvet_sandbox, *, category, scenario, data, result):
    tasks = async_client.streaming.ai_tasks
    created = await tasks.create(**moderation(scenario, category))
    reelvet_sandbox.clock.advance(1000)
    got = await tasks.get(created.task_id)
    assert (type(got.task_data), type(got.result), got.status) == (data, result, "SUCCESS")
    listed = [task async for task in tasks.list(task_id=created.task_id)]
    assert [type(task.task_data) for task in listed] == [data]


@pytest.mark.parametrize("more", [{}, {"audio_language": "eng"}, {"subtitles_language": "ger"}])
def test_transcription_and_translation(client, reelvet_sandbox, more):
    created = client.streaming.ai_tasks.create(
        task_name="transcription", url=f"{MAGIC}/speech-only.mp4", client_user_id="u1", **more
    )
    reelvet_sandbox.clock.advance(1000)
    got = client.streaming.ai_tasks.get(created.task_id)
    assert (type(got.task_data), type(got.result)) == (TaskDataAITranscribe, TRANSCRIBE)
    assert got.result.speech_detected is True
    assert len(got.result.subtitles) == 3
    assert got.result.vtt_content.startswith("WEBVTT\n\n1\n00:00:00.400 --> 00:00:03.600\n")
    assert got.result.concatenated_text
    assert got.result.languages == (list(more.values()) or ["eng", "ger"])
    assert got.task_data.client_user_id == "u1"


async def test_transcription_with_their_async_client(async_client, reelvet_sandbox):
    tasks = async_client.streaming.ai_tasks
    created = await tasks.create(task_name="transcription", url=f"{MAGIC}/clean.mp4", subtitles_language="ger")
    reelvet_sandbox.clock.advance(1000)
    got = await tasks.get(created.task_id)
    assert (type(got.result), got.result.speech_detected, got.result.subtitles) == (TRANSCRIBE, False, [])


def test_a_failure_and_a_task_that_waits(client, reelvet_sandbox):
    reelvet_sandbox.clock.pause()
    created = client.streaming.ai_tasks.create(**moderation("broken", "nsfw"))
    waiting = client.streaming.ai_tasks.get(created.task_id)
    assert (waiting.status, waiting.result, waiting.processing_time.started_at) == ("RECEIVED", None, None)
    reelvet_sandbox.clock.advance(1000)
    got = client.streaming.ai_tasks.get(created.task_id)
    assert (got.status, type(got.result)) == ("FAILURE", FAILURE)
    assert got.result.error == f"Unsupported file type: {MAGIC}/broken.mp4"


def test_every_status_on_the_way_is_one_that_their_model_knows(client, reelvet_sandbox):
    reelvet_sandbox.clock.pause()
    created = client.streaming.ai_tasks.create(**moderation("internal-error", "soft_nudity"))
    seen = set()
    for _ in range(200):
        got = client.streaming.ai_tasks.get(created.task_id)
        seen.add(AITaskGetResponse.model_validate(got.to_dict()).status)  # strictly, which their client is not
        reelvet_sandbox.clock.advance(0.1)
    assert seen == {"RECEIVED", "PENDING", "STARTED", "RETRY", "FAILURE"}


@pytest.mark.parametrize("category", ["nsfw", "hard_nudity", "soft_nudity", "sport"])
def test_cancelling(client, reelvet_sandbox, category):
    reelvet_sandbox.clock.pause()
    created = client.streaming.ai_tasks.create(**moderation("block-nudity", category))
    assert client.streaming.ai_tasks.cancel(created.task_id).result == "Task has been cancelled successfully."
    assert client.streaming.ai_tasks.get(created.task_id).status == "REVOKED"
    with pytest.raises(gcore.APIStatusError, match="already in status REVOKED") as caught:
        client.streaming.ai_tasks.cancel(created.task_id)
    assert caught.value.status_code == 412


def test_their_own_paging_finds_every_task_once(client, reelvet_sandbox):
    made = {client.streaming.ai_tasks.create(**moderation("clean", "nsfw")).task_id for _ in range(23)}
    found = [task.task_id for task in client.streaming.ai_tasks.list(limit=5)]
    assert len(found) == 23
    assert set(found) == made
    assert [r.query for r in reelvet_sandbox.requests("gcore") if r.operation == "list"][-1] == "limit=5&page=6"


def test_their_paging_runs_over_the_end_and_raises_where_that_is_a_404(client, reelvet_sandbox):
    """A misparse of theirs: `count` and `next` are not looked at."""
    reelvet_sandbox.set_up("gcore", past_the_end="not_found")
    client.streaming.ai_tasks.create(**moderation("clean", "nsfw"))
    pages = iter(client.streaming.ai_tasks.list())
    assert next(pages).task_id
    with pytest.raises(gcore.NotFoundError):
        next(pages)


async def test_their_async_paging(async_client):
    made = {(await async_client.streaming.ai_tasks.create(**moderation("clean", "sport"))).task_id for _ in range(12)}
    assert {task.task_id async for task in async_client.streaming.ai_tasks.list(ordering="task_id")} == made


def test_language_support(client):
    ask = client.streaming.ai_tasks.get_ai_settings
    assert ask(type="language_support", audio_language="eng", subtitles_language="fre").supported is True
    assert ask(type="language_support", audio_language="eng", subtitles_language="uzb").supported is False


async def test_videos_and_info_with_their_async_client(async_client):
    video = await async_client.streaming.videos.get(2002)
    assert (type(video), video.status) == (Video, "ready")
    ask = async_client.streaming.ai_tasks.get_ai_settings
    assert (await ask(type="language_support", audio_language="ger")).supported is True


@pytest.mark.parametrize("number", range(2001, 2008))
def test_every_stored_video_is_one_of_their_model(client, number):
    video = client.streaming.videos.get(number)
    assert type(video) is Video
    strictly = Video.model_validate(video.to_dict())
    assert strictly.id == number
    links = [rendition.mp4_url for rendition in strictly.converted_videos if rendition.mp4_url]
    assert len(links) == {2001: 3, 2002: 3, 2003: 3, 2004: 1}.get(number, 0)


def test_refusals_are_their_exceptions(client, reelvet_sandbox):
    create, ask = client.streaming.ai_tasks.create, moderation("clean", "nsfw")
    with pytest.raises(gcore.NotFoundError, match="Entity you are looking for"):
        client.streaming.ai_tasks.get("00000000-0000-0000-0000-000000000000")
    with pytest.raises(gcore.NotFoundError, match="Task not found"):
        client.streaming.ai_tasks.cancel("00000000-0000-0000-0000-000000000000")
    with pytest.raises(gcore.BadRequestError, match="Invalid config type"):
        client.streaming.ai_tasks.get_ai_settings(type="other")
    with pytest.raises(gcore.AuthenticationError, match="Bad permanent token: 29841"):
        client.with_options(api_key="29841").streaming.ai_tasks.list()
    reelvet_sandbox.set_up("gcore", queue=0)
    with pytest.raises(gcore.BadRequestError, match=r"Queue limit reached \(0\), try later\."):
        create(**ask)
    reelvet_sandbox.set_up("gcore", queue_status=429)
    with pytest.raises(gcore.RateLimitError, match="Queue limit reached"):
        create(**ask)
    reelvet_sandbox.set_up("gcore", feature_enabled=False)
    with pytest.raises(gcore.UnprocessableEntityError, match="Feature is disabled"):
        create(**ask)
    assert not reelvet_sandbox.tasks("gcore")


def test_a_create_that_is_cut_off_after_it_was_carried_out_is_paid_for_again_by_their_retries(reelvet_sandbox):
    """Why reelvet keeps a vendor's own retries off."""
    settings = reelvet_sandbox.settings("gcore")
    reelvet_sandbox.fault("gcore", "cut", operation="create", when="after", times=2)
    with Gcore(api_key=settings["api_key"], base_url=settings["base_url"]) as client:
        client.streaming.ai_tasks.create(**moderation("clean", "nsfw"))
    assert len(reelvet_sandbox.tasks("gcore")) == 3


# --- where their client takes one thing for another ---


def test_stop_objects_as_documented_make_their_client_take_the_task_for_a_transcription(client):
    """Their schema says one label, and the documentation a list with thresholds."""
    wanted = "FEMALE_GENITALIA_EXPOSED,FEMALE_BREAST_EXPOSED:0.50"
    created = client.streaming.ai_tasks.create(**moderation("clean", "hard_nudity", stop_objects=wanted))
    got = client.streaming.ai_tasks.get(created.task_id)
    assert type(got.task_data) is TaskDataAITranscribe
    assert got.task_data.to_dict()["stop_objects"] == wanted  # nothing is lost, only misnamed


def test_one_stop_object_is_the_right_type(client):
    created = client.streaming.ai_tasks.create(
        **moderation("clean", "hard_nudity", stop_objects="FEMALE_BREAST_EXPOSED")
    )
    assert type(client.streaming.ai_tasks.get(created.task_id).task_data) is AIContentmoderationHardnudity


@pytest.mark.parametrize("scenario", ["clean", "picture"])
def test_a_soft_result_that_a_hard_one_could_be_is_taken_for_it(client, reelvet_sandbox, scenario):
    """Empty, or with exposed labels only: nothing in the result tells them apart."""
    created = client.streaming.ai_tasks.create(**moderation(scenario, "soft_nudity"))
    reelvet_sandbox.clock.advance(1000)
    got = client.streaming.ai_tasks.get(created.task_id)
    assert (type(got.task_data), type(got.result)) == (AIContentmoderationSoftnudity, HARD)


def test_a_label_that_they_do_not_know_makes_a_transcription_of_it(client, reelvet_sandbox):
    created = client.streaming.ai_tasks.create(**moderation("sport", "sport"))
    reelvet_sandbox.clock.advance(1000)
    reelvet_sandbox.fault("gcore", "unknown_label", word="quidditch")
    got = client.streaming.ai_tasks.get(created.task_id)
    assert (type(got.result), got.result.speech_detected) == (TRANSCRIBE, None)
    assert "quidditch" in got.result.to_dict()["detection_results"]


def test_a_legacy_result_is_none_of_their_models(client, reelvet_sandbox):
    url = f"{MAGIC}/block-nudity.mp4"
    created = client.post("/streaming/ai/detect-nudity", body={"url": url}, cast_to=dict[str, object])
    reelvet_sandbox.clock.advance(1000)
    got = client.get(f"/streaming/ai/results/{created['task_id']}", cast_to=AITaskGetResponse)
    assert type(got.result) is TRANSCRIBE
    assert got.result.to_dict()["detection_results"][0]["class"] == "FEMALE_BREAST_EXPOSED"
