"""A stretch that cannot be decoded, though frames follow it, is no silence; a picture that is shown for long is none."""

from fractions import Fraction

import av
import numpy as np
import pytest

from reelvet_local.sampling import Holes

NOISE = [np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8) for _ in range(10)]
REALTIME = {"deadline": "realtime", "cpu-used": "8"}


@pytest.fixture
def holed(encode):
    """Twelve seconds, of whose bytes those of the middle are overwritten."""

    def make(name, codec, options=None, *, first=0.1, last=0.75, fill=b"\xff", sound=0.0, bright=()):
        frames = [NOISE[i % 10] if i not in bright else np.full((120, 160, 3), 255, np.uint8) for i in range(60)]
        path = encode(name, frames, codec, rate=5, size=(160, 120), options={"g": "5", **(options or {})}, sound=sound)
        data = bytearray(path.read_bytes())
        start, end = int(len(data) * first), int(len(data) * last)
        data[start:end] = fill * (end - start)
        path.write_bytes(data)
        return path

    return make


@pytest.mark.parametrize("fill", [b"\xff", b"\x00"])
@pytest.mark.parametrize(
    "media",
    [
        ("a.mp4", "libx264", {"bf": "0"}),
        ("b.mp4", "libx264", {"bf": "3"}),
        ("c.mp4", "libx265", {"x265-params": "log-level=none:keyint=5"}),
        ("a.mkv", "libx264", {}),
        ("a.webm", "libvpx-vp9", REALTIME),
        ("b.webm", "libvpx", REALTIME),
        ("a.flv", "libx264", {}),
        ("a.mpg", "mpeg2video", {}),
    ],
)
@pytest.mark.parametrize("rule", [{}, {"sampling": "keyframes", "max_gap": 2.0}])
def test_hole_in_the_middle_fails_whatever_the_demuxer_says_of_it(vet, holed, media, fill, rule):
    outcome = vet(holed(*media, fill=fill), **rule)
    assert outcome.status == "failed", outcome
    assert outcome.error.code in {"broken_middle", "broken_tail"}
    assert outcome.through <= 4
    if outcome.error.code == "broken_middle":
        assert "though there are some" in outcome.error.message
        assert outcome.sampling.largest_gap > 5


def test_findings_around_the_hole_are_kept_and_nothing_is_claimed_beyond_its_start(vet, holed):
    path = holed("a.mp4", "libx264", {"bf": "0"}, bright={0, 55})
    whole, stopped = vet(path, report_floor=0.9), vet(path, report_floor=0.6, stop_on={"corner": 0.99})
    assert [hit.start for hit in whole.hits if hit.label == "bright"] == [0.0, 11.0]
    assert whole.error.code == "broken_middle"
    assert whole.through == 1.0
    assert stopped.through == 0.0
    late = vet(holed("b.mp4", "libx264", {"bf": "0"}, bright={55}), report_floor=0.9, stop_on={"bright": 0.9})
    assert (late.status, late.stopped_early, late.through) == ("succeeded", True, 0.8)


def test_hole_at_the_very_start(vet, holed):
    path = holed("a.mp4", "libx264", {"bf": "0"}, first=0.001, last=0.7)
    outcome = vet(path)
    assert (outcome.error.code, outcome.through) == ("broken_middle", 0.0)


def test_hole_behind_sound(vet, holed):
    outcome = vet(holed("a.mkv", "libx264", sound=12.0))
    assert outcome.error.code == "broken_middle"


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
@pytest.mark.parametrize("rule", [{}, {"sampling": "keyframes", "max_gap": 2.0}])
def test_picture_shown_for_long_is_no_hole(vet, encode, name, rule):
    """A screen recording: nothing happens for half a minute, twice."""
    path = encode(name, NOISE, rate=10, size=(160, 120), pts=[0, 1, 2, 3, 300, 301, 302, 600, 601, 602], sound=61.0)
    outcome = vet(path, **rule)
    assert outcome.status == "succeeded", outcome.error
    assert outcome.sampling.largest_gap > 25


@pytest.mark.parametrize("name", ["a.webm", "b.webm"])
def test_picture_shown_for_long_where_some_packets_show_nothing(vet, encode, name):
    """VP8 and VP9 have packets that only help to decode others: that they give no frame is no damage."""
    options = {"auto-alt-ref": "1", "lag-in-frames": "10", "deadline": "good", "cpu-used": "4"}
    codec = "libvpx" if name.startswith("b") else "libvpx-vp9"
    path = encode(name, NOISE * 3, codec, rate=10, size=(160, 120), options=options, pts=[*range(29), 300])
    outcome = vet(path)
    assert outcome.status == "succeeded", outcome.error


def test_interval_beyond_the_largest_gap_of_key_frames(vet, encode):
    """The stretch in which nothing need be looked at is the longer of the two."""
    path = encode("a.mp4", NOISE * 30, rate=5, size=(160, 120), options={"g": "5"})
    outcome = vet(path, sampling="keyframes", interval=30.0)
    assert outcome.status == "succeeded", outcome.error
    assert outcome.sampling.frames == 2
    assert outcome.through == 60.0


def test_stream_without_timestamps(vet, encode):
    """Refused packets in a row, as many as would be a hole."""
    path = encode("a.h264", NOISE * 20, rate=25, size=(160, 120), options={"g": "10", "bf": "0"})
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        packets = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    for position, size in packets[20:120]:
        data[position + 5 : position + size] = b"\xff" * (size - 5)
    path.write_bytes(data)
    outcome = vet(path)
    assert (outcome.status, outcome.through) == ("failed", None), outcome
    assert outcome.error.code == "broken_middle"


def test_a_lone_packet_without_a_frame_is_no_hole_and_a_series_is():
    lone, series, refused = (Holes(Fraction(20)) for _ in range(3))
    lone.expect(1, refused=False)
    refused.expect(1, refused=True)
    for tick in range(5, 90, 5):
        series.expect(tick, refused=False)
    for holes in (lone, series, refused):
        holes.shown(0)
        holes.look(0)
        holes.shown(100)
        holes.look(100)
    assert (lone.first, lone.suspect) == (None, (0, 100))
    assert series.first == refused.first == (0, 100)


def test_what_is_expected_for_long_is_forgotten_by_halves():
    holes = Holes(Fraction(20))
    for tick in range(30_000):
        holes.expect(tick, refused=tick == 1234)
    holes.shown(30_000)
    holes.look(30_000)
    assert holes.first == (0, 30_000)
