"""Law 3: say what was not looked at. A row becomes clean only where somebody looked, conclusively."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelvet.plugins import Capabilities, Capability, Looked, final_coverage, plan_coverage
from reelvet.schema.media import Channel
from reelvet.schema.result import Coverage, CoverageState, Finding, Native, Relation
from reelvet.taxonomy import Kind, Label, Taxonomy

VISUAL = Channel.VISUAL
TREE = Taxonomy(
    [
        Label("a", Kind.HARM, "root"),
        Label("a.b", Kind.HARM, "middle", parent="a"),
        Label("a.b.c", Kind.HARM, "leaf", parent="a.b"),
        Label("a.b.d", Kind.HARM, "leaf", parent="a.b"),
        Label("a.s", Kind.SENSITIVE, "no harm below a harm", parent="a"),
        Label("p", Kind.SENSITIVE, "a root that is no harm"),
        Label("p.q", Kind.SENSITIVE, "leaf", parent="p"),
        Label("p.r", Kind.HARM, "a harm below it", parent="p"),
        Label("z", Kind.HARM, "alone"),
    ],
    "test",
)
TREE = TREE.extended("acme", [Label("x.acme.e", Kind.HARM, "a plugin's", parent="z")])
IDS = [label.id for label in TREE]


def able(*entries):
    """Capabilities from `label`, `label~relation`, `label@floor`."""

    def read(text):
        text, _, floor = text.partition("@")
        label, _, relation = text.partition("~")
        return Capability(label, (VISUAL,), Relation(relation or "exact"), float(floor) if floor else None)

    return Capabilities(entries=tuple(map(read, entries)))


def found(label, channel="visual"):
    return Finding(label=label, channel=channel, provider="acme", native=Native(field="f"))


def look(*labels, **more):
    return Looked(labels, VISUAL, **more)


def settle(asked, capabilities, looked=(), findings=()):
    """The row of one label."""
    planned = plan_coverage([(asked, VISUAL)], capabilities, TREE, "acme")
    (row,) = final_coverage(planned, looked, findings, capabilities, TREE)
    return row


TABLE = [
    # what, asked, capabilities, looked at, found, state, words of `why`
    ("looked at, nothing found", "z", ["z"], [look("z")], [], "clean", None),
    ("close is conclusive", "z", ["z~close"], [look("z")], [], "clean", None),
    ("broad is conclusive", "z", ["z~broad"], [look("z")], [], "clean", None),
    ("narrow never", "z", ["z~narrow"], [look("z")], [], "not_evaluated", "narrower class"),
    ("found", "z", ["z"], [look("z")], [found("z")], "hit", None),
    ("found under narrow", "z", ["z~narrow"], [look("z")], [found("z")], "hit", None),
    ("found below", "a", ["a", "a.b.c"], [look("a", "a.b.c")], [found("a.b.c")], "hit", None),
    ("a plugin's label found below", "z", ["z", "x.acme.e"], [look("z")], [found("x.acme.e")], "hit", None),
    ("found elsewhere", "z", ["z"], [look("z")], [found("a")], "clean", None),
    ("found in another channel", "z", ["z"], [look("z")], [found("z", "ocr")], "clean", None),
    ("found above only", "a.b.c", ["a"], [look("a")], [found("a")], "not_evaluated", "only a as a whole is looked for; it was found"),
    ("found above, looked at itself", "a.b.c", ["a", "a.b.c"], [look("a", "a.b.c")], [found("a")], "clean", None),
    ("found though nobody looks there", "z", [], [], [found("z")], "hit", None),
    ("not able", "z", ["a"], [look("a")], [], "not_evaluated", "does not look for it"),
    ("able, not looked", "z", ["z"], [], [], "not_evaluated", "has not done so"),
    ("the task failed", "z", ["z"], [look("z", why="the task failed")], [], "not_evaluated", "the task failed"),
    ("stopped early", "z", ["z"], [look("z", why="stopped early", through=3.0)], [], "not_evaluated", "stopped early"),
    ("stopped early after it was found", "z", ["z"], [look("z", why="stopped early")], [found("z")], "hit", "stopped early"),
    ("coarse only", "a.b.c", ["a"], [look("a")], [], "not_evaluated", "only a as a whole"),
    ("coarse, the nearest is named", "a.b.c", ["a", "a.b"], [look("a", "a.b")], [], "not_evaluated", "only a.b as a whole"),
    ("floor of the vendor", "z", ["z@0.4"], [look("z")], [], "below_floor", None),
    ("floor of the look", "z", ["z@0.4"], [look("z", floor=0.6)], [], "below_floor", None),
    ("all harms below", "a", ["a.b", "a.b.c", "a.b.d"], [look("a.b", "a.b.c", "a.b.d")], [], "clean", None),
    ("all leaves below; the middle is their sum", "a", ["a.b.c", "a.b.d"], [look("a.b.c", "a.b.d")], [], "clean", None),
    ("a middle that is coarse", "a", ["a.b"], [look("a.b")], [], "not_evaluated", "1 of 3 labels below it"),
    ("one of two", "a.b", ["a.b.c"], [look("a.b.c")], [], "not_evaluated", "1 of 2 labels below it"),
    ("all below, one narrow", "a.b", ["a.b.c", "a.b.d~narrow"], [look("a.b.c", "a.b.d")], [], "not_evaluated", "1 of 2 labels below it looked at; the vendor looks for a narrower class"),
    ("all below, one stopped", "a.b", ["a.b.c", "a.b.d"], [look("a.b.c"), look("a.b.d", why="broke off")], [], "not_evaluated", "1 of 2 labels below it looked at; broke off"),
    ("all below, one with a floor", "a.b", ["a.b.c", "a.b.d@0.3"], [look("a.b.c", "a.b.d")], [], "below_floor", None),
    ("narrow itself, all below looked at", "a.b", ["a.b~narrow", "a.b.c", "a.b.d"], [look("a.b", "a.b.c", "a.b.d")], [], "clean", None),
    ("broken itself, part below", "a.b", ["a.b", "a.b.c"], [look("a.b", why="broke off"), look("a.b.c")], [], "not_evaluated", "broke off"),
    ("a plugin's label is all there is below", "z", ["x.acme.e"], [look("x.acme.e")], [], "clean", None),
    ("sensitive labels below a harm need not be looked at", "a", ["a.b", "a.b.c", "a.b.d"], [look("a.b", "a.b.c", "a.b.d")], [], "clean", None),
    ("below what is no harm, one harm is not the whole", "p", ["p.r"], [look("p.r")], [], "not_evaluated", "1 of 2 labels below it"),
    ("below what is no harm, everything", "p", ["p.q", "p.r"], [look("p.q", "p.r")], [], "clean", None),
]  # fmt: skip


@pytest.mark.parametrize("line", TABLE, ids=lambda line: line[0])
def test_the_table_of_the_law(line):
    """Each line is one sentence of law 3."""
    _, asked, entries, looked, findings, state, why = line
    row = settle(asked, able(*entries), looked, findings)
    assert row.state == state
    assert (why in row.why) if why else row.why is None
    assert row.floor is None or row.state is CoverageState.BELOW_FLOOR


@pytest.mark.parametrize(
    ("entries", "looked", "floor"),
    [
        (["z@0.4"], [look("z")], 0.4),
        (["z@0.4"], [look("z", floor=0.6)], 0.6),
        (["x.acme.e@0.2"], [look("x.acme.e")], 0.2),
    ],
)
def test_a_floor_is_told_with_its_number(entries, looked, floor):
    """What a task really used comes before what is documented."""
    assert settle("z", able(*entries), looked).floor == floor


def test_the_highest_of_the_floors_below_is_the_floor():
    """Anything lower would promise too much."""
    assert settle("a.b", able("a.b.c@0.2", "a.b.d@0.5"), [look("a.b.c", "a.b.d")]).floor == 0.5


@pytest.mark.parametrize(
    ("asked", "entries", "looked", "through"),
    [
        ("z", ["z"], [look("z", through=30.0)], 30.0),
        ("z", ["z"], [look("z")], None),
        ("z", ["z"], [look("z", through=3.0, why="stopped")], 3.0),
        ("a.b", ["a.b.c", "a.b.d"], [look("a.b.c", through=30.0), look("a.b.d", through=20.0)], 20.0),
        ("a.b", ["a.b.c", "a.b.d"], [look("a.b.c"), look("a.b.d", through=20.0)], 20.0),
    ],
)
def test_a_row_says_through_which_second_it_holds(asked, entries, looked, through):
    """The least of what was looked at below; a row must not promise what comes after."""
    assert settle(asked, able(*entries), looked).through == through


BETTER = [
    (look("z"), look("z", why="broke off")),
    (look("z"), look("z", floor=0.5)),
    (look("z", floor=0.3), look("z", floor=0.5)),
    (look("z"), look("z", through=9.0)),
    (look("z", through=30.0), look("z", through=9.0)),
    (look("z", floor=0.9), look("z", why="broke off")),
]


@pytest.mark.parametrize(("better", "worse"), BETTER)
def test_of_two_looks_the_better_counts_in_any_order(better, worse):
    """Two tasks at one place: which of them the vendor lists first says nothing."""
    rows = [settle("z", able("z"), order) for order in ([better, worse], [worse, better], [better])]
    assert rows[0] == rows[1] == rows[2]


def test_a_label_nobody_can_see_says_so_from_the_start():
    """`clearable: false`: it could never have come out clean."""
    row = settle("z", able("a"))
    assert (row.state, row.clearable) == ("not_evaluated", False)


@pytest.mark.parametrize(
    ("asked", "entries", "clearable"),
    [
        ("z", ["z"], True),
        ("z", ["z~broad"], True),
        ("z", ["z~narrow"], False),
        ("a.b.c", ["a"], False),
        ("a.b", ["a.b.c", "a.b.d"], True),
        ("a.b", ["a.b.c", "a.b.d~narrow"], False),
        ("a", ["a.b.c", "a.b.d"], True),
        ("a", ["a.b"], False),
        ("p", ["p.r"], False),
        ("p", ["p.q", "p.r"], True),
    ],
)
def test_a_plan_says_whether_a_row_could_come_out_clean(asked, entries, clearable):
    """What a policy's `require` goes by."""
    (row,) = plan_coverage([(asked, VISUAL)], able(*entries), TREE, "acme")
    assert row.clearable is clearable


