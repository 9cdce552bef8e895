"""Tencent's published replies, and composed ones, each with the unified result it must become.

The expectations are files beside the samples, written by
`python providers/tencent/tests/provider/test_tencent_replies.py` and read by a person before they are committed.
"""

from __future__ import annotations

import copy
import json
import re
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelvet import AsyncModerator, Config, CoverageState, Verdict
from reelvet.schema.errors import InvalidJob
from reelvet_tencent.wire import RAW_ONLY

HERE = Path(__file__).parents[1]
REPLIES = HERE / "samples" / "replies"
EXPECTED = HERE / "expected"
NAMES = sorted(path.stem for path in EXPECTED.glob("*.json"))
OTHERS = sorted({path.stem for path in REPLIES.glob("*.json")} - set(NAMES))
"""Replies of other actions, and errors: none of them is a task."""

READER = AsyncModerator(
    Config.parse(
        {
            "use": "tencent",
            "providers": {
                "tencent": {"biz_types": {"reels_1": {"covers": [{"labels": ["sexual"], "channels": ["visual"]}]}}}
            },
        }
    ),
    credentials=False,
)

VOLATILE = {
    "key",
    "created_at",
    "finished_at",
    "versions",
    "tasks",
    "schema",
    "provider",
    "instance",
    "user",
    "metadata",
}


def unified(result):
    told = {name: value for name, value in result.dump().items() if name not in VOLATILE}
    told["tasks"] = [{k: v for k, v in task.items() if k not in {"raw", "instance"}} for task in result.dump()["tasks"]]
    return told


def load(name):
    return json.loads((REPLIES / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", NAMES)
def test_each_reply_becomes_the_unified_result_that_is_written_down(moderator, name):
    result = moderator.normalize(load(name))
    assert unified(result) == json.loads((EXPECTED / f"{name}.json").read_text(encoding="utf-8"))
    assert result.tasks[0].raw == load(name)


@pytest.mark.parametrize("name", OTHERS)
def test_replies_of_other_actions_are_told_from_tasks(moderator, name):
    with pytest.raises(InvalidJob, match=r"no reply of Tencent's to 'get task'.* DescribeTaskDetail"):
        moderator.normalize(load(name))


def test_there_is_an_expectation_for_every_task():
    assert {path.stem for path in REPLIES.glob("*detail*.json")} <= set(NAMES)
    assert {path.stem for path in REPLIES.glob("*callback_[blf]*.json")} <= set(NAMES)
    others = ("create_", "cancel_", "tasks_", "error_", "composed_create", "composed_error_not")
    assert all(name.startswith(others) for name in OTHERS)


@pytest.mark.parametrize("name", NAMES)
def test_a_reply_means_the_same_with_and_without_its_wrapper(moderator, name):
    payload = load(name)
    if "Response" in payload:
        assert unified(moderator.normalize(payload)) == unified(moderator.normalize(payload["Response"]))


# --- nothing is lost, and no change of a leaf makes a hit harmless ---


def leaves(value, path=()):
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))
    if path:
        yield path


def changed(payload, path, how):
    payload = copy.deepcopy(payload)
    place = payload
    for step in path[:-1]:
        place = place[step]
    if how == "dropped":
        del place[path[-1]]
    elif how == "renamed":
        if isinstance(place, list):
            place[path[-1]] = {"renamed": place[path[-1]]}
        else:
            place[f"new_{path[-1]}"] = place.pop(path[-1])
    else:
        place[path[-1]] = how
    return payload


def other(value):
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1 if value < 2 else value - 1
    if re.match(r"\d{4}-", str(value)):
        return "2025-01-01T00:00:00Z"
    if re.fullmatch(r"\d+", str(value)):
        return str(int(value) * 2 + 1)
    return "0:1:1.500" if re.fullmatch(r"[\d:.]+", str(value)) else f"{value}x"


def value_at(payload, path):
    for step in path:
        payload = payload[step]
    return payload


def plain(path):
    return re.sub(r"\.\d+", "", ".".join(map(str, path))).removeprefix("Response.")


