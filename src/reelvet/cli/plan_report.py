"""A plan for a person."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rich.text import Text

from reelvet.cli.output import console
from reelvet.cli.text import clean, clean_lines, count, safe_json

if TYPE_CHECKING:
    from reelvet.schema.plan import Plan


def print_plan(plan: Plan) -> None:
    """What would be sent, what would be looked at, and what cannot be done."""
    data = plan.dump()
    out = console()

    def line(text: str, style: str = "") -> None:
        out.print(Text(text, style=style), soft_wrap=True)

    line(
        f"{clean(plan.provider)} (instance {clean(plan.instance or plan.provider)}), {count(len(plan.tasks), 'task')}",
        "bold",
    )
    for item in plan.unsupported:
        instead = f" Instead: {', '.join(item.alternatives)}." if item.alternatives else ""
        line(f"cannot: {clean(item.field)}: {clean(item.says)}.{clean(instead)}", "red")
    for warning in plan.warnings:
        line(f"warning: {clean(warning.says)}", "yellow")
    for request in data["requests"]:
        line(f"\n{clean(request['method'])} {clean(request['path'])}", "bold")
        for name, value in {**request["query"], **request["headers"]}.items():
            line(f"  {clean(name)}: {clean(value)}")
        if request["body"] is not None:
            line(_json(request["body"]))
    if not plan.requests:
        line("\nNothing is sent to anybody. What each task is told:")
        for task in data["tasks"]:
            line(f"\n{clean(task['name'])}", "bold")
            line(_json(task["payload"]))
    line(f"\n{_coverage(plan)}")
    if plan.price_class or plan.estimate:
        line(f"Price: {clean(plan.estimate or _price(plan))}")


def _coverage(plan: Plan) -> str:
    places = [f"{label} ({channel})" for channel, labels in plan.asks.items() for label in labels]
    rest = sum(row.state != "planned" for row in plan.coverage)
    told = (
        f"Would look for {count(len(places), 'label')}: {clean(', '.join(places))}"
        if places
        else "Would look for nothing"
    )
    return told + (f"; not for {rest} asked" if rest else "")


def _price(plan: Plan) -> str:
    """The price class, task by task where they differ."""
    classes: dict[str, list[str]] = {}
    for task in plan.tasks:
        classes.setdefault(task.price_class or "not known", []).append(task.name)
    if len(classes) < 2:  # noqa: PLR2004  (one class needs no telling apart)
        return str(plan.price_class)
    return "; ".join(f"{price} for {', '.join(names)}" for price, names in classes.items())


def _json(value: Any) -> str:
    return clean_lines(safe_json(json.dumps(value, indent=2, ensure_ascii=False)))