def test_a_stored_label_of_a_plugin_that_is_gone_is_still_answered():
    """A ticket outlives an uninstall: its rows are read, not crashed upon."""
    gone = Coverage(label="x.gone.y", channel=VISUAL, state="planned")
    for findings, state in (([], "not_evaluated"), ([found("x.gone.y")], "hit")):
        (row,) = final_coverage([gone], [look("z")], findings, able("z"), TREE)
        assert row.state == state


@pytest.mark.parametrize(
    ("asked", "entries", "state"),
    [
        ("z", ["z"], "planned"),
        ("a.b.c", ["a"], "planned"),  # coarse: its hits are kept
        ("a", ["a.b.d"], "planned"),
        ("z", ["x.acme.e"], "planned"),
        ("z", ["z~narrow"], "planned"),
        ("z", ["a"], "not_evaluated"),
        ("a.b.c", ["a.b.d"], "not_evaluated"),  # a sister says nothing
    ],
)
def test_what_is_planned(asked, entries, state):
    """A label itself, something below or above it."""
    (row,) = plan_coverage([(asked, VISUAL)], able(*entries), TREE, "acme")
    assert row.state == state
    (other,) = plan_coverage([(asked, Channel.OCR)], able(*entries), TREE, "acme")
    assert (other.state, other.clearable) == ("not_evaluated", False)


