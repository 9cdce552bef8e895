"""What a signed call to Huawei Cloud costs, against the vendor's own client in threads, over loopback.

    uv run --group oracles python benchmarks/huawei_calls.py

One server in a process of its own answers both, with the same bytes. They send it the same job and sign with the same keys,
each on connections that it keeps, and with what they do by default: retries, time limits, headers.

- reelvet: `HuaweiProvider.submit` of one task of v3 and `HuaweiProvider.fetch`, over the `Session` that the moderator lends it.
- `huaweicloudsdkmoderation`: `run_create_video_moderation_job` and `run_query_video_moderation_job` of its synchronous
  `ModerationClient`, as many threads as calls at a time. By default it keeps 10 connections; further ones it opens each time.

Per round both do the same calls in turn; the median over the rounds of each counts. Targets, at 1, 10 and 100 calls at a time:
at most 0.7 of its CPU time per call (of this process, so without the server's), and at least 1.5 times its calls per second.
The latter is wall time, which neighbours disturb: `of best` compares the best rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import warnings
from functools import partial

import loopback
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkmoderation.v3 import (
    ModerationClient,
    RunCreateVideoModerationJobRequest,
    RunQueryVideoModerationJobRequest,
    VideoCreateRequest,
    VideoCreateRequestData,
)

from reelvet import ModerationJob
from reelvet.http import Session
from reelvet.plugins import Created, ProviderContext
from reelvet_huawei.provider import HuaweiProvider
from reelvet_huawei.settings import HuaweiSettings

CPU, RATES = 0.7, {1: 1.5, 10: 1.5, 100: 1.5}
AK, SK, PROJECT = "AKEXAMPLE0000000", "sk/Example+Secret=00", "0bcc05efb100f2a92f53c011f262dfa0"
ID = "01662810-5b5b-4b3c-8d9e-0bcc05efb100"
URL = "https://b.obs.cn-north-4.myhuaweicloud.com/clip.mp4"

CREATED = {"job_id": ID, "request_id": "419699a6bf1d1a6f2f6d5d1a8f5c2d0e"}
JOB = {
    "job_id": ID,
    "status": "succeeded",
    "request_id": "419699a6bf1d1a6f2f6d5d1a8f5c2d0e",
    "create_time": "2022-07-30T08:57:11.011Z",
    "update_time": "2022-07-30T08:57:14.014Z",
    "request_params": {
        "data": {"url": URL, "frame_interval": 5},
        "event_type": "default",
        "image_categories": ["porn"],
    },
    "result": {
        "suggestion": "block",
        "image_detail": [
            {
                "suggestion": "block",
                "category": "porn",
                "time": time,
                "detail": [
                    {
                        "confidence": 0.676015138626099,
                        "label": "pornography",
                        "suggestion": "block",
                        "category": "porn",
                    },
                    {
                        "confidence": 0.666015138626099,
                        "label": "sexy_female",
                        "suggestion": "review",
                        "category": "porn",
                    },
                ],
            }
            for time in (0, 5, 10, 15)
        ],
    },
}
"""Replies as documented: https://support.huaweicloud.com/api-moderation/moderation_03_0072.html."""
_REPLIES = [json.dumps(reply).encode() for reply in (CREATED, JOB)]


def answer(head):
    return (200, _REPLIES[0] if head.startswith(b"post") else _REPLIES[1])


@contextlib.asynccontextmanager
async def reelvet(url):
    """Calls as the moderator makes them: the same settings, and a session made as it makes one."""
    context = ProviderContext("huawei", session=partial(Session, instance="huawei", provider="huawei"))
    # The rate would be kept to; what is measured here is how fast calls can be, so one is set that is never reached.
    settings = HuaweiSettings(
        ak=AK, sk=SK, region="cn-north-4", project_id=PROJECT, base_url=url, requests_per_second=1_000_000
    )
    provider = HuaweiProvider(settings, context)
    (task,) = provider.plan(ModerationJob(media=URL, detect=("sexual.explicit.pornography",), key="k")).tasks

    async def create():
        (outcome,) = await provider.submit([task])
        assert isinstance(outcome, Created), outcome
        return outcome.ref

    async def get():
        return await provider.fetch(ref)

    await provider.open()
    try:
        ref = await create()
        assert ref.id == ID
        assert (await get()).payload == JOB
        yield {"create": create, "get": get}, task.payload
    finally:
        await provider.close()


def huawei(url, payload):
    client = (
        ModerationClient.new_builder().with_credentials(BasicCredentials(AK, SK, PROJECT)).with_endpoint(url).build()
    )
    told = {**payload, "data": VideoCreateRequestData(**payload["data"])}
    asked = RunCreateVideoModerationJobRequest(body=VideoCreateRequest(**told))
    looked = RunQueryVideoModerationJobRequest(job_id=ID)
    create, get = (
        partial(client.run_create_video_moderation_job, asked),
        partial(client.run_query_video_moderation_job, looked),
    )
    assert create().job_id == ID
    assert get().result.suggestion == "block"
    return {"create": create, "get": get}


async def run(url, calls, rounds):
    async with reelvet(url) as (ours, payload):
        theirs = huawei(url, payload)
        told = await loopback.seen(url)
        assert len({json.dumps(json.loads(body), sort_keys=True) for body in told["bodies"]}) == 1, told["bodies"]
        times = await loopback.compare(ours, theirs, calls, rounds)
        return times, await loopback.seen(url)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--calls", type=int, default=300, help="per round, operation and concurrency")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        loopback.serve(answer)
        return
    warnings.simplefilter("ignore", DeprecationWarning)  # of the vendor's client
    logging.getLogger("urllib3").setLevel(logging.ERROR)  # tells of each connection beyond the ten that it keeps
    with loopback.server(__file__) as url:
        times, told = asyncio.run(run(url, options.calls, options.rounds))
    loopback.show(times, options.calls, options.rounds, told, cpu=CPU, rates=RATES)


if __name__ == "__main__":
    main()
