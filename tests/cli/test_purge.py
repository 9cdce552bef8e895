"""`reelvet purge`: journal, kept tickets and results, and what a script or a person gets to see of it."""

import asyncio
import json
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest

from reelvet.journal import Record, Selection, State, open_journal
from reelvet.schema.ticket import Ticket

MEDIA = "https://media.test/{}.mp4"


CONFIG = """
use = "acme"
[providers.acme]
[polling]
first = 0.01
settle_window = 0
[journal]
url = "sqlite:///journal.db"
"""


@pytest.fixture
def journal(acme, here):
    """Does something with the journal that the commands use: a file."""
    (here / "reelvet.toml").write_text(CONFIG)

    def call(work):
        async def opened():
            journal = open_journal("sqlite:///journal.db")
            try:
                return await work(journal)
            finally:
                await journal.close()

        return asyncio.run(opened())

    return call


@pytest.fixture
def entered(journal):
    """Puts a job into the journal that another machine submitted."""

    def enter(key, *, user=None, age=0.0, state=State.SUBMITTED):
        ticket = Ticket.adopt("acme", f"pass.{key}", key=key).dump_json().encode()
        record = Record(
            key=key, attempt=1, fingerprint="f", provider="acme", instance="acme", state=State.INTENT, ticket=ticket, user=user,
            begun_at=time.time() - age, owner="gone",
        )  # fmt: skip

        async def put(journal):
            await journal.begin(record, 0.0)
            await journal.keep(record.with_state(state), [f"pass.{key}"])

        journal(put)

    return enter


@pytest.fixture
def purge(acme):
    return lambda *arguments: acme("purge", *arguments)


def kept(state):
    return sorted(str(path.relative_to(state)) for path in state.rglob("*.json"))


def held(journal):
    async def look(journal):
        return sorted([f"{one.key}@{one.attempt}" async for one in journal.records(Selection())])

    return journal(look)


def test_a_job_is_gone_from_journal_and_files(purge, acme, journal, state):
    acme("moderate", MEDIA.format("pass"), "--key", "k1")
    acme("submit", MEDIA.format("pass"), "--key", "k1", "--attempt", 2)
    acme("submit", MEDIA.format("pass"), "--key", "k10")
    assert kept(state) == ["results/k1.json", "tickets/k10.json", "tickets/k1@2.json"]
    called = purge("--key", "k1", "--yes")
    assert called.code == 0
    assert called.out.splitlines() == [
        "k1 acme: erased; Acme Vision has no delete; how long it keeps what it has: a day",
        "k1@2 acme: erased; Acme Vision has no delete; how long it keeps what it has: a day",
    ]
    assert "erased 2, kept 0" in called.err
    assert kept(state) == ["tickets/k10.json"]
    assert held(journal) == ["k10@1"]
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
    would = purge("--user", "u-1", "--dry-run", "--json").json
    assert [(one["key"], one["erased"]) for one in would["jobs"]] == [("a", True), ("c", True), ("d", True)]
    assert len(kept(state)) == 3
    gone = purge("--older-than", "30d", "--yes", "--json").json
    assert [(one["key"], one["erased"], one["at_vendor"]) for one in gone["jobs"]] == [
        ("e", True, "cannot"),
        ("b", True, "cannot"),
    ]
    purge("--user", "u-1", "--yes")
    assert kept(state) == []
    assert held(journal) == []


def test_what_nobody_knows_is_kept(purge, acme, entered, journal, state):
    acme("submit", MEDIA.format("lost"), "--key", "k1")
    entered("k2", state=State.PARKED, age=40 * 86400)
    called = purge("--key", "k1", "--yes")
    assert called.code == 12
    assert "kept; nobody knows whether it exists at the vendor" in called.out
    assert kept(state) == ["tickets/k1.json"]
    by_age = purge("--older-than", "30d", "--yes")
    assert (by_age.code, held(journal)) == (0, ["k1@1", "k2@1"])  # told, and no failure of a job that runs every night
    assert "k2 acme: kept" in by_age.out


def test_an_instance_that_is_no_more_needs_local_only(reelvet, here, state):
    kept_in = '[journal]\nurl = "sqlite:///journal.db"\n'
    (here / "reelvet.toml").write_text(f'{kept_in}[providers.mine]\nplugin = "acme"\n')
    reelvet("submit", MEDIA.format("pass"), "--key", "k1")
    (here / "reelvet.toml").write_text(f'use = "runner"\n{kept_in}')
    called = reelvet("purge", "--key", "k1", "--yes")
    assert called.code == 12
    assert "k1 mine: kept; there is no instance 'mine'" in called.out
    assert reelvet("purge", "--key", "k1", "--yes", "--local-only").out == "k1 mine: erased, here alone\n"
    assert kept(state) == []


def test_what_is_in_no_journal_is_erased_too(purge, acme, state):
    acme("submit", MEDIA.format("pass"), "--key", "k1")
    acme("moderate", MEDIA.format("pass"), "--key", "k2")
    assert [one["at_vendor"] for one in purge("--older-than", "0s", "--yes", "--json").json["jobs"]] == ["cannot"] * 2
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
