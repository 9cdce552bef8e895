"""What a result says of how it looked: no second, no stretch and no track more than was looked at."""

from __future__ import annotations

import av
import numpy as np
import pytest

from reelvet import CoverageState, ModerationJob, Status, Verdict


@pytest.fixture
def bare(tmp_path):
    """A bare H.264 stream: no container, no timestamps."""
    path = tmp_path / "bare.h264"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=25, options={"g": "25"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(100):
            level = 255 if index >= 50 else 0
            output.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((48, 64, 3), level, np.uint8), "rgb24")))
        output.mux(stream.encode(None))
    return path


def codes(result):
    return {note.code for note in result.warnings}


def test_without_timestamps_no_seconds_are_claimed(bright, bare):
    result = bright.moderate(ModerationJob(media=bare, interval=2))
    assert result.media.sampling == "one of every 50 frames; the file has no timestamps; 2 frames looked at"
    assert [finding.start for finding in result.findings] == [None]
    assert result.coverage[0].through is None


def test_an_early_stop_without_timestamps_says_why_and_claims_no_stretch(bright, bare):
    result = bright.moderate(ModerationJob(media=bare, stop_on={"violence": 0.9}))
    row = result.coverage[0]
    assert (row.state, row.why, row.through) == (CoverageState.HIT, "stopped, as stop_on asked", None)


@pytest.mark.parametrize(("wished", "taken"), [(1e-5, 0.001), (1e6, 86400.0)])
def test_an_interval_out_of_range_is_a_wish_adjusted(bright, clip, wished, taken):
    job = ModerationJob(media=clip(255), interval=wished)
    plan = bright.plan(job)
    assert plan.tasks[0].payload["interval"] == taken
    assert [note.code for note in plan.warnings] == ["wish_adjusted"]
    assert f"so it is {taken:g}" in plan.warnings[0].says
    assert bright.moderate(job).verdict is Verdict.BLOCK


def test_an_interval_that_leaves_most_of_it_out_is_warned_of(bright, clip):
    path = clip(*[0] * 12)
    sparse = bright.moderate(ModerationJob(media=path, interval=50_000))
    assert (sparse.verdict, codes(sparse)) == (Verdict.PASS, {"sparse_sampling"})
    assert "for 12 s on end of 12 s" in sparse.warnings[0].says
    assert codes(bright.moderate(ModerationJob(media=path, interval=5))) == set()
    assert codes(bright.moderate(ModerationJob(media=clip(0, 0, 0, name="b.mp4"), interval=50))) == set()


def test_a_second_video_track_leaves_nothing_clean(bright, tmp_path):
    path = tmp_path / "two.mp4"
    with av.open(str(path), "w") as output:
        streams = [output.add_stream("libx264", rate=5) for _ in range(2)]
        for stream, level in zip(streams, (0, 255), strict=True):
            stream.width, stream.height, stream.pix_fmt = 64 if level else 128, 48, "yuv420p"
        for stream, level in zip(streams, (0, 255), strict=True):
            for _ in range(10):
                pixels = np.full((48, stream.width, 3), level, np.uint8)
                output.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
            output.mux(stream.encode(None))
    result = bright.moderate(ModerationJob(media=path))
    assert result.status is Status.SUCCEEDED
    assert result.verdict is not Verdict.PASS
    row = result.coverage[0]
    assert (row.state, row.why) == (CoverageState.NOT_EVALUATED, "1 further video tracks were not looked at")
    assert "other_tracks" in codes(result)


def test_a_still_is_said_to_be_one(bright, tmp_path):
    from PIL import Image

    Image.new("RGB", (80, 60)).save(tmp_path / "a.png")
    result = bright.moderate(ModerationJob(media=tmp_path / "a.png"))
    assert (result.verdict, result.media.sampling, result.media.largest_gap) == (
        Verdict.PASS,
        "every picture; 1 looked at",
        None,
    )


def test_a_hole_in_the_middle_is_no_pass(bright, clip):
    path = clip(*range(0, 60, 3))
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        packets = [(p.pos, p.size, float(p.pts * p.time_base)) for p in container.demux(video=0) if p.size]
    for position, size, seconds in packets:
        if 2 <= seconds < 18:
            data[position : position + size] = b"\xff" * size
    path.write_bytes(data)
    result = bright.moderate(ModerationJob(media=path))
    assert (result.status, result.verdict) == (Status.FAILED, Verdict.ERROR)
    assert result.tasks[0].error.code == "broken_middle"
    assert result.coverage[0].state is CoverageState.NOT_EVALUATED
    assert result.coverage[0].through < 2
