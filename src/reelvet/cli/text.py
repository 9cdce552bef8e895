"""Text that others made, shown to a person; and numbers as a person reads them.

A vendor's words, a file's name, a plugin's error: none of them may move the cursor, ring, recolour, or turn the
reading direction of the terminal they are printed on.
"""

from __future__ import annotations

import re

# C0 and C1 controls, line and paragraph separators, direction overrides, the byte order mark, lone surrogates.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_WHITE = {"\n": " ", "\r": " ", "\t": " "}
_MINUTE = 60


def clean(text: object, most: int | None = None) -> str:
    r"""The text on one line, what could act on a terminal shown as its code (`\x1b`), cut to `most` characters."""
    shown = _UNSAFE.sub(lambda match: _WHITE.get(match[0]) or _code(match[0]), str(text))
    return shown if most is None or len(shown) <= most else shown[: max(most - 3, 0)] + "..."


def clean_lines(text: str) -> str:
    """As `clean`, line breaks kept."""
    return "\n".join(clean(line) for line in text.splitlines())


def safe_json(text: str) -> str:
    """JSON text without characters that act on a terminal; the same JSON."""
    return re.sub(
        "[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]",
        lambda match: f"\\u{ord(match[0]):04x}",
        text,
    )


def clock(seconds: float | None) -> str:
    """`mm:ss.s`, with hours where there are some; `--:--` where the time is not known."""
    if seconds is None:
        return "--:--"
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, _MINUTE * 10)
    hours, minutes = divmod(minutes, _MINUTE)
    head = f"{hours}:" if hours else ""
    return f"{head}{minutes:02}:{rest / 10:04.1f}"


def count(number: int, one: str, many: str | None = None) -> str:
    """`1 finding`, `2 findings`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def _code(character: str) -> str:
    point = ord(character)
    return f"\\x{point:02x}" if point < 0x100 else f"\\u{point:04x}"  # noqa: PLR2004
