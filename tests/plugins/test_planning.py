"""Law 6: demands are met or refused, wishes are honoured or told; nothing is dropped in silence."""

import pytest

from reelvet.plugins import Capabilities, Capability, TranscriptCapability, ask
from reelvet.schema.errors import UnknownLabel
from reelvet.schema.job import ModerationJob
from reelvet.schema.media import Channel, MediaKind
from reelvet.schema.result import Relation
from reelvet.taxonomy import Taxonomy

TREE = Taxonomy.default()
V, O, S = Channel.VISUAL, Channel.OCR, Channel.SPEECH  # noqa: E741
ABLE = Capabilities(
    entries=(
        Capability("sexual.explicit.pornography", (V, O)),
        Capability("violence", (V,), Relation.BROAD),
        Capability("politics.figure", (V,)),
        Capability("hate.speech", (S,), kinds=(MediaKind.VIDEO, MediaKind.AUDIO)),
    ),
    wishes=frozenset({"interval"}),
    transcript=TranscriptCapability(languages=("en", "pt-BR"), translations=("de",)),
    regions=("eu", "uk"),
    price_class="free",
)
URL = "https://cdn.example.com/a.mp4"


def asked(able=ABLE, media=URL, **fields):
    return ask(ModerationJob(media=media, **fields), able, TREE, provider="acme")


def planned(result):
    return {(row.label, row.channel) for row in result.coverage if row.state == "planned"}


def test_nothing_said_means_every_harm_the_instance_can_see_where_it_sees_it():
    """`detect=None`, `channels=None`: no sensitive label, no channel it does not cover the label in."""
    result = asked()
    assert planned(result) == {
        ("sexual.explicit.pornography", V),
        ("sexual.explicit.pornography", O),
        ("violence", V),
        ("hate.speech", S),
    }
    assert len(result.coverage) == 4
    assert (result.unsupported, result.warnings) == ([], [])


def test_channels_given_narrow_it():
    """And each of them must be of use."""
    assert planned(asked(channels=["ocr"])) == {("sexual.explicit.pornography", O)}
    assert asked(channels=["ocr"]).unsupported == []


def test_a_pattern_is_one_row_per_label_and_channel():
    """What the provider covers in part is no refusal: the rest is not_evaluated, and says so."""
    result = asked(detect=["sexual"])
    assert {row.label for row in result.coverage} == set(TREE.expand("sexual"))
    assert len({(row.label, row.channel) for row in result.coverage}) == len(result.coverage)
    rest = [row for row in result.coverage if row.state != "planned"]
    assert rest
    assert all(row.state == "not_evaluated" and row.why and not row.clearable for row in rest)
    assert result.unsupported == []


def test_channels_and_labels_asked_twice_are_rows_once():
    """Overlap is no second look."""
    once = asked(detect=["violence"], channels=["visual"])
    twice = asked(detect=["violence", "violence", "violence.*"], channels=["visual", "visual"])
    assert twice.coverage == once.coverage


def test_a_label_nobody_can_see_still_gets_its_rows():
    """In the channels that were asked for, else in one: silence in the coverage would read as clean."""
    rows = asked(detect=["gambling"], channels=["visual", "sound"]).coverage
    assert {(row.label, row.channel, row.state) for row in rows} == {
        ("gambling", "visual", "not_evaluated"), ("gambling", "sound", "not_evaluated"),
    }  # fmt: skip
    assert [row.state for row in asked(detect=["gambling"]).coverage] == ["not_evaluated"]
    assert [row.state for row in asked(Capabilities(), detect=["gambling"]).coverage] == ["not_evaluated"]


@pytest.mark.parametrize(
    ("detect", "looks_for"),
    [
        (["violence"], {V: ["violence"]}),
        (["violence.weapons.firearm"], {V: ["violence"]}),  # coarse: its hits are wanted
        (["sexual"], {V: ["sexual.explicit.pornography"], O: ["sexual.explicit.pornography"]}),
        (["gambling"], {}),
    ],
)
def test_what_must_be_looked_for_is_told_in_the_instances_own_labels(detect, looks_for):
    """What a provider makes its tasks of."""
    assert asked(detect=detect).looks_for == looks_for


