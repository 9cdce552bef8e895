"""Results of v2 that are written into a bucket: the vendor's own OBS client, unmodified, over the emulator of OBS.

First by itself, signing in both of its ways, then in the hands of reelvet, from a job to its verdict.
"""

from __future__ import annotations

import json
import socket
import ssl
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from reelvet import AsyncModerator, Config, ModerationJob, Status, Ticket, Verdict
from reelvet.schema import errors as e
from reelvet_huawei import bucket
from reelvet_huawei.auth import KeyPair
from reelvet_huawei.sandbox import AK, DOMAIN, PASSWORD, SECURITY_TOKEN, SK, TEMPORARY_AK, TEMPORARY_SK, USER

MAGIC = "https://sandbox.reelvet.example"
# The client has escapes in its texts that newer Pythons warn of, and asks for the time in a way that they warn of too.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::SyntaxWarning")


@pytest.fixture
def configured(reelvet_sandbox):
    def make(**settings):
        config = reelvet_sandbox.config("huawei")
        told = {"api": "v2", "obs_output": "obs://mine/out/"} if settings.get("api") != "v3" else {}
        table = config["providers"]["huawei"] | told | settings
        config["providers"]["huawei"] = {name: value for name, value in table.items() if value is not None}
        return AsyncModerator(Config.parse(config))

    return make


@pytest.fixture
def store(reelvet_sandbox):
    """Their client; by the bucket in the path, or in the host of the vendor's, which here is this machine's."""

    from obs import ObsClient  # here, where what it warns of is ignored

    def make(ak=AK, sk=SK, token=None, server=None, **how):
        url = server or reelvet_sandbox.settings("huawei")["obs_url"]
        made = ObsClient(
            access_key_id=ak, secret_access_key=sk, security_token=token, server=url, max_retry_count=0, **how
        )
        opened.append(made)
        return made

    opened = []
    yield make
    for client in opened:
        client.close()