# --- properties ---

RELATIONS = [Relation.EXACT, Relation.CLOSE, Relation.BROAD, Relation.NARROW]
SILENT = {CoverageState.CLEAN, CoverageState.BELOW_FLOOR}
floors = st.none() | st.sampled_from([0.2, 0.6])
entries = st.builds(
    lambda label, relation, floor: Capability(label, (VISUAL,), relation, floor),
    st.sampled_from(IDS), st.sampled_from(RELATIONS), floors,
)  # fmt: skip
looks = st.builds(
    lambda labels, floor, through, why: Looked(tuple(labels), VISUAL, floor, through, why),
    st.lists(st.sampled_from(IDS), max_size=4), floors, st.none() | st.sampled_from([5.0, 9.0]), st.none() | st.just("broke off"),
)  # fmt: skip
worlds = st.fixed_dictionaries(
    {
        "capabilities": st.lists(entries, max_size=8).map(lambda e: Capabilities(entries=tuple(e))),
        "looked": st.lists(looks, max_size=5),
        "findings": st.lists(st.sampled_from(IDS).map(found), max_size=2),
    }
)


def states(capabilities, looked, findings):
    planned = plan_coverage([(label, VISUAL) for label in IDS], capabilities, TREE, "acme")
    rows = final_coverage(planned, looked, findings, capabilities, TREE)
    assert all(row.clearable for row in rows if row.state in SILENT)
    assert [row.clearable for row in rows] == [row.clearable for row in planned]
    return {row.label: row.state for row in rows}


