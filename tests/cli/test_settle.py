"""`reelvet settle`: what nobody knows the outcome of, listed and decided."""

import asyncio
import io
import json
import sys

import pytest

from reelvet.journal import Place, Record, State, open_journal
from reelvet.schema.ticket import Ticket

LOST = "https://media.test/lost.mp4"


@pytest.fixture
def lost(acme, here):
    """The command line with one submission of unknown outcome, `k1`."""
    (here / "reelvet.toml").write_text('use = "acme"\n[providers.acme]\n[polling]\nfirst = 0.01\nsettle_window = 0\n')
    assert acme("submit", LOST, "--key", "k1").code == 12
    return acme


@pytest.fixture
def journal(state):
    """Runs a call on the journal of the state directory."""

    def run(call):
        async def opened():
            journal = open_journal(f"sqlite:///{state}/journal.db")
            try:
                return await call(journal)
            finally:
                await journal.close()

        return asyncio.run(opened())

    return run


@pytest.fixture
def listed(monkeypatch, here):
    """The vendor's list has the task by now."""

    def have(key="k1"):
        (here / "acme.log").write_text(f"{key}\n")
        monkeypatch.setenv("ACME_LOG", str(here / "acme.log"))
        monkeypatch.setenv("ACME_LISTS", "1")

    return have


def test_nothing_to_settle(acme, state):
    called = acme("settle")
    assert (called.code, called.out) == (0, "")
    assert "no submission of unknown outcome" in called.err
    assert acme("settle", "--json").json == []
    assert not (state / "journal.db").exists()


def test_what_is_parked_is_listed_with_what_can_be_decided(lost):
    called = lost("settle")
    assert called.code == 12
    assert "parked" in called.out
    assert "not found at the vendor" in " ".join(called.out.split())
    assert "1 submission may or may not exist" in called.err
    assert "reelvet settle k1 --absent" in called.err
    (row,) = lost("settle", "--json").json
    assert (row["key"], row["attempt"], row["instance"], row["outcome"]) == ("k1", 1, "acme", "parked")
    assert [(task["state"], task["id"]) for task in row["tasks"]] == [("unknown", None)]


def test_what_is_found_is_adopted_and_its_kept_ticket_says_so(lost, state, listed):
    listed()
    called = lost("settle", "--json")
    assert (called.code, [row["outcome"] for row in called.json]) == (0, ["adopted"])
    assert json.loads((state / "tickets" / "k1.json").read_text())["tasks"][0]["state"] == "created"
    assert lost("settle").code == 0
    assert lost("wait", "k1").code == 0


def test_only_one_key_or_attempt_or_instance(lost):
    assert lost("submit", LOST, "--key", "k1", "--attempt", "2").code == 12
    assert lost("submit", LOST, "--key", "k2").code == 12
    for arguments, keys in (
        ([], [("k1", 1), ("k1", 2), ("k2", 1)]), (["k2"], [("k2", 1)]), (["k1", "--attempt", "2"], [("k1", 2)]), (["k1@2"], [("k1", 2)]), (["k1"], [("k1", 1), ("k1", 2)]),
        (["--use", "runner"], []), (["k3"], []),
    ):  # fmt: skip
        assert [(row["key"], row["attempt"]) for row in lost("settle", *arguments, "--json").json] == keys
    assert "k1@2" in lost("settle").out


def test_an_instance_that_is_gone_hides_nothing_of_the_others(lost, here, journal):
    record = journal(lambda journal: journal.get(Place("k1")))
    gone = Record(
        "k0", 1, "f", "gone", "gone", State.PARKED, record.ticket, record.plan, begun_at=1.0
    )  # of an instance that was configured once
    journal(lambda journal: journal.keep(gone))
    rows = lost("settle", "--json")
    assert rows.code == 12
    assert {row["key"]: row["outcome"] for row in rows.json} == {"k0": "parked", "k1": "parked"}
    assert "gone" in next(row["why"] for row in rows.json if row["key"] == "k0")


# --- deciding ---


