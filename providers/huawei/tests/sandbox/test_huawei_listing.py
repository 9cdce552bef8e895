"""The list of v2: the documented parameters and its pages."""

import pytest

from reelvet_huawei.sandbox import PROJECT_ID

V2 = f"/v2/{PROJECT_ID}/services/video-moderation/tasks"


@pytest.fixture
def listed(api):
    """What a list shows: how many there are, and the names on the page."""

    def call(**arguments):
        reply = api.get(V2, params=arguments)
        assert reply.status_code == 200, reply.text
        return reply.json()["count"], [item["name"] for item in reply.json()["tasks"]]

    return call


@pytest.fixture
def three(reelvet_sandbox, create_v2):
    """Three tasks, ten seconds apart; the ids."""
    made = []
    for name in ("bee", "cow", "ant"):
        made.append(create_v2(name=name))
        reelvet_sandbox.clock.advance(10)
    return made


def test_the_newest_come_first_unless_another_order_is_asked_for(listed, three):
    assert listed() == (3, ["ant", "cow", "bee"])
    assert listed(order="created_at:ASC") == (3, ["bee", "cow", "ant"])
    assert listed(order="name:ASC") == (3, ["ant", "bee", "cow"])
    assert listed(order="name:DESC") == (3, ["cow", "bee", "ant"])
    assert listed(order="updated_at:ASC")[0] == 3


def test_pages(listed, three):
    assert listed(limit=2) == (3, ["ant", "cow"])
    assert listed(limit=2, offset=2) == (3, ["bee"])
    assert listed(offset=3) == (3, [])


def test_without_a_limit_it_is_a_hundred(listed, create_v2):
    for number in range(101):
        create_v2(name=f"n{number:03}")
    count, names = listed(order="name:ASC")
    assert (count, len(names), names[-1]) == (101, 100, "n099")
    assert len(listed(limit=1000)[1]) == 101


def test_filters(listed, three, create_v2):
    assert listed(name_like="o") == (1, ["cow"])
    assert listed(name_like="COW") == (0, [])
    assert listed(id_like=three[0][5:20]) == (1, ["bee"])
    create_v2(name="dog")
    assert listed(state="SUCCEEDED")[1] == ["ant", "cow", "bee"]
    assert listed(state="PENDING", service_version="1.2")[1] == ["dog"]
    assert listed(service_version="1.1") == (0, [])
    assert listed(unheard_of="x")[0] == 4


def test_dates_in_milliseconds(listed, three, reelvet_sandbox):
    first, second, third = (int(task.date.timestamp() * 1000) for task in reelvet_sandbox.tasks("huawei"))
    assert listed(created_since=second)[1] == ["ant", "cow"]
    assert listed(created_since=first + 1, created_until=third - 1)[1] == ["cow"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("state", "running"), ("id_like", "A"), ("id_like", ""), ("created_since", "yesterday"), ("created_until", "-1"), ("order", "name"),
        ("order", "state:ASC"), ("offset", "100001"), ("offset", "x"), ("limit", "0"), ("limit", "1001"),
    ],
)  # fmt: skip
def test_a_parameter_of_another_form_is_named(api, name, value):
    reply = api.get(V2, params={name: value})
    assert (reply.status_code, reply.json()["error_code"]) == (400, "IVA.0004")
    assert f"parameter [{name}]" in reply.json()["error_msg"]
