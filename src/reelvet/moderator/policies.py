"""The policies that a configuration names, and how a result is judged by them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reelvet.policy import Policy, judge
from reelvet.schema.errors import ConfigurationError
from reelvet.schema.result import Reason, Verdict
from reelvet.schema.task import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelvet.config import Config
    from reelvet.plugins import Registry
    from reelvet.schema.result import ModerationResult
    from reelvet.taxonomy import Taxonomy

HANDED_OVER = "handed_to_review"
"""Code of the note on a ticket of which nobody knows what was created, and whose video goes to a person instead."""

_POLICY_FILES = (".toml", ".json")


def load_policies(config: Config, registry: Registry) -> tuple[Policy, ...]:
    """The policies that a configuration names: its own, shipped ones, or files.

    Raises:
        ConfigurationError: There is no such policy, or it is malformed.
    """
    policies = []
    for name in config.policy:
        if name in config.policies:
            policies.append(Policy.parse({"name": name, **config.policies[name]}, taxonomy=registry.taxonomy))
        elif name.endswith(_POLICY_FILES):
            policies.append(Policy.load(Path(name), taxonomy=registry.taxonomy))
        else:
            policies.append(Policy.named(name))
    if not policies:
        raise ConfigurationError(
            "no policy is named, so nothing could be decided",
            field="policy",
            source=config.source,
            way_out='Write policy = "default".',
        )
    return tuple(policies)


def judged(result: ModerationResult, policies: Sequence[Policy], taxonomy: Taxonomy) -> ModerationResult:
    """The result with its verdict.

    A job that was handed to a person says `review`, whatever its status: that was decided, by a person or by the
    configuration. What was found before and blocks, blocks all the same.
    """
    note = next((note for note in result.warnings if note.code == HANDED_OVER), None)
    if note is None or result.status.final:
        return judge(result, policies, taxonomy)
    told = judge(result.model_copy(update={"status": Status.PARTIAL}), policies, taxonomy)
    decisions = {
        name: verdict if verdict is Verdict.BLOCK else Verdict.REVIEW for name, verdict in told.decisions.items()
    }
    reasons = [Reason(policy=name, says=Verdict.REVIEW, why=note.says) for name in decisions]
    return told.model_copy(
        update={
            "status": result.status,
            "verdict": decisions.get(policies[0].name, Verdict.REVIEW),
            "decisions": decisions,
            "reasons": (*told.reasons, *reasons),
        }
    )
