"""It refuses what the vendor refuses, with the vendor's own bodies where they are documented."""

import pytest

URL = "https://cdn.example.com/clip.mp4"
CM = {"url": URL, "task_name": "content-moderation", "category": "hard_nudity"}
NOT_PROVIDED = "Authentication credentials were not provided."


@pytest.mark.parametrize(
    ("headers", "kind", "message"),
    [
        ({}, "not_authenticated", NOT_PROVIDED),
        ({"Authorization": "{key}"}, "not_authenticated", NOT_PROVIDED),
        ({"APIKey": "{key}"}, "not_authenticated", NOT_PROVIDED),
        ({"Authorization": "apikey {key}"}, "not_authenticated", NOT_PROVIDED),
        ({"Authorization": "APIKey"}, "not_authenticated", NOT_PROVIDED),
        ({"Authorization": "Bearer {key}"}, "token_not_valid", "Given token not valid for any token type"),
        ({"Authorization": "APIKey 29841"}, "not_authenticated", "Bad permanent token: 29841"),
        ({"Authorization": "APIKey 1234$abcdef"}, "token_not_valid", "Token is invalid or expired"),
        ({"Authorization": "APIKey 1234_abcdef"}, "token_not_valid", "Token is invalid or expired"),
    ],
)
@pytest.mark.parametrize("path", ["/streaming/ai/tasks", "/streaming/videos/2001", "/iam/clients/me"])
def test_wrong_credentials_are_refused_with_the_documented_message(
    api, reelvet_sandbox, *, headers, kind, message, path
):
    key = reelvet_sandbox.settings("gcore")["api_key"]
    api.headers.pop("Authorization")
    reply = api.get(path, headers={name: value.format(key=key) for name, value in headers.items()})
    assert reply.status_code == 401
    assert reply.json() == {"exception_class": kind, "message": message}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"url": None}, "url is required"),
        ({"url": 5}, "url must be a string"),
        ({"url": "ftp://h/a.mp4"}, "url must be a public HTTP/HTTPS URL"),
        ({"url": "clip.mp4"}, "url must be a public HTTP/HTTPS URL"),
        ({"url": "https://[h/a.mp4"}, "url must be a public HTTP/HTTPS URL"),
        ({"task_name": None}, "task_name is required"),
        ({"task_name": "translation"}, "task_name must be one of: transcription, content-moderation"),
        ({"category": None}, "category is required"),
        ({"category": "casting"}, "category must be one of: nsfw, hard_nudity, soft_nudity, sport"),
        ({"category": ["nsfw"]}, "category must be a string"),
        ({"stop_objects": "FACE_FEMALE"}, "stop_objects: unknown label FACE_FEMALE"),
        ({"stop_objects": "ANUS_EXPOSED, BUTTOCKS_EXPOSED"}, "stop_objects: unknown label  BUTTOCKS_EXPOSED"),
        ({"stop_objects": "ANUS_EXPOSED:80"}, "stop_objects: threshold of ANUS_EXPOSED must be a number from 0 to 1"),
        ({"stop_objects": "ANUS_EXPOSED:"}, "stop_objects: threshold of ANUS_EXPOSED must be a number from 0 to 1"),
        ({"category": "nsfw", "stop_objects": "nsfw"}, "stop_objects is not supported for category nsfw"),
        ({"client_user_id": "x" * 257}, "client_user_id must be at most 256 characters long"),
        ({"client_user_id": 12}, "client_user_id must be a string"),
        ({"client_entity_data": "x" * 4097}, "client_entity_data must be at most 4096 characters long"),
        ({"audio_language": 1}, "audio_language must be a string"),
    ],
)
def test_a_field_that_is_missing_or_wrong_is_named(api, reelvet_sandbox, change, error):
    reply = api.post("/streaming/ai/tasks", json=CM | change)
    assert (reply.status_code, reply.json()) == (400, {"error": error})
    assert not reelvet_sandbox.tasks("gcore")


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff"])
def test_a_body_that_is_no_json_object_is_refused(api, body):
    assert api.post("/streaming/ai/tasks", content=body).status_code == 400


def test_the_longest_values_are_taken_and_null_is_as_good_as_nothing(api, get):
    longest = {"client_user_id": "u" * 256, "client_entity_data": "d" * 4096}
    task = api.post("/streaming/ai/tasks", json=CM | longest | {"stop_objects": None}).json()["task_id"]
    assert get(task)["task_data"] == {**CM, **longest, "client_id": 4242}


@pytest.mark.parametrize("status", [400, 429])
def test_a_full_queue_refuses_with_the_documented_words_until_a_task_ends(api, reelvet_sandbox, create, status):
    reelvet_sandbox.set_up("gcore", queue=2, queue_status=status)
    create()
    create()
    reply = api.post("/streaming/ai/tasks", json=CM)
    assert (reply.status_code, reply.json()) == (status, {"error": "Queue limit reached (2), try later."})
    reelvet_sandbox.clock.advance(60)
    create()