def says_nothing_was_found(payload, path):
    """Whether a leaf stands in a part that says of itself that nothing was found: such parts are kept raw."""
    for length in range(len(path)):
        part = value_at(payload, path[:length])
        if isinstance(part, dict) and length > 1 and part.get("Suggestion") == "Pass" and not part.get("HitFlag"):
            return True
    segment = value_at(payload, path[:-1]) if path[:-1] else payload
    result = segment.get("Result") if isinstance(segment, dict) else None
    return isinstance(result, dict) and result.get("Suggestion") == "Pass"


LEAVES = [
    (name, path)
    for name in NAMES
    for path in leaves(load(name))
    if not isinstance(value_at(load(name), path), dict | list) and value_at(load(name), path) is not None
]


@pytest.mark.parametrize(
    ("name", "path"), LEAVES, ids=lambda value: ".".join(map(str, value)) if isinstance(value, tuple) else value
)
def test_every_leaf_is_mapped_or_kept_raw_with_a_reason(moderator, name, path):
    payload = load(name)
    before = moderator.normalize(payload)
    try:
        after = moderator.normalize(changed(payload, path, other(value_at(payload, path))))
    except InvalidJob:
        return  # it no longer is such a reply, which is said
    told = [[json.loads(r.dump_json(signed_urls=True))[n] for n in ("status", "verdict", "findings", "coverage", "transcripts", "warnings", "media")]
            + [[t.native_status, t.id, t.request_ids, t.error and t.error.message] for t in r.tasks] for r in (before, after)]  # fmt: skip
    assert (
        told[0] != told[1]
        or plain(path) in RAW_ONLY
        or says_nothing_was_found(payload, path)
        or plain(path) in OVERRULED
        # Boxes without a size, and moans with a score of 0.
        or (name.startswith("detail_placeholder") and {"Details", "MoanResults"} & set(path))
    )


DEEPER = "a part below it, or the segment, says it"
OVERRULED = {
    "Type": "a type that nobody knows is read as that of a file",
    "BizType": "it counts when the task has ended",
    "Suggestion": "it counts when the task has ended",
    "ErrorType": "it counts where the task failed",
    "ErrorDescription": "it counts where the task failed",
    "MediaInfo.Duration": "of a stream it is no length",
    "InputInfo.BucketInfo": "an example has a string, which names nothing",
    "Labels.Score": DEEPER,
    "Labels.Suggestion": DEEPER,
    "ImageSegments.Result.HitFlag": DEEPER,
    "ImageSegments.Result.Score": DEEPER,
    "ImageSegments.Result.Suggestion": DEEPER,
    "ImageSegments.Result.Results.HitFlag": "the suggestion beside it says the same",
    "ImageSegments.Result.Results.Score": DEEPER,
    "ImageSegments.Result.Results.Suggestion": DEEPER,
    "ImageSegments.Result.Results.Text": DEEPER,
    "ImageSegments.Result.Results.Names": DEEPER,
    "ImageSegments.Result.Results.Details.Score": "a detail without a label has its scene's",
    "AudioSegments.Result.Text": "the sentences of the slice say it, and the text of the whole",
    "AudioSegments.Result.HitFlag": DEEPER,
    "AudioSegments.Result.Score": DEEPER,
    "AudioSegments.Result.Suggestion": DEEPER,
    "AudioSegments.Result.Sentences.StartTime": "in another slice than the first it is not known from where it counts",
    "AudioSegments.Result.Sentences.EndTime": "in another slice than the first it is not known from where it counts",
    "AudioSegments.Result.RecognitionResults.Label": "with a score of 0 it was not recognized",
    "AudioSegments.Result.RecognitionResults.Tags.Name": "with a score of 0 it was not recognized",
    "AudioSegments.Result.RecognitionResults.Tags.StartTime": "with a score of 0 it was not recognized",
    "AudioSegments.Result.RecognitionResults.Tags.EndTime": "with a score of 0 it was not recognized",
    "VideoSegments.Result.HitFlag": DEEPER,
    "VideoSegments.Result.Suggestion": DEEPER,
    "VideoSegments.Result.Text": DEEPER,
}
"""What another place says more deeply or more surely; most have a test of their own below."""


def test_what_is_kept_raw_only_is_named_with_a_reason():
    assert all(len(reason) > 10 for reason in RAW_ONLY.values())
    known = {plain(path) for _, path in LEAVES}
    assert set(RAW_ONLY) | set(OVERRULED) <= known


