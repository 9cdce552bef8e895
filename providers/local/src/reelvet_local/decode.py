"""The frames of a video that are to be looked at, in one pass over the file.

Seeking to each instant is slower than decoding what lies between (a seek lands on a key frame, up to a GOP earlier), so
the file is read once from front to back. Frames that no other frame refers to are skipped undecoded, unless they are
wanted themselves; which ones are wanted is known from the packets' timestamps beforehand.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

import av.error
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from reelvet_local.media import ENDLESS, MediaError, Video, check_size, unread
from reelvet_local.sample import THUMBNAIL_EDGE, Sample, Shape
from reelvet_local.sampling import FrameIndex, Holes, SamplingRule, Slots

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av.packet import Packet
    from av.video.frame import VideoFrame
    from numpy.typing import NDArray

# Plain BILINEAR takes every second colour sample only; with all of them scores equal those of Pillow's scaler (to 0.01,
# instead of 0.07) for a third of a millisecond.
_SCALING = (
    Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT | Interpolation.FULL_CHR_H_INP
)
_HELD_BYTES = 64 << 20  # compressed packets kept between two key frames before the stretch is decoded after all
_TOLERANCE = 1  # seconds by which a track may end before its declared end
_LOST_BYTES = 4096  # of a file between two packets that belong to none and are more than headers
_CUT_TOLERANCE = Fraction(1, 10)  # the same where the file is known to be cut: only its index may be missing


@dataclass(frozen=True, slots=True)
class _Pick:
    """A chosen frame that is not counted yet."""

    tick: int
    count: int | None  # its place among the decoded frames, where the file has no timestamps
    pixels: NDArray[np.uint8]
    thumbnail: NDArray[np.uint8] | None


class VideoReader:
    """Reads one video track once.

    Attributes:
        facts: See `Facts`; rotation and displayed size are known with the first frame.
        timed: Whether its frames have timestamps; known with the first frame.
        end: Seconds at the end of what was read; `None` without timestamps.
        damaged: Packets that the demuxer flags as damaged or the decoder refuses, and frames taken that it flags.
        filled: Stretches between key frames that had to be decoded (rule `keyframes`).
        resets: Places where timestamps start over; times go on from there.
        hole: Seconds at which a stretch begins whose frames cannot be decoded although others follow, or `None`.
        every: Without timestamps: one of so many frames is taken.
    """

    def __init__(self, video: Video, rule: SamplingRule, shape: Shape, max_pixels: int) -> None:
        self.facts = video.facts
        self.timed = False
        self.end: float | None = None
        self.damaged = 0
        self.filled = 0
        self.resets = 0
        self.hole: float | None = None
        self.every: int | None = None
        self._video = video
        self._codec = video.stream.codec_context
        self._rule = rule
        self._max_pixels = max_pixels
        self._painter = _Painter(shape)
        self._slots = Slots(rule.interval, video.time_base)
        self._index = FrameIndex(exact=video.countable)
        gap = rule.max_gap if rule.rule == "keyframes" else 0.0
        self._patience = Fraction(str(max(rule.interval, gap))) + _TOLERANCE  # seconds without a frame that are no hole
        self._holes = Holes(self._patience / video.time_base)
        self._read_to: int | None = None  # byte of the file up to which all belongs to packets (Matroska)
        self._rate = video.stream.average_rate or Fraction(25)  # of frames without timestamps
        self._refused = 0  # packets in a row
        self._most_refused = 0  # the most with frames after them
        self._error: Exception | None = None  # the demuxer gave up
        self._shift = 0  # ticks by which timestamps that started over are moved
        self._next_dts = -(1 << 62)  # where the next packet is expected, and the step to it
        self._step = 0
        self._packets = 0
        self._cut_packet = False  # the latest packet is incomplete
        self._last_tick = 0  # the latest frame on screen
        self._end_tick = 0  # where a packet ends, at most
        self._decoded = 0
        self._good_tick = 0  # the last decoded frame
        self._failing = False  # the decoder has refused everything since
        self._passed_over: VideoFrame | None = None  # the latest frame, if it was not taken
        self._passed_tick = 0
        # Rule `keyframes`: the last key frame and what followed it, as long as it is not known whether it is needed.
        self._held: list[Packet[Any]] = []
        self._held_bytes = 0
        self._filling = False
        self._due: list[_Pick] = []

    def close(self) -> None:
        """Release the decoder. The file stays open."""
        self._video.container.close()

    def samples(self) -> Iterator[Sample | None]:
        """Yield the frames to look at, and `None` after each packet so that the caller can stop.

        Raises:
            MediaError: At the end of what could be read: `broken_tail` after the first frame, else `zero_length`,
                `truncated` or `decode_failed`. At any time: `too_many_pixels`, `decode_failed` (out of memory).
        """
        step = self._keyframes if self._rule.rule == "keyframes" else self._interval
        for packet in self._demux():
            for pick in step(packet):
                yield self._finish(pick)
            yield None
        for pick in step(None):
            yield self._finish(pick)
        self._judge()

    # --- the two rules -------------------------------------------------------------------------------------------

    def _interval(self, packet: Packet[Any] | None) -> Iterator[_Pick]:
        for frame in self._decode(packet):
            yield from self._choose(frame)
        if packet is None:
            yield from self._recover(self._end())

    def _keyframes(self, packet: Packet[Any] | None) -> Iterator[_Pick]:
        if packet is None or packet.is_keyframe:
            due, self._due = self._due, []
            yield from due
            if self._filling:
                yield from self._drain()
                self._filling = False
            if packet is None:
                return
            self._held, self._held_bytes = [packet], 0
            tick = self._tick(packet.pts)
            if tick is None or self._slots.needs(tick):
                # Decoded apart from its neighbours. On screen, frames may precede it that follow it in the file, so it
                # cannot be counted yet: it is due with the first packet of later time.
                self._due = [pick for frame in self._decode(packet) for pick in self._choose(frame)]
                self._due += self._drain()
        elif self._filling:
            yield from self._interval(packet)
        else:
            self._held.append(packet)
            self._held_bytes += packet.size
            tick, since = self._tick(packet.pts), self._tick(self._held[0].pts)
            if tick is None or since is None:
                far = True
            else:
                far = (tick - since) * self._video.time_base > self._rule.max_gap
                if tick > since:
                    due, self._due = self._due, []
                    yield from due
            if far or self._held_bytes > _HELD_BYTES:
                self.filled += 1
                self._filling = True
                held, self._held = self._held, []
                for each in held:
                    yield from self._interval(each)

    def _drain(self) -> list[_Pick]:
        picks = [pick for frame in self._decode(None) for pick in self._choose(frame)]
        self._codec.flush_buffers()
        return picks

    def _tick(self, pts: int | None) -> int | None:
        return None if pts is None else pts - self._video.origin

    def _demux(self) -> Iterator[Packet[Any]]:
        """The packets, each when its successor is known."""
        before: Packet[Any] | None = None
        try:
            for packet in self._packets_of_file():
                self._note(packet)
                if before is not None:
                    yield before
                before = packet
        except av.error.FFmpegError as error:
            self._error = error
        if before is not None:
            yield before

    def _packets_of_file(self) -> Iterator[Packet[Any]]:
        """The track's packets. Some demuxers leave out what is damaged without a word: its bytes are missed."""
        stream, container = self._video.stream, self._video.container
        clustered, endless = "matroska" in self.facts.container, self.facts.container in ENDLESS
        for packet in container.demux() if clustered or endless else container.demux(stream):
            if packet.size == 0 and packet.dts is None:
                break  # PyAV's own signal to flush
            if packet.pos is not None:
                if clustered and self._read_to is not None and packet.pos - self._read_to > _LOST_BYTES:
                    self._holes.expect(self._last_tick + 1, refused=True)
                self._read_to = max(packet.pos + packet.size, self._read_to or 0)
            if packet.stream.index == stream.index:
                yield cast("Packet[Any]", packet)
        self.damaged += endless and unread(container, self._read_to)

    def _note(self, packet: Packet[Any]) -> None:
        self._packets += 1
        self._cut_packet = packet.is_corrupt
        self._mend(packet)
        tick = self._tick(packet.pts)
        if packet.is_corrupt:
            self.damaged += 1
            self._expect(packet, refused=True)
        if tick is not None:
            self._slots.see(tick)
            self._last_tick = max(self._last_tick, tick)
            self._end_tick = max(self._end_tick, tick + (packet.duration or 0))
        if not packet.is_discard:
            self._index.add(tick, key=packet.is_keyframe)

    def _mend(self, packet: Packet[Any]) -> None:
        """Where timestamps start over (joined recordings), go on counting: else nothing after it would be looked at."""
        if packet.dts is None:
            return
        if packet.dts + self._shift < self._next_dts - self._step:
            self._shift = self._next_dts - packet.dts
            self.resets += 1
        if self._shift:
            packet.dts += self._shift
            if packet.pts is not None:
                packet.pts += self._shift
        self._step = max(packet.duration or 0, 1)
        self._next_dts = packet.dts + self._step

    def _end(self) -> int:
        """Where the last frame ends. A packet's duration may reach beyond that: containers take it from decoding order."""
        declared = self._video.end
        return self._end_tick if declared is None else max(self._last_tick, min(self._end_tick, declared))

    def _decode(self, packet: Packet[Any] | None) -> list[VideoFrame]:
        wanted = False
        if packet is not None:
            tick = self._tick(packet.pts)
            wanted = tick is None or self._slots.needs(tick) or packet.is_keyframe
            self._codec.skip_frame = "DEFAULT" if wanted else "NONREF"
        try:
            frames = self._codec.decode(packet)
        except av.error.EOFError:
            return []  # drained before
        except av.error.MemoryError as error:
            raise MediaError(
                "decode_failed", "Decoding needs more memory than is allowed (max_memory)", self.facts
            ) from error
        except av.error.FFmpegError:
            # One broken packet is no reason to give up: the decoder recovers with the next key frame.
            self.damaged += 1
            self._refused += 1
            self._failing = True
            self._expect(packet, refused=True)
            return []
        if wanted:
            self._expect(packet, refused=False)
        if frames:
            self._most_refused = max(self._most_refused, self._refused)
            self._refused = 0
            self._failing = False
        return frames

    def _expect(self, packet: Packet[Any] | None, *, refused: bool) -> None:
        tick = None if packet is None or packet.is_discard else self._tick(packet.pts)
        if tick is not None:
            self._holes.expect(tick, refused=refused)

    # --- frames --------------------------------------------------------------------------------------------------

    def _choose(self, frame: VideoFrame) -> Iterator[_Pick]:
        """Take a frame or pass it over; taking it may also bring back the one before, if that stayed on screen."""
        tick = self._tick(frame.pts)
        count = None
        if tick is None:  # a bare stream without timestamps: count, which is exact as nothing is skipped then
            count = self._decoded
            self.every = max(1, round(Fraction(str(self._rule.interval)) * self._rate))
            tick = round(count / self._rate / self._video.time_base)
        if not self._decoded:
            self._first(frame, timed=count is None)
        self._decoded += 1
        self._good_tick = max(self._good_tick, tick)
        self._last_tick = max(self._last_tick, tick)
        self._end_tick = max(self._end_tick, tick)
        yield from self._recover(tick)
        self._holes.shown(tick)
        if self._slots.take(tick):
            yield self._paint(frame, tick, count)
        else:
            self._passed_over, self._passed_tick = frame, tick

    def _recover(self, until: int) -> Iterator[_Pick]:
        """Take the frame passed over after all if it stays on screen for an interval or longer."""
        frame, self._passed_over = self._passed_over, None
        if frame is not None and self._slots.spans(until - self._passed_tick):
            yield self._paint(frame, self._passed_tick, None if frame.pts is not None else self._decoded - 1)

    def _first(self, frame: VideoFrame, *, timed: bool) -> None:
        self.timed = timed
        rotation = _clockwise(frame)
        width, height = (frame.height, frame.width) if rotation in {90, 270} else (frame.width, frame.height)
        self.facts = replace(self.facts, width=width, height=height, rotation=rotation)

    def _paint(self, frame: VideoFrame, tick: int, count: int | None) -> _Pick:
        check_size(replace(self.facts, width=frame.width, height=frame.height), self._max_pixels)
        self.damaged += frame.is_corrupt
        self._holes.look(tick)
        if self.hole is None and self._holes.first is not None:
            self.hole = max(0.0, float(self._holes.first[0] * self._video.time_base))
        pixels, thumbnail = self._painter.paint(frame)
        return _Pick(tick, count, pixels, thumbnail)

    def _finish(self, pick: _Pick) -> Sample:
        if pick.count is not None:
            return Sample(None, pick.count, pick.pixels, pick.thumbnail)
        seconds = max(0.0, float(pick.tick * self._video.time_base))
        return Sample(seconds, self._index.at(pick.tick), pick.pixels, pick.thumbnail)

    # --- the end -------------------------------------------------------------------------------------------------

    def _judge(self) -> None:
        """State how far the file could be read, and raise if that is not as far as it should be."""
        video = self._video
        if not self._decoded:
            if video.cut or self._error or self._cut_packet:
                raise MediaError("truncated", "The file is cut off before its first frame", self.facts) from self._error
            if not self._packets:
                raise MediaError("zero_length", "The video has no frames", self.facts)
            raise MediaError("decode_failed", f"No frame could be decoded ({self.facts.codec})", self.facts)
        if self.facts.kind == "image" and self._packets == 1:
            self.timed = False  # no stretch of time is claimed for a still, so none can be missing
            if video.cut or self._cut_packet or self._error or self.damaged:
                raise MediaError("broken_tail", "The picture is cut off or damaged", self.facts) from self._error
            return
        end = self._end()
        # Some decoders swallow what they cannot decode; but the first frame of each stretch should have come out.
        stretch = self._rule.interval + (self._rule.max_gap if self._rule.rule == "keyframes" else 0)
        silent = (self._last_tick - self._good_tick) * video.time_base > stretch + _TOLERANCE
        reached = self._good_tick if self._failing or self._error or silent else end
        if self.timed:
            self.end = float(reached * video.time_base)
        self._judge_middle()
        missing = (max(video.end or 0, end) - reached) * video.time_base
        complete = video.end is not None and missing <= _CUT_TOLERANCE
        if self._error or self._cut_packet or missing > _TOLERANCE or (video.cut and not complete):
            where = "" if self.end is None else f" after {self.end:.3f} s"
            raise MediaError("broken_tail", f"The video breaks off{where}", self.facts) from self._error

    def _judge_middle(self) -> None:
        hole = self._holes.first or (self._holes.suspect if self.damaged else None)
        if hole is not None and self.timed:
            self.hole, end = (max(0.0, float(tick * self._video.time_base)) for tick in hole)
            where = f"from {self.hole:.3f} s to {end:.3f} s"
        elif not self.timed and self._most_refused > self._patience * self._rate:
            where = f"in {self._most_refused} packets on end"
        else:
            return
        raise MediaError("broken_middle", f"No picture can be decoded {where}, though there are some", self.facts)


