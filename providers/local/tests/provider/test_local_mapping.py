"""The pure half of the local provider: the same for the same input, and lenient to what was stored."""

from __future__ import annotations

import copy
import json

import pytest

from reelvet import AsyncModerator, Config, CoverageState, ModerationJob, Verdict
from reelvet.schema.errors import InvalidJob
from reelvet_local import wire
from reelvet_local.errors import CODES
from reelvet_local.outcome import ErrorCode
from reelvet_local.wire import RAW_ONLY

# Made by hand after a run of the engine.
PAYLOAD = {
    "status": "succeeded",
    "error": None,
    "facts": {
        "kind": "video", "container": "mov,mp4,m4a,3gp,3g2,mj2", "codec": "h264", "duration": 10.0, "width": 640, "height": 272,
        "fps": 25.0, "rotation": 0, "other_video_streams": 1,
    },
    "hits": [{"label": "nsfw", "score": 0.93, "start": 4.0, "frame": 100, "thumbnail": None}],
    "scores": {"nsfw": {"max": 0.93, "mean": 0.1, "at": 4.0}},
    "sampling": {"rule": "interval", "interval": 1.0, "max_gap": None, "frames": 10, "largest_gap": 1.0, "filled_gaps": 0, "time_resets": 1, "damaged": 2},
    "through": 10.0,
    "stopped_early": False,
    "detector": {"name": "open_nsfw", "version": "1", "labels": ["nsfw"]},
    "report_floor": 0.5,
}  # fmt: skip


@pytest.fixture(scope="module")
def moderator():
    return AsyncModerator(Config.parse({"use": "local"}))


def test_a_stored_reply_is_judged_again(moderator):
    result = moderator.normalize(PAYLOAD)
    assert result.verdict is Verdict.BLOCK
    assert {note.code for note in result.warnings} == {"damaged", "other_tracks", "time_resets"}
    assert result.tasks[0].raw == PAYLOAD


def test_planning_is_pure_and_repeatable(moderator):
    job = ModerationJob(
        media="https://example.com/a.mp4", stop_on={"sexual": 0.9, "sexual.explicit": 0.8}, interval=0.5
    )
    assert moderator.plan(job) == moderator.plan(job)
    assert moderator.plan(job).tasks[0].payload["stop_on"] == {"nsfw": 0.8}


def leaves(value, path=()):
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))
    yield path


def changed(path, how):
    payload = copy.deepcopy(PAYLOAD)
    place = payload
    for step in path[:-1]:
        place = place[step]
    if how == "dropped":
        del place[path[-1]]
    else:
        place[path[-1]] = how
    return payload


CLEAN = {
    **PAYLOAD,
    "hits": [],
    "scores": {"nsfw": {"max": 0.2, "mean": 0.1, "at": 4.0}},
    "facts": {**PAYLOAD["facts"], "other_video_streams": 0},
    "sampling": {**PAYLOAD["sampling"], "damaged": 0, "time_resets": 0},
}


@pytest.mark.parametrize("how", ["dropped", None, "a word", 7, {}, [], True])
@pytest.mark.parametrize("path", [path for path in leaves(PAYLOAD) if path], ids=lambda path: ".".join(map(str, path)))
def test_no_change_of_a_leaf_crashes_or_turns_a_hit_into_a_pass(moderator, path, how):
    payload = changed(path, how)
    try:
        wire.parse(payload)
    except InvalidJob:
        with pytest.raises(InvalidJob, match="not a reply of the local engine"):
            moderator.normalize(payload)
    else:
        verdict = moderator.normalize(payload).verdict if payload.get("status") else Verdict.ERROR
        assert verdict is not Verdict.PASS


@pytest.mark.parametrize(
    "change",
    [{"status": "failed"}, {"status": "canceled"}, {"status": "sideways"}, {"stopped_early": True}, {"sampling": None}, {"detector": None},
     {"facts": PAYLOAD["facts"]}, {"hits": None}, {"report_floor": None}, {"error": {"code": "broken_tail", "message": "the file ends"}}],
    ids=str,
)  # fmt: skip
def test_what_did_not_look_at_everything_never_passes(moderator, change):
    result = moderator.normalize({**CLEAN, **change})
    assert result.verdict is not Verdict.PASS
    assert all(row.state is CoverageState.NOT_EVALUATED for row in result.coverage)
    assert moderator.normalize(CLEAN).verdict is Verdict.PASS


def test_every_leaf_is_mapped_or_kept_raw_with_a_reason(moderator):
    told = json.loads(moderator.normalize(PAYLOAD).dump_json())
    told.pop("tasks")
    text = json.dumps(told)
    mapped = {
        "status": "succeeded", "facts.kind": "video", "facts.duration": 10.0, "facts.width": 640, "facts.height": 272, "hits.0.label": "nsfw",
        "hits.0.score": 0.93, "hits.0.start": 4.0, "hits.0.frame": 100, "through": 10.0, "sampling.frames": "10 frames",
        "sampling.largest_gap": 1.0, "sampling.damaged": "2 packets", "sampling.time_resets": "start over 1 times", "facts.other_video_streams": "1 further", "detector.name": "open_nsfw",
        "detector.version": "open_nsfw 1", "sampling.rule": "the first frame",
    }  # fmt: skip
    for path, value in mapped.items():
        assert str(value) in text, path
    # Nothing to say in a run that went well and found no picture to keep.
    quiet = {"error", "hits.0.thumbnail", "stopped_early", "report_floor", "sampling.filled_gaps"}
    every = {".".join(map(str, path)) for path in leaves(PAYLOAD) if path}
    inner = {"facts", "hits", "hits.0", "sampling", "detector"}
    raw = {path for path in every if any(path == known or path.startswith(f"{known}.") for known in RAW_ONLY)}
    assert every - inner - set(mapped) - quiet - raw == set()


def test_every_error_code_of_the_engine_has_a_row():
    assert set(CODES) == set(ErrorCode.__args__)
    assert all(row.way_out for row in CODES.values())


@pytest.mark.parametrize(("duration", "through"), [(10.0, 10.0), (12.5, 12.5), (None, None)])
def test_what_was_looked_at_to_the_end_is_looked_at_wholly_whatever_the_file_says_of_its_length(
    moderator, duration, through
):
    result = moderator.normalize(
        {**CLEAN, "facts": {**PAYLOAD["facts"], "duration": duration, "other_video_streams": 0}}
    )
    assert (result.verdict, result.coverage[0].through) == (Verdict.PASS, through)


@pytest.mark.parametrize(
    "change",
    [
        {"sampling": {**CLEAN["sampling"], "damaged": 1}},
        {"facts": {**CLEAN["facts"], "container": "asf", "duration": None}},
    ],
    ids=["damaged", "cut off"],
)
def test_silence_about_what_is_damaged_or_cut_off_is_for_a_person_to_judge(moderator, change):
    result = moderator.normalize({**CLEAN, **change})
    assert (result.verdict, result.coverage[0].state) == (Verdict.REVIEW, CoverageState.BELOW_FLOOR)
    assert result.coverage[0].why
    assert "damaged" in {note.code for note in result.warnings}
