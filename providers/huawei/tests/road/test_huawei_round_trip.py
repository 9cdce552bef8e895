"""A scenario, told by the emulator in Huawei's words and read back: what comes back is the scenario, less what Huawei cannot say.

What is missing is in the coverage: not looked at, or looked for as a part of something wider.
"""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reelvet import AsyncModerator, Config, CoverageState, ModerationJob, Verdict
from reelvet.schema.media import Channel

URL = "https://videos.obs.cn-north-4.myhuaweicloud.com/generated.mp4"
VISUAL, OCR, SPEECH, SOUND = Channel.VISUAL, Channel.OCR, Channel.SPEECH, Channel.SOUND
STRETCH = 10

AS_IT_IS = (
    "sexual.explicit.pornography", "sexual.suggestive", "violence.weapons.firearm", "violence.weapons.bladed", "violence.weapons.military",
    "violence.graphic.blood_gore", "violence.graphic.explosion_fire", "violence.graphic.kidnapping", "violence.unrest.riot", "disturbing.death.corpse",
    "extremism.terrorism", "extremism.terrorism.organization", "extremism.cult", "hate.symbol.nazi", "politics.figure", "politics.event.negative",
    "politics.assembly.crowd", "context.security_forces.uniform",
)  # fmt: skip
SEEN = {label: label for label in AS_IT_IS} | {
    "sexual.suggestive.pose": "sexual.suggestive",
    "sexual.explicit.nudity_buttocks": "sexual.explicit.pornography",  # a category's name, which is that of a class too
    "extremism.terrorism.act": "extremism.terrorism",
}
"""What is seen -> how it comes back. Below the category, in the words of the vendor's image moderation."""
TEXT = {
    "politics.figure": "politics", "sexual.explicit.pornography": "sexual", "spam.advertising": "spam.advertising",
    "harassment.abuse": "harassment.abuse",
}  # fmt: skip
SAYS = {
    ("v2", VISUAL): SEEN,
    ("v2", OCR): TEXT | {"illicit.contraband": "illicit.contraband", "spam.flooding": "spam.flooding", "spam.advertising.qr_code": "spam.advertising",
                         "spam.advertising.law_violation": "spam.advertising"},
    ("v2", SPEECH): TEXT | {"illicit.contraband": "illicit.contraband", "spam.flooding": "spam.flooding", "spam.advertising.law_violation": "spam.advertising",
                            "spam.advertising.qr_code": "spam.advertising"},
    ("v2", SOUND): {},
    ("v3", VISUAL): SEEN,
    ("v3", OCR): TEXT | {"illicit.contraband": "illicit", "extremism.terrorism.act": "extremism.terrorism", "text_violation": "text_violation",
                         "custom": "custom", "spam.meaningless": "spam.meaningless", "spam.advertising.qr_code": "spam.advertising.qr_code",
                         "spam.advertising.law_violation": "spam.advertising.law_violation"},
    ("v3", SPEECH): TEXT | {"spam.advertising.law_violation": "spam.advertising.law_violation", "spam.advertising.qr_code": "spam.advertising"},
    ("v3", SOUND): {"sexual.sound.moaning": "sexual.sound.moaning"},
}  # fmt: skip
"""API and channel -> what is there -> how it comes back; anything else the vendor has no word for."""
SPOKEN = {"politics", "sexual", "spam.advertising", "harassment.abuse"}
FRAMES = {("politics.figure", VISUAL), ("extremism.terrorism", VISUAL), ("sexual", VISUAL)}
CLEARS = {
    "v2": FRAMES | {(label, channel) for label in SPOKEN | {"illicit.contraband", "spam.flooding"} for channel in (OCR, SPEECH)},
    "v3": FRAMES | {("text_violation", OCR), ("sexual.sound.moaning", SOUND)} | {(label, SPEECH) for label in SPOKEN},
}  # fmt: skip
"""Whose silence is absence: a category's own label; never one below it, nor one of an open list."""
UNSEEN = ["gambling", "child_safety.sexual", "self_harm", "context.person.face_female", "violence", "hate"]
CATEGORY = {label: "porn" for label in SEEN if label.startswith("sexual")} | {"politics.figure": "politics"}
"""What is seen -> the category that sees it; the rest `terrorism`."""
OPTIONS = {
    "v2": {
        "categories": ["porn", "terrorism", "politics"], "text_categories": ["politics", "porn", "ad", "abuse", "contraband", "flood"],
        "use_ocr": True, "use_sis": True,
    },
    "v3": {
        "image_categories": ["porn", "politics", "terrorism", "image_text"], "audio_categories": ["porn", "ad", "politics", "moan", "abuse"],
    },
}  # fmt: skip

labels = sorted({label for known in SAYS.values() for label in known} | set(UNSEEN))
words = st.sampled_from(["买一送一", "笨蛋", "来玩吧"])


@st.composite
def scenarios(draw):
    duration = draw(st.integers(5, 40))
    events = []
    for _ in range(draw(st.integers(0, 7))):
        start = draw(st.integers(0, duration))
        channel = draw(st.sampled_from([VISUAL, VISUAL, OCR, SPEECH, SOUND]))
        label = draw(st.sampled_from(sorted(SAYS["v2", channel] | SAYS["v3", channel]) + UNSEEN))
        events.append({
            "label": label, "start": start, "end": draw(st.integers(start, duration)), "score": draw(st.integers(0, 100)) / 100,
            "channel": channel.value, "text": draw(words),
        })  # fmt: skip
    return {"name": "generated", "duration": duration, "events": events}


