"""Reading what vendors send: whatever stands where, nothing crashes, and what can be read is."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelvet.schema import lenient
from reelvet.schema.task import RawTask, TaskRef

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("value", "read"),
    [(7, 7), ("7", 7), (7.0, 7), ("7.0", 7), (7.5, None), (True, None), (None, None), ("x", None), ([7], None), (2**63, None), (-(2**63), -(2**63)),
     (9007199254740993, 9007199254740993), (10**400, None), ("9" * 400, None), (1e300, None), (math.inf, None), (math.nan, None)],
)  # fmt: skip
def test_whole_numbers(value, read):
    assert lenient.whole(value) == read


@pytest.mark.parametrize(
    ("value", "read"),
    [(True, True), (False, False), (1, True), (0, False), ("true", True), (" False ", False), ("1", True), ("0", False), (2, None), (1.0, None),
     ("yes", None), (None, None), ([], None), ({}, None)],
)  # fmt: skip
def test_flags(value, read):
    assert lenient.flag(value) is read


@given(value=JSON)
def test_nothing_that_json_can_hold_crashes(value):
    for read in (
        lenient.text,
        lenient.number,
        lenient.whole,
        lenient.flag,
        lenient.moment,
        lenient.mapping,
        lenient.items,
    ):
        read(value)
    assert lenient.is_too_deep(value) is False
    assert lenient.storable(value) is value or json.dumps(lenient.storable(value))


def test_depth_is_counted_and_not_recursed_into():
    deep = []
    for _ in range(5000):
        deep = [deep]
    assert lenient.is_too_deep(deep)
    assert lenient.is_too_deep({"a": deep})
    assert not lenient.is_too_deep([[[{"a": []}]]] * 1000)
    assert not lenient.is_too_deep("text")


def test_halves_of_surrogate_pairs_are_written_as_their_escapes():
    value = json.loads('{"text": "cut \\ud83d", "\\udc00": ["\\ud83d\\ude00", 1, {"deep": "\\ud800x"}]}')
    kept = lenient.storable(value)
    assert kept == {"text": "cut \\ud83d", "\\udc00": ["\U0001f600", 1, {"deep": "\\ud800x"}]}
    RawTask(ref=TaskRef(id="t"), status="succeeded", payload=kept).dump_json()
    whole = {"a": ["\U0001f600"]}
    assert lenient.storable(whole) is whole
