"""Signatures over raw bytes, tokens, projects, quotas; and what the gateway, the services and IAM refuse with."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from reelvet.sandbox import Call
from reelvet_huawei.sandbox import (
    AK,
    DOMAIN,
    PROJECT_ID,
    REGION,
    SECURITY_TOKEN,
    TEMPORARY_AK,
    TEMPORARY_SK,
    signing,
)

V2 = f"/v2/{PROJECT_ID}/services/video-moderation/tasks"
V3 = f"/v3/{PROJECT_ID}/moderation/video/jobs"
KAT = Path(__file__).parents[1] / "samples" / "signing_kat.json"
REPLIES = Path(__file__).parents[1] / "samples" / "replies"
PREFIX = "Incorrect IAM authentication information: "


def refused(reply, status=401, code="APIGW.0301"):
    assert reply.status_code == status, reply.text
    told = reply.json()
    assert (set(told), told["error_code"]) == ({"error_msg", "error_code", "request_id"}, code)
    assert reply.headers["x-request-id"] == told["request_id"]
    return told["error_msg"]


@pytest.fixture
def token(api, token_body):
    """A token, fetched without credentials of another kind."""
    reply = api.post("/v3/auth/tokens", json=token_body(), auth=None)
    assert reply.status_code == 201, reply.text
    return reply.headers["x-subject-token"]


@pytest.fixture
def bare(api):
    """The API without any credentials."""
    with httpx.Client(base_url=api.base_url, verify=False) as client:  # noqa: S501
        yield client


# --- signatures ---


def test_the_published_vector():
    kat = json.loads(KAT.read_text(encoding="utf-8"))
    path, _, query = kat["url"].removeprefix("https://service.region.example.com").partition("?")
    call = Call(kat["method"], path, query, tuple(kat["headers"].items()), kat["body"].encode())
    signed = tuple(sorted(kat["headers"]))
    canonical = signing.canonical_request(call, signed)
    assert canonical.decode() == kat["canonical_request"]
    assert signing.signature(canonical, kat["headers"]["x-sdk-date"], kat["sk"]) == kat["signature"]


def test_the_header_is_read_as_documented_and_nothing_else():
    header = f"SDK-HMAC-SHA256 Access={AK}, SignedHeaders=host;x-sdk-date, Signature={'a' * 64}"
    told = signing.Authorization.parse(header)
    assert (told.access, told.signed_headers, told.signature) == (AK, ("host", "x-sdk-date"), "a" * 64)
    for broken in (header.replace("Access", "Credential"), header[:-1], f"{header}, More=1", "SDK-HMAC-SHA256"):
        assert signing.Authorization.parse(broken) is None


@pytest.mark.parametrize(
    ("query", "canonical"),
    [
        ("b=2&a=1", "a=1&b=2"),
        ("a=%7e-_.%20", "a=~-_.%20"),
        ("a=b+c", "a=b%2Bc"),
        ("a", "a="),
        ("a=2&a=1", "a=1&a=2"),
        ("n=%E6%B5%8B", "n=%E6%B5%8B"),
        ("", ""),
    ],
)
def test_a_query_has_one_form(query, canonical):
    call = Call("GET", "/v1/a%20b/%C3%BC", query, (("host", "h"),), b"")
    lines = signing.canonical_request(call, ("host",)).decode().split("\n")
    assert lines[:3] == ["GET", "/v1/a%20b/%C3%BC/", canonical]


@pytest.mark.parametrize(
    "query", ["", "?limit=2&offset=0", "?name_like=a%20b%2Fc~&order=created_at%3AASC", "?name_like=%E5%AE%A1"]
)
def test_what_the_vendors_signer_signs_is_let_in(api, query):
    assert api.get(V2 + query).status_code == 200


def test_bodies_of_any_bytes_are_signed(api):
    for content in ("{}", '{"name": "审核"}', "x" * 100_000):
        reply = api.post(V2, content=content.encode(), headers={"Content-Type": "application/json"})
        assert reply.status_code == 400, reply.text
        assert reply.json()["error_code"].startswith("IVA")


def test_a_body_that_is_not_signed_says_so(api, v3_body):
    """The vendor's signer does that where the type is another."""
    content = json.dumps(v3_body()).encode()
    assert api.post(V3, content=content, headers={"Content-Type": "text/plain"}).status_code == 200


