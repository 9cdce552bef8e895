"""BCP 47 tags and ISO 639 codes of any form <-> the codes of Gcore: ISO 639-2, bibliographic (`ger`, not `deu`).

https://gcore.com/docs/api-reference/streaming/ai/create-ai-task
"""

from __future__ import annotations

from functools import lru_cache

_LETTERS = 3
# What the vendor's list has under another code: Norwegian as a whole, and Filipino as Tagalog, which it standardizes.
_LISTED_AS = {"nob": "nor", "fil": "tgl"}


@lru_cache(maxsize=512)
def to_vendor(tag: str) -> str | None:
    """The vendor's code of a language; `None` for what is no language."""
    import langcodes  # noqa: PLC0415  (a twentieth of a second, and only transcripts need it)

    try:
        code: str = langcodes.Language.get(tag).prefer_macrolanguage().to_alpha3(variant="B")
    except (LookupError, ValueError):
        return None
    return _LISTED_AS.get(code, code) if len(code) == _LETTERS and code.isalpha() else None


@lru_cache(maxsize=512)
def to_bcp47(code: str) -> str:
    """The BCP 47 tag of a vendor's code, bibliographic or terminological; a code nobody knows stays as it is."""
    import langcodes  # noqa: PLC0415  (see above)

    try:
        return langcodes.standardize_tag(code)
    except ValueError:
        return code