def _clockwise(frame: VideoFrame) -> int:
    """Degrees by which to turn a frame for display; anything between right angles goes to the nearest."""
    return round(-frame.rotation / 90) * 90 % 360


class _Painter:
    """Scales frames, and turns them upright after that: turning a small picture is cheaper."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._scaler = VideoReformatter()  # kept: it caches its tables as long as the sizes stay the same
        self._thumbnails = VideoReformatter()

    def paint(self, frame: VideoFrame) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
        shape = self._shape
        pixels = _scale(self._scaler, frame, (shape.width, shape.height), shape.pixel_format)
        if not self._shape.thumbnails:
            return pixels, None
        sideways = _clockwise(frame) in {90, 270}
        width, height = (frame.height, frame.width) if sideways else (frame.width, frame.height)
        shrink = min(1.0, THUMBNAIL_EDGE / max(width, height))
        size = max(1, round(width * shrink)), max(1, round(height * shrink))
        return pixels, _scale(self._thumbnails, frame, size, "rgb24")


def _scale(scaler: VideoReformatter, frame: VideoFrame, size: tuple[int, int], pixel_format: str) -> NDArray[np.uint8]:
    """Scale a frame so that it has a size once it is upright."""
    rotation = _clockwise(frame)
    width, height = reversed(size) if rotation in {90, 270} else size
    small = scaler.reformat(frame, width, height, pixel_format, interpolation=_SCALING, threads=1)
    pixels = cast("NDArray[np.uint8]", small.to_ndarray())
    return np.ascontiguousarray(np.rot90(pixels, -rotation // 90)) if rotation else pixels
