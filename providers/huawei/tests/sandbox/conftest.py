"""The emulator, called as the vendor would be: over HTTP, signed by the vendor's own signer, with nothing of reelvet between."""

from datetime import UTC, datetime
from urllib.parse import parse_qsl

import httpx
import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest

from reelvet_huawei.sandbox import AK, DOMAIN, PASSWORD, PROJECT_ID, REGION, SK, USER

MAGIC = "https://sandbox.reelvet.example"
V2 = f"/v2/{PROJECT_ID}/services/video-moderation/tasks"
V3 = f"/v3/{PROJECT_ID}/moderation/video/jobs"
V3_AUDIO = f"/v3/{PROJECT_ID}/moderation/audio/jobs"


class Signed(httpx.Auth):
    """`SDK-HMAC-SHA256`, by the vendor's SDK. It reads no clock, so a date can be given to it."""

    requires_request_body = True

    def __init__(self, ak=AK, sk=SK, *, date=None, token=None, content_sha256=None):
        self.ak, self.sk, self.date, self.token, self.content_sha256 = ak, sk, date, token, content_sha256

    def auth_flow(self, request):
        date = self.date or datetime.now(UTC)
        headers = {"Host": request.url.netloc.decode(), "X-Sdk-Date": date.strftime("%Y%m%dT%H%M%SZ")}
        if "content-type" in request.headers:
            headers["Content-Type"] = request.headers["content-type"]
        told = SdkRequest(
            method=request.method, schema=request.url.scheme, host=request.url.netloc.decode(), resource_path=request.url.path,
            query_params=parse_qsl(request.url.query.decode(), keep_blank_values=True), header_params=headers, body=request.content,
        )  # fmt: skip
        credentials = BasicCredentials(self.ak, self.sk)
        if self.token:
            credentials = credentials.with_security_token(self.token)
        credentials.sign_request(told)
        request.headers.update(told.header_params)
        yield request


@pytest.fixture
def signed():
    """The signature of a request, for those that are made otherwise than all others."""
    return Signed


@pytest.fixture
def api(reelvet_sandbox):
    """The emulator's API with good credentials; its clock stands still until a test lets time pass."""
    reelvet_sandbox.clock.pause()
    reelvet_sandbox.set_up("huawei", per_second=None)
    # It is plain HTTP, and loading a store of certificates would take longer than the test.
    base = reelvet_sandbox.base_url("huawei")
    with httpx.Client(base_url=base, auth=Signed(), verify=False) as client:  # noqa: S501
        yield client


@pytest.fixture
def v2_body():
    """A create of v2 that looks for everything, and whose result is hosted."""

    def make(scenario="clean", **more):
        common = {
            "frame_interval": 5, "categories": "porn,terrorism,politics", "text_categories": "politics,porn,ad,abuse,contraband,flood",
            "use_ocr": "true", "use_sis": "true", "upload": "false",
        }  # fmt: skip
        url = scenario if "://" in scenario else f"{MAGIC}/{scenario}.mp4"
        return {
            "name": "task-1", "input": {"type": "url", "data": [{"url": url}]}, "output": {"hosting": {}},
            "service_config": {"common": common}, "service_version": "1.2", **more,
        }  # fmt: skip

    return make


@pytest.fixture
def v3_body():
    """A create of v3 that looks for everything."""

    def make(scenario="clean", **more):
        return {
            "data": {"url": scenario if "://" in scenario else f"{MAGIC}/{scenario}.mp4", "frame_interval": 5}, "event_type": "default",
            "image_categories": ["porn", "politics", "terrorism", "image_text"],
            "audio_categories": ["porn", "ad", "politics", "moan", "abuse"], **more,
        }  # fmt: skip

    return make


@pytest.fixture
def token_body():
    """What a token is asked for with."""

    def make(**user):
        known = {"name": USER, "password": PASSWORD, "domain": {"name": DOMAIN}} | user
        identity = {"methods": ["password"], "password": {"user": known}}
        return {"auth": {"identity": identity, "scope": {"project": {"name": REGION}}}}

    return make


@pytest.fixture
def create_v2(api, v2_body):
    """Creates a v2 task and gives its id."""

    def call(scenario="clean", **more):
        reply = api.post(V2, json=v2_body(scenario, **more))
        assert reply.status_code == 201, reply.text
        ((task,),) = [item.values() for item in reply.json()]
        return task

    return call


@pytest.fixture
def get_v2(api):
    """What v2 says of a task."""

    def call(task):
        reply = api.get(f"{V2}/{task}")
        assert reply.status_code == 200, reply.text
        return reply.json()

    return call


@pytest.fixture
def create_v3(api, v3_body):
    """Creates a v3 job and gives its id."""

    def call(scenario="clean", path=V3, **more):
        body = v3_body(scenario, **more)
        if path == V3_AUDIO:
            body["categories"] = body.pop("audio_categories")
        reply = api.post(path, json=body)
        assert reply.status_code == 200, reply.text
        assert set(reply.json()) == {"request_id", "job_id"}
        return reply.json()["job_id"]

    return call


@pytest.fixture
def get_v3(api):
    """What v3 says of a job."""

    def call(job, path=V3):
        reply = api.get(f"{path}/{job}")
        assert reply.status_code == 200, reply.text
        return reply.json()

    return call
