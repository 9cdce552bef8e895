"""The page docs/policy.md, executed."""

import re
from pathlib import Path

from reelvet.policy import STARTERS, Kinds, Policy

PAGE = Path(__file__).parents[2] / "docs" / "policy.md"


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_the_snippets_run_in_their_order(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for text in blocks("toml"):
        Path(re.match(r"# (\S+)", text)[1]).write_text(text)
    names = {}
    snippets = blocks("python")
    assert snippets
    for code in snippets:  # each asserts what it shows
        exec(compile(code, str(PAGE), "exec"), names)  # noqa: S102 - the project's own page


def test_the_tables_are_those_of_the_code():
    text = PAGE.read_text(encoding="utf-8")
    for name in STARTERS:
        line = re.search(rf"^\| `{name}` \|.*\|(.*)\|$", text, re.MULTILINE)[1]
        assert tuple(re.findall(r"`([a-z_.]+)`", line)) == Policy.named(name).require
    for kind, switch in Kinds().model_dump(mode="json").items():
        assert re.search(rf"^\| `{kind}` \| `{switch}` \|", text, re.MULTILINE)
