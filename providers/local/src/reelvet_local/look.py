"""One run inside the worker: a thread that decodes and a thread that scores, with a short queue between them."""

from __future__ import annotations

import os
import queue
import threading
import time
from contextlib import ExitStack, closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from reelvet_local.decode import VideoReader
from reelvet_local.images import ImageReader, image_format
from reelvet_local.media import MediaError, open_file, open_video
from reelvet_local.outcome import Facts, Failure, Hit, SamplingReport, ScoreSummary
from reelvet_local.sample import Sample, Shape
from reelvet_local.sampling import Gaps, SamplingRule

if TYPE_CHECKING:
    from collections.abc import Callable

    from reelvet_local.detector import Detector
    from reelvet_local.worker import Wire

Reader = VideoReader | ImageReader

_AHEAD = 4  # frames decoded ahead of the model: enough to bridge the decoder's bursts, and all that memory holds
_PROGRESS = 0.2  # seconds between two progress events
_JPEG_QUALITY = 85


class Scorer(threading.Thread):
    """Scores samples as they come and reports hits.

    Attributes:
        frames: Samples scored.
        through: Seconds of the last one.
        met: A score of `stop_on` was reached; later samples are not scored.
        failure: What the detector raised, if it did; or that a picture could not be written.
        gaps: Between the samples scored.
    """

    def __init__(self, order: dict[str, Any], detector: Detector, wire: Wire) -> None:
        super().__init__(name="scorer", daemon=True)
        self.samples: queue.Queue[Sample | None] = queue.Queue(_AHEAD)
        self.frames = 0
        self.through: float | None = None
        self.met = False
        self.failure: Failure | None = None
        self.gaps = Gaps()
        self._order = order
        self._detector = detector
        self._wire = wire
        self._sums: dict[str, float] = {}
        self._best: dict[str, tuple[float, float | None]] = {}

    @property
    def over(self) -> bool:
        """Whether further samples would be in vain."""
        return self.met or self.failure is not None

    def summary(self) -> dict[str, ScoreSummary]:
        """All scores so far."""
        return {
            label: ScoreSummary(score, self._sums[label] / self.frames, at) for label, (score, at) in self._best.items()
        }

    def run(self) -> None:
        """Score until told to end; then empty the queue, so that the decoder is never left waiting."""
        while (sample := self.samples.get()) is not None:
            if self.over:
                continue
            try:
                self._look(sample)
            except Exception as error:  # noqa: BLE001 - someone else's model; told to the caller as `detector_failed`
                says = f"The detector {self._detector.name} failed: {type(error).__name__}: {error}"
                self.failure = Failure("detector_failed", says)

    def _look(self, sample: Sample) -> None:
        scores = {label: float(score) for label, score in self._detector.score(sample.pixels).items()}
        for label, score in scores.items():
            if not 0.0 <= score <= 1.0:
                raise ValueError(f"score {score!r} of label {label!r} is not between 0 and 1")
        self.frames += 1
        self.through = sample.seconds
        if sample.seconds is not None:
            self.gaps.look(sample.seconds)
        floor, stop_on = self._order["report_floor"], self._order["stop_on"]
        may_be_kept = not any(scores.get(label, 0.0) >= floor for label in self._order["never_kept"])
        thumbnail = None
        for label, score in scores.items():
            self._sums[label] = self._sums.get(label, 0.0) + score
            if label not in self._best or score > self._best[label][0]:
                self._best[label] = score, sample.seconds
            stop = label in stop_on and score >= stop_on[label]
            if score >= floor or stop:
                thumbnail = thumbnail or (self._save(sample) if may_be_kept else None)
                hit = Hit(label, score, sample.seconds, sample.frame, thumbnail)
                self._wire.send("hit", run=self._order["run"], hit=asdict(hit))
            self.met = self.met or stop

    def _save(self, sample: Sample) -> str | None:
        if sample.thumbnail is None:
            return None
        path = Path(self._order["thumbnails"]) / f"{self._order['run']}-{self.frames:06d}.jpg"
        try:
            with open(path, "wb", opener=_private) as file:
                Image.fromarray(sample.thumbnail).save(file, "JPEG", quality=_JPEG_QUALITY)
        except OSError as error:
            self.failure = Failure(
                "thumbnails", f"The picture {str(path)!r} cannot be written: {error.strerror or error}"
            )
            return None
        return str(path)


