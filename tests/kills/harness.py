"""Kills a process at every boundary of I/O of a submit, restarts it, and asks the vendor's emulator what there is.

    uv run python tests/kills/harness.py                 all of it, with a summary
    uv run python tests/kills/harness.py --table         and writes the table into docs/never-twice.md
    uv run python tests/kills/harness.py --sample 40     some of it

For each vendor, in each weather (no fault, a connection that is reset before or after the vendor has created the task), with
settling off and with `settle = {after, then = "resubmit"}`, one process submits a job without being killed, and its
boundaries are noted: what it does to the database, and every connect, send and receive. Then another is killed with SIGKILL
at each of them, the same program is started again on the same journal, and goes on until the job is submitted or parked. The
same is done with a second life, that takes over from one which was killed when its request was out.
The vendor's lists lag all the time, for longer than the process looks a task up at once and for less than `after`, and each
holds keys that contain the one that is looked for.

It fails if for any key the vendor has created more than one task, or one was adopted that is not the job's, or the job is
neither submitted nor parked; and where settling is on, if there is not exactly one task where the vendor can be asked.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lives import Life, live

from reelvet.journal import Place, open_journal
from reelvet.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Sequence

WINDOW, LAG, AFTER = 0.1, 0.25, 1.0
"""Seconds: in which a task is looked up at once, by which lists lag, and after which an absent one is sent again."""
URL = "https://sandbox.reelvet.example/clean.mp4"
WEATHERS = {
    "calm": None,
    "reset before creation": {"kind": "cut", "when": "before"},
    "reset after creation": {"kind": "cut", "when": "after"},
}
_PATIENCE = 60.0


@dataclass(frozen=True)
class Vendor:
    """Where the job goes, and what it asks for."""

    provider: str
    create: str
    """The emulator's name of what creates a task."""
    call: str = "CreateTask"
    """The provider's name of it."""
    settings: dict = field(default_factory=dict)
    detect: tuple[str, ...] = ("sexual",)
    tasks: int = 1
    """How many the job becomes."""
    can_be_asked: bool = True


VENDORS = {
    "Gcore": Vendor("gcore", "create", detect=("sexual.explicit.pornography",)),
    "Gcore, 2 tasks": Vendor("gcore", "create", tasks=2),
    "Huawei v2": Vendor("huawei", "create_v2", settings={"api": "v2"}),
    "Huawei v3": Vendor("huawei", "create_v3", settings={"api": "v3"}, can_be_asked=False),
    "Tencent": Vendor("tencent", "create", "CreateVideoModerationTask"),
}


@dataclass(frozen=True)
class Case:
    """One life that is cut short, or not, and what follows."""

    vendor: str
    weather: str
    settles: bool
    boundary: str = ""
    """Where it is killed; nowhere, if empty."""
    time: int = 1
    second: bool = False
    """Whether it is the second life: the first was killed when its request was out."""


@dataclass(frozen=True)
class Outcome:
    """What a case came to."""

    case: Case
    was_killed: bool
    told: str
    """What the program said at last: `done`, `parked`, or else."""
    created: int
    """Tasks that there are at the vendor."""
    most: int
    """Of one and the same."""
    faults: tuple[str, ...]
    """What must not be."""


