"""What a policy kept at the vendor looks at, as its owner declares it: the vendor's API does not say."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import Field

from reelvet.schema.base import Strict
from reelvet.schema.media import Channel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reelvet.plugins.capabilities import Capabilities, Capability
    from reelvet.taxonomy import Taxonomy


class Covers(Strict):
    """Labels that are looked for in channels."""

    labels: tuple[str, ...] = Field(min_length=1, description="Label ids or patterns.")
    channels: tuple[Channel, ...] = Field(min_length=1, description="Where they are looked for.")


class DeclaredPolicy(Strict):
    """A `[providers.<instance>.biz_types.<name>]` table: what the vendor's policy of that name looks at."""

    covers: tuple[Covers, ...] = Field((), description="What is looked for; whatever is not in it is `not_evaluated`.")

    def restrict(self, able: Capabilities, taxonomy: Taxonomy) -> Capabilities:
        """What of `able` the policy turns on.

        Raises:
            UnknownLabel: A pattern matches no label.
        """
        places = {
            (label, channel)
            for part in self.covers
            for label in taxonomy.expand_all(part.labels, field="covers")
            for channel in part.channels
        }

        def entries() -> Iterator[Capability]:
            for entry in able.entries:
                channels = tuple(channel for channel in entry.channels if (entry.label, channel) in places)
                if channels:
                    yield replace(entry, channels=channels)

        return able.with_entries(entries())
