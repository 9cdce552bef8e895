"""Which fields our shapes and the models of the installed clients do not share, named one by one."""

from __future__ import annotations

import inspect
import re

import huaweicloudsdkmoderation.v3 as moderation
import huaweicloudsdkvcm.v2 as vcm
import pytest
from huaweicloudsdkmoderation.v3 import (
    AudioModerationResultDetail,
    AudioModerationResultRequestParams,
    AudioModerationResultRequestParamsData,
    AudioModerationResultResult,
    RunCreateVideoModerationJobResponse,
    RunQueryAudioModerationJobResponse,
    RunQueryVideoModerationJobResponse,
    VideoCreateRequest,
    VideoCreateRequestData,
    VideoModerationAudioDetailList,
    VideoModerationDetailSegment,
    VideoModerationImageDetail,
    VideoModerationImageDetailList,
    VideoModerationImageDetailListFaceLocation,
    VideoModerationImageDetailListQrLocation,
    VideoModerationResultRequestParams,
    VideoModerationResultRequestParamsData,
    VideoModerationResultResult,
    VideoModerationVideoDetail,
)
from huaweicloudsdkvcm.v2 import (
    CheckVideoJobResponse,
    CreateVideoJobReq,
    CreateVideoJobReqInput,
    CreateVideoJobResponse,
    CreateVideoJobResponseBody,
    InputData,
    InputVcn,
    ListVideoJobsResponse,
    Output,
    OutputDis,
    OutputHosting,
    OutputHostingObs,
    OutputLocalpath,
    OutputObs,
    OutputWebhook,
    ServiceConfig,
    ServiceConfigCommon,
    VideoJobResponse,
    VideoJobResponseHostingResult,
)

from reelvet import AsyncModerator, Config, ModerationJob
from reelvet_huawei import wire

# our shape, their model, theirs that we read as extras only (kept raw), ours that they lack
PAIRS = [
    (wire.Job, RunQueryVideoModerationJobResponse, set(), set()),
    (wire.Job, RunQueryAudioModerationJobResponse, set(), set()),
    (wire.Params, VideoModerationResultRequestParams, {"event_type"}, {"biz_type", "categories"}),
    (wire.Source, VideoModerationResultRequestParamsData, set(), set()),
    (wire.Frame, VideoModerationImageDetail, set(), set()),
    (wire.ImageHit, VideoModerationImageDetailList, set(), set()),
    (wire.Corners, VideoModerationImageDetailListFaceLocation, set(), set()),
    (wire.Corners, VideoModerationImageDetailListQrLocation, set(), set()),
    (wire.Sound, VideoModerationVideoDetail, set(), {"segments"}),
    (wire.Sound, AudioModerationResultDetail, set(), {"detail"}),
    (wire.SoundHit, VideoModerationAudioDetailList, set(), set()),
    (wire.VcmTask, CheckVideoJobResponse, {"description", "updated_at", "input", "service_version"}, {"status", "error"}),
    (wire.Common, ServiceConfigCommon, set(), set()),
    (wire.Place, OutputObs, set(), set()),
    (wire.VcmTask, VideoJobResponse, {"description", "updated_at", "input", "service_version"}, {"status", "error"}),
    (wire.Output, Output, {"dis", "webhook", "localpath"}, set()),
    (wire.ServiceConfig, ServiceConfig, set(), set()),
    (wire.Params, AudioModerationResultRequestParams, {"event_type"}, {"biz_type", "image_categories", "audio_categories"}),
    (wire.Source, AudioModerationResultRequestParamsData, set(), {"frame_interval"}),
    (wire.HostingResult, VideoJobResponseHostingResult, {"obs"}, {"overdueDate", "overdue_date"}),
]  # fmt: skip


def names_of(model):
    found = set()
    for name, field in model.model_fields.items():
        alias = field.validation_alias
        found |= {str(choice) for choice in alias.choices} - {"overdue", "craete_time"} if alias is not None else {name}
    return found


@pytest.mark.parametrize(("our", "their", "unread", "unknown"), PAIRS, ids=lambda value: getattr(value, "__name__", ""))
def test_the_difference_is_the_one_that_is_named(our, their, unread, unknown):
    ours, theirs = names_of(our), set(their.attribute_map.values())
    assert theirs - ours == unread
    assert ours - theirs == unknown


