"""What the documentation prints is what the emulator takes, but for what it says is no more."""

import json
import re
from pathlib import Path

import pytest

from reelvet_huawei.sandbox import PROJECT_ID

SAMPLES = Path(__file__).parents[1] / "samples" / "requests"


def index():
    rows = re.findall(r"^\| (\S+\.json) \|(.+)\|$", (SAMPLES / "INDEX.md").read_text(encoding="utf-8"), re.MULTILINE)
    for file, rest in rows:
        to, dialect, fidelity, _, does = (cell.strip() for cell in rest.split("|"))
        yield file, to, dialect, fidelity, does


ROWS = list(index())


def test_every_sample_is_in_the_index_with_its_source():
    assert {file for file, *_ in ROWS} == {path.name for path in SAMPLES.glob("*.json")}
    assert sum(dialect == "current" and fidelity == "verbatim" for _, _, dialect, fidelity, _ in ROWS) == 5


@pytest.mark.parametrize(("file", "to", "dialect", "fidelity", "does"), ROWS, ids=[row[0] for row in ROWS])
def test_a_printed_request_is_accepted_or_refused_for_the_documented_reason(
    api, reelvet_sandbox, *, file, to, dialect, fidelity, does
):
    body = json.loads((SAMPLES / file).read_text(encoding="utf-8"))
    reply = api.post(to.partition(" ")[2].replace("{project_id}", PROJECT_ID), json=body)
    created = reelvet_sandbox.tasks("huawei")
    if does == "accepts":
        assert reply.status_code in {200, 201}, reply.text
        assert [task.data for task in created] == ([] if file.startswith("iam") else [body])
        return
    assert not created
    assert reply.status_code == 404
    if does.startswith("has no such API"):
        assert reply.json()["error_code"] == "APIGW.0101"
    else:
        assert reply.json()["error_code"] == "IVA.0005"
        assert reply.json()["error_msg"].endswith("Service audio-moderation/1.0 not found.")
