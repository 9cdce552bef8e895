"""Writes the tables of fields, settings and labels and the tree of errors into the pages, from the code's own words.

Run: `uv run python docs/fields.py`

A table of fields stands below `<!-- fields: module:Class -->`, one of settings with their defaults below
`<!-- settings: module:Class -->`, a provider's label map below `<!-- labels: package -->`, the tree of errors below
`<!-- errors -->`. The tests fail where a page is not what this would write.
"""  # noqa: INP001 - a script, not a package

from __future__ import annotations

import inspect
import json
import re
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic_core import PydanticUndefined

from reelvet.schema import errors
from reelvet.taxonomy import LabelMap, Taxonomy

if TYPE_CHECKING:
    from pydantic import BaseModel

PAGE = Path(__file__).with_name("results.md")
PAGES = (PAGE, *sorted(PAGE.parent.glob("providers/*.md")))
_SETTINGS = re.compile(r"(<!-- settings: ([\w.]+):(\w+) -->\n)(?:\|.*\n)*")
_LABELS = re.compile(r"(<!-- labels: (\w+) -->\n)(?:\|.*\n)*")
_FIELDS = re.compile(r"(<!-- fields: ([\w.]+):(\w+) -->\n)(?:\|.*\n)*")
_ERRORS = re.compile(r"(<!-- errors -->\n)(?: *- .*\n)*")


def render(text: str) -> str:
    """The page with every table and the tree as the code has them."""
    text = _FIELDS.sub(lambda match: match[1] + _table(getattr(import_module(match[2]), match[3])), text)
    text = _SETTINGS.sub(lambda match: match[1] + _settings(getattr(import_module(match[2]), match[3])), text)
    text = _LABELS.sub(lambda match: match[1] + _labels(match[2]), text)
    return _ERRORS.sub(lambda match: match[1] + _tree(errors.ReelvetError), text)


def _table(model: type[BaseModel]) -> str:
    rows = [
        f"| `{field.alias or name}` | {(field.description or '').replace('|', chr(92) + '|')} |\n"
        for name, field in model.model_fields.items()
    ]
    return "".join(["| field | |\n", "|---|---|\n", *rows])


def _settings(model: type[BaseModel]) -> str:
    rows = []
    for name, field in model.model_fields.items():
        default = field.get_default(call_default_factory=True)
        shown = "" if default is PydanticUndefined else f"`{json.dumps(default, default=str)}`"
        rows.append(f"| `{name}` | {shown} | {(field.description or '').replace('|', chr(92) + '|')} |\n")
    return "".join(["| key | default | |\n", "|---|---|---|\n", *rows])


def _labels(package: str) -> str:
    rows = [
        f"| {mapping.field} | `{mapping.native}` | {f'`{mapping.label}`' if mapping.label else '(clean)'} | {mapping.relation.value} | {mapping.channel.value if mapping.channel else 'any'} |\n"
        for mapping in LabelMap.load(package, Taxonomy.default())
    ]
    return "".join(["| where | its word | label | relation | channel |\n", "|---|---|---|---|---|\n", *rows])


def _tree(root: type[errors.ReelvetError], depth: int = 0) -> str:
    says = (inspect.getdoc(root) or "").split("\n\n")[0].replace("\n", " ")
    below = [kind for kind in root.__subclasses__() if kind.__name__ in errors.__all__ and kind.__bases__[0] is root]
    return f"{'  ' * depth}- `{root.__name__}`: {says}\n" + "".join(_tree(kind, depth + 1) for kind in below)


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(render(page.read_text(encoding="utf-8")), encoding="utf-8")
