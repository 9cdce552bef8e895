"""Where policies come from, what is refused, and their hash."""

import json
import subprocess
import sys
import tomllib

import pytest

from reelvet.policy import STARTERS, Policy, Rule, Threshold, judge
from reelvet.schema.errors import ConfigurationError, InvalidJob, UnknownLabel
from reelvet.taxonomy import Kind, Label, Taxonomy

# --- the shipped ones ---


@pytest.mark.parametrize("name", STARTERS)
def test_a_shipped_policy_is_valid_and_named_as_its_file(name):
    policy = Policy.named(name)
    assert policy.name == name
    assert policy.rules
    assert policy.review is not None


@pytest.mark.parametrize("name", ["default", "general", "kids"])
def test_a_shipped_policy_can_pass_what_the_known_floors_leave_silent(name, make_row, make_result):
    # Gcore reports from 0.5 (nudity) and from 0.3 (all else).
    policy = Policy.named(name)
    required = [make_row(label) for label in policy.require]
    rows = [
        make_row(label, "below_floor", floor=0.5)
        for label in Taxonomy.default().harms
        if not label.startswith("child_safety")
    ]
    assert judge(make_result(coverage=[*required, *rows]), policy).reasons == ()


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (("sexual.explicit.pornography", 0.95), "block block block pass"),
        (("sexual.explicit.pornography", 0.55), "pass review review pass"),
        (("sexual.explicit.activity_animal", 0.85), "review block block block"),
        (("sexual.suggestive.kissing", 0.95), "pass pass review pass"),
        (("sexual.explicit.medical", 0.99), "review review block pass"),
        (("child_safety.sexual", 0.01), "block block block block"),
        (("context.person.minor", 0.9), "pass pass pass review"),
        (("substances.alcohol.drinking", 0.95), "pass pass block pass"),
        (("politics.figure.leader_national", 1.0), "pass pass pass pass"),
        (("violence.weapons.firearm", 0.99), "review review block review"),
        (("hate.symbol.nazi", 0.95), "block block block block"),
        (("self_harm.intent", 0.99), "review review review review"),
        (("unmapped", 0.99), "review review review review"),
        (("custom", 0.99), "block block block block"),
    ],
)
def test_what_the_shipped_policies_say(make_result, make_finding, make_row, found, expected):
    seen = [make_row(required) for required in ("sexual.explicit", "violence.graphic", "child_safety")]
    judged = judge(make_result(make_finding(*found), coverage=seen), [Policy.named(name) for name in STARTERS])
    assert judged.decisions == dict(zip(("default", "general", "kids", "adult"), expected.split(), strict=True))


def test_no_shipped_policy_but_default_passes_what_nobody_looked_at(make_result):
    decisions = judge(make_result(), [Policy.named(name) for name in STARTERS]).decisions
    assert decisions == {"default": "pass", "kids": "review", "general": "review", "adult": "review"}


def test_an_unknown_name_is_told_the_nearest():
    with pytest.raises(InvalidJob, match=r"no policy 'kid' ships with reelvet. Did you mean 'kids'\?"):
        Policy.named("kid")


# --- files ---


def test_a_policy_is_read_from_toml_and_json(tmp_path):
    text = 'review = 0.5\nrequire = ["sexual"]\n[[rules]]\nlabel = "violence"\nblock = {score = 0.9, min_hits = 3}\n'
    (tmp_path / "mine.toml").write_text(text)
    (tmp_path / "mine.json").write_text(json.dumps({"name": "mine", **tomllib.loads(text)}))
    policy = Policy.load(tmp_path / "mine.toml")
    assert policy.name == "mine"
    assert policy.rules == (Rule(label="violence", block=Threshold(score=0.9, min_hits=3)),)
    assert Policy.load(str(tmp_path / "mine.json")) == policy


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("p.toml", b"review = ", "is no TOML"),
        ("p.json", b"{", "is no JSON"),
        ("p.json", b"[1]", "a policy is a table, not list"),
        ("p.toml", b"\xff\xfe", "is no TOML"),
        ("p.toml", b"review = 2", "review.score: input should be less than or equal to 1 \\(got 2\\)"),
    ],
)
def test_a_file_that_is_no_policy_is_named(tmp_path, name, content, says):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidJob, match=says) as caught:
        Policy.load(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InvalidJob, match=r"cannot read the policy .*no.toml: No such file"):
        Policy.load(tmp_path / "no.toml")
    with pytest.raises(InvalidJob, match="Is a directory"):
        Policy.load(tmp_path)


