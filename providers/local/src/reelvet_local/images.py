"""Still and animated images: JPEG, PNG, WebP, GIF, APNG.

Pillow reads them, as FFmpeg fills in the missing half of a cut JPEG without a word and does not know EXIF orientation.
"""

from __future__ import annotations

import struct
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

Image.MAX_IMAGE_PIXELS = None  # the cap below is stricter, and an error of our own

_FORMATS = {b"\xff\xd8\xff": "JPEG", b"\x89PNG\r\n\x1a\n": "PNG", b"GIF87a": "GIF", b"GIF89a": "GIF"}
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

    Raises:
        MediaError: `too_many_pixels`, `truncated`, `decode_failed`.
    """

    damaged = 0
    filled = 0
    resets = 0
    hole = None

    def __init__(self, file: BinaryIO, name: str, rule: SamplingRule, shape: Shape, max_pixels: int) -> None:
        self._rule = rule
        self._shape = shape
        size = _webp_size(file) if name == "WEBP" else None
        if size is not None:
            check_size(
                _facts(name, size), max_pixels
            )  # before Pillow: its WebP decoder allocates the canvas on opening
        try:
            self._image = Image.open(file, formats=[name])
            check_size(_facts(name, self._image.size), max_pixels)
            frames = getattr(self._image, "n_frames", 1)
            orientation = self._image.getexif().get(_EXIF_ORIENTATION, 1)
        except (MediaError, MemoryError):
            raise
        except Exception as error:  # Pillow's readers let out whatever their parsing met: struct, index, syntax errors
            raise MediaError("decode_failed", f"Begins like {name} but cannot be read: {error}") from error
        self.timed = frames > 1 and self._image.format != "MPO"  # MPO: several views of one photo
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
            MediaError: `truncated` before the first frame, `broken_tail` after it.
        """
        slots = Slots(self._rule.interval, _MILLISECOND)
        tick = 0
        for index in range(self._frames):
            try:
                self._image.seek(index)
                self._image.load()
            except MemoryError:
                raise
            except Exception as error:  # see above
                raise MediaError(
                    "broken_tail" if index else "truncated", f"The image is cut off or damaged: {error}", self.facts
                ) from error
            duration = round(self._image.info.get("duration") or 0) or _DEFAULT_DELAY
            if slots.take(tick) or slots.spans(duration) or not self.timed:
                yield self._sample(tick / 1000, index)
            else:
                yield None
            tick += duration
            if self.timed:
                self.end = tick / 1000

    def _sample(self, seconds: float, index: int) -> Sample:
        # As the model's own package does it: alpha is dropped, so that what it hides is seen.
        picture = ImageOps.exif_transpose(self._image).convert("RGB")
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
