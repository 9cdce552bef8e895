import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("race.py")


@pytest.fixture
def race():
    """Runs the script of that name, and gives what it prints."""

    def run(*arguments):
        done = subprocess.run(
            [sys.executable, SCRIPT, *arguments],
            capture_output=True,
            text=True,
            timeout=180,
            check=True,
            env=os.environ,
        )
        return json.loads(done.stdout)

    return run
