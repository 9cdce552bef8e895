"""Gcore's refusals: what each becomes, and whether a submit may be sent again."""

from __future__ import annotations

import json

import pytest

from reelvet.http import Effect, Reply, Request, RetryPolicy
from reelvet.schema import errors as e
from reelvet_gcore.errors import FAILURES, ROWS, classify

REQUEST = Request.build(
    "POST", "https://api.gcore.com/streaming/ai/tasks", effect=Effect.CREATE, operation="CreateTask"
)


def refused(status, body, headers=None):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return classify(REQUEST, Reply(status, headers or {}, content))


@pytest.mark.parametrize(
    ("name", "status", "error", "retryable"),
    [("err_400_queue_limit", 400, e.RateLimited, True), ("err_429_too_many", 429, e.RateLimited, True),
     ("err_422_feature_disabled", 422, e.FeatureDisabled, False), ("err_404_not_found", 404, e.TaskNotFound, False),
     ("err_cancel_404", 404, e.TaskNotFound, False), ("err_cancel_412", 412, e.TaskConflict, False),
     ("err_info_400", 400, e.InvalidRequest, False), ("err_400_generic_streaming", 400, e.InvalidRequest, False),
     ("err_422_language_subtitles", 422, e.InvalidRequest, False), ("err_403_cloud_style", 403, e.PermissionDenied, False),
     ("err_404_cloud_style", 404, e.TaskNotFound, False),
     ("composed_err_401_not_authenticated", 401, e.AuthenticationFailed, False),
     ("composed_err_401_token_not_valid", 401, e.AuthenticationFailed, False)],
)  # fmt: skip
def test_each_published_refusal(sample, name, status, error, retryable):
    found = refused(status, sample(name))
    assert type(found) is error
    assert (found.retryable, found.created, found.status) == (retryable, "no", status)
    assert found.way_out
    assert RetryPolicy().repeats(Effect.CREATE, found) is retryable


@pytest.mark.parametrize(
    ("status", "body"),
    [(500, {"error": "internal"}), (500, {"data": [], "errors": ["internal server error"]}), (502, b"<html>bad gateway</html>"), (503, b""),
     (409, {"error": "?"}), (408, {"error": "?"}), (418, {"error": "?"}), (400, b"<html>bad request</html>"),
     (404, b"api.gcorelabs.com is no longer available")],
)  # fmt: skip
def test_what_the_api_does_not_document_may_have_created_something(status, body):
    found = refused(status, body)
    assert found.created == "maybe"
    assert not RetryPolicy().repeats(Effect.CREATE, found)


@pytest.mark.parametrize(
    "body",
    [
        {"error": "e-text"},
        {"message": "e-text"},
        {"detail": "e-text"},
        {"errors": ["e-text", "more"]},
        {"error": None, "message": "e-text"},
    ],
)
def test_the_text_is_read_wherever_gcore_puts_it(body):
    assert "e-text" in refused(400, body).message


@pytest.mark.parametrize("text", ["Bad permanent token: 29841", "Bad token: 29841$abc"])
def test_a_piece_of_the_token_does_not_get_out(text):
    found = refused(401, {"message": text, "exception_class": "token_not_valid", "request_id": "r-1"})
    assert "29841" not in f"{found} {found.body} {found.as_dict()}"
    assert (found.code, found.request_id) == ("token_not_valid", "r-1")


def test_the_vendors_hint_to_wait_is_kept():
    assert refused(429, {"error": "Too many requests, try later"}, {"Retry-After": "7"}).retry_after == 7


@pytest.mark.parametrize("body", [b"slow down", b"<html>429</html>", {"errors": []}, {}])
def test_too_many_requests_says_all_by_its_status(body):
    found = refused(429, body)
    assert (type(found), found.created, found.retryable) == (e.RateLimited, "no", True)


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "Bad permanent token: 29841SEC"}},
        b"Bad token: 29841SEC",
        {"detail": "Bad token: 29841SEC"},
    ],
)
def test_nor_does_it_from_where_no_text_is_expected(body):
    found = refused(401, body)
    assert isinstance(found, e.AuthenticationFailed)
    assert "29841" not in f"{found} {found.body} {found.as_dict()}"


@pytest.mark.parametrize("status", [200, 201, 202])
def test_a_success_is_none(status):
    assert refused(status, {"error": "odd"}) is None


def test_every_row_has_a_source_and_a_way_out():
    assert all(row.source.startswith("https://gcore.com/docs/") and row.way_out and row.created == "no" for row in ROWS)
    assert all(issubclass(row.error, e.ProviderError) for row in FAILURES)
