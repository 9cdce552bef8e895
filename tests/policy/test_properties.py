"""What holds for every result and policy."""

import time

from hypothesis import given, settings
from hypothesis import strategies as st

from reelvet.policy import Policy, judge
from reelvet.schema.result import Coverage, Finding, ModerationResult, Note
from reelvet.schema.task import Status

LABELS = [
    "violence", "violence.weapons", "violence.weapons.firearm", "sexual.explicit", "sexual.suggestive.kissing", "politics.figure",
    "context.person.minor", "custom", "unmapped", "x.gone.label", "hate",
]  # fmt: skip
scores = st.sampled_from([0.0, 0.2, 0.4, 0.5, 0.6, 0.8, 0.9, 1.0])
providers = st.sampled_from(["acme", "beta"])
channels = st.sampled_from(["visual", "ocr"])


@st.composite
def thresholds(draw):
    low, high = sorted([draw(scores), draw(scores)])

    def one(score):
        conditions = {"min_hits": draw(st.integers(1, 3)), "min_seconds": draw(st.sampled_from([0, 1.0, 3.0]))}
        return draw(st.sampled_from(["none", score, {"score": score, **conditions}]))

    return {"review": one(low), "block": one(high)}


@st.composite
def policies(draw):
    places = st.tuples(
        st.sampled_from([*LABELS[:8], "violence*", "politics"]), st.none() | providers, st.none() | channels
    )
    rules = []
    for label, provider, channel in draw(st.lists(places, unique=True, max_size=5)):
        says = {"off": True} if draw(st.booleans()) else draw(thresholds())
        rules.append({"label": label, "provider": provider, "channel": channel, **says})
    switches = st.sampled_from(["on", "off"])
    kinds = {kind: draw(switches) for kind in ("harm", "sensitive", "context", "meta")}
    required = draw(st.lists(st.sampled_from(["violence", "hate"]), max_size=1))
    return Policy.parse({"name": "p", "rules": rules, "kinds": kinds, "require": required, **draw(thresholds())})


@st.composite
def findings(draw, label=None, score=None):
    start = draw(st.none() | st.sampled_from([0.0, 1.0, 2.0]))
    return Finding(
        label=label or draw(st.sampled_from([*LABELS, "child_safety.sexual"])), score=draw(scores if score is None else score), channel=draw(channels),
        provider=draw(providers), start=start, end=None if start is None else draw(st.none() | st.just(start + 1.5)),
        suggestion=draw(st.sampled_from([None, None, "pass", "review", "block"])), native={"field": "f"},
    )  # fmt: skip


@st.composite
def results(draw):
    # No `hit` rows: a hit without its finding is a contradiction, which the missing finding would mend.
    rows = st.builds(
        Coverage, label=st.sampled_from(LABELS), channel=channels, state=st.sampled_from(["clean", "below_floor", "not_evaluated"]),
        floor=st.none() | scores, through=st.none() | st.just(3.0), provider=st.none() | providers, clearable=st.booleans(),
    )  # fmt: skip
    return ModerationResult(
        key="k", provider="acme", status=draw(st.sampled_from([Status.SUCCEEDED, Status.SUCCEEDED, Status.PARTIAL, Status.FAILED])),
        findings=tuple(draw(st.lists(findings(score=st.none() | scores), max_size=6))), coverage=tuple(draw(st.lists(rows, max_size=4))),
        media={"duration": 9.0}, warnings=tuple(draw(st.lists(st.just(Note(code="unknown_verdict", says="?")), max_size=1))),
    )  # fmt: skip


def severity(result, policy):
    verdict = judge(result, policy).verdict
    return -1 if verdict is None else verdict.severity


@given(results(), policies(), st.data())
@settings(max_examples=300, deadline=None)
def test_raising_a_score_never_lowers_the_verdict(result, policy, data):
    scored = [number for number, finding in enumerate(result.findings) if finding.score is not None]
    if not scored:
        return
    number = data.draw(st.sampled_from(scored))
    found = list(result.findings)
    found[number] = found[number].model_copy(update={"score": max(found[number].score, data.draw(scores))})
    assert severity(result.model_copy(update={"findings": tuple(found)}), policy) >= severity(result, policy)


@given(results(), policies(), findings(score=st.none() | scores))
@settings(max_examples=300, deadline=None)
def test_adding_a_finding_never_lowers_the_verdict(result, policy, finding):
    more = result.model_copy(update={"findings": (*result.findings, finding)})
    assert severity(more, policy) >= severity(result, policy)


@given(results(), policies(), st.randoms())
@settings(max_examples=200, deadline=None)
def test_judging_is_deterministic_and_blind_to_order(result, policy, random):
    once = judge(result, policy)
    assert judge(result, policy) == once
    assert judge(once, policy) == once
    found = list(result.findings)
    random.shuffle(found)
    again = judge(result.model_copy(update={"findings": tuple(found)}), policy)
    assert again.verdict == once.verdict
    assert [(r.says, r.label, r.provider, r.score) for r in again.reasons] == [
        (r.says, r.label, r.provider, r.score) for r in once.reasons
    ]


@given(results(), policies())
@settings(max_examples=200, deadline=None)
def test_every_decision_above_pass_has_its_reason(result, policy):
    judged = judge(result, policy)
    said = [reason.says for reason in judged.reasons]
    assert said == sorted(said, key=lambda verdict: -verdict.severity)
    assert said[:1] == ([] if judged.verdict in {None, "pass"} else [judged.verdict])


@given(results(), policies())
@settings(max_examples=200, deadline=None)
def test_child_safety_blocks_always(result, policy):
    worst = Finding(label="child_safety", channel="visual", provider="acme", native={"field": "f"})
    assert judge(result.model_copy(update={"findings": (*result.findings, worst)}), policy).verdict == "block"


@given(policies(), st.randoms())
@settings(max_examples=200, deadline=None)
def test_the_hash_is_of_the_content(policy, random):
    data = policy.model_dump(mode="json")
    random.shuffle(data["rules"])
    shuffled = dict(random.sample(list(data.items()), len(data)))
    assert Policy.parse(shuffled).id == policy.id
    other = Policy.parse({**data, "require": [*data["require"], "gambling"]})
    assert other.digest != policy.digest


def test_ten_thousand_findings_are_judged_in_no_time(make_result, make_finding):
    found = [
        make_finding(LABELS[n % len(LABELS)], (n % 100) / 100, start=n / 10, provider=f"v{n % 3}")
        for n in range(10_000)
    ]
    whole, policy = make_result(*found), Policy.default()
    judge(whole, policy)

    def once():
        begin = time.process_time()
        judged = judge(whole, policy)
        assert len(judged.reasons) < 100
        return time.process_time() - begin

    assert min(once() for _ in range(5)) < 0.1
