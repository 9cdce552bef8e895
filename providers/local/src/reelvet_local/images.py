"""Still and animated images: JPEG, PNG, WebP, GIF, APNG, and TIFF with all its pages.

Pillow reads them, as FFmpeg fills in the missing half of a cut JPEG without a word and does not know EXIF orientation.
"""

from __future__ import annotations

import struct
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from PIL import Image, ImageOps

from reelvet_local.media import MediaError, check_size
from reelvet_local.outcome import Facts
from reelvet_local.sample import THUMBNAIL_EDGE, Sample, Shape
from reelvet_local.sampling import SamplingRule, Slots

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reelvet_local.outcome import ErrorCode

Image.MAX_IMAGE_PIXELS = None  # the cap below is stricter, and an error of our own

_FORMATS = {b"\xff\xd8\xff": "JPEG", b"\x89PNG\r\n\x1a\n": "PNG", b"GIF87a": "GIF", b"GIF89a": "GIF"}
_FORMATS |= dict.fromkeys((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), "TIFF")
_MOST_PAGES = 10_000
_SUB_IFDS = 330  # further pictures below a page of a TIFF, as in raw photos
_MILLISECOND = Fraction(1, 1000)
_DEFAULT_DELAY = 100  # milliseconds: what browsers and FFmpeg give a frame that states no delay
_EXIF_ORIENTATION = 0x0112
_ROTATIONS = {3: 180, 4: 180, 5: 90, 6: 90, 7: 270, 8: 270}


def image_format(file: BinaryIO) -> str | None:
    """Pillow's name of the format if this module reads it; `None` for anything else, motion JPEG included."""
    file.seek(0)
    head = file.read(1 << 20)
    file.seek(0)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    name = next((name for magic, name in _FORMATS.items() if head.startswith(magic)), None)
    if name == "JPEG" and b"\xff\xd9\xff\xd8\xff" in head and b"MPF\0" not in head[: 1 << 17]:
        return None  # one JPEG right after another, and no index of a multi-picture photo: a video
    return name


class ImageReader:
    """The frames of an image file.

    Attributes:
        facts: See `Facts`.
        timed: Whether its frames have times: it is animated.
        end: Seconds at the end of what was read; `None` for still images.
        damaged: Always 0: Pillow reads a frame or refuses it.
        filled: Always 0.
        resets: Always 0.
        hole: Always `None`.
        every: Always `None`.

    Raises:
        MediaError: `too_many_pixels`, `truncated`, `decode_failed`.
    """

    damaged = 0
    filled = 0
    resets = 0
    hole = None
    every = None

    def __init__(self, file: BinaryIO, name: str, rule: SamplingRule, shape: Shape, max_pixels: int) -> None:
        self._rule = rule
        self._shape = shape
        self._max_pixels = max_pixels
        size = _webp_size(file) if name == "WEBP" else None
        if size is not None:
            check_size(
                _facts(name, size), max_pixels
            )  # before Pillow: its WebP decoder allocates the canvas on opening
        try:
            self._image = Image.open(file, formats=[name])
            check_size(_facts(name, self._image.size), max_pixels)
            # The pages of a TIFF are found one by one: counting them would take as long as somebody wants.
            frames = _MOST_PAGES if name == "TIFF" else getattr(self._image, "n_frames", 1)
            orientation = self._image.getexif().get(_EXIF_ORIENTATION, 1)
        except (MediaError, MemoryError):
            raise
        except Exception as error:  # Pillow's readers let out whatever their parsing met: struct, index, syntax errors
            raise MediaError("decode_failed", f"Begins like {name} but cannot be read: {error}") from error
        self.timed = frames > 1 and self._image.format not in {"MPO", "TIFF"}  # several views of one photo; pages
        width, height = self._image.size
        rotation = _ROTATIONS.get(orientation, 0)
        self.facts = _facts(name, (height, width) if rotation in {90, 270} else (width, height), rotation)
        self.end: float | None = None
        self._frames = frames

    def close(self) -> None:
        """Release the decoder. The file stays open."""
        self._image.close()

    def samples(self) -> Iterator[Sample | None]:
        """Yield the frames to look at; `None` for one that is passed over.

        Raises:
            MediaError: `truncated` before the first frame, `broken_tail` after it, `too_many_pixels` and
                `unsupported_format` at any.
        """
        slots = Slots(self._rule.interval, _MILLISECOND)
        tick = 0
        for index in range(self._frames):
            try:
                self._image.seek(index)
                check_size(replace(self.facts, width=self._image.width, height=self._image.height), self._max_pixels)
                self._count_below()
                self._image.load()
            except (MediaError, MemoryError):
                raise
            except EOFError as error:
                if index and self.facts.container == "tiff":
                    return
                raise self._cut(index, error) from error
            except Exception as error:  # see above
                raise self._cut(index, error) from error
            duration = round(self._image.info.get("duration") or 0) or _DEFAULT_DELAY
            if slots.take(tick) or slots.spans(duration) or not self.timed:
                yield self._sample(tick / 1000 if self.timed else 0.0, index)
            else:
                yield None
            tick += duration
            if self.timed:
                self.end = tick / 1000
        if self.facts.container == "tiff":
            raise MediaError("unsupported_format", f"A TIFF of more than {_MOST_PAGES} pages", self.facts)

    def _cut(self, index: int, error: Exception) -> MediaError:
        code: ErrorCode = "broken_tail" if index else "truncated"
        return MediaError(code, f"The image is cut off or damaged: {error}", self.facts)

    def _count_below(self) -> None:
        """A page of a TIFF may have further pictures below it, as raw photos do: Pillow gives none of them."""
        tags = getattr(self._image, "tag_v2", {})
        if below := tags.get(_SUB_IFDS):
            more = len(below) if isinstance(below, tuple) else 1
            self.facts = replace(self.facts, other_video_streams=self.facts.other_video_streams + more)

    def _sample(self, seconds: float, index: int) -> Sample:
        # As the model's own package does it: alpha is dropped, so that what it hides is seen.
        picture = ImageOps.exif_transpose(self._image).convert("RGB")
        if not index:
            self.facts = replace(self.facts, width=picture.width, height=picture.height)
        resized = picture.resize((self._shape.width, self._shape.height), Image.Resampling.BILINEAR)
        pixels = np.asarray(resized)
        if self._shape.pixel_format == "bgr24":
            pixels = pixels[:, :, ::-1]
        thumbnail = None
        if self._shape.thumbnails:
            picture.thumbnail((THUMBNAIL_EDGE, THUMBNAIL_EDGE))
            thumbnail = np.asarray(picture)
        return Sample(seconds, index, np.ascontiguousarray(pixels), thumbnail)


def _facts(name: str, size: tuple[int, int], rotation: int = 0) -> Facts:
    return Facts("image", name.lower(), name.lower(), None, *size, rotation=rotation)


def _webp_size(file: BinaryIO) -> tuple[int, int] | None:
    """Canvas of a WebP from its header, `None` if it is too short to say."""
    file.seek(12)
    head = file.read(18)
    file.seek(0)
    if len(head) < 18:  # noqa: PLR2004 - the longest of the three headers
        return None
    if head[:4] == b"VP8X":
        return int.from_bytes(head[12:15], "little") + 1, int.from_bytes(head[15:18], "little") + 1
    if head[:4] == b"VP8L":
        bits = int.from_bytes(head[9:13], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack("<HH", head[14:18])
    return width & 0x3FFF, height & 0x3FFF
