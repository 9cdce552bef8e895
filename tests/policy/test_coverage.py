"""What was not looked at, and how the job ended."""

import pytest

from reelvet.policy import Policy, judge, thresholds_below_floor
from reelvet.schema.errors import UnknownLabel
from reelvet.schema.result import CoverageState


@pytest.fixture
def verdict(make_result, make_policy):
    def judged(*rows, findings=(), media=None, **fields):
        return judge(make_result(*findings, coverage=rows, media=media or {}), make_policy(**fields)).verdict

    return judged


# --- status ---


@pytest.mark.parametrize("status", ["queued", "running", "unknown"])
def test_there_is_no_verdict_before_the_end(make_result, make_finding, make_policy, status):
    judged = judge(make_result(make_finding(score=1.0), status=status, verdict="pass"), make_policy())
    assert (judged.verdict, judged.decisions, judged.reasons, judged.versions) == (None, {}, (), {})


@pytest.mark.parametrize("status", ["partial", "failed", "canceled"])
def test_a_job_that_did_not_succeed_is_error_unless_a_finding_blocks(make_result, make_finding, make_policy, status):
    assert judge(make_result(status=status), make_policy()).verdict == "error"
    assert judge(make_result(make_finding(score=0.6), status=status), make_policy()).verdict == "error"
    judged = judge(make_result(make_finding(score=0.95), status=status), make_policy())
    assert judged.verdict == "block"
    assert [reason.says for reason in judged.reasons] == ["block", "error"]


def test_the_reason_of_a_failed_job_names_the_task_and_its_code(make_result, make_policy):
    failed = {
        "provider": "acme",
        "id": "t-1",
        "status": "failed",
        "error": {"code": "DownloadFailed", "message": "https://a.example/?sig=1"},
    }
    why = judge(make_result(status="failed", tasks=[failed]), make_policy()).reasons[0].why
    assert "t-1: DownloadFailed" in why
    assert "sig=1" not in why


def test_a_job_that_only_transcribes_has_no_verdict(make_result, make_finding, make_policy):
    def judged(*findings, **fields):
        result = make_result(*findings, coverage=(), transcribes_only=True, **fields)
        return judge(result, make_policy(require=["sexual"]))

    spoken = judged(transcripts=[{"text": "hello"}])
    assert (spoken.verdict, spoken.decisions, spoken.reasons) == (None, {}, ())
    assert judged(status="failed").verdict is None
    # what a vendor found all the same is not passed over
    assert judged(make_finding("child_safety")).verdict == "block"
    assert judged(make_finding(score=0.1)).verdict is None


# --- nothing evaluated ---


@pytest.mark.parametrize("status", ["succeeded", "partial", "failed", "canceled"])
def test_a_result_without_any_row_is_error_unless_the_job_only_transcribes(
    make_result, make_finding, make_policy, status
):
    judged = judge(make_result(coverage=(), status=status, transcripts=[{"text": "hello"}]), make_policy())
    assert judged.verdict == "error"
    assert "nothing that was asked for was looked at" in [reason.why for reason in judged.reasons]
    found = make_result(make_finding(score=0.95), coverage=(), status=status)
    assert judge(found, make_policy()).verdict == "block"
    assert judge(make_result(make_finding(score=0.1), coverage=()), make_policy()).verdict == "error"


def test_rows_outweigh_the_word_that_the_job_only_transcribes(verdict, make_result, make_row, make_policy):
    for row, expected in ((make_row(), "pass"), (make_row(state="not_evaluated"), "error")):
        assert judge(make_result(coverage=(row,), transcribes_only=True), make_policy()).verdict == expected


def test_nothing_evaluated_is_error(verdict, make_row):
    assert verdict(make_row(state="not_evaluated"), make_row("hate", "not_evaluated")) == "error"
    assert verdict(make_row(state="planned")) == "error"


def test_a_row_that_was_not_evaluated_does_not_prevent_pass(verdict, make_row):
    assert verdict(make_row(), make_row("hate", "not_evaluated")) == "pass"


