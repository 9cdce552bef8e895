"""The card of the Tencent provider. Light: no HTTP, no SDK, and the label map is read when somebody asks what it can see."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from reelvet.plugins import (
    BatchRule,
    Capabilities,
    Capability,
    DataHandling,
    Parallel,
    ProviderSpec,
    TranscriptCapability,
    hookimpl,
)
from reelvet.schema.media import Channel, MediaKind
from reelvet.taxonomy import UNMAPPED, LabelMap, Taxonomy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reelvet.taxonomy import Mapping

VIDEO, LIVE_VIDEO, VIDEO_AIGC = "VIDEO", "LIVE_VIDEO", "VIDEO_AIGC"
"""The task types: https://cloud.tencent.com/document/api/1265/51879"""

MOST_TASKS = 10
"""Of one call: "1-10 tasks at a time". https://cloud.tencent.com/document/api/1265/51879"""

FILES, STREAMS = 10, 100
"""Tasks that run at a time, unless the vendor agreed to more: https://cloud.tencent.com/document/api/1265/51879"""

RATE = 20
"""Requests per second of each action: https://cloud.tencent.com/document/api/1265/80029"""

HOSTS = {"cn": "vm.tencentcloudapi.com", "intl": "vm.intl.tencentcloudapi.com"}
"""https://cloud.tencent.com/document/api/1265/51879 and https://www.tencentcloud.com/document/api/1140/51174"""

OF_THE_POLICY = "the policy of a BizType"
"""What turns a label on: nothing that is sent, but what was set at the vendor."""

_AIGC = f"Type={VIDEO_AIGC}"
_RECOGNIZED = frozenset({"Teenager", "Gender"})
_SEEN_AND_SAID = (Channel.VISUAL, Channel.OCR, Channel.SPEECH)


def _entries(labels: LabelMap) -> Iterator[Capability]:
    for mapping in labels:
        if mapping.label is None or mapping.label == UNMAPPED or mapping.field == "Label (COS/CI spelling)":
            continue
        is_aigc = mapping.field == _AIGC
        yield Capability(
            mapping.label,
            channels=_channels(mapping),
            relation=mapping.relation,
            kinds=(MediaKind.VIDEO,) if is_aigc else (MediaKind.VIDEO, MediaKind.LIVE),
            switch=mapping.field if is_aigc else OF_THE_POLICY,
        )


def _channels(mapping: Mapping) -> tuple[Channel, ...]:
    if mapping.channel is not None:
        return (mapping.channel,)
    if mapping.field == _AIGC:
        return (Channel.VISUAL,)
    # `RecognitionResults` stand with pictures and with sounds: https://cloud.tencent.com/document/api/1265/51878
    return (Channel.VISUAL, Channel.SOUND) if mapping.native in _RECOGNIZED else _SEEN_AND_SAID


def parallel(files: int = FILES, streams: int = STREAMS) -> tuple[Parallel, ...]:
    """How many tasks run at a time: files above it wait, streams are refused."""
    return (Parallel(MediaKind.VIDEO, files), Parallel(MediaKind.LIVE, streams, waits=False))


@cache
def capabilities() -> Capabilities:
    """What any account can see and do at most: the Chinese edition, with a policy that looks for everything."""
    return Capabilities(
        entries=tuple(dict.fromkeys(_entries(LabelMap.load("reelvet_tencent", Taxonomy.default())))),
        schemes=frozenset({"http", "https", "rtmp", "cos"}),
        wishes=frozenset({"callback", "user"}),
        operations=frozenset({"cancel", "find", "sweep", "callback", "learn"}),
        transcript=TranscriptCapability(languages=None, translations=()),
        key_fits="as DataId, where it is up to 64 of A-Z a-z 0-9 _ - @ #; else a digest of it",
        price_class="paid",
        parallel=parallel(),
    )


SPEC = ProviderSpec(
    id="tencent",
    title="Tencent Cloud Video Moderation System (VM)",
    provider="reelvet_tencent.provider:TencentProvider",
    settings="reelvet_tencent.settings:TencentSettings",
    options="reelvet_tencent.settings:TencentOptions",
    sandbox="reelvet_tencent.sandbox:TencentSandbox",
    capabilities=capabilities,
    batch=BatchRule(MOST_TASKS),
    data_handling=DataHandling(
        place="not documented: a region is where the API is called",
        retention="not documented; links to pictures and sounds end after 12 hours (Chinese edition), or a day (international)",
        source="https://cloud.tencent.com/document/api/1265/51878",
    ),
)


@hookimpl
def reelvet_register(register: Callable[[ProviderSpec], None]) -> None:
    """Registers the Tencent provider."""
    register(SPEC)
