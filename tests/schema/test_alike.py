"""Copies that leave validation out are, in every respect, what the constructor makes of the same values."""

from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from reelvet.schema.media import Channel
from reelvet.schema.result import Finding, Native, Relation

NATIVE = {"field": "result.frames[0]", "label": "nsfw", "score": 0.7, "scale": "0-1", "extra": {}}
FINDING = {
    "label": "sexual.explicit.pornography", "relation": Relation.CLOSE, "channel": Channel.VISUAL, "score": 0.7,
    "start": None, "frame": 1, "provider": "gcore", "task": "t",
}  # fmt: skip


def validated(**values):
    return Finding(**{**FINDING, "native": Native(**NATIVE), **values})


def assert_the_same(made, expected):
    """Equal, of equal fields of equal types, told from each other by no dump, pickle, copy or repr."""
    assert made == expected
    assert type(made) is type(expected)
    assert {name: type(value) for name, value in made} == {name: type(value) for name, value in expected}
    assert list(made.__dict__) == list(expected.__dict__)
    assert made.model_fields_set == expected.model_fields_set
    assert made.model_extra == expected.model_extra
    assert made.__pydantic_private__ == expected.__pydantic_private__
    assert repr(made) == repr(expected)
    assert made.dump_json() == expected.dump_json()
    assert made.model_dump(exclude_unset=True) == expected.model_dump(exclude_unset=True)
    assert pickle.loads(pickle.dumps(made)) == expected  # noqa: S301 - its own dump
    assert copy.deepcopy(made) == expected
    assert type(made).model_validate_json(made.dump_json()) == expected


@given(
    score=st.none() | st.floats(0, 1), start=st.none() | st.floats(0, 1e6), frame=st.none() | st.integers(),
    own=st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.text(st.characters(exclude_categories=["Cs"])),
)  # fmt: skip
def test_a_copy_equals_what_the_constructor_makes(score, start, frame, own):
    native = Native(**NATIVE).alike(field="result.frames[7]", score=own, extra={})
    assert_the_same(native, Native(**{**NATIVE, "field": "result.frames[7]", "score": own}))
    made = validated().alike(score=score, start=start, frame=frame, native=native)
    assert_the_same(made, validated(score=score, start=start, frame=frame, native=native))


def test_a_field_that_was_not_set_before_is_set_in_the_copy_alone():
    first = validated()
    made = first.alike(text="said")
    assert_the_same(made, validated(text="said"))
    assert "text" not in first.model_fields_set


def test_unknown_fields_are_kept_and_are_each_copys_own():
    first = validated(later="field")
    made, other = first.alike(frame=2), first.alike(frame=2)
    assert_the_same(made, validated(later="field", frame=2))
    made.model_extra["mine"] = 1
    assert other.model_extra == first.model_extra == {"later": "field"}


def test_a_copy_is_frozen_and_its_copies_are_independent():
    first = validated()
    made = first.alike(frame=2)
    with pytest.raises(ValidationError, match="frozen"):
        made.frame = 3
    assert made.model_copy(update={"text": "said"}).model_fields_set == {*first.model_fields_set, "text"}
    assert made.model_fields_set == first.model_fields_set
    assert first == validated()
