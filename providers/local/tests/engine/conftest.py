"""Media made on the spot, and an engine with a detector that flags bright frames."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from reelvet_local.engine import Engine
from reelvet_local.outcome import Outcome

Vet = Callable[..., Outcome]
Encode = Callable[..., Path]


@pytest.fixture(scope="session", autouse=True)
def _detectors() -> Iterator[None]:
    """Let the worker, which searches where this process searches, find the detectors of these tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [*sys.path, str(Path(__file__).parent)])
        yield


@pytest.fixture(scope="session")
def vet(_detectors: None) -> Iterator[Vet]:
    """Run one file through a real worker process with the detector `Bright`; one engine for all tests."""
    ready: Future[tuple[asyncio.AbstractEventLoop, Engine, asyncio.Event]] = Future()

    async def serve() -> None:
        async with Engine(workers=1, detector="fake_detectors:Bright") as engine:
            over = asyncio.Event()
            ready.set_result((asyncio.get_running_loop(), engine, over))
            await over.wait()

    # The loop is made and closed in the thread that it runs in, whatever becomes of the tests.
    with ThreadPoolExecutor(1) as thread:
        served = thread.submit(asyncio.run, serve())
        loop, engine, over = ready.result(60)
        try:
            yield lambda path, **options: asyncio.run_coroutine_threadsafe(engine.run(path, **options), loop).result(60)
        finally:
            loop.call_soon_threadsafe(over.set)
            served.result(60)


@pytest.fixture
def encode(tmp_path: Path) -> Encode:
    """Encode grey frames (or given arrays) with given timestamps."""

    def make(
        name: str,
        levels: Sequence[int | np.ndarray],
        codec: str = "libx264",
        *,
        pts: Sequence[int] | None = None,
        rate: int = 25,
        size: tuple[int, int] = (64, 48),
        options: dict[str, str] | None = None,
        rotation: int | None = None,
        sound: float = 0.0,
        container: dict[str, str] | None = None,
        pixels: str = "yuv420p",
        shift: int = 0,
    ) -> Path:
        path = tmp_path / name
        with av.open(str(path), "w", container_options=container or {}) as output:
            stream = output.add_stream(codec, rate=rate)
            stream.width, stream.height, stream.pix_fmt = *size, pixels
            stream.options = options or {}
            stream.codec_context.time_base = Fraction(1, rate)
            if rotation is not None:
                stream.set_display_rotation(rotation)
            audio = output.add_stream("aac", rate=48000, layout="mono") if sound else None
            for index, level in enumerate(levels):
                array = level if isinstance(level, np.ndarray) else np.full((size[1], size[0], 3), level, np.uint8)
                frame = av.VideoFrame.from_ndarray(array, "rgb24")
                frame.pts = (pts[index] if pts else index) + shift
                frame.time_base = Fraction(1, rate)
                output.mux(stream.encode(frame))
            output.mux(stream.encode(None))
            if audio is not None:
                for block in range(int(sound * 48000) // 1024):
                    frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
                    frame.rate, frame.pts, frame.time_base = 48000, block * 1024, Fraction(1, 48000)
                    output.mux(audio.encode(frame))
                output.mux(audio.encode(None))
        return path

    return make
