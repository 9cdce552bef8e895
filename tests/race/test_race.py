"""One key, eight processes at the same moment, one task: over a file here, over PostgreSQL in tests/postgres."""


def test_eight_processes_that_race_for_one_key_create_one_task(race, tmp_path):
    came = race(f"sqlite:///{tmp_path}/journal.db")
    assert (came["killed"], came["failed"], len(came["tasks"])) == (0, 0, 1)
    assert list(came["told"].values()) == [came["tasks"]] * 8


def test_when_the_one_that_sent_it_dies_the_others_adopt_its_task(race, tmp_path):
    came = race(f"sqlite:///{tmp_path}/journal.db", "--dies")
    assert (came["killed"], came["failed"], len(came["tasks"])) == (1, 0, 1)
    assert list(came["told"].values()) == [came["tasks"]] * 7
