"""What docs/sandbox.md lists of Tencent's emulator is what it has."""

import json
import re
from pathlib import Path

from reelvet_tencent.sandbox import TencentSandbox

PAGE = Path(__file__).parents[4] / "docs" / "sandbox.md"


def rows(heading):
    """The first table below a heading: first cell -> second."""
    part = re.split(rf"^#+ {heading}$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1]
    table = re.search(r"(?:^\|.*\n)+", part, re.MULTILINE)[0].splitlines()[2:]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table]
    return {first.strip("`"): second for first, second, *_ in cells}


def test_every_field_of_the_setup_is_listed_with_its_default():
    fields = TencentSandbox.setup_model.model_fields
    listed = rows("Setup of Tencent")
    assert set(listed) == set(fields)
    plain = {name: f"`{json.dumps(field.default)}`" for name, field in fields.items() if name != "biz_types"}
    assert {name: listed[name] for name in plain} == plain


def test_every_operation_is_listed():
    assert set(rows("The emulator of Tencent")) == {route.operation for route in TencentSandbox.routes}