@pytest.mark.parametrize("change", ["method", "path", "query", "body", "header", "key"])
def test_whatever_is_changed_after_signing_is_noticed_and_shown(api, signed, bare, change):
    request = api.build_request("POST", f"{V2}?a=1", json={"name": "x"})
    next(signed(**({"sk": "wrong"} if change == "key" else {})).auth_flow(request))
    method, url, content, headers = request.method, request.url, request.content, dict(request.headers)
    match change:
        case "method":
            method = "GET"
        case "path":
            url = url.copy_with(path=V3)
        case "query":
            url = url.copy_with(query=b"a=2")
        case "body":
            content = content.replace(b"x", b"y")
        case "header":
            headers["content-type"] = "application/json; charset=utf-8"
    says = refused(bare.send(httpx.Request(method, url, content=content, headers=headers)))
    told = says.removeprefix(f"{PREFIX}verify aksk signature fail, canonicalRequest:").split("|")
    assert told[:3] == [method, f"{url.path}/", url.query.decode()]
    assert len(told[-1]) == 64
    sample = json.loads((REPLIES / "gw_error_401_APIGW0301_signature.json").read_text(encoding="utf-8"))
    assert says.partition("POST" if method == "POST" else "GET")[0] == sample["error_msg"].partition("DELETE")[0]


@pytest.mark.parametrize("minutes", [-16, 16, 60 * 24])
def test_a_date_more_than_15_minutes_off_is_refused(api, signed, minutes):
    auth = signed(date=datetime.now(UTC) + timedelta(minutes=minutes))
    assert refused(api.get(V2, auth=auth)) == f"{PREFIX}calc ak sk signature fail:signature expired"


@pytest.mark.parametrize("minutes", [-14, 14])
def test_less_is_not(api, signed, minutes):
    assert api.get(V2, auth=signed(date=datetime.now(UTC) + timedelta(minutes=minutes))).status_code == 200


def test_a_gateway_whose_clock_is_off_refuses_everybody(api, reelvet_sandbox):
    reelvet_sandbox.set_up("huawei", clock_ahead=1000)
    assert "signature expired" in refused(api.get(V2))
    reelvet_sandbox.set_up("huawei", clock_ahead=-1000)
    assert "signature expired" in refused(api.get(V2))


def test_time_that_is_advanced_by_hand_shuts_nobody_out(api, reelvet_sandbox, signed):
    reelvet_sandbox.clock.advance(86_400)
    assert api.get(V2).status_code == 200  # by the wall's clock
    assert api.get(V2, auth=signed(date=reelvet_sandbox.clock.date())).status_code == 200


def test_an_unknown_key_and_no_key(api, bare, signed):
    says = refused(api.get(V2, auth=signed(ak="NOBODY")))
    assert says == f"{PREFIX}Get secretKey failed,ak:NOBODY,err:ak not exist"
    assert refused(bare.get(V2)) == f"{PREFIX}x-auth-token not found"
    assert "x-auth-token not found" in refused(bare.get("/v3/projects"))
    assert "authorization header is invalid" in refused(bare.get(V2, headers={"Authorization": "SDK-HMAC-SHA256 x"}))


def test_host_and_date_must_be_signed(bare, api):
    header = f"SDK-HMAC-SHA256 Access={AK}, SignedHeaders=host, Signature={'a' * 64}"
    assert "must be signed" in refused(bare.get(V2, headers={"Authorization": header}))


def test_more_than_five_wrong_signatures_in_a_row_lock_a_key_for_five_minutes(api, reelvet_sandbox, signed):
    wrong = signed(sk="wrong")
    for _ in range(5):
        assert "verify aksk" in refused(api.get(V2, auth=wrong))
    assert api.get(V2).status_code == 200  # the row ends
    for _ in range(6):
        assert "verify aksk" in refused(api.get(V2, auth=wrong))
    assert refused(api.get(V2)) == f"{PREFIX}AK access failed to reach the limit,forbidden."
    reelvet_sandbox.clock.advance(299)
    assert api.get(V2).status_code == 401
    reelvet_sandbox.clock.advance(2)
    assert api.get(V2).status_code == 200


def test_a_temporary_pair_needs_its_token(api, signed):
    temporary = {"ak": TEMPORARY_AK, "sk": TEMPORARY_SK}
    assert api.get(V2, auth=signed(**temporary, token=SECURITY_TOKEN)).status_code == 200
    assert "security token" in refused(api.get(V2, auth=signed(**temporary)))
    assert "security token" in refused(api.get(V2, auth=signed(**temporary, token="other")))
    assert "security token" in refused(api.get(V2, auth=signed(token=SECURITY_TOKEN)))


# --- tokens and projects ---


