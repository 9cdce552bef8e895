"""What the documentation prints is what the emulator takes, but for what its own text forbids."""

import json
import re
from pathlib import Path

import pytest

SAMPLES = Path(__file__).parents[1] / "samples" / "requests"
REAL_URL = "https://cdn.example.com/clip.mp4"


def index():
    rows = re.findall(r"^\| (\S+\.json) \|(.+)\|$", (SAMPLES / "INDEX.md").read_text(encoding="utf-8"), re.MULTILINE)
    for file, rest in rows:
        to, dialect, fidelity, _, does = (cell.strip() for cell in re.split(r"(?<!\\)\|", rest))
        yield file, to, dialect, fidelity, does


ROWS = list(index())


def bodies(file):
    """The bodies in a file, a real URL for a placeholder."""
    found = json.loads((SAMPLES / file).read_text(encoding="utf-8"))
    for body in found if isinstance(found, list) else [found]:
        if body.get("url") == "..." or "{" in body.get("url", ""):
            body["url"] = REAL_URL
        yield body


def test_every_sample_is_in_the_index_with_its_source():
    assert {file for file, *_ in ROWS} == {path.name for path in SAMPLES.glob("*.json")}
    assert sum(dialect == "current" and fidelity.startswith("verbatim") for _, _, dialect, fidelity, _ in ROWS) >= 12


@pytest.mark.parametrize(("file", "to", "dialect", "fidelity", "does"), ROWS, ids=[row[0] for row in ROWS])
def test_a_printed_request_is_accepted_or_refused_for_the_documented_reason(
    api, reelvet_sandbox, *, file, to, dialect, fidelity, does
):
    for number, body in enumerate(bodies(file), 1):
        reply = api.post(to.partition(" ")[2].replace("{video_id}", "2001"), json=body)
        if does == "accepts":
            assert reply.status_code in {200, 201}, reply.text
            created = reelvet_sandbox.tasks("gcore")
            assert len(created) == number
            assert created[-1].data == body
        elif does == "has no such operation":
            assert reply.status_code == 404
        else:
            assert reply.status_code == 400, reply.text
            names = "category" if "weapon" in does else "task_name"
            assert reply.json()["error"].startswith(names)
            assert not reelvet_sandbox.tasks("gcore")
