"""The report for a person: readable in 80 columns, without colour, with ten thousand findings, and whatever a vendor writes."""

import re
import time

import pytest

from reelvet.cli import timeline
from reelvet.cli.looked import looked_at, shortcomings
from reelvet.cli.text import clean, clock, safe_json
from reelvet.schema.result import Coverage, Finding, MediaFacts, Native

MEDIA = "https://media.test/{}.mp4"
PORN, GORE = "sexual.explicit.pornography", "violence.graphic.blood_gore"
UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def finding(label, start, score=0.9, **more):
    return Finding(
        label=label, channel="visual", start=start, score=score, provider="acme", native=Native(field="x"), **more
    )


def row(label, state, **more):
    return Coverage(label=label, channel="visual", state=state, provider="acme", **more)


def test_a_verdict_with_everything_a_person_needs(acme):
    out = acme("moderate", MEDIA.format("block"), "--key", "k1").out
    for told in (
        " BLOCK ", "block: sexual.explicit.pornography 0.97 (threshold 0.9)", "00:00.0", "01:00.0", "█ found", "4 findings in 3 stretches",
        "00:03.0 to 00:04.0", "2 of 106 harm labels", "violence (13)", "every second; largest gap 1.00 s", "acme", "results/k1.json",
    ):  # fmt: skip
        assert told in " ".join(out.split()), told
    assert max(len(line) for line in out.splitlines() if not line.startswith("JSON:")) <= 80


@pytest.mark.parametrize("scenario", ["pass", "block", "cut", "nasty", "many", "failed"])
@pytest.mark.parametrize("columns", [40, 80, 200])
def test_it_keeps_to_the_width(acme, monkeypatch, scenario, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = acme("moderate", MEDIA.format(scenario)).out.splitlines()
    assert max(len(line) for line in lines if not line.startswith("JSON:")) <= columns


def test_no_escape_codes_where_nobody_looks(acme):
    assert "\x1b" not in acme("moderate", MEDIA.format("block")).out


def test_a_stream_that_knows_no_blocks_gets_letters(start, here):
    (here / "reelvet.toml").write_text('use = "acme"\n[polling]\nfirst = 0.01\n')
    process = start("moderate", MEDIA.format("block"), PYTHONIOENCODING="ascii")
    out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (11, "")
    assert out.isascii()
    assert "# found, . looked at, nothing found" in out


def test_what_a_vendor_writes_is_shown_and_does_nothing(acme):
    called = acme("moderate", MEDIA.format("nasty"))
    assert not UNSAFE.search(called.out)
    assert "[bold" in called.out  # no markup
    assert "\\x1b[2J" in called.out  # no control
    as_json = acme("moderate", MEDIA.format("nasty"), "--json")
    assert not UNSAFE.search(as_json.out)
    assert "\x1b[2J" in as_json.json["findings"][0]["text"]  # and nothing of it is lost


def test_ten_thousand_findings(acme):
    began = time.monotonic()
    out = acme("moderate", MEDIA.format("many")).out
    assert time.monotonic() - began < 10
    assert len(out.splitlines()) < 60
    assert "10000 findings" in out
    assert "The 20 with the highest scores are shown; all of them are in the JSON." in out


def test_what_was_not_looked_at_is_said(acme):
    out = " ".join(acme("moderate", MEDIA.format("failed")).out.split())
    assert "0 of 106 harm labels" in out
    assert "not looked at, the task did not end well" in out
    assert "no such video" in out


def test_an_emulator_says_so(acme, here):
    (here / "reelvet.toml").write_text(
        'use = "acme"\n[providers.acme]\nbase_url = "http://127.0.0.1"\n[polling]\nfirst = 0.01\n'
    )
    assert "no real verdict" in acme("moderate", MEDIA.format("pass")).out


def test_the_exit_code_stays_that_of_the_verdict_when_the_reader_leaves(start, here):
    (here / "reelvet.toml").write_text('use = "acme"\n[polling]\nfirst = 0.01\n')
    for more in ([], ["--json"]):
        process = start("moderate", MEDIA.format("many"), *more)
        process.stdout.close()
        assert process.wait(timeout=30) == 11
        assert process.stderr.read() == ""
        process.stdout = None


# --- the parts ---


def test_findings_that_follow_each_other_are_one_stretch():
    found = [
        finding(PORN, 1.0, 0.5),
        finding(PORN, 2.0, 0.7),
        finding(GORE, 2.0),
        finding(PORN, 9.0),
        finding(PORN, None),
        finding(PORN, None, None),
    ]
    told = [(s.label, s.start, s.end, s.score, s.hits) for s in timeline.gather(found, 1.0)]
    assert told == [
        (PORN, 1.0, 2.0, 0.7, 2),
        (GORE, 2.0, None, 0.9, 1),
        (PORN, 9.0, None, 0.9, 1),
        (PORN, None, None, None, 2),
    ]


def test_marks_stand_where_findings_are():
    rows = timeline.rows(
        [finding(PORN, 0.0), finding(PORN, 9.99, end=10.0)], [row(PORN, "hit")], 10.0, 10, timeline.LETTERS
    )
    assert [r.bar for r in rows] == ["#........#"]


def test_what_was_not_looked_at_stays_empty():
    coverage = [row(PORN, "hit", through=5.0, why="stopped early")]
    assert timeline.rows([finding(PORN, 2.0)], coverage, 10.0, 10, timeline.LETTERS)[0].bar == "..#..     "
    nothing = [row(PORN, "clean", through=5.0), row(GORE, "clean")]
    assert timeline.rows([], nothing, 10.0, 10, timeline.LETTERS)[0].bar == ".....     "


@pytest.mark.parametrize("coverage", [[], [row(PORN, "not_evaluated", why="failed")]])
def test_no_line_where_nothing_was_looked_at(coverage):
    assert timeline.rows([], coverage, 10.0, 10, timeline.LETTERS) == []


def test_findings_without_a_time_make_no_line_that_says_nothing_found():
    assert timeline.rows([finding(PORN, None)], [row(PORN, "hit")], 10.0, 10, timeline.LETTERS) == []


def test_a_parent_of_what_was_found_was_not_looked_at_for_that():
    seen, unseen = looked_at([row("sexual", "hit"), row(PORN, "hit"), row(GORE, "clean")], [finding(PORN, 1.0)])
    assert seen == f"2 of 106 harm labels: {PORN}, {GORE}"
    assert "sexual (41)" in unseen
    assert "violence (13)" in unseen


def test_shortcomings_are_told_by_reason():
    rows = [
        row(PORN, "clean", through=30.0),
        row(GORE, "below_floor", floor=0.5),
        row("hate", "not_evaluated", why="no eyes for it"),
    ]
    told = shortcomings(rows, MediaFacts(duration=60.0))
    assert told == [
        f"{PORN} (visual): looked at until 00:30.0 only", f"{GORE} (visual): scores below 0.5 are not reported",
        "hate (visual): not looked at, no eyes for it",
    ]  # fmt: skip
    assert shortcomings([row(PORN, "clean", through=59.5)], MediaFacts(duration=60.0)) == []


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "00:00.0"),
        (3.04, "00:03.0"),
        (59.96, "01:00.0"),
        (3599.99, "1:00:00.0"),
        (3725.5, "1:02:05.5"),
        (None, "--:--"),
    ],
)
def test_clock(seconds, shown):
    assert clock(seconds) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("a\nb\tc", "a b c"),
        ("a\x9bb", "a\\x9bb"),
        ("a\u202eb", "a\\u202eb"),
        ("\ud800", "\\ud800"),
        ("über 漢字", "über 漢字"),
    ],
)
def test_clean(text, shown):
    assert clean(text) == shown