HITS = [
    "detail_finish_20210922_cn_2025", "detail_finish_20201229_cn_2021", "composed_audio_details", "composed_live_finish",
    "composed_callback_finish",
]  # fmt: skip


@pytest.mark.parametrize("how", ["dropped", "renamed", None, "a word", 7, {}, [], True, [{}], float("nan")], ids=repr)
@pytest.mark.parametrize("name", HITS)
def test_no_change_of_a_leaf_crashes_or_turns_a_hit_into_a_pass(moderator, name, how):
    payload = load(name)
    for path in leaves(payload):
        if how == "dropped" and isinstance(path[-1], int):
            continue  # one hit fewer is another video
        try:
            result = moderator.normalize(changed(payload, path, how))
        except InvalidJob:
            assert plain(path) in {"Response", "TaskId"}
            continue
        assert result.verdict is not Verdict.PASS, path
        assert not result.status.final or result.verdict is not None, path


@pytest.mark.parametrize("how", ["dropped", "renamed", "a word", 7, {}, True], ids=repr)
@pytest.mark.parametrize("name", ["composed_clean", "composed_clean_all_segments"])
def test_a_clean_reply_that_is_not_whole_does_not_pass(moderator, name, how):
    payload = load(name)
    assert moderator.normalize(payload).verdict is Verdict.PASS
    for field in ("Status", "Suggestion", "ImageSegments", "BizType"):
        result = moderator.normalize(changed(payload, ("Response", field), how))
        assert result.verdict is not Verdict.PASS, field
    heard = moderator.normalize(changed(payload, ("Response", "AudioSegments"), how))
    assert {row.state for row in heard.coverage if row.channel in {"speech", "sound"}} == {CoverageState.NOT_EVALUATED}
    assert {row.state for row in heard.coverage if row.channel == "visual"} == {CoverageState.CLEAN}


@pytest.mark.parametrize("empty", [None, []], ids=repr)
def test_null_is_an_empty_list_as_the_vendor_says(moderator, sample, empty):
    payload = sample("composed_clean")
    payload["Response"] |= dict.fromkeys(("ImageSegments", "AudioSegments", "Labels", "Asrs"), empty)
    payload["Response"] |= dict.fromkeys(("MediaInfo", "InputInfo", "SegmentCosUrlList", "AudioText"))
    assert moderator.normalize(payload).verdict is Verdict.PASS


NAMES_OF_FIELDS = sorted(
    {str(step) for name in HITS for path in leaves(load(name)) for step in path if isinstance(step, str)} - {"Response"}
)
WORDS = st.sampled_from(
    [
        "Pass",
        "Block",
        "Review",
        "UNSPECIFIED",
        "Normal",
        "Porn",
        "Moan",
        "Teenager",
        "xx",
        "",
        "0",
        "5",
        "1793527215",
        "4000",
    ]
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-5, 10**14), st.floats(), WORDS)
PARTS = st.recursive(
    SCALARS, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(NAMES_OF_FIELDS), inner, max_size=6)), max_leaves=25
)  # fmt: skip


@given(
    st.dictionaries(st.sampled_from(NAMES_OF_FIELDS), PARTS, max_size=12),
    st.sampled_from(["FINISH", "RUNNING", "ERROR", "x"]),
    st.booleans(),
)
def test_no_payload_whatever_crashes_the_reader_or_passes_without_the_vendors_pass(fields, status, wrapped):
    payload = {**fields, "TaskId": "t", "Status": status}
    result = READER.normalize({"Response": payload} if wrapped else payload)
    assert json.loads(result.dump_json())
    if result.verdict is Verdict.PASS:
        assert (status, payload["Suggestion"], payload["BizType"]) == ("FINISH", "Pass", "reels_1")
        assert not any(finding.suggestion in {"review", "block"} for finding in result.findings)


if __name__ == "__main__":  # pragma: no cover
    sys.path.insert(0, str(Path(__file__).parent))
    from conftest import offline

    writer = offline()
    for path in sorted(REPLIES.glob("*.json")):
        try:
            shown = unified(writer.normalize(load(path.stem)))
        except InvalidJob:
            continue
        (EXPECTED / path.name).write_text(json.dumps(shown, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
