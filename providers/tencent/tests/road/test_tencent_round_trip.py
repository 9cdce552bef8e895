"""A scenario, told by the emulator in Tencent's words and read back: what comes back is the scenario, less what Tencent cannot say.

What is missing is in the coverage: not looked at. What lies between two pictures, or below the score from which on the
policy says Review, is what the vendor calls clean.
"""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reelvet import AsyncModerator, Config, CoverageState, ModerationJob, Verdict
from reelvet.schema.media import Channel
from reelvet.taxonomy import UNMAPPED, LabelMap, Taxonomy

TREE = Taxonomy.default()
MAP = LabelMap.load("reelvet_tencent", TREE)
RECOGNIZED = {"context.person.minor", "context.person.gender"}
PLACES = {
    (mapping.label, channel)
    for mapping in MAP
    if mapping.field.startswith(("Label", "SubLabel")) and mapping.label not in {None, UNMAPPED, *RECOGNIZED}
    for channel in Channel
    if channel is mapping.channel or (mapping.channel is None and channel is not Channel.SOUND)
}
"""What Tencent has a word for, and where."""

EVERYTHING = TREE.expand_all(["*"], field="test")
SEEN = sorted({label for label, _ in PLACES})
# What Tencent has no word for, and what it has a word only above it for.
UNSEEN = [
    label
    for label in EVERYTHING
    if not label.startswith("synthetic")
    and label not in RECOGNIZED
    and not {label, *TREE.ancestors(label), *TREE.subtree(label)} & {*SEEN, *RECOGNIZED}
]
COARSE = [
    label
    for label in EVERYTHING
    if label not in SEEN and {*TREE.ancestors(label)} & {*SEEN} and not {*TREE.subtree(label)} & {*SEEN, *RECOGNIZED}
]
ALL = [Channel.VISUAL, Channel.OCR, Channel.SPEECH, Channel.SOUND]
REVIEW, BLOCK, EVERY, SLICE = 55, 85, 5, 15


def nearest(label, channel):
    """What Tencent calls it, in our words: it, or the nearest above it."""
    return next((one for one in (label, *TREE.ancestors(label)) if (one, channel) in PLACES), None)


@st.composite
def events(draw, duration):
    start = draw(st.integers(0, duration))
    channel = draw(st.sampled_from([Channel.VISUAL, Channel.VISUAL, *ALL]))
    label = draw(st.sampled_from(draw(st.sampled_from([SEEN, SEEN, COARSE, UNSEEN]))))
    if channel is Channel.SOUND:
        label = draw(st.sampled_from(["sexual.sound.moaning", *UNSEEN]))
    event = {
        "label": label, "channel": channel.value, "start": start, "end": draw(st.integers(start, duration)),
        "score": draw(st.integers(0, 100)) / 100,
    }  # fmt: skip
    if channel is Channel.VISUAL and draw(st.booleans()):
        event["box"] = {
            "x": draw(st.integers(0, 4)) / 8,
            "y": 0.25,
            "width": 0.5,
            "height": draw(st.integers(1, 6)) / 8,
        }
    if channel in {Channel.OCR, Channel.SPEECH}:
        words = draw(st.lists(st.text("abc äß密", min_size=1).filter(str.strip), min_size=1, max_size=3))
        event |= {"text": " ".join(words).strip(), "matches": draw(st.sampled_from([[], [words[0].strip()]]))}
    return event


@st.composite
def scenarios(draw):
    duration = draw(st.integers(1, 80))
    speech = [
        {"start": n * 5, "end": n * 5 + draw(st.sampled_from([0.5, 1])), "text": draw(st.text("abc äß密.", min_size=1).filter(str.strip)).strip(), "language": "en"}
        for n in range(draw(st.integers(0, 3)))
        if n * 5 + 1 <= duration
    ]  # fmt: skip
    return {
        "name": "generated", "duration": duration, "events": draw(st.lists(events(duration), max_size=6)), "speech": speech,
    }  # fmt: skip


