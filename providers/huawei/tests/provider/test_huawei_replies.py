"""Huawei's published replies, each with the unified result it must become.

The expectations are files beside the samples, written by `python providers/huawei/tests/provider/test_huawei_replies.py`
and read by a person before they are committed.
"""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path

import pytest

from reelvet import AsyncModerator, Config, CoverageState, Verdict
from reelvet.schema.errors import InvalidJob
from reelvet_huawei.wire import RAW_ONLY

HERE = Path(__file__).parents[1]
REPLIES = HERE / "samples" / "replies"
EXPECTED = HERE / "expected"
NAMES = sorted(path.stem for path in EXPECTED.glob("*.json"))
OTHERS = sorted({path.stem for path in REPLIES.glob("*.json")} - set(NAMES))
"""Replies of other endpoints, and errors: none of them is a task."""

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
def test_each_published_reply_becomes_the_unified_result_that_is_written_down(moderator, name):
    result = moderator.normalize(load(name))
    assert unified(result) == json.loads((EXPECTED / f"{name}.json").read_text(encoding="utf-8"))
    assert result.tasks[0].raw == load(name)


@pytest.mark.parametrize("name", OTHERS)
def test_replies_of_other_endpoints_are_told_from_tasks(moderator, name):
    with pytest.raises(InvalidJob, match=r"no reply of Huawei's to a query of one task.* GET "):
        moderator.normalize(load(name))


def test_there_is_an_expectation_for_every_reply_to_a_query():
    queries = {name for name in (p.stem for p in REPLIES.glob("*.json")) if "_query_" in name or "_callback_" in name}
    assert len(queries) >= 10
    assert queries | {"v2_result_json_hits"} == set(NAMES)


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
        return value / 2 + 1 if value > 1 else 0.45
    if value in {"true", "false"}:
        return "false" if value == "true" else "true"
    if re.match(r"\d{4}-", str(value)):
        return "2025-01-01T00:00:00Z"
    if str(value).startswith("{"):
        return re.sub(r'"suggestion": *"\w+"', '"suggestion": "other"', value)
    return f"{value}x"


LEAVES = [(name, path) for name in NAMES for path in leaves(load(name))]


@pytest.mark.parametrize(
    ("name", "path"), LEAVES, ids=lambda value: ".".join(map(str, value)) if isinstance(value, tuple) else value
)
def test_every_leaf_is_mapped_or_kept_raw_with_a_reason(moderator, name, path):
    payload = load(name)
    value = payload
    for step in path:
        value = value[step]
    if isinstance(value, dict | list) or value is None:
        return
    plain = re.sub(r"\.\d+", "", ".".join(map(str, path)))
    before = moderator.normalize(payload)
    try:
        after = moderator.normalize(changed(payload, path, other(value)))
    except InvalidJob:
        return  # it no longer is such a reply, which is said
    told = [[json.loads(r.dump_json())[n] for n in ("status", "verdict", "findings", "coverage", "media", "warnings", "usage")]
            + [[t.native_status, t.id, t.error and t.error.message, t.error and t.error.code] for t in r.tasks] for r in (before, after)]  # fmt: skip
    assert told[0] != told[1] or plain in RAW_ONLY or is_overruled(name, plain)


def is_overruled(name, plain):
    """What another place says already, and more surely, or what is not looked at yet; each has a test of its own below."""
    waiting = "running" in name or "_callback_" in name
    return (waiting and plain.startswith(("service_config", "request_params", "result.request_params"))) or (
        name, plain.rpartition(".")[2]) in {
        ("v2_query_succeeded_hits", "categories"),  # `ad`, which is no category of frames
        ("SYNTHETIC_v2_query_succeeded_clean", "categories"),
        ("v2_result_json_hits", "confidence"),  # of a class that the frame does not suspect
        ("v2_result_json_hits", "label"),
        ("v3_audio_query_succeeded", "audio_text"),
    }  # fmt: skip


