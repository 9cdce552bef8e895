"""The labels as data, and the patterns that stand for several of them."""

import re
from collections import Counter

import pytest

from reelvet.schema.errors import PluginError, UnknownLabel
from reelvet.taxonomy import QUARANTINE, UNMAPPED, Kind, Label, Taxonomy

TREE = Taxonomy.default()


def own(id_, parent, kind=Kind.HARM):
    return Label(id=id_, kind=kind, definition="Something of our own", parent=parent)


def test_every_label_is_there():
    """252 ids: a missing one would turn stored results into riddles."""
    assert len(TREE) == 252
    assert Counter(label.kind for label in TREE) == {"harm": 106, "sensitive": 72, "context": 71, "meta": 3}
    assert len(TREE.harms) == 106
    assert {UNMAPPED, QUARANTINE, "custom", "text_violation"} <= {label.id for label in TREE}


def test_every_aws_label_has_an_id():
    """All 52 names of AWS Rekognition's taxonomy, version 7, for those who come from there."""
    names = {name for label in TREE if label.aws_v7 for name in label.aws_v7.split("; ")}
    assert len(names) == 52


def test_ids_are_well_formed_and_their_parents_exist():
    """Dotted, one to three levels, each with a definition; the parent is the id above."""
    for label in TREE:
        assert re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+){0,2}", label.id), label.id
        assert label.definition, label.id
        assert label.parent == (label.id.rpartition(".")[0] or None)
        assert label.parent is None or label.parent in TREE


@pytest.mark.parametrize(
    ("pattern", "holds", "lacks"),
    [
        ("disturbing.death", ["disturbing.death", "disturbing.death.corpse", "disturbing.death.emaciation"], ["disturbing"]),
        ("disturbing.death.*", ["disturbing.death.corpse", "disturbing.death.emaciation"], ["disturbing.death"]),
        ("sexual.explicit.nudity*", ["sexual.explicit.nudity", "sexual.explicit.nudity_anus"], ["sexual.explicit.activity"]),
        ("sexual.*", ["sexual.explicit", "sexual.explicit.nudity"], ["sexual"]),
        ("s*", ["sexual", "sexual.explicit.nudity", "self_harm", "spam"], ["violence"]),
        ("gambling", ["gambling"], ["violence"]),
        ("vio*.w*", ["violence.weapons", "violence.graphic.weapon_violence"], ["violence", "violence.unrest"]),
        ("*", ["sexual", "unmapped", "context.sport.golf_putting"], []),
    ],
)  # fmt: skip
def test_a_pattern_stands_for_its_labels(pattern, holds, lacks):
    """Each once, the general before the special."""
    found = TREE.expand(pattern)
    assert set(holds) <= set(found)
    assert not set(lacks) & set(found)
    assert len(found) == len(set(found))


def test_expand_all_names_each_label_once_in_order():
    """Overlapping patterns are one demand."""
    assert TREE.expand_all(["gambling", "disturbing.death.*", "disturbing.death", "gambling"]) == (
        "gambling", "disturbing.death.corpse", "disturbing.death.emaciation", "disturbing.death",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "nearest"),
    [
        ("sexul", "sexual"),
        ("sexual.explict", "sexual.explicit"),
        ("nudity_buttocks", "sexual.explicit.nudity_buttocks"),
        ("violence.weapon", "violence.weapons"),
        ("sexual.explict.*", "sexual.explicit"),
        ("SEXUAL", "sexual"),
        ("gambling.*", "gambling"),
        ("sexual.?xplicit*", "sexual.explicit"),
    ],
)
def test_an_unknown_label_suggests_the_nearest(wrong, nearest):
    """In the error's text and for programs; a wild card stands at the end alone."""
    with pytest.raises(UnknownLabel) as caught:
        TREE.expand(wrong, field="stop_on")
    assert nearest in caught.value.nearest
    assert repr(nearest) in str(caught.value)
    assert (caught.value.label, caught.value.field) == (wrong, "stop_on")


