"""Huawei's own Python clients, unmodified, against the emulator: what they send it takes, what it says they understand.

They sign by themselves, look up the project at IAM, and parse every reply into their models. Where they lose or rename
something, that is asserted as what it is.
"""

import json
from datetime import datetime
from typing import get_args

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException, ServerResponseException
from huaweicloudsdkmoderation.v3 import (
    AudioCreateRequest,
    AudioInputBody,
    ModerationAsyncClient,
    ModerationClient,
    RunCreateAudioModerationJobRequest,
    RunCreateVideoModerationJobRequest,
    RunQueryAudioModerationJobRequest,
    RunQueryVideoModerationJobRequest,
    VideoCreateRequest,
    VideoCreateRequestData,
)
from huaweicloudsdkvcm.v2 import (
    CheckAudioJobRequest,
    CheckVideoJobRequest,
    CreateVideoJobReq,
    CreateVideoJobReqInput,
    CreateVideoJobRequest,
    DeleteVideoJobRequest,
    InputData,
    ListVideoJobsRequest,
    Output,
    OutputHosting,
    OutputObs,
    ServiceConfig,
    ServiceConfigCommon,
    VcmAsyncClient,
    VcmClient,
)

from reelvet_huawei.sandbox import AK, PROJECT_ID, SK
from reelvet_huawei.sandbox.switches import State

# Their signer asks for the time in a way that Python 3.12 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")

MAGIC = "https://sandbox.reelvet.example"


@pytest.fixture
def client(reelvet_sandbox):
    """Makes one of their clients, by endpoint and with a project, as most do."""
    reelvet_sandbox.set_up("huawei", per_second=None)

    def make(kind, credentials=None):
        chosen = credentials or BasicCredentials(AK, SK, PROJECT_ID)
        return kind.new_builder().with_credentials(chosen).with_endpoint(reelvet_sandbox.base_url("huawei")).build()

    return make


def task(scenario="block-nudity", *, output=None, **more):
    common = ServiceConfigCommon(
        frame_interval=5, categories="porn,terrorism,politics", text_categories="porn,politics,ad,abuse", use_ocr="true", use_sis="true",
        upload="false",
    )  # fmt: skip
    source = CreateVideoJobReqInput(type="url", data=[InputData(url=f"{MAGIC}/{scenario}.mp4")])
    fields = {"name": "task-1", "description": "审核", "service_version": "1.2"} | more
    body = CreateVideoJobReq(
        input=source,
        output=output or Output(hosting=OutputHosting()),
        service_config=ServiceConfig(common=common),
        **fields,
    )
    return CreateVideoJobRequest(body=body)


def job(scenario="block-nudity", **more):
    data = VideoCreateRequestData(url=f"{MAGIC}/{scenario}.mp4", frame_interval=5)
    fields = {
        "event_type": "default", "image_categories": ["porn", "politics", "terrorism", "image_text"],
        "audio_categories": ["porn", "ad", "politics", "moan", "abuse"],
    } | more  # fmt: skip
    return RunCreateVideoModerationJobRequest(body=VideoCreateRequest(data=data, **fields))


# --- v2 ---


def test_v2_from_create_to_delete(client, reelvet_sandbox):
    vcm = client(VcmClient)
    (made,) = vcm.create_video_job(task()).body
    reelvet_sandbox.clock.advance(1000)
    (received,) = reelvet_sandbox.requests("huawei")
    assert received.status == 201
    assert reelvet_sandbox.tasks("huawei")[0].data["output"] == {"hosting": {}}

    listed = vcm.list_video_jobs(ListVideoJobsRequest())
    assert listed.count == 1
    assert (listed.tasks[0].id, listed.tasks[0].state) == (made.id, "SUCCEEDED")

    found = vcm.check_video_job(CheckVideoJobRequest(task_id=made.id))
    assert (found.id, found.name, found.description, found.state) == (made.id, "task-1", "审核", "SUCCEEDED")
    assert (found.service_version, found.service_config["common"]["frame_interval"]) == ("1.2", 5)
    assert found.hosting_result.status == "AVAILABLE"
    result = json.loads(found.hosting_result.data)["result"]
    assert result["suggestion"] == "block"
    assert result["frames"][0]["suspect_categories"] == ["porn"]
    assert found.updated_at > found.created_at

    gone = vcm.delete_video_job(DeleteVideoJobRequest(task_id=made.id))
    assert gone.status_code == 202
    reelvet_sandbox.clock.advance(10)
    with pytest.raises(ClientRequestException) as caught:
        vcm.check_video_job(CheckVideoJobRequest(task_id=made.id))
    assert (caught.value.status_code, caught.value.error_code) == (404, "IVA.0005")
    assert (
        caught.value.error_msg
        == f"The requested resource is NOT found. Task {made.id} is not found under service video-moderation."
    )
    assert len(caught.value.request_id) == 32


