"""What can be transcribed and translated, and into what."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources

ENGLISH = "eng"


@dataclass(frozen=True, slots=True)
class Language:
    """One language and its codes."""

    terminological: str
    """ISO 639-2/T, as the lists in the description of `info` print it: `deu`."""
    bibliographic: str
    """ISO 639-2/B, as requests are documented: `ger`."""
    tag: str
    """BCP 47."""
    any_to_any: bool
    """Whether it can be translated from and into others than English."""


@cache
def _table() -> tuple[Language, ...]:
    text = resources.files("reelvet_gcore.sandbox").joinpath("languages.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return tuple(Language(r["terminological"], r["bibliographic"], r["tag"], r["any"] == "yes") for r in rows)


@cache
def _by_code() -> dict[str, Language]:
    return {code: language for language in _table() for code in (language.terminological, language.bibliographic)}


@cache
def _by_tag() -> dict[str, Language]:
    return {language.tag: language for language in _table()}


def of_code(code: str) -> Language | None:
    """The language of a three-letter code. Both families are taken: which one the API wants is not settled."""
    return _by_code().get(code)


def of_tag(tag: str) -> Language | None:
    """The language of a BCP 47 tag, by its first part."""
    return _by_tag().get(tag.partition("-")[0].lower())


def supported(audio: Language | None, subtitles: Language | None) -> bool:
    """Whether a language can be transcribed, and translated into another.

    Args:
        audio: What is spoken; `None`: a language that is not listed.
        subtitles: What it is to be written in.
    """
    if audio is None or subtitles is None:
        return False
    if subtitles is audio or subtitles.terminological == ENGLISH:
        return True
    return audio.any_to_any and subtitles.any_to_any