def test_a_promise_of_which_nobody_says_what_became_does_not_pass(verdict, make_row):
    assert verdict(make_row(), make_row("hate", "planned")) == "review"
    assert verdict(make_row(), make_row("hate", "planned", through=36.0), media={"duration": 36.0}) == "review"
    assert verdict(make_row(), make_row("hate", "planned", clearable=False)) == "pass"
    assert verdict(make_row(), make_row("politics", "planned")) == "pass"
    assert (
        verdict(make_row("politics"), make_row("politics", "planned", channel="ocr"), require=["politics"]) == "review"
    )


def test_every_state_is_thought_of(verdict, make_row):
    expected = {"hit": "review", "clean": "pass", "below_floor": "review", "not_evaluated": "pass", "planned": "review"}
    assert {state: verdict(make_row("gambling"), make_row(state=state)) for state in CoverageState} == expected


def test_a_hit_without_a_finding_is_review(verdict, make_row, make_finding):
    hit = make_row("violence", "hit")
    assert verdict(hit) == "review"
    assert verdict(hit, findings=[make_finding("violence.weapons", 0.1)]) == "pass"
    assert verdict(hit, findings=[make_finding("violence.weapons", 0.1, channel="ocr")]) == "review"
    assert verdict(make_row("politics", "hit")) == "pass"


# --- floors ---


@pytest.mark.parametrize(
    ("floor", "thresholds", "expected"),
    [
        (0.5, (0.5, 0.9), "pass"),
        (0.5, (0.6, 0.9), "pass"),
        (0.5, (0.49, 0.9), "review"),
        (0.5, ("none", 0.4), "review"),
        (0.5, ("none", 0.6), "pass"),
        (None, (0.9, 0.9), "review"),
    ],
)
def test_below_floor_passes_only_if_the_threshold_is_at_or_above_the_floor(
    verdict, make_row, floor, thresholds, expected
):
    review, block = thresholds
    assert verdict(make_row(state="below_floor", floor=floor), review=review, block=block) == expected


def test_the_rule_of_the_label_decides_about_its_floor(verdict, make_row):
    low = make_row("violence.weapons", "below_floor", floor=0.5)
    assert verdict(low, rules=[{"label": "violence.weapons", "review": 0.4}]) == "review"
    assert verdict(low, rules=[{"label": "violence.weapons", "review": 0.4, "provider": "beta"}]) == "pass"
    assert verdict(low, rules=[{"label": "violence.weapons", "review": 0.4, "channel": "ocr"}]) == "pass"
    assert verdict(low, rules=[{"label": "violence.weapons", "review": "none"}]) == "pass"
    assert verdict(low, rules=[{"label": "violence.weapons", "off": True}]) == "pass"
    assert verdict(make_row("politics", "below_floor", floor=0.5), review=0.1) == "pass"
    assert verdict(low, review="none", block="none") == "review"


def test_silence_below_a_floor_is_no_all_clear_for_child_safety(verdict, make_row):
    assert verdict(make_row("child_safety", "below_floor", floor=0.3)) == "review"


def test_a_row_of_several_providers_is_judged_by_the_worst(make_result, make_policy, make_row):
    tasks = [{"provider": name, "id": name, "status": "succeeded"} for name in ("acme", "beta")]
    rules = [{"label": "violence", "provider": "beta", "review": 0.2}]
    whole = make_result(coverage=[make_row(state="below_floor", floor=0.4, provider=None)], tasks=tasks)
    merged = whole.model_copy(update={"provider": None, "instance": None})
    assert judge(merged, make_policy(rules=rules)).verdict == "review"
    assert judge(merged, make_policy()).verdict == "pass"


