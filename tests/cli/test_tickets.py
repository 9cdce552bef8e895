"""A ticket's life in several commands, each a process of its own in real life."""

import json
import shutil
import stat

import pytest

MEDIA = "https://media.test/{}.mp4"


def test_submit_prints_the_key_and_keeps_the_ticket(acme, state):
    called = acme("submit", MEDIA.format("block"), "--key", "k1")
    assert (called.code, called.out) == (0, "k1\n")
    assert "reelvet wait k1" in called.err
    assert stat.S_IMODE((state / "tickets" / "k1.json").stat().st_mode) == 0o600


def test_wait_brings_the_verdict_and_drops_the_ticket(acme, state):
    acme("submit", MEDIA.format("block"), "--key", "k1")
    assert acme("wait", "k1", "--json").json["verdict"] == "block"
    assert not (state / "tickets" / "k1.json").exists()
    assert (state / "results" / "k1.json").exists()


@pytest.mark.parametrize("command", ["wait", "status", "cancel"])
def test_a_job_that_is_done_is_told_again_from_its_result(acme, command):
    acme("moderate", MEDIA.format("block"), "--key", "k1")
    again = acme(command, "k1", "--json")
    assert (again.code, again.json["verdict"]) == (11, "block")


def test_status_does_not_wait(acme, state, monkeypatch):
    acme("submit", MEDIA.format("slow"), "--key", "k1")
    running = acme("status", "k1")
    assert running.code == 13
    assert " NOT FINISHED " in running.out
    assert (state / "tickets" / "k1.json").exists()
    monkeypatch.setenv("ACME_DONE", "1")
    assert acme("status", "k1").code == 0
    assert not (state / "tickets" / "k1.json").exists()


@pytest.mark.parametrize(("scenario", "verdict", "code"), [("slow", "error", 12), ("caught", "block", 11)])
def test_the_exit_code_of_cancel_is_that_of_the_verdict(acme, state, scenario, verdict, code):
    acme("submit", MEDIA.format(scenario), "--key", "k1")
    called = acme("cancel", "k1", "--json")
    assert (called.json["status"], called.json["verdict"], called.code) == ("canceled", verdict, code)
    assert not (state / "tickets" / "k1.json").exists()
    assert "12" in acme("cancel", "--help").out


def test_a_ticket_by_the_beginning_of_its_key(acme):
    for key in ("abc-1", "abc-2", "xyz:Odd Key"):
        acme("submit", MEDIA.format("pass"), "--key", key)
    assert acme("wait", "abc-2").code == 0
    both = acme("wait", "abc")
    assert both.code == 2
    assert "2 jobs begin with 'abc': abc-1, abc-2" in both.err
    assert acme("wait", "xyz:Odd").code == 0


def test_attempts_are_told_apart(acme, state):
    for attempt in (1, 2):
        acme("submit", MEDIA.format("pass"), "--key", "k1", "--attempt", attempt)
    assert sorted(file.name for file in (state / "tickets").iterdir()) == ["k1.json", "k1@2.json"]
    assert acme("wait", "k1@2").code == 0
    assert [file.name for file in (state / "tickets").iterdir()] == ["k1.json"]


def test_a_ticket_by_file_and_by_stdin(acme, here, monkeypatch):
    text = acme("submit", MEDIA.format("block"), "--json").out
    (here / "t.json").write_text(text)
    assert acme("wait", "t.json").code == 11
    assert (here / "t.json").exists()  # the caller's own file stays
    with (here / "t.json").open() as file:
        monkeypatch.setattr("sys.stdin", file)
        assert acme("wait", "-").code == 11


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nothing", "no job of that key"),
        (".", "is a directory"),
        ("odd.json", "not a ticket"),
        ("text.json", "no JSON"),
    ],
)
def test_what_is_no_ticket(acme, here, name, says):
    (here / "odd.json").write_text("{}")
    (here / "text.json").write_text("text")
    called = acme("wait", name)
    assert called.code == 2
    assert says in called.err


def test_a_ticket_goes_to_its_own_instance(acme, here):
    acme("submit", MEDIA.format("block"), "--key", "k1")
    (here / "reelvet.toml").write_text(
        "[providers.acme]\n[providers.runner]\n[polling]\nfirst = 0.01\n"
    )  # several, none chosen
    assert acme("wait", "k1").code == 11


def test_an_error_of_the_provider_keeps_the_ticket(acme, state):
    acme("submit", MEDIA.format("unreachable"), "--key", "k1")
    called = acme("wait", "k1")
    assert called.code == 12
    assert "reelvet wait k1" in called.err
    assert "acme: acme is out" in called.err
    assert (state / "tickets" / "k1.json").exists()


def test_a_whole_url_waits_in_the_kept_ticket_only_and_goes_with_it(reelvet, state, here):
    (here / "reelvet.toml").write_text('use = "runner"\n')
    printed = reelvet("submit", MEDIA.format("pass") + "?sig=hush", "--key", "k1", "--json")
    assert "hush" not in printed.out + printed.err
    assert "hush" in (state / "tickets" / "k1.json").read_text()
    shutil.copy(state / "tickets" / "k1.json", here / "mine.json")
    result = reelvet("wait", "k1", "--json")
    assert result.json["tasks"][0]["raw"]["whole"] is True
    reelvet("wait", "mine.json")
    assert "hush" not in "".join(file.read_text() for file in [*state.rglob("*.json"), here / "mine.json"])


def test_find(acme):
    found = acme("find", "known")
    assert found.code == 0
    assert found.out == "acme pass.known\n"
    assert "reelvet adopt acme pass.known --key known" in found.err
    assert acme("find", "known", "--json").json[0]["tasks"][0]["ref"]["id"] == "pass.known"


def test_find_finds_nothing(acme):
    nothing = acme("find", "other")
    assert (nothing.code, nothing.out) == (12, "")
    assert "holds no task under the key 'other'" in nothing.err
    assert acme("find", "other", "--json").json == []


def test_find_is_not_for_every_provider(acme):
    called = acme("find", "known", "--use", "runner")
    assert called.code == 2
    assert "cannot look a task up by its key" in called.err


def test_adopt(acme, state):
    called = acme("adopt", "acme", "block.7", "--detect", "sexual.explicit.pornography")
    assert (called.code, called.out) == (0, "acme:block.7\n")
    assert "reelvet wait acme:block.7" in called.err
    result = acme("wait", "acme:block.7", "--json")
    assert result.code == 11
    assert [row["label"] for row in result.json["coverage"]] == ["sexual.explicit.pornography"]
    assert not list((state / "tickets").iterdir())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["acne", "t"], "Did you mean 'acme'?"),
        (["acme", "t", "--detect", "sexul"], "'sexual'"),
        (["local", "t"], "does its own work"),
    ],
)
def test_adopt_refuses_what_is_not_known(acme, arguments, says):
    called = acme("adopt", *arguments)
    assert called.code == 2
    assert says in called.err


@pytest.mark.parametrize("key", ["../../etc/passwd", "a/b", "K", "k", ".hidden", "-x", "ü" * 200, "a" * 256, "con:1"])
def test_any_key_is_a_safe_file_name(acme, state, key):
    called = acme("moderate", MEDIA.format("pass"), f"--key={key}", "--json")
    assert called.code == 0
    files = [file for file in state.rglob("*") if file.is_file() and not file.name.startswith("journal.db")]
    assert [file.parent for file in files] == [state / "results"]
    assert json.loads(files[0].read_text())["key"] == key
    assert len(files[0].name) < 100
