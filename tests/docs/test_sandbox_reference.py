"""What docs/sandbox.md lists is what the sandbox has."""

import json
import re

import pytest
from pydantic_core import PydanticUndefined

from reelvet.sandbox import FAULTS, Event, Fault, Scenario, Speech
from reelvet.sandbox.builtin import built_in
from reelvet.sandbox.control import control_app
from reelvet_gcore.sandbox import GcoreSandbox


@pytest.fixture
def rows(root):
    """The first table below a heading: first cell -> the other cells."""
    text = (root / "docs" / "sandbox.md").read_text(encoding="utf-8")

    def find(heading):
        part = re.split(rf"^#+ {re.escape(heading)}$", text, flags=re.MULTILINE)[1]
        table = re.search(r"(?:^\|.*\n)+", part, re.MULTILINE)[0].splitlines()[2:]
        cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table]
        return {first: rest for first, *rest in cells}

    return find


def test_every_scenario_is_listed(rows):
    assert rows("What is in a video") == {f"`{scenario.name}`": [scenario.says] for scenario in built_in()}


@pytest.mark.parametrize(("heading", "model"), [("Scenario", Scenario), ("Event", Event), ("Speech", Speech), ("Setup", GcoreSandbox.setup_model)])  # fmt: skip
def test_every_field_is_listed_with_its_default(rows, heading, model):
    def default(field):
        value = field.get_default(call_default_factory=True)
        return "" if value is PydanticUndefined else f"`{json.dumps(value)}`"

    listed = {name: cells[0] for name, cells in rows(heading).items()}
    assert listed == {f"`{name}`": default(field) for name, field in model.model_fields.items()}


def test_every_fault_is_listed_with_its_parameters(rows):
    listed = {kind: cells[0] for kind, cells in rows("What goes wrong on demand").items()}
    own = {kind: [name for name in model.model_fields if name not in Fault.model_fields] for kind, model in FAULTS.items()}  # fmt: skip
    assert listed == {f"`{kind}`": ", ".join(f"`{name}`" for name in names) for kind, names in own.items()}


def test_every_operation_of_gcore_is_listed(rows):
    listed = {name: cells[0].removesuffix(", of 2024") for name, cells in rows("The emulator of Gcore").items()}
    assert listed == {f"`{route.operation}`": f"{route.method} {route.path}" for route in GcoreSandbox.routes}


def test_every_order_of_the_control_is_listed(rows):
    listed = {order for cell in rows("The control port") for order in re.findall(r"`([^`]+)`", cell)}
    served = {
        f"{method} {route.path.replace('{id:int}', 'ID')}"
        for route in control_app(None).routes
        for method in route.methods - {"HEAD"}
    }
    assert listed == served
