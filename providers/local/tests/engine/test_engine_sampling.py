"""Which frames are looked at, when they are shown, and whether that is told exactly."""

from fractions import Fraction

import av
import pytest

from reelvet_local.sampling import FrameIndex, Gaps, SamplingRule, Slots

RAMP = [30 + 2 * i for i in range(100)]  # every frame has a brightness of its own
B_FRAMES = {"g": "40", "bf": "3", "b-pyramid": "normal", "sc_threshold": "0"}
QUIET = {"x265-params": "log-level=none:keyint=40:bframes=4"}


def shown(path):
    """Every frame by an independent full decode: (seconds from the start, index, brightness)."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = [(f.pts, f.to_ndarray(format="gray").mean() / 255) for f in container.decode(stream)]
        base = stream.time_base
    return [(float((pts - frames[0][0]) * base), index, level) for index, (pts, level) in enumerate(frames)]


def expected(frames, interval, end):
    """The rule, said in another way: the first of each interval, and whatever stays on screen for an interval."""
    chosen, seen = [], set()
    for (time, index, level), following in zip(frames, [*[f[0] for f in frames[1:]], end], strict=True):
        slot = int(Fraction(str(round(time, 6))) / Fraction(str(interval)))
        if slot not in seen or following - time >= interval:
            chosen.append((time, index, level))
        seen.add(slot)
    return chosen


def looked_at(outcome):
    return [(hit.start, hit.frame, hit.score) for hit in outcome.hits if hit.label == "bright"]


def assert_same(found, wanted, *, counted=True):
    assert [f[0] for f in found] == pytest.approx([w[0] for w in wanted], abs=1e-9)
    assert [f[1] for f in found] == ([w[1] for w in wanted] if counted else [None] * len(wanted))
    assert [f[2] for f in found] == pytest.approx([w[2] for w in wanted], abs=0.03)


@pytest.mark.parametrize("interval", [1.0, 0.5, 0.3, 0.04])
@pytest.mark.parametrize(
    "stream",
    [
        ("b.mp4", "libx264", B_FRAMES, True),
        ("b.mkv", "libx264", B_FRAMES, True),
        ("b.ts", "libx264", B_FRAMES, True),
        ("open.mkv", "libx264", {**B_FRAMES, "x264-params": "open-gop=1:log-level=none"}, True),
        ("hevc.mp4", "libx265", QUIET, True),
        ("vp9.webm", "libvpx-vp9", {"deadline": "realtime", "cpu-used": "8"}, True),
        # A VP8 stream may hold packets that show nothing, so its packets are no measure.
        ("vp8.webm", "libvpx", {"deadline": "realtime", "cpu-used": "8"}, False),
        ("old.avi", "mpeg4", {"g": "40"}, False),
    ],
)
def test_frames_and_times_equal_those_of_a_full_decode(vet, encode, stream, interval):
    """Skipping undecoded frames changes neither which frame is taken, nor its time, nor its index."""
    name, codec, options, counted = stream
    path = encode(name, RAMP, codec, options=options)
    outcome = vet(path, interval=interval, report_floor=0)
    assert outcome.status == "succeeded", outcome.error
    assert_same(looked_at(outcome), expected(shown(path), interval, 4.0), counted=counted)
    assert outcome.sampling.frames == len(looked_at(outcome))
    assert outcome.sampling.largest_gap <= interval + 0.0401


@pytest.mark.parametrize("name", ["vfr.mp4", "vfr.mkv"])
def test_variable_frame_rate(vet, encode, name):
    """Times come from timestamps, and a picture that stays on screen for an interval is never left out."""
    pts = [0, 3, 7, 90, 91, 95, 210, 211, 220, 231, 330, 480, 481, 482, 483, 484]  # in 1/100 s
    path = encode(name, RAMP[: 3 * len(pts) : 3], pts=pts, rate=100, options=B_FRAMES)
    outcome = vet(path, report_floor=0)
    assert outcome.status == "succeeded", outcome.error
    assert_same(looked_at(outcome), expected(shown(path), 1.0, 4.85))
    # 0.95 stays until 2.10 and 2.31 is gone by 3.30; both are looked at only where they fill an interval.
    assert [start for start, _, _ in looked_at(outcome)] == pytest.approx([0, 0.95, 2.10, 3.30, 4.80])
    assert outcome.sampling.largest_gap == pytest.approx(1.5)


def test_times_count_from_the_start_of_the_media(vet, encode):
    """A transport stream that starts at 100 s, as recordings do, is reported from 0."""
    path = encode("late.ts", RAMP, options=B_FRAMES, shift=2500)
    with av.open(str(path)) as container:
        assert container.start_time > 99_000_000
    outcome = vet(path, report_floor=0)
    assert [start for start, _, _ in looked_at(outcome)] == [0.0, 1.0, 2.0, 3.0]
    assert outcome.through == pytest.approx(4.0)


def test_picture_that_starts_after_the_sound(vet, encode):
    """The start of the media is the start of what comes first, and the stretch before the first frame is a gap."""
    path = encode("late.mkv", RAMP[:50], options=B_FRAMES, shift=50, sound=4.0)
    outcome = vet(path, report_floor=0)
    assert [start for start, _, _ in looked_at(outcome)] == pytest.approx([2.0, 3.0], abs=0.03)
    assert outcome.sampling.largest_gap == pytest.approx(2.0, abs=0.03)


def test_joined_recordings_whose_timestamps_start_over(vet, encode, tmp_path):
    """Two transport streams one after the other: the second is looked at too, and its times go on from the first."""
    path = tmp_path / "joined.ts"
    parts = [encode(f"{n}.ts", levels, options=B_FRAMES) for n, levels in enumerate((RAMP, RAMP[::-1]))]
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    outcome = vet(path, report_floor=0)
    assert outcome.status == "succeeded", outcome.error
    assert [start for start, _, _ in looked_at(outcome)] == pytest.approx([*range(8)], abs=0.05)
    levels = [level for part in parts for _, _, level in shown(part)][::25]
    assert [score for _, _, score in looked_at(outcome)] == pytest.approx(levels, abs=0.03)
    assert outcome.sampling.time_resets == 1
    assert outcome.through == pytest.approx(8.0, abs=0.05)


def test_stream_without_timestamps(vet, encode):
    """A bare H.264 stream has no times: none are invented, and the frames are counted."""
    outcome = vet(encode("bare.h264", RAMP, options=B_FRAMES), report_floor=0)
    assert outcome.status == "succeeded"
    assert [hit.frame for hit in outcome.hits if hit.label == "bright"] == [0, 25, 50, 75]
    assert {hit.start for hit in outcome.hits} == {None}
    assert outcome.through is None
    assert outcome.sampling.largest_gap is None


@pytest.mark.parametrize("params", ["log-level=none", "open-gop=1:log-level=none"])
def test_keyframes_alone(vet, encode, params):
    """Key frames closer than `max_gap` are all that is looked at, and they are counted right, open GOPs included."""
    path = encode("keys.mkv", RAMP, options={**B_FRAMES, "x264-params": params})
    outcome = vet(path, sampling="keyframes", max_gap=2.0, report_floor=0)
    frames = shown(path)
    assert_same(looked_at(outcome), [frames[0], frames[40], frames[80]])
    assert outcome.sampling.filled_gaps == 0
    assert outcome.sampling.largest_gap == pytest.approx(1.6)


def test_keyframes_fall_back_where_they_are_far_apart(vet, encode):
    """A GOP longer than `max_gap` is sampled by interval, the others are not."""
    path = encode("sparse.mp4", RAMP, options={"g": "250", "bf": "3", "force_key_frames": "0", "sc_threshold": "0"})
    outcome = vet(path, sampling="keyframes", max_gap=1.5, interval=0.5, report_floor=0)
    assert_same(looked_at(outcome), expected(shown(path), 0.5, 4.0))
    assert outcome.sampling.filled_gaps == 1
    assert outcome.sampling.largest_gap <= 0.55


def test_keyframes_are_thinned_by_interval(vet, encode):
    """Where every frame is a key frame, one per interval is enough."""
    path = encode("intra.mp4", RAMP, options={"g": "1"})
    outcome = vet(path, sampling="keyframes", report_floor=0)
    assert [frame for _, frame, _ in looked_at(outcome)] == [0, 25, 50, 75]


def test_stream_of_nothing_but_skippable_frames(vet, encode):
    """Frames that nothing refers to are skipped undecoded, but not where that would open a hole."""
    path = encode(
        "flat.mp4", RAMP, options={"g": "100", "bf": "16", "b-pyramid": "none", "b_strategy": "0", "sc_threshold": "0"}
    )
    outcome = vet(path, interval=0.2, report_floor=0)
    assert_same(looked_at(outcome), expected(shown(path), 0.2, 4.0))


def test_score_summary_covers_frames_below_the_floor(vet, encode):
    path = encode("ramp.mp4", RAMP, options=B_FRAMES)
    outcome = vet(path, report_floor=1.0)
    assert outcome.hits == ()
    assert outcome.scores["bright"].at == 3.0
    assert outcome.scores["bright"].max == pytest.approx(RAMP[75] / 255, abs=0.03)
    assert outcome.scores["bright"].mean == pytest.approx(sum(RAMP[:100:25]) / 4 / 255, abs=0.03)


@pytest.mark.parametrize("rule", [{"rule": "often"}, {"interval": 0.0}, {"interval": -1.0}, {"max_gap": float("nan")}])
def test_rule_that_makes_no_sense(rule):
    with pytest.raises(ValueError, match="is n"):
        SamplingRule(**rule)


def test_index_is_withheld_once_the_packets_contradict():
    """No timestamp, the same one twice, or frames before the first key frame: the index is unknown, not guessed."""
    sane = FrameIndex(exact=True)
    for tick in (0, 40, 20, 10, 30):
        sane.add(tick, key=tick == 0)
    assert [sane.at(tick) for tick in (0, 20, 40)] == [0, 2, 4]
    for odd in (None, 10, -5):
        index = FrameIndex(exact=True)
        for tick in (0, 10, odd, 20):
            index.add(tick, key=tick == 0)
        assert index.at(20) is None


def test_packets_before_the_first_key_frame_are_not_counted():
    index = FrameIndex(exact=True)
    for tick, key in ((0, False), (1, False), (2, True), (3, False)):
        index.add(tick, key=key)
    assert index.at(3) == 1


def test_slots_have_no_rounding():
    """30000/1001 frames a second and an interval of 0.1: every boundary is where exact arithmetic puts it."""
    slots = Slots(0.1, Fraction(1, 30000))
    assert [slots.slot(tick) for tick in (0, 2999, 3000, 3001, 299_999_999, 300_000_000)] == [
        0,
        0,
        1,
        1,
        99_999,
        100_000,
    ]


def test_gaps_include_both_ends():
    gaps = Gaps()
    for seconds in (2.0, 2.5, 3.0, 10.0):
        gaps.look(seconds)
    assert gaps.largest == 7.0
    first = Gaps()
    first.look(4.0)
    assert first.largest == 4.0