def _private(path: str, flags: int) -> int:
    """Open for the owner alone: it shows what was found."""
    return os.open(path, flags, 0o600)


def look(order: dict[str, Any], detector: Detector, wire: Wire, canceled: Callable[[str], bool]) -> None:
    """Do one run and send its events, `done` last. Never raises.

    Args:
        order: `run`, `path` or `descriptor`, `rule`, `stop_on`, `report_floor`, `thumbnails`, `never_kept`, `max_pixels`: see `Engine.run`.
        detector: The model.
        wire: Where events go.
        canceled: Asked after every packet.
    """
    rule = SamplingRule(**order["rule"])
    shape = Shape(detector.width, detector.height, detector.pixel_format, thumbnails=bool(order["thumbnails"]))
    scorer = Scorer(order, detector, wire)
    scorer.start()
    failure: Failure | None = None
    reader: Reader | None = None
    facts: Facts | None = None
    stopped = False
    with ExitStack() as stack:
        try:
            file = stack.enter_context(open_file(order.get("descriptor", order["path"])))
            image = image_format(file)
            if image is not None:
                reader = ImageReader(file, image, rule, shape, order["max_pixels"])
            else:
                reader = VideoReader(open_video(file, order["max_pixels"]), rule, shape, order["max_pixels"])
            stack.enter_context(closing(reader))
            stopped = _feed(order, reader, scorer, wire, canceled)
        except MediaError as error:
            failure = Failure(error.code, error.message)
            facts = error.facts
        except MemoryError:
            failure = Failure("decode_failed", "Decoding needs more memory than is allowed (max_memory)")
        except Exception as error:  # noqa: BLE001 - a worker must answer; whatever a decoder lets out is the run's failure
            failure = Failure("decode_failed", f"{type(error).__name__}: {error}")
        finally:
            scorer.samples.put(None)
            scorer.join()
    if scorer.failure is not None:
        failure = scorer.failure
    elif scorer.met:
        failure = None  # what came after the stop was not asked for
    facts = reader.facts if reader else facts
    complete = failure is None and not stopped and not scorer.met
    through = None
    if reader is not None and reader.timed:
        through = reader.end if complete else scorer.through
        if through is not None and reader.hole is not None:
            through = min(through, reader.hole)
    wire.send(
        "done",
        run=order["run"],
        status="failed" if failure else "canceled" if stopped and not scorer.met else "succeeded",
        error=asdict(failure) if failure else None,
        facts=asdict(facts) if facts else None,
        scores={label: asdict(summary) for label, summary in scorer.summary().items()},
        sampling=asdict(_report(rule, reader, scorer)) if reader and scorer.frames else None,
        through=through,
        stopped_early=scorer.met,
    )


def _feed(order: dict[str, Any], reader: Reader, scorer: Scorer, wire: Wire, canceled: Callable[[str], bool]) -> bool:
    """Decode and hand over until the end. Gives whether it stopped before that."""
    run = order["run"]
    told = False
    due = 0.0
    for sample in reader.samples():
        if sample is not None:
            if not told:
                told = True
                wire.send("started", run=run, facts=asdict(reader.facts))
            scorer.samples.put(sample)
        if scorer.over or canceled(run):
            return True
        now = time.monotonic()
        if now >= due:
            due = now + _PROGRESS
            wire.send("progress", run=run, seconds=scorer.through, duration=reader.facts.duration, frames=scorer.frames)
    return False


def _report(rule: SamplingRule, reader: Reader, scorer: Scorer) -> SamplingReport:
    if reader.end is not None and not scorer.over:
        scorer.gaps.look(reader.end)
    return SamplingReport(
        rule=rule.rule,
        interval=rule.interval,
        max_gap=rule.max_gap if rule.rule == "keyframes" else None,
        frames=scorer.frames,
        largest_gap=scorer.gaps.largest if reader.timed else None,
        filled_gaps=reader.filled,
        damaged=reader.damaged,
        time_resets=reader.resets,
        every=reader.every,
    )
