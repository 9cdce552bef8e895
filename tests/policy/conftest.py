"""Small results to judge."""

import pytest

from reelvet.policy import Policy
from reelvet.schema.result import Coverage, Finding, ModerationResult


def finding(label="violence", score=0.5, **fields):
    given = {"channel": "visual", "provider": "acme", "native": {"field": "x", "label": "Word"}, **fields}
    return Finding(label=label, score=score, **given)


def row(label="violence", state="clean", channel="visual", **fields):
    return Coverage(label=label, state=state, channel=channel, **{"provider": "acme", **fields})


def result(*findings, coverage=None, status="succeeded", **fields):
    """A result whose coverage, unless given, has one clean row for a label that no finding is about."""
    rows = (row("gambling"),) if coverage is None else coverage
    return ModerationResult(
        key="k", provider="acme", instance="acme", status=status, findings=findings, coverage=rows, **fields
    )


def policy(**fields):
    return Policy.parse({"name": "p", "review": 0.5, "block": 0.9, **fields})


@pytest.fixture
def make_finding():
    return finding


@pytest.fixture
def make_row():
    return row


@pytest.fixture
def make_result():
    return result


@pytest.fixture
def make_policy():
    return policy