def test_what_is_kept_raw_only_is_named_with_a_reason():
    assert all(len(reason) > 5 for reason in RAW_ONLY.values())
    known = {re.sub(r"\.\d+", "", ".".join(map(str, path))) for _, path in LEAVES}
    assert set(RAW_ONLY) <= known


HITS = ["v2_query_succeeded_hits", "v2_result_json_hits", "v3_query_succeeded_hits", "v3_audio_query_succeeded"]
INNER = "hosting_result.data"


def mutations(name, how):
    """Each reply with one leaf changed, those of a result that stands in a string too."""
    payload = load(name)
    for path in leaves(payload):
        if how == "dropped" and isinstance(path[-1], int):
            continue  # one hit fewer is another video
        yield path, changed(payload, path, how)
    if name == "v2_query_succeeded_hits":
        inner = json.loads(payload["hosting_result"]["data"])
        for path in leaves(inner):
            if how == "dropped" and isinstance(path[-1], int):
                continue
            data = json.dumps(changed(inner, path, how))
            yield (INNER, *path), changed(payload, ("hosting_result", "data"), data)


@pytest.mark.parametrize("how", ["dropped", "renamed", None, "a word", 7, {}, [], True, [{}], float("nan")], ids=repr)
@pytest.mark.parametrize("name", HITS)
def test_no_change_of_a_leaf_crashes_or_turns_a_hit_into_silence(moderator, name, how):
    for path, mutated in mutations(name, how):
        try:
            result = moderator.normalize(mutated)
        except InvalidJob:
            assert path[0] in {"status", "state", "job_id", "id", "result", "hosting_result"}
            continue
        if name == "v3_query_succeeded_hits":  # the others hit nothing that the default policy blocks
            assert result.verdict is not Verdict.PASS, path
        silent = not result.findings and result.status == "succeeded" and result.verdict is Verdict.PASS
        assert not silent, path
        clean = {row.state for row in result.coverage} <= {CoverageState.CLEAN}
        assert not result.coverage or result.status != "succeeded" or not clean, path


@pytest.mark.parametrize("how", ["dropped", "renamed", None, "a word", 7, {}, [], True], ids=repr)
@pytest.mark.parametrize("place", ["result", "result.suggestion", "status"])
def test_a_clean_reply_that_is_not_whole_does_not_pass(moderator, sample, place, how):
    payload = sample("SYNTHETIC_v3_query_succeeded_clean")
    assert moderator.normalize(payload).verdict is Verdict.PASS
    try:
        assert moderator.normalize(changed(payload, tuple(place.split(".")), how)).verdict is not Verdict.PASS
    except InvalidJob:
        assert place == "result"


@pytest.mark.parametrize("how", ["a word", 7, True], ids=repr)
@pytest.mark.parametrize("name", ["image_detail", "audio_detail"])
def test_what_is_no_list_of_hits_does_not_pass(moderator, sample, name, how):
    payload = changed(sample("SYNTHETIC_v3_query_succeeded_clean"), ("result", name), how)
    assert moderator.normalize(payload).verdict is not Verdict.PASS


@pytest.mark.parametrize("how", ["dropped", None, []], ids=repr)
def test_a_clean_reply_may_spell_empty_in_any_way(moderator, sample, how):
    """Whether the lists are empty, null or absent is not documented."""
    for name in ("image_detail", "audio_detail"):
        payload = changed(sample("SYNTHETIC_v3_query_succeeded_clean"), ("result", name), how)
        assert moderator.normalize(payload).verdict is Verdict.PASS


if __name__ == "__main__":  # pragma: no cover
    writer = AsyncModerator(Config.parse({"use": "huawei"}), credentials=False)
    for path in sorted(REPLIES.glob("*.json")):
        try:
            shown = unified(writer.normalize(load(path.stem)))
        except InvalidJob:
            continue
        (EXPECTED / path.name).write_text(json.dumps(shown, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
