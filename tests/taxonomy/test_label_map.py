"""From a vendor's word to a unified id: the files that ship, and what is refused in one."""

import csv
from pathlib import Path

import pytest

from reelvet.schema.errors import PluginError
from reelvet.schema.media import Channel
from reelvet.schema.result import Relation
from reelvet.taxonomy import LabelMap, Taxonomy

TREE = Taxonomy.default()
HEAD = "# name: acme\n# version: 2026-11\nfield,native,unified,relation,channel,note\n"
FILES = sorted(Path(__file__).parents[2].glob("providers/*/src/*/labels.csv"))


def parse(*rows):
    return LabelMap.parse(HEAD + "\n".join(rows), TREE)


def test_the_files_are_found():
    """The four providers of the design bring a map each."""
    assert [file.parts[-4] for file in FILES] == ["gcore", "huawei", "local", "tencent"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parts[-4])
def test_a_shipped_map_loads_and_names_only_known_labels(file):
    """Every id exists, every row says something, name and version are stated for `versions.label_map`."""
    text = file.read_text(encoding="utf-8")
    labels = LabelMap.parse(text, TREE, origin=str(file))
    assert labels.name == file.parts[-4]
    assert str(labels) == f"{labels.name} {labels.version}"
    assert len(labels.version) == len("2026-11")
    assert all(m.label is None or m.label in TREE for m in labels)
    assert all(m.field and m.native for m in labels)
    assert all((m.label is None) == (m.relation is Relation.NONE) for m in labels)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parts[-4])
def test_a_shipped_map_has_only_what_a_video_api_can_answer(file):
    """Rows of text APIs and retired fields stay out, and no row stands there twice."""
    rows = list(csv.reader(line for line in file.read_text(encoding="utf-8").splitlines() if line[:1] != "#"))
    assert not [row for row in rows if "text" in row[4].split("|")]
    assert not [row for row in rows if row[0] == "VOD review legacy label"]
    places = [(m.field, m.native, m.label, m.channel) for m in LabelMap.parse(file.read_text(encoding="utf-8"), TREE)]
    assert len(places) == len(set(places))


def test_a_map_is_loaded_from_a_package():
    """As providers do it, by import name."""
    labels = LabelMap.load("reelvet_local", TREE)
    assert [(m.native, m.label, m.relation) for m in labels] == [("nsfw", "sexual.explicit.pornography", "close")]


@pytest.mark.parametrize("relation", ["exact", "close", "broad", "narrow"])
def test_a_row_says_how_the_words_stand_to_each_other(relation):
    """The relation decides what silence is worth."""
    (found,) = parse(f"Label,Porn,sexual.explicit,{relation},visual,a note").find("Label", "Porn")
    assert (found.label, found.relation, found.channel, found.note) == (
        "sexual.explicit",
        relation,
        Channel.VISUAL,
        "a note",
    )


def test_a_clean_row_stands_for_nothing_found():
    """`(clean)` with `none`: the word is known, and means no label."""
    (found,) = parse("Label,Normal,(clean),none,any,").find("Label", "Normal")
    assert (found.label, found.relation, found.channel, found.note) == (None, Relation.NONE, None, "")


@pytest.mark.parametrize(
    ("written", "asked", "channels"),
    [
        ("any", None, [None]),
        ("any", Channel.OCR, [None]),
        ("ocr|speech", None, [Channel.OCR, Channel.SPEECH]),
        ("ocr|speech", Channel.SPEECH, [Channel.SPEECH]),
        ("ocr|speech", Channel.VISUAL, []),
        ("visual", Channel.VISUAL, [Channel.VISUAL]),
    ],
)
def test_channels_are_one_several_or_any(written, asked, channels):
    """`any` is the channel of the field it is met in; lists are expanded."""
    found = parse(f"Label,Porn,sexual,broad,{written},").find("Label", "Porn", asked)
    assert [m.channel for m in found] == channels


def test_a_word_that_is_not_in_the_map_is_not_guessed():
    """Law 1: empty, so that the provider says `unmapped`. Spelling and field are the vendor's."""
    labels = parse("Label,Porn,sexual,broad,any,")
    assert labels.find("Label", "porn") == ()
    assert labels.find("SubLabel", "Porn") == ()


def test_one_word_may_stand_for_several_labels():
    """In the order of the file."""
    labels = parse(
        "Label,GunBlood,violence.weapons.firearm,broad,any,", "Label,GunBlood,violence.graphic.blood_gore,broad,any,"
    )
    assert [m.label for m in labels.find("Label", "GunBlood")] == [
        "violence.weapons.firearm",
        "violence.graphic.blood_gore",
    ]
    assert len(list(labels)) == 2


BROKEN = {
    "no name": ("# version: 1\nfield,native,unified,relation,channel,note\n", "# name"),
    "no version": ("# name: acme\nfield,native,unified,relation,channel,note\n", "# version"),
    "empty name": ("# name:\n# version: 1\nfield,native,unified,relation,channel,note\n", "# name"),
    "empty": ("", "# name"),
    "no columns": ("# name: a\n# version: 1\n", "field,native,unified"),
    "other columns": ("# name: a\n# version: 1\nlabel,unified\n", "field,native,unified"),
    "unknown id": (HEAD + "Label,Porn,sexul,broad,any,", "line 4: 'Porn' is mapped to 'sexul'"),
    "unknown relation": (HEAD + "Label,Porn,sexual,same,any,", "line 4: malformed row"),
    "unknown channel": (HEAD + "Label,Porn,sexual,broad,text,", "'text'"),
    "one of the channels": (HEAD + "Label,Porn,sexual,broad,ocr|text,", "'text'"),
    "no channel": (HEAD + "Label,Porn,sexual,broad,,", "line 4: malformed row"),
    "too short": (HEAD + "Label,Porn,sexual,broad", "line 4: malformed row"),
    "too long": (HEAD + "Label,Porn,sexual,broad,any,a note, with a comma", "line 4: malformed row"),
    "blank": (HEAD + "Label,Porn,sexual,broad,any,\n\n", "line 5: malformed row"),
    "clean with a relation": (HEAD + "Label,Normal,(clean),exact,any,", "'(clean)'"),
    "a label with none": (HEAD + "Label,Porn,sexual,none,any,", "'(clean)'"),
    "a later row": (HEAD + "Label,Porn,sexual,broad,any,\nLabel,X,nope,exact,any,", "line 5: 'X'"),
}


@pytest.mark.parametrize(("text", "says"), BROKEN.values(), ids=BROKEN)
def test_a_malformed_map_names_the_file_and_the_row(text, says):
    """A wrong row would be a wrong verdict later; the author finds the line."""
    with pytest.raises(PluginError) as caught:
        LabelMap.parse(text, TREE, origin="acme/labels.csv")
    assert says in str(caught.value)
    assert "acme/labels.csv" in str(caught.value)