def test_a_token_lets_one_in_for_24_hours(bare, reelvet_sandbox, token):
    headers = {"X-Auth-Token": token}
    assert bare.get(V2, headers=headers).status_code == 200
    reelvet_sandbox.clock.advance(24 * 3600 - 60)
    assert bare.get(V2, headers=headers).status_code == 200
    reelvet_sandbox.clock.advance(120)
    assert refused(bare.get(V2, headers=headers), code="APIGW.0307") == "The token must be updated."
    assert refused(bare.get(V2, headers={"X-Auth-Token": "MIIother"})) == f"{PREFIX}decrypt token fail"


def test_a_token_says_what_it_is_for(bare, token_body):
    told = bare.post("/v3/auth/tokens", json=token_body()).json()["token"]
    assert told["methods"] == ["password"]
    assert told["project"] == {
        "domain": {"id": told["user"]["domain"]["id"], "name": DOMAIN},
        "id": PROJECT_ID,
        "name": REGION,
    }
    lasts = datetime.fromisoformat(told["expires_at"]) - datetime.fromisoformat(told["issued_at"])
    assert lasts == timedelta(hours=24)


def test_a_token_of_the_whole_account_is_of_the_wrong_type(bare, token_body):
    body = token_body()
    body["auth"]["scope"] = {"domain": {"name": DOMAIN}}
    reply = bare.post("/v3/auth/tokens", json=body)
    assert "project" not in reply.json()["token"]
    headers = {"X-Auth-Token": reply.headers["x-subject-token"]}
    told = bare.post(V3, headers=headers, json={})
    assert (told.status_code, told.json()["error_code"]) == (400, "AIS.0026")
    told = bare.get(V2, headers=headers)
    assert (told.status_code, told.json()["error_code"]) == (401, "IVA.0001")
    again = {
        "auth": {
            "identity": {"methods": ["token"], "token": {"id": headers["X-Auth-Token"]}},
            "scope": {"project": {"name": REGION}},
        }
    }
    reply = bare.post("/v3/auth/tokens", json=again)
    assert reply.status_code == 201
    assert bare.get(V2, headers={"X-Auth-Token": reply.headers["x-subject-token"]}).status_code == 200


@pytest.mark.parametrize("change", [{"password": "wrong"}, {"name": "nobody"}, {"domain": {"name": "elsewhere"}}])
def test_a_wrong_user_is_refused_in_iams_words(bare, token_body, change):
    reply = bare.post("/v3/auth/tokens", json=token_body(**change))
    assert reply.status_code == 401
    assert reply.json() == {
        "error": {"code": 401, "message": "The username or password is wrong.", "title": "Unauthorized"}
    }


def test_what_iam_does_not_understand(bare, token_body):
    for body in ({}, [], {"auth": {"identity": {"methods": ["totp"]}}}):
        reply = bare.post("/v3/auth/tokens", json=body)
        assert (reply.status_code, reply.json()["error"]["code"]) == (400, 400)
    body = token_body()
    body["auth"]["scope"]["project"]["name"] = "ap-southeast-3"
    assert bare.post("/v3/auth/tokens", json=body).status_code == 401


@pytest.mark.parametrize(("name", "count"), [(REGION, 1), ("ap-southeast-3", 0), (None, 1)])
def test_the_project_of_a_region(api, bare, token, name, count):
    for client, headers in ((api, {}), (bare, {"X-Auth-Token": token})):
        reply = client.get("/v3/projects", params={"name": name} if name else {}, headers=headers)
        assert reply.status_code == 200
        assert [project["id"] for project in reply.json()["projects"]] == [PROJECT_ID] * count


@pytest.mark.parametrize("projects", [0, 2])
def test_a_region_with_none_or_two(api, reelvet_sandbox, projects):
    reelvet_sandbox.set_up("huawei", projects=projects)
    assert len(api.get("/v3/projects", params={"name": REGION}).json()["projects"]) == projects


# --- what is not there, and quotas ---


def test_another_project_is_refused_by_each_service(api):
    other = "0" * 32
    reply = api.get(f"/v2/{other}/services/video-moderation/tasks")
    assert (reply.status_code, reply.json()["error_code"]) == (400, "IVA.0002")
    reply = api.get(f"/v3/{other}/moderation/video/jobs/x")
    assert (reply.status_code, reply.json()["error_code"]) == (400, "AIS.0004")
    # What the vendor's SDK silently sends where nobody gave it a project.
    assert api.get("/v2/%7Bproject_id%7D/services/video-moderation/tasks").json()["error_code"] == "IVA.0002"


