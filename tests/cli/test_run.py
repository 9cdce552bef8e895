"""The command line as such: help, version, completion, errors, terminals."""

import json
import os
import re
import subprocess
import sys

import pytest

from reelvet.version import __version__

COMMANDS = (
    "demo",
    "moderate",
    "plan",
    "normalize",
    "submit",
    "status",
    "wait",
    "watch",
    "cancel",
    "find",
    "adopt",
    "settle",
    "providers",
    "labels",
    "schema",
    "doctor",
    "sandbox",
)
HEAVY = (
    "pydantic",
    "httpx",
    "aiohttp",
    "asyncio",
    "reelvet.moderator",
    "reelvet.config",
    "reelvet.http",
    "reelvet.plugins",
    "numpy",
    "av",
    "reelvet_local",
)


def test_help_names_every_command_and_nothing_that_is_not_there(reelvet):
    called = reelvet("--help")
    assert called.code == 0
    assert all(f" {command} " in called.out for command in [*COMMANDS, "serve"])
    assert not any(f" {later} " in called.out for later in ("batch", "compare", "conformance"))
    assert reelvet().out == called.out


@pytest.mark.parametrize("command", [*COMMANDS, "serve callbacks"])
def test_every_command_explains_itself(reelvet, command):
    called = reelvet(*command.split(), "--help")
    assert called.code == 0
    assert "--json" in called.out
    assert max(map(len, called.out.splitlines())) <= 80


def test_help_loads_nothing_heavy(start):
    process = start(
        code=f"import sys; from reelvet.cli.run import run; run(['--help']); sys.stderr.write(str([n for n in {HEAVY} if n in sys.modules]))"
    )
    out, err = process.communicate(timeout=30)
    assert "Usage" in out
    assert err == "[]"


def test_version(reelvet):
    assert reelvet("--version").out == f"reelvet {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["modrate"], "Did you mean 'moderate'?"),
        (["moderate", "x", "--jsn"], "reelvet moderate --help"),
        (["moderate", "x", "--interval", "often"], "Invalid value for '--interval'"),
        (["normalize", "x"], "--provider"),
        (["adopt", "acme"], "TASK_ID"),
    ],
)
def test_usage_errors(reelvet, arguments, says):
    called = reelvet(*arguments)
    assert called.code == 2
    assert called.err.startswith("reelvet: ")
    assert says in called.err
    assert called.err.count("\n") == 1
    as_json = reelvet(*arguments, "--json")
    assert as_json.code == 2
    assert as_json.json["error"]["type"] == "UsageError"


def test_configuration_by_global_option(reelvet, here):
    (here / "other.toml").write_text(
        '[polling]\nfirst = 0.01\n[profiles.two]\nuse = "runner"\n[profiles.one]\nuse = "acme"\n'
    )
    for profile, provider in (("one", "acme"), ("two", "runner")):
        called = reelvet(
            "--config", "other.toml", "--profile", profile, "moderate", "https://media.test/pass.mp4", "--json"
        )
        assert called.json["provider"] == provider
    assert reelvet("--config", "other.toml", "--profile", "three", "providers").code == 2
    assert "no configuration file gone.toml" in reelvet("--config", "gone.toml", "providers").err


def test_a_bug_is_one_line_unless_all_of_it_is_asked_for(reelvet, monkeypatch, capsys):
    from reelvet.cli import listing
    from reelvet.cli.run import run

    def bug(*_args, **_more):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(listing, "describe", bug)
    called = reelvet("labels", "--provider", "acme")
    assert called.code == 12
    assert (
        called.err
        == "reelvet: internal error: ZeroDivisionError: a bug. Run it as `reelvet --verbose ...` for the traceback.\n"
    )
    assert reelvet("labels", "--provider", "acme", "--json").json["error"]["type"] == "InternalError"
    assert run(["--verbose", "labels", "--provider", "acme"]) == 12
    assert "Traceback" in capsys.readouterr().err


def test_errors_do_nothing_to_the_terminal(reelvet):
    called = reelvet("moderate", "gone\x1b[2J\n.mp4")
    assert (
        called.err
        == "reelvet: there is no file gone\\x1b[2J .mp4. MEDIA is a file, a URL, or provider:ID for a vendor's own asset.\n"
    )


def test_a_broken_plugin_is_told_and_stops_nobody_else(acme, distribution):
    distribution("broken-dist", "broken = broken_plugin", {"broken_plugin.py": "raise RuntimeError('out of order')"})
    called = acme("moderate", "https://media.test/pass.mp4")
    assert called.code == 0
    assert called.err == "reelvet: warning: plugin 'broken' of broken-dist 1.0: RuntimeError: out of order\n"
    used = acme("moderate", "https://media.test/pass.mp4", "--use", "broken")
    assert used.code == 2
    assert "failed to load" in used.err


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("reelvet mod", "moderate"), ("reelvet moderate x --use ac", "acme"), ("reelvet moderate x --detect violence.g", "violence.graphic"),
        ("reelvet moderate x --policy ki", "kids"), ("reelvet wait some", "some-key"), ("reelvet schema res", "result"),
    ],
)  # fmt: skip
def test_completion(start, state, words, offered):
    (state / "tickets").mkdir(parents=True)
    (state / "tickets" / "some-key.json").write_text("{}")
    process = start(_REELVET_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD=str(len(words.split()) - 1))
    out, err = process.communicate(timeout=30)
    assert offered in out.split()
    assert err == ""


def test_completion_never_fails(start, here):
    (here / "reelvet.toml").write_text("no toml")
    process = start(_REELVET_COMPLETE="complete_bash", COMP_WORDS="reelvet moderate x --use ac", COMP_CWORD="4")
    out, err = process.communicate(timeout=30)
    assert (out.strip(), err) == ("", "")


@pytest.mark.skipif(os.name != "posix", reason="a terminal as POSIX has it")
def test_a_progress_bar_for_who_looks(here, site, start):
    import pty

    (here / "reelvet.toml").write_text('use = "runner"\n')
    ours, theirs = pty.openpty()
    command = [
        sys.executable,
        "-c",
        "from reelvet.cli import main; main()",
        "moderate",
        "https://media.test/slow.mp4",
        "--key",
        "k1",
        "--timeout",
        "1",
        "--out",
        "r",
    ]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TERM": "xterm", "COLUMNS": "80"}
    process = subprocess.run(
        command, check=False, stdout=subprocess.PIPE, stderr=theirs, cwd=here, env=environ, timeout=30
    )
    os.close(theirs)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    assert process.returncode == 13
    assert process.stdout == b""
    assert "slow.mp4" in shown
    drawn = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown).replace("\r", "\n").splitlines()
    # Room for the `^C` that a terminal writes behind it.
    assert max(len(line) for line in drawn if "frame " in line) <= 80 - len("^C")
    assert "frame " in shown
    assert "reelvet wait k1" in shown


def test_no_progress_bar_where_nobody_looks(start, here):
    (here / "reelvet.toml").write_text('use = "runner"\n')
    process = start("moderate", "https://media.test/slow.mp4", "--timeout", "0.5", "--json", "--key", "k1")
    out, err = process.communicate(timeout=30)
    assert json.loads(out)["error"]["type"] == "WaitTimeout"
    assert "frame" not in err
    assert process.returncode == 13
