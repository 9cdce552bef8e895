"""The same flaky network for the vendors' own clients, with their retries on, and for reelvet: who pays twice, who loses what?

    python examples/drill.py --jobs 40

Needs the sandbox (`reelvet[sandbox]`), the providers, and whichever of the vendors' clients is to be compared: `gcore`,
`tencentcloud-sdk-python-vm`, `huaweicloudsdkvcm`, `huaweicloudsdkmoderation`. What is not installed is left out. No account
is needed, and nothing leaves this machine.

Of the requests that create something, every fifth that the vendor has carried out loses its answer, every seventh is lost on
the way there, and every eleventh is carried out and answered with a gateway's 503. Lists show a new task after a quarter of a
second, and hold others whose key contains the one that is looked for.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import json
import re
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reelvet import AsyncModerator, Config, ModerationJob
from reelvet.sandbox import Sandbox
from reelvet.schema.errors import ReelvetError

if TYPE_CHECKING:
    from collections.abc import Callable

RETRIES = 3
FAULTS = (
    (5, {"kind": "cut", "when": "after"}),
    (7, {"kind": "cut", "when": "before"}),
    (11, {"kind": "server_error", "status": 503, "when": "after", "body": "html"}),
)
LAG, AFTER = 0.25, 1.0
"""Seconds by which lists lag, and after which reelvet sends again what the vendor does not have."""


@dataclass(frozen=True)
class Account:
    """Where jobs go."""

    name: str
    provider: str
    create: str
    """What the emulator calls the request that creates something."""
    client: str
    """The module of the vendor's own client."""
    submit: Callable[[dict[str, Any]], tuple[Callable[[str], str], type[Exception]]]
    """Settings -> a function that submits a video with the vendor's own client and gives the id, and how it fails."""
    settings: dict[str, Any] = field(default_factory=dict)


# --- the vendors' own clients, each with the retries that it offers ---


def with_gcore(settings):
    from gcore import APIError, Gcore

    streaming = Gcore(api_key=settings["api_key"], base_url=settings["base_url"], max_retries=RETRIES).streaming

    def submit(url):
        return streaming.ai_tasks.create(url=url, task_name="content-moderation", category="hard_nudity").task_id

    return submit, APIError


def with_tencent(settings):
    from tencentcloud.common.credential import Credential
    from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
    from tencentcloud.common.profile.client_profile import ClientProfile
    from tencentcloud.common.profile.http_profile import HttpProfile
    from tencentcloud.common.retry import StandardRetryer
    from tencentcloud.vm.v20210922.models import CreateVideoModerationTaskRequest
    from tencentcloud.vm.v20210922.vm_client import VmClient

    place = HttpProfile(protocol="http", endpoint=settings["base_url"].removeprefix("http://"))
    retryer = StandardRetryer(max_attempts=RETRIES + 1, backoff_fn=lambda _: 0.05)
    profile = ClientProfile(httpProfile=place, retryer=retryer)
    client = VmClient(Credential(settings["secret_id"], settings["secret_key"]), settings["region"], profile)
    biz_type = next(iter(settings["biz_types"]))

    def submit(url):
        request = CreateVideoModerationTaskRequest()
        task = {"DataId": re.sub(r"\W", "-", url), "Input": {"Type": "URL", "Url": url}}
        request.from_json_string(json.dumps({"BizType": biz_type, "Type": "VIDEO", "Tasks": [task]}))
        return client.CreateVideoModerationTask(request).Results[0].TaskId

    return submit, TencentCloudSDKException


def _huawei(client, settings):
    from huaweicloudsdkcore.auth.credentials import BasicCredentials

    credentials = BasicCredentials(settings["ak"], settings["sk"], settings["project_id"])
    return client.new_builder().with_credentials(credentials).with_endpoint(settings["base_url"]).build()


def _insisting(invoker):
    """Its own way to try again; which errors are worth it, it leaves to the caller."""
    from huaweicloudsdkcore.retry.backoff_strategy import NoBackoffStrategy

    return invoker.with_retry(lambda _, error: error is not None, RETRIES, NoBackoffStrategy())


def with_huawei_v2(settings):
    from huaweicloudsdkcore.exceptions.exceptions import SdkException
    from huaweicloudsdkvcm import v2 as sdk

    client = _huawei(sdk.VcmClient, settings)
    common = sdk.ServiceConfigCommon(frame_interval=5, categories="porn", upload="false")

    def submit(url):
        body = sdk.CreateVideoJobReq(
            name=re.sub(r"\W", "-", url), input=sdk.CreateVideoJobReqInput(type="url", data=[sdk.InputData(url=url)]), service_version="1.2",
            output=sdk.Output(hosting=sdk.OutputHosting()), service_config=sdk.ServiceConfig(common=common),
        )  # fmt: skip
        return _insisting(client.create_video_job_invoker(sdk.CreateVideoJobRequest(body=body))).invoke().body[0].id

    return submit, SdkException


