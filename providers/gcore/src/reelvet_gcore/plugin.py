"""The card of the Gcore provider. Light: no HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelvet.plugins import ProviderSpec, hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable

SPEC = ProviderSpec(
    id="gcore",
    title="Gcore",
    provider="reelvet_gcore.provider:GcoreProvider",
    sandbox="reelvet_gcore.sandbox:GcoreSandbox",
)


@hookimpl
def reelvet_register(register: Callable[[ProviderSpec], None]) -> None:
    """Registers the Gcore provider."""
    register(SPEC)
