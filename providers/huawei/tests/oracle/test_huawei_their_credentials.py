"""Who Huawei's own clients say they are: keys, temporary keys, tokens, and the project that they look up by themselves."""

import json
from urllib.parse import urlsplit

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException, SdkException
from huaweicloudsdkcore.region.region import Region
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer
from huaweicloudsdkmoderation.v3 import ModerationClient, RunQueryVideoModerationJobRequest
from huaweicloudsdkvcm.v2 import ListVideoJobsRequest, VcmClient

from reelvet_huawei.sandbox import (
    AK,
    DOMAIN,
    PASSWORD,
    PROJECT_ID,
    REGION,
    SECURITY_TOKEN,
    SK,
    TEMPORARY_AK,
    TEMPORARY_SK,
    USER,
)

# Their signer asks for the time in a way that Python 3.12 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")


@pytest.fixture
def client(reelvet_sandbox):
    """Makes one of their clients, by endpoint and with a project, as most do."""
    reelvet_sandbox.set_up("huawei", per_second=None)

    def make(kind, credentials=None):
        chosen = credentials or BasicCredentials(AK, SK, PROJECT_ID)
        return kind.new_builder().with_credentials(chosen).with_endpoint(reelvet_sandbox.base_url("huawei")).build()

    return make


@pytest.fixture
def by_region(reelvet_sandbox, monkeypatch):
    """Makes one by region and without a project, which it then asks IAM for."""
    monkeypatch.setenv("HUAWEICLOUD_SDK_IAM_ENDPOINT", reelvet_sandbox.settings("huawei")["iam_url"])
    monkeypatch.setattr(BasicCredentials, "_CACHE", {})

    def make(kind, credentials=None, region=REGION):
        chosen = credentials or BasicCredentials(AK, SK)
        here = Region(region, reelvet_sandbox.base_url("huawei"))
        return kind.new_builder().with_credentials(chosen).with_region(here).build()

    return make


@pytest.fixture
def send(client, reelvet_sandbox):
    """Sends a request over their transport, without a signature."""
    transport = client(VcmClient)._http_client

    def call(method, path, headers, body=""):
        host = urlsplit(reelvet_sandbox.base_url("huawei")).netloc
        request = SdkRequest(
            method=method,
            schema="http",
            host=host,
            resource_path=path,
            query_params=[],
            header_params=headers,
            body=body,
        )
        Signer.process_request_uri(request)
        return transport.do_request_sync(request)

    return call


@pytest.fixture
def token(send):
    """A token of IAM's."""
    user = {"name": USER, "password": PASSWORD, "domain": {"name": DOMAIN}}
    identity = {"methods": ["password"], "password": {"user": user}}
    body = {"auth": {"identity": identity, "scope": {"project": {"name": REGION}}}}
    reply = send("POST", "/v3/auth/tokens", {"Content-Type": "application/json"}, json.dumps(body))
    assert reply.status_code == 201
    return reply.headers["X-Subject-Token"]


@pytest.mark.parametrize("kind", [VcmClient, ModerationClient])
def test_the_project_is_looked_up_at_iam(by_region, reelvet_sandbox, kind):
    made = by_region(kind)
    (received,) = reelvet_sandbox.requests("huawei")
    assert (received.operation, received.query, received.status) == ("projects", f"name={REGION}", 200)
    if kind is VcmClient:
        assert made.list_video_jobs(ListVideoJobsRequest()).count == 0
    else:
        with pytest.raises(ClientRequestException, match="Job not found"):
            made.run_query_video_moderation_job(RunQueryVideoModerationJobRequest(job_id="nobody"))
    assert PROJECT_ID in reelvet_sandbox.requests("huawei")[-1].path
    assert reelvet_sandbox.requests("huawei")[-1].header("x-project-id") == PROJECT_ID