class Lane:
    """Emulators, and processes that talk to them, one case at a time."""

    def __init__(self, *, forgets: bool = False) -> None:
        self.sandbox = Sandbox(sorted({vendor.provider for vendor in VENDORS.values()}), speed=1.0).start()
        self._forgets = forgets
        self._processes = multiprocessing.get_context("forkserver")

    def boundaries(self, case: Case) -> tuple[Outcome, list[Case]]:
        """The outcome without a kill, and a case for each boundary that was come to on the way."""
        with tempfile.TemporaryDirectory() as place:
            outcome = self._run(case, Path(place))
            reached = Counter()
            cases = []
            for name in Path(place, "trace").read_text(encoding="utf-8").splitlines():
                reached[name] += 1
                cases.append(replace(case, boundary=name, time=reached[name]))
            return outcome, cases

    def run(self, case: Case) -> Outcome:
        """What a case comes to."""
        with tempfile.TemporaryDirectory() as place:
            return self._run(case, Path(place))

    def _run(self, case: Case, place: Path) -> Outcome:
        vendor = VENDORS[case.vendor]
        self._prepare(case, vendor)
        if case.second:
            self._live(case, place, kill_at=(f"{vendor.call}: the request is out, no reply read", 1))
            (place / "trace").unlink()
        code = self._live(case, place, kill_at=(case.boundary, case.time) if case.boundary else None)
        # Not by its exit code: now and then the process that it was forked from has lost that.
        was_killed = not (place / "outcome").exists()
        if was_killed:
            code = self._live(case, place)
        outcome = place / "outcome"
        told = json.loads(outcome.read_text(encoding="utf-8")) if outcome.exists() else {"outcome": f"exit {code}"}
        return self._judged(case, vendor, told, place, was_killed=was_killed)

    def _prepare(self, case: Case, vendor: Vendor) -> None:
        sandbox = self.sandbox
        sandbox.reset()
        sandbox.set_up(vendor.provider, per_second=None)
        sandbox.fault(vendor.provider, "list_lag", seconds=LAG, times=None)
        sandbox.fault(vendor.provider, "decoys", times=None)
        if WEATHERS[case.weather] is not None:
            sandbox.plant({"provider": vendor.provider, "operation": vendor.create, **WEATHERS[case.weather]})

    def _live(self, case: Case, place: Path, kill_at: tuple[str, int] | None = None) -> int:
        vendor = VENDORS[case.vendor]
        pause = AFTER if case.settles else LAG
        life = Life(
            config=self._config(case, vendor, place), job={"media": URL, "detect": vendor.detect, "key": "key-1", "channels": ["visual"]},
            trace=str(place / "trace"), outcome=str(place / "outcome"), kill_at=kill_at, tries=3, pause=pause + 0.1, forgets=self._forgets,
        )  # fmt: skip
        process = self._processes.Process(target=live, args=(life,))
        process.start()
        process.join(_PATIENCE)
        if process.exitcode is None:
            process.kill()
            process.join()
            return 124
        return process.exitcode

    def _config(self, case: Case, vendor: Vendor, place: Path) -> dict:
        config = self.sandbox.config(vendor.provider)
        config["providers"] = {vendor.provider: config["providers"][vendor.provider] | vendor.settings}
        config["polling"]["settle_window"] = WINDOW
        config["journal"] = {"url": f"sqlite:///{place / 'journal.db'}"}
        if case.settles:
            config["settle"] = {"after": AFTER, "then": "resubmit"}
        return config

    def _judged(self, case: Case, vendor: Vendor, told: dict, place: Path, *, was_killed: bool) -> Outcome:
        time.sleep(0.02)  # what a killed process had sent may only now be carried out
        tasks = {task.id: task for task in self.sandbox.tasks(vendor.provider)}
        alike = Counter(task.data.get("category") for task in tasks.values())
        kept = asyncio.run(_kept(place))
        ids = told.get("tasks", [])
        most = max(alike.values(), default=0)
        must_be_done = vendor.can_be_asked and case.settles
        faults = {
            "created twice": most > 1,
            "a stranger was adopted": not {*ids, *(kept[1] if kept else ())} <= set(tasks),
            "told done, and a task is missing": told["outcome"] == "done" and len(set(ids)) != vendor.tasks,
            "neither done nor parked": told["outcome"] not in {"done", "parked"} or kept is None,
            "the journal says otherwise": kept is not None and {"done": "submitted", "parked": "parked"}.get(told["outcome"]) != kept[0],
            "not exactly one": must_be_done and (told["outcome"] != "done" or len(tasks) != vendor.tasks),
            "done, and the vendor has nothing": told["outcome"] == "done" and len(tasks) < vendor.tasks,
            "the emulator failed": any(received.error for received in self.sandbox.requests()),
        }  # fmt: skip
        found = [name for name, is_so in faults.items() if is_so]
        if found and "says" in told:
            found.append(told["says"])
        return Outcome(case, was_killed, told["outcome"], len(tasks), most, tuple(found))


async def _kept(place: Path) -> tuple[str, list[str]] | None:
    """What stands in the journal: the state, and the ids of the tasks."""
    journal = open_journal(f"sqlite:///{place / 'journal.db'}")
    try:
        record = await journal.get(Place("key-1"))
    finally:
        await journal.close()
    return None if record is None else (record.state.value, [t.ref.id for t in record.load_ticket().tasks if t.ref.id])


def run(
    *,
    lanes: int,
    sample: int | None = None,
    vendors: Sequence[str] = (),
    weathers: Sequence[str] = (),
    only: str = "",
    forgets: bool = False,
) -> list[Outcome]:
    """The outcomes of all cases, or of a sample of them."""
    context = multiprocessing.get_context("forkserver")
    # It looks for what it is to load before it is told where we look.
    os.environ["PYTHONPATH"] = str(Path(__file__).parent)
    context.set_forkserver_preload(["warm"])
    local, made = threading.local(), []

    def lane() -> Lane:
        if not hasattr(local, "lane"):
            local.lane = Lane(forgets=forgets)
            made.append(local.lane)
        return local.lane

    roads = [
        Case(vendor, weather, settles, second=second)
        for vendor in vendors or VENDORS
        for weather in weathers or WEATHERS
        for settles in (False, True)
        for second in ((False, True) if weather == "calm" and not forgets else (False,))
    ]
    with ThreadPoolExecutor(lanes) as threads:
        whole = list(threads.map(lambda case: lane().boundaries(case), roads))
        cases = [case for _, found in whole for case in found if only in case.boundary]
        if sample is not None:
            cases = random.Random(0).sample(cases, min(sample, len(cases)))  # noqa: S311 - the same ones every time
        outcomes = [outcome for outcome, _ in whole] + list(threads.map(lambda case: lane().run(case), cases))
    for one in made:
        one.sandbox.stop()
    return outcomes


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--lanes", type=int, default=8)
    parser.add_argument("--sample", type=int)
    parser.add_argument("--vendor", action="append", choices=list(VENDORS), default=[])
    parser.add_argument("--weather", action="append", choices=list(WEATHERS), default=[])
    parser.add_argument("--only", default="", help="only boundaries whose name contains this")
    parser.add_argument("--forgets", action="store_true", help="with a journal that forgets intents: it must fail")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    begun = time.monotonic()
    outcomes = run(
        lanes=options.lanes, sample=options.sample, vendors=options.vendor, weathers=options.weather,
        only=options.only, forgets=options.forgets,
    )  # fmt: skip
    wrong = [outcome for outcome in outcomes if outcome.faults]
    if options.json:
        print(json.dumps([asdict(outcome) for outcome in outcomes]))
    else:
        killed = sum(outcome.was_killed for outcome in outcomes)
        for outcome in wrong:
            print(f"WRONG {outcome}")
        print(f"{len(outcomes)} cases, {killed} processes killed, {len(wrong)} wrong, {time.monotonic() - begun:.0f} s")
    if options.table:
        from table import write

        write(outcomes)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