@pytest.mark.parametrize("wrong", ["zzzzqqq", "", "sexual.*.nudity", "[s]exual*", "sexual.+*"])
def test_what_looks_like_nothing_is_refused_as_well(wrong):
    """Without a guess, the error says where the labels are listed."""
    with pytest.raises(UnknownLabel) as caught:
        TREE.expand(wrong)
    assert caught.value.nearest or "reelvet labels" in str(caught.value)


def test_kind_and_item_of_an_unknown_label_are_refused():
    """No quiet default."""
    with pytest.raises(UnknownLabel):
        TREE["sexul"]
    with pytest.raises(UnknownLabel):
        TREE.kind("sexul")
    assert TREE.kind("politics") is Kind.SENSITIVE


@pytest.mark.parametrize(
    ("label", "ancestor", "within"),
    [
        ("child_safety.sexual.abuse", QUARANTINE, True),
        (QUARANTINE, QUARANTINE, True),
        ("child_safety", "child_safety.sexual", False),
        ("sexual.explicit", QUARANTINE, False),
        ("child_safety_not", QUARANTINE, False),
    ],
)
def test_within_is_by_the_tree_and_not_by_spelling(label, ancestor, within):
    """Law 15 hangs on it."""
    assert TREE.is_within(label, ancestor) is within


@pytest.fixture
def grown():
    return TREE.extended(
        "acme",
        [own("x.acme.gore", "violence.graphic"), own("x.acme.gore_cartoon", "x.acme.gore"), own("x.acme.minor.a", "child_safety.sexual")],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("violence", True), ("violence.*", True), ("violence.graphic", True), ("violence.graphic.*", True), ("viol*", True), ("x.acme.gore", True),
        ("x.acme.*", True), ("x.*", True), ("*", True), ("sexual", False), ("violence.weapons.*", False),
    ],
)  # fmt: skip
def test_a_pattern_on_the_parent_matches_a_plugins_labels(grown, pattern, found):
    """Who asks for violence gets the vendor's own kind of it, whatever it is called."""
    assert ({"x.acme.gore", "x.acme.gore_cartoon"} <= set(grown.expand(pattern))) is found


def test_a_plugins_label_is_a_full_member_of_the_tree(grown):
    """Ancestors, kind, harms, quarantine; the tree that was extended stays as it was."""
    assert grown.ancestors("x.acme.gore_cartoon") == ("x.acme.gore", "violence.graphic", "violence")
    assert "x.acme.gore" in grown.harms
    assert grown.is_within("x.acme.minor.a", QUARANTINE)
    assert "x.acme.gore" not in TREE
    assert len(grown) == len(TREE) + 3
    assert TREE.extended("acme", []) is TREE


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        ([own("violence.acme", "violence")], "must begin with 'x.acme.'"),
        ([own("x.other.gore", "violence")], "must begin with 'x.acme.'"),
        ([own("x.acme", "violence")], "must begin with 'x.acme.'"),
        ([own("x.acme.Gore", "violence")], "must begin with 'x.acme.'"),
        ([own("x.acme.gore", None)], "unknown parent None"),
        ([own("x.acme.gore", "violense")], "unknown parent 'violense'"),
        ([own("x.acme.gore", "x.acme.gore")], "its own ancestor"),
        ([own("x.acme.a", "x.acme.b"), own("x.acme.b", "x.acme.a")], "its own ancestor"),
        ([own("x.acme.a", "x.acme.b"), own("x.acme.b", "nowhere")], "unknown parent"),
        ([own("x.acme.gore", "violence"), own("x.acme.gore", "hate")], "already registered"),
    ],
)
def test_a_plugins_wrong_labels_are_refused(labels, says):
    """Outside its branch, without a place in the tree, in a circle, or twice."""
    with pytest.raises(PluginError, match=re.escape(says)) as caught:
        TREE.extended("acme", labels)
    assert caught.value.plugin == "acme"


def test_a_plugin_may_not_take_a_label_that_is_taken(grown):
    """Ids are permanent."""
    with pytest.raises(PluginError, match="already registered"):
        grown.extended("acme", [own("x.acme.gore", "hate")])