def test_adopting_the_vendors_task(lost):
    called = lost("settle", "k1", "--adopt", "block.7")
    assert called.code == 0
    assert "adopted" in called.out
    assert "Go on with: reelvet wait k1" in called.err
    assert lost("wait", "k1").code == 11
    again = lost("settle", "k1", "--adopt", "block.7")
    assert (again.code, "it is settled" in again.err) == (2, True)


def test_more_tasks_than_are_missing(lost):
    called = lost("settle", "k1", "--adopt", "a", "--adopt", "b")
    assert (called.code, "2 task ids for 1 unknown" in called.err) == (2, True)


def test_adopt_under_the_key_of_what_is_unknown_settles_that(lost):
    assert lost("adopt", "acme", "block.7", "--key", "k1").code == 0
    assert lost("settle").code == 0
    assert "it is not submitted again" in lost("submit", LOST, "--key", "k1").err
    assert lost("wait", "k1").code == 11


def test_absent_frees_the_key(lost, state, monkeypatch):
    called = lost("settle", "k1", "--absent", "--yes")
    assert called.code == 0
    assert "may be submitted again" in called.err
    assert not (state / "tickets" / "k1.json").exists()
    assert lost("settle").code == 0
    monkeypatch.setenv("ACME_HEALS", "1")
    assert lost("submit", LOST, "--key", "k1").code == 0


def test_resubmit_sends_it_again_at_once(lost, monkeypatch, here):
    monkeypatch.setenv("ACME_LOG", str(here / "acme.log"))
    called = lost("settle", "k1", "--resubmit", "--yes")
    assert called.code == 12  # and lost again
    assert "reelvet settle k1" in called.err
    monkeypatch.setenv("ACME_HEALS", "1")
    assert lost("settle", "k1", "--resubmit", "--yes", "--json").json[0]["outcome"] == "resubmitted"
    assert (here / "acme.log").read_text().split() == ["k1", "k1"]
    assert lost("wait", "k1").code == 0


def test_review_hands_the_video_to_a_person(lost):
    assert lost("settle", "k1", "--review").code == 0
    assert lost("settle").code == 0
    assert lost("wait", "k1", "--json").json["verdict"] == "review"


def test_a_second_attempt(lost):
    assert lost("submit", LOST, "--key", "k1", "--attempt", "2").code == 12
    assert lost("settle", "k1@2", "--absent", "--yes").code == 0
    assert [row["attempt"] for row in lost("settle", "--json").json] == [1]
    assert lost("settle", "k1", "--attempt", "1", "--absent", "--yes").code == 0
    assert lost("settle").code == 0


@pytest.mark.parametrize("decision", ["--absent", "--resubmit"])
def test_what_may_be_paid_twice_is_asked_for(lost, monkeypatch, decision):
    unasked = lost("settle", "k1", decision)
    assert unasked.code == 2
    assert "give --yes" in unasked.err
    assert "paid for" in unasked.err

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setenv("ACME_HEALS", "1")
    monkeypatch.setattr(sys, "stdin", Terminal("n\n"))
    refused = lost("settle", "k1", decision)
    assert (refused.code, "Nothing was decided." in refused.err) == (12, True)
    assert [row["outcome"] for row in lost("settle", "--json").json] == ["parked"]
    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    assert lost("settle", "k1", decision).code == 0
    assert lost("settle").code == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--absent", "--yes"], "give its KEY"),
        (["k1", "--absent", "--review"], "give one of"),
        (["k9", "--absent", "--yes"], "there is no such submission"),
        (["k1", "--review", "--use", "runner"], "was submitted at acme"),
    ],
)
def test_what_cannot_be_decided(lost, arguments, says):
    called = lost("settle", *arguments)
    assert (called.code, says in called.err) == (2, True)


def test_what_another_process_has_in_hand_is_left_alone(lost, journal):
    async def elsewhere(journal):
        record = await journal.get(Place("k1"))
        await journal.take(record, "elsewhere/1/x", 60)

    journal(elsewhere)
    called = lost("settle", "--json")
    assert (called.code, [row["outcome"] for row in called.json]) == (0, ["under way"])
    decided = lost("settle", "k1", "--review")
    assert (decided.code, "is being submitted by elsewhere/1/x" in decided.err) == (2, True)
    assert Ticket.load(journal(lambda journal: journal.get(Place("k1"))).ticket).key == "k1"