def test_an_account_without_the_services(api, reelvet_sandbox):
    reelvet_sandbox.set_up("huawei", subscribed=False)
    reply = api.get(V2)
    assert (reply.status_code, reply.json()) == (403, json.loads((REPLIES / "v2_error_IVA0007.json").read_text()))
    reply = api.post(V3, json={})
    assert (reply.status_code, reply.json()["error_code"]) == (400, "ModelArts.4204")
    assert api.get("/v3/projects").status_code == 200


@pytest.mark.parametrize(("serves", "here", "gone"), [("v2", V2, f"{V3}/x"), ("v3", f"{V3}/x", V2)])
def test_a_region_without_one_of_the_services(api, reelvet_sandbox, serves, here, gone):
    reelvet_sandbox.set_up("huawei", serves=serves)
    assert api.get(here).json().get("error_code") in {None, "AIS.0030"}
    refused(api.get(gone), 404, "APIGW.0101")


@pytest.mark.parametrize("path", ["/v3/{p}/moderation/document/jobs", "/v3/{p}/moderation/video/x", "/v1/{p}/x"])
def test_what_there_is_not(api, path):
    assert refused(api.get(path.format(p=PROJECT_ID)), 404, "APIGW.0101")


def test_ten_jobs_a_second_and_queries_beside_them(api, reelvet_sandbox, v3_body):
    reelvet_sandbox.set_up("huawei", per_second=10)
    replies = [api.post(V3, json=v3_body()) for _ in range(12)]
    assert [reply.status_code for reply in replies] == [200] * 10 + [429] * 2
    says = refused(replies[-1], 429, "APIG.0308")
    sample = json.loads((REPLIES / "gw_error_429_APIG0308.json").read_text(encoding="utf-8"))
    assert says == "The throttling threshold has been reached: policy user over ratelimit,limit:10,time:1 second"
    assert says.partition(":")[0] == sample["error_msg"].partition(":")[0]
    assert api.get(f"{V3}/{replies[0].json()['job_id']}").status_code == 200
    assert len(reelvet_sandbox.tasks("huawei")) == 10


def test_the_documented_rate_is_the_usual_one(reelvet_sandbox):
    assert reelvet_sandbox.set_up("huawei")["per_second"] == 10


def test_a_full_queue_of_v2(api, reelvet_sandbox, v2_body):
    reelvet_sandbox.set_up("huawei", queue=1)
    assert api.post(V2, json=v2_body()).status_code == 201
    reply = api.post(V2, json=v2_body())
    assert (reply.status_code, reply.json()["error_code"]) == (400, "IVA.0012")


@pytest.mark.parametrize(
    ("operation", "path", "status", "code"),
    [("list_v2", V2, 500, "IVA.0006"), ("list_v2", V2, 503, "IVA.0010"), ("get_v3", f"{V3}/x", 502, "APIG.0201")],
)
def test_the_bodies_of_failures(api, reelvet_sandbox, operation, path, status, code):
    reelvet_sandbox.fault("huawei", "server_error", status=status, operation=operation)
    reply = api.get(path)
    assert (reply.status_code, reply.json()["error_code"]) == (status, code)
    assert reply.headers["x-request-id"]


def test_iam_fails_in_its_own_shape(api, reelvet_sandbox):
    reelvet_sandbox.fault("huawei", "server_error", operation="projects")
    assert api.get("/v3/projects").json()["error"]["code"] == 500


def test_the_other_statuses_are_those_of_the_api_explorer(api, reelvet_sandbox, v2_body):
    reelvet_sandbox.set_up("huawei", statuses="openapi")
    reply = api.post(V2, json=v2_body())
    assert reply.status_code == 200
    assert api.get(f"{V2}/{'0' * 32}").status_code == 400
    assert api.delete(f"{V2}/{reply.json()[0]['id']}").status_code == 202


def test_the_settings_are_what_is_let_in_and_the_providers_own(reelvet_sandbox):
    from reelvet_huawei.settings import HuaweiSettings

    settings = HuaweiSettings(**reelvet_sandbox.settings("huawei"))
    assert (settings.url, settings.iam) == (reelvet_sandbox.base_url("huawei"),) * 2
    assert (settings.project_id, settings.region) == (PROJECT_ID, REGION)


def test_secrets_are_masked_on_the_control_port(api, bare, reelvet_sandbox, token):
    bare.get(V2, headers={"X-Auth-Token": token})
    told = json.dumps([received.dump() for received in reelvet_sandbox.requests("huawei")][-1])
    assert token not in told
