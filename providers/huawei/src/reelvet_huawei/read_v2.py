"""A result of VCM v2, as it stands in `hosting_result.data` or in a file of a bucket: findings.

The one published example: https://support.huaweicloud.com/en-us/api-vas/vas_03_0148.html
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reelvet.schema import lenient
from reelvet.schema.media import Channel
from reelvet.schema.result import Verdict
from reelvet_huawei import wire
from reelvet_huawei.found import Found, Spot, listed, suggestion, when

if TYPE_CHECKING:
    from reelvet_huawei.words import Words

_OCR = "ocr_"


def is_one(payload: Any) -> bool:
    """Whether a payload is such a result."""
    result = payload.get("result") if isinstance(payload, dict) else None
    return isinstance(result, dict) and ("frames" in result or "voices" in result or "video_path" in payload)


def read(payload: Any, words: Words, *, task: str, pictures: str | None) -> Found:
    """What a result says.

    Args:
        payload: The whole file.
        words: The label map.
        task: The vendor's task id.
        pictures: Where frames that hit were written to, as `obs://bucket/path/`; `None` where they were not.
    """
    found = Found(task)
    result = payload.get("result") if isinstance(payload, dict) else None
    if not isinstance(result, dict):
        found.doubt = "the reply holds no result"
        return found
    for number, item in enumerate(listed(found, result.get("frames"), "frames")):
        _frame(found, words, f"result.frames[{number}]", item, pictures)
    for number, item in enumerate(listed(found, result.get("voices"), "voices")):
        _voice(found, words, f"result.voices[{number}]", item)
    found.strange("result", {name: value for name, value in result.items() if name not in {"frames", "voices"}})
    found.conclude("result.suggestion", result.get("suggestion"))
    return found


def _frame(found: Found, words: Words, place: str, item: Any, pictures: str | None) -> None:
    frame = wire.VcmFrame.model_validate(item if isinstance(item, dict) else {"unreadable": item})
    before = len(found.findings)
    detail = lenient.mapping(frame.detail)
    suspects = wire.words(frame.suspect_categories)
    evidence = f"{pictures}{frame.frame_img_path}" if pictures is not None and frame.frame_img_path else None
    spot = Spot(
        Channel.VISUAL, **when(frame.frame_begin, frame.frame_end), evidence=evidence, says=frame.frame_suggestion
    )
    extra = {"frame_img_path": frame.frame_img_path} if frame.frame_img_path else {}
    found.strange(place, frame.model_extra)
    if frame.detail and not isinstance(frame.detail, dict):
        found.unread(f"{place}.detail", spot)
    if not wire.are_words(frame.suspect_categories):
        found.unread(f"{place}.suspect_categories", spot)
    for category, entries in detail.items():
        here = f"{place}.detail.{category}"
        if category.startswith(_OCR):
            _text(found, words, here, category, entries, spot=spot, extra=extra)
        else:
            _classes(found, words, here, category, entries, spot=spot, extra=extra, suspect=category in suspects)
    told = {finding.native.label for finding in found.findings[before:]}
    for number, category in enumerate(suspects):
        if category not in told:
            channel = Channel.OCR if category.startswith(_OCR) else Channel.VISUAL
            meanings = (
                words.text(category.removeprefix(_OCR), channel)
                if channel is Channel.OCR
                else words.category("v2", category)
            )
            named = f"{place}.suspect_categories[{number}]"
            found.add(named, _at(spot, channel), meanings, label=category, extra=extra)
    if len(found.findings) == before and suggestion(frame.frame_suggestion) is not Verdict.PASS:
        found.unexplained = found.unexplained or f"{place} does not say what was found"
        found.add(place, spot, (), label=frame.frame_suggestion, extra=extra)
    found.hold(f"{place}.frame_suggestion", spot, before)


def _text(
    found: Found, words: Words, place: str, category: str, entries: Any, *, spot: Spot, extra: dict[str, Any]
) -> None:
    meanings = words.text(category.removeprefix(_OCR), Channel.OCR)
    for number, item in enumerate(entries if isinstance(entries, list) else [entries] if entries else []):
        text = lenient.text(item.get("text")) if isinstance(item, dict) else lenient.text(item)
        more = {k: v for k, v in item.items() if k != "text"} if isinstance(item, dict) else {}
        found.add(f"{place}[{number}]", _at(spot, Channel.OCR, text), meanings, label=category, extra=extra | more)


def _classes(
    found: Found,
    words: Words,
    place: str,
    category: str,
    entries: Any,
    *,
    spot: Spot,
    extra: dict[str, Any],
    suspect: bool,
) -> None:
    """The classes of a category, among them that of nothing found: those count that are surer than it is.

    A category that the frame names as suspect counts in any case, by its surest class.
    """
    items = found.entries(place, spot, entries)
    clean = [lenient.number(e.get("confidence")) for _, e in items if words.is_clean(category, _word(e))]
    bar = max((score for score in clean if score is not None), default=None)
    harms = [(n, e) for n, e in items if not words.is_clean(category, _word(e))]
    chosen = [
        (n, e) for n, e in harms if bar is None or (score := lenient.number(e.get("confidence"))) is None or score > bar
    ]
    if suspect and not chosen and harms:
        chosen = [max(harms, key=lambda one: lenient.number(one[1].get("confidence")) or 0.0)]
    for number, entry in chosen:
        label = _word(entry)
        parents = words.category("v2", category)
        meanings = words.inner(category, label) or parents
        if meanings is parents and parents and label not in {None, category}:
            found.note("unrefined_label", f"{place}: {label!r} is in no map, so it counts as {category!r}")
        more = {k: v for k, v in entry.items() if k not in {"confidence", "label"}}
        found.refine(category, parents, meanings, spot)
        found.add(
            f"{place}[{number}]", spot, meanings, label=category, sub_label=label,
            confidence=entry.get("confidence"), extra=extra | more,
        )  # fmt: skip


def _voice(found: Found, words: Words, place: str, item: Any) -> None:
    voice = wire.VcmVoice.model_validate(item if isinstance(item, dict) else {"unreadable": item})
    times = when(voice.voice_begin, voice.voice_end)
    spot = Spot(Channel.SPEECH, **times, text=voice.content, says=voice.voice_suggestion)
    before = len(found.findings)
    detail = lenient.mapping(voice.detail)
    harmless = suggestion(voice.voice_suggestion) is Verdict.PASS
    found.strange(place, voice.model_extra)
    if voice.detail and not isinstance(voice.detail, dict):
        found.unread(f"{place}.detail", spot)
    hit = {category: wire.words(said) for category, said in detail.items()}
    odd = {category for category, said in detail.items() if not wire.are_words(said)}
    for category in odd:
        found.cast_doubt(f"{place}.detail.{category} lists what are no words")
    # A category without words: of a stretch that hit nothing else it is what hit, of others it may stand for nothing.
    named = {category: said for category, said in hit.items() if said or category in odd} or ({} if harmless else hit)
    for category, said in named.items():
        meanings = words.text(category, Channel.SPEECH)
        found.add(f"{place}.detail.{category}", spot, meanings, label=category, matches=said)
    if not named and not harmless:
        found.unexplained = found.unexplained or f"{place} does not say what was found"
        found.add(place, spot, (), label=voice.voice_suggestion)
    found.hold(f"{place}.voice_suggestion", spot, before)


def _word(entry: dict[str, Any]) -> str | None:
    return lenient.text(entry.get("label"))


def _at(spot: Spot, channel: Channel, text: str | None = None) -> Spot:
    return replace(spot, channel=channel, text=text)
