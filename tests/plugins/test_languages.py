"""What works in some languages only says nothing of media in another, nor of media whose language nobody said."""

import pytest

from reelvet import ModerationJob
from reelvet.plugins import Capabilities, Capability, Looked, ask, final_coverage, plan_coverage
from reelvet.schema.media import Channel
from reelvet.schema.result import CoverageState, Finding, Native, Relation
from reelvet.taxonomy import Taxonomy

TREE = Taxonomy.default()
URL = "https://h.example/a.mp4"
ABUSE, SPAM, SEXUAL = "harassment.abuse", "spam.advertising", "sexual"
ABLE = Capabilities(
    entries=(
        Capability(SEXUAL, (Channel.VISUAL,), Relation.BROAD),
        Capability(SEXUAL, (Channel.SPEECH,), Relation.BROAD, languages=("zh",)),
        Capability(ABUSE, (Channel.SPEECH, Channel.OCR), languages=("zh",)),
        Capability("sexual.sound.moaning", (Channel.SOUND,)),
    ),
    wishes=frozenset({"language"}),
)
LOOKED = [
    Looked([SEXUAL], Channel.VISUAL),
    Looked([SEXUAL, ABUSE], Channel.SPEECH),
    Looked([ABUSE], Channel.OCR),
    Looked(["sexual.sound.moaning"], Channel.SOUND),
]


def asked(**fields):
    return ask(ModerationJob(media=URL, **fields), ABLE, TREE, provider="acme")


def states(rows):
    return {(row.label, row.channel.value): row.state.value for row in rows}


def settle(rows, findings=()):
    return final_coverage(rows, LOOKED, findings, ABLE, TREE)


@pytest.mark.parametrize("language", ["zh", "zh-Hans", "ZH-CN"])
def test_in_its_own_language_nothing_is_limited(language):
    plan = asked(detect=[ABUSE, "sexual"], language=language)
    assert not plan.warnings
    final = states(settle(plan.coverage))
    assert final[ABUSE, "speech"] == final[ABUSE, "ocr"] == final[SEXUAL, "speech"] == "clean"


def test_in_an_unknown_language_it_is_looked_for_and_its_silence_says_nothing():
    plan = asked(detect=[ABUSE, "sexual"])
    row = next(row for row in plan.coverage if (row.label, row.channel) == (ABUSE, Channel.SPEECH))
    assert (row.state, row.clearable) == (CoverageState.PLANNED, False)
    assert "in zh only" in row.why
    assert ABUSE in plan.looks_for[Channel.SPEECH]
    assert [(note.code, note.says.partition(":")[0]) for note in plan.warnings] == [("language_limited", "ocr, speech")]
    final = states(settle(plan.coverage))
    assert final[ABUSE, "speech"] == final[ABUSE, "ocr"] == final[SEXUAL, "speech"] == "not_evaluated"
    assert final[SEXUAL, "visual"] == "clean"
    assert not plan.unsupported


def test_a_hit_counts_in_whatever_language():
    plan = asked(detect=[ABUSE])
    hit = Finding(label=ABUSE, channel="speech", provider="acme", native=Native(field="f"))
    final = states(settle(plan.coverage, [hit]))
    assert (final[ABUSE, "speech"], final[ABUSE, "ocr"]) == ("hit", "not_evaluated")


def test_in_another_language_it_is_not_looked_for():
    plan = asked(detect=None, language="en")
    rows = states(plan.coverage)
    assert rows[ABUSE, "speech"] == rows[ABUSE, "ocr"] == rows[SEXUAL, "speech"] == "not_evaluated"
    assert rows[SEXUAL, "visual"] == rows["sexual.sound.moaning", "sound"] == "planned"
    assert set(plan.looks_for) == {Channel.VISUAL, Channel.SOUND}
    assert "the language of the media is 'en'" in plan.warnings[0].says
    assert states(settle(plan.coverage))[ABUSE, "speech"] == "not_evaluated"
    assert not plan.unsupported


def test_what_works_in_no_language_of_the_media_is_refused_with_why():
    item = asked(detect=[ABUSE], language="en").unsupported[0]
    assert item.field == "detect"
    assert "works in zh only, and the language of the media is 'en'" in item.says
    assert "channels" in {item.field for item in asked(detect=[ABUSE], channels=["ocr"], language="en").unsupported}


def test_the_media_s_own_language_counts_and_the_job_s_overrules_it():
    media = {"url": URL, "language": "zh"}
    assert not asked(detect=[ABUSE]).unsupported
    assert not ask(ModerationJob(media=media, detect=[ABUSE]), ABLE, TREE, provider="acme").warnings
    assert ask(ModerationJob(media=media, detect=[ABUSE], language="en"), ABLE, TREE, provider="acme").unsupported


def test_what_depends_on_no_language_is_as_it_was():
    free = Capabilities(entries=(Capability(SPAM, (Channel.OCR,)),))
    assert free.for_language(None) is free.for_language("en") is free
    (row,) = plan_coverage([(SPAM, Channel.OCR)], free, TREE, "acme")
    assert (row.clearable, row.why) == (True, None)
