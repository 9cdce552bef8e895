"""Huawei's refusals: what each becomes, and whether a submit may be sent again."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from reelvet.http import Effect, Reply, Request, RetryPolicy
from reelvet.schema import errors as e
from reelvet_huawei.errors import ROWS, classify

REQUEST = Request.build(
    "POST", "https://moderation.cn-north-4.myhuaweicloud.com/v3/p/jobs", effect=Effect.CREATE, operation="CreateTask", json_body={"a": 1},
    headers={"Host": "moderation.cn-north-4.myhuaweicloud.com", "X-Sdk-Date": "20261125T000000Z"},
)  # fmt: skip
READ = Request.build("GET", REQUEST.url, effect=Effect.READ, operation="GetTask")


def refused(status, body, headers=None, request=READ):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return classify(request, Reply(status, headers or {}, content))


@pytest.mark.parametrize(
    ("name", "status", "error", "retryable"),
    [("v2_error_400_IVA0003", 400, e.InvalidRequest, False), ("v2_error_400_IVA0004_input", 400, e.InvalidRequest, False),
     ("v2_error_400_IVA0004_taskid", 400, e.InvalidRequest, False), ("v2_error_IVA0005_delete", 404, e.TaskNotFound, False),
     ("v2_error_IVA0005_task", 400, e.TaskNotFound, False), ("v2_error_IVA0007", 403, e.FeatureDisabled, False),
     ("v2_error_IVA0007", 400, e.FeatureDisabled, False), ("v3_error_400_AIS0030", 400, e.TaskNotFound, False),
     ("v3_error_400_AIS0401", 400, e.InvalidRequest, False), ("gw_error_429_APIG0308", 429, e.RateLimited, True),
     ("gw_error_401_APIGW0301_signature", 401, e.AuthenticationFailed, False)],
)  # fmt: skip
def test_each_published_refusal(sample, name, status, error, retryable):
    body = sample(name)
    found = refused(status, body)
    assert type(found) is error
    assert (found.retryable, found.created, found.status, found.code) == (retryable, "no", status, body["error_code"])
    assert found.request_id == body.get("request_id")
    assert found.way_out
    assert RetryPolicy().repeats(Effect.CREATE, found) is retryable


def test_a_service_that_is_not_found_is_no_task_that_is_not_found(sample):
    found = refused(404, sample("v2_error_IVA0005_service"), request=REQUEST)
    assert type(found) is e.FeatureDisabled
    assert "face-detect" in found.message


@pytest.mark.parametrize("code", ROWS)
def test_each_code_under_whatever_status(code):
    row = ROWS[code]
    for status in (400, 401, 403, 404, 500, 503, 200):
        found = refused(status, {"error_code": code, "error_msg": "says so"})
        assert (type(found), found.code, found.created) == (row.error, code, row.created)
    assert row.source.startswith("https://support.huaweicloud.com/")
    assert row.created == "maybe" or not issubclass(row.error, e.VendorUnavailable)


@pytest.mark.parametrize("spelling", ["APIG", "APIGW"])
def test_the_gateway_spells_its_codes_two_ways(spelling):
    assert type(refused(429, {"error_code": f"{spelling}.0308", "error_msg": "slow"})) is e.RateLimited
    assert type(refused(404, {"error_code": f"{spelling}.0101", "error_msg": "?"})) is e.FeatureDisabled


@pytest.mark.parametrize("name", ["error_msg", "error_message"])
def test_the_text_is_read_under_both_of_its_names(name):
    found = refused(400, {"error_code": "IVA.0004", name: "the reason"})
    assert "the reason" in found.message


@pytest.mark.parametrize(
    ("status", "body"),
    [(400, {"error_code": "IVA.0999", "error_msg": "new"}), (400, {"error_code": "", "error_msg": ""}), (500, {"error_code": "AIS.9999", "error_msg": "x"}),
     (502, b"<html>bad gateway</html>"), (503, b""), (400, b"<html>"), (429, b"slow down"), (404, b"not here"), (403, {"whatever": 1}), (400, [1])],
)  # fmt: skip
def test_what_nobody_documents_may_have_created_something(status, body):
    found = refused(status, body, request=REQUEST)
    assert found.created == "maybe"
    assert not RetryPolicy().repeats(Effect.CREATE, found)


def test_an_empty_refusal_is_read(sample):
    found = refused(400, sample("v2_audio_error_empty_apiexplorer"))
    assert (type(found), found.code) == (e.InvalidRequest, None)


@pytest.mark.parametrize("status", [200, 201, 202])
def test_a_success_is_none(status):
    assert refused(status, {"job_id": "j"}) is None
    assert refused(status, [{"id": "t"}]) is None
    assert refused(status, b"") is None
    assert refused(status, {"id": "t", "state": "FAILED", "error": {"code": "ALG.002", "message": "test"}}) is None


@pytest.mark.parametrize(
    "more", [{"error_code": "AIS.0022", "error_msg": "x"}, {"error": {"code": "X", "message": "x"}}]
)
def test_a_failed_task_is_no_failed_call(more):
    job, task = {"job_id": "j", "status": "failed", **more}, {"id": "t", "state": "FAILED", **more}
    assert refused(200, job) is refused(200, task) is None
    assert refused(400, {"job_id": "j", "status": "failed", "error_code": "AIS.0022"}) is not None
    assert refused(200, {"job_id": "j", "error_code": "AIS.0022"}, request=REQUEST) is not None
    assert refused(200, {"job_id": "j", "status": "odd", "error_code": "AIS.0022"}) is not None
    assert refused(200, {"job_id": "j", "status": "failed", "error_code": "AIS.0022"}, request=REQUEST) is not None


@pytest.mark.parametrize("request_", [REQUEST, READ])
def test_a_page_of_a_portal_is_no_success(request_):
    found = refused(200, b"<html>sign in</html>", {"Content-Type": "text/html"}, request=request_)
    assert (type(found), found.created) == (e.UnexpectedReply, "maybe")
    assert "text/html" in found.message


def test_the_vendor_s_hint_to_wait_is_kept():
    assert refused(429, {"error_code": "APIG.0308", "error_msg": "slow"}, {"Retry-After": "3"}).retry_after == 3


# --- a signature that the gateway does not accept ---


def echo(**changes):
    parts = {
        "method": "POST", "path": "/v3/p/jobs/", "query": "", "host": "host:moderation.cn-north-4.myhuaweicloud.com", "date": "x-sdk-date:20261125T000000Z",
        "end": "", "names": "host;x-sdk-date", "digest": hashlib.sha256(REQUEST.content).hexdigest(),
    } | changes  # fmt: skip
    says = f"Incorrect IAM authentication information: verify aksk signature fail, canonicalRequest:{'|'.join(parts.values())}"
    return refused(401, {"error_code": "APIGW.0301", "error_msg": says, "request_id": "r"}, request=REQUEST)


@pytest.mark.parametrize(
    ("changes", "says"),
    [({}, "so it is the key pair: check `ak` and `sk`"), ({"digest": "0" * 64}, "the body arrived otherwise"), ({"method": "PUT"}, "arrived as PUT, and POST was sent"),
     ({"path": "/v3/q/jobs/"}, "the path arrived as /v3/q/jobs/"), ({"query": "a=1"}, "the query arrived otherwise"), ({"host": "host:proxy.example"}, "the header host arrived otherwise"),
     ({"date": "x-sdk-date:20000101T000000Z"}, "the header x-sdk-date arrived otherwise")],
)  # fmt: skip
def test_a_mismatch_says_what_arrived_otherwise(changes, says):
    found = echo(**changes)
    assert says in found.way_out
    assert "15 minutes" in found.way_out


def test_the_captured_mismatch_is_explained(sample):
    body = sample("gw_error_401_APIGW0301_signature")
    request = Request.build(
        "DELETE",
        "https://functiongraph.cn-north-4.myhuaweicloud.com/v2/x",
        effect=Effect.REPEATABLE,
        operation="Delete",
    )
    assert (
        "the path arrived as /v2/0bcc05efb100f2a92f53c011f262dfa0/fgs/" in refused(401, body, request=request).way_out
    )


@pytest.mark.parametrize("header", ["x-security-token", "X-Auth-Token", "x-subject-token"])
def test_tokens_that_an_echo_carries_do_not_get_out(header):
    found = echo(end=f"{header}:SECRET+token/==")
    assert "SECRET" not in f"{found} {found.body} {found.way_out} {found.as_dict()}"


@pytest.mark.parametrize("quote", ['"', "'", '\\"', '\\\\"', ""])
def test_tokens_that_an_echo_quotes_in_any_spelling_do_not_get_out(quote):
    says = f"sent {quote}X-Auth-Token{quote}: {quote}SECRET+token/=={quote}, and more"
    found = refused(401, {"error_code": "APIGW.0301", "error_msg": says})
    assert "SECRET" not in f"{found} {found.body}"
    assert "and more" in str(found)


def test_a_refusal_without_an_echo_says_what_to_check():
    found = refused(401, {"error_code": "APIGW.0301", "error_msg": "Incorrect IAM authentication information"})
    assert "credentials" in found.way_out
    torn = refused(401, {"error_code": "APIGW.0301", "error_msg": "canonicalRequest:GET|/x"})
    assert "credentials" in torn.way_out


@pytest.mark.parametrize(
    ("minutes", "says"), [(20, "20 minutes ahead of the vendor's"), (-20, "20 minutes behind the vendor's")]
)
def test_a_clock_that_is_off_is_told_by_the_date_of_the_reply(minutes, says):
    signed = datetime(2026, 11, 25, 12, tzinfo=UTC)
    theirs = format_datetime(signed - timedelta(minutes=minutes), usegmt=True)
    request = REQUEST.with_headers({"X-Sdk-Date": f"{signed:%Y%m%dT%H%M%SZ}"})
    body = {"error_code": "APIGW.0301", "error_msg": "Incorrect IAM authentication information: expired"}
    assert says in refused(401, body, {"Date": theirs}, request=request).way_out


@pytest.mark.parametrize(
    "date", [None, "yesterday", "Wed, 25 Nov 2026 12:10:00 GMT", "Wed, 25 Nov 2026 12:10:00 -0000"]
)
def test_a_clock_that_is_not_known_to_be_off_is_among_what_to_check(date):
    request = REQUEST.with_headers({"X-Sdk-Date": "20261125T120000Z"})
    body = {"error_code": "APIGW.0301", "error_msg": "Incorrect IAM authentication information: expired"}
    found = refused(401, body, {"Date": date} if date else None, request=request)
    assert "and this machine's clock" in found.way_out


@pytest.mark.parametrize("date", [None, "", "today"])
def test_a_request_that_says_no_date_says_nothing_of_the_clock(date):
    request = REQUEST.with_headers({"X-Sdk-Date": date}) if date is not None else READ
    body = {"error_code": "AIS.0002", "error_msg": "no"}
    assert "minutes" not in refused(401, body, {"Date": "Wed, 25 Nov 2020 12:10:00 GMT"}, request=request).way_out