def test_safe_json_is_the_same_json():
    assert safe_json('{"a": "\x9b\u202e"}') == '{"a": "\\u009b\\u202e"}'


def test_a_failed_job_is_told_once(acme):
    called = acme("moderate", MEDIA.format("failed"), "--key", "k1")
    lines = called.out.splitlines()
    assert "Nobody can say: the job failed." in lines[1]
    told = [line for line in lines if line.startswith(("error:", "task "))]
    assert told == [
        "error: nothing that was asked for was looked at",
        "error: the job failed, so nobody can say that there is no more",
        "task failed.k1 failed: no such video",
    ]


def test_a_long_url_shows_its_host_and_its_end_and_is_whole_in_an_error(acme, monkeypatch):
    url = f"https://media.test/{'folder/' * 20}{{}}.mp4"
    head = acme("moderate", url.format("pass")).out.splitlines()[2]
    assert head.startswith("┃ https://media.test/...")
    assert head.endswith("/folder/pass.mp4 ┃")
    monkeypatch.setenv("ACME_SAYS", f"cannot be had: {url.format('failed')}")
    assert f": {url.format('failed')}\n" in acme("moderate", url.format("failed")).out


def test_many_labels_are_one_line_per_reason():
    unseen = [row(f"sexual.explicit.x{n}", "not_evaluated", why="it does not look", clearable=False) for n in range(46)]
    rows = [
        row("sexual", "not_evaluated", why="1 of 47 labels below it looked at", clearable=False),
        row("sexual.explicit", "not_evaluated", why="0 of 46 labels below it looked at", clearable=False),
        *unseen,
        row("hate", "not_evaluated", why="it does not look", clearable=False),
        row(PORN, "not_evaluated", why="the task failed"),
    ]
    assert shortcomings(rows, MediaFacts(duration=60.0)) == [
        f"{PORN} (visual): not looked at, the task failed",
        "sexual (46), hate (1), visual: not looked at, it does not look",
    ]
    roots = [row(f"root{n}.x", "not_evaluated", why="no") for n in range(6)]
    told = shortcomings(roots, MediaFacts(duration=60.0))
    assert told == ["root0 (1), root1 (1), root2 (1) and 3 more, visual: not looked at, no"]


def test_a_parent_is_told_where_nothing_below_it_is():
    rows = [row("sexual", "not_evaluated", why="too coarse", clearable=False)]
    assert shortcomings(rows, MediaFacts(duration=60.0)) == ["sexual (visual): not looked at, too coarse"]
