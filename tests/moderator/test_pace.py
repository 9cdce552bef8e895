"""When to ask: numbers in, numbers out."""

from __future__ import annotations

import pytest

from reelvet.moderator.pace import Pace


def learned(*times, media=None):
    pace = Pace(1.0, 60.0)
    for seconds in times:
        pace.learn("video", seconds, media)
    return pace


def test_the_older_a_task_is_the_longer_until_it_is_asked_for_again():
    pace = Pace(1.0, 60.0)
    assert [pace.pause(age) for age in (0, 5, 100, 1000)] == [1.0, 1.0, 15.0, 60.0]


def test_nobody_is_asked_while_hardly_any_such_task_has_ended():
    pace = learned(30, 31, 32, 33, 34)
    soonest = pace.soonest("video", None)
    assert 25 < soonest < 30
    assert pace.pause(0, soonest) == pytest.approx(soonest)
    assert pace.soonest("audio", None) == 0.0
    assert learned(30, 31).soonest("video", None) == 0.0  # too few to conclude from
    assert learned(*[3600] * 5).pause(0, 3000.0) == 60.0  # and never longer than was said


def test_longer_media_takes_longer():
    pace = learned(10, 11, 12, 13, 14, media=100.0)
    assert pace.soonest("video", 300.0) == pytest.approx(3 * pace.soonest("video", 100.0))
    assert Pace(1.0, 60.0).soonest("video", 600.0) == pytest.approx(30.0)  # nothing is known yet but how long it is


def test_a_vendors_hint_goes_first_unless_it_is_beyond_reason():
    pace = Pace(1.0, 60.0)
    assert pace.pause(5, hint=200.0) == 200.0
    assert pace.pause(5, hint=0.1) == 0.1
    assert pace.pause(5, hint=1e9) == 600.0
    assert pace.rarely(5, hint=200.0) == 200.0
    assert pace.between_lists([(5, 0.0)], hint=200.0) == 200.0


def test_failures_make_it_slower_up_to_the_most():
    pace = Pace(1.0, 60.0)
    assert [round(pace.pause(0, failures=n), 2) for n in (0, 1, 2, 10_000)] == [1.0, 1.5, 2.25, 60.0]


def test_the_list_is_read_at_the_pace_of_the_younger_ones_that_may_end():
    pace = Pace(1.0, 60.0)
    assert pace.between_lists([(5, 30.0), (12, 30.0)]) == 18.0  # until the first of them may
    assert pace.between_lists([(age, 0.0) for age in (40, 50, 60, 70)]) == pytest.approx(5.0)
    assert pace.between_lists([]) == 1.0
