"""Which fields our shapes of the replies and the models of the installed clients do not share, named one by one."""

from __future__ import annotations

import pytest
from huaweicloudsdkmoderation.v3 import (
    AudioModerationResultDetail,
    RunQueryAudioModerationJobResponse,
    RunQueryVideoModerationJobResponse,
    VideoModerationAudioDetailList,
    VideoModerationImageDetail,
    VideoModerationImageDetailList,
    VideoModerationImageDetailListFaceLocation,
    VideoModerationImageDetailListQrLocation,
    VideoModerationResultRequestParams,
    VideoModerationResultRequestParamsData,
    VideoModerationVideoDetail,
)
from huaweicloudsdkvcm.v2 import (
    CheckVideoJobResponse,
    OutputObs,
    ServiceConfigCommon,
    VideoJobResponseHostingResult,
)

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