REFUSED = [
    # job, capabilities, the field that is refused, words, an alternative
    ({"detect": ["gambling"]}, ABLE, "detect", "'gambling'", "violence"),
    ({"detect": ["violence", "gambling"]}, ABLE, "detect", "'gambling'", "violence"),
    ({"detect": ["sexual.partial_nudity"]}, ABLE, "detect", "'sexual.partial_nudity'", "sexual.explicit.pornography"),
    ({"detect": ["hate"], "channels": ["visual"]}, ABLE, "detect", "in visual", "hate.speech"),
    ({"channels": ["visual", "sound"]}, ABLE, "channels", "'sound'", "visual"),
    ({"media": "cos://bucket/a.mp4"}, ABLE, "media", "cos", "https://"),
    ({"media": {"url": URL, "kind": "image"}}, ABLE, "media.kind", "image", "video"),
    ({}, Capabilities(entries=(Capability("politics", (V,)),)), "detect", "no harm label", None),
    ({"transcript": {}}, Capabilities(entries=ABLE.entries), "transcript", "no transcripts", None),
    ({"transcript": {"languages": ["en", "zh"]}}, ABLE, "transcript.languages", "'zh'", "pt-BR"),
    ({"transcript": {"translate_to": "fr"}}, ABLE, "transcript.translate_to", "'fr'", "de"),
    ({"transcript": {"translate_to": "fr"}}, Capabilities(entries=ABLE.entries, transcript=TranscriptCapability()), "transcript.translate_to", "does not translate", "a transcript without translation"),
    ({"regions": ["eu"]}, ABLE, "regions", "eu, uk", None),
    ({"regions": ["eu"]}, Capabilities(entries=ABLE.entries), "regions", "not known", None),
    ({"max_cost": "1 USD"}, Capabilities(entries=ABLE.entries), "max_cost", "1 USD", "leave max_cost out"),
]  # fmt: skip


@pytest.mark.parametrize(("job", "able", "field", "says", "instead"), REFUSED, ids=lambda value: str(value)[:40])
def test_a_demand_that_cannot_be_met_is_refused_with_what_would_work(job, able, field, says, instead):
    """One entry, naming the field and the value; `plan` keeps it as data."""
    (refused,) = [each for each in asked(able, **{"media": URL, **job}).unsupported if each.field == field]
    assert says in refused.says
    assert instead is None or instead in refused.alternatives


@pytest.mark.parametrize(
    "job",
    [
        {"detect": ["*"]},
        {"detect": ["violence.graphic"]},
        {"detect": [], "transcript": {}},
        {"detect": [], "transcript": {}, "channels": ["sound"]},
        {"transcript": {"languages": ["en-US", "EN"], "translate_to": "de-AT"}},
        {"regions": ["uk", "us", "eu"]},
        {"max_cost": "0.01 USD"},
        {"channels": ["speech"], "detect": ["hate"]},
    ],
    ids=repr,
)
def test_a_demand_that_can_be_met_is_not_refused(job):
    """In part, coarsely, by a wider tag: what can be sent is sent."""
    assert asked(**job).unsupported == []


def test_media_that_stays_here_is_in_no_vendors_region():
    """A local provider meets every regional demand."""
    assert asked(Capabilities(entries=ABLE.entries, regions=("here",)), regions=["eu"]).unsupported == []


def test_only_what_works_on_the_kind_of_media_is_planned():
    """A label seen in videos is not promised for audio."""
    assert planned(asked(media={"url": URL, "kind": "audio"})) == {("hate.speech", S)}


WISHES = {
    "interval": {"interval": 2}, "stop_on": {"stop_on": {"sexual": 0.9}}, "callback": {"callback": {"url": "https://me/cb"}},
    "user": {"user": "u"}, "metadata": {"metadata": {"a": 1}}, "language": {"media": {"url": URL, "language": "en"}},
}  # fmt: skip


@pytest.mark.parametrize(("wish", "job"), WISHES.items(), ids=WISHES)
def test_a_wish_is_honoured_or_told(wish, job):
    """So that one job runs on every vendor that sees what it asks for."""
    able, unable = (Capabilities(entries=ABLE.entries, wishes=frozenset(w)) for w in ([wish], []))
    assert asked(able, **job).warnings == []
    (told,) = asked(unable, **job).warnings
    assert told.code == "wish_ignored"
    assert told.says.startswith(wish)
    assert asked(unable, **job).unsupported == []


@pytest.mark.parametrize(
    ("job", "field"), [({"detect": ["violense"]}, "detect"), ({"stop_on": {"violense": 0.5}}, "stop_on"), ({"detect": ["violense*"]}, "detect")]
)  # fmt: skip
def test_an_unknown_label_is_the_callers_mistake(job, field):
    """It is no refusal of the provider: no provider knows it. The nearest is suggested."""
    with pytest.raises(UnknownLabel) as caught:
        asked(**job)
    assert caught.value.field == field
    assert "violence" in caught.value.nearest


def test_what_one_job_does_with_its_answer_does_not_reach_the_next():
    """Plans of equal jobs are worked out once; nobody gets another's lists."""
    first = asked(detect=["violence"])
    first.coverage.clear()
    first.looks_for[V].append("x")
    first.unsupported.append(None)
    second = asked(detect=["violence"])
    assert second.coverage
    assert second.looks_for == {V: ["violence"]}
    assert second.unsupported == []
    assert asked(detect=["violence"], channels=["ocr"]).unsupported


def test_the_best_entry_of_a_place_counts():
    """Two ways to see one label: the conclusive one decides what silence is worth."""
    able = Capabilities(
        entries=(Capability("violence", (V,), Relation.NARROW), Capability("violence", (V,), Relation.CLOSE))
    )
    assert able.by_place["violence", V].relation is Relation.CLOSE
    assert able.channels == (V,)
