"""Stored results judged again: what would have changed, without asking or paying a vendor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reelvet.policy.judge import judge
from reelvet.policy.model import Policy
from reelvet.schema.errors import InvalidJob
from reelvet.schema.result import ModerationResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reelvet.schema.result import Verdict
    from reelvet.taxonomy import Taxonomy


@dataclass(frozen=True, slots=True)
class Replayed:
    """A result as it was stored, and as it is judged now."""

    before: ModerationResult
    after: ModerationResult

    @property
    def key(self) -> str:
        """The job's idempotency key."""
        return self.after.key

    @property
    def changes(self) -> Mapping[str, tuple[Verdict | None, Verdict | None]]:
        """Policy name -> decision before and now, of those that differ. A policy that did not judge then has `None`."""
        then, now = self.before.decisions, self.after.decisions
        return {name: (then.get(name), verdict) for name, verdict in now.items() if then.get(name) is not verdict}

    @property
    def changed(self) -> bool:
        """Whether the verdict is another one."""
        return self.before.verdict is not self.after.verdict


def replay(
    results: Iterable[ModerationResult | str | bytes],
    policies: Policy | Iterable[Policy],
    taxonomy: Taxonomy | None = None,
) -> Iterator[Replayed]:
    """Judge stored results again, one at a time as they are asked for.

    Args:
        results: Results, or their JSON texts: an open JSONL file will do. Blank lines are passed over.
        policies: One or several, as for `judge`.
        taxonomy: The labels, plugin labels included; those of reelvet if left out.

    Yields:
        Each result before and after, in their order.

    Raises:
        InvalidJob: A text is no result; the message says which, counted from 1 with blank lines.
        ConfigurationError: There is no policy, or two have the same name.
    """
    chosen = (policies,) if isinstance(policies, Policy) else tuple(policies)
    for number, item in enumerate(results, start=1):
        if isinstance(item, ModerationResult):
            before = item
        elif not item.strip():
            continue
        else:
            try:
                before = ModerationResult.parse(item)
            except InvalidJob as error:
                raise InvalidJob(
                    f"result {number}: {error.message}",
                    field=error.field,
                    way_out="Mend or remove it; those before it were judged.",
                ) from error
        yield Replayed(before, judge(before, chosen, taxonomy))
