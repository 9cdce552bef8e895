"""What speaks against passing, gathered so that ten thousand findings leave a handful of reasons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reelvet.schema.result import Reason, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reelvet.policy.model import Threshold
    from reelvet.schema.result import Finding


@dataclass(slots=True)
class _Signal:
    score: float | None
    threshold: float | None
    why: str
    count: int


class Signals:
    """Reasons in the making. Those alike become one, with the worst score and their number."""

    def __init__(self) -> None:
        self._signals: dict[tuple[Verdict, str, str, str], _Signal] = {}

    def add(
        self, says: Verdict, why: str, *, label: str | None = None, provider: str | None = None, score: float | None = None,
        threshold: float | None = None, count: int = 1, kind: str | None = None,
    ) -> None:  # fmt: skip
        """Something that speaks for a verdict. Signals with the same verdict, label, provider and kind (or why) are one."""
        key = (says, label or "", provider or "", kind or why)
        known = self._signals.get(key)
        if known is None:
            self._signals[key] = _Signal(score, threshold, why, count)
            return
        known.count += count
        if score is not None and (known.score is None or score > known.score):
            known.score, known.threshold, known.why = score, threshold, why

    @property
    def worst(self) -> Verdict:
        """The most severe verdict that anything speaks for; `pass` where nothing does."""
        return Verdict.worst(says for says, *_ in self._signals) or Verdict.PASS

    def __bool__(self) -> bool:
        return bool(self._signals)

    def reasons(self, policy: str) -> Iterable[Reason]:
        """The reasons, the most severe first, then by label and provider."""
        for (says, label, provider, _), signal in sorted(
            self._signals.items(), key=lambda item: (-item[0][0].severity, *item[0][1:])
        ):
            many = f" (the worst of {signal.count})" if signal.score is not None else f" ({signal.count} times)"
            yield Reason(
                policy=policy, provider=provider or None, label=label or None, score=signal.score,
                threshold=signal.threshold, says=says, why=signal.why + (many if signal.count > 1 else ""),
            )  # fmt: skip


class Tally:
    """The findings of one rule at one provider instance whose score reaches one of its thresholds."""

    def __init__(
        self, says: Verdict, threshold: Threshold, *, rule: str, provider: str | None, instance: str | None
    ) -> None:
        self._kind = f"{rule} {instance or ''}"
        self._says = says
        self._threshold = threshold
        self._provider = provider
        self._labels: dict[str, tuple[float, int]] = {}
        self._moments: set[object] = set()
        self._spans: list[tuple[float, float]] = []
        self._without_length = False

    def add(self, finding: Finding, score: float) -> None:
        """Count a finding that reaches the threshold."""
        worst, count = self._labels.get(finding.label, (0.0, 0))
        self._labels[finding.label] = (max(worst, score), count + 1)
        if not self._threshold.conditional:
            return
        moment = (finding.start, finding.end, finding.at_date, finding.frame)
        self._moments.add(id(finding) if moment == (None, None, None, None) else moment)
        if finding.start is None or finding.end is None or finding.end <= finding.start:
            self._without_length = True
        else:
            self._spans.append((finding.start, finding.end))

    def tell(self, signals: Signals, *, but_for: frozenset[str] = frozenset()) -> frozenset[str]:
        """Say what the counted findings come to.

        Args:
            signals: Where to say it.
            but_for: Labels of which as much was said already.

        Returns:
            The labels of which something was said.
        """
        threshold = self._threshold
        hits, seconds = len(self._moments), self._seconds()
        why = "score at or above threshold"
        says = self._says
        if threshold.conditional and hits < threshold.min_hits:
            return frozenset()
        if threshold.min_hits > 1:
            why += f", at {hits} moments (at least {threshold.min_hits})"
        if seconds < threshold.min_seconds:
            if not self._without_length:
                return frozenset()
            # Instants times the sampling interval would be an invented length, and "too short" a forged pass.
            says = Verdict.REVIEW
            why += f", but findings have no length, so nobody can say whether it lasts {threshold.min_seconds:g} s"
        elif threshold.min_seconds > 0:
            why += f", for {seconds:g} s (at least {threshold.min_seconds:g} s)"
        for label, (score, count) in self._labels.items():
            if label not in but_for:
                signals.add(
                    says,
                    why,
                    label=label,
                    provider=self._provider,
                    score=score,
                    threshold=threshold.score,
                    count=count,
                    kind=self._kind,
                )
        return frozenset(self._labels)

    def _seconds(self) -> float:
        total, reached = 0.0, float("-inf")
        for start, end in sorted(self._spans):
            total += max(0.0, end - max(start, reached))
            reached = max(reached, end)
        return total