@pytest.mark.parametrize(
    ("fields", "field", "says"),
    [
        ({"name": "a b"}, "name", "should match pattern"),
        ({"revew": 0.5}, "revew", "no such field"),
        ({"review": 1.5}, "review.score", r"less than or equal to 1 \(got 1.5\)"),
        ({"review": True}, "review.score", r"valid number \(got True\)"),
        ({"review": "high"}, "review", "'high' is no threshold; write a score from 0 to 1"),
        ({"review": float("nan")}, "review.score", "finite number"),
        ({"review": {"score": 0.5, "min_hits": 0}}, "review.min_hits", r"greater than or equal to 1 \(got 0\)"),
        ({"review": {"score": 0.5, "min_seconds": -1}}, "review.min_seconds", "greater than or equal to 0"),
        ({"review": 0.9, "block": 0.5}, None, "review is at 0.9, above block at 0.5"),
        ({"kinds": {"harm": "maybe"}}, "kinds.harm", "'on', 'off' or 'never'"),
        ({"kinds": {"harms": "on"}}, "kinds.harms", "no such field"),
        ({"rules": [{"label": "violence"}]}, "rules.0", "says nothing; give review, block, or off = true"),
        ({"rules": [{"label": "violence", "off": True, "block": 0.5}]}, "rules.0", "contradict each other"),
        ({"rules": [{"label": "violence", "review": 0.9, "block": 0.5}]}, "rules.0", "above block"),
        ({"rules": [{"label": "violence", "block": 0.5, "channel": "smell"}]}, "rules.0.channel", "got 'smell'"),
        ({"rules": [{"label": "violence", "block": 0.5}, {"label": "violence", "block": 0.6}]}, None, "rules.0 and rules.1 are both for 'violence'"),
        ({"rules": [{"label": "hate", "off": True}, {"label": "violnce", "block": 0.5}]}, "rules.1.label", "unknown label 'violnce' in rules.1.label. Did you mean 'violence'"),
        ({"require": ["violnce"]}, "require.0", "Did you mean 'violence'"),
        ({"rules": [{"label": "child_safety.sexual", "review": 0.5}]}, "rules.0.label", "under child_safety, whose findings always block"),
        ({"rules": [{"label": "unmapped", "off": True}]}, "rules.0.label", "'unmapped' cannot be off"),
        ({"rules": [{"label": "context.person.*", "review": 0.5}]}, "rules.0.label", "kinds.context = 'off'"),
        ({"kinds": {"harm": "never"}, "rules": [{"label": "violence", "review": 0.5}]}, "rules.0.label", "of kind harm, which this policy never judges"),
    ],
)  # fmt: skip
def test_bad_input_names_field_value_and_way_out(fields, field, says):
    with pytest.raises(InvalidJob, match=says) as caught:
        Policy.parse({"name": "p", **fields})
    assert caught.value.field == field
    assert caught.value.way_out


def test_the_constructor_refuses_as_parse_does():
    with pytest.raises(InvalidJob, match=r"invalid policy 'p': reviw: no such field"):
        Policy(name="p", reviw=0.5)
    with pytest.raises(InvalidJob, match="name: is required"):
        Policy()


def test_labels_of_plugins_need_their_taxonomy():
    fields = {"name": "p", "rules": [{"label": "x.acme.sword", "block": 0.5}]}
    with pytest.raises(UnknownLabel):
        Policy.parse(fields)
    taxonomy = Taxonomy.default().extended("acme", [Label("x.acme.sword", Kind.HARM, "A sword", parent="violence")])
    assert Policy.parse(fields, taxonomy=taxonomy).name == "p"


# --- extends ---


def test_extends_replaces_the_rules_for_the_same_place_and_adds_the_others():
    base = Policy.named("kids")
    rules = [{"label": "sexual.explicit", "block": 0.6}, {"label": "gambling", "off": True}]
    mine = Policy.parse(
        {"name": "mine", "extends": "kids", "block": "none", "rules": rules, "kinds": {"sensitive": "on"}}
    )
    assert mine.name == "mine"
    assert (mine.review, mine.block, mine.require) == (base.review, None, base.require)
    assert (mine.kinds.sensitive, mine.kinds.context) == ("on", "never")
    by_label = {rule.label: rule for rule in mine.rules}
    assert by_label["sexual.explicit"].block == Threshold(score=0.6)
    assert by_label["gambling"].off
    assert set(by_label) == {rule.label for rule in base.rules} | {"gambling"}


