"""What each BizType looks at. Its policy is kept at the vendor, whose API does not say, so its owner declares it. Pure."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from reelvet.schema.media import Channel
from reelvet_tencent.plugin import OF_THE_POLICY, VIDEO_AIGC, capabilities, parallel

if TYPE_CHECKING:
    from reelvet.plugins import Capabilities, Capability
    from reelvet.taxonomy import Taxonomy
    from reelvet_tencent.settings import TencentSettings

_HEARD = frozenset({Channel.SPEECH, Channel.SOUND})


class Policies:
    """The BizTypes of an instance."""

    def __init__(self, settings: TencentSettings, taxonomy: Taxonomy) -> None:
        self._settings = settings
        self._taxonomy = taxonomy
        self._able: dict[str, Capabilities] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The BizTypes that a job may go to, the preferred one first."""
        return self._settings.known_biz_types

    def is_declared(self, name: str | None) -> bool:
        """Whether somebody said what the policy looks at."""
        return name in self._settings.biz_types

    @cached_property
    def at_most(self) -> Capabilities:
        """What the edition can do with a policy that looks for everything."""
        settings = self._settings
        most = replace(capabilities(), parallel=parallel(settings.parallel_files, settings.parallel_streams))
        if self._settings.effective_edition == "cn":
            return most
        # https://www.tencentcloud.com/document/api/1140/51174 knows neither User nor VIDEO_AIGC.
        entries = tuple(entry for entry in most.entries if entry.switch == OF_THE_POLICY)
        return replace(most, entries=entries, wishes=most.wishes - {"user"})

    def able(self, name: str | None) -> Capabilities:
        """What can be seen with a BizType; everything, with one that is not declared. Generated media is no policy's business."""
        most = self.at_most
        if name is None or not self.is_declared(name):
            return most
        if name not in self._able:
            of_policy = most.with_entries(entry for entry in most.entries if entry.switch == OF_THE_POLICY)
            looked_for = self._settings.biz_types[name].restrict(of_policy, self._taxonomy).entries
            others = (entry for entry in most.entries if entry.switch != OF_THE_POLICY)
            self._able[name] = _with(most, (*looked_for, *others))
        return self._able[name]

    @cached_property
    def effective(self) -> Capabilities:
        """What can be seen with any of the BizTypes."""
        if not all(self.is_declared(name) for name in self.names) or not self.names:
            return self.at_most
        entries = dict.fromkeys(entry for name in self.names for entry in self.able(name).entries)
        return _with(self.at_most, tuple(entries))

    @staticmethod
    def looks_for(type_: str, able: Capabilities) -> dict[Channel, list[str]]:
        """Channel -> labels that a task looks for, of what can be seen in its kind of media.

        Args:
            type_: The task's type.
            able: What can be seen, in the kind of media.
        """
        generated = type_ == VIDEO_AIGC
        entries = [entry for entry in able.entries if (entry.switch != OF_THE_POLICY) == generated]
        found: dict[Channel, dict[str, None]] = {}
        for entry in entries:
            for channel in entry.channels:
                found.setdefault(channel, {})[entry.label] = None
        return {channel: list(labels) for channel, labels in found.items()}


def _with(able: Capabilities, entries: tuple[Capability, ...]) -> Capabilities:
    """The same with other labels; where no sound is listened to, nothing can be written down."""
    listens = any(_HEARD.intersection(entry.channels) for entry in entries)
    return replace(able, entries=entries, transcript=able.transcript if listens else None)
