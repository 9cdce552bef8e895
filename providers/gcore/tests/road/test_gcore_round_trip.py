"""A scenario, told by the emulator in Gcore's words and read back: what comes back is the scenario, less what Gcore cannot say.

What is missing is in the coverage: not looked at, or below the vendor's floor.
"""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reelvet import AsyncModerator, Config, CoverageState, ModerationJob
from reelvet.schema.media import Channel
from reelvet.taxonomy import LabelMap, Taxonomy

TREE = Taxonomy.default()
MAP = LabelMap.load("reelvet_gcore", TREE)
FLOORS = {"nsfw": 0.5, "hard_nudity": 0.3, "soft_nudity": 0.3, "sport": 0.3}
OF = {name: {m.label for m in MAP if m.field == f"category={name}"} for name in FLOORS}
SEEN = sorted(set().union(*OF.values()))
UNSEEN = ["violence.weapons.firearm", "hate", "gambling", "sexual.suggestive.pose", "child_safety.sexual"]

scores = st.integers(0, 100).map(lambda n: n / 100)


@st.composite
def scenarios(draw):
    duration = draw(st.integers(12, 60))
    times = draw(
        st.one_of(
            st.sampled_from([1.0, 2.0, 7.0]), st.sets(st.integers(0, duration), min_size=1, max_size=6).map(sorted)
        )
    )
    events = []
    for _ in range(draw(st.integers(0, 6))):
        start = draw(st.integers(0, duration))
        events.append(
            {
                "label": draw(st.sampled_from(SEEN + UNSEEN)), "start": start, "end": draw(st.integers(start, duration)), "score": draw(scores),
                "channel": draw(st.sampled_from(["visual", "visual", "visual", "ocr", "speech"])),
            }
        )  # fmt: skip
    speech = [
        {
            "start": n * 2,
            "end": round(n * 2 + draw(st.sampled_from([0.5, 1.25, 1.999])), 3),
            "text": draw(st.text("abc äß密.", min_size=1)),
            "language": "en",
        }
        for n in range(draw(st.integers(0, 3)))
    ]
    return {"name": "generated", "duration": duration, "key_frames": times, "events": events, "speech": speech}


def expected(scenario, category):
    """What Gcore reports of a category: the best score of each label at each key frame, from its floor on."""
    found = set()
    for number, time in enumerate(scenario.key_frame_times):
        best = {}
        for event in scenario.events:
            if event.channel is Channel.VISUAL and event.label in OF[category] and event.start <= time <= event.until:
                best[event.label] = max(event.score, best.get(event.label, 0))
        found |= {
            (label, score, number)
            for label, score in best.items()
            if (score > 0.5 if category == "nsfw" else score >= 0.3)
        }
    return found


@pytest.fixture(scope="module")
def loop():
    made = asyncio.new_event_loop()
    yield made
    made.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=scenarios(), nudity=st.sampled_from(["hard_nudity", "soft_nudity"]))
def test_what_the_emulator_tells_is_read_back(reelvet_sandbox, loop, data, nudity):
    reelvet_sandbox.reset()
    url = "https://videos.example/generated.mp4"
    scenario = reelvet_sandbox.scenario(url, data)
    job = ModerationJob(
        media=url, detect=sorted({*OF["nsfw"], *OF[nudity], *OF["sport"], *UNSEEN}), channels=["visual", "speech"], transcript={},
        on_unsupported="skip",
        options={"gcore": {"categories": ["nsfw", nudity, "sport"], "key_frame_times": list(scenario.key_frame_times)}},
    )  # fmt: skip

    async def moderate():
        async with AsyncModerator(Config.parse(reelvet_sandbox.config("gcore"))) as moderator:
            return await moderator.moderate(job)

    result = loop.run_until_complete(moderate())
    by_category = {task.id: task.raw["task_data"].get("category") for task in result.tasks}

    for category in ("nsfw", nudity):
        told = {(f.label, f.score, f.frame) for f in result.findings if by_category[f.task] == category}
        assert told == expected(scenario, category)
    sports = {(f.label, f.score, f.frame) for f in result.findings if by_category[f.task] == "sport"}
    assert sports == {
        (e.label, e.score, round(e.start * scenario.fps))
        for e in scenario.events
        if e.channel is Channel.VISUAL and e.label in OF["sport"] and e.score >= 0.3
    }
    for finding in result.findings:
        if by_category[finding.task] != "sport":
            assert finding.start == scenario.key_frame_times[finding.frame]

    states = {(row.label, row.channel): row for row in result.coverage}
    hits = {finding.label for finding in result.findings}
    for label in (*OF["nsfw"], *OF[nudity], *OF["sport"]):
        row = states[label, Channel.VISUAL]
        assert row.state is (CoverageState.HIT if label in hits else CoverageState.BELOW_FLOOR)
        if row.state is CoverageState.BELOW_FLOOR:
            assert row.floor == (0.5 if label in OF["nsfw"] else 0.3)
    for label in UNSEEN:
        assert states[label, Channel.VISUAL].state is CoverageState.NOT_EVALUATED
    assert all(
        row.state is CoverageState.NOT_EVALUATED for (_, channel), row in states.items() if channel is Channel.SPEECH
    )

    transcript = result.transcripts[0]
    assert [(s.start, s.end, s.text) for s in transcript.segments] == [
        (s.start, s.end, s.text) for s in scenario.speech
    ]
