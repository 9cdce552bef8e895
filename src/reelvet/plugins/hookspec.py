"""The one hook of reelvet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from collections.abc import Callable

    from reelvet.plugins.spec import ProviderSpec

PROJECT = "reelvet"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def reelvet_register(register: Callable[[ProviderSpec], None]) -> None:
    """Registers a plugin's providers.

    Args:
        register: Called once for each `ProviderSpec` that the plugin brings.
    """
