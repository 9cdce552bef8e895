"""Each fault that the host applies, as it looks on the wire; and what is said of one that cannot be."""

import json
import threading
import time

import pytest

from reelvet.errors import ConfigurationError
from reelvet.sandbox import FAULTS, Fault, Sandbox

URL = {"url": "https://cdn.example.com/a.mp4"}


def test_before_means_that_nothing_was_created_and_after_that_it_was(sandbox, acme):
    for when, created in (("before", 0), ("after", 1)):
        sandbox.fault("acme", "cut", operation="create", when=when)
        answer = acme("POST", "/v1/tasks", URL)
        assert (answer.status, answer.body, answer.ended) == (None, b"", "reset")
        assert len(sandbox.tasks("acme")) == created
    assert [(r.operation, r.status, r.faults) for r in sandbox.requests()] == [("create", None, ("cut",))] * 2
    assert acme("POST", "/v1/tasks", URL).status == 201


def test_a_connection_may_end_in_good_order_without_a_reply(sandbox, acme):
    sandbox.fault("acme", "cut", how="close")
    answer = acme("GET", "/v1/batch")
    assert (answer.body, answer.ended) == (b"", "closed")


def test_a_body_that_ends_in_the_middle(sandbox, acme):
    whole = acme("GET", "/v1/batch")
    sandbox.fault("acme", "truncated", keep=0.25)
    answer = acme("GET", "/v1/batch")
    assert (answer.status, answer.ended) == (200, "closed")
    assert answer.headers["content-length"] == whole.headers["content-length"]
    assert answer.body == whole.body[: len(whole.body) // 4]


def test_a_body_that_is_no_json_and_a_wrong_content_type(sandbox, acme):
    sandbox.fault("acme", "not_json", text="oops")
    answer = acme("GET", "/v1/batch")
    assert (answer.status, answer.body, answer.headers["content-type"]) == (200, b"oops", "text/html")
    sandbox.fault("acme", "content_type", value="application/octet-stream")
    answer = acme("GET", "/v1/batch")
    assert (answer.json["total"], answer.headers["content-type"]) == (4, "application/octet-stream")


@pytest.mark.parametrize(("given", "header"), [({}, None), ({"retry_after": 1.5}, "1.5"), ({"retry_after": "Wed, 25 Nov 2026 16:00:00 GMT"}, "Wed, 25 Nov 2026 16:00:00 GMT")])  # fmt: skip
def test_429_with_and_without_retry_after(sandbox, acme, given, header):
    sandbox.fault("acme", "too_many", operation="create", **given)
    answer = acme("POST", "/v1/tasks", URL)
    assert (answer.status, answer.json, answer.headers.get("retry-after")) == (429, {"error": "acme says 429"}, header)
    assert not sandbox.tasks()


@pytest.mark.parametrize(("status", "body", "starts"), [(500, "vendor", b'{"error"'), (503, "html", b"<html>"), (504, "empty", b"")])  # fmt: skip
def test_5xx_bodies(sandbox, acme, status, body, starts):
    sandbox.fault("acme", "server_error", status=status, body=body)
    answer = acme("GET", "/v1/batch")
    assert answer.status == status
    assert answer.body.startswith(starts)
    assert bool(answer.body) is bool(starts)


def test_a_5xx_after_the_task_was_created(sandbox, acme):
    sandbox.fault("acme", "server_error", operation="create", when="after")
    assert acme("POST", "/v1/tasks", URL).status == 500
    assert len(sandbox.tasks()) == 1


def test_a_slow_reply_holds_nobody_else_up(sandbox, acme):
    sandbox.fault("acme", "latency", seconds=1, operation="batch")
    slow = threading.Thread(target=acme, args=("GET", "/v1/batch"))
    began = time.monotonic()
    slow.start()
    while not sandbox.requests():
        time.sleep(0.001)
    acme("GET", "/v1/tasks/x")
    assert time.monotonic() - began < 0.8
    slow.join()
    assert time.monotonic() - began >= 1


def test_a_sandbox_that_stops_does_not_wait_for_slow_replies(registry, raw):
    sandbox = Sandbox(registry=registry).start()
    sandbox.fault("acme", "latency", seconds=30)
    slow = threading.Thread(target=raw(sandbox.base_url("acme")), args=("GET", "/v1/batch"))
    slow.start()
    while not sandbox.requests():
        time.sleep(0.001)
    began = time.monotonic()
    sandbox.stop()
    slow.join()
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    ("kind", "given", "content"),
    [
        ("set_field", {"path": "total", "value": "four"}, {"items": [{"id": 0}, {"id": 1}, {"id": 2}, {"id": 3}], "total": "four"}),
        ("set_field", {"path": "/items/2/id", "value": None}, {"items": [{"id": 0}, {"id": 1}, {"id": None}, {"id": 3}], "total": 4}),
        ("set_field", {"path": "new", "value": {"a": 1}}, {"items": [{"id": 0}, {"id": 1}, {"id": 2}, {"id": 3}], "total": 4, "new": {"a": 1}}),
        ("missing_field", {"path": "items.*.id"}, {"items": [{}, {}, {}, {}], "total": 4}),
        ("missing_field", {"path": "items.*"}, {"items": [], "total": 4}),
        ("null_field", {"path": "items"}, {"items": None, "total": 4}),
        ("shuffled", {"path": "items"}, {"items": [{"id": 3}, {"id": 2}, {"id": 1}, {"id": 0}], "total": 4}),
        ("dropped_items", {"path": "items", "items": [0, -1, 9]}, {"items": [{"id": 1}, {"id": 2}], "total": 4}),
    ],
)  # fmt: skip
def test_any_place_of_a_reply_can_be_changed(sandbox, acme, kind, given, content):
    sandbox.fault("acme", kind, **given)
    assert acme("GET", "/v1/batch").json == content
    assert acme("GET", "/v1/batch").json["items"][0] == {"id": 0}  # once, and the emulator's own is as it was


