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
