"""Tencent's refusals: what each becomes, and whether a submit may be sent again."""

from __future__ import annotations

import importlib
import json

import pytest

from reelvet.http import Effect, Reply, Request, RetryPolicy
from reelvet.schema import errors as e
from reelvet_tencent.errors import FAILURES, ROWS, classify, row_of

REQUEST = Request.build(
    "POST", "https://vm.tencentcloudapi.com/", effect=Effect.CREATE, operation="CreateVideoModerationTask"
)


def reply(body, status=200, headers=None):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return classify(REQUEST, Reply(status, headers or {"Content-Type": "application/json"}, content))


def refused(code, says="it was refused", **how):
    return reply({"Response": {"Error": {"Code": code, "Message": says}, "RequestId": "r-1"}}, **how)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.code)
def test_every_code_is_typed(row):
    found = refused(row.code)
    assert type(found) is row.error
    assert (found.code, found.created, found.status, found.request_id) == (row.code, row.created, 200, "r-1")
    assert found.way_out
    assert RetryPolicy().repeats(Effect.CREATE, found) is (found.retryable and row.created == "no")


def test_every_code_of_the_vendors_own_client_has_a_row():
    for version in ("v20210922", "v20201229"):
        codes = vars(importlib.import_module(f"tencentcloud.vm.{version}.errorcodes"))
        assert {code for name, code in codes.items() if name.isupper()} <= {row.code for row in ROWS}


@pytest.mark.parametrize(
    ("code", "error", "retryable", "created"),
    [("RequestLimitExceeded.UinLimitExceeded", e.RateLimited, True, "no"), ("RequestLimitExceeded.IPLimitExceeded", e.RateLimited, True, "no"),
     ("RequestLimitExceeded.GlobalRegionUinLimitExceeded", e.RateLimited, True, "no"), ("RequestLimitExceeded", e.RateLimited, True, "no"),
     ("AuthFailure.SignatureFailure", e.AuthenticationFailed, False, "no"), ("AuthFailure.SecretIdNotFound", e.AuthenticationFailed, False, "no"),
     ("AuthFailure.TokenFailure", e.AuthenticationFailed, False, "no"), ("AuthFailure.InvalidAuthorization", e.AuthenticationFailed, False, "no"),
     ("AuthFailure.InvalidSecretId", e.AuthenticationFailed, False, "no"), ("InvalidParameterValue.New", e.InvalidRequest, False, "no"),
     ("InternalError.Db", e.VendorUnavailable, True, "maybe"), ("ANewCode", e.ProviderError, False, "maybe"), ("ANewCode.Below", e.ProviderError, False, "maybe"),
     (None, e.ProviderError, False, "maybe"), (7, e.ProviderError, False, "maybe")],
)  # fmt: skip
def test_a_code_below_a_known_one_counts_as_it_and_an_unknown_one_may_have_created_something(
    code, error, retryable, created
):
    found = refused(code)
    assert type(found) is error
    assert (found.retryable, found.created) == (retryable, created)


def test_not_activated_names_its_three_causes(sample):
    found = reply(sample("composed_error_not_activated"))
    assert type(found) is e.FeatureDisabled
    for cause in ("not activated", "no package", "in arrears"):
        assert cause in str(found)


def test_the_published_refusal(sample):
    found = reply(sample("error_auth_signature"))
    assert type(found) is e.AuthenticationFailed
    assert (found.code, found.request_id) == ("AuthFailure.SignatureFailure", "ed93f3cb-f35e-473f-b9f3-0d451b8b79c6")
    assert "secret_key" in found.way_out


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [(b"<html><body>bad gateway</body></html>", 200, e.UnexpectedReply), (b"<html>", 502, e.VendorUnavailable), (b"", 200, e.UnexpectedReply), (b"", 503, e.VendorUnavailable),
     (b'{"Response": {"Results": [', 200, e.UnexpectedReply), (b"[]", 200, e.UnexpectedReply), (b"{}", 200, e.UnexpectedReply), (b'{"Response": null}', 200, e.UnexpectedReply),
     (b'{"Response": []}', 200, e.UnexpectedReply), (b"null", 200, e.UnexpectedReply), (b"\xff\xfe", 200, e.UnexpectedReply), (b"{}", 404, e.TaskNotFound),
     (b'{"Response": {"Error": null}}', 200, e.ProviderError), (b'{"Response": {"Error": "no"}}', 200, e.ProviderError), (b"[" * 100_000, 200, e.UnexpectedReply)],
)  # fmt: skip
def test_what_is_no_reply_of_the_api_is_an_error_and_may_have_created_something(body, status, error):
    found = reply(body, status)
    assert type(found) is error
    assert found.created == "maybe"
    assert not RetryPolicy().repeats(Effect.CREATE, found)


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "text/plain", "text/html", ""])
def test_the_content_type_decides_nothing(kind, sample):
    headers = {"Content-Type": kind} if kind else {}
    assert refused("InvalidParameter", headers=headers).code == "InvalidParameter"
    assert reply(sample("create_response_20210922_cn"), headers=headers) is None


def test_a_success_is_none(sample):
    assert reply(sample("cancel_response_20210922_cn")) is None


def test_an_error_with_a_status_of_its_own_keeps_it():
    assert refused("InternalError", status=500).status == 500
    assert reply({"Response": {"RequestId": "r-1"}}, 500).request_id == "r-1"


def test_the_vendors_hint_to_wait_is_kept():
    assert refused("RequestLimitExceeded", headers={"Retry-After": "7"}).retry_after == 7


def test_the_tables_have_sources_and_no_double_entries():
    assert all(row.source.startswith("https://") and row.way_out for row in ROWS)
    assert len({row.code for row in ROWS}) == len(ROWS)
    assert len({row.code for row in FAILURES}) == len(FAILURES)
    assert row_of("") is None
