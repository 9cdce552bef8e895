"""What findings come to."""

import pytest

from reelvet.policy import judge
from reelvet.schema.result import Verdict
from reelvet.taxonomy import Kind, Label, Taxonomy


@pytest.fixture
def verdict(make_result, make_policy):
    def judged(*findings, taxonomy=None, **fields):
        return judge(make_result(*findings), make_policy(**fields), taxonomy).verdict

    return judged


# --- thresholds ---


@pytest.mark.parametrize(
    ("score", "expected"),
    [(0.49, "pass"), (0.5, "review"), (0.89, "review"), (0.9, "block"), (1.0, "block"), (0.0, "pass")],
)
def test_a_threshold_is_reached_at_or_above_it(verdict, make_finding, score, expected):
    assert verdict(make_finding(score=score)) == expected


def test_a_reason_names_policy_provider_label_score_and_threshold(make_result, make_finding, make_policy):
    judged = judge(make_result(make_finding("violence.weapons", 0.97)), make_policy())
    assert [reason.model_dump() for reason in judged.reasons] == [
        {
            "policy": "p",
            "provider": "acme",
            "label": "violence.weapons",
            "score": 0.97,
            "threshold": 0.9,
            "says": "block",
            "why": "score at or above threshold",
        }
    ]


def test_many_findings_alike_leave_one_reason_with_the_worst_score(make_result, make_finding, make_policy):
    scores = [0.6, 0.95, 0.91, 0.2, 0.7]
    judged = judge(make_result(*(make_finding(score=score) for score in scores)), make_policy())
    assert [(r.score, r.says, r.why) for r in judged.reasons] == [
        (0.95, "block", "score at or above threshold (the worst of 2)")
    ]


def test_the_worst_score_stands_for_what_the_vendor_says_often(make_result, make_finding, make_policy):
    said = [make_finding(score=score, suggestion="review") for score in (0.1, 0.3, None, 0.2)]
    reasons = judge(make_result(*said), make_policy()).reasons
    assert [(r.score, r.why) for r in reasons] == [(0.3, "the vendor's own verdict is review (the worst of 4)")]


def test_each_provider_has_a_reason_of_its_own(make_result, make_finding, make_policy):
    found = [make_finding(score=0.95, provider=name) for name in ("beta", "acme")]
    judged = judge(make_result(*found), make_policy())
    assert [reason.provider for reason in judged.reasons] == ["acme", "beta"]


def test_no_threshold_means_no_score_is_enough(verdict, make_finding):
    rules = [{"label": "violence", "review": "none"}]
    assert verdict(make_finding(score=1.0), rules=rules) == "pass"
    assert verdict(make_finding(score=1.0, suggestion="review"), rules=rules) == "review"


def test_a_policy_without_any_threshold_sends_findings_to_review(verdict, make_finding):
    assert verdict(make_finding(score=0.01), review="none", block="none") == "review"


# --- which rule holds ---


@pytest.mark.parametrize(
    ("rules", "found", "expected"),
    [
        # the deepest label
        ([{"label": "violence", "block": 0.1}, {"label": "violence.weapons", "block": 0.9}], {}, "pass"),
        ([{"label": "violence.weapons", "block": 0.9}, {"label": "violence", "block": 0.1}], {}, "pass"),
        # even if the shallower one is narrowed
        (
            [{"label": "violence", "provider": "acme", "block": 0.1}, {"label": "violence.weapons", "block": 0.9}],
            {},
            "pass",
        ),
        # an id before a pattern of the same depth, the longer pattern before the shorter
        ([{"label": "violence.weapons*", "block": 0.1}, {"label": "violence.weapons", "block": 0.9}], {}, "pass"),
        ([{"label": "violence.*", "block": 0.1}, {"label": "violence.w*", "block": 0.9}], {}, "pass"),
        # even a pattern, if it is deeper than the id
        ([{"label": "violence", "block": 0.1}, {"label": "violence.w*", "block": 0.9}], {}, "pass"),
        # narrowed before wide
        ([{"label": "violence", "block": 0.1}, {"label": "violence", "provider": "acme", "block": 0.9}], {}, "pass"),
        ([{"label": "violence", "block": 0.1}, {"label": "violence", "channel": "visual", "block": 0.9}], {}, "pass"),
        # instance before provider before channel
        (
            [
                {"label": "violence", "provider": "acme", "block": 0.1},
                {"label": "violence", "instance": "acme", "block": 0.9},
            ],
            {},
            "pass",
        ),
        (
            [
                {"label": "violence", "channel": "visual", "block": 0.1},
                {"label": "violence", "provider": "acme", "block": 0.9},
            ],
            {},
            "pass",
        ),
        # narrowed to somewhere else: does not hold
        ([{"label": "violence", "block": 0.1}, {"label": "violence", "provider": "beta", "block": 0.9}], {}, "block"),
        ([{"label": "violence", "block": 0.1}, {"label": "violence", "channel": "ocr", "block": 0.9}], {}, "block"),
        (
            [{"label": "violence", "block": 0.1}, {"label": "violence", "instance": "acme-eu", "block": 0.9}],
            {},
            "block",
        ),
        # a rule does not hold beside its subtree
        ([{"label": "violence.graphic", "block": 0.1}], {"score": 0.4}, "pass"),
    ],
)
def test_the_most_specific_rule_holds_alone(verdict, make_finding, rules, found, expected):
    assert (
        verdict(make_finding("violence.weapons", **{"score": 0.5, **found}), rules=rules, review="none", block=0.95)
        == expected
    )


