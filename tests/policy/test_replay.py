"""Stored results judged again."""

import pytest

from reelvet.policy import judge, replay
from reelvet.schema.errors import InvalidJob


@pytest.fixture
def stored(make_result, make_finding, make_policy):
    return [judge(make_result(make_finding(score=score)), make_policy()) for score in (0.3, 0.6, 0.95)]


def test_replay_tells_what_would_have_changed(stored, make_policy):
    again = list(replay(stored, make_policy(block=0.6)))
    assert [item.changed for item in again] == [False, True, False]
    assert [item.changes for item in again] == [{}, {"p": ("review", "block")}, {}]
    assert again[1].before is stored[1]
    assert again[1].after.verdict == "block"
    assert again[1].key == "k"


def test_replay_of_another_policy_has_no_decision_before(stored, make_policy):
    again = next(replay(stored, [make_policy(name="new")]))
    assert (again.changed, again.changes) == (False, {"new": (None, "pass")})


def test_replay_reads_an_open_jsonl_file(stored, make_policy, tmp_path):
    path = tmp_path / "results.jsonl"
    path.write_text("\n".join([stored[0].dump_json(), "", *(result.dump_json() for result in stored[1:])]) + "\n")
    for mode in ("r", "rb"):
        with path.open(mode) as lines:
            assert [item.after.verdict for item in replay(lines, make_policy())] == ["pass", "review", "block"]


def test_replay_is_lazy(stored, make_policy):
    asked = []

    def results():
        for result in stored:
            asked.append(result)
            yield result

    items = replay(results(), iter([make_policy()]))
    assert asked == []
    next(items)
    assert len(asked) == 1
    assert len(list(items)) == 2


def test_a_line_that_is_no_result_is_named(stored, make_policy):
    items = replay([stored[0], "", '{"key": 1}'], make_policy())
    next(items)
    with pytest.raises(InvalidJob, match="result 3: not a moderation result"):
        next(items)