@pytest.mark.parametrize(("projects", "says"), [(0, "Failed to get project id"), (2, "Multiple project ids found")])
def test_none_or_two_projects_are_their_error(by_region, reelvet_sandbox, projects, says):
    reelvet_sandbox.set_up("huawei", projects=projects)
    with pytest.raises(SdkException, match=says):
        by_region(VcmClient)


def test_another_region_has_no_project(by_region):
    with pytest.raises(SdkException, match="Failed to get project id"):
        by_region(VcmClient, region="ap-southeast-3")


def test_temporary_credentials(client, by_region):
    pair = BasicCredentials(TEMPORARY_AK, TEMPORARY_SK, PROJECT_ID).with_security_token(SECURITY_TOKEN)
    assert client(VcmClient, pair).list_video_jobs(ListVideoJobsRequest()).count == 0
    pair = BasicCredentials(TEMPORARY_AK, TEMPORARY_SK).with_security_token(SECURITY_TOKEN)
    assert by_region(VcmClient, pair).list_video_jobs(ListVideoJobsRequest()).count == 0
    with pytest.raises(ClientRequestException, match="security token"):
        client(VcmClient, BasicCredentials(TEMPORARY_AK, TEMPORARY_SK, PROJECT_ID)).list_video_jobs(
            ListVideoJobsRequest()
        )


def test_wrong_keys_are_their_exception_with_the_request_that_arrived(client):
    with pytest.raises(ClientRequestException) as caught:
        client(VcmClient, BasicCredentials(AK, "wrong", PROJECT_ID)).list_video_jobs(ListVideoJobsRequest())
    assert (caught.value.status_code, caught.value.error_code) == (401, "APIGW.0301")
    assert (
        f"canonicalRequest:GET|/v2/{PROJECT_ID}/services/video-moderation/tasks/||content-type:application/json|host:"
        in caught.value.error_msg
    )
    with pytest.raises(ClientRequestException, match="ak not exist"):
        client(VcmClient, BasicCredentials("NOBODY", SK, PROJECT_ID)).list_video_jobs(ListVideoJobsRequest())


def test_without_a_project_they_silently_ask_for_one_of_the_name_of_the_placeholder(client):
    with pytest.raises(ClientRequestException) as caught:
        client(VcmClient, BasicCredentials(AK, SK)).list_video_jobs(ListVideoJobsRequest())
    assert (caught.value.status_code, caught.value.error_code) == (400, "IVA.0002")


def test_a_clock_that_is_off_is_their_exception(client, reelvet_sandbox):
    reelvet_sandbox.set_up("huawei", clock_ahead=16 * 60)
    with pytest.raises(ClientRequestException, match="signature expired"):
        client(VcmClient).list_video_jobs(ListVideoJobsRequest())


def test_a_expired_as_their_transport(send, token, reelvet_sandbox):
    path = f"/v2/{PROJECT_ID}/services/video-moderation/tasks"
    reply = send("GET", path, {"X-Auth-Token": token})
    assert json.loads(reply.content) == {"count": 0, "tasks": []}
    assert "authorization" not in dict(reelvet_sandbox.requests("huawei")[-1].headers)
    reelvet_sandbox.clock.advance(25 * 3600)
    with pytest.raises(ClientRequestException, match="The token must be updated") as caught:
        send("GET", path, {"X-Auth-Token": token})
    assert (caught.value.status_code, caught.value.error_code) == (401, "APIGW.0307")


def test_a_token_that_is_added_by_hand_is_sent_beside_the_signature(client, reelvet_sandbox, token):
    """Their clients have no tokens of their own: https://github.com/huaweicloud/huaweicloud-sdk-go-v3/issues/48."""
    listed = (
        client(VcmClient).list_video_jobs_invoker(ListVideoJobsRequest()).add_header("X-Auth-Token", token).invoke()
    )
    assert listed.count == 0
    received = reelvet_sandbox.requests("huawei")[-1]
    assert received.header("x-auth-token") == token
    assert received.header("authorization").startswith("SDK-HMAC-SHA256 ")
