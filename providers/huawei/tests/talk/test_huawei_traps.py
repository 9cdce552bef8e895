"""What was seen to go wrong in the transport of the vendor's own client does not in ours; one test for each."""

from __future__ import annotations

import pytest

from reelvet.http import RetryPolicy
from reelvet.plugins import Created, Rejected, Unknown
from reelvet.schema.errors import (
    ConfigurationError,
    ProviderError,
    RateLimited,
    TransportFailed,
    UnexpectedReply,
    VendorUnavailable,
)
from reelvet.schema.task import TaskRef

PROJECT = "0bcc05efb100f2a92f53c011f262dfa0"
JOBS = f"/v3/{PROJECT}/moderation/video/jobs"
LIMIT = {"error_msg": "The throttling threshold has been reached: policy ip over ratelimit,limit:5,time:1 minute", "error_code": "APIG.0308", "request_id": "914a39d68c290da3e187f827f7e1b771"}  # fmt: skip


@pytest.fixture
def hasty(monkeypatch):
    """One try each, so that what one try comes to is seen."""
    from reelvet.http import session

    monkeypatch.setattr(session, "RetryPolicy", lambda: RetryPolicy(attempts=1))


async def outcome(provider, job):
    (task,) = provider.plan(job).tasks
    return (await provider.submit([task]))[0]


@pytest.mark.parametrize(
    ("reply", "says"),
    [((200, b'{"job_id": "j'), "not JSON"), ((200, b"<html>hello</html>", {"Content-Type": "text/html"}), "not JSON"), ((200, b""), "not JSON"),
     ((302, b"", {"Location": "https://elsewhere.example/"}), "redirected")],
)  # fmt: skip
async def test_no_empty_result_in_silence(fake, provider, job, hasty, reply, says):
    """There: 200 with broken JSON, 200 with HTML, and 302 give an empty object, and no error."""
    opened = await provider()
    fake.on("GET", f"{JOBS}/j", reply)
    fake.on("POST", JOBS, reply)
    with pytest.raises(UnexpectedReply, match=says):
        await opened.fetch(TaskRef(id="j"))
    created = await outcome(opened, job())
    assert isinstance(created, Unknown)
    assert isinstance(created.error, UnexpectedReply)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_throttled_call_keeps_code_text_and_request_id(fake, provider, job, hasty, method):
    """There: a GET answered with 429 loses all three."""
    opened = await provider()
    fake.on("GET", f"{JOBS}/j", (429, LIMIT, {"Retry-After": "4"}))
    fake.on("POST", JOBS, (429, LIMIT, {"Retry-After": "4"}))
    if method == "GET":
        with pytest.raises(RateLimited) as caught:
            await opened.fetch(TaskRef(id="j"))
        error = caught.value
    else:
        rejected = await outcome(opened, job())
        assert isinstance(rejected, Rejected)
        error = rejected.error
    assert (error.code, error.request_id, error.retry_after) == ("APIG.0308", LIMIT["request_id"], 4)
    assert "limit:5" in error.message


async def test_the_request_id_of_a_header_comes_first(fake, provider, hasty):
    """There: the one in the body is dropped."""
    opened = await provider()
    fake.on("GET", f"{JOBS}/j", (429, LIMIT, {"X-Request-Id": "from-header"}))
    with pytest.raises(RateLimited) as caught:
        await opened.fetch(TaskRef(id="j"))
    assert caught.value.request_id == "from-header"


async def test_the_other_spelling_of_the_text_is_understood(fake, provider, hasty):
    """There: the code becomes "400"."""
    opened = await provider()
    fake.on("GET", f"{JOBS}/j", (400, {"error_code": "AIS.0012", "error_message": "no such value"}))
    with pytest.raises(ProviderError, match="no such value") as caught:
        await opened.fetch(TaskRef(id="j"))
    assert caught.value.code == "AIS.0012"


async def test_a_create_that_nobody_answers_is_of_unknown_outcome(fake, provider, job, hasty):
    """There: an exception of another library leaks, which nobody catches."""
    opened = await provider()
    fake.on("POST", JOBS, lambda got: None)
    unknown = await outcome(opened, job())
    assert isinstance(unknown, Unknown)
    assert isinstance(unknown.error, TransportFailed)
    assert len(fake.of("POST")) == 1


async def test_a_create_that_is_answered_too_late_is_of_unknown_outcome(fake, provider, job, hasty):
    import time

    opened = await provider(timeout=0.2)
    fake.on("POST", JOBS, lambda got: time.sleep(0.6) or (200, {"job_id": "j"}))
    unknown = await outcome(opened, job())
    assert isinstance(unknown, Unknown)
    assert isinstance(unknown.error, ProviderError)


async def test_a_throttled_create_is_sent_again(fake, provider, job):
    """There: never, and here it is known that nothing was created."""
    opened = await provider()
    fake.on("POST", JOBS, (429, LIMIT), (200, {"job_id": "j-1", "request_id": "r"}))
    assert (await outcome(opened, job())) == Created(TaskRef(id="j-1", name="video", category="video"))
    assert len(fake.of("POST")) == 2


async def test_an_internal_error_is_retried_where_it_is_safe_and_only_there(fake, provider, job):
    """There: 503 is not retried."""
    opened = await provider()
    busy = (503, {"error_code": "IVA.0010", "error_msg": "busy"})
    fake.on("GET", f"{JOBS}/j", busy, (200, {"job_id": "j", "status": "running"}))
    assert (await opened.fetch(TaskRef(id="j"))).status == "running"
    fake.on("POST", JOBS, busy)
    unknown = await outcome(opened, job())
    assert isinstance(unknown, Unknown)
    assert isinstance(unknown.error, VendorUnavailable)
    assert len(fake.of("POST")) == 1


async def test_fields_that_the_client_s_models_lack_are_kept(fake, provider):
    """There: unknown fields are dropped, overdueDate and fileSize among them."""
    opened = await provider()
    payload = {"job_id": "j", "status": "running", "something_new": {"a": [1]}}
    fake.on("GET", f"{JOBS}/j", (200, payload))
    assert (await opened.fetch(TaskRef(id="j"))).payload == payload


async def test_no_request_goes_out_for_a_project_that_is_not_known(fake, make, job):
    """There: with an endpoint and no project, "{project_id}" itself is sent."""
    fake.on("GET", "/v3/projects", (200, {"projects": []}))
    async with make(project_id=None) as moderator:
        with pytest.raises(ConfigurationError):
            await moderator.submit(job())
    assert not [got for got in fake.received if "project_id" in got.target]


async def test_a_token_is_sent_without_a_signature(fake, provider):
    """There: a token as a header leaves the signature beside it."""
    opened = await provider(credentials="token", domain="d", user="u", password="secret-word", ak=None, sk=None)
    fake.tokens.add("T")
    fake.on("POST", "/v3/auth/tokens", (201, {"token": {}}, {"X-Subject-Token": "T"}))
    fake.on("GET", f"{JOBS}/j", (200, {"job_id": "j", "status": "running"}))
    await opened.fetch(TaskRef(id="j"))
    (got,) = fake.of("GET")
    assert (got.header("X-Auth-Token"), got.header("Authorization")) == ("T", None)
