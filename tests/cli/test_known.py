"""Jobs of which only the journal knows are found all the same: submitted by a program, or by a command that was killed."""

import json
import os
import time

import pytest

from reelvet import ModerationJob, Moderator

MEDIA = "https://media.test/{}.mp4"


@pytest.fixture
def program(acme):
    """Submits with the library, on the same machine."""

    def submit(scenario="block", **fields):
        with Moderator.from_config() as moderator:
            return moderator.submit(ModerationJob(media=MEDIA.format(scenario), **fields))

    return submit


@pytest.mark.parametrize(("command", "code"), [("wait", 11), ("status", 11), ("cancel", 12), ("watch", 11)])
def test_what_a_program_submitted_is_found_by_its_key(acme, program, state, command, code):
    program(key="k1")
    assert acme(command, "k1").code == code
    assert (state / "results" / "k1.json").exists()


def test_a_ticket_that_was_removed_is_taken_from_the_journal(acme, state):
    acme("submit", MEDIA.format("slow"), "--key", "k1")
    (state / "tickets" / "k1.json").unlink()
    assert acme("status", "k1").code == 13
    assert (state / "tickets" / "k1.json").exists()


def test_what_a_program_submitted_is_not_submitted_again(acme, program, state):
    ticket = program(key="k1")
    called = acme("submit", MEDIA.format("block"), "--key", "k1", "--json")
    assert called.code == 0
    assert "it is not submitted again" in called.err
    assert called.json["submitted_at"] == json.loads(ticket.dump_json())["submitted_at"]
    assert acme("submit", MEDIA.format("pass"), "--key", "k1").code == 2
    elsewhere = acme("submit", MEDIA.format("block"), "--key", "k1", "--use", "runner")
    assert (elsewhere.code, "stands for another job" in elsewhere.err) == (2, True)


def test_attempts_are_told_apart(acme, program):
    program("pass", key="k1")
    program("block", key="k1", attempt=2)
    program("block", key="k2", attempt=2)
    program("block", key="k2", attempt=3)
    program("block", key="k3", attempt=4)
    assert acme("wait", "k1").code == 0
    assert acme("wait", "k1@2").code == 11
    several = acme("wait", "k2")
    assert (several.code, "2 attempts: k2@2, k2@3" in several.err) == (2, True)
    assert acme("wait", "k3").code == 11


def test_a_key_of_the_journal_goes_before_how_another_begins(acme, program):
    acme("submit", MEDIA.format("pass"), "--key", "k1-other")
    program("block", key="k1")
    assert acme("wait", "k1").code == 11


def test_looking_for_a_job_makes_no_journal(acme, state):
    assert acme("wait", "k1").code == 2
    assert not state.exists()


def test_a_result_that_the_journal_keeps_is_shown(acme, program, state):
    import asyncio

    from reelvet.journal import Place, open_journal

    result = acme("moderate", MEDIA.format("block"), "--key", "k1", "--json").out
    (state / "results" / "k1.json").unlink()

    async def conclude():
        journal = open_journal(f"sqlite:///{state}/journal.db")
        await journal.conclude(Place("k1"), verdict="block", result=result.encode())
        await journal.close()

    asyncio.run(conclude())
    assert acme("status", "k1").code == 11
    assert (state / "results" / "k1.json").exists()


def test_a_ticket_of_unknown_outcome_that_no_journal_knows_is_not_submitted_again(acme, state, here):
    """The journal was in memory, or is another one now."""
    (here / "reelvet.toml").write_text(
        'use = "acme"\n[polling]\nfirst = 0.01\nsettle_window = 0\n[journal]\nurl = "memory:"\n'
    )
    assert acme("submit", MEDIA.format("lost"), "--key", "k1").code == 12
    for command in (("submit", MEDIA.format("lost"), "--key", "k1"), ("wait", "k1")):
        called = acme(*command)
        assert called.code == 12
        assert "the journal has nothing of it" in called.err
        assert "reelvet adopt acme TASK_ID --key k1" in called.err
    assert acme("adopt", "acme", "block.7", "--key", "k1").code == 0
    assert acme("wait", "k1").code == 11


# --- killed between the intent and the ticket ---


@pytest.mark.skipif(os.name != "posix", reason="signals as a terminal sends them")
@pytest.mark.parametrize("listed", [True, False])
def test_a_submission_that_was_killed_is_adopted_or_parked_by_who_waits(start, here, state, listed):
    (here / "reelvet.toml").write_text('use = "acme"\n[polling]\nfirst = 0.01\nsettle_window = 0\n')
    log = here / "acme.log"
    process = start("submit", MEDIA.format("pass"), "--key", "k1", ACME_LOG=str(log), ACME_SLOW_SUBMIT="60")
    stop = time.monotonic() + 30
    while not log.exists():
        assert time.monotonic() < stop
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert not list((state / "tickets").iterdir())
    more = {"ACME_LISTS": "1"} if listed else {}
    waited = start("wait", "k1", ACME_LOG=str(log), **more)
    out, err = waited.communicate(timeout=60)
    assert "Traceback" not in err
    if listed:
        assert (waited.returncode, "found at the vendor" in err) == (0, True)
        assert "PASS" in out
        return
    assert waited.returncode == 12
    assert "reelvet settle k1 --absent" in err
    assert (state / "tickets" / "k1.json").exists()
    settled = start("settle", "--json", ACME_LOG=str(log))
    out, _ = settled.communicate(timeout=60)
    assert (settled.returncode, json.loads(out)[0]["outcome"]) == (12, "parked")
    assert log.read_text().split() == ["k1"]