def test_a_fault_waits_for_something_to_change(sandbox, acme):
    sandbox.fault("acme", "null_field", path="items")
    acme("GET", "/v1/tasks/x")
    assert sandbox.faults()[0].struck == 0
    assert acme("GET", "/v1/batch").json["items"] is None
    assert sandbox.faults() == []


def test_how_often_after_how_many_and_where(sandbox, acme):
    sandbox.fault("acme", "too_many", operation="batch", skip=1, times=2)
    assert acme("GET", "/v1/tasks/x").status == 404
    assert [acme("GET", "/v1/batch").status for _ in range(4)] == [200, 429, 429, 200]
    sandbox.fault(None, "too_many", times=None)
    assert [acme("GET", "/v1/batch").status for _ in range(5)] == [429] * 5
    sandbox.clear_faults()
    assert acme("GET", "/v1/batch").status == 200


def test_several_strike_together(sandbox, acme):
    sandbox.fault("acme", "set_field", path="total", value=5)
    sandbox.fault("acme", "missing_field", path="items")
    sandbox.fault("acme", "latency", seconds=0.05)
    began = time.monotonic()
    assert acme("GET", "/v1/batch").json == {"total": 5}
    assert time.monotonic() - began >= 0.05
    assert set(sandbox.requests()[0].faults) == {"set_field", "missing_field", "latency"}


def test_one_can_be_taken_away_by_its_number(sandbox):
    first, second = sandbox.fault("acme", "cut"), sandbox.fault("acme", "truncated")
    sandbox.clear_faults(first.id)
    assert [planted.id for planted in sandbox.faults()] == [second.id]
    with pytest.raises(ConfigurationError, match="no fault "):
        sandbox.clear_faults(first.id)


def test_those_of_meaning_are_handed_to_the_emulator(sandbox, acme):
    sandbox.fault("acme", "never_finishes")
    for _ in range(2):
        acme("POST", "/v1/tasks", URL)
    sandbox.clock.advance(1e6)
    assert [task.phase for task in sandbox.tasks()] == ["running", "done"]
    assert sandbox.requests()[0].faults == ("never_finishes",)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ({"kind": "latensy"}, "there is no fault 'latensy'. Did you mean 'latency'?"),
        ({"kind": "zzz"}, "There are latency, too_many"),
        ({}, "a fault needs a kind"),
        ([], "a fault needs a kind"),
        ({"kind": "latency"}, "seconds: is required"),
        ({"kind": "latency", "secs": 1}, "secs: no such field"),
        ({"kind": "latency", "seconds": -1}, "seconds: input should be greater than or equal to 0 (got -1)"),
        ({"kind": "latency", "seconds": 1, "times": 0}, "times: input should be greater than or equal to 1 (got 0)"),
        ({"kind": "server_error", "status": 404}, "status: input should be greater than or equal to 500 (got 404)"),
        ({"kind": "cut", "how": "explode"}, "how: input should be 'reset' or 'close'"),
        ({"kind": "cut", "operation": "creat"}, "does not strike 'creat'. Did you mean 'create'?"),
        ({"kind": "cut", "operation": "x"}, "It strikes create, get, batch, break."),
        ({"kind": "cut", "provider": "acmee"}, "there is no emulator of 'acmee' here. Did you mean 'acme'?"),
        ({"kind": "decoys"}, "the emulator of 'acme' has no fault 'decoys'. It has latency, too_many"),
        ({"kind": "never_finishes", "operation": "get"}, "does not strike 'get'. It strikes create."),
        ({"kind": "callback_late", "operation": "create"}, "It strikes callback."),
    ],
)
def test_what_cannot_be_is_refused_with_the_way_out(sandbox, control, fault, says):
    with pytest.raises(ConfigurationError) as caught:
        sandbox.plant(fault)
    assert says in str(caught.value)
    answer = control("POST", "/faults", fault)
    assert answer.status == 400
    assert says in answer.json["error"]["message"]
    assert sandbox.faults() == []


def test_every_kind_is_data_that_survives_json():
    samples = {"latency": {"seconds": 1}, "set_field": {"path": "a", "value": 1}, "missing_field": {"path": "a"}, "null_field": {"path": "a"}, "shuffled": {"path": "a"}, "dropped_items": {"path": "a"}}  # fmt: skip
    for kind, model in FAULTS.items():
        fault = model(**samples.get(kind, {}))
        assert isinstance(fault, Fault)
        assert model.model_validate(json.loads(fault.model_dump_json())) == fault
        assert model.__doc__
