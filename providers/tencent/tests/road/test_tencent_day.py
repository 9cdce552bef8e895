"""A stream of a day and a night: as little memory at its end as after its first hours."""

from __future__ import annotations

import gc
import json
import tracemalloc

from reelvet import AsyncModerator, Config, ModerationJob, Status
from reelvet.http import Reply
from reelvet.moderator import seen
from reelvet.moderator.instance import Instance

DAY, BEGAN = 24 * 3600, 1_793_527_200  # 2026-11-01T10:00:00Z
LOOKS, LISTED = 160, 2
"""How often it is looked at, and how many of the latest hits a reply lists."""


class Vendor:
    """A session whose vendor watches a stream, and finds something new each time it is asked."""

    def __init__(self):
        self.looks = 0
        self.memory = []

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        """Nothing to close."""

    async def room(self, operation):
        """There is."""

    async def send(self, request):
        body = json.loads(request.content)
        if "Tasks" in body:
            told = {"Results": [{"DataId": body["Tasks"][0]["DataId"], "TaskId": "w-1", "Code": "OK"}]}
        else:
            self.looks += 1
            if self.looks == 1:
                tracemalloc.start()
            if self.looks in {LOOKS // 4, LOOKS}:
                gc.collect()
                self.memory.append(tracemalloc.get_traced_memory()[0])
            told = self._detail(self.looks)
        return Reply(200, content=json.dumps({"Response": {**told, "RequestId": f"r-{self.looks}"}}).encode())

    def _detail(self, look):
        every = DAY // LOOKS
        offsets = [BEGAN + number * every for number in range(max(look - LISTED, 0), look)]
        hit = {
            "HitFlag": 1,
            "Label": "Porn",
            "Suggestion": "Block",
            "Score": 99,
            "Url": f"https://h.example/{look}.jpg",
        }
        slices = [{"OffsetTime": str(offset), "Result": {"HitFlag": 0, "Label": "Normal", "Suggestion": "Pass", "Text": f"said at {offset}"}} for offset in offsets]  # fmt: skip
        return {
            "TaskId": "w-1", "Type": "LIVE_VIDEO", "Status": "FINISH" if look == LOOKS else "RUNNING", "Suggestion": "Block", "Label": "Porn",
            "ImageSegments": [{"OffsetTime": str(offset), "Result": hit} for offset in offsets], "AudioSegments": slices,
        }  # fmt: skip


async def test_a_stream_of_a_day_does_not_grow_in_memory(monkeypatch):
    vendor = Vendor()
    monkeypatch.setattr(Instance, "_session", lambda *_, **__: vendor)
    monkeypatch.setattr(seen.Seen.__init__, "__defaults__", (40,))  # digests that are kept
    covers = [{"labels": ["sexual.explicit.pornography"], "channels": ["visual", "speech"]}]
    table = {"secret_id": "AKIDx", "secret_key": "x", "region": "ap-guangzhou", "biz_types": {"reels_1": {"covers": covers}}}  # fmt: skip
    config = Config.parse({"use": "tencent", "providers": {"tencent": table}, "polling": {"first": 1e-6, "most": 1e-6}})
    told = 0
    try:
        async with AsyncModerator(config) as moderator:
            job = ModerationJob(
                media={"url": "rtmp://live.example.com/a", "kind": "live"},
                detect=["sexual.explicit.pornography"],
                transcript={},
            )
            async for delta in moderator.watch(await moderator.submit(job)):
                told += len(delta.findings)
    finally:
        tracemalloc.stop()
    assert (delta.status, told, vendor.looks) == (Status.SUCCEEDED, LOOKS, LOOKS)
    grown = vendor.memory[1] - vendor.memory[0]
    assert grown < 200_000, (
        grown
    )  # caches of a few hundred short strings; the findings of each look would be four times that
