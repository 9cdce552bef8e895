"""The card of the local provider. Light: no decoder, no model, no HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelvet.plugins import Capabilities, Capability, DataHandling, ProviderSpec, hookimpl
from reelvet.schema.media import Channel, MediaKind
from reelvet.schema.result import Relation

if TYPE_CHECKING:
    from collections.abc import Callable

CAPABILITIES = Capabilities(
    entries=(
        Capability(
            "sexual.explicit.pornography",
            channels=(Channel.VISUAL,),
            relation=Relation.CLOSE,
            floor=0.5,
            kinds=(MediaKind.VIDEO, MediaKind.IMAGE),
            switch="nsfw",
        ),
    ),
    schemes=frozenset({"http", "https", "file"}),
    wishes=frozenset({"interval", "stop_on", "user", "metadata"}),
    operations=frozenset({"run", "cancel"}),
    regions=("here",),
    key_fits="whole; nothing is sent anywhere",
    price_class="free",
)

SPEC = ProviderSpec(
    id="local",
    title="Local model",
    provider="reelvet_local.provider:LocalProvider",
    settings="reelvet_local.settings:LocalSettings",
    options="reelvet_local.settings:LocalOptions",
    capabilities=CAPABILITIES,
    data_handling=DataHandling(
        place="this machine; the media goes nowhere",
        retention="nothing is kept: a download is deleted when its video has been looked at; pictures only where a directory is named",
        source="docs/providers/local.md",
    ),
    needs_account=False,
)


@hookimpl
def reelvet_register(register: Callable[[ProviderSpec], None]) -> None:
    """Registers the local provider."""
    register(SPEC)
