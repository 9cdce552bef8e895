"""`reelvet moderate`: the verdict, its exit code, and what is kept."""

import json
import re
import stat
import sys
from datetime import UTC, datetime

import pytest

from reelvet import Moderator
from reelvet.cli.exits import of_result
from reelvet.schema.errors import InvalidRequest
from reelvet.schema.result import MediaFacts, ModerationResult

MEDIA = "https://media.test/{}.mp4"


@pytest.mark.parametrize(
    ("scenario", "code", "word"),
    [("pass", 0, "PASS"), ("review", 10, "REVIEW"), ("block", 11, "BLOCK"), ("failed", 12, "ERROR")],
)
def test_exit_code_follows_the_verdict(acme, scenario, code, word):
    called = acme("moderate", MEDIA.format(scenario))
    assert called.code == code
    assert f" {word} " in called.out
    assert called.err == ""


@pytest.mark.parametrize("scenario", ["pass", "block"])
def test_json_is_the_result_and_nothing_else(acme, scenario):
    called = acme("moderate", MEDIA.format(scenario), "--json", "--key", "k1", "--user", "u", "--metadata", "a=1")
    assert called.json["verdict"] == scenario
    assert called.json["key"] == "k1"
    assert called.json["metadata"] == {"a": "1"}
    assert called.err == ""


def test_the_result_is_kept_for_its_owner_and_the_ticket_is_gone(acme, state):
    called = acme("moderate", MEDIA.format("block"), "--key", "k1")
    file = state / "results" / "k1.json"
    assert json.loads(file.read_text())["verdict"] == "block"
    assert str(file) in called.out
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert {stat.S_IMODE(d.stat().st_mode) for d in (state, state / "results", state / "tickets")} == {0o700}
    assert not list((state / "tickets").iterdir())


def test_out_is_written_besides(acme, here, state):
    called = acme("moderate", MEDIA.format("pass"), "--key", "k1", "--out", "r.json")
    assert called.code == 0
    assert json.loads((here / "r.json").read_text()) == json.loads((state / "results" / "k1.json").read_text())
    assert "r.json" in called.out


def test_out_that_cannot_be_written_is_refused_before_anything_is_sent(acme, state):
    called = acme("moderate", MEDIA.format("pass"), "--out", "nowhere/r.json")
    assert called.code == 2
    assert "nowhere/r.json: its directory does not exist" in called.err
    assert not state.exists()


def test_a_signature_is_printed_nowhere_and_stored_nowhere(acme, state):
    called = acme("moderate", MEDIA.format("block") + "?sig=hush", "--json", "--key", "k1")
    assert called.json["verdict"] == "block"
    assert "hush" not in called.out + called.err
    assert "hush" not in "".join(file.read_text() for file in state.rglob("*.json"))


def test_a_rejected_job_is_one_line_and_leaves_no_ticket(acme, state):
    called = acme("moderate", MEDIA.format("rejected"))
    assert called.code == 12
    assert called.err == f"reelvet: acme: the vendor does not like it. {InvalidRequest.default_way_out}\n"
    assert not list((state / "tickets").iterdir())


def test_an_unknown_outcome_keeps_its_ticket_and_says_how_to_look_it_up(acme, state, here):
    (here / "reelvet.toml").write_text('use = "acme"\n[providers.acme]\n[polling]\nfirst = 0.01\nsettle_window = 0\n')
    called = acme("moderate", MEDIA.format("lost"), "--key", "k1")
    assert called.code == 12
    assert "reelvet settle k1" in called.err
    assert json.loads((state / "tickets" / "k1.json").read_text())["tasks"][0]["state"] == "unknown"
    again = acme("moderate", MEDIA.format("lost"), "--key", "k1")
    assert again.code == 12
    assert "nobody knows whether they were created: it is not found at the vendor" in again.err
    assert "--attempt 2 submits it anew" in again.err


