"""Opening a file of unknown origin: FFmpeg sees an open file and nothing else.

It never gets a path or URL, every further file that a container might name is refused, formats that exist to name other
files (playlists, concatenations, manifests, session descriptions, devices) are not on the list, and dimensions are
checked before the first frame is allocated.
"""

from __future__ import annotations

import os
import stat
import struct
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn, cast

import av
import av.error

from reelvet_local.outcome import Facts

if TYPE_CHECKING:
    from pathlib import Path

    from av.container import InputContainer
    from av.video.stream import VideoStream

    from reelvet_local.outcome import ErrorCode

MAX_PIXELS = 7680 * 4320  # 8K UHD

# Demuxers that read one self-contained file. Names as FFmpeg knows them; those of other builds are simply not met.
_VIDEO_FORMATS = (
    "3dostr 4xm amv apv asf asf_o av1 avi avif avs2 avs3 bink cavsvideo dhav dirac dnxhd dv evc film_cpk flic flv gif gxf "
    "h261 h263 h264 hevc idcin ingenient ipu ivf jv live_flv lmlm4 m4v matroska mjpeg mjpeg_2000 moflex mov mpeg mpegts "
    "mpegtsraw mpegvideo mpjpeg mxf nsv nut nuv obu ogg pmp pva rm roq smjpeg smk swf thp ty vc1 vc1test vivo vmd vvc "
    "webm wtv yuv4mpegpipe"
)
_IMAGE_FORMATS = (
    "apng bmp_pipe dds_pipe dpx_pipe exr_pipe hdr_pipe j2k_pipe jpeg_pipe jpegls_pipe jpegxl_anim jpegxl_pipe pam_pipe "
    "pbm_pipe pcx_pipe pgm_pipe png_pipe ppm_pipe psd_pipe qoi_pipe sgi_pipe sunrast_pipe tiff_pipe webp_pipe"
)
# Sound is on the list so that a sound file is told from something that is no media at all.
_AUDIO_FORMATS = "aac ac3 aiff amr ape au caf dts eac3 flac mp3 oga opus tta voc w64 wav wv"
_ALLOWED = ",".join(f"{_VIDEO_FORMATS} {_IMAGE_FORMATS} {_AUDIO_FORMATS}".split())
_PLAYLISTS = (b"#EXTM3U", b"ffconcat", b"<MPD", b"<SmoothStreamingMedia", b"[playlist]", b"<smil", b"<asx", b"v=0")

# A packet of these holds exactly one shown frame, so frames can be counted without being decoded.
_ONE_FRAME_PER_PACKET = {"h264", "hevc", "vp9", "av1", "mjpeg", "prores", "ffv1", "vvc"}
_DECODERS = {"libdav1d": "av1", "libvpx-vp9": "vp9", "libvpx": "vp8", "libaom-av1": "av1"}
_PROGRESSIVE = 1
_STILL_BRANDS = {"avif", "avio", "heic", "heim", "heis", "heix", "jpeg", "mif1", "mif2", "miaf"}
_MOST_BOXES = 1 << 18  # that are walked to find a cut; films in fragments of a second have as many after a day


class MediaError(Exception):
    """The file cannot be looked at, or no further.

    Attributes:
        code: One of `reelvet_local.outcome.ErrorCode`.
        facts: What was known of the file.
    """

    def __init__(self, code: ErrorCode, message: str, facts: Facts | None = None) -> None:
        super().__init__(message)
        self.code: ErrorCode = code
        self.message = message
        self.facts = facts


class _Reader:
    """A file without a name: FFmpeg would guess by it, and resolve other names against it."""

    def __init__(self, file: BinaryIO) -> None:
        self.read = file.read
        self.seek = file.seek
        self.tell = file.tell


ENDLESS = frozenset({"mpegts", "mpeg", "mpegvideo", "h264", "hevc"})
"""Containers that do not say how long they are: nothing but their bytes tells that something is missing."""

_UNREAD_BYTES = 64 << 10


@dataclass(frozen=True, slots=True)
class Video:
    """An opened container and the video track that is looked at.

    Attributes:
        container: To be closed by the owner.
        stream: The track.
        facts: See `Facts`.
        origin: The tick of the track's time base at which the media starts.
        end: Tick (from `origin`) at which the track should end by its own account; `None` where it does not say.
        cut: The container says that it is longer than the file is.
        countable: Frames may be counted by packets.
    """

    container: InputContainer
    stream: VideoStream
    facts: Facts
    origin: int
    end: int | None
    cut: bool
    countable: bool

    @property
    def time_base(self) -> Fraction:
        """Seconds per tick."""
        return self.stream.time_base or Fraction(1, av.time_base)


