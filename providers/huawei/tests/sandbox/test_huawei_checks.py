"""Each service refuses what its documentation forbids, with its own code, and creates nothing."""

import contextlib
import json
from copy import deepcopy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelvet_huawei.sandbox import PROJECT_ID, moderation_checks, vcm_checks
from reelvet_huawei.sandbox.refusals import Refused

V2 = f"/v2/{PROJECT_ID}/services/video-moderation/tasks"
V3 = f"/v3/{PROJECT_ID}/moderation/video/jobs"
V3_AUDIO = f"/v3/{PROJECT_ID}/moderation/audio/jobs"
REPLIES = Path(__file__).parents[1] / "samples" / "replies"
DROP = object()
COMMON = "service_config.common"
OBS = {"bucket": "mine", "path": "output/"}


def sample(name):
    return json.loads((REPLIES / name).read_text(encoding="utf-8"))


def changed(body, path, value):
    """The body with another value at a place."""
    body = deepcopy(body)
    *way, last = (int(step) if step.isdigit() else step for step in path.split("."))
    place = body
    for step in way:
        place = place[step]
    if value is DROP:
        del place[last]
    else:
        place[last] = value
    return body


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("name", DROP, "The field [name] is required and cannot be empty."),
        ("name", "", "The field [name] is required and cannot be empty."),
        ("name", "a b", "parameter [name] does not match"),
        ("name", "a" * 101, "parameter [name] does not match"),
        ("name", 5, "parameter [name] does not match"),
        ("description", "d" * 501, "The field [description]"),
        ("description", 5, "The field [description]"),
        ("input", DROP, "The field [input] is required and cannot be empty."),
        ("input", "obs", "The field [input] must be an object."),
        ("input.type", DROP, "The field [input.type] is required"),
        ("input.type", "vis", "The field [input.type] must be one of obs, url."),
        ("input.data", [], "The field [input.data] is required"),
        ("input.data", {"url": "x"}, "The field [input.data] must be an array"),
        ("input.data", [{"url": "a"}, {"url": "b"}], "The field [input.data] must hold one input at a time."),
        ("input.data.0.url", DROP, "The field [input.data[0].url] is required"),
        ("input.data.0.url", "ftp://obs.example/x", "The field [input.data[0].url] must be a URL"),
        ("input.data.0.url", "https://obs.example/" + "x" * 1000, "The field [input.data[0].url] must be a URL"),
        ("input.data.0.url", "https://cdn.example.com/x.mp4", "must be the URL of an OBS object."),
        ("input", {"type": "obs", "data": [{"bucket": "mine"}]}, "The field [input.data[0].path] is required"),
        ("input", {"type": "obs", "data": [{"bucket": "Mine", "path": "a"}]}, "parameter [input.data[0].bucket] does not"),
        ("input", {"type": "obs", "data": [{"bucket": "a..b", "path": "a"}]}, "parameter [input.data[0].bucket] does not"),
        ("input", {"type": "obs", "data": [{"bucket": "mine", "path": "/a"}]}, "The field [input.data[0].path] is no path"),
        ("input", {"type": "obs", "data": [{"bucket": "mine", "path": "a//b"}]}, "The field [input.data[0].path] is no path"),
        ("input", {"type": "obs", "data": [{"bucket": "mine", "path": "a?b"}]}, "The field [input.data[0].path] is no path"),
        ("output", DROP, "The field [output] is required and cannot be empty."),
        ("output", {}, "The field [output] is required and cannot be empty."),
        ("output", {"hosting": ""}, "The field [output.hosting] must be an object."),
        ("output", {"obs": {"bucket": "mine"}}, "The field [output.obs.path] is required"),
        ("output", {"dis": {}}, "The field [output.dis] is not supported"),
        ("output", {"hosting": {}, "webhook": {}}, "The field [output.webhook] is not supported"),
        ("service_version", DROP, "The field [service_version] is required and cannot be empty."),
        ("service_config", {}, "The field [service_config.common] is required"),
        (f"{COMMON}.frame_interval", DROP, f"The field [{COMMON}.frame_interval] is required"),
        (f"{COMMON}.frame_interval", 0, f"The field [{COMMON}.frame_interval] must be a positive integer."),
        (f"{COMMON}.frame_interval", "5", f"The field [{COMMON}.frame_interval] must be a positive integer."),
        (f"{COMMON}.frame_interval", True, f"The field [{COMMON}.frame_interval] must be a positive integer."),
        (f"{COMMON}.categories", DROP, f"The field [{COMMON}.categories] is required"),
        (f"{COMMON}.categories", "porn,ad", f"The field [{COMMON}.categories] must consist of"),
        (f"{COMMON}.categories", ["porn"], f"The field [{COMMON}.categories] must consist of"),
        (f"{COMMON}.text_categories", "porn,moan", f"The field [{COMMON}.text_categories] must consist of"),
        (f"{COMMON}.use_ocr", True, f"The field [{COMMON}.use_ocr] must be one of true, false."),
        (f"{COMMON}.use_sis", "yes", f"The field [{COMMON}.use_sis] must be one of true, false."),
        (f"{COMMON}.upload", "true", f"The field [output.obs] is required where [{COMMON}.upload] is true."),
    ],
)  # fmt: skip
def test_v2_names_the_field_that_is_missing_or_wrong(api, reelvet_sandbox, v2_body, path, value, says):
    reply = api.post(V2, json=changed(v2_body(), path, value))
    assert (reply.status_code, reply.json()["error_code"]) == (400, "IVA.0004"), reply.text
    beginning = "The request param is invalid. "
    assert reply.json()["error_msg"].startswith(beginning)
    assert says in reply.json()["error_msg"]
    assert not reelvet_sandbox.tasks("huawei")