def test_thresholds_below_a_floor_are_pointed_out(make_policy):
    rows = [
        ("violence", "visual", 0.6),
        ("hate", "ocr", 0.5),
        ("gambling", "visual", None),
        ("disturbing", "visual", 0.5),
        ("politics", "visual", 0.9),
    ]
    gaps = thresholds_below_floor(
        make_policy(rules=[{"label": "hate", "review": 0.4, "provider": "acme"}]), rows, provider="acme"
    )
    assert [(gap.label, gap.channel, gap.threshold, gap.floor) for gap in gaps] == [
        ("violence", "visual", 0.5, 0.6),
        ("hate", "ocr", 0.4, 0.5),
    ]
    assert str(gaps[1]) == (
        "policy 'p' judges hate (ocr) from 0.4, but acme reports nothing below 0.5: where it is silent the verdict is review. "
        "Raise the threshold to 0.5, or turn the label off"
    )
    with pytest.raises(UnknownLabel):
        thresholds_below_floor(make_policy().model_copy(update={"require": ("nope",)}), rows)


# --- looked at only in part ---


@pytest.mark.parametrize(
    ("fields", "media", "expected"),
    [
        ({"through": 36.0}, {"duration": 36.0}, "pass"),
        ({"through": 35.2}, {"duration": 36.0}, "pass"),
        ({"through": 34.5}, {"duration": 36.0, "largest_gap": 10.0}, "pass"),
        ({"through": 30.0}, {"duration": 36.0, "largest_gap": 10.0}, "review"),
        ({"through": 5.2}, {"duration": 6.0, "largest_gap": 5.0}, "pass"),
        ({"through": 35.2}, {"duration": 36.0, "largest_gap": 0.5}, "review"),
        ({"through": 10.0}, {"duration": 1000.0, "largest_gap": 995.0}, "review"),
        ({"through": 10.0}, {"duration": 1000.0, "largest_gap": float("nan")}, "review"),
        ({"through": 10.0}, {"duration": float("nan")}, "review"),
        ({"through": 12.0}, {"duration": 36.0}, "review"),
        ({"through": 12.0, "state": "below_floor", "floor": 0.3}, {"duration": 36.0}, "review"),
        ({"through": 12.0, "state": "not_evaluated"}, {"duration": 36.0}, "review"),
        ({"through": 35.9, "state": "not_evaluated"}, {"duration": 36.0}, "review"),
        ({"through": 35.9, "state": "planned"}, {"duration": 36.0}, "review"),
        ({"through": 12.0, "state": "not_evaluated", "clearable": False}, {"duration": 36.0}, "pass"),
        # how long it is nobody says
        ({"through": 12.0}, {}, "review"),
        ({"through": 12.0, "state": "not_evaluated"}, {}, "review"),
        ({"through": 12.0}, {"kind": "live"}, "pass"),
        ({"through": 12.0, "why": "the stream broke off"}, {"kind": "live"}, "review"),
        # where it stopped nobody says
        ({"why": "stopped, as stop_on asked"}, {}, "review"),
        ({"why": "stopped, as stop_on asked"}, {"duration": 36.0}, "review"),
        ({"why": "stopped, as stop_on asked", "clearable": False}, {}, "review"),
        ({"why": "stopped, as stop_on asked", "label": "politics"}, {}, "review"),
        ({"why": "the tail is damaged", "through": 36.0}, {"duration": 36.0}, "review"),
        ({"why": "there is no sound", "state": "not_evaluated"}, {"duration": 36.0}, "pass"),
        ({"through": 12.0, "label": "politics"}, {"duration": 36.0}, "pass"),
    ],
)
def test_what_was_looked_at_only_in_part_does_not_pass(verdict, make_row, fields, media, expected):
    assert verdict(make_row("gambling"), make_row(**fields), media=media) == expected


def test_an_early_stop_on_a_low_score_does_not_pass(verdict, make_row, make_finding):
    rows = make_row(state="hit", through=3.0), make_row("hate", "not_evaluated", through=3.0)
    assert verdict(*rows, findings=[make_finding(score=0.3)], media={"duration": 60.0}) == "review"


def test_an_early_stop_on_media_without_times_does_not_pass(verdict, make_row, make_finding):
    why = "stopped, as stop_on asked"
    rows = make_row(state="hit", why=why), make_row("hate", "not_evaluated", why=why)
    assert verdict(*rows, findings=[make_finding(score=0.3)]) == "review"
    assert verdict(*rows, findings=[make_finding(score=0.95)]) == "block"