def test_v2_into_a_bucket(client, reelvet_sandbox):
    vcm = client(VcmClient)
    output = Output(obs=OutputObs(bucket="mine", path="output/"))
    (made,) = vcm.create_video_job(task(output=output)).body
    reelvet_sandbox.clock.advance(1000)
    found = vcm.check_video_job(CheckVideoJobRequest(task_id=made.id))
    assert (found.state, found.hosting_result) == ("SUCCEEDED", None)
    assert vcm.delete_video_job(DeleteVideoJobRequest(task_id=made.id)).status_code == 200


def test_v2_every_state_passes_their_model(client, reelvet_sandbox):
    vcm = client(VcmClient)
    (made,) = vcm.create_video_job(task()).body
    for state in get_args(State):
        reelvet_sandbox.set_up("huawei", state=state)
        assert vcm.check_video_job(CheckVideoJobRequest(task_id=made.id)).state == state


def test_v2_what_their_model_loses_of_a_hosted_result(client, reelvet_sandbox):
    vcm = client(VcmClient)
    (made,) = vcm.create_video_job(task("clean")).body
    reelvet_sandbox.clock.advance(1000)
    found = vcm.check_video_job(CheckVideoJobRequest(task_id=made.id))
    raw = json.loads(found.raw_content)
    assert set(raw["hosting_result"]) == {"data", "fileSize", "overdueDate", "status"}
    assert found.hosting_result.result_json_overdue_at is None


def test_v2_has_no_service_for_audio_here(client):
    with pytest.raises(ClientRequestException) as caught:
        client(VcmClient).check_audio_job(CheckAudioJobRequest(task_id="0" * 32))
    assert (caught.value.status_code, caught.value.error_code) == (404, "IVA.0005")


def test_v2_refusals_are_their_exceptions(client, reelvet_sandbox):
    vcm = client(VcmClient)
    with pytest.raises(ClientRequestException, match="does not match") as caught:
        vcm.create_video_job(task(name="a b"))
    assert (caught.value.status_code, caught.value.error_code) == (400, "IVA.0004")
    reelvet_sandbox.set_up("huawei", subscribed=False)
    with pytest.raises(ClientRequestException, match="Please subscribe first") as caught:
        vcm.list_video_jobs(ListVideoJobsRequest())
    assert (caught.value.status_code, caught.value.error_code) == (403, "IVA.0007")
    reelvet_sandbox.fault("huawei", "server_error", status=500)
    with pytest.raises(ServerResponseException) as server:
        vcm.list_video_jobs(ListVideoJobsRequest())
    assert (server.value.status_code, server.value.error_code) == (500, "IVA.0006")


def test_v2_with_their_async_client(client, reelvet_sandbox):
    """Futures of a pool of threads."""
    vcm = client(VcmAsyncClient)
    futures = [vcm.create_video_job_async(task(name=f"task-{number}")) for number in range(12)]
    made = {future.result().body[0].id for future in futures}
    assert len(made) == 12
    reelvet_sandbox.clock.advance(1000)
    listed = vcm.list_video_jobs_async(ListVideoJobsRequest()).result()
    assert {item.id for item in listed.tasks} == made


def test_days_may_pass_by_hand_while_they_sign_by_the_wall(client, reelvet_sandbox):
    vcm = client(VcmClient)
    (made,) = vcm.create_video_job(task()).body
    reelvet_sandbox.clock.advance(50 * 3600)
    found = vcm.check_video_job(CheckVideoJobRequest(task_id=made.id))
    assert (found.hosting_result.status, found.hosting_result.data) == ("OVERDUE", None)


# --- v3 ---


def test_v3_video(client, reelvet_sandbox):
    moderation = client(ModerationClient)
    reelvet_sandbox.clock.pause()
    made = moderation.run_create_video_moderation_job(job(param_callback="http://127.0.0.1:9/hook", seed="s3ed"))
    ask = RunQueryVideoModerationJobRequest(job_id=made.job_id)
    running = moderation.run_query_video_moderation_job(ask)
    assert (running.status, running.result) == ("running", None)
    assert running.request_params.data.url == f"{MAGIC}/block-nudity.mp4"
    assert running.request_params.param_callback == "http://127.0.0.1:9/hook"
    reelvet_sandbox.clock.advance(1000)
    found = moderation.run_query_video_moderation_job(ask)
    assert (found.status, found.job_id, found.result.suggestion) == ("succeeded", made.job_id, "block")
    frame = found.result.image_detail[0]
    assert (frame.category, frame.suggestion, frame.time) == ("porn", "block", 10.0)
    assert (frame.detail[0].label, frame.detail[0].confidence) == ("pornography", 0.97)
    assert found.result.audio_detail == []


