"""The pytest plugin. Every run of pytest imports it, so it loads nothing until a fixture is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reelvet.sandbox import Sandbox

SPEED = 1000.0
"""Virtual seconds in a second of the wall: a task of a minute is done in 60 ms."""


@pytest.fixture(scope="session")
def _reelvet_sandbox() -> Iterator[Sandbox]:
    from reelvet.sandbox import Sandbox  # noqa: PLC0415  (see above)

    with Sandbox(speed=SPEED) as sandbox:
        yield sandbox


@pytest.fixture
def reelvet_sandbox(_reelvet_sandbox: Sandbox) -> Iterator[Sandbox]:
    """The emulators of the installed providers on loopback, as new for each test. See `reelvet.sandbox.Sandbox`."""
    _reelvet_sandbox.reset()
    yield _reelvet_sandbox
    broken = [received for received in _reelvet_sandbox.requests() if received.error]
    _reelvet_sandbox.reset()
    if broken:
        pytest.fail(f"the emulator itself failed: {broken[0].error} at {broken[0].method} {broken[0].path}")


def pytest_addoption(parser: pytest.Parser) -> None:
    """The switch by which conversations are recorded."""
    group = parser.getgroup("reelvet")
    group.addoption(
        "--record-cassettes",
        action="store_true",
        help="Record conversations with vendors anew, and do not only replay them.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """The marker of tests that talk to a vendor's service itself; they are left out unless they are asked for."""
    config.addinivalue_line(
        "markers", "live: talks to a vendor's service itself, with an account; left out unless -m says live"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what is live."""
    if "live" in (config.getoption("-m") or ""):
        return
    live = [item for item in items if item.get_closest_marker("live")]
    if live:
        config.hook.pytest_deselected(items=live)
        items[:] = [item for item in items if item not in live]


@pytest.fixture(scope="session")
def record_cassettes(request: pytest.FixtureRequest) -> bool:
    """Whether conversations are to be recorded anew."""
    return bool(request.config.getoption("--record-cassettes"))