def test_the_order_of_rules_never_decides(make_result, make_finding, make_policy):
    rules = [{"label": "vio*.w*", "block": 0.1}, {"label": "viol*.*", "block": 0.9}]
    judged = [
        judge(make_result(make_finding("violence.weapons")), make_policy(rules=each)) for each in (rules, rules[::-1])
    ]
    assert judged[0] == judged[1]


def test_an_instance_is_known_by_the_task(make_result, make_finding, make_policy):
    tasks = [{"provider": "acme", "instance": name, "id": name, "status": "succeeded"} for name in ("cn", "eu")]
    rules = [{"label": "violence", "instance": "cn", "off": True}]
    for task, expected in (("cn", "pass"), ("eu", "block"), (None, "block")):
        # Without a task it may be either: the worst wins.
        whole = make_result(make_finding(score=0.95, task=task), tasks=tasks)
        assert judge(whole, make_policy(rules=rules)).verdict == expected


# --- kinds ---


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("violence", "block"),
        ("politics.symbol.flag", "pass"),
        ("sexual.suggestive.kissing", "pass"),
        ("context.person.face_female", "pass"),
        ("custom", "block"),
        ("text_violation", "block"),
        ("unmapped", "review"),
    ],
)
def test_by_default_harm_and_meta_are_on_sensitive_and_context_are_not(verdict, make_finding, label, expected):
    assert verdict(make_finding(label, 1.0)) == expected


def test_a_kind_can_be_switched(verdict, make_finding):
    assert verdict(make_finding("politics", 1.0), kinds={"sensitive": "on"}) == "block"
    assert verdict(make_finding("violence", 1.0), kinds={"harm": "off"}) == "pass"
    assert verdict(make_finding("custom", 1.0), kinds={"meta": False}) == "pass"
    assert verdict(make_finding("unmapped", 1.0), kinds={"meta": "never"}) == "review"


def test_a_rule_switches_on_what_it_names_and_no_other_kind_below(verdict, make_finding):
    named = [{"label": "politics", "block": 0.9}]
    assert verdict(make_finding("politics.symbol.flag", 1.0), rules=named) == "block"
    wide = [{"label": "sexual", "block": 0.9}]
    assert verdict(make_finding("sexual.suggestive.kissing", 1.0), rules=wide) == "pass"
    pattern = [{"label": "sexual.suggestive.swimwear*", "block": 0.9}]
    assert verdict(make_finding("sexual.suggestive.swimwear_underwear_female", 1.0), rules=pattern) == "block"


def test_a_context_label_is_judged_where_never_is_lifted_and_a_rule_names_it(verdict, make_finding):
    minor = make_finding("context.person.minor", 1.0)
    assert verdict(minor, rules=[{"label": "*", "review": 0.5}]) == "pass"
    assert verdict(minor, kinds={"context": "off"}) == "pass"
    assert (
        verdict(minor, kinds={"context": "off"}, rules=[{"label": "context.person.minor", "review": 0.5}]) == "review"
    )


def test_a_rule_can_turn_a_label_off_wholly(verdict, make_finding):
    rules = [{"label": "gambling", "off": True}]
    assert verdict(make_finding("gambling", 1.0, suggestion="block"), rules=rules) == "pass"
    assert verdict(make_finding("gambling", None), rules=rules) == "pass"


# --- the vendor's own verdict ---


@pytest.mark.parametrize(
    ("suggestion", "expected"), [("block", "block"), ("review", "review"), ("pass", "pass"), (None, "pass")]
)
def test_the_vendors_verdict_is_the_least(verdict, make_finding, suggestion, expected):
    assert verdict(make_finding(score=0.1, suggestion=suggestion)) == expected