def frames(scenario, interval):
    return [float(time) for time in range(0, int(scenario.duration), interval)]


def there(scenario, channel, time):
    return [e for e in scenario.events if e.channel is channel and e.start <= time <= e.until]


def told(event, api, channel=None):
    """How an event comes back; `None`: the vendor has no word for it, or does not report it at that score."""
    return SAYS[api, channel or event.channel].get(event.label) if event.score > 0.5 else None


def expected_v2(scenario, interval):
    """Frames with all classes of a category, of which those count that are surer than nothing; text and speech without a score."""
    found = set()
    for time in frames(scenario, interval):
        end = min(time + interval, scenario.duration)
        seen = [e for e in there(scenario, VISUAL, time) if e.label in SEEN and e.score]
        for category in ("porn", "terrorism", "politics"):
            best = {}
            for event in seen:
                if CATEGORY.get(event.label, "terrorism") == category:
                    best[SEEN[event.label]] = max(event.score, best.get(SEEN[event.label], 0))
            most = max(best.values(), default=0)
            found |= {
                (label, VISUAL, score, time, end)
                for label, score in best.items()
                if most > 0.5 and score > round(1 - most, 6)
            }
        found |= {(told(e, "v2"), OCR, None, time, end) for e in there(scenario, OCR, time) if told(e, "v2")}
    found |= {
        (told(e, "v2"), SPEECH, None, e.start, e.until)
        for e in scenario.events
        if e.channel is SPEECH and told(e, "v2")
    }
    return found


def expected_v3(scenario, interval):
    """Frames with a hit for each thing, stretches of ten seconds of sound, all with scores; a code is read as text."""
    found = set()
    for time in frames(scenario, interval):
        seen = [*there(scenario, VISUAL, time), *there(scenario, OCR, time)]
        found |= {(told(e, "v3"), e.channel, e.score, time, None) for e in seen if told(e, "v3")}
        codes = [e for e in there(scenario, VISUAL, time) if e.label == "spam.advertising.qr_code"]
        found |= {(e.label, OCR, e.score, time, None) for e in codes if told(e, "v3", OCR)}
    for start in range(0, int(scenario.duration), STRETCH):
        end = min(float(start + STRETCH), scenario.duration)
        heard = [e for e in scenario.events if e.channel in {SPEECH, SOUND} and e.start < end and e.until >= start]
        found |= {(told(e, "v3"), e.channel, e.score, float(start), end) for e in heard if told(e, "v3")}
    return found


def is_within(label, parent):
    return label == parent or label.startswith(f"{parent}.")


@pytest.fixture(scope="module")
def loop():
    made = asyncio.new_event_loop()
    yield made
    made.close()


@pytest.mark.parametrize("api", ["v2", "v3"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=scenarios(), interval=st.integers(1, 12))
def test_what_the_emulator_tells_is_read_back(reelvet_sandbox, loop, api, data, interval):
    reelvet_sandbox.reset()
    scenario = reelvet_sandbox.scenario(URL, data)
    job = ModerationJob(
        media=URL, detect=labels, channels=["visual", "ocr", "speech", "sound"], language="zh", interval=interval,
        on_unsupported="skip", options={"huawei": OPTIONS[api]},
    )  # fmt: skip

    async def moderate():
        config = reelvet_sandbox.config("huawei")
        config["providers"]["huawei"]["api"] = api
        async with AsyncModerator(Config.parse(config)) as moderator:
            return await moderator.moderate(job)

    result = loop.run_until_complete(moderate())
    assert result.status == "succeeded"
    assert result.media.sampling == f"a frame every {interval} s"

    expected = (expected_v2 if api == "v2" else expected_v3)(scenario, interval)
    assert {(f.label, f.channel, f.score, f.start, f.end) for f in result.findings} == expected
    for finding in result.findings:
        assert finding.suggestion in {Verdict.REVIEW, Verdict.BLOCK}
        if finding.channel is OCR:
            assert finding.text or finding.native.sub_label == "qr_code"
    if not expected:
        assert result.verdict is Verdict.PASS
    assert not {note.code for note in result.warnings} & {"unmapped", "contradiction", "unreadable_result"}

    hits = {(f.label, f.channel) for f in result.findings}
    for row in result.coverage:
        below = [label for label, channel in hits if channel is row.channel and is_within(label, row.label)]
        if below:
            assert row.state is CoverageState.HIT, row
        elif (row.label, row.channel) in CLEARS[api] and not was_found_as_something_else(row, result.findings):
            assert row.state is CoverageState.CLEAN, row
        else:
            assert (row.state, bool(row.why)) == (CoverageState.NOT_EVALUATED, True), row
    missed = {(e.label, e.channel) for e in scenario.events if e.label not in SAYS[api, e.channel]}
    states = {(row.label, row.channel): row.state for row in result.coverage}
    assert {states[place] for place in missed} <= {CoverageState.NOT_EVALUATED, CoverageState.HIT}


def was_found_as_something_else(row, findings):
    """A category that hit, and what it hit is not what its own label stands for: then it was not silent."""
    category = {("extremism.terrorism", VISUAL): "terrorism", ("text_violation", OCR): "image_text"}.get(
        (row.label, row.channel)
    )
    return any(finding.native.label == category for finding in findings)
