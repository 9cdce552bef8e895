"""A policy made ready for one taxonomy: which rule holds for a label, in a channel, from a provider."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from reelvet.schema.errors import InvalidJob
from reelvet.taxonomy import QUARANTINE, UNMAPPED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reelvet.policy.model import Policy, Rule, Threshold
    from reelvet.taxonomy import Taxonomy


@dataclass(frozen=True, slots=True)
class Standing:
    """What a policy makes of one label at one place."""

    rule: str
    """What is counted together for `min_hits` and `min_seconds`: the rule, or without one the root of the label."""
    review: Threshold | None = None
    block: Threshold | None = None
    off: bool = False
    """Not judged."""
    quarantined: bool = False
    """Always blocks."""
    unknown: bool = False
    """`unmapped`, or an id that is in no taxonomy at hand: review at least."""
    unruled: bool = False
    """On, but nothing says from which score: review at least."""

    @property
    def lowest(self) -> float | None:
        """The lowest score that changes the verdict; `None` where no score does."""
        if self.off:
            return None
        if self.quarantined or self.unknown or self.unruled:
            return 0.0
        return min((threshold.score for threshold in (self.review, self.block) if threshold), default=None)


@dataclass(frozen=True, slots=True)
class _Reach:
    """How a rule comes to hold for a label."""

    specificity: tuple[int, ...]
    number: int
    rule: Rule


class Rulebook:
    """The rules of a policy, looked up by label. Immutable but for what it remembers."""

    def __init__(self, policy: Policy, taxonomy: Taxonomy) -> None:
        self.policy_id = policy.id
        self.by_instance = any(rule.instance is not None for rule in policy.rules)
        self._policy = policy
        self._taxonomy = taxonomy
        self._switches = {kind: str(getattr(policy.kinds, kind)) for kind in type(policy.kinds).model_fields}
        self._reaches: dict[str, list[_Reach]] = {}
        self._standings: dict[tuple[str, str | None, str | None, str | None], Standing] = {}
        for number, rule in enumerate(policy.rules):
            self._add(number, rule)
        for reaches in self._reaches.values():
            # The text comes last, so that the order of the file never decides.
            reaches.sort(key=lambda reach: (reach.specificity, reach.rule.label), reverse=True)
        self.required = {
            pattern: frozenset(taxonomy.expand(pattern, field=f"require.{number}"))
            for number, pattern in enumerate(policy.require)
        }

    def _add(self, number: int, rule: Rule) -> None:
        field = f"rules.{number}.label"
        taxonomy = self._taxonomy
        matched = taxonomy.expand(rule.label, field=field)
        heads = [label for label in matched if taxonomy[label].parent not in matched]
        self._check(rule, heads, field)
        is_id = rule.label in taxonomy
        narrowed = (rule.instance is not None, rule.provider is not None, rule.channel is not None)
        for head in heads:
            specificity = (len(taxonomy.ancestors(head)), is_id, len(rule.label), *narrowed)
            for label in taxonomy.subtree(head):
                if rule.off or self._is_on(label, head):
                    self._reaches.setdefault(label, []).append(_Reach(specificity, number, rule))

    def _is_on(self, label: str, head: str) -> bool:
        # A rule on `sexual` does not switch on `sexual.suggestive.kissing`, which is sensitive; a rule on a sensitive
        # label does switch on the sensitive labels below it.
        kind = self._taxonomy.kind(label)
        switch = self._switches[kind]
        return switch == "on" or (switch == "off" and kind == self._taxonomy.kind(head))

    def _check(self, rule: Rule, heads: list[str], field: str) -> None:
        where = f"invalid policy {self._policy.name!r}: {field}: {rule.label!r}"
        if all(self.is_quarantined(head) for head in heads):
            raise InvalidJob(
                f"{where} is under {QUARANTINE}, whose findings always block",
                field=field,
                way_out="Leave the rule out; no rule can change that.",
            )
        if rule.off and UNMAPPED in heads and len(heads) == 1:
            raise InvalidJob(
                f"{where} cannot be off: what no map knows is looked at by a person",
                field=field,
                way_out="Leave the rule out, or map the vendor's label in the provider's labels.csv.",
            )
        never = {self._taxonomy.kind(head) for head in heads if self._switches[self._taxonomy.kind(head)] == "never"}
        if not rule.off and never and all(self._taxonomy.kind(head) in never for head in heads):
            kind = min(never)
            raise InvalidJob(
                f"{where} is of kind {kind}, which this policy never judges",
                field=field,
                way_out=f"Set kinds.{kind} = 'off' to judge what rules name.",
            )

    def is_quarantined(self, label: str) -> bool:
        """Whether the label is `child_safety` or below it."""
        return self._taxonomy.is_within(label, QUARANTINE)

    def above(self, label: str) -> Iterator[str]:
        """A label and those above it, by the taxonomy or, for a label it does not know, by its name."""
        if label in self._taxonomy:
            yield label
            yield from self._taxonomy.ancestors(label)
            return
        while label:
            yield label
            label = label.rpartition(".")[0]

    def standing(self, label: str, channel: str | None, provider: str | None, instance: str | None) -> Standing:
        """What the policy makes of a label found there."""
        if label not in self._taxonomy:
            # Not remembered: nobody bounds what unknown labels there are.
            return self._unknown(label, channel, provider, instance)
        key = (label, channel, provider, instance)
        found = self._standings.get(key)
        if found is None:
            found = self._standings[key] = self._look_up(*key)
        return found

    def _unknown(self, label: str, channel: str | None, provider: str | None, instance: str | None) -> Standing:
        known = next((above for above in self.above(label) if above in self._taxonomy), UNMAPPED)
        return replace(self.standing(known, channel, provider, instance), off=False, unruled=False, unknown=True)

    def _look_up(self, label: str, channel: str | None, provider: str | None, instance: str | None) -> Standing:
        if self.is_quarantined(label):
            return Standing(rule=QUARANTINE, quarantined=True)
        for reach in self._reaches.get(label, ()):
            rule = reach.rule
            if (
                rule.provider not in {None, provider}
                or rule.instance not in {None, instance}
                or rule.channel not in {None, channel}
            ):
                continue
            if rule.off and label == UNMAPPED:
                continue
            return Standing(
                rule=f"rule {reach.number}",
                review=rule.review,
                block=rule.block,
                off=rule.off,
                unknown=label == UNMAPPED,
            )
        if label == UNMAPPED:
            # The policy's own thresholds are for labels whose meaning is known.
            return Standing(rule=UNMAPPED, unknown=True)
        root = (label, *self._taxonomy.ancestors(label))[-1]
        if self._switches[self._taxonomy.kind(label)] != "on":
            return Standing(rule=root, off=True)
        review, block = self._policy.review, self._policy.block
        return Standing(rule=root, review=review, block=block, unruled=review is None and block is None)


@lru_cache(maxsize=128)
def rulebook(policy: Policy, taxonomy: Taxonomy) -> Rulebook:
    """The rulebook of a policy for a taxonomy, made once.

    Raises:
        InvalidJob: A rule is for what no rule can change.
        UnknownLabel: A rule or `require` names a label that does not exist.
    """
    return Rulebook(policy, taxonomy)
