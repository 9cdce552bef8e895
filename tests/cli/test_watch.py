"""`reelvet watch`: what is new about a job, line by line."""

import json
import os
import signal
import time

import pytest

MEDIA = "https://media.test/{}.mp4"


def lines(called):
    return [json.loads(line) for line in called.out.splitlines()]


def test_each_delta_is_a_line(acme, state):
    acme("submit", MEDIA.format("growing"), "--key", "k1")
    called = acme("watch", "k1", "--json")
    deltas = lines(called)
    assert called.code == 11
    assert [[f["start"] for f in delta["findings"]] for delta in deltas] == [[3.0], [4.0], [50.0], [40.0]]
    assert [delta["status"] for delta in deltas] == ["running"] * 3 + ["succeeded"]
    assert [delta["result"] is None for delta in deltas] == [True] * 3 + [False]
    assert deltas[-1]["result"]["verdict"] == "block"
    assert (state / "results" / "k1.json").exists()
    assert not (state / "tickets" / "k1.json").exists()


def test_for_a_person(acme):
    acme("submit", MEDIA.format("growing"), "--key", "k1")
    called = acme("watch", "k1", "--out", "r.json")
    assert called.code == 11
    assert called.err.splitlines()[0] == "running"
    assert called.out.startswith("00:03.0  0.97  visual  sexual.explicit.pornography\nsaid: you fool\n00:04.0  0.91  ")
    assert " BLOCK " in called.out
    assert "r.json" in called.out


def test_what_others_wrote_does_nothing_to_the_terminal(acme):
    acme("submit", MEDIA.format("nasty"), "--key", "k1")
    called = acme("watch", "k1")
    assert called.code == 11
    assert "\x1b" not in called.out + called.err
    assert "gore[/]" in called.out


@pytest.mark.parametrize("shown", [[], ["--json"]])
def test_a_job_that_is_done_is_told_again_from_its_result(acme, shown):
    acme("moderate", MEDIA.format("block"), "--key", "k1")
    again = acme("watch", "k1", *shown)
    assert again.code == 11
    if shown:
        (delta,) = lines(again)
        assert (delta["status"], delta["result"]["verdict"], len(delta["findings"])) == ("succeeded", "block", 4)
    else:
        assert " BLOCK " in again.out


def test_by_stdin(acme, here, monkeypatch):
    (here / "t.json").write_text(acme("submit", MEDIA.format("growing"), "--json").out)
    with (here / "t.json").open() as file:
        monkeypatch.setattr("sys.stdin", file)
        assert acme("watch", "-").code == 11


def test_an_error_is_a_line_too_and_the_ticket_is_kept(acme, state):
    acme("submit", MEDIA.format("unreachable"), "--key", "k1")
    called = acme("watch", "k1", "--json")
    assert called.code == 12
    assert [line["error"]["type"] for line in lines(called)] == ["InvalidRequest"]
    assert "reelvet watch k1" in called.err
    assert (state / "tickets" / "k1.json").exists()
    assert "\n " in acme("find", "other", "--use", "runner", "--json").out  # and no other command is changed by it


def test_a_timeout_leaves_the_job_going(acme, state):
    acme("submit", MEDIA.format("slow"), "--key", "k1")
    called = acme("watch", "k1", "--timeout", "0.3", "--json")
    assert called.code == 13
    assert [line.get("status") or line["error"]["type"] for line in lines(called)] == ["running", "WaitTimeout"]
    assert (state / "tickets" / "k1.json").exists()


@pytest.mark.skipif(os.name != "posix", reason="signals as a terminal sends them")
@pytest.mark.parametrize("shown", [[], ["--json"]])
def test_ctrl_c_leaves_the_ticket(start, state, here, shown):
    (here / "reelvet.toml").write_text('use = "acme"\n[polling]\nfirst = 0.01\n')
    submitted = start("submit", MEDIA.format("slow"), "--key", "k1")
    submitted.communicate(timeout=20)
    process = start("watch", "k1", *shown)
    first = (process.stdout if shown else process.stderr).readline()
    assert "running" in first
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert time.monotonic() - began < 3
    assert process.returncode == 130
    told = json.loads(out)["error"]["message"] if shown else err
    assert "reelvet watch k1" in told
    assert "Traceback" not in err
    assert (state / "tickets" / "k1.json").exists()
    again = start("watch", "k1", "--json", ACME_DONE="1")
    out, err = again.communicate(timeout=20)
    assert again.returncode == 0, err
    assert json.loads(out.splitlines()[-1])["result"]["verdict"] == "pass"


@pytest.mark.skipif(os.name != "posix", reason="pipes as a shell makes them")
def test_a_reader_that_goes_away_ends_it_quietly(start, state, here):
    (here / "reelvet.toml").write_text('use = "acme"\n[polling]\nfirst = 0.01\n')
    start("submit", MEDIA.format("growing"), "--key", "k1").communicate(timeout=20)
    process = start("watch", "k1", "--json")
    process.stdout.close()
    process.stdout = None
    err = process.stderr.read()
    assert process.wait(timeout=20) == 130
    assert err == ""
    assert (state / "tickets" / "k1.json").exists()


# --- what a job waits for ---


def test_status_says_how_many_the_vendor_runs(acme):
    acme("submit", MEDIA.format("queued"), "--key", "k1")
    called = acme("status", "k1")
    assert called.code == 13
    assert "The job is queued: the vendor runs 10 at a time." in called.out
    assert called.out.count("at a time") == 1
    acme("submit", MEDIA.format("queued"), "--key", "k2")
    notes = acme("status", "k2", "--json").json["warnings"]
    assert notes == [{"code": "queued", "says": "queued: the vendor runs 10 at a time"}]


def test_so_does_watching(acme):
    acme("submit", MEDIA.format("queued"), "--key", "k1")
    assert acme("watch", "k1").err.splitlines()[:2] == ["queued", "queued: the vendor runs 10 at a time"]
