"""The card of the Gcore provider. Light: no HTTP, and the label map is read when somebody asks what it can see."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from reelvet.plugins import Capabilities, Capability, DataHandling, ProviderSpec, TranscriptCapability, hookimpl
from reelvet.schema.media import MediaKind
from reelvet.taxonomy import LabelMap, Taxonomy

if TYPE_CHECKING:
    from collections.abc import Callable

NSFW, HARD, SOFT, SPORT = "nsfw", "hard_nudity", "soft_nudity", "sport"
CATEGORIES = (NSFW, HARD, SOFT, SPORT)
"""Gcore's categories of content moderation, one task each: https://gcore.com/docs/api-reference/streaming/ai/create-ai-task"""

FLOORS = {NSFW: 0.5, HARD: 0.3, SOFT: 0.3, SPORT: 0.3}
"""The confidence below which a frame is not listed: "more than 50%" for nsfw, "at least 30%" for the others."""

OFFICIAL_URL = "https://api.gcore.com"

_KINDS = dict.fromkeys((NSFW, HARD, SOFT), (MediaKind.VIDEO, MediaKind.IMAGE)) | {
    SPORT: (MediaKind.VIDEO,)  # it looks at a sequence of 10-15 s at least, so at no picture
}


@cache
def capabilities() -> Capabilities:
    """What any account can see and do at most: the current API with every category."""
    labels = LabelMap.load("reelvet_gcore", Taxonomy.default())
    return Capabilities(
        entries=tuple(
            Capability(
                mapping.label,
                channels=(mapping.channel,),
                relation=mapping.relation,
                floor=FLOORS[category],
                kinds=_KINDS[category],
                switch=category,
            )
            for category in CATEGORIES
            for mapping in labels
            if mapping.field == f"category={category}" and mapping.label is not None and mapping.channel is not None
        ),
        schemes=frozenset({"http", "https", "gcore"}),
        wishes=frozenset({"stop_on", "user", "metadata", "language"}),
        operations=frozenset({"cancel", "find", "sweep"}),
        transcript=TranscriptCapability(languages=None, translations=None),
        key_fits="whole, in an envelope in client_entity_data",
        price_class="paid",
    )


SPEC = ProviderSpec(
    id="gcore",
    title="Gcore Streaming AI",
    provider="reelvet_gcore.provider:GcoreProvider",
    settings="reelvet_gcore.settings:GcoreSettings",
    options="reelvet_gcore.settings:GcoreOptions",
    sandbox="reelvet_gcore.sandbox:GcoreSandbox",
    capabilities=capabilities,
    data_handling=DataHandling(
        place="not documented",
        retention="results for one month; of the media nothing is documented",
        source="https://gcore.com/docs/api-reference/streaming/ai/get-ai-task-result",
    ),
)


@hookimpl
def reelvet_register(register: Callable[[ProviderSpec], None]) -> None:
    """Registers the Gcore provider."""
    register(SPEC)
