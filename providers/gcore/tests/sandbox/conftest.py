"""The emulator, called as the vendor would be: over HTTP, with nothing of reelvet in between."""

import httpx
import pytest

MAGIC = "https://sandbox.reelvet.example"


@pytest.fixture
def api(reelvet_sandbox):
    """The emulator's API with good credentials; its clock stands still until a test lets time pass."""
    reelvet_sandbox.clock.pause()
    settings = reelvet_sandbox.settings("gcore")
    headers = {"Authorization": f"APIKey {settings['api_key']}"}
    # It is plain HTTP, and loading a store of certificates would take longer than the test.
    with httpx.Client(base_url=settings["base_url"], headers=headers, verify=False) as client:  # noqa: S501
        yield client


@pytest.fixture
def create(api):
    """Creates a task and gives its id."""

    def call(scenario="clean", category="nsfw", **more):
        body = {"url": f"{MAGIC}/{scenario}.mp4", "task_name": "content-moderation", "category": category, **more}
        reply = api.post("/streaming/ai/tasks", json=body)
        assert reply.status_code == 201, reply.text
        assert set(reply.json()) == {"task_id"}
        return reply.json()["task_id"]

    return call


@pytest.fixture
def transcribe(api):
    """Creates a task that transcribes."""

    def call(scenario="speech-only", **more):
        body = {"url": f"{MAGIC}/{scenario}.mp4", "task_name": "transcription", **more}
        reply = api.post("/streaming/ai/tasks", json=body)
        assert reply.status_code == 201, reply.text
        return reply.json()["task_id"]

    return call


@pytest.fixture
def get(api):
    """What the API says of a task."""

    def call(task, path="tasks"):
        reply = api.get(f"/streaming/ai/{path}/{task}")
        assert reply.status_code == 200, reply.text
        return reply.json()

    return call


@pytest.fixture
def result(reelvet_sandbox, get):
    """The same once it has ended."""

    def call(task, path="tasks", status="SUCCESS"):
        reelvet_sandbox.clock.advance(10_000)
        told = get(task, path)
        assert told["status"] == status, told
        return told["result"]

    return call
