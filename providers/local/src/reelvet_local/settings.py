"""What is configured for the local provider, and what a job may say to it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

DEFAULT_DETECTOR = "reelvet_local.detector:OpenNsfw"

_GIB = 1024**3


class LocalSettings(BaseModel):
    """`[providers.local]`: every field has a default."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    detector: str = Field(
        DEFAULT_DETECTOR, description="`package.module:Class` of the model; see `reelvet_local.detector.Detector`."
    )
    labels: Path | None = Field(
        None, description="The `labels.csv` of another detector; the shipped one knows the shipped model alone."
    )
    sampling: Literal["interval", "keyframes"] = Field("interval", description="How frames are chosen.")
    interval: float = Field(1.0, ge=0.001, le=86_400, description="Seconds between two looked-at frames.")
    max_gap: float = Field(
        10.0, ge=0.001, le=86_400, description="Seconds; with `keyframes`, longer gaps are filled in by `interval`."
    )
    report_floor: float = Field(0.5, ge=0, le=1, description="Frames with a lower score are no findings.")
    thumbnails: Path | None = Field(
        None, description="Directory for pictures of frames with findings; none are made without it."
    )
    workers: int | None = Field(
        None, ge=1, description="Child processes, each with a model; by default half the cores."
    )
    max_pixels: int = Field(
        7680 * 4320, gt=0, description="Pixels of a frame; larger ones are refused before they are decoded."
    )
    max_memory: int = Field(
        4 * _GIB, ge=0, description="Bytes that a worker may add once its model is loaded; kept on Linux. `0`: no cap."
    )
    max_bytes: int = Field(5 * _GIB, gt=0, description="Bytes of a download; a larger one is refused.")
    download_timeout: float = Field(3600.0, gt=0, description="Seconds for a download.")

    @model_validator(mode="after")
    def _check_labels(self) -> Self:
        if self.detector != DEFAULT_DETECTOR and self.labels is None:
            raise ValueError(
                f"the detector {self.detector!r} needs `labels`, the labels.csv that maps its labels to unified ids"
            )
        return self


class LocalOptions(BaseModel):
    """`ModerationJob.options["local"]`: what this job wants otherwise than configured."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    sampling: Literal["interval", "keyframes"] | None = Field(None, description="How frames are chosen.")
    max_gap: float | None = Field(
        None, ge=0.001, le=86_400, description="Seconds; with `keyframes`, longer gaps are filled in by `interval`."
    )
    report_floor: float | None = Field(None, ge=0, le=1, description="Frames with a lower score are no findings.")
    thumbnails: Path | None = Field(None, description="Directory for pictures of frames with findings.")