def expected(scenario, declared):
    """What Tencent reports: each thing it has a word for, at each picture or slice, from the policy's lowest score on."""
    found = set()
    for event in scenario.events:
        label, score = nearest(event.label, event.channel), round(event.score * 100)
        if label is None or score < REVIEW or (event.label, event.channel) not in declared:
            continue
        if event.channel in {Channel.VISUAL, Channel.OCR}:
            starts = [time for time in range(0, int(scenario.duration), EVERY) if event.is_at(time)]
        else:
            slices = range(0, int(scenario.duration), SLICE)
            until = event.start if event.channel is Channel.SPEECH else event.until
            starts = [time for time in slices if time <= until and event.start < min(time + SLICE, scenario.duration)]
            if event.channel is Channel.SOUND and starts[:1] == [0]:
                starts[0] = event.start  # times within the first slice are times of the media, whatever they count from
        suggestion = Verdict.BLOCK if score >= BLOCK else Verdict.REVIEW
        found |= {(label, event.channel, start, event.score, suggestion) for start in starts}
    return found


def check_places(result, scenario):
    """Boxes and texts are those of the scenario."""
    boxes = {event.box.pixels(scenario.width, scenario.height) for event in scenario.events if event.box is not None}
    texts = {event.text for event in scenario.events if event.text}
    for finding in result.findings:
        at = finding.box
        assert at is None or (at.x, at.y, at.width, at.height) in boxes
        assert finding.channel is not Channel.OCR or finding.text in texts
        assert finding.channel is not Channel.SPEECH or any(text in finding.text for text in texts)


def check_coverage(result, hits, covered):
    """What is missing is in the coverage."""
    for row in result.coverage:
        below = {(label, row.channel) for label in TREE.subtree(row.label)}
        looked_for = row.channel in covered
        if below & hits:
            assert row.state is CoverageState.HIT
        elif (row.label, row.channel) in PLACES and looked_for:
            assert row.state is CoverageState.CLEAN
        elif not (below & PLACES and looked_for):
            assert row.state is CoverageState.NOT_EVALUATED
            assert row.why


def check_transcript(result, scenario, edition):
    """What was said is written down."""
    (transcript,) = result.transcripts
    assert all(one.text in transcript.text for one in scenario.speech)
    if edition == "cn":  # the international edition writes down slices, and no sentences
        told = [one for one in transcript.segments if one.text in {said.text for said in scenario.speech}]
        times = [(one.start, one.end) if one.start < SLICE else (None, None) for one in scenario.speech]
        assert [one.text for one in told][: len(times)] == [one.text for one in scenario.speech]
        assert [(one.start, one.end) for one in told][: len(times)] == times


@pytest.fixture(scope="module")
def loop():
    made = asyncio.new_event_loop()
    yield made
    made.close()


def test_the_labels_of_this_test_are_of_every_kind():
    assert min(len(SEEN), len(COARSE), len(UNSEEN)) > 10


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=scenarios(), edition=st.sampled_from(["cn", "intl"]), covered=st.sampled_from([ALL, ALL, ALL[:2], ALL[2:], ALL[:1]])
)  # fmt: skip
def test_what_the_emulator_tells_is_read_back(reelvet_sandbox, loop, data, edition, covered):
    reelvet_sandbox.reset()
    covers = [{"labels": ["*"], "channels": [channel.value for channel in covered]}]
    reelvet_sandbox.set_up("tencent", edition=edition, biz_types={"reels_1": {"covers": covers}})
    url = "https://videos.example/generated.mp4"
    scenario = reelvet_sandbox.scenario(url, data)
    asked = sorted({*SEEN, *COARSE, *UNSEEN})
    listens = bool({Channel.SPEECH, Channel.SOUND} & {*covered})
    job = ModerationJob(
        media=url, detect=asked, channels=ALL, transcript={} if listens else None, on_unsupported="skip"
    )  # fmt: skip

    async def moderate():
        async with AsyncModerator(Config.parse(reelvet_sandbox.config("tencent"))) as moderator:
            return await moderator.moderate(job)

    result = loop.run_until_complete(moderate())
    declared = {(label, channel) for label in EVERYTHING for channel in covered}
    wanted = expected(scenario, declared)
    told = {(f.label, f.channel, f.start, f.score, f.suggestion) for f in result.findings}
    assert told == wanted

    check_places(result, scenario)
    check_coverage(result, {(label, channel) for label, channel, *_ in wanted}, covered)
    assert {row.label for row in result.coverage} >= {*asked}
    # The verdict is the worst that was said, or worse.
    worst = max((suggestion.severity for *_, suggestion in wanted), default=Verdict.PASS.severity)
    if all(TREE.kind(label) == "harm" for label, *_ in wanted):
        assert result.verdict.severity >= worst
    if listens and scenario.speech:
        check_transcript(result, scenario, edition)
