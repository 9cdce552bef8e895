"""One frame as the detector gets it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

THUMBNAIL_EDGE = 640  # pixels of the longer side


@dataclass(frozen=True, slots=True)
class Shape:
    """What the decoder is to make of a frame.

    Attributes:
        width: Pixels.
        height: Pixels.
        pixel_format: `rgb24` or `bgr24`.
        thumbnails: Whether to make a small picture of each frame too.
    """

    width: int
    height: int
    pixel_format: str
    thumbnails: bool = False


@dataclass(frozen=True, slots=True)
class Sample:
    """A frame to be looked at.

    Attributes:
        seconds: From the start of the media; `None` without a timestamp.
        frame: Index in presentation order, or `None`.
        pixels: Upright, of the detector's shape.
        thumbnail: Upright RGB, the aspect ratio kept; `None` unless asked for.
    """

    seconds: float | None
    frame: int | None
    pixels: NDArray[np.uint8]
    thumbnail: NDArray[np.uint8] | None = None