# their model -> the fields of it that are read by name, without a shape of their own
BY_NAME = {
    VideoModerationResultResult: {"suggestion", "image_detail", "audio_detail"},
    AudioModerationResultResult: {"suggestion", "details"},
    VideoModerationDetailSegment: {"segment"},
    ListVideoJobsResponse: {"tasks", "count"},
    CreateVideoJobResponseBody: {"id"},
    CreateVideoJobResponse: {"body"},  # where their client puts the list
    RunCreateVideoModerationJobResponse: {"job_id"},
}
UNREAD = {AudioModerationResultResult: {"audio_text"}, RunCreateVideoModerationJobResponse: {"request_id"}}
"""What is read nowhere, and kept raw: the segments' words again as one text, and the id of a request."""


@pytest.mark.parametrize("their", BY_NAME, ids=lambda value: value.__name__)
def test_what_is_read_by_name_is_all_there_is(their):
    assert set(their.attribute_map.values()) == BY_NAME[their] | UNREAD.get(their, set())


def test_no_model_of_theirs_for_video_is_left_out():
    """Those of images, texts and of jobs of audio alone, which are not submitted, are of other services."""
    others = re.compile(
        r"Image|Img|Text|FaceLocationDetail|QRLocationDetail|^Audio|AudioJob|AudioModerationJob|DeleteDemoInfo|Segment(Result)$"
    )
    envelopes = re.compile(r"Request$|^DeleteVideoJobResponse$")  # parameters of the path; a reply that says nothing
    named = {their for _, their, _, _ in PAIRS} | {their for _, their, _, _ in SENT} | set(BY_NAME) | NEVER_SENT
    models = [
        model
        for module in (vcm, moderation)
        for model in vars(module).values()
        if inspect.isclass(model) and hasattr(model, "attribute_map")
    ]
    left = {m.__name__ for m in models if m not in named and not others.search(m.__name__)}
    assert not {name for name in left if not envelopes.search(name)}


# --- what we send ---


def body(api, media="obs://bkt/a.mp4", options=(), **settings):
    """The body of a job that uses every field of an API."""
    table = {"api": api, "region": "cn-north-4", **settings}
    moderator = AsyncModerator(Config.parse({"use": "huawei", "providers": {"huawei": table}}), credentials=False)
    job = ModerationJob(
        media=media, key="k", interval=7, language="zh", options={"huawei": dict(options)}, callback={"url": "https://me.example"}
    )  # fmt: skip
    return moderator.plan(job).tasks[0].payload


V2 = {"description": "d", "index": 0, "hosting": True, "upload": True}
OBS = {"obs_output": "obs://bkt/out/"}
SENT = [
    # the part of a body, their model, theirs that we never send, ours that they lack
    (lambda: body("v2", options=V2, **OBS), CreateVideoJobReq, set(), set()),
    (lambda: body("v2", options=V2, **OBS)["input"], CreateVideoJobReqInput, {"vcn"}, set()),
    # The other members are of edge devices, and of inputs that the page of video moderation does not name.
    (lambda: body("v2", options=V2, **OBS)["input"]["data"][0] | body("v2", "https://h.example/a", V2, **OBS)["input"]["data"][0],
     InputData, {"id", "stream_name", "node_id", "certificate_check", "rtsp_path_in_response", "device_id"}, {"index"}),
    (lambda: body("v2", options=V2, **OBS)["output"], Output, {"dis", "webhook", "localpath"}, set()),
    (lambda: body("v2", options=V2, **OBS)["output"]["obs"], OutputObs, set(), set()),
    (lambda: body("v2", options=V2, **OBS)["output"]["hosting"], OutputHosting, {"obs", "result_json_overdue_at", "check_obs_after_end_state"}, set()),
    (lambda: body("v2", options=V2, **OBS)["service_config"]["common"], ServiceConfigCommon, set(), set()),
    (lambda: body("v3", seed="s") | body("v3", biz_type="p", biz_types={"p": {"covers": [{"labels": ["sexual"], "channels": ["visual"]}]}}), VideoCreateRequest, set(), set()),
    (lambda: body("v3")["data"], VideoCreateRequestData, set(), set()),
]  # fmt: skip


NEVER_SENT = {InputVcn, OutputDis, OutputHostingObs, OutputLocalpath, OutputWebhook}
"""Of inputs and outputs that the page of video moderation does not name, and what the vendor fills in itself."""


@pytest.mark.parametrize(("sent", "their", "unsent", "unknown"), SENT, ids=lambda value: getattr(value, "__name__", ""))
def test_the_difference_of_what_is_sent_is_the_one_that_is_named(sent, their, unsent, unknown):
    ours, theirs = set(sent()), set(their.attribute_map.values())
    assert theirs - ours == unsent
    assert ours - theirs == unknown
