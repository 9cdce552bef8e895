"""Virtual time, tasks in it, and the label map read backwards."""

import math
import time

import pytest

from reelvet.errors import ConfigurationError
from reelvet.sandbox import Clock, NativeWords, Phase, Scenario, Task, Tasks
from reelvet.sandbox.quota import RateWindow
from reelvet.schema.media import Channel
from reelvet.taxonomy import LabelMap, Taxonomy

CLEAN = Scenario(name="clean")


def test_a_standing_clock_moves_by_hand_only():
    clock = Clock(0)
    assert clock.now() == 0
    before = clock.date()
    clock.advance(90)
    assert clock.now() == 90
    assert 90 <= (clock.date() - before).total_seconds() < 91
    assert clock.wall_until(100) == math.inf
    assert clock.wall_until(90) == 0


def test_a_fast_clock_leaves_dates_comparable_with_the_wall():
    clock = Clock(10_000)
    before = clock.date()
    time.sleep(0.01)
    assert clock.now() > 90
    assert (clock.date() - before).total_seconds() < 1


def test_it_can_be_stopped_and_started_and_begun_anew():
    clock = Clock(1000)
    clock.pause()
    stood = clock.now()
    time.sleep(0.002)
    assert clock.now() == stood
    clock.resume()
    assert clock.speed == 1000
    clock.speed = 0
    clock.advance(1e6)
    clock.reset()
    assert clock.now() < 1e5
    assert clock.speed == 1000


@pytest.mark.parametrize("value", [-1, math.nan, math.inf, "2", None])
def test_time_does_not_run_back(value):
    clock = Clock()
    with pytest.raises(ConfigurationError, match="not negative"):
        clock.advance(value)
    with pytest.raises(ConfigurationError, match="not negative"):
        clock.speed = value


@pytest.fixture
def clock():
    return Clock(0)


@pytest.fixture
def tasks(clock):
    return Tasks(clock)


def task(id_, queue=1.0, work=10.0):
    return Task(id_, "create", {}, CLEAN, queue=queue, work=work)


def test_a_task_is_queued_running_done(clock, tasks):
    one = tasks.add(task("1"))
    seen = []
    for _ in range(5):
        seen.append((one.phase(clock.now()), round(one.done_part(clock.now()), 2)))
        clock.advance(3)
    assert seen == [
        (Phase.QUEUED, 0), (Phase.RUNNING, 0.2), (Phase.RUNNING, 0.5), (Phase.RUNNING, 0.8), (Phase.DONE, 1),
    ]  # fmt: skip


def test_first_come_first_served_over_as_many_hands_as_there_are(clock, tasks):
    tasks.parallel = 2
    made = [tasks.add(task(str(number))) for number in range(5)]
    assert [one.starts for one in made] == [1, 1, 11, 11, 21]
    clock.advance(5)
    tasks.cancel(made[0])
    assert [one.starts for one in made] == [1, 1, 5, 11, 15]
    tasks.cancel(made[3])  # one that waits frees no hand
    assert [one.starts for one in made] == [1, 1, 5, math.inf, 11]
    assert made[3].phase(clock.now()) is Phase.CANCELED
    assert made[0].done_part(clock.now()) == made[0].done_part(1000) == 0.4


def test_one_that_never_ends_keeps_its_hand(clock, tasks):
    tasks.parallel = 1
    stuck, behind = tasks.add(task("1", work=math.inf)), tasks.add(task("2"))
    clock.advance(1e9)
    assert [one.phase(clock.now()) for one in (stuck, behind)] == [Phase.RUNNING, Phase.QUEUED]
    tasks.cancel(stuck)
    clock.advance(11)
    assert behind.phase(clock.now()) is Phase.DONE


def test_lists_may_lag(clock, tasks):
    late = task("1")
    late.listed_from = 50
    tasks.add(late)
    tasks.add(task("2"))
    assert [one.id for one in tasks.listed()] == ["2"]
    clock.advance(50)
    assert [one.id for one in tasks.listed()] == ["1", "2"]


def test_requests_are_counted_in_any_second(monkeypatch):
    now = [10.0]
    monkeypatch.setattr("reelvet.sandbox.quota.time.monotonic", lambda: now[0])
    window = RateWindow(2)
    admitted = []
    for moment in (10.0, 10.9, 10.95, 10.99, 11.0, 11.5, 11.9):
        now[0] = moment
        admitted.append(window.admit())
    assert admitted == [True, True, False, False, True, False, True]


MAP = """# name: acme
# version: 2026-11
field,native,unified,relation,channel,note
head,Sexy,sexual.suggestive,broad,visual,
head,Porn,sexual.explicit,exact,visual|ocr,
head,AK47,violence.weapons.firearm,narrow,visual,
head,Normal,(clean),none,any,
other,Weapon,violence.weapons,broad,any,
"""


@pytest.mark.parametrize(
    ("label", "field", "channel", "words"),
    [
        ("sexual.explicit", "head", Channel.VISUAL, ["Porn"]),
        ("sexual.explicit", "head", Channel.OCR, ["Porn"]),
        ("sexual.explicit", "head", Channel.SPEECH, []),
        ("sexual.explicit.nudity_buttocks", "head", Channel.VISUAL, ["Porn"]),  # wider than what is there
        ("sexual", "head", Channel.VISUAL, []),  # nobody says which of them it is
        ("violence.weapons.firearm", "head", Channel.VISUAL, ["AK47"]),
        ("violence.weapons.firearm", "other", Channel.SOUND, ["Weapon"]),
        ("violence.weapons.bladed", "head", Channel.VISUAL, []),
    ],
)
def test_the_label_map_read_backwards(label, field, channel, words):
    native = NativeWords(LabelMap.parse(MAP, Taxonomy.default()), Taxonomy.default())
    assert [mapping.native for mapping in native.of(label, field, channel)] == words
    assert native.field_of("head") == {"Sexy", "Porn", "AK47"}


def test_the_clock_does_not_end_beyond_any_date():
    clock = Clock()
    with pytest.raises(ConfigurationError, match="beyond any date"):
        clock.advance(1e300)
    clock.advance(1e9)
    assert clock.date().year > 2050
