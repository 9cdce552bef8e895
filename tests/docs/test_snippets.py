"""Every snippet of the documentation, executed in the order of its page."""

import contextlib
import doctest
import io
import shlex
import shutil
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from reelvet.cli.run import run
from reelvet.http import Fetcher

CDN = "cdn.example.com"
WRITTEN_HERE = {"reelvet_acme", "my_detector"}
"""Packages that pages write as files."""
POLICY = "policy.md"  # executed beside the room it describes


@pytest.fixture
def here(tmp_path, monkeypatch, real_clip):
    """A directory of its own in which `clip.mp4` and `other.mp4` are real videos.

    `https://cdn.example.com/...` is answered from the same clip: of the whole road only the bytes on the wire are a
    stand-in. Every other host goes to the real fetcher, which the tests keep on this machine.
    """
    for name in ("clip.mp4", "other.mp4"):
        shutil.copy(real_clip, tmp_path / name)
    original = Fetcher.fetch

    async def fetch(self, url, *, to, max_bytes, timeout=300.0):
        if urlsplit(url).hostname != CDN:
            return await original(self, url, to=to, max_bytes=max_bytes, timeout=timeout)
        shutil.copy(real_clip, to)
        return None  # the local provider asks for no facts of the download

    monkeypatch.setattr(Fetcher, "fetch", fetch)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in [name for name in sys.modules if name.partition(".")[0] in WRITTEN_HERE]:
        monkeypatch.delitem(sys.modules, name)  # of that name, another test may have a module of its own
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] in WRITTEN_HERE]:
        del sys.modules[name]


def test_the_snippets_of_a_page_run_in_their_order(page, steps_of, here):
    names = {"__name__": "snippet"}
    if page.name == POLICY:
        assert (page.parents[1] / "tests" / "policy" / "test_docs.py").is_file()
        return
    for step in steps_of(page):
        if step.not_run is not None:
            assert len(step.not_run) > 10, f"{page.name}:{step.line}: why is it not run?"
        elif step.file is not None:
            Path(step.file).parent.mkdir(parents=True, exist_ok=True)
            Path(step.file).write_text(step.text, encoding="utf-8")
        elif step.language == "python":
            code = "\n" * (step.line - 1) + step.text
            exec(compile(code, str(page), "exec"), names)  # noqa: S102 - the project's own page
        elif step.language == "console":
            play(step, page)
        else:
            assert step.language in {"json", "text", "toml", "csv"}, f"{page.name}:{step.line}: {step.language}"


def play(step, page):
    """Types the commands of a console block and compares what they print, where the page shows it; `...` is anything."""
    code, known = 0, True
    for command, wanted in commands(step):
        if command == "echo $?":
            printed, known = f"{code}\n", True
        else:
            assert known, f"{page.name}:{step.line}: before `{command}`: exit code {code}\n{printed}"
            code, printed = typed(command)
            known = code == 0  # any other is to be shown by `echo $?`
        flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        assert not wanted or doctest.OutputChecker().check_output(wanted, printed, flags), (
            f"{page.name}:{step.line}: `{command}` printed\n{printed}"
        )
    assert known, f"{page.name}:{step.line}: exit code {code}\n{printed}"


def commands(step):
    """Each command with the output that the page shows."""
    found = []
    for line in step.text.splitlines(keepends=True):
        if line.startswith("$ "):
            found.append((line[2:].strip(), []))
        else:
            found[-1][1].append(line)
    return [(command, "".join(lines)) for command, lines in found]


def typed(command):
    """A command line with variables before it and `> FILE` behind it, run in this process."""
    words = shlex.split(command, comments=True)
    variables = {}
    while "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        variables[name] = value
    assert words[0] == "reelvet", f"not a command of reelvet: {command}"
    file = None
    if ">" in words:
        file = words[words.index(">") + 1]
        words = words[: words.index(">")]
    out, err = terminal(), terminal()
    if file is None:
        err = out
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        patch.setattr(sys, "argv", words)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run(words[1:])
    if file is not None:
        Path(file).write_text(text_of(out), encoding="utf-8")
        return code, text_of(err)
    return code, text_of(out)


def terminal():
    """What can show block characters, as a terminal does."""
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)


def text_of(stream):
    return stream.buffer.getvalue().decode()
