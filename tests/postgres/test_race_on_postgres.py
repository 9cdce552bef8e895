"""One key, eight machines at the same moment, one database, one task."""


def test_eight_machines_that_race_for_one_key_create_one_task(race, url):
    came = race(url, "--skewed")
    assert (came["killed"], came["failed"], len(came["tasks"])) == (0, 0, 1)
    assert list(came["told"].values()) == [came["tasks"]] * 8


def test_when_the_machine_that_sent_it_dies_the_others_adopt_its_task(race, url):
    came = race(url, "--dies")
    assert (came["killed"], came["failed"], len(came["tasks"])) == (1, 0, 1)
    assert list(came["told"].values()) == [came["tasks"]] * 7
