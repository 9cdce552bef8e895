"""Killed and started again: a sample of what `harness.py` does in full, and that it would notice."""

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).with_name("harness.py")


def harness(*arguments):
    done = subprocess.run(
        [sys.executable, SCRIPT, "--json", "--lanes", "4", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_whoever_is_killed_and_started_again_has_created_one_task_and_adopted_no_other():
    code, outcomes = harness(
        "--sample", "6", "--vendor", "Gcore", "--weather", "reset after creation"
    )  # fmt: skip
    assert [outcome for outcome in outcomes if outcome["faults"]] == []
    assert code == 0
    assert sum(outcome["was_killed"] for outcome in outcomes) >= 5


def test_the_harness_notices_a_journal_that_forgets_what_was_about_to_be_sent():
    code, outcomes = harness("--forgets", "--vendor", "Gcore", "--weather", "calm", "--only", "the request is out")
    assert code == 1
    assert {outcome["created"] for outcome in outcomes if outcome["was_killed"]} == {2}
    assert all("created twice" in outcome["faults"] for outcome in outcomes if outcome["was_killed"])
