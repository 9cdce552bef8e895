"""`reelvet doctor` on the journal: where it is, whether it can be written, what in it waits for a decision."""

import os
import sqlite3
import sys

import pytest

ACME = 'use = "acme"\n[providers.acme]\n'


@pytest.fixture
def lost(reelvet, here):
    """A submission of unknown outcome."""
    (here / "reelvet.toml").write_text(f"{ACME}[polling]\nsettle_window = 0\n")
    assert reelvet("submit", "https://media.test/lost.mp4", "--key", "k1").code == 12


def told(reelvet, check, *arguments):
    return [item for item in reelvet("doctor", "--json", *arguments).json["checks"] if item["check"] == check]


def test_where_it_will_be_and_nothing_is_made(reelvet, here, state):
    (here / "reelvet.toml").write_text(ACME)
    (item,) = told(reelvet, "journal")
    assert (item["level"], str(state / "journal.db") in item["says"]) == ("ok", True)
    assert not state.exists()


def test_one_that_is_there_is_tried_and_left_as_it_is(acme, state):
    acme("submit", "https://media.test/pass.mp4", "--key", "k1")
    (item,) = told(acme, "journal")
    assert (item["level"], "kept in the journal" in item["says"]) == ("ok", True)
    assert told(acme, "unsettled") == []
    assert acme("wait", "k1").code == 0


@pytest.mark.parametrize(
    ("url", "says", "mend"),
    [
        ("memory:", "in memory alone", "Leave `[journal] url` out"),
        ("mysql://x", "'mysql' names no kind of journal", "sqlite:///PATH"),
        ("sqlite://", "names no file", "sqlite:///PATH"),
        ("env:JOURNAL", "JOURNAL", "Set JOURNAL"),
        ("sqlite:///taken/journal.db", "is a file", "[journal] url"),
        ("sqlite:///broken.db", "database", "[journal] url"),
    ],
)
def test_what_is_wrong_with_it(doctor, here, url, says, mend):
    (here / "taken").write_text("")
    (here / "broken.db").write_text("no database at all, " * 100)
    code, found = doctor("journal", f'{ACME}[journal]\nurl = "{url}"\n')
    assert says in found[0]["says"]
    assert mend in found[0]["mend"]
    assert found[0]["level"] == ("warning" if url == "memory:" else "wrong")
    assert code == (0 if url == "memory:" else 2)


def test_a_later_version_of_it(acme, state):
    acme("submit", "https://media.test/pass.mp4", "--key", "k1")
    with sqlite3.connect(state / "journal.db") as database:
        database.execute("UPDATE reelvet_journal SET version = 99")
    database.close()
    (item,) = told(acme, "journal")
    assert (item["level"], item["mend"]) == ("wrong", "Upgrade reelvet.")


def test_a_driver_that_is_not_installed(doctor, monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    _, found = doctor("journal", f'{ACME}[journal]\nurl = "postgresql://u:hush@db.test/x"\n')
    assert "psycopg" in found[0]["says"]
    assert "pip install" in found[0]["mend"]
    assert "hush" not in str(found)


def test_a_database_is_tried_with_live_only(doctor, reelvet, here):
    pytest.importorskip("psycopg")
    # Nobody listens on port 1 of this machine.
    (here / "reelvet.toml").write_text(f'{ACME}[journal]\nurl = "postgresql://u:hush@127.0.0.1:1/x"\n')
    (item,) = told(reelvet, "journal")
    assert (item["level"], "--live tries it" in item["says"]) == ("ok", True)
    called = reelvet("doctor", "--live", "--json")
    tried = [item for item in called.json["checks"] if item["where"] == "journal.url" and item["check"] == "live"]
    assert [item["level"] for item in tried] == ["wrong"]
    assert called.code == 12
    assert "hush" not in called.out + called.err


def test_what_waits_for_a_decision_is_counted(lost, reelvet):
    (item,) = told(reelvet, "unsettled")
    assert (item["level"], "of 1 submission nobody knows" in item["says"]) == ("warning", True)
    assert "reelvet settle" in item["mend"]
    reelvet("settle", "k1", "--absent", "--yes")
    assert told(reelvet, "unsettled") == []


@pytest.mark.skipif(os.name != "posix", reason="modes of files")
def test_one_that_others_may_read(acme, state):
    acme("submit", "https://media.test/pass.mp4", "--key", "k1")
    assert told(acme, "journal_permissions") == []
    (state / "journal.db").chmod(0o644)
    (item,) = told(acme, "journal_permissions")
    assert (item["level"], item["mend"].startswith("chmod 600 ")) == ("warning", True)


@pytest.mark.parametrize(("then", "warned"), [("resubmit", True), ("review", False)])
def test_a_policy_that_has_no_effect(doctor, monkeypatch, then, warned):
    import reelvet_acme.provider as acme
    from reelvet_acme.plugin import CAPABILITIES

    settle = f'{ACME}[settle]\nafter = "10m"\nthen = "{then}"\n[providers.runner]\n'
    assert doctor("settling", settle)[1] == []
    blind = acme.replace(CAPABILITIES, operations=frozenset({"cancel"}))
    monkeypatch.setattr(acme, "CAPABILITIES", blind)
    code, found = doctor("settling", settle)
    assert code == 0
    assert [("without effect at instance 'acme'" in item["says"]) for item in found] == [True] * warned