def unread(container: InputContainer, read_to: int | None) -> bool:
    """Whether a good part of the file lies behind the last packet: what a demuxer skips in search of the next."""
    return read_to is not None and container.size - read_to > max(_UNREAD_BYTES, container.size // 20)


def open_file(path: str | Path | int) -> BinaryIO:
    """Open a regular file for reading.

    Args:
        path: The file, or the descriptor of one that is open.

    Raises:
        MediaError: `unreadable` (no such file, directory, no permission), `not_media` (empty).
    """
    try:
        # Without O_NONBLOCK a named pipe would hang here before it can be refused.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        descriptor = path if isinstance(path, int) else os.open(path, flags)
    except OSError as error:
        raise MediaError("unreadable", f"The file cannot be read: {error.strerror}") from error
    status = os.fstat(descriptor)
    if stat.S_ISREG(status.st_mode) and status.st_size:
        file = os.fdopen(descriptor, "rb")
        file.seek(0)
        return file
    os.close(descriptor)
    if stat.S_ISREG(status.st_mode):
        raise MediaError("not_media", "The file is empty")
    raise MediaError("unreadable", "Not a regular file")


def open_video(file: BinaryIO, max_pixels: int = MAX_PIXELS) -> Video:
    """Open a video (or an image that only FFmpeg reads).

    Args:
        file: At position 0.
        max_pixels: Width times height at most.

    Raises:
        MediaError: `not_media`, `unsupported_format`, `truncated`, `no_video`, `too_many_pixels`, `decode_failed`.
    """
    head = file.read(4096)
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(_PLAYLISTS) or b"<MPD" in head:
        raise MediaError("unsupported_format", "A playlist or manifest: it only names other media")
    cut = _is_cut(file)
    # The option also bounds the frames that FFmpeg decodes while it probes.
    container = _open(file, {"max_pixels": str(max_pixels)}, cut=cut)
    try:
        video = _video(container, cut=cut)
        facts = video.facts
        if facts.width is None:
            # Refused while probing, and then FFmpeg says nothing: ask again for what is stated, without decoding.
            container.close()
            with _open(file, {"skip_frame": "all"}, cut=cut) as stated:
                facts = _video(stated, cut=cut).facts
            container = _open(file, {"max_pixels": str(max_pixels)}, cut=cut)
            video = _video(container, cut=cut)
        check_size(facts, max_pixels)
    except BaseException:
        container.close()
        raise
    # Not left to the probe: the stream may grow later on.
    context = video.stream.codec_context
    context.options = {"max_pixels": str(max_pixels)}
    # The model has the other core. Frame threads would also delay errors and stops by several frames.
    context.thread_count = 1
    context.thread_type = "NONE"
    return video


def check_size(facts: Facts, max_pixels: int) -> None:
    """Refuse what is too large.

    Raises:
        MediaError: `too_many_pixels`.
    """
    if (facts.width or 0) * (facts.height or 0) > max_pixels:
        message = f"{facts.width} x {facts.height} pixels: more than the {max_pixels} allowed (max_pixels)"
        raise MediaError("too_many_pixels", message, facts)


def _open(file: BinaryIO, options: dict[str, str], *, cut: bool) -> InputContainer:
    file.seek(0)
    try:
        return av.open(
            _Reader(file),
            "r",
            container_options={
                "format_whitelist": _ALLOWED,
                "protocol_whitelist": "",
                "probesize": "5000000",
                "analyzeduration": "5000000",
            },
            options=options,
            io_open=_refuse,
            buffer_size=1 << 18,
        )
    except av.error.ArgumentError as error:
        raise MediaError("unsupported_format", "A container format that is not on the allow-list") from error
    except (av.error.FFmpegError, RefusedError) as error:
        if cut:
            raise MediaError(
                "truncated", "The file is cut off: its index is missing, so no frame can be read"
            ) from error
        raise MediaError("not_media", "Not a video or image that FFmpeg can read") from error


class RefusedError(Exception):
    """A container named another file."""


def _refuse(*_: Any) -> NoReturn:
    raise RefusedError("a container named another file")


def _video(container: InputContainer, *, cut: bool) -> Video:
    name = container.format.name
    videos = [s for s in container.streams.video if not s.disposition & s.disposition.attached_pic]
    duration = container.duration / av.time_base if container.duration else None
    if not videos:
        if not container.streams.audio:
            raise MediaError("not_media", "Neither picture nor sound in this file")
        raise MediaError("no_video", "Sound only: there is nothing to see", Facts("audio", name, duration=duration))
    best = container.streams.best("video")
    stream = next((s for s in videos if best is not None and s.index == best.index), videos[0])
    if stream.codec_context is None:
        raise MediaError("decode_failed", "No decoder for this codec", Facts("video", name, duration=duration))
    context = stream.codec_context
    codec = _DECODERS.get(context.name, context.name)
    origin, end, duration = _times(container, stream)
    image = name in _IMAGE_FORMATS.split() or container.metadata.get("major_brand", "").strip() in _STILL_BRANDS
    facts = Facts(
        kind="image" if image else "video",
        container=name,
        codec=codec,
        duration=duration,
        width=context.width or None,
        height=context.height or None,
        fps=float(stream.average_rate) if stream.average_rate and not image else None,
        other_video_streams=sum(not (s is stream or (image and _is_plane(s))) for s in videos),
    )
    if image and stream.disposition & stream.disposition.dependent:
        raise MediaError(
            "unsupported_format",
            f"A picture stored as a grid of {len(videos)} tiles, which are not put together",
            facts,
        )
    countable = codec in _ONE_FRAME_PER_PACKET and context.field_order in {0, _PROGRESSIVE}
    return Video(container, stream, facts, origin, end, cut, countable)


def _is_plane(stream: VideoStream) -> bool:
    """Whether it is no picture but what belongs to one: how transparent or how deep it is."""
    return (getattr(stream.codec_context, "pix_fmt", None) or "").startswith("gray")


def _times(container: InputContainer, stream: VideoStream) -> tuple[int, int | None, float | None]:
    """Origin and end of the track in ticks, and the declared duration of the media in seconds."""
    base = stream.time_base or Fraction(1, av.time_base)
    start = stream.start_time or 0
    declared = cast("int | None", container.start_time)  # PyAV's stub forgets the `None`
    media_start = start * base if declared is None else Fraction(declared, av.time_base)
    if media_start < 0:
        # Sound that starts below zero is encoder delay: no player shows it.
        media_start = min(Fraction(0), start * base)
    # FFmpeg rounds the container's start to microseconds: where the track begins with the media, take its own tick.
    origin = start if abs(start * base - media_start) < Fraction(1, 1000) else round(media_start / base)
    duration = container.duration / av.time_base if container.duration and container.duration > 0 else None
    end = None
    if stream.duration:
        end = start - origin + stream.duration
    elif tag := stream.metadata.get("DURATION"):  # Matroska
        hours, minutes, seconds = (Fraction(part) for part in tag.split(":"))
        end = round((hours * 3600 + minutes * 60 + seconds) / base) - origin
    elif duration is not None and len(container.streams) == 1:
        end = round(Fraction(str(duration)) / base)
    return origin, end, duration


def _is_cut(file: BinaryIO) -> bool:
    """Whether the container, by the sizes it states, should be longer than the file. Knows MP4, RIFF and Matroska."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(64)
    if head[:4] == b"RIFF":
        return int.from_bytes(head[4:8], "little") + 8 > size + 1  # an odd last chunk may lack its padding
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return _matroska_end(head) > size
    if head[4:8] not in {b"ftyp", b"styp", b"moov", b"mdat", b"wide", b"free", b"skip"}:
        return False
    position, seen = 0, set()
    for _ in range(_MOST_BOXES):
        if position + 8 > size:
            break
        file.seek(position)
        box = file.read(16)
        length, name = struct.unpack(">I4s", box[:8])
        if length == 1 and len(box) == 16:  # noqa: PLR2004 - a 64-bit size follows
            length = struct.unpack(">Q", box[8:])[0]
        seen.add(name)
        if length == 0:  # up to the end of the file
            position = size
            break
        if length < 8:  # noqa: PLR2004 - shorter than its own header: not a box
            break
        position += length
    else:
        return False  # no player's file; whoever pads one with empty boxes has not cut it
    return position > size or not seen & {b"moov", b"meta"}  # a still has no `moov`


def _matroska_end(head: bytes) -> int:
    """Where the Segment should end, or 0 if it does not say."""
    try:
        length, position = _ebml_size(head, 4)
        position += length
        if head[position : position + 4] != b"\x18\x53\x80\x67":
            return 0
        length, position = _ebml_size(head, position + 4)
    except IndexError:
        return 0
    unknown = length in {(1 << (7 * n)) - 1 for n in range(1, 9)}
    return 0 if unknown else position + length


def _ebml_size(data: bytes, position: int) -> tuple[int, int]:
    width = 9 - data[position].bit_length()
    value = int.from_bytes(data[position : position + width], "big") & ((1 << (7 * width)) - 1)
    return value, position + width
