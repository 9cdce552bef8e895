"""A job is submitted once: whatever runs beside it, breaks it off, or keeps its ticket from being written."""

import asyncio
import json
import os
import signal
import time

import pytest

from reelvet.journal import Place, State, open_journal

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals as a terminal sends them")

URL = "https://media.test/pass.mp4?sig=hush"
COMMAND = ("submit", URL, "--key", "k1")


@pytest.fixture
def log(here):
    return here / "acme.log"


@pytest.fixture
def start(start, here, log):
    """Commands whose vendor keeps count of what it was sent."""
    (here / "reelvet.toml").write_text('use = "acme"\n[polling]\nfirst = 0.01\nsettle_window = 0\n')
    return lambda *arguments, **more: start(*arguments, ACME_LOG=str(log), **more)


@pytest.fixture
def ticket(state):
    return state / "tickets" / "k1.json"


@pytest.fixture
def record(state):
    """What the journal has of the job."""

    async def read(attempt):
        journal = open_journal(f"sqlite:///{state}/journal.db")
        try:
            return await journal.get(Place("k1", attempt))
        finally:
            await journal.close()

    return lambda attempt=1: asyncio.run(read(attempt))


def end(process, timeout=30):
    out, err = process.communicate(timeout=timeout)
    assert "hush" not in out + err
    assert "Traceback" not in err
    assert "internal error" not in err
    return process.returncode, out, err


def until(ready):
    stop = time.monotonic() + 20
    while not ready():
        assert time.monotonic() < stop
        time.sleep(0.02)


def submits(log):
    return len(log.read_text().splitlines()) if log.exists() else 0


def states(ticket):
    return [task["state"] for task in json.loads(ticket.read_text())["tasks"]]


def test_two_commands_at_once_are_one_submission(start, log, ticket, here):
    first = start(*COMMAND, ACME_HOLD=here / "go")
    until(lambda: submits(log))
    second = start(*COMMAND)
    assert f"The job is being submitted by process {first.pid}; waiting" in second.stderr.readline()
    (here / "go").touch()
    code, out, err = end(second)
    assert (code, out) == (0, "k1\n")
    assert "it is not submitted again" in err
    assert end(first)[0] == 0
    assert submits(log) == 1
    assert states(ticket) == ["created"]


def test_the_intent_is_kept_for_its_owner_before_anything_is_sent(start, log, state, record):
    process = start(*COMMAND, ACME_SLOW_SUBMIT="60")
    until(lambda: submits(log))
    assert (state / "journal.db").stat().st_mode & 0o777 == 0o600
    intent = record()
    assert intent.state is State.INTENT
    assert [task.state for task in intent.load_ticket().tasks] == ["unknown"]
    assert b"hush" not in intent.ticket
    process.kill()


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("command", [COMMAND, ("wait", "k1")])
def test_a_command_that_was_killed_while_it_submitted(start, log, ticket, listed, command):
    process = start(*COMMAND, ACME_SLOW_SUBMIT="60")
    until(lambda: submits(log))
    process.kill()
    process.wait()
    code, _, err = end(start(*command, ACME_DONE="1", **({"ACME_LISTS": "1"} if listed else {})))
    assert submits(log) == 1
    if listed:
        assert code == 0
        assert "found at the vendor" in err
        if command is COMMAND:
            assert states(ticket) == ["created"]
            assert end(start("wait", "k1"))[0] == 0
    else:
        assert code == 12
        assert "it is not found at the vendor" in err
        assert "reelvet settle k1" in err
        assert "--attempt 2 submits it anew" in err
        assert states(ticket) == ["unknown"]
        assert end(start(*COMMAND, "--attempt", "2"))[0] == 0


def test_a_status_does_not_wait_for_what_was_killed(start, log, ticket, here):
    process = start(*COMMAND, ACME_SLOW_SUBMIT="60")
    until(lambda: submits(log))
    process.kill()
    process.wait()
    (here / "reelvet.toml").write_text('use = "acme"\n[polling]\nsettle_window = 60\n')
    began = time.monotonic()
    assert end(start("status", "k1"))[0] == 12
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("by_waiting", [True, False])
def test_where_the_work_is_done_here_it_is_simply_done(start, log, by_waiting):
    command = (*COMMAND, "--use", "runner")
    process = start(*command, ACME_SLOW_SUBMIT="60")
    until(lambda: submits(log))
    process.kill()
    process.wait()
    if not by_waiting:
        code, _, err = end(start(*command))
        assert (code, "and sent again" in err) == (0, True)
    assert end(start("wait", "k1"))[0] == 0