def test_the_same_job_under_the_same_key_is_taken_up_again(acme, state, monkeypatch):
    arguments = ("moderate", MEDIA.format("slow") + "?sig=1", "--key", "k1")
    assert acme(*arguments, "--timeout", "0.1").code == 13
    monkeypatch.setenv("ACME_DONE", "1")
    again = acme("moderate", MEDIA.format("slow") + "?sig=1", "--key", "k1")
    assert again.code == 0
    assert "it is not submitted again" in again.err
    ended = acme(*arguments)
    assert ended.code == 2
    assert "has ended, its result is" in ended.err
    assert acme(*arguments, "--attempt", "2").code == 0


def test_the_same_key_for_another_job_is_refused_and_the_ticket_stays(acme, state):
    acme("submit", MEDIA.format("slow"), "--key", "k1")
    before = (state / "tickets" / "k1.json").read_bytes()
    for other in (
        [MEDIA.format("pass")],
        [MEDIA.format("slow"), "--detect", "sexual"],
        [MEDIA.format("slow"), "--use", "runner"],
    ):
        called = acme("moderate", *other, "--key", "k1")
        assert called.code == 2
        assert "already stands for another job" in called.err
    assert (state / "tickets" / "k1.json").read_bytes() == before


def test_time_is_up(acme, state):
    called = acme("moderate", MEDIA.format("slow"), "--key", "k1", "--timeout", "0.2")
    assert called.code == 13
    assert "reelvet wait k1" in called.err
    assert (state / "tickets" / "k1.json").exists()


def test_policy_is_chosen_on_the_command_line(acme, here):
    (here / "mine.toml").write_text("block = 0.99\nreview = 0.98\n")
    assert acme("moderate", MEDIA.format("block"), "--policy", "mine.toml").code == 0
    called = acme("moderate", MEDIA.format("block"), "--policy", "mine.toml", "--policy", "default")
    assert called.code == 0
    assert "mine: pass, default: block" in called.out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["no.mp4"], "there is no file no.mp4"),
        (["."], ". is a directory"),
        (["job.json"], "--job job.json"),
        ([], "no media is named"),
        ([MEDIA.format("pass"), "--detect", "sexual.explicit.nudty"], "sexual.explicit.nudity"),
        ([MEDIA.format("pass"), "--detect", "gambling"], "acme cannot do what the job asks"),
        ([MEDIA.format("pass"), "--option", "acme.prio=1"], "did you mean 'priority'"),
        ([MEDIA.format("pass"), "--option", "acme"], "is not of the form PROVIDER.FIELD=VALUE"),
        ([MEDIA.format("pass"), "--option", "acme=1"], "names no provider or no field"),
        ([MEDIA.format("pass"), "--stop-on", "sexual=high"], "which is no number"),
        ([MEDIA.format("pass"), "--channel", "smell"], "channels.0"),
        ([MEDIA.format("pass"), "--deadline", "tomorrow"], "deadline"),
        ([MEDIA.format("pass"), "--max-cost", "much"], "write it as '0.50 USD'"),
        ([MEDIA.format("pass"), "--use", "acne"], "Did you mean 'acme'?"),
        ([MEDIA.format("pass"), "--policy", "kid"], "Did you mean 'kids'?"),
        (["ftp://media.test/a.mp4"], "the scheme 'ftp'"),
    ],
)
def test_what_the_caller_can_mend(acme, here, arguments, says):
    (here / "job.json").write_text("{}")
    called = acme("moderate", *arguments)
    assert called.code == 2
    assert says in called.err
    assert called.err.count("\n") == 1
    assert called.out == ""
    as_json = acme("moderate", *arguments, "--json")
    assert as_json.code == 2
    assert says in as_json.json["error"]["message"]
    assert as_json.err == ""


def test_options_reach_the_job(acme):
    called = acme(
        "submit", MEDIA.format("pass"), "--json", "--key", "K 1", "--attempt", "2", "--detect", "sexual", "--channel", "visual", "--stop-on", "sexual=0.9",
        "--interval", "2", "--option", "acme.priority=3", "--option", "other.word=x", "--deadline", "60", "--language", "en", "--on-unsupported", "skip",
        "--region", "eu", "--callback", "https://me.test/cb", "--callback-secret", "cb",
    )  # fmt: skip
    assert called.code == 0
    job = called.json["job"]
    assert job["options"] == {"acme": {"priority": 3}, "other": {"word": "x"}}
    assert (job["key"], job["attempt"], job["detect"], job["stop_on"]) == ("K 1", 2, ["sexual"], {"sexual": 0.9})
    assert (job["interval"], job["deadline"], job["callback"]["secret"]) == (2.0, "PT1M", "cb")


