"""What docs/sandbox.md lists of this emulator is what it has."""

import json
import re

import pytest

from reelvet_huawei.sandbox import HuaweiSandbox, obs


@pytest.fixture
def rows(pytestconfig):
    """The first table below a heading: first cell -> the second."""
    text = (pytestconfig.rootpath / "docs" / "sandbox.md").read_text(encoding="utf-8")

    def find(heading):
        part = re.split(rf"^#+ {re.escape(heading)}$", text, flags=re.MULTILINE)[1]
        table = re.search(r"(?:^\|.*\n)+", part, re.MULTILINE)[0].splitlines()[2:]
        cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table]
        return {first: second for first, second, *_ in cells}

    return find


def test_every_operation_is_listed(rows):
    listed = {route.operation: f"{route.method} {route.path}" for route in HuaweiSandbox.routes} | obs.OPERATIONS
    assert rows("The emulator of Huawei") == {f"`{operation}`": where for operation, where in listed.items()}


def test_every_field_of_the_setup_is_listed_with_its_default(rows):
    usual = HuaweiSandbox.setup_model().model_dump(mode="json")
    assert rows("Setup of Huawei") == {f"`{name}`": f"`{json.dumps(value)}`" for name, value in usual.items()}
