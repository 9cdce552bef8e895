"""Which provider and which configured instance a finding or a coverage row comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelvet.schema.result import ModerationResult

Origin: TypeAlias = tuple[str | None, str | None]
"""Provider id and instance name."""


class Origins:
    """Looks up who said something.

    Where the result leaves it open (two instances of one provider, and no task named), all candidates are given:
    each of their rules is applied, and the worst wins.

    Args:
        result: The result, whose tasks name their instances.
        by_instance: Whether instances matter; if not, they are left out, and less is open.
    """

    def __init__(self, result: ModerationResult, *, by_instance: bool) -> None:
        self._by_instance = by_instance
        self._known: dict[tuple[str | None, str | None], Sequence[Origin]] = {}
        self._tasks = {(task.provider, task.id): task.instance for task in result.tasks}
        named: list[Origin] = [(task.provider, task.instance) for task in result.tasks]
        self._all: Sequence[Origin] = tuple(dict.fromkeys(named)) or ((result.provider, result.instance),)
        self._whole: Origin = (result.provider, result.instance)

    def of(self, provider: str | None, task: str | None = None) -> Sequence[Origin]:
        """The candidates for what names this provider and task: at least one."""
        key = (provider, task)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._find(provider, task)
        return found

    def _find(self, provider: str | None, task: str | None) -> Sequence[Origin]:
        if provider is None:
            provider = self._whole[0]
        if not self._by_instance:
            return (
                ((provider, None),)
                if provider is not None
                else tuple(dict.fromkeys((name, None) for name, _ in self._all))
            )
        if provider is not None and task is not None and (provider, task) in self._tasks:
            return ((provider, self._tasks[provider, task] or self._whole[1]),)
        same = tuple(origin for origin in self._all if provider is None or origin[0] == provider)
        return same or ((provider, self._whole[1]),)