def test_v2_says_what_its_examples_say(api, v2_body):
    assert api.post(V2, json=changed(v2_body(), "input", DROP)).json() == sample("v2_error_400_IVA0004_input.json")
    assert api.get(f"{V2}/x").json() == sample("v2_error_400_IVA0004_taskid.json")
    for body in (b"", b"{", b"[]", b"\xff"):
        reply = api.post(V2, content=body, headers={"Content-Type": "application/json"})
        assert (reply.status_code, reply.json()) == (400, sample("v2_error_400_IVA0003.json"))
    gone = "5b91ba1e10404c35a2a0d328e5dcaeaa"
    reply = api.get(f"{V2}/{gone}")
    assert (reply.status_code, reply.json()) == (404, sample("v2_error_IVA0005_task.json"))
    gone = "f18320e61e4c4dc685aa2dfc22a28dc5"
    assert api.delete(f"{V2}/{gone}").json() == sample("v2_error_IVA0005_delete.json")
    reply = api.post(V2.replace("video-moderation", "face-detect"), json={"service_version": "1.0"})
    assert (reply.status_code, reply.json()) == (404, sample("v2_error_IVA0005_service.json"))
    reply = api.post(V2, json=v2_body(service_version="1.1"))
    assert (reply.status_code, reply.json()["error_code"]) == (404, "IVA.0005")
    assert reply.json()["error_msg"].endswith("Service video-moderation/1.1 not found.")
    assert api.get(f"{V2}/task0a1b2c3d").status_code == 404  # the other form of an id


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("name", "审核_1-a"),
        ("name", "n" * 100),
        ("description", "d" * 500),
        ("input", {"type": "obs", "data": [{"bucket": "mine", "index": 0, "path": "a/b c.mp4"}]}),
        ("input.data.0.url", "https://mine.obs.cn-north-4.myhuaweicloud.com/a.mp4"),
        ("output", {"obs": OBS}),
        ("output", {"obs": OBS, "hosting": {}}),
        ("service_config", None),
        (f"{COMMON}.text_categories", DROP),
        (f"{COMMON}.use_ocr", DROP),
        (f"{COMMON}.frame_interval", 3600),
    ],
)
def test_v2_takes(api, v2_body, path, value):
    assert api.post(V2, json=changed(v2_body(), path, value)).status_code == 201


def test_v2_uploads_where_there_is_a_bucket(api, v2_body):
    body = changed(v2_body(), f"{COMMON}.upload", "true")
    assert api.post(V2, json=changed(body, "output.obs", OBS)).status_code == 201


def test_v2_can_be_told_to_take_any_url(api, reelvet_sandbox, v2_body):
    reelvet_sandbox.set_up("huawei", obs_only=False)
    assert api.post(V2, json=v2_body("https://cdn.example.com/a.mp4")).status_code == 201


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("data", DROP, "AIS.0011"),
        ("data", "x", "AIS.0012"),
        ("data.url", DROP, "AIS.0011"),
        ("data.url", "", "AIS.0011"),
        ("data.url", 5, "AIS.0022"),
        ("data.url", "obs://mine/a.mp4", "AIS.0022"),
        ("data.frame_interval", 0, "AIS.0012"),
        ("data.frame_interval", 61, "AIS.0012"),
        ("data.frame_interval", 5.5, "AIS.0012"),
        ("data.frame_interval", True, "AIS.0012"),
        ("data.language", "en", "AIS.0012"),
        ("event_type", DROP, "AIS.0011"),
        ("event_type", "other", "AIS.0401"),
        ("image_categories", DROP, "AIS.0011"),
        ("image_categories", [], "AIS.0011"),
        ("image_categories", ["ad"], "AIS.0012"),
        ("image_categories", "porn", "AIS.0012"),
        ("audio_categories", ["terrorism"], "AIS.0012"),
        ("audio_categories", "porn", "AIS.0012"),
        ("callback", "ftp://x", "AIS.0012"),
        ("callback", 5, "AIS.0012"),
        ("seed", "a-b", "AIS.0012"),
        ("seed", "s" * 65, "AIS.0012"),
        ("seed", "", "AIS.0012"),
        ("biz_type", 5, "AIS.0012"),
    ],
)
def test_v3_names_the_field_that_is_missing_or_wrong(api, reelvet_sandbox, v3_body, path, value, code):
    reply = api.post(V3, json=changed(v3_body(), path, value))
    assert (reply.status_code, reply.json()["error_code"]) == (400, code), reply.text
    assert set(reply.json()) == {"error_code", "error_msg"}
    assert not reelvet_sandbox.tasks("huawei")


