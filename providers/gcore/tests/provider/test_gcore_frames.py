"""Thousands of frames are read from a few patterns: each finding is what the constructor makes of the same values."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AliasChoices, Field

from reelvet.schema.lenient import Lenient, number, text, whole
from reelvet.schema.media import Channel
from reelvet.schema.result import Finding, Native
from reelvet_gcore import wire
from reelvet_gcore.frames import Clock

WORDS = ("FEMALE_BREAST_EXPOSED", "BUTTOCKS_EXPOSED", "a word of tomorrow", "", None, 5)
VALUES = (0, 1, 0.5, 0.31, "0.7", "x", "", None, True, 1.5, -1, -0.0, 10**30, "4", 2.0, 2.5, [1], {"a": 1})

odd = st.sampled_from(VALUES)
frames = st.one_of(
    st.fixed_dictionaries(
        {"frame_number": st.integers(0, 5) | odd, "label": st.sampled_from(WORDS), "confidence": st.floats(0, 1) | odd},
        optional={"box": st.just([1, 2]), "class": st.sampled_from(WORDS)},
    ),
    st.fixed_dictionaries(
        {},
        optional={
            "class": st.sampled_from(WORDS), "label": st.sampled_from(WORDS), "score": odd, "confidence": odd,
            "frame-number": odd, "frame-no": odd, "frame_number": odd, "url": st.just("https://h/a?sig=1"),
        },
    ),
    st.sampled_from([None, 5, "text", [1]]),
)  # fmt: skip


def read(moderator, items):
    reply = {
        "task_id": "t", "status": "SUCCESS", "task_data": {"category": "hard_nudity"},
        "result": {"nudity_detected": True, "detection_results": [], "frames": items},
    }  # fmt: skip
    return [f for f in moderator.normalize(reply).findings if f.native.field.startswith("result.frames")]


def validated(finding, place, frame):
    """What the constructors make of one frame."""
    score = number(frame.confidence)
    return Finding(
        label=finding.label, relation=finding.relation, channel=Channel.VISUAL, score=score, start=None,
        frame=whole(frame.frame_number), provider="gcore", task="t",
        native=Native(field=place, label=text(frame.label), score=frame.confidence, scale="0-1", extra=frame.extra),
    )  # fmt: skip


@given(items=st.lists(frames, min_size=1, max_size=8))
def test_each_finding_equals_the_validated_one(moderator, items):
    found = read(moderator, items)
    assert len(found) == len(items)
    for index, (finding, item) in enumerate(zip(found, items, strict=True)):
        expected = validated(finding, f"result.frames[{index}]", wire.Frame.of(item))
        for made, model in ((finding, expected), (finding.native, expected.native)):
            assert made == model
            assert {name: type(value) for name, value in made} == {name: type(value) for name, value in model}
            assert made.model_fields_set == model.model_fields_set
            assert made.model_extra == model.model_extra
        assert json.loads(finding.dump_json()) == json.loads(expected.dump_json())


def test_what_frames_hold_besides_is_each_ones_own(moderator):
    item = {"frame_number": 1, "label": WORDS[0], "confidence": 0.9}
    first, second, third = read(moderator, [item, item, {**item, "box": [1, 2]}])
    first.native.extra["mine"] = 1
    assert (second.native.extra, third.native.extra) == ({}, {"box": [1, 2]})


class Reference(Lenient):
    """A frame as pydantic reads it: the first of several spellings counts, and the others are kept."""

    label: object = Field(None, validation_alias=AliasChoices("label", "class"))
    confidence: object = Field(None, validation_alias=AliasChoices("confidence", "score"))
    frame_number: object = Field(None, validation_alias=AliasChoices("frame_number", "frame-number", "frame-no"))


@given(item=frames.filter(lambda item: isinstance(item, dict)))
def test_a_frame_is_read_as_pydantic_would(item):
    before = json.dumps(item)
    frame, reference = wire.Frame.of(item), Reference.model_validate(item)
    assert frame[:3] == (reference.label, reference.confidence, reference.frame_number)
    assert frame.extra == reference.model_extra
    assert json.dumps(item) == before, "the raw reply is left as it is"


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf])
def test_no_number_that_is_none_becomes_a_score(moderator, score):
    (finding,) = read(moderator, [{"frame_number": 1, "label": WORDS[0], "confidence": score}])
    assert finding.score is None


def test_starts_are_numbers_however_a_stored_plan_has_them():
    clock = Clock.of("hard_nudity", {"key_frame_times": [0, 2, "4.5"]})
    assert [clock.start(n) for n in range(4)] == [0.0, 2.0, 4.5, None]
    assert all(type(clock.start(n)) is float for n in range(3))


def test_many_unknown_words_are_told_once_each(moderator):
    items = [{"frame_number": n, "label": f"word {n % 3}", "confidence": 0.9} for n in range(9)]
    reply = {
        "task_id": "t", "status": "SUCCESS", "task_data": {"category": "hard_nudity"},
        "result": {"nudity_detected": True, "detection_results": [], "frames": items},
    }  # fmt: skip
    told = [note.says for note in moderator.normalize(reply).warnings if note.code == "unmapped"]
    assert [says.partition(":")[0] for says in told] == [f"result.frames[{n}]" for n in range(3)]
