"""GET /streaming/ai/tasks, with every documented parameter."""

from datetime import timedelta

import pytest


@pytest.fixture
def listed(api):
    def call(**params):
        reply = api.get("/streaming/ai/tasks", params=params)
        assert reply.status_code == 200, reply.text
        return reply.json()

    return call


def ids(page):
    return [item["task_id"] for item in page["results"]]


def test_there_are_none_at_first(listed):
    assert listed() == {"count": 0, "next": None, "previous": None, "results": []}


def test_an_item_is_the_task_without_its_result(listed, create, get, reelvet_sandbox):
    task = create("block-nudity")
    reelvet_sandbox.clock.advance(100)
    whole = get(task)
    assert whole.pop("result")
    assert listed()["results"] == [whole]


def test_pages_name_their_neighbours_as_a_piece_of_a_query(listed, create, reelvet_sandbox):
    made = []
    for _ in range(23):
        made.append(create())
        reelvet_sandbox.clock.advance(1)
    first, second, third = listed(), listed(page=2), listed(page=3)
    assert [page["count"] for page in (first, second, third)] == [23] * 3
    assert [(page["previous"], page["next"]) for page in (first, second, third)] == [
        (None, "page=2"), ("page=1", "page=3"), ("page=2", None),
    ]  # fmt: skip
    assert ids(first) + ids(second) + ids(third) == made[::-1]  # started_at, descending
    assert len(listed(limit=23)["results"]) == 23


def test_past_the_end_is_an_empty_page_or_404_as_set(api, listed, create, reelvet_sandbox):
    create()
    assert listed(page=2)["results"] == []
    reelvet_sandbox.set_up("gcore", past_the_end="not_found")
    assert api.get("/streaming/ai/tasks", params={"page": 2}).status_code == 404
    assert api.get("/streaming/ai/tasks").status_code == 200


def test_filters(listed, create, transcribe, reelvet_sandbox):
    old = create()
    reelvet_sandbox.clock.advance(100)
    new = transcribe()
    assert ids(listed(task_id=old)) == [old]
    assert ids(listed(task_name="transcription")) == [new]
    assert ids(listed(task_name="content-moderation")) == [old]
    assert ids(listed(status="SUCCESS")) == [old]
    assert ids(listed(status="RECEIVED")) == [new]
    assert ids(listed(status="SUCCESS", task_name="transcription")) == []


def test_search_is_full_or_partial_in_id_name_status_and_data(listed, create, transcribe):
    key = "7f9c-key-1"
    one, two = create(category="soft_nudity", client_entity_data=key), transcribe(client_user_id=f"{key}0")
    assert ids(listed(search=one[:8])) == [one]
    assert ids(listed(search="soft")) == [one]
    assert ids(listed(search="transcr")) == [two]
    assert ids(listed(search="speech-only.mp4")) == [two]
    assert set(ids(listed(search=key))) == {one, two}  # the other's key merely begins so
    assert ids(listed(search="nowhere")) == []


def test_the_day_or_the_second_of_creation(listed, create, reelvet_sandbox):
    before = create()
    reelvet_sandbox.clock.advance(86_400)
    after = create()
    date = {task.id: task.date for task in reelvet_sandbox.tasks("gcore")}
    assert ids(listed(date_created=f"{date[before]:%Y-%m-%d}")) == [before]
    assert ids(listed(date_created=date[after].isoformat())) == [after]
    assert ids(listed(date_created=(date[after] + timedelta(seconds=5)).isoformat())) == []


@pytest.mark.parametrize("ordering", ["task_id", "status", "task_name", "started_at"])
def test_any_given_order_ascends(listed, create, transcribe, reelvet_sandbox, ordering):
    create()
    transcribe()
    reelvet_sandbox.clock.advance(5)
    create()
    reelvet_sandbox.clock.advance(2.5)
    create("never-finishes")

    def value(item):
        return {
            "task_id": item["task_id"],
            "status": item["status"],
            "task_name": item["task_data"]["task_name"],
            "started_at": item["processing_time"]["started_at"] or "9",
        }[ordering]

    values = [value(item) for item in listed(ordering=ordering)["results"]]
    assert len(values) == 4
    assert values == sorted(values)


@pytest.mark.parametrize("params", [{"page": 0}, {"page": "x"}, {"limit": 0}, {"limit": "1.5"}, {"status": "REVOKE"}, {"ordering": "-status"}, {"task_name": "asr"}, {"date_created": "yesterday"}])  # fmt: skip
def test_a_value_that_is_not_documented_is_refused(api, create, params):
    create()
    reply = api.get("/streaming/ai/tasks", params=params)
    assert reply.status_code == 400
    assert next(iter(params)) in reply.json()["error"]