def test_extends_of_the_unknown_and_faults_in_the_own_part_are_named():
    with pytest.raises(InvalidJob, match="no policy 'grown-ups' ships"):
        Policy.parse({"name": "p", "extends": "grown-ups"})
    with pytest.raises(InvalidJob, match=r"no policy \['kids'\] ships"):
        Policy.parse({"name": "p", "extends": ["kids"]})
    with pytest.raises(InvalidJob, match=r"rules\.0\.block") as caught:
        Policy.parse({"name": "p", "extends": "kids", "rules": [{"label": "hate", "block": 3}]}, source="reelvet.toml")
    assert caught.value.field == "rules.0.block.score"
    assert "(reelvet.toml)" in str(caught.value)


# --- hash ---


def test_the_hash_does_not_depend_on_how_the_content_is_written():
    rules = [{"label": "violence", "block": 0.5}, {"label": "hate", "review": 0}]
    policy = Policy.parse({"name": "p", "rules": rules, "require": ["hate", "violence"]})
    same = Policy.parse({
        "name": "other",
        "rules": [{"label": "hate", "review": -0.0, "block": "none"}, {"label": "violence", "block": {"score": 0.5, "min_hits": 1}, "off": False}],
        "require": ["violence", "hate", "hate"],
        "kinds": {"harm": True, "sensitive": "off"},
        "review": "none",
    })  # fmt: skip
    assert same.digest == policy.digest
    assert policy.id == f"p@{policy.digest}"
    assert Policy.parse(json.loads(policy.model_dump_json())).id == policy.id


@pytest.mark.parametrize(
    "change",
    [
        {"review": 0.6},
        {"block": "none"},
        {"kinds": {"meta": "off"}},
        {"require": []},
        {"rules": []},
        {"rules": [{"label": "violence", "block": 0.51}]},
        {"rules": [{"label": "violence", "review": 0.5}]},
        {"rules": [{"label": "violence", "off": True}]},
        {"rules": [{"label": "violence", "block": 0.5, "provider": "acme"}]},
        {"rules": [{"label": "violence", "block": 0.5, "instance": "acme"}]},
        {"rules": [{"label": "violence", "block": 0.5, "channel": "ocr"}]},
        {"rules": [{"label": "violence", "block": {"score": 0.5, "min_hits": 2}}]},
        {"rules": [{"label": "violence", "block": {"score": 0.5, "min_seconds": 2}}]},
    ],
)
def test_the_hash_changes_with_the_content(change):
    fields = {
        "name": "p",
        "review": 0.5,
        "block": 0.9,
        "require": ["hate"],
        "rules": [{"label": "violence", "block": 0.5}],
    }
    policy = Policy.parse(fields)
    assert Policy.parse({**fields, **change}).digest != policy.digest
    assert policy.model_copy(update={"review": None}).digest != policy.digest


def test_the_hash_stays_what_it_is():
    # It stands in stored results: if this fails, old results no longer match the policy that judged them.
    fields = {
        "name": "p",
        "review": 0.5,
        "block": 0.9,
        "require": ["hate"],
        "rules": [{"label": "violence", "block": 0.5}],
    }
    assert Policy.parse(fields).id == "p@sha256:c2e71c00d924d5ba44ee255e56bc8306c87a41811d86cff31b3fcbe73824a758"
    assert Policy(name="p").digest == "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


def test_importing_the_room_is_light():
    code = "import sys, reelvet.policy; print(sorted({m.partition('.')[0] for m in sys.modules} & {'httpx', 'aiohttp', 'rich', 'typer', 'pluggy'}))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"


# --- several policies ---


def test_several_policies_decide_and_the_first_gives_the_verdict(make_result, make_finding, make_policy):
    strict, lax = make_policy(name="strict", block=0.5), make_policy(name="lax", review=0.95, block="none")
    whole = make_result(make_finding(score=0.7), versions={"reelvet": "1"})
    judged = judge(whole, [lax, strict])
    assert (judged.verdict, judged.decisions) == ("pass", {"lax": "pass", "strict": "block"})
    assert [reason.policy for reason in judged.reasons] == ["strict"]
    assert judged.versions == {"reelvet": "1", "policy": lax.id, "policy.strict": strict.id}
    assert judge(judged, strict).versions == {"reelvet": "1", "policy": strict.id}
    assert whole.verdict is None


def test_no_policy_and_two_of_one_name_are_refused(make_result, make_policy):
    with pytest.raises(ConfigurationError, match="there is no policy"):
        judge(make_result(), [])
    with pytest.raises(ConfigurationError, match="two policies are named 'p'"):
        judge(make_result(), [make_policy(), make_policy(block=0.5, review=0.1)])
