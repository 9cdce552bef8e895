"""The fewest of the vendor's categories and switches that look for what is wanted. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reelvet.schema.media import Channel
from reelvet_huawei.plugin import (
    AUDIO_CATEGORIES,
    CATEGORIES,
    IMAGE_CATEGORIES,
    IMAGE_TEXT,
    TEXT_CATEGORIES,
    V2_CATEGORY,
    V2_TEXT,
    V3_AUDIO,
    V3_IMAGE,
    V3_TEXT,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reelvet.taxonomy import LabelMap
    from reelvet_huawei.plugin import Api
    from reelvet_huawei.settings import HuaweiOptions

FILLER = "porn"
"""What is looked for where the vendor wants a category of pictures and nothing is asked of them."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a task is told to look for."""

    images: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    sounds: tuple[str, ...] = ()
    ocr: bool = False
    speech: bool = False
    filler: str | None = None
    """A category that is there for the vendor's sake alone."""
    looks_for: Mapping[Channel, list[str]] = field(default_factory=dict)


def choose(
    api: Api, wanted: Mapping[Channel, Sequence[str]], labels: LabelMap, options: HuaweiOptions
) -> Choice | None:
    """The choice for what is wanted; `None` where that is nothing and no option names anything.

    Args:
        api: Which API.
        wanted: Channel -> labels to be looked for.
        labels: Huawei's words.
        options: The job's, which overrule what would be chosen.
    """
    choice = _v2(wanted, labels, options) if api == "v2" else _v3(wanted, labels, options)
    named = (options.categories, options.text_categories, options.image_categories, options.audio_categories)
    return choice if any(wanted.values()) or any(named) else None


def _v2(wanted: Mapping[Channel, Sequence[str]], labels: LabelMap, options: HuaweiOptions) -> Choice:
    images = options.categories or _chosen(labels, V2_CATEGORY, CATEGORIES, wanted)
    filler = None if images else FILLER
    ocr = options.use_ocr if options.use_ocr is not None else bool(wanted.get(Channel.OCR))
    speech = options.use_sis if options.use_sis is not None else bool(wanted.get(Channel.SPEECH))
    heard = {channel: wanted.get(channel, ()) for channel, on in ((Channel.OCR, ocr), (Channel.SPEECH, speech)) if on}
    texts = options.text_categories or _chosen(labels, V2_TEXT, TEXT_CATEGORIES, heard)
    if not texts and (ocr or speech):
        texts = TEXT_CATEGORIES  # a switch that an option turned on, with nothing asked of it
    images = images or (FILLER,)
    looks_for: dict[Channel, list[str]] = {Channel.VISUAL: _labels(labels, V2_CATEGORY, images, Channel.VISUAL)}
    for channel in heard:
        looks_for[channel] = _labels(labels, V2_TEXT, texts, channel)
    return Choice(images, texts if heard else (), (), ocr, speech, filler, looks_for)


def _v3(wanted: Mapping[Channel, Sequence[str]], labels: LabelMap, options: HuaweiOptions) -> Choice:
    images: tuple[str, ...] = options.image_categories or ()
    if not images:
        images = _chosen(labels, V3_IMAGE, IMAGE_CATEGORIES, {Channel.VISUAL: wanted.get(Channel.VISUAL, ())})
        images += (IMAGE_TEXT,) if wanted.get(Channel.OCR) else ()
    filler = None if images else FILLER
    images = images or (FILLER,)
    sounds: tuple[str, ...] = options.audio_categories or ()
    if options.audio_categories is None:
        sounds = _chosen(labels, V3_AUDIO, AUDIO_CATEGORIES, wanted)
    looks_for = {
        Channel.VISUAL: _labels(labels, V3_IMAGE, images, Channel.VISUAL),
        Channel.OCR: _labels(labels, V3_IMAGE, images, Channel.OCR),
        Channel.SPEECH: _labels(labels, V3_AUDIO, sounds, Channel.SPEECH),
        Channel.SOUND: _labels(labels, V3_AUDIO, sounds, Channel.SOUND),
    }
    if IMAGE_TEXT in images:
        looks_for[Channel.OCR] += _labels(labels, V3_TEXT, None, Channel.OCR)
    return Choice(images, (), sounds, filler=filler, looks_for={c: found for c, found in looks_for.items() if found})


def _chosen(
    labels: LabelMap, field_: str, words: Iterable[str], wanted: Mapping[Channel, Sequence[str]]
) -> tuple[str, ...]:
    """The words that look for any of what is wanted, in the vendor's order."""
    needed = {
        mapping.native
        for mapping in labels
        if mapping.field == field_ and mapping.channel is not None and mapping.label in wanted.get(mapping.channel, ())
    }
    return tuple(word for word in words if word in needed)


def _labels(labels: LabelMap, field_: str, words: Iterable[str] | None, channel: Channel) -> list[str]:
    known = None if words is None else set(words)
    return [
        mapping.label
        for mapping in labels
        if mapping.field == field_ and mapping.channel is channel and mapping.label is not None
        if known is None or mapping.native in known
    ]
