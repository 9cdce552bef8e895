"""`reelvet purge`: journal, kept tickets and results, and what a script or a person gets to see of it."""

import asyncio
import json
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest

from reelvet.cli.session import Session
from reelvet.journal import MemoryJournal, Place, Record, State
from reelvet.schema.ticket import Ticket

MEDIA = "https://media.test/{}.mp4"


@pytest.fixture
def journal(monkeypatch):
    """The journal of every command of the test."""
    journal = MemoryJournal()
    monkeypatch.setattr(Session, "journal", lambda self, config: journal)
    return journal


@pytest.fixture
def entered(journal):
    """Puts a job into the journal."""

    def enter(key, *, user=None, age=0.0, state=State.SUBMITTED):
        ticket = Ticket.adopt("acme", f"pass.{key}", key=key).dump_json().encode()
        record = Record(
            key=key, attempt=1, fingerprint="f", provider="acme", instance="acme", state=State.INTENT, ticket=ticket, user=user,
            begun_at=time.time() - age, owner="gone",
        )  # fmt: skip
        asyncio.run(journal.begin(record, 0.0))
        asyncio.run(journal.keep(record.with_state(state)))

    return enter


@pytest.fixture
def purge(acme, journal):
    return lambda *arguments: acme("purge", *arguments)


def kept(state):
    return sorted(str(path.relative_to(state)) for path in state.rglob("*.json"))


def held(journal, key):
    return asyncio.run(journal.get(Place(key))) is not None


def test_a_job_is_gone_from_journal_and_files(purge, acme, entered, journal, state):
    acme("moderate", MEDIA.format("pass"), "--key", "k1")
    acme("submit", MEDIA.format("pass"), "--key", "k1", "--attempt", 2)
    acme("submit", MEDIA.format("pass"), "--key", "k10")
    entered("k1")
    assert kept(state) == ["results/k1.json", "tickets/k10.json", "tickets/k1@2.json"]
    called = purge("--key", "k1", "--yes")
    assert called.code == 0
    assert called.out.splitlines() == [
        "k1 acme: erased; Acme Vision has no delete; how long it keeps what it has: a day",
        "k1@2 acme: erased; Acme Vision has no delete; how long it keeps what it has: a day",
    ]
    assert "erased 2, kept 0" in called.err
    assert kept(state) == ["tickets/k10.json"]
    assert not held(journal, "k1")
    again = purge("--key", "k1", "--yes")
    assert (again.code, again.out) == (0, "")
    assert "Nothing is kept" in again.err


def test_by_user_and_by_age(purge, acme, entered, journal, state):
    for key, user in (("a", "u-1"), ("b", "u-2")):
        acme("moderate", MEDIA.format("pass"), "--key", key, "--user", user)
    acme("submit", MEDIA.format("pass"), "--key", "c", "--user", "u-1")
    entered("d", user="u-1")
    entered("e", user="u-2", age=40 * 86400)
    old = state / "results" / "b.json"
    told = json.loads(old.read_text()) | {"created_at": (datetime.now(UTC) - timedelta(days=40)).isoformat()}
    old.write_text(json.dumps(told))
    assert [one["key"] for one in purge("--user", "u-1", "--dry-run", "--json").json["jobs"]] == ["d", "c", "a"]
    assert len(kept(state)) == 3
    gone = purge("--older-than", "30d", "--yes", "--json").json
    assert [(one["key"], one["erased"], one["at_vendor"]) for one in gone["jobs"]] == [
        ("e", True, "cannot"),
        ("b", True, "cannot"),
    ]
    purge("--user", "u-1", "--yes")
    assert kept(state) == []
    assert not any(held(journal, key) for key in "de")


def test_what_nobody_knows_is_kept(purge, acme, entered, journal, state, here):
    with (here / "reelvet.toml").open("a") as file:
        file.write("settle_window = 0\n")
    acme("submit", MEDIA.format("lost"), "--key", "k1")
    entered("k2", state=State.PARKED, age=40 * 86400)
    called = purge("--key", "k1", "--yes")
    assert called.code == 12
    assert "kept; nobody knows whether it exists at the vendor" in called.out
    assert kept(state) == ["tickets/k1.json"]
    by_age = purge("--older-than", "30d", "--yes")
    assert (by_age.code, held(journal, "k2")) == (0, True)  # told, and no failure of a job that runs every night
    assert "k2 acme: kept" in by_age.out


def test_an_instance_that_is_no_more_needs_local_only(purge, acme, here, state):
    acme("submit", MEDIA.format("pass"), "--key", "k1")
    (here / "reelvet.toml").write_text('use = "runner"\n')
    path = state / "tickets" / "k1.json"
    path.write_text(path.read_text().replace('"acme"', '"acne"'))
    called = purge("--key", "k1", "--yes")
    assert called.code == 12
    assert "there is no instance 'acne'" in called.out
    assert purge("--key", "k1", "--yes", "--local-only").out == "k1 acne: erased, here alone\n"
    assert kept(state) == []


@pytest.mark.parametrize(("answer", "code", "left"), [("y\n", 0, []), ("n\n", 12, ["tickets/k1.json"])])
def test_a_person_is_asked(purge, acme, state, monkeypatch, answer, code, left):
    acme("submit", MEDIA.format("pass"), "--key", "k1")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr("typer.confirm", lambda text, **_: text == "Erase 1 job?" and answer == "y\n")
    called = purge("--key", "k1")
    assert (called.code, kept(state)) == (code, left)
    assert "k1 acme: would be erased" in called.out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "give --key, --user or --older-than"),
        (["--key", "k1"], "give --yes"),
        (["--key", "k1", "--json"], "give --yes"),
        (["--older-than", "30", "--yes"], "'30' is no age"),
        (["--older-than", "99999999999d", "--yes"], "is no age"),
    ],
)
def test_what_is_no_purge(purge, acme, state, arguments, says):
    acme("submit", MEDIA.format("pass"), "--key", "k1")
    called = purge(*arguments)
    assert called.code == 2
    assert says in called.err + called.out
    assert kept(state) == ["tickets/k1.json"]


def test_a_file_that_cannot_be_read_is_told_and_stays(purge, acme, state):
    acme("submit", MEDIA.format("pass"), "--key", "k1")
    (state / "results").mkdir(exist_ok=True)
    (state / "results" / "odd.json").write_text("{}")
    called = purge("--older-than", "0s", "--yes")
    assert "odd.json cannot be read" in called.err
    assert kept(state) == ["results/odd.json"]