def test_the_vendors_pass_does_not_outweigh_a_threshold(verdict, make_finding):
    assert verdict(make_finding(score=0.95, suggestion="pass")) == "block"


def test_the_vendors_verdict_does_not_count_if_all_its_causes_are_off(verdict, make_finding):
    flag = make_finding("politics.symbol.flag", 0.99, suggestion="block")
    assert verdict(flag) == "pass"
    assert verdict(flag, make_finding("violence", 0.1, suggestion="review")) == "review"


def test_findings_nobody_asked_for_count(make_result, make_finding, make_policy, make_row):
    whole = make_result(make_finding("hate", 0.95), coverage=(make_row("sexual"),))
    assert judge(whole, make_policy()).verdict == "block"


@pytest.mark.parametrize(
    ("suggestion", "expected"), [(None, "review"), ("pass", "pass"), ("review", "review"), ("block", "block")]
)
def test_without_a_score_the_vendors_verdict_holds_else_review(verdict, make_finding, suggestion, expected):
    assert verdict(make_finding(score=None, suggestion=suggestion)) == expected


def test_an_unknown_vendor_verdict_never_passes(make_result, make_policy):
    whole = make_result(warnings=[{"code": "unknown_verdict", "says": "Suggestion 'Maybe' https://a.example/x?sig=1"}])
    judged = judge(whole, make_policy())
    assert judged.verdict == "review"
    assert "Maybe" in judged.reasons[0].why
    assert "sig=1" not in judged.reasons[0].why
    assert judge(make_result(warnings=[{"code": "other", "says": ""}]), make_policy()).verdict == "pass"


# --- what is not known ---


def test_unmapped_is_review_at_least(verdict, make_finding):
    assert verdict(make_finding("unmapped", 0.01)) == "review"
    assert verdict(make_finding("unmapped", 0.01, suggestion="pass")) == "review"
    assert verdict(make_finding("unmapped", 0.99, suggestion="block")) == "block"
    assert verdict(make_finding("unmapped", 0.99), rules=[{"label": "unmapped", "block": 0.9}]) == "block"
    assert verdict(make_finding("unmapped", 0.1), rules=[{"label": "*", "off": True}]) == "review"


def test_the_reason_of_an_unmapped_finding_has_the_vendors_words(make_result, make_finding, make_policy):
    strange = make_finding("unmapped", 0.3, native={"field": "f", "label": "Weird", "sub_label": "Thing"})
    assert "'Weird/Thing'" in judge(make_result(strange), make_policy()).reasons[0].why


def test_a_label_of_another_taxonomy_is_review_at_least_and_its_parents_rule_holds(verdict, make_finding):
    assert verdict(make_finding("x.acme.gone", 0.01)) == "review"
    assert verdict(make_finding("violence.from_the_future", 0.01)) == "review"
    assert verdict(make_finding("violence.from_the_future", 0.95)) == "block"
    assert verdict(make_finding("politics.from_the_future", 0.01)) == "review"


def test_a_plugins_label_is_judged_as_what_it_stands_below(verdict, make_finding):
    labels = [
        Label("x.acme.sword", Kind.HARM, "A sword", parent="violence.weapons"),
        Label("x.acme.grooming", Kind.HARM, "Grooming", parent="child_safety"),
    ]
    taxonomy = Taxonomy.default().extended("acme", labels)
    rules = [{"label": "violence.weapons", "block": 0.2}]
    assert verdict(make_finding("x.acme.sword", 0.3), rules=rules, taxonomy=taxonomy) == "block"
    assert verdict(make_finding("x.acme.grooming", 0.01), taxonomy=taxonomy) == "block"


# --- child safety ---


@pytest.mark.parametrize("score", [0.01, 1.0, None])
@pytest.mark.parametrize("label", ["child_safety", "child_safety.sexual.abuse", "child_safety.from_the_future"])
def test_child_safety_blocks_whatever_the_policy_says(verdict, make_finding, label, score):
    lenient = {"rules": [{"label": "*", "off": True}], "kinds": {"harm": "never"}, "block": "none", "review": "none"}
    assert verdict(make_finding(label, score, suggestion="pass"), **lenient) == "block"


# --- minimum hits and seconds ---