def test_the_same_key_for_another_job_is_refused_beside_an_intent_too(start, log):
    process = start(*COMMAND, ACME_SLOW_SUBMIT="60")
    until(lambda: submits(log))
    process.kill()
    process.wait()
    code, _, err = end(start("submit", "https://media.test/block.mp4", "--key", "k1"))
    assert (code, "stands for another job" in err) == (2, True)


@pytest.mark.parametrize("twice_at_once", [False, True])
def test_ctrl_c_lets_the_submission_end_and_keeps_its_ticket(start, log, ticket, twice_at_once):
    process = start(*COMMAND, ACME_SLOW_SUBMIT="2")
    until(lambda: submits(log))
    process.send_signal(signal.SIGINT)
    if twice_at_once:  # as `timeout` and others hand it on
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
    code, out, err = end(process)
    assert (code, out) == (130, "")
    assert f"the job was submitted, its ticket is kept: {ticket}. Go on with: reelvet wait k1" in err
    assert states(ticket) == ["created"]
    assert end(start(*COMMAND))[0] == 0
    assert submits(log) == 1


def test_a_second_ctrl_c_gives_up_at_once(start, log, ticket):
    process = start(*COMMAND, "--json", ACME_SLOW_SUBMIT="60")
    until(lambda: submits(log))
    process.send_signal(signal.SIGINT)
    time.sleep(1)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    code, out, err = end(process)
    assert time.monotonic() - began < 2
    assert code == 130
    error = json.loads(out)["error"]
    assert (error["type"], error["key"], error["ticket"]) == ("Interrupted", "k1", str(ticket))
    assert "it may exist at the vendor" in error["message"]
    assert "pending" not in err
    assert states(ticket) == ["unknown"]
    assert end(start(*COMMAND))[0] == 12
    assert submits(log) == 1


@pytest.mark.parametrize("command", [COMMAND, ("wait", "k1"), ("adopt", "acme", "block.7", "--key", "k1")])
def test_ctrl_c_while_another_command_submits_leaves_that_one_alone(start, log, here, command):
    first = start(*COMMAND, ACME_HOLD=here / "go")
    until(lambda: submits(log))
    second = start(*command)
    assert "waiting" in second.stderr.readline()
    began = time.monotonic()
    second.send_signal(signal.SIGINT)
    code, _, err = end(second)
    assert code == 130
    assert time.monotonic() - began < 5
    assert "this command submitted nothing" in err
    assert "Go on with: reelvet wait k1" in err
    (here / "go").touch()
    assert end(first)[0] == 0
    assert submits(log) == 1


def test_adopting_waits_for_who_submits(start, log, ticket, here):
    first = start(*COMMAND, ACME_HOLD=here / "go")
    until(lambda: submits(log))
    second = start("adopt", "acme", "block.7", "--key", "k1")
    assert "waiting" in second.stderr.readline()
    (here / "go").touch()
    assert end(first)[0] == 0
    assert end(second)[0] == 0
    assert json.loads(ticket.read_text())["tasks"][0]["ref"]["id"] == "block.7"


def test_a_certain_refusal_leaves_no_intent(start, record, state):
    command = ("submit", "https://media.test/rejected.mp4", "--key", "k1")
    for _ in range(2):
        code, _, err = end(start(*command))
        assert (code, "does not like it" in err) == (12, True)
        assert record() is None
        assert not [file for file in state.rglob("*") if file.is_file() and not file.name.startswith("journal.db")]


@pytest.mark.parametrize(("scenario", "ids"), [("pass", ["pass.k1"]), ("lost", None)])
def test_a_ticket_that_cannot_be_written_is_printed(start, scenario, ids):
    command = ("submit", f"https://media.test/{scenario}.mp4?sig=hush", "--key", "k1")
    code, out, err = end(start(*command, "--json", ACME_FILLS_DISK="1"))
    assert code == 12
    error = json.loads(out)["error"]
    assert error["type"] == "TicketNotKept"
    assert error.get("tasks", []) == (ids or [])
    assert error["ticket"]["key"] == "k1"
    assert json.loads(err) == error["ticket"]
    assert ("may have been submitted" if scenario == "lost" else "was submitted") in error["message"]


def test_a_ticket_that_cannot_be_written_is_shown_to_a_person_too(start):
    code, out, err = end(start(*COMMAND, ACME_FILLS_DISK="1"))
    assert (code, out) == (12, "")
    assert '"id": "pass.k1"' in err
    assert "Do not submit it again" in err
