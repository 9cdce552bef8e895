"""Checks of the policies."""

from __future__ import annotations

import contextlib
from collections import Counter
from typing import TYPE_CHECKING

from reelvet.cli.doctor.examined import Item
from reelvet.cli.doctor.instances import make
from reelvet.moderator import load_policies
from reelvet.policy import Policy, thresholds_below_floor
from reelvet.schema.errors import ReelvetError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reelvet.cli.doctor.examined import Examined
    from reelvet.plugins import Capabilities


def check_policies(examined: Examined) -> Iterator[Item]:
    """Every policy that is named exists, and every one that is written makes sense."""
    names = [
        *examined.config.policy,
        *(name for name in examined.config.policies if name not in examined.config.policy),
    ]
    if not examined.config.policy:
        yield Item("wrong", "no policy is named, so nothing could be decided", 'Write policy = "default".', "policy")
    for name in dict.fromkeys(names):
        where = f"policies.{name}" if name in examined.config.policies else "policy"
        try:
            _load(name, examined)
        except ReelvetError as error:
            own = ", ".join(examined.config.policies)
            configured = f" Configured are {own}." if own and where == "policy" else ""
            yield Item("wrong", error.message, error.way_out + configured, where)


def check_policy_names(examined: Examined) -> Iterator[Item]:
    """No two policies that judge have the same name."""
    for name, number in Counter(policy.name for policy in _judging(examined)).items():
        if number > 1:
            yield Item(
                "wrong",
                f"{number} policies are named {name!r}",
                "Decisions are told apart by name: rename one of them.",
                "policy",
            )


def check_thresholds(examined: Examined) -> Iterator[Item]:
    """No policy judges from a score that the vendor does not report."""
    for instance in examined.instances:
        able: Capabilities | None = None
        # An instance that cannot be made has been told of; so has one that cannot say what it sees.
        with contextlib.suppress(Exception):
            able = make(instance, examined).provider.effective()
        if able is None:
            continue
        rows = [(entry.label, str(channel), entry.floor) for entry in able.entries for channel in entry.channels]
        for policy in _judging(examined):
            gaps = thresholds_below_floor(
                policy, rows, provider=examined.plugin(instance), instance=instance, taxonomy=examined.registry.taxonomy
            )
            for gap in gaps:
                says, _, mend = str(gap).partition(". ")
                yield Item("warning", says, f"{mend}." if mend else None, "policy")


def _judging(examined: Examined) -> Iterator[Policy]:
    for name in examined.config.policy:
        with contextlib.suppress(ReelvetError):
            yield _load(name, examined)


def _load(name: str, examined: Examined) -> Policy:
    return load_policies(examined.config.model_copy(update={"policy": (name,)}), examined.registry)[0]
