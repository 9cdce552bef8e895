"""Parts that are read as they stand are what the models of them would be, and findings made by copying what validated ones are."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelvet.plugins import ProviderContext
from reelvet.schema import lenient
from reelvet.schema.result import Finding
from reelvet.taxonomy import Taxonomy
from reelvet_tencent import doubt, parts
from reelvet_tencent.parts import flag, texts
from reelvet_tencent.provider import TencentProvider
from reelvet_tencent.settings import TencentSettings
from reelvet_tencent.shape import Shape
from reelvet_tencent.times import expires
from reelvet_tencent.wire import DescribeTaskDetailResponse, TaskLabel

REPLIES = Path(__file__).parents[1] / "samples" / "replies"
SAMPLES = [
    reply.get("Response", reply)
    for path in sorted(REPLIES.glob("*.json"))
    if "TaskId" in (reply := json.loads(path.read_text(encoding="utf-8"))).get("Response", reply)
]
COVERS = {"reels_1": {"covers": [{"labels": ["*"], "channels": ["visual", "ocr", "speech", "sound"]}]}}
BLOCK = {"Label": "Porn", "Suggestion": "Block", "Score": 90}
STRANGE = (
    None, "", "0", "1", 0, 1, 2, -1, 0.0, 1.5, True, False, [], {}, [{}], "x", ["x"], ["x", None, 3], {"a": 1}, [1], "Block", "Review", "Pass",
    "Normal", "Porn", "Sexy", [BLOCK], BLOCK, [[BLOCK]], 99, "1700000000", "15000", "12.5", "2026-11-01T10:00:00Z", "不 Block", "\U0001f600",
    "https://x.example/a?q-sign-time=1;1700000000&q-signature=x#y", "https://x.example/a?X-Amz-Date=20261101T100010Z&X-Amz-Expires=100",
)  # fmt: skip
"""What may stand anywhere: the usual of other places, and what nobody sends."""


def provider():
    context = ProviderContext("tencent", Taxonomy.default())
    return TencentProvider(TencentSettings(secret_id="i", secret_key="k", region="ap-guangzhou", biz_types=COVERS), context)  # fmt: skip


def spots(value):
    for key, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield value, key
        if isinstance(inner, dict | list):
            yield from spots(inner)


def mutated(seed):
    """A reply of the samples with some of its fields changed, gone, new, or spelled as ours."""
    chance = random.Random(seed)  # noqa: S311
    reply = copy.deepcopy(chance.choice(SAMPLES))
    for _ in range(chance.choice((0, 1, 1, 2, 3, 6))):
        where, key = chance.choice(list(spots(reply)))
        strange, how = copy.deepcopy(chance.choice(STRANGE)), chance.random()
        if how < 0.6 or isinstance(where, list):
            where[key] = strange
        elif how < 0.75:
            del where[key]
        elif how < 0.85:
            where["".join(f"_{one.lower()}" if one.isupper() else one for one in key).lstrip("_")] = where.pop(key)
        else:
            where[f"New{key}"] = strange
    return {"Status": "FINISH", **reply, "TaskId": "t"}


def assert_as(told, model):
    """A part as read is what its model is, field by field; what one has of unknown fields the other has too."""
    shown = type(model)
    for name, field in shown.model_fields.items():
        value, expected = told.get(str(field.alias)), getattr(model, name)
        assert (str(field.alias) in told) == (name in model.model_fields_set)
        if isinstance(expected, parts.Part):
            assert_as(value or {}, expected)
        elif read_by(field) is parts.as_parts:
            for one, other in zip(value or (), expected, strict=True):
                assert_as(one, other)
        else:
            assert_value(value, expected, read_by(field))
    known = {str(field.alias) for field in shown.model_fields.values()}
    assert {name: value for name, value in told.items() if name not in known} == (model.model_extra or {})


def read_by(field):
    return field.metadata[0].func if field.metadata else None


def assert_value(value, expected, read):
    if read in {lenient.text, None}:
        assert value == expected
        assert type(value) is type(expected)
    elif read is flag:
        assert (None if value is None else value != 0) is expected
    elif read is texts:
        assert texts(value or ()) == expected
    else:
        assert read(value) == expected


@settings(max_examples=400, deadline=None)
@given(st.integers(0, 2**32))
def test_a_part_as_read_is_what_its_model_is(seed):
    reply = mutated(seed)
    before = copy.deepcopy(reply)
    told = Shape.of(DescribeTaskDetailResponse).told(reply)
    assert_as(told, DescribeTaskDetailResponse.model_validate(reply))
    assert reply == before, "what the vendor said stays as it is"
    if told is reply:  # so nobody looks for what cannot be read
        assert not list(doubt.unreadable(reply, copy.deepcopy(reply), DescribeTaskDetailResponse, ""))


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32))
def test_findings_are_what_validation_would_make_of_them(seed):
    reading = provider()
    for finding in reading.read(None, [reading.recognize(mutated(seed))]).findings:
        validated = Finding.model_validate_json(finding.dump_json(signed_urls=True))
        assert validated == finding
        assert {name: type(value) for name, value in validated} == {name: type(value) for name, value in finding}
        assert {*map(type, validated.matches)} == {*map(type, finding.matches)}
        assert finding.box is None or all(type(value) is type(getattr(validated.box, name)) for name, value in finding.box)  # fmt: skip


def test_findings_share_nothing_that_can_be_changed_with_the_reply():
    def nests(value):
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return {id(value)} | {one for item in inner if isinstance(item, dict | list) for one in nests(item)}

    reading = provider()
    for reply in SAMPLES:
        theirs = nests(reply)
        for finding in reading.read(None, [reading.recognize(reply)]).findings:
            assert not theirs & nests(finding.native.extra)


def test_a_half_of_a_surrogate_pair_is_kept_as_its_escape():
    segment = {
        "OffsetTime": "1",
        "Result": {**BLOCK, "Results": [{**BLOCK, "Text": "bad \ud83d", "Names": ["\ud83d"]}]},
    }
    reading = provider()
    reply = {"TaskId": "t", "Status": "FINISH", "Suggestion": "Block", "ImageSegments": [segment]}
    (finding,) = reading.read(None, [reading.recognize(reply)]).findings
    assert (finding.text, finding.matches) == ("bad \\ud83d", ("\\ud83d",))
    assert finding.dump_json()


@pytest.mark.parametrize("date", ["2026-11-01T10:00:10.123Z", "2026-11-01T18:00:10+08:00", "yesterday"])
def test_a_date_of_a_segment_is_told_in_the_vendors_own_words(date):
    segment = {"OffsetTime": "1", "CreatedAt": date, "Result": BLOCK}
    reading = provider()
    reply = {"TaskId": "t", "Status": "FINISH", "Suggestion": "Block", "ImageSegments": [segment]}
    (finding,) = reading.read(None, [reading.recognize(reply)]).findings
    assert finding.native.extra["CreatedAt"] == date


def test_a_layout_is_remembered_for_the_types_of_all_fields():
    shape = Shape.of(TaskLabel)
    assert shape.told(BLOCK) is BLOCK
    for name, value in [("Label", ["Porn"]), ("Suggestion", 1), ("SubLabel", {}), ("label", "Porn"), ("New", [BLOCK])]:
        strange = {**BLOCK, name: value}
        assert shape.told(strange) is not strange
    for name, value in [("Score", "90"), ("SubLabel", None), ("New", "word"), ("New", 1)]:
        usual = {**BLOCK, name: value}
        assert shape.told(usual) is usual


SIGNED = "https://b-1.cos.ap-guangzhou.myqcloud.com/a%20b.jpg?q-sign-algorithm=sha1&q-sign-time=1700000000{}1700043200&q-signature=0f"


@pytest.mark.parametrize("between", [";", "%3B", "%3b"])
def test_when_a_signed_link_ends_is_read_as_its_query_says(between):
    usual = expires(SIGNED.format(between))
    assert usual is not None
    assert usual.timestamp() == 1700043200
    odd = f"https://[::1]{SIGNED.format(between).removeprefix('https://b-1.cos.ap-guangzhou.myqcloud.com')}"
    assert expires(odd) == usual, "by taking the URL apart"
    assert expires(f"https://x.example/#{SIGNED.format(between)}") is None
    assert expires(SIGNED.format("x")) is None
