"""The scenarios that are always there."""

from __future__ import annotations

from functools import cache

from reelvet.sandbox.scenario import Ending, Event, FailureReason, Region, Scenario, Speech
from reelvet.schema.media import Channel, MediaKind

_OCR, _SPEECH = Channel.OCR, Channel.SPEECH

_HELLO = (
    Speech(start=0.4, end=3.6, text="Welcome back to the channel.", translations={"de": "Willkommen zurück auf dem Kanal."}),
    Speech(start=4.1, end=8.2, text="Today we are going to the lake.", translations={"de": "Heute fahren wir an den See."}),
)  # fmt: skip


@cache
def built_in() -> tuple[Scenario, ...]:
    """All of them, `clean` first."""
    return (
        Scenario(name="clean", says="Nothing to be noticed, and nobody speaks. What any other URL stands for."),
        Scenario(
            name="block-nudity",
            says="An exposed female breast and pornography at high scores, a face, a belly, some speech.",
            events=(
                Event(label="context.person.face_female", start=2, end=26, score=0.88, box=Region(x=0.4, y=0.1, width=0.15, height=0.25)),
                Event(label="context.body.belly_exposed", start=10, end=22, score=0.81),
                Event(label="sexual.explicit.pornography", start=10, end=22, score=0.97),
                Event(
                    label="sexual.explicit.nudity_female_breast", start=12, end=20, score=0.93, box=Region(x=0.35, y=0.4, width=0.3, height=0.2)
                ),
            ),
            speech=_HELLO,
        ),
        Scenario(
            name="review-nudity",
            says="Middling scores, for a person to judge.",
            events=(
                Event(label="sexual.explicit.pornography", start=6, end=12, score=0.62),
                Event(label="sexual.explicit.nudity_buttocks", start=6, end=10, score=0.58),
                Event(label="sexual.suggestive.pose", start=4, end=14, score=0.64),
            ),
        ),
        Scenario(
            name="below-floor",
            says="Scores below what vendors report at all.",
            events=(
                Event(label="sexual.explicit.pornography", start=6, end=12, score=0.5),
                Event(label="sexual.explicit.nudity_buttocks", start=6, end=10, score=0.29),
                Event(label="violence.weapons.firearm", start=14, end=18, score=0.2),
            ),
        ),
        Scenario(
            name="between-key-frames",
            says="Pornography for a second, with no key frame in it: who looks at key frames alone misses it.",
            key_frames=10.0,
            events=(Event(label="sexual.explicit.pornography", start=12, end=13, score=0.99),),
        ),
        Scenario(
            name="sport",
            says="A ball game.",
            events=(
                Event(label="context.sport.kicking_soccer_ball", start=1, end=12, score=0.86),
                Event(label="context.sport.shooting_goal_soccer", start=13, end=19, score=0.97),
            ),
        ),
        Scenario(
            name="speech-only",
            says="Two languages, nothing to be seen.",
            speech=(*_HELLO, Speech(start=12, end=15.5, text="Das Wasser ist noch kalt.", language="de", translations={"en": "The water is still cold."})),
        ),
        Scenario(
            name="violence",
            says="A firearm, blood, and a threat that is spoken.",
            events=(
                Event(label="violence.weapons.firearm", start=3, end=9, score=0.96, box=Region(x=0.5, y=0.5, width=0.2, height=0.1)),
                Event(label="violence.graphic.blood_gore", start=8, end=11, score=0.91),
                Event(label="harassment.threat", start=5, end=7, score=0.9, channel=_SPEECH, text="I will find you", matches=("find you",)),
            ),
            speech=(Speech(start=5, end=7, text="I will find you."),),
        ),
        Scenario(
            name="text-on-screen",
            says="An advertisement and an insult, to be read.",
            events=(
                Event(label="spam.advertising.qr_code", start=0, end=8, score=0.95, box=Region(x=0.7, y=0.6, width=0.2, height=0.35)),
                Event(label="harassment.abuse", start=10, end=14, score=0.87, channel=_OCR, text="you are an idiot", matches=("idiot",)),
            ),
        ),
        Scenario(
            name="child-safety",
            says="A label that is quarantined, at a high score. There is no picture of anything.",
            events=(Event(label="child_safety.sexual", start=4, end=8, score=0.92),),
        ),
        Scenario(
            name="picture",
            says="A still picture with an exposed breast.",
            kind=MediaKind.IMAGE,
            duration=1.0,
            events=(
                Event(label="sexual.explicit.pornography", end=1, score=0.94),
                Event(label="sexual.explicit.nudity_female_breast", end=1, score=0.9),
            ),
        ),
        Scenario(
            name="long",
            says="Two hours, with something at the very end.",
            duration=7200.0,
            events=(
                Event(label="sexual.explicit.pornography", start=7080, end=7140, score=0.95),
                Event(label="sexual.explicit.nudity_male_genitalia", start=7090, end=7130, score=0.92),
            ),
        ),
        Scenario(name="broken", says="No media at all: the vendor cannot tell its type.", ending=Ending.FAILS, reason=FailureReason.UNSUPPORTED_TYPE),
        Scenario(name="unreachable", says="The vendor cannot download it.", ending=Ending.FAILS, reason=FailureReason.UNREACHABLE),
        Scenario(name="internal-error", says="The vendor fails at it again and again.", ending=Ending.FAILS, reason=FailureReason.INTERNAL),
        Scenario(name="never-finishes", says="A task that never ends.", ending=Ending.NEVER),
    )  # fmt: skip