def test_the_documented_limit_of_the_queue_is_100(api, create):
    for _ in range(100):
        create()
    assert api.post("/streaming/ai/tasks", json=CM).json() == {"error": "Queue limit reached (100), try later."}


def test_tasks_run_so_many_at_a_time(reelvet_sandbox, create, get, api):
    reelvet_sandbox.set_up("gcore", parallel=1)
    first, second, third = create(), create(), create()
    reelvet_sandbox.clock.advance(2.2)
    assert [get(task)["status"] for task in (first, second)] == ["STARTED", "PENDING"]
    assert api.post(f"/streaming/ai/tasks/{second}/cancel").status_code == 202
    reelvet_sandbox.clock.advance(1.4)  # the first is done, and the third has moved up
    assert [get(task)["status"] for task in (first, second, third)] == ["SUCCESS", "REVOKED", "STARTED"]


def test_requests_per_second_are_counted(api, reelvet_sandbox):
    reelvet_sandbox.set_up("gcore", per_second=3)
    statuses = [api.get("/iam/clients/me").status_code for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    assert api.get("/iam/clients/me").json() == {"error": "Too many requests, try later"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/streaming/ai/tasks"), ("GET", "/streaming/ai/tasks"), ("GET", "/streaming/ai/tasks/x"), ("POST", "/streaming/ai/tasks/x/cancel"),
        ("GET", "/streaming/ai/info"), ("POST", "/streaming/ai/detect-nudity"), ("POST", "/streaming/ai/transcribe"), ("GET", "/streaming/ai/results/x"),
    ],
)  # fmt: skip
def test_a_feature_that_is_not_enabled_is_422_everywhere(api, reelvet_sandbox, method, path):
    reelvet_sandbox.set_up("gcore", feature_enabled=False)
    reply = api.request(method, path)
    assert (reply.status_code, reply.json()) == (422, {"error": "Feature is disabled. Contact support to enable."})
    assert api.get("/iam/clients/me").status_code == 200
    assert api.get("/streaming/videos/2001").status_code == 200


def test_unknown_ids_are_404_in_two_shapes(api):
    nobody = "00000000-0000-0000-0000-000000000000"
    not_found = {
        "status": 404,
        "error": "Not Found. Entity you are looking for was not found, please check the initial parameters",
    }
    for path in (
        f"ai/tasks/{nobody}",
        "ai/tasks/no-uuid",
        f"ai/results/{nobody}",
        "videos/1",
        "videos/x",
        "ai/nothing",
    ):
        reply = api.get(f"/streaming/{path}")
        assert (reply.status_code, reply.json()) == (404, not_found)
    reply = api.post(f"/streaming/ai/tasks/{nobody}/cancel")
    assert (reply.status_code, reply.json()) == (404, {"error": "Task not found"})


def test_the_client_is_told_who_it_is(api):
    assert api.get("/iam/clients/me").json()["id"] == 4242


def test_the_endpoints_of_2024_can_be_switched_off(api, reelvet_sandbox):
    reelvet_sandbox.set_up("gcore", legacy_enabled=False)
    assert api.post("/streaming/ai/detect-nudity", json={"url": URL}).status_code == 404


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b'{"url": "https://h.example/a.mp4", "task_name": "transcription", "stop_objects": 5}',
     b'{"url": "https://h.example/a.mp4", "task_name": "transcription", "category": []}', b"\xff\xfe", b"null"],
    ids=["nested", "stop_objects", "category", "bytes", "null"],
)  # fmt: skip
def test_no_body_breaks_the_emulator(api, body):
    reply = api.post("/streaming/ai/tasks", content=body, headers={"Content-Type": "application/json"})
    assert (reply.status_code, set(reply.json())) == (400, {"error"})


def test_half_a_surrogate_pair_is_echoed_as_it_was_sent(api):
    body = b'{"url": "https://h.example/\\ud800.mp4", "task_name": "transcription"}'
    assert (
        api.post("/streaming/ai/tasks", content=body, headers={"Content-Type": "application/json"}).status_code == 201
    )
    assert "\\ud800" in api.get("/streaming/ai/tasks").text


@pytest.mark.parametrize(
    "path",
    [
        "/streaming/ai/tasks?page=" + "9" * 5000,
        "/streaming/ai/tasks?limit=" + "9" * 5000,
        "/streaming/videos/" + "9" * 5000,
    ],
)
def test_no_number_breaks_the_emulator(api, path):
    assert api.get(path).status_code in {400, 404}