def with_huawei_v3(settings):
    from huaweicloudsdkcore.exceptions.exceptions import SdkException
    from huaweicloudsdkmoderation import v3 as sdk

    client = _huawei(sdk.ModerationClient, settings)

    def submit(url):
        data = sdk.VideoCreateRequestData(url=url, frame_interval=5)
        body = sdk.VideoCreateRequest(data=data, event_type="default", image_categories=["porn"])
        request = sdk.RunCreateVideoModerationJobRequest(body=body)
        return _insisting(client.run_create_video_moderation_job_invoker(request)).invoke().job_id

    return submit, SdkException


ACCOUNTS = (
    Account("Gcore", "gcore", "create", "gcore", with_gcore),
    Account("Huawei v2", "huawei", "create_v2", "huaweicloudsdkvcm", with_huawei_v2, {"api": "v2"}),
    Account("Huawei v3", "huawei", "create_v3", "huaweicloudsdkmoderation", with_huawei_v3, {"api": "v3"}),
    Account("Tencent", "tencent", "create", "tencentcloud.vm", with_tencent),
)


# --- the drill ---


def url_of(number):
    return f"https://obs.example.com/clip-{number}.mp4"


def make_flaky(sandbox, account, jobs):
    sandbox.reset()
    sandbox.set_up(account.provider, per_second=None)
    for every, fault in FAULTS:
        for time in range(RETRIES * jobs // every + 1):
            sandbox.plant(
                {"provider": account.provider, "operation": account.create, "skip": every * (time + 1) - 1, **fault}
            )
    if account.name != "Huawei v3":  # it has no list
        sandbox.fault(account.provider, "list_lag", seconds=LAG, times=None)
        sandbox.fault(account.provider, "decoys", times=None)


def by_their_client(sandbox, account, jobs):
    """Number of a job -> the id that the caller holds."""
    (submit, failure), held = account.submit(sandbox.settings(account.provider)), {}
    for number in range(jobs):
        try:
            held[number] = submit(url_of(number))
        except failure:
            held[number] = None
    return held


async def by_reelvet(sandbox, account, jobs):
    with tempfile.TemporaryDirectory() as place:
        settings = sandbox.settings(account.provider) | account.settings
        config = Config.parse(
            {
                "use": account.provider,
                "providers": {account.provider: settings},
                "polling": {"settle_window": 0.5},
                "journal": {"url": f"sqlite:///{place}/journal.db"},
                "settle": {"after": AFTER, "then": "resubmit"},
            }
        )
        async with AsyncModerator(config) as moderator:
            held = {number: await one_by_reelvet(moderator, number) for number in range(jobs)}
            if None in held.values():  # parked: submitted once more, later, as a platform would
                await asyncio.sleep(AFTER)
                held = {n: id_ or await one_by_reelvet(moderator, n) for n, id_ in held.items()}
    return held


async def one_by_reelvet(moderator, number):
    job = ModerationJob(
        media=url_of(number), detect=["sexual.explicit.pornography"], channels=["visual"], key=f"job-{number}"
    )
    try:
        return (await moderator.submit(job)).tasks[0].ref.id
    except ReelvetError:
        return None


@dataclass(frozen=True)
class Score:
    """What came of one client at one vendor."""

    vendor: str
    client: str
    jobs: int
    held: int
    """Jobs whose id the caller has."""
    unknown: int
    """Jobs of which the caller was told an error."""
    tasks: int
    """That the vendor has made, and bills."""
    twice: int
    """Jobs that it has made more than once."""
    orphans: int
    """Tasks whose id nobody has, though the caller was not told that they may exist."""


def score(sandbox, account, client, held):
    tasks = {
        task.id: int(re.search(r"clip-(\d+)\.mp4", json.dumps(task.data))[1])
        for task in sandbox.tasks(account.provider)
    }
    made = Counter(tasks.values())
    parked = {number for number, id_ in held.items() if id_ is None} if client == "reelvet" else set()
    orphans = [id_ for id_, number in tasks.items() if id_ not in held.values() and number not in parked]
    return Score(
        account.name, client, len(held), sum(id_ is not None for id_ in held.values()), sum(id_ is None for id_ in held.values()),
        len(tasks), sum(count > 1 for count in made.values()), len(orphans),
    )  # fmt: skip


def drill(jobs):
    """One score after the other."""
    with Sandbox(["gcore", "huawei", "tencent"]) as sandbox:
        for account in ACCOUNTS:
            try:
                is_here = importlib.util.find_spec(account.client) is not None
            except ModuleNotFoundError:
                is_here = False
            if is_here:
                make_flaky(sandbox, account, jobs)
                yield score(sandbox, account, account.client.partition(".")[0], by_their_client(sandbox, account, jobs))
            make_flaky(sandbox, account, jobs)
            yield score(sandbox, account, "reelvet", asyncio.run(by_reelvet(sandbox, account, jobs)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=40)
    options = parser.parse_args()
    print(
        f"{'vendor':10} {'client':25} {'jobs':>4} {'id held':>8} {'unknown':>8} {'tasks made':>11} {'paid twice':>11} {'orphans':>8}"
    )
    for one in drill(options.jobs):
        print(
            f"{one.vendor:10} {one.client:25} {one.jobs:>4} {one.held:>8} {one.unknown:>8} {one.tasks:>11} {one.twice:>11} {one.orphans:>8}",
            flush=True,
        )


if __name__ == "__main__":
    main()