def test_v3_faces_codes_text_and_sound_reach_their_models(client, reelvet_sandbox):
    box = {"x": 0.1, "y": 0.1, "width": 0.2, "height": 0.2}
    events = [
        {"label": "politics.figure", "end": 4, "score": 0.9, "box": box},
        {"label": "spam.advertising.qr_code", "end": 4, "score": 0.9, "box": box, "text": "https://example.com"},
        {"label": "harassment.abuse", "end": 4, "score": 0.9, "channel": "ocr", "text": "you fool", "matches": ["fool"]},
        {"label": "harassment.abuse", "end": 4, "score": 0.9, "channel": "speech", "text": "you fool", "matches": ["fool"]},
    ]  # fmt: skip
    reelvet_sandbox.scenario(None, {"name": "much", "events": events})
    moderation = client(ModerationClient)
    made = moderation.run_create_video_moderation_job(job("much"))
    reelvet_sandbox.clock.advance(1000)
    found = moderation.run_query_video_moderation_job(RunQueryVideoModerationJobRequest(job_id=made.job_id)).result
    face, code, text = found.image_detail[0].detail
    assert (face.face_location.top_left_x, face.face_location.bottom_right_y) == (128, 216)
    assert (code.qr_content, code.qr_location.top_left_x) == ("https://example.com", 128)
    assert [segment.segment for segment in text.segments] == ["fool"]
    assert found.image_detail[0].ocr_text == "you fool"
    sound = found.audio_detail[0]
    assert (sound.label, sound.start_time, sound.end_time, sound.detail[0].confidence) == ("abuse", 0.0, 10.0, 0.9)


def test_v3_audio(client, reelvet_sandbox):
    moderation = client(ModerationClient)
    body = AudioCreateRequest(
        data=AudioInputBody(url=f"{MAGIC}/clean.mp4"), event_type="default", categories=["porn", "ad"]
    )
    made = moderation.run_create_audio_moderation_job(RunCreateAudioModerationJobRequest(body=body))
    reelvet_sandbox.clock.advance(1000)
    found = moderation.run_query_audio_moderation_job(RunQueryAudioModerationJobRequest(job_id=made.job_id))
    assert (found.status, found.result.suggestion, found.result.details) == ("succeeded", "pass", [])
    assert found.request_params.categories == ["porn", "ad"]


def test_v3_failed_and_refused(client, reelvet_sandbox):
    moderation = client(ModerationClient)
    made = moderation.run_create_video_moderation_job(job("broken"))
    reelvet_sandbox.clock.advance(1000)
    found = moderation.run_query_video_moderation_job(RunQueryVideoModerationJobRequest(job_id=made.job_id))
    assert (found.status, found.result) == ("failed", None)
    with pytest.raises(ClientRequestException) as caught:
        moderation.run_query_video_moderation_job(RunQueryVideoModerationJobRequest(job_id="nobody"))
    assert (caught.value.status_code, caught.value.error_code, caught.value.error_msg) == (
        400,
        "AIS.0030",
        "Job not found",
    )
    with pytest.raises(ClientRequestException, match="event_type is incorrect") as caught:
        moderation.run_create_video_moderation_job(job(event_type="other"))
    assert caught.value.error_code == "AIS.0401"


def test_v3_by_a_policy(client, reelvet_sandbox):
    moderation = client(ModerationClient)
    more = {"event_type": None, "image_categories": None, "audio_categories": None, "biz_type": "reels_1"}
    made = moderation.run_create_video_moderation_job(job(**more))
    found = moderation.run_query_video_moderation_job(RunQueryVideoModerationJobRequest(job_id=made.job_id))
    assert (found.request_params.event_type, found.request_params.image_categories) == (None, None)


def test_v3_with_their_async_client(client):
    moderation = client(ModerationAsyncClient)
    futures = [moderation.run_create_video_moderation_job_async(job()) for _ in range(12)]
    assert len({future.result().job_id for future in futures}) == 12


# --- where they lose something ---


def test_a_get_that_is_throttled_loses_code_and_request_id(client, reelvet_sandbox):
    reelvet_sandbox.fault("huawei", "too_many", operation="list_v2")
    with pytest.raises(ClientRequestException) as caught:
        client(VcmClient).list_video_jobs(ListVideoJobsRequest())
    assert (caught.value.status_code, caught.value.error_code, caught.value.request_id) == (429, "429", "")


def test_a_create_that_is_throttled_keeps_them(client, reelvet_sandbox):
    reelvet_sandbox.fault("huawei", "too_many", operation="create_v3")
    with pytest.raises(ClientRequestException) as caught:
        client(ModerationClient).run_create_video_moderation_job(job())
    assert (caught.value.status_code, caught.value.error_code) == (429, "APIG.0308")
    assert len(caught.value.request_id) == 32


def test_a_reply_that_is_no_json_is_an_empty_object_and_no_error(client, reelvet_sandbox):
    """Why reelvet reads replies by itself."""
    made = client(ModerationClient).run_create_video_moderation_job(job())
    reelvet_sandbox.fault("huawei", "not_json", operation="get_v3")
    found = client(ModerationClient).run_query_video_moderation_job(
        RunQueryVideoModerationJobRequest(job_id=made.job_id)
    )
    assert (found.status, found.job_id) == (None, None)


def test_dates_are_text_to_them(client):
    made = client(ModerationClient).run_create_video_moderation_job(job())
    found = client(ModerationClient).run_query_video_moderation_job(
        RunQueryVideoModerationJobRequest(job_id=made.job_id)
    )
    assert datetime.fromisoformat(found.create_time).tzinfo is not None
