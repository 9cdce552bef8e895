"""DescribeTasks: filters, times, pages."""

from datetime import UTC, datetime, timedelta

import pytest

from .conftest import creation, item


def ids(page):
    return [one["TaskId"] for one in page["Data"]]


@pytest.fixture
def tasks(api, reelvet_sandbox):
    """Five tasks that have ended in different ways, the oldest first."""
    reelvet_sandbox.set_up("tencent", biz_types={"default": {"covers": [{"labels": ["*"], "channels": ["visual"]}]}, "other": {"covers": []}})  # fmt: skip
    reelvet_sandbox.scenario("rtmp://h/a", {"name": "stream", "kind": "live"})
    made = [api.create(name) for name in ("clean", "block-nudity", "review-nudity", "broken")]
    made.append(api.create("rtmp://h/a", Type="LIVE_VIDEO", BizType="other"))
    reelvet_sandbox.clock.advance(60)
    return made


def test_the_newest_comes_first_and_the_total_is_text(api, tasks):
    page = api.list()
    assert ids(page) == tasks[::-1]
    assert (page["Total"], page["PageToken"]) == ("5", "")
    assert "ImageSegments" not in page["Data"][0]
    assert "ErrorType" not in page["Data"][0]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"BizType": "other"}, [4]), ({"BizType": "default"}, [3, 2, 1, 0]), ({"BizType": ""}, [4, 3, 2, 1, 0]), ({"Type": "LIVE_VIDEO"}, [4]),
        ({"Type": "AUDIO"}, []), ({"Suggestion": "Block"}, [1]), ({"Suggestion": "Pass"}, [0]), ({"TaskStatus": "ERROR"}, [3]),
        ({"TaskStatus": "RUNNING"}, [4]), ({"TaskStatus": "FINISH", "Suggestion": "Review"}, [2]), ({}, [4, 3, 2, 1, 0]),
    ],
)  # fmt: skip
def test_filters(api, tasks, wanted, found):
    page = api.list(Filter=wanted)
    assert [tasks.index(id_) for id_ in ids(page)] == found
    assert page["Total"] == str(len(found))


def test_pages_hold_every_task_once_though_tasks_are_created_meanwhile(api, reelvet_sandbox):
    made = [one["TaskId"] for _ in range(3) for one in api.call("CreateVideoModerationTask", creation(Tasks=[item(data_id=f"k{n}") for n in range(9)]))["Results"]]  # fmt: skip
    found, token = [], None
    while token != "":
        page = api.list(Limit=4, **({"PageToken": token} if token else {}))
        assert len(page["Data"]) <= 4
        found += ids(page)
        token = page["PageToken"]
        api.create()
    assert found == made[::-1]
    assert len(api.list(Limit=100)["Data"]) == 27 + 7
    assert len(api.list()["Data"]) == 10


def test_the_last_page_may_have_a_token_as_in_the_example(api, tasks, reelvet_sandbox):
    reelvet_sandbox.set_up("tencent", token_on_last_page=True)
    page = api.list()
    assert page["PageToken"]
    rest = api.list(PageToken=page["PageToken"])
    assert (rest["Data"], rest["PageToken"]) == ([], "")


def test_times_cut_and_by_default_three_days_are_listed(api, reelvet_sandbox):
    old = api.create()
    reelvet_sandbox.clock.advance(4 * 86_400)
    new = api.create()
    now = datetime.now(UTC) + timedelta(days=4)
    assert ids(api.list()) == [new]
    since = (now - timedelta(days=5)).isoformat()
    until = (now - timedelta(days=1)).astimezone().isoformat()
    assert ids(api.list(StartTime=since)) == [new, old]
    assert ids(api.list(StartTime=since, EndTime=until)) == [old]
    assert ids(api.list(EndTime=until)) == []