@pytest.mark.parametrize(
    ("fields", "media", "why"),
    [
        ({"why": "stopped"}, {}, "not looked at wholly: stopped"),
        ({"state": "planned"}, {}, "was to be looked at, and nobody says that it was"),
        ({"state": "not_evaluated", "through": 0.0, "why": "lost"}, {}, "not looked at at all: lost"),
        ({"through": 3.0, "why": "stopped"}, {"duration": 3.0}, "not looked at wholly: stopped"),
        ({"through": 3.0}, {}, "looked at only through 3 s, and how long the media is nobody says"),
    ],
)
def test_the_reason_of_a_cut_says_what_is_known(make_result, make_row, fields, media, why):
    judged = judge(make_result(coverage=[make_row("hate"), make_row(**fields)], media=media), Policy.default())
    assert [reason.why for reason in judged.reasons] == [why]


def test_rows_cut_short_leave_one_reason(make_result, make_policy, make_row):
    rows = [make_row(label, through=3.0) for label in ("violence", "hate", "gambling")]
    judged = judge(make_result(coverage=rows, media={"duration": 9.0}), make_policy())
    assert [reason.why for reason in judged.reasons] == ["looked at only through 3 s of 9 s (3 times)"]


# --- require ---


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([{"label": "sexual.explicit"}], "pass"),
        ([{"label": "sexual.explicit", "state": "below_floor", "floor": 0.2}], "pass"),
        # nobody can see it
        ([{"label": "violence"}], "review"),
        ([{"label": "violence"}, {"label": "sexual.explicit", "state": "not_evaluated", "clearable": False}], "review"),
        # a row above the label says nothing about it
        ([{"label": "sexual"}], "review"),
        # a row below it that can be seen is enough, if all of those were evaluated
        (
            [
                {"label": "sexual.explicit.nudity"},
                {"label": "sexual.explicit", "state": "not_evaluated", "clearable": False},
            ],
            "pass",
        ),
        (
            [{"label": "sexual.explicit.nudity"}, {"label": "sexual.explicit.activity", "state": "not_evaluated"}],
            "review",
        ),
        (
            [{"label": "sexual.explicit"}, {"label": "sexual.explicit", "state": "not_evaluated", "channel": "ocr"}],
            "review",
        ),
        # looked at only in part
        ([{"label": "sexual.explicit", "through": 3.0}], "review"),
    ],
)
def test_nothing_passes_without_what_is_required(verdict, make_row, rows, expected):
    rows = [make_row(**{"label": "sexual.explicit", **fields}) for fields in rows]
    assert verdict(*rows, media={"duration": 60.0}, require=["sexual.explicit"]) == expected
    others = [row for row in rows if row.through is None]
    assert verdict(make_row("gambling"), *others, require=["gambling"]) == "pass"


def test_every_required_label_must_be_met_even_one_that_is_off(verdict, make_row):
    assert (
        verdict(make_row("gambling"), make_row("politics", "not_evaluated"), require=["gambling", "politics"])
        == "review"
    )
    cut = make_row("politics", through=3.0)
    assert verdict(make_row("gambling"), cut, require=["politics"], media={"duration": 9.0}) == "review"
    assert verdict(make_row("sexual.explicit.nudity_anus"), require=["sexual.explicit.nudity*"]) == "pass"


def test_a_hit_meets_the_requirement(verdict, make_row, make_finding):
    assert verdict(make_row("violence", "hit"), findings=[make_finding(score=0.1)], require=["violence"]) == "pass"


def test_the_reason_names_the_row_and_why(make_result, make_policy, make_row):
    rows = [make_row("gambling"), make_row("hate", "not_evaluated", why="the audio task failed", channel="speech")]
    reason = judge(make_result(coverage=rows), make_policy(require=["hate"])).reasons[0]
    assert (reason.label, reason.says) == ("hate", "review")
    assert reason.why == "required, but hate (speech) was not looked at, or not wholly: the audio task failed"