@given(worlds)
def test_no_row_is_clean_unless_somebody_looked_conclusively(world):
    """At that very id, or at every harm id below it; and every hit is one by the findings."""
    seen = states(**world)
    conclusive = {e.label for e in world["capabilities"].entries if e.relation is not Relation.NARROW}
    looked = {label for each in world["looked"] if each.why is None for label in each.labels} & conclusive
    hit = {up for f in world["findings"] for up in (f.label, *TREE.ancestors(f.label))}
    for label, state in seen.items():
        assert (state is CoverageState.HIT) == (label in hit)
        below = [other for other in TREE.subtree(label)[1:] if TREE.kind(other) is Kind.HARM]
        if state in SILENT:
            assert label in looked or (below and all(seen[other] in SILENT for other in below))


@given(worlds, looks)
def test_another_look_never_turns_a_hit_into_clean(world, more):
    """And never makes a row that was silent doubtful."""
    before = states(**world)
    after = states(world["capabilities"], [*world["looked"], more], world["findings"])
    assert all(after[label] is CoverageState.HIT for label in before if before[label] is CoverageState.HIT)
    assert all(after[label] in SILENT for label in before if before[label] in SILENT)


@given(worlds, st.data())
def test_more_doubt_never_makes_more_rows_clean(world, data):
    """A failed task can only take away."""
    before = states(**world)
    doubted = [
        Looked(each.labels, each.channel, each.floor, each.through, "failed") if data.draw(st.booleans()) else each
        for each in world["looked"]
    ]
    after = states(world["capabilities"], doubted, world["findings"])
    assert {label for label in after if after[label] in SILENT} <= {
        label for label in before if before[label] in SILENT
    }
    assert {label for label in after if after[label] is CoverageState.CLEAN} <= {
        label for label in before if before[label] in SILENT
    }


@given(worlds)
def test_the_order_of_looks_says_nothing(world):
    """Vendors list tasks in any order."""
    assert states(**world) == states(world["capabilities"], world["looked"][::-1], world["findings"])


@given(worlds, st.sampled_from(IDS))
def test_a_further_finding_only_turns_rows_into_hits(world, label):
    """At and above it; every other row stays."""
    before, after = states(**world), states(world["capabilities"], world["looked"], [*world["findings"], found(label)])
    changed = {each for each in before if before[each] is not after[each]}
    assert changed <= {label, *TREE.ancestors(label)}
    assert all(after[each] is CoverageState.HIT for each in changed)
