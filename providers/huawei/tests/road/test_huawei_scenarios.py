"""Every scenario of the sandbox, the same that all providers' emulators play, at each of the two APIs.

What is in one comes back as a finding, or stands in `NO_WORD`, with the reason why Huawei has no word for it.
"""

from __future__ import annotations

import pytest

from reelvet.sandbox import builtin
from reelvet.schema.media import Channel

VERDICTS = {
    "clean": "pass", "block-nudity": "block", "review-nudity": "review", "below-floor": "pass", "between-key-frames": "pass", "sport": "pass",
    "speech-only": "pass", "violence": "pass", "text-on-screen": "pass", "child-safety": "pass", "picture": "error", "long": "block",
    "broken": "error", "unreachable": "error", "internal-error": "error",
}  # fmt: skip
"""Of each scenario, asked for `sexual` in pictures: what it comes to, or nobody can say."""
SCENARIOS = {scenario.name: scenario for scenario in builtin.built_in()}
EVENTS = [
    (scenario.name, event)
    for scenario in SCENARIOS.values()
    if VERDICTS.get(scenario.name) not in {"error", None}
    for event in scenario.events
]

BETWEEN = "it is there for a second that no frame is taken in"
LOW = "its score is no more than 0.5, and what passes is not told"
NOBODY = "no category looks for people or bodies that are neither known nor obscene"
NO_WORD = {
    # scenario, label -> why it does not come back, from either API unless one is named
    ("block-nudity", "context.person.face_female"): NOBODY,
    ("block-nudity", "context.body.belly_exposed"): NOBODY,
    ("below-floor", "sexual.explicit.pornography"): LOW,
    ("below-floor", "sexual.explicit.nudity_buttocks"): LOW,
    ("below-floor", "violence.weapons.firearm"): LOW,
    ("between-key-frames", "sexual.explicit.pornography"): BETWEEN,
    ("sport", "context.sport.kicking_soccer_ball"): "no category looks for sports",
    ("sport", "context.sport.shooting_goal_soccer"): "no category looks for sports",
    ("violence", "harassment.threat"): "of what is spoken there is abuse, and no word for a threat",
    ("text-on-screen", "spam.advertising.qr_code", "v2"): "v2 reads text, and looks for no codes",
    ("child-safety", "child_safety.sexual"): "no category of either API is about children",
}
AS_ANOTHER = {
    ("v3", "spam.advertising.qr_code"): (
        "spam.advertising.qr_code",
        Channel.OCR,
    ),  # found with `image_text`, which reads
    # The class of v2 for what is obscene has the name of its category, and tells no more.
    **{
        ("v2", f"sexual.explicit.{what}"): ("sexual.explicit.pornography", Channel.VISUAL)
        for what in ("nudity_female_breast", "nudity_buttocks", "nudity_male_genitalia")
    },
}
"""API and label -> what it comes back as, and where, if that is neither it nor what stands above it."""


def test_no_scenario_is_left_out():
    assert {*VERDICTS, "never-finishes"} == set(SCENARIOS)  # the latter: where deadlines are tested


def test_what_huawei_has_no_word_for_is_in_the_scenarios():
    assert {name[:2] for name in NO_WORD} <= {(scenario, event.label) for scenario, event in EVENTS}


@pytest.mark.parametrize("scenario", VERDICTS)
async def test_each_scenario_comes_to_its_verdict(moderator, job, scenario, reelvet_sandbox):
    ticket = await moderator.submit(job(scenario))
    reelvet_sandbox.clock.advance(2000)
    result = await moderator.wait(ticket)
    assert result.verdict == VERDICTS[scenario]
    assert result.sandbox is True
    states = {"pass": {"clean"}, "review": {"hit"}, "block": {"hit"}, "error": {"not_evaluated"}}
    assert {row.state for row in result.coverage if row.label == "sexual"} == states[VERDICTS[scenario]]
    assert result.tasks[0].id in {result.tasks[0].raw.get("id"), result.tasks[0].raw.get("job_id")}
    assert ("task_failed" in {note.code for note in result.warnings}) is (VERDICTS[scenario] == "error")


OPTIONS = {
    "v2": {"categories": ["porn", "terrorism", "politics"], "text_categories": ["politics", "porn", "ad", "abuse", "contraband", "flood"],
           "use_ocr": True, "use_sis": True},
    "v3": {"image_categories": ["porn", "politics", "terrorism", "image_text"], "audio_categories": ["porn", "ad", "politics", "moan", "abuse"]},
}  # fmt: skip


@pytest.mark.parametrize("scenario", dict.fromkeys(name for name, _ in EVENTS))
async def test_what_is_in_it_comes_back_or_is_named_with_a_reason(moderator, job, api, scenario, reelvet_sandbox):
    events = [event for name, event in EVENTS if name == scenario]
    asked = job(
        scenario, detect=sorted({event.label for event in events}), channels=["visual", "ocr", "speech", "sound"], language="zh",
        on_unsupported="skip", options={"huawei": OPTIONS[api]},
    )  # fmt: skip
    ticket = await moderator.submit(asked)
    reelvet_sandbox.clock.advance(2000)
    result = await moderator.wait(ticket)
    for event in events:
        label, channel = AS_ANOTHER.get((api, event.label), (event.label, event.channel))
        told = [
            finding
            for finding in result.findings
            if f"{label}.".startswith(f"{finding.label}.") and finding.channel is channel
            and finding.start <= event.until and (finding.end or finding.start) >= event.start
        ]  # fmt: skip
        named = {(scenario, event.label), (scenario, event.label, api)} & set(NO_WORD)
        assert bool(told) is not bool(named), event
        row = next(row for row in result.coverage if (row.label, row.channel) == (event.label, event.channel))
        if named and NO_WORD[next(iter(named))] not in {LOW, BETWEEN}:  # what it cannot see is never called clean
            assert row.state == "not_evaluated"
