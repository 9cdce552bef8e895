"""Writes the tables of fields and the tree of errors into docs/results.md, from the code's own descriptions.

Run: `uv run python docs/fields.py`

A table stands below `<!-- fields: module:Class -->`, the tree below `<!-- errors -->`. The tests fail where the page is
not what this would write.
"""  # noqa: INP001 - a script, not a package

from __future__ import annotations

import inspect
import re
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from reelvet.schema import errors

if TYPE_CHECKING:
    from pydantic import BaseModel

PAGE = Path(__file__).with_name("results.md")
_FIELDS = re.compile(r"(<!-- fields: ([\w.]+):(\w+) -->\n)(?:\|.*\n)*")
_ERRORS = re.compile(r"(<!-- errors -->\n)(?: *- .*\n)*")


def render(text: str) -> str:
    """The page with every table and the tree as the code has them."""
    text = _FIELDS.sub(lambda match: match[1] + _table(getattr(import_module(match[2]), match[3])), text)
    return _ERRORS.sub(lambda match: match[1] + _tree(errors.ReelvetError), text)


def _table(model: type[BaseModel]) -> str:
    rows = [
        f"| `{field.alias or name}` | {(field.description or '').replace('|', chr(92) + '|')} |\n"
        for name, field in model.model_fields.items()
    ]
    return "".join(["| field | |\n", "|---|---|\n", *rows])


def _tree(root: type[errors.ReelvetError], depth: int = 0) -> str:
    says = (inspect.getdoc(root) or "").split("\n\n")[0].replace("\n", " ")
    below = [kind for kind in root.__subclasses__() if kind.__name__ in errors.__all__ and kind.__bases__[0] is root]
    return f"{'  ' * depth}- `{root.__name__}`: {says}\n" + "".join(_tree(kind, depth + 1) for kind in below)


if __name__ == "__main__":
    PAGE.write_text(render(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
