"""The card of the Huawei provider. Light: neither HTTP nor SDK, and the label map is read when somebody asks what it can see."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Literal

from reelvet.plugins import Capabilities, Capability, DataHandling, ProviderSpec, hookimpl
from reelvet.schema.media import Channel
from reelvet.schema.result import Relation
from reelvet.taxonomy import LabelMap, Taxonomy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from reelvet.taxonomy import Mapping

Api = Literal["v2", "v3"]

CATEGORIES = ("porn", "terrorism", "politics")
"""Of v2: https://support.huaweicloud.com/en-us/api-vas/vas_03_0146.html"""
TEXT_CATEGORIES = ("politics", "porn", "ad", "abuse", "contraband", "flood")
"""Of v2, for text in the picture and for speech alike; the same page."""
IMAGE_CATEGORIES = ("porn", "terrorism", "politics")
"""Of v3, besides `image_text`: https://support.huaweicloud.com/api-moderation/moderation_03_0071.html"""
IMAGE_TEXT = "image_text"
AUDIO_CATEGORIES = ("porn", "ad", "politics", "moan", "abuse")
"""Of v3; the same page."""

V2_CATEGORY = "VCM categories"
V2_TEXT = "VCM text_categories"
V3_IMAGE = "Moderation v3 image category"
V3_TEXT = "Moderation v3 text label"
V3_AUDIO = "Moderation v3 audio segment label"

LANGUAGES = ("zh", "cmn")
"""What is read and heard: v3 knows `zh` only (moderation_03_0071), and the product says Chinese content
(https://support.huaweicloud.com/productdesc-moderation/moderation_01_0004.html). No page of v2 names a language."""

_SPOKEN_OR_WRITTEN = frozenset({Channel.OCR, Channel.SPEECH})
_WISHES = frozenset({"interval", "language"})


@cache
def capabilities_of(api: Api, *, declared: bool = False) -> Capabilities:
    """What one of the two APIs can see and do at most.

    Args:
        api: Which.
        declared: For v3, whether a policy of the console's decides: it can turn on labels that no category stands for.
    """
    labels = LabelMap.load("reelvet_huawei", Taxonomy.default())
    common = {"schemes": frozenset({"http", "https", "obs"}), "price_class": "paid"}
    if api == "v2":
        return Capabilities(
            entries=tuple(_entries(labels, {V2_CATEGORY: CATEGORIES, V2_TEXT: TEXT_CATEGORIES})),
            wishes=_WISHES,
            operations=frozenset({"cancel", "find", "sweep", "delete"}),
            key_fits="as the task's name where it fits, else a digest",
            **common,  # type: ignore[arg-type]
        )
    wanted: dict[str, tuple[str, ...] | None] = {
        V3_IMAGE: (*IMAGE_CATEGORIES, IMAGE_TEXT),
        V3_TEXT: None,
        V3_AUDIO: None if declared else AUDIO_CATEGORIES,
    }
    return Capabilities(
        entries=tuple(_entries(labels, wanted, declared=declared)),
        wishes=_WISHES | {"callback"},
        operations=frozenset({"callback"}),
        key_fits="in the callback's URL, where that has {key}",
        **common,  # type: ignore[arg-type]
    )


def _entries(
    labels: Iterable[Mapping], wanted: dict[str, tuple[str, ...] | None], *, declared: bool = False
) -> Iterator[Capability]:
    for mapping in labels:
        words = wanted.get(mapping.field, ())
        if mapping.label is None or mapping.channel is None or (words is not None and mapping.native not in words):
            continue
        # Which of these words `image_text` looks for is not published: they are hits, and their silence says nothing.
        open_list = mapping.field == V3_TEXT and not declared
        yield Capability(
            mapping.label,
            channels=(mapping.channel,),
            relation=Relation.NARROW if open_list else mapping.relation,
            languages=LANGUAGES if mapping.channel in _SPOKEN_OR_WRITTEN else None,
            switch=IMAGE_TEXT if mapping.field == V3_TEXT else mapping.native,
        )


@cache
def capabilities() -> Capabilities:
    """What any instance can see and do at most: both APIs, and any policy."""
    v2, v3 = capabilities_of("v2"), capabilities_of("v3", declared=True)
    return Capabilities(
        entries=(*v3.entries, *v2.entries),
        schemes=v3.schemes,
        wishes=v3.wishes | v2.wishes,
        operations=v3.operations | v2.operations,
        key_fits="v2: as the task's name where it fits, else a digest; v3: in the callback's URL, where that has {key}",
        price_class="paid",
    )


SPEC = ProviderSpec(
    id="huawei",
    title="Huawei Cloud Content Moderation and VCM",
    provider="reelvet_huawei.provider:HuaweiProvider",
    settings="reelvet_huawei.settings:HuaweiSettings",
    options="reelvet_huawei.settings:HuaweiOptions",
    sandbox="reelvet_huawei.sandbox:HuaweiSandbox",
    capabilities=capabilities,
    data_handling=DataHandling(
        place="asked in the region that is configured; no page says more",
        retention="v2: a hosted result for 48 hours; of media and of results of v3 nothing is documented",
        source="https://support.huaweicloud.com/en-us/api-vas/vas_03_0148.html",
    ),
)


@hookimpl
def reelvet_register(register: Callable[[ProviderSpec], None]) -> None:
    """Registers the Huawei provider."""
    register(SPEC)
