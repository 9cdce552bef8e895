"""Journals of every kind, empty."""

from dataclasses import replace

import pytest

from reelvet.journal import PlannedTask, Record, State, open_journal


def _record(key="k", **changes):
    return replace(
        Record(
            key=key,
            attempt=1,
            fingerprint="f",
            provider="acme",
            instance="acme",
            state=State.INTENT,
            ticket=b'{"schema":1}',
            plan=(PlannedTask("porn", "porn", key), PlannedTask("gore", None, key)),
            begun_at=1000.0,
            owner="me",
            user="u1",
        ),
        **changes,
    )


@pytest.fixture
def record():
    """Makes intents."""
    return _record


@pytest.fixture(params=["memory", "sqlite"])
async def journal(request, tmp_path):
    journal = open_journal("memory:" if request.param == "memory" else f"sqlite:///{tmp_path}/journal.db")
    yield journal
    await journal.close()
