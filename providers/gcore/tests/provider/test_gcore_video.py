"""Which file of one of Gcore's own videos is taken, and why there may be none."""

from __future__ import annotations

import pytest

from reelvet.schema.errors import FeatureDisabled, MediaRejected
from reelvet_gcore.video import choose


def video(*renditions, status="ready"):
    items = [{"height": h, "status": s, "mp4_url": u} for h, s, u in renditions]
    return {"id": 7, "status": status, "converted_videos": items}


def ready(height):
    return (height, "complete", f"https://v.example/{height}.mp4")


@pytest.mark.parametrize(
    ("renditions", "height", "taken"),
    [([ready(360), ready(720), ready(480)], 480, 480), ([ready(360), ready(720)], 480, 720), ([ready(240), ready(360)], 480, 360),
     ([ready(360), ready(480)], 720, 480), ([ready(None), ready(360)], 480, 360), ([ready("480"), ready(720)], 480, "480"),
     ([ready(480), (720, "processing", None)], 480, 480), ([ready(720), (480, "error", None)], 480, 720)],
)  # fmt: skip
def test_the_lowest_rendition_at_or_above_the_height_is_taken(renditions, height, taken):
    assert choose(video(*renditions), height=height) == f"https://v.example/{taken}.mp4"


def test_the_published_video(sample):
    assert choose(sample("resp_video"), height=480).endswith("_h264_800_468.mp4")
    assert choose(sample("legacy_video_nudity_page"), height=480).startswith("https://")


@pytest.mark.parametrize(
    "reply",
    [video(status="pending"), video(status="empty"), video((480, "processing", None), status="viewable"), video(ready(360), (480, "processing", None)),
     video((480, "processing", "https://v.example/480.mp4")), {"id": 7}, {}, None, [], {"id": 7, "status": None, "converted_videos": None}],
)  # fmt: skip
def test_a_video_still_being_transcoded_can_be_waited_for(reply):
    with pytest.raises(MediaRejected, match=r"still being transcoded.*wait_for_mp4") as caught:
        choose(reply, height=480)
    assert (caught.value.retryable, caught.value.created) == (True, "no")


@pytest.mark.parametrize("status", ["ready", "viewable", "something new"])
@pytest.mark.parametrize("renditions", [[], [(480, "complete", None)], [(480, "complete", "")]])
def test_an_account_without_mp4_is_told_apart_with_whom_to_ask(status, renditions):
    with pytest.raises(FeatureDisabled, match=r"MP4 is not enabled.*support@gcore.com") as caught:
        choose(video(*renditions, status=status), height=480)
    assert not caught.value.retryable


def test_a_broken_video_is_not_waited_for():
    with pytest.raises(MediaRejected, match="could not be transcoded") as caught:
        choose(video(status="error"), height=480)
    assert not caught.value.retryable
