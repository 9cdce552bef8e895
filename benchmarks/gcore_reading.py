"""What it costs to read a long result of Gcore, against what the vendor's own client does with the same bytes.

    uv run --group bench python benchmarks/gcore_reading.py

One reply to "get task" with 10,000 frames, per category. Each side goes from the bytes to all that it gives its caller:

- reelvet: `Reply.json`, the `RawTask` that `fetch` makes of it, and `GcoreProvider.read` with the job's plan: the findings with the
  vendor's own words beside them, coverage, warnings.
- `gcore`: `json.loads`, and `construct_type` into `AITaskGetResponse`, which is all that its `ai_tasks.get` does between bytes and
  model. Its HTTP client is left out, so that nothing of it makes reading look cheap; `gcore_calls.py` compares those.

CPU time, garbage collection on as it is in production and begun anew before each turn; both sides take turns within each
round, and the median over the rounds counts. Target: at most 1.3 of theirs.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import statistics
import time

from gcore._models import construct_type
from gcore.types.streaming import AITaskGetResponse

from reelvet import ModerationJob
from reelvet.http import Reply
from reelvet.plugins import ProviderContext
from reelvet.schema.task import TaskRef
from reelvet.taxonomy import LabelMap, Taxonomy
from reelvet_gcore import read
from reelvet_gcore.provider import GcoreProvider
from reelvet_gcore.settings import GcoreSettings

TARGET = 1.3
URL = "https://cdn.example.com/clip.mp4"
ASKED = {
    "nsfw": ("sexual.explicit.pornography", "nsfw_detected"),
    "hard_nudity": ("sexual.explicit.nudity_anus", "nudity_detected"),
    "soft_nudity": ("context.body", "nudity_detected"),
    "sport": ("context.sport", "sport_detected"),
}
"""Category -> what to ask for to have it planned, and its flag."""


def reply(category, words, frames):
    """A reply as documented: https://gcore.com/docs/api-reference/streaming/ai/get-ai-task-result."""
    chance = random.Random(category)  # noqa: S311 - the same frames in each run
    hits = [
        {"frame_number": number, "label": chance.choice(words), "confidence": round(chance.uniform(0.5, 1.0), 2)}
        for number in range(frames)
    ]
    task = {
        "task_id": "aafe70c6-0000-0000-0000-327b65f7670f",
        "task_data": {"url": URL, "task_name": "content-moderation", "category": category},
        "progress": 100,
        "status": "SUCCESS",
        "processing_time": {
            "started_at": "2024-07-13T12:30:00.000Z",
            "completed_at": "2024-07-13T12:31:02.900Z",
            "total_time_sec": 62.901,
        },
        "result": {ASKED[category][1]: True, "detection_results": words, "frames": hits},
    }
    return json.dumps(task).encode()


def clocked(work):
    """CPU seconds; what it made is dropped when the clock has stopped."""
    gc.collect()
    began = time.process_time()
    made = work()
    took = time.process_time() - began
    del made
    return took


def compare(category, frames, rounds):
    taxonomy = Taxonomy.default()
    provider = GcoreProvider(GcoreSettings(api_key="1$token"), ProviderContext("gcore", taxonomy))
    plan = provider.plan(ModerationJob(media=URL, detect=ASKED[category][:1]))
    (task,) = plan.tasks
    labels = LabelMap.load("reelvet_gcore", taxonomy)
    words = [mapping.native for mapping in labels if mapping.field == f"category={category}"]
    content = reply(category, words, frames)
    ref = TaskRef(id="aafe70c6-0000-0000-0000-327b65f7670f", name=task.name, category=task.category)

    def reelvet():
        raw = read.raw_task(Reply(content=content).json(), ref=ref, requests=1)
        return provider.read(plan, [raw])

    def gcore():
        return construct_type(value=json.loads(content), type_=AITaskGetResponse)

    report, model = reelvet(), gcore()
    assert len(report.findings) == frames, len(report.findings)
    assert report.coverage
    assert len(model.result.frames) == frames
    assert category.replace("_", "") in type(model.result).__name__.lower(), "read as what it is"
    del report, model
    times = {reelvet: [], gcore: []}
    for number in range(rounds):
        for side in list(times) if number % 2 else list(times)[::-1]:
            times[side].append(clocked(side))
    ours, theirs = (statistics.median(taken) for taken in times.values())
    verdict = "met" if ours / theirs <= TARGET else "MISSED"
    print(
        f"{category:12}{len(content) / 1024:>8.0f} KiB{ours * 1000:>11.1f}{theirs * 1000:>11.1f}{ours / theirs:>8.2f}"
        f"{min(times[reelvet]) / min(times[gcore]):>9.2f}  at most {TARGET} {verdict}"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--frames", type=int, default=10_000)
    options = parser.parse_args()
    print(f"{options.frames} frames, {options.rounds} interleaved rounds, CPU time")
    print(f"{'':12}{'reply':>12}{'reelvet ms':>11}{'gcore ms':>11}{'ratio':>8}{'of best':>9}  target")
    for category in ASKED:
        compare(category, options.frames, options.rounds)


if __name__ == "__main__":
    main()