def test_the_command_line_wins_over_the_job_file(acme, here):
    (here / "job.json").write_text(
        json.dumps({"media": MEDIA.format("block"), "key": "file", "user": "u", "options": {"acme": {"priority": 2}}})
    )
    result = acme("moderate", "--job", "job.json", "--key", "line", "--json").json
    assert (result["key"], result["verdict"]) == ("line", "block")
    assert acme("moderate", MEDIA.format("pass"), "--job", "job.json", "--json").json["verdict"] == "pass"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "is no JSON"),
        ("[]", "a job is a JSON object"),
        ('{"media": "https://a.test/b", "detct": []}', "detct: no such field"),
    ],
)
def test_a_job_file_that_is_none(acme, here, text, says):
    (here / "job.json").write_text(text)
    called = acme("moderate", "--job", "job.json")
    assert called.code == 2
    assert says in called.err


def test_a_file_is_taken_by_its_path_and_as_a_file_url(acme, here):
    (here / "block.mp4").write_bytes(b"x")
    assert acme("moderate", "block.mp4").code == 11
    assert acme("moderate", (here / "block.mp4").as_uri()).code == 11


def test_nothing_is_sent_when_tickets_cannot_be_kept(acme, here, monkeypatch):
    (here / "taken").write_text("")
    monkeypatch.setenv("REELVET_STATE_DIR", str(here / "taken"))
    called = acme("moderate", MEDIA.format("rejected"))
    assert called.code == 2
    assert "cannot be written to" in called.err


def test_a_policy_file_may_be_json(acme, here):
    (here / "mine.json").write_text('{"block": 0.99, "review": 0.98}')
    for command in ("moderate", "plan"):
        assert acme(command, MEDIA.format("block"), "--policy", "mine.json").code == 0
    acme("submit", MEDIA.format("block"), "--key", "k1")
    assert acme("wait", "k1", "--policy", "mine.json").code == 0


@pytest.mark.parametrize(
    ("status", "verdict", "transcribes_only", "code"),
    [
        ("succeeded", None, True, 0), ("succeeded", None, False, 12), ("failed", None, True, 12), ("running", None, False, 13),
        ("canceled", "error", False, 12), ("canceled", "block", False, 11), ("succeeded", "pass", False, 0),
    ],
)  # fmt: skip
def test_the_exit_code_of_a_result(status, verdict, transcribes_only, code):
    result = ModerationResult(
        key="k", provider="acme", instance="acme", status=status, verdict=verdict, transcribes_only=transcribes_only,
        media=MediaFacts(duration=None), created_at=datetime.now(UTC),
    )  # fmt: skip
    assert of_result(result) == code


def test_what_fails_while_closing_takes_nothing_back(acme, monkeypatch):
    def stuck(_self):
        raise TimeoutError

    monkeypatch.setattr(Moderator, "close", stuck)
    called = acme("moderate", MEDIA.format("block"), "--json")
    assert (called.code, called.json["verdict"]) == (11, "block")
    assert called.err == "reelvet: warning: not closed cleanly: TimeoutError\n"
    refused = acme("moderate", MEDIA.format("rejected"))
    assert refused.code == 12
    assert "acme: the vendor does not like it" in refused.err


@pytest.mark.parametrize("where", ["wait", "find"])
def test_ctrl_c_is_answered_before_anything_is_closed(acme, monkeypatch, where):
    def interrupted(*_args, **_more):
        raise KeyboardInterrupt

    def close(_self):
        sys.stderr.write("closing\n")
        raise TimeoutError

    monkeypatch.setattr(Moderator, where, interrupted)
    monkeypatch.setattr(Moderator, "close", close)
    called = acme("find", "k1") if where == "find" else acme("moderate", MEDIA.format("pass"), "--key", "k1")
    assert called.code == 130
    assert re.match(r"reelvet: interrupted.*\nclosing\n", called.err)
    assert "internal error" not in called.err
