"""What the shell offers when Tab is pressed. Never fails: a shell has nowhere to show why."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def _beginning(incomplete: str, words: Iterable[str]) -> list[str]:
    return [word for word in dict.fromkeys(words) if word.startswith(incomplete)]


def instances(incomplete: str) -> list[str]:
    """Configured instances and installed providers."""
    with contextlib.suppress(Exception):
        from reelvet.cli.session import discover  # noqa: PLC0415
        from reelvet.config import Config  # noqa: PLC0415

        config = Config.load()
        return _beginning(incomplete, [*config.providers, *(spec.id for spec in discover(config))])
    return []


def labels(incomplete: str) -> list[str]:
    """Labels of the taxonomy."""
    with contextlib.suppress(Exception):
        from reelvet.taxonomy import Taxonomy  # noqa: PLC0415

        return _beginning(incomplete, (label.id for label in Taxonomy.default()))
    return []


def policies(incomplete: str) -> list[str]:
    """Shipped and configured policies."""
    with contextlib.suppress(Exception):
        from reelvet.config import Config  # noqa: PLC0415
        from reelvet.policy import STARTERS  # noqa: PLC0415

        return _beginning(incomplete, [*STARTERS, *Config.load().policies])
    return []


def tickets(incomplete: str) -> list[str]:
    """Keys of jobs whose tickets are kept."""
    with contextlib.suppress(Exception):
        from reelvet.cli.state import State  # noqa: PLC0415

        return _beginning(incomplete, State().ticket_names())
    return []


def schemas(incomplete: str) -> list[str]:
    """Names that `reelvet schema` knows."""
    from reelvet.cli.schema import PLACES  # noqa: PLC0415

    return _beginning(incomplete, PLACES)