def test_v3_says_what_its_examples_say(api, v3_body):
    assert api.post(V3, json=v3_body(event_type="other")).json() == sample("v3_error_400_AIS0401.json")
    reply = api.get(f"{V3}/01661356800_7c0fe871f80543358917e4faebca4a48")
    assert (reply.status_code, reply.json()) == (400, sample("v3_error_400_AIS0030.json"))
    for body in (b"", b"{", b"[]"):
        reply = api.post(V3, content=body, headers={"Content-Type": "application/json"})
        assert (reply.status_code, reply.json()["error_code"]) == (400, "AIS.0014")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("data.frame_interval", DROP),
        ("data.frame_interval", 1),
        ("data.frame_interval", 60),
        ("data.language", "zh"),
        ("event_type", "dynamic"),
        ("audio_categories", DROP),
        ("audio_categories", []),
        ("callback", "http://127.0.0.1:9/x"),
        ("seed", "s" * 64),
    ],
)
def test_v3_takes(api, v3_body, path, value):
    assert api.post(V3, json=changed(v3_body(), path, value)).status_code == 200


def test_a_policy_stands_for_event_type_and_categories(api, reelvet_sandbox, get_v3):
    reelvet_sandbox.set_up("huawei", biz_types=["reels_1"])
    url = "https://sandbox.reelvet.example/block-nudity.mp4"
    reply = api.post(V3, json={"data": {"url": url}, "biz_type": "reels_2"})
    assert (reply.status_code, reply.json()["error_code"]) == (400, "AIS.0012")
    reply = api.post(V3, json={"data": {"url": url}, "biz_type": "reels_1", "image_categories": ["nonsense"]})
    assert reply.status_code == 200
    reelvet_sandbox.clock.advance(100)
    told = get_v3(reply.json()["job_id"])
    assert told["request_params"] == {"data": {"url": url, "frame_interval": 5}}
    assert told["result"]["suggestion"] == "block"


def test_the_international_site_has_no_politics_in_pictures(api, reelvet_sandbox, v3_body):
    reelvet_sandbox.set_up("huawei", international=True)
    assert api.post(V3, json=v3_body()).json()["error_code"] == "AIS.0012"
    assert api.post(V3, json=v3_body(image_categories=["porn", "terrorism", "image_text"])).status_code == 200


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, None),
        ({"event_type": "voiceroom"}, None),
        ({"event_type": "dynamic"}, "AIS.0401"),
        ({"categories": None}, "AIS.0011"),
        ({"categories": ["image_text"]}, "AIS.0012"),
        ({"data": {}}, "AIS.0011"),
        ({"biz_type": "x", "categories": None, "event_type": None}, None),
    ],
)
def test_jobs_of_audio_alone(api, change, code):
    body = {"data": {"url": "https://cdn.example.com/a.wav"}, "event_type": "default", "categories": ["porn", "ad"]}
    reply = api.post(V3_AUDIO, json=body | change)
    assert (reply.status_code, reply.json().get("error_code")) == (200 if code is None else 400, code)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


def places(value, path=()):
    """Each place in a body."""
    yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, (*path, str(key)))


CHECKS = {
    "v2_create_request.json": lambda body: vcm_checks.creation(body, obs_only=True),
    "v3_create_request.json": lambda body: moderation_checks.video(body, policies=("x",), international=False),
    "v3_audio_create_request.json": lambda body: moderation_checks.audio(body, policies=None),
}


@pytest.mark.parametrize("name", CHECKS)
@given(data=st.data(), value=ANYTHING)
def test_whatever_is_sent_is_taken_or_refused(name, data, value):
    """An exception of another kind would be a mistake of the emulator's, and not an answer of the vendor's."""
    body = json.loads((REPLIES.parent / "requests" / name).read_text(encoding="utf-8"))
    more = [("data", "language"), ("seed",), ("biz_type",)] if name.startswith("v3") else [("description",)]
    place = data.draw(st.sampled_from([*places(body), *more]))
    sent = changed(body, ".".join(place), value) if place else value
    with contextlib.suppress(Refused):
        CHECKS[name](sent)
