"""A policy over a result. Pure: the same result, policies and taxonomy give the same verdict, and no vendor is asked."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from reelvet.policy.coverage import tell_coverage
from reelvet.policy.model import Policy
from reelvet.policy.origins import Origins
from reelvet.policy.rulebook import Rulebook, rulebook
from reelvet.policy.signals import Signals, Tally
from reelvet.schema.errors import ConfigurationError
from reelvet.schema.result import Verdict
from reelvet.schema.task import Status
from reelvet.schema.urls import mask_urls
from reelvet.taxonomy import Taxonomy

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reelvet.policy.rulebook import Standing
    from reelvet.schema.result import Finding, ModerationResult, Reason

UNKNOWN_VERDICT = "unknown_verdict"
"""The code of the warning by which a provider says that the vendor's verdict is a word it does not know."""

_LONGEST_WORD = 60


def judge(
    result: ModerationResult, policies: Policy | Iterable[Policy], taxonomy: Taxonomy | None = None
) -> ModerationResult:
    """The result with verdict, decisions, reasons and the policies' ids; all else as it was.

    Args:
        result: What was found and looked at. What an earlier judging left in it is replaced.
        policies: One or several. `verdict` is the first's decision; the id of the first stands in
            `versions["policy"]`, those of the others in `versions["policy.<name>"]`.
        taxonomy: The labels, plugin labels included; those of reelvet if left out.

    Returns:
        A new result. The verdict is `None`, and there are no decisions, while the status is not final, and for a job
        that only transcribes (`transcribes_only`, without any coverage row) in which nothing was found either.

    Raises:
        ConfigurationError: There is no policy, or two have the same name.
        UnknownLabel: A policy names a label that is not in the taxonomy.
    """
    chosen = _read_policies(policies)
    taxonomy = taxonomy or Taxonomy.default()
    books = [rulebook(policy, taxonomy) for policy in chosen]
    decisions: dict[str, Verdict] = {}
    reasons: list[Reason] = []
    versions = {
        name: version
        for name, version in result.versions.items()
        if name != "policy" and not name.startswith("policy.")
    }
    if result.status.final:
        for number, (policy, book) in enumerate(zip(chosen, books, strict=True)):
            signals = _weigh(result, book)
            if result.transcribes_only and not result.coverage and not signals:
                continue
            _tell_status(result, signals)
            decisions[policy.name] = signals.worst
            reasons.extend(signals.reasons(policy.name))
            versions[f"policy.{policy.name}" if number else "policy"] = book.policy_id
    return result.model_copy(
        update={
            "verdict": decisions.get(chosen[0].name),
            "decisions": decisions,
            "reasons": tuple(reasons),
            "versions": versions,
        }
    )


def _read_policies(policies: Policy | Iterable[Policy]) -> Sequence[Policy]:
    chosen = (policies,) if isinstance(policies, Policy) else tuple(policies)
    names = [policy.name for policy in chosen]
    if not names:
        raise ConfigurationError(
            "there is no policy to judge by",
            field="policies",
            way_out="Give at least one; Policy.default() is the shipped one.",
        )
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigurationError(
            f"two policies are named {twice!r}",
            field="policies",
            way_out="Decisions are told apart by name: rename one of them.",
        )
    return chosen


def _weigh(result: ModerationResult, book: Rulebook) -> Signals:
    signals = Signals()
    origins = Origins(result, by_instance=book.by_instance)
    _tell_findings(result.findings, book, origins, signals)
    for warning in result.warnings:
        if warning.code == UNKNOWN_VERDICT:
            signals.add(
                Verdict.REVIEW, f"a vendor's verdict is not known: {_words(warning.says)}", kind=UNKNOWN_VERDICT
            )
    tell_coverage(result, book, origins, signals)
    return signals


def _tell_findings(findings: Sequence[Finding], book: Rulebook, origins: Origins, signals: Signals) -> None:
    blocks: dict[tuple[str, str | None, str | None], Tally] = {}
    reviews: dict[tuple[str, str | None, str | None], Tally] = {}
    for finding in findings:
        for provider, instance in origins.of(finding.provider, finding.task):
            standing = book.standing(finding.label, finding.channel, provider, instance)
            if standing.off:
                continue
            _tell_finding(finding, standing, signals)
            score = finding.score
            if score is None or standing.quarantined:
                continue
            key = (standing.rule, provider, instance)
            for says, threshold, tallies in (
                (Verdict.BLOCK, standing.block, blocks),
                (Verdict.REVIEW, standing.review, reviews),
            ):
                if threshold is not None and score >= threshold.score:
                    if key not in tallies:
                        tallies[key] = Tally(says, threshold, rule=standing.rule, provider=provider, instance=instance)
                    tallies[key].add(finding, score)
    blocked: dict[tuple[str, str | None, str | None], frozenset[str]] = defaultdict(frozenset)
    for key, tally in blocks.items():
        blocked[key] = tally.tell(signals)
    for key, tally in reviews.items():
        tally.tell(signals, but_for=blocked[key])


def _tell_finding(finding: Finding, standing: Standing, signals: Signals) -> None:
    """What a finding says whatever its score."""
    label, provider, score, suggestion = finding.label, finding.provider, finding.score, finding.suggestion
    if standing.quarantined:
        signals.add(
            Verdict.BLOCK, "findings under child_safety always block", label=label, provider=provider, score=score
        )
        return
    if suggestion is not None and suggestion is not Verdict.PASS:
        signals.add(
            suggestion, f"the vendor's own verdict is {suggestion}", label=label, provider=provider, score=score
        )
    if standing.unknown:
        words = "/".join(word for word in (finding.native.label, finding.native.sub_label) if word)
        signals.add(
            Verdict.REVIEW,
            f"a label that is not known, in the vendor's words {_words(words)}",
            label=label,
            provider=provider,
            score=score,
            kind="unknown",
        )
    elif standing.unruled:
        signals.add(Verdict.REVIEW, "the policy has no threshold for it", label=label, provider=provider, score=score)
    if score is None and suggestion is None:
        signals.add(Verdict.REVIEW, "neither a score nor a verdict of the vendor", label=label, provider=provider)


def _tell_status(result: ModerationResult, signals: Signals) -> None:
    if result.status is Status.SUCCEEDED:
        return
    told = ", ".join(
        f"{task.id}: {task.error.code or task.error.type or task.status}" for task in result.tasks if task.error
    )
    signals.add(
        Verdict.ERROR,
        f"the job {_ENDINGS[result.status]}, so nobody can say that there is no more"
        + (f" ({_words(told)})" if told else ""),
    )


_ENDINGS = {Status.PARTIAL: "failed in part", Status.FAILED: "failed", Status.CANCELED: "was canceled"}


def _words(text: str) -> str:
    """A vendor's words, fit for a reason: URLs masked, cut."""
    shown: str = mask_urls(text)
    return repr(shown) if len(shown) <= _LONGEST_WORD else repr(shown[:_LONGEST_WORD] + "...")