def test_minimum_hits_counts_distinct_moments(verdict, make_finding):
    rules = [{"label": "violence", "review": 0.5, "block": {"score": 0.8, "min_hits": 3}}]

    def at(*starts, label="violence", **fields):
        return [make_finding(label, 0.85, start=start, **fields) for start in starts]

    assert verdict(*at(1.0, 2.0), rules=rules) == "review"
    assert verdict(*at(1.0, 2.0, 3.0), rules=rules) == "block"
    # three boxes in one frame are one moment
    assert verdict(*at(1.0, 1.0, 1.0), rules=rules) == "review"
    # without a time each is its own
    assert verdict(*at(None, None, None), rules=rules) == "block"
    # what stands below the rule's label counts together
    assert verdict(*at(1.0, 2.0), *at(3.0, label="violence.graphic"), rules=rules) == "block"
    # two providers that see the same are not two hits
    assert verdict(*at(1.0, 2.0), *at(3.0, provider="beta"), rules=rules) == "review"


def test_below_minimum_hits_it_passes(verdict, make_finding):
    rules = [{"label": "violence", "review": {"score": 0.5, "min_hits": 2}}]
    assert verdict(make_finding(score=0.99, start=1.0), rules=rules) == "pass"
    assert verdict(make_finding(score=0.99, start=1.0), make_finding(score=0.4, start=2.0), rules=rules) == "pass"
    assert verdict(make_finding(score=0.99, start=1.0), make_finding(score=0.6, start=2.0), rules=rules) == "review"


def test_the_policys_own_threshold_counts_by_root(verdict, make_finding):
    own = {"review": {"score": 0.5, "min_hits": 2}, "block": "none"}
    assert verdict(make_finding("violence", start=1.0), make_finding("hate", start=2.0), **own) == "pass"
    assert (
        verdict(make_finding("violence.weapons", start=1.0), make_finding("violence.graphic", start=2.0), **own)
        == "review"
    )


def test_minimum_seconds_counts_overlaps_once(verdict, make_finding):
    rules = [{"label": "violence", "block": {"score": 0.8, "min_seconds": 4}}]

    def spans(*pairs):
        return [make_finding(score=0.85, start=start, end=end) for start, end in pairs]

    assert verdict(*spans((0, 3.5)), rules=rules) == "pass"
    assert verdict(*spans((0, 3), (1, 3), (2, 3.9)), rules=rules) == "pass"
    assert verdict(*spans((0, 2), (10, 12)), rules=rules) == "block"


def test_findings_without_length_short_of_minimum_seconds_are_review(make_result, make_finding, make_policy):
    rules = [{"label": "violence", "block": {"score": 0.8, "min_seconds": 4}}]
    instants = [make_finding(score=0.85, start=float(second)) for second in range(10)]
    judged = judge(make_result(*instants), make_policy(rules=rules))
    assert judged.verdict == "review"
    assert "nobody can say whether it lasts 4 s" in judged.reasons[0].why
    lasting = make_finding(score=0.85, start=20.0, end=24.0)
    assert judge(make_result(*instants, lasting), make_policy(rules=rules)).verdict == "block"
    weak = [make_finding(score=0.7, start=1.0)]
    assert judge(make_result(*weak), make_policy(rules=rules)).verdict == "pass"


def test_a_condition_does_not_soften_the_vendors_verdict(verdict, make_finding):
    rules = [{"label": "violence", "review": {"score": 0.5, "min_hits": 9}}]
    assert verdict(make_finding(score=0.99, suggestion="block"), rules=rules) == "block"


def test_the_reason_says_how_often_and_how_long(make_result, make_finding, make_policy):
    rules = [{"label": "violence", "block": {"score": 0.8, "min_hits": 2, "min_seconds": 3}}]
    found = [make_finding(score=0.85, start=start, end=start + 2) for start in (0.0, 10.0)]
    why = judge(make_result(*found), make_policy(rules=rules)).reasons[0].why
    assert why == "score at or above threshold, at 2 moments (at least 2), for 4 s (at least 3 s) (the worst of 2)"


# --- precedence ---


def test_block_over_error_over_review_over_pass(make_result, make_finding, make_policy, make_row):
    unseen = (make_row("gambling", "not_evaluated"),)
    review, block = make_finding(score=0.6), make_finding("hate", score=0.95)
    assert judge(make_result(), make_policy()).verdict is Verdict.PASS
    assert judge(make_result(review), make_policy()).verdict is Verdict.REVIEW
    assert judge(make_result(review, coverage=unseen), make_policy()).verdict is Verdict.ERROR
    judged = judge(make_result(review, block, coverage=unseen), make_policy())
    assert judged.verdict is Verdict.BLOCK
    assert [reason.says for reason in judged.reasons] == ["block", "error", "review"]