@pytest.fixture
def at_the_vendors_host(reelvet_sandbox, monkeypatch):
    """The vendor's address of OBS, which leads to the emulator."""
    port = urlsplit(reelvet_sandbox.base_url("huawei")).port
    plain = socket.getaddrinfo

    def here(host, *more, **named):
        return plain("127.0.0.1" if str(host).endswith(".myhuaweicloud.com") else host, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", here)
    monkeypatch.setattr(bucket, "check_network", lambda host: None)
    return f"http://obs.cn-north-4.myhuaweicloud.com:{port}"


@pytest.fixture
def job():
    def make(scenario="block-nudity", **fields):
        media = scenario if "://" in scenario else f"{MAGIC}/{scenario}.mp4"
        return ModerationJob(**{"media": media, "detect": ["sexual"], "channels": ["visual"]} | fields)

    return make


@pytest.fixture
async def written(configured, job, reelvet_sandbox):
    """A task whose result lies in the bucket; frames too."""
    async with configured(upload=True) as moderator:
        ticket = await moderator.submit(job())
        reelvet_sandbox.clock.advance(1000)
        yield ticket.tasks[0].ref.id


# --- their client by itself ---


@pytest.mark.parametrize("virtual", [False, True])
@pytest.mark.parametrize("temporary", [False, True])
def test_their_client_lists_and_gets(written, store, at_the_vendors_host, reelvet_sandbox, virtual, temporary):
    keys = (TEMPORARY_AK, TEMPORARY_SK, SECURITY_TOKEN) if temporary else (AK, SK)
    client = store(*keys, server=at_the_vendors_host if virtual else None)
    reelvet_sandbox.set_up("huawei", keys_per_page=2)
    page = client.listObjects("mine", prefix="out/")
    assert (page.status, page.body.is_truncated, len(page.body.contents)) == (200, True, 2)
    assert page.body.contents[0].key == f"out/{written}/result.json"
    rest = client.listObjects("mine", prefix="out/", marker=page.body.next_marker).body
    assert all(item.key.endswith("_porn.jpg") for item in rest.contents)
    got = client.getObject("mine", f"out/{written}/result.json", loadStreamInMemory=True)
    assert json.loads(got.body.buffer)["result"]["suggestion"] == "block"
    assert client.getObjectMetadata("mine", f"out/{written}/result.json").status == 200
    missing = client.getObject("mine", "out/other.json", loadStreamInMemory=True)
    assert (missing.status, missing.errorCode) == (404, "NoSuchKey")
    seen = {received.header("authorization").partition(" ")[0] for received in reelvet_sandbox.requests("huawei")
            if received.operation in {"list_objects", "get_object"}}  # fmt: skip
    assert seen == {"OBS" if virtual else "AWS"}  # its own choice


@pytest.mark.parametrize("virtual", [False, True])
@pytest.mark.parametrize(
    ("keys", "ahead", "code"),
    [(("NOBODY", SK), 0, "InvalidAccessKeyId"), ((AK, "WRONG"), 0, "SignatureDoesNotMatch"), ((TEMPORARY_AK, TEMPORARY_SK), 0, "InvalidAccessKeyId"),
     ((AK, SK, SECURITY_TOKEN), 0, "InvalidAccessKeyId"), ((AK, SK), 1200, "RequestTimeTooSkewed"), ((AK, SK), -1200, "RequestTimeTooSkewed")],
)  # fmt: skip
def test_what_is_not_signed_right_is_refused(store, at_the_vendors_host, reelvet_sandbox, virtual, keys, ahead, code):
    reelvet_sandbox.set_up("huawei", clock_ahead=ahead)
    answer = store(*keys, server=at_the_vendors_host if virtual else None).listObjects("mine")
    assert (answer.status, answer.errorCode) == (403, code)


# --- in the hands of reelvet ---


@pytest.mark.parametrize("virtual", [False, True])
async def test_a_result_in_a_bucket_is_read_to_its_verdict(
    configured, job, reelvet_sandbox, at_the_vendors_host, virtual
):
    async with configured(upload=True, **({"obs_url": at_the_vendors_host} if virtual else {})) as moderator:
        results = [await moderator.moderate(job(name)) for name in ("block-nudity", "review-nudity", "clean", "broken")]
    assert [result.verdict for result in results] == ["block", "review", "pass", "error"]
    (task, *_) = results[0].tasks
    assert results[0].findings[0].evidence.startswith("obs://mine/out/task")
    assert task.attachments["result.json"]["result"]["suggestion"] == "block"
    assert "hosting_result" not in task.raw
    assert not {"result_elsewhere", "unreadable_result"} & {note.code for note in results[0].warnings}
    assert "get_object" in {received.operation for received in reelvet_sandbox.requests("huawei")}


async def test_a_result_is_found_over_several_pages(configured, job, reelvet_sandbox):
    reelvet_sandbox.set_up("huawei", keys_per_page=1)
    async with configured(upload=True) as moderator:
        [*_, result] = [await moderator.moderate(job(name)) for name in ("clean", "block-nudity", "review-nudity")]
    assert result.verdict is Verdict.REVIEW
    assert [r.operation for r in reelvet_sandbox.requests("huawei")].count("list_objects") > 6


async def test_with_temporary_keys_too(configured, job):
    keys = {"ak": TEMPORARY_AK, "sk": TEMPORARY_SK, "security_token": SECURITY_TOKEN}
    async with configured(**keys) as moderator:
        assert (await moderator.moderate(job())).verdict is Verdict.BLOCK


async def test_a_result_that_comes_after_its_task_has_succeeded_is_waited_for(configured, job, reelvet_sandbox):
    reelvet_sandbox.set_up("huawei", hosting_seconds=100)
    reelvet_sandbox.clock.pause()
    async with configured() as moderator:
        ticket = await moderator.submit(job())
        reelvet_sandbox.clock.advance(20)
        result = await moderator.status(ticket)
        assert (result.status, result.verdict, result.tasks[0].native_status) == (Status.RUNNING, None, "SUCCEEDED")
        assert result.tasks[0].error is None
        reelvet_sandbox.clock.advance(100)
        assert (await moderator.status(ticket)).verdict is Verdict.BLOCK


MISSING = [
    # what is wrong, the code, the class, the cause, the mend
    ({"writes": False}, "NoSuchKey", "TaskNotFound", "no object in obs://mine/out/ may be the result of task", "whether the agency of the service may write there"),
    ({"folders": "other"}, "NoSuchKey", "TaskNotFound", "no object in obs://mine/out/ may be the result of task", "look into the folder"),
    ({"buckets": ("other",)}, "NoSuchBucket", "TaskNotFound", "obs://mine/out/ cannot be read (HTTP 404, NoSuchBucket)", "check `obs_output`: the bucket must be there"),
    ({"readable": False}, "AccessDenied", "PermissionDenied", "obs://mine/out/ cannot be read (HTTP 403, AccessDenied)", "the right to list and to read the bucket"),
]  # fmt: skip


@pytest.mark.parametrize(("setup", "code", "kind", "cause", "mend"), MISSING, ids=lambda value: str(value)[:30])
async def test_a_result_that_is_missing_is_an_error_that_names_cause_and_mend(
    configured, job, reelvet_sandbox, setup, code, kind, cause, mend
):
    reelvet_sandbox.set_up("huawei", **setup)
    async with configured(obs_wait=0) as moderator:
        result = await moderator.moderate(job("clean"))
    error = result.tasks[0].error
    assert (result.status, result.verdict, error.code, error.type) == (Status.SUCCEEDED, Verdict.ERROR, code, kind)
    assert cause in error.message
    assert mend in error.message
    assert hasattr(e, kind)
    (note,) = [note for note in result.warnings if note.code == "result_elsewhere"]
    assert "the result lies in obs://mine/out/ and was not read" in note.says
    assert error.message in note.says
    assert {row.state for row in result.coverage} == {"not_evaluated"}


async def test_a_token_does_not_open_a_bucket_and_says_so(configured, job):
    user = {"credentials": "token", "domain": DOMAIN, "user": USER, "password": PASSWORD, "ak": None, "sk": None}
    async with configured(**user) as moderator:
        result = await moderator.moderate(job())
    assert (result.verdict, result.tasks[0].error.code) == (Verdict.ERROR, "NoKeys")
    assert "a token does not open a bucket; give a key pair" in result.tasks[0].error.message


@pytest.mark.parametrize("where", ["settings", "options"])
async def test_a_folder_of_its_own_tells_a_result_whatever_the_file_is_called(configured, job, reelvet_sandbox, where):
    reelvet_sandbox.set_up("huawei", folders="other")
    place = {"obs_output": "obs://mine/out/job-{key}/"}
    more = {"options": {"huawei": place}} if where == "options" else {}
    async with configured(**(place if where == "settings" else {})) as moderator:
        for name, key, verdict in (("block-nudity", "key-1", "block"), ("clean", "key-10", "pass")):
            result = await moderator.moderate(job(name, key=key, **more))
            assert result.verdict == verdict
        first = reelvet_sandbox.tasks("huawei")[0]
        assert first.data["output"] == {"obs": {"bucket": "mine", "path": "out/job-key-1/"}}
        if where == "settings":  # a ticket that knows no more than the id
            adopted = await moderator.wait(Ticket.adopt("huawei", first.id, detect=["sexual"]))
            assert adopted.verdict is Verdict.BLOCK


async def test_a_folder_that_happens_to_be_named_as_a_task_is_not_its_own(configured, job, reelvet_sandbox, store):
    """Another task's result lies there, and this one's does not."""
    reelvet_sandbox.set_up("huawei", folders="other")
    async with configured(obs_output="obs://mine/clip/", obs_wait=0) as moderator:
        await moderator.submit(job("clean", key="other"))
        reelvet_sandbox.clock.advance(9000)
        reelvet_sandbox.set_up("huawei", hosting_seconds=5000)
        result = await moderator.moderate(job("block-nudity", key="clip"))
        assert len(store().listObjects("mine", prefix="clip/").body.contents) == 1
    assert (result.verdict, result.tasks[0].error.code) == (Verdict.ERROR, "NoSuchKey")


async def test_a_store_that_cannot_be_reached_is_an_error_that_may_pass(configured, job, reelvet_sandbox):
    async with configured(obs_url="http://127.0.0.1:1") as moderator:
        ticket = await moderator.submit(job())
        reelvet_sandbox.clock.advance(1000)
        with pytest.raises(e.TransportFailed, match="OBS cannot be reached") as caught:
            await moderator.status(ticket)
    assert (caught.value.retryable, caught.value.provider) == (True, "huawei")


def test_certificates_and_host_names_are_checked(monkeypatch):
    """By itself the client checks neither."""
    settings = SimpleNamespace(obs="https://obs.cn-north-4.myhuaweicloud.com", proxy=None, ca_bundle=None, timeout=5.0)
    monkeypatch.setattr(bucket, "check_network", lambda host: None)
    client = bucket._client(KeyPair("ak", "sk"), settings)
    assert (client.context.verify_mode, client.context.check_hostname) == (ssl.CERT_REQUIRED, True)
    client.close()


@pytest.mark.parametrize("fault", ["server_error", "cut"])
async def test_a_store_that_fails_for_a_moment_is_asked_again(configured, job, reelvet_sandbox, fault):
    reelvet_sandbox.fault("huawei", fault, operation="list_objects")
    reelvet_sandbox.fault("huawei", fault, operation="get_object")
    async with configured() as moderator:
        assert (await moderator.moderate(job())).verdict is Verdict.BLOCK


@pytest.mark.parametrize(
    ("kind", "operation"), [("not_json", "list_objects"), ("not_json", "get_object"), ("truncated", "get_object")]
)
async def test_what_comes_garbled_from_the_store_is_never_a_pass(configured, job, reelvet_sandbox, kind, operation):
    reelvet_sandbox.fault("huawei", kind, operation=operation, times=None)
    async with configured(obs_wait=0) as moderator:
        ticket = await moderator.submit(job("clean"))
        reelvet_sandbox.clock.advance(1000)
        try:
            result = await moderator.status(ticket)
        except e.ProviderError:
            return
    assert result.verdict is Verdict.ERROR


@pytest.mark.parametrize("how", ["verdict_without_evidence", "evidence_without_verdict"])
async def test_a_result_in_a_bucket_that_contradicts_itself_is_no_pass(configured, job, reelvet_sandbox, how):
    reelvet_sandbox.fault("huawei", "contradiction", operation="get_object", how=how, times=None)
    async with configured() as moderator:
        assert (await moderator.moderate(job())).verdict is Verdict.BLOCK


# --- media that is an object ---


@pytest.mark.parametrize("api", ["v2", "v3"])
@pytest.mark.parametrize("says_why", [False, True])
async def test_an_object_that_is_missing_is_named_with_what_to_do(configured, job, reelvet_sandbox, api, says_why):
    """Neither API says why a job failed, so OBS is asked whether its media is there."""
    reelvet_sandbox.set_up("huawei", says_why=says_why)
    async with configured(api=api) as moderator:
        result = await moderator.moderate(job("obs://sandbox.reelvet.example/nowhere.mp4"))
    error = result.tasks[0].error
    assert (result.status, result.verdict, error.type) == (Status.FAILED, Verdict.ERROR, "MediaRejected")
    told = "the object obs://sandbox.reelvet.example/nowhere.mp4 is not there. Check bucket, path and `region`."
    assert error.message.endswith(told)
    if says_why and api == "v2":
        assert (error.code, "The video cannot be downloaded" in error.message) == ("ALG.002", True)
    if api == "v3":  # as its address, which is how v3 is told of it
        assert result.tasks[0].raw["request_params"]["data"]["url"].startswith("https://sandbox.reelvet.example.obs.")


@pytest.mark.parametrize("api", ["v2", "v3"])
async def test_an_object_that_is_there_and_fails_is_not_said_to_be_missing(configured, job, reelvet_sandbox, api):
    reelvet_sandbox.scenario("obs://media/a.mp4", "broken")
    async with configured(api=api) as moderator:
        error = (await moderator.moderate(job("obs://media/a.mp4"))).tasks[0].error
        assert "Check that the media is there and can be played" in error.message
        reelvet_sandbox.fault("huawei", "server_error", operation="head_object", times=None)
        assert (await moderator.moderate(job("obs://media/a.mp4"))).tasks[0].error.message == error.message


async def test_whether_an_object_is_missing_is_never_guessed(reelvet_sandbox):
    settings = SimpleNamespace(obs=reelvet_sandbox.base_url("huawei"), proxy=None, ca_bundle=None, timeout=5.0)
    place = ("sandbox.reelvet.example", "nowhere.mp4")
    assert await bucket.lacks(KeyPair(AK, SK), settings, place)
    assert not await bucket.lacks(KeyPair(AK, "WRONG"), settings, place)
    settings.obs = "http://127.0.0.1:1"
    assert not await bucket.lacks(KeyPair(AK, SK), settings, place)
