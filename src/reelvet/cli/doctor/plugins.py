"""Checks of the installed plugins. One that nobody uses is a warning; one that an instance means is wrong."""

from __future__ import annotations

import traceback
from importlib import metadata
from typing import TYPE_CHECKING

from reelvet.cli.doctor.examined import Item
from reelvet.cli.doctor.requirements import allows
from reelvet.plugins.registry import GROUP, SWITCH
from reelvet.schema.errors import PluginError
from reelvet.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reelvet.cli.doctor.examined import Examined, Level
    from reelvet.plugins import Problem

_DUPLICATE = " is registered by "


def check_plugins(examined: Examined) -> Iterator[Item]:
    """Every plugin loads, and registers by the one hook there is."""
    for problem in examined.registry.problems:
        if _is_duplicate(problem) or _is_about_labels(problem, examined):
            continue
        mend = PluginError.default_way_out
        if isinstance(problem.error, PluginError):
            mend = problem.error.way_out
        detail = "".join(traceback.format_exception(problem.error)) if problem.error else None
        yield Item(
            _level(problem.plugin, examined),
            f"plugin {problem.plugin!r} of {problem.distribution}: {problem.says}",
            mend,
            problem.plugin,
            detail,
        )
    for spec in examined.registry:
        yield Item("ok", f"provider {spec.id!r} of {examined.registry.origin(spec.id)}")


def check_versions(examined: Examined) -> Iterator[Item]:
    """Every plugin's distribution says that it works with this reelvet."""
    for point in metadata.entry_points(group=GROUP):
        if point.dist is None:
            continue
        for wanted in point.dist.requires or ():
            if not allows(wanted, "reelvet", __version__):
                yield Item(
                    _level(point.name, examined),
                    f"plugin {point.name!r} of {point.dist.name} {point.dist.version} wants {wanted}, and this is {__version__}",
                    "Update that distribution, or install the reelvet that it wants.",
                    point.name,
                )


def check_duplicate_plugins(examined: Examined) -> Iterator[Item]:
    """No two distributions register the same provider."""
    for problem in examined.registry.problems:
        if _is_duplicate(problem):
            yield Item(
                _level(problem.plugin, examined),
                f"{problem.says}: neither can be used",
                "Uninstall one of them.",
                problem.plugin,
            )


def check_plugin_labels(examined: Examined) -> Iterator[Item]:
    """The labels that plugins bring are well-formed."""
    for problem in examined.registry.problems:
        if _is_about_labels(problem, examined):
            mend = "Its labels are left out; mend or update that distribution."
            yield Item(
                _level(problem.plugin, examined),
                f"plugin {problem.plugin!r} of {problem.distribution}: {problem.says}",
                mend,
                problem.plugin,
            )


def check_plugin_capabilities(examined: Examined) -> Iterator[Item]:
    """Every provider can say what it sees, in labels that exist."""
    for spec in examined.registry:
        origin = examined.registry.origin(spec.id)
        try:
            strange = sorted(label for label in spec.at_most.labels if label not in examined.registry.taxonomy)
        except Exception as error:  # noqa: BLE001  (a stranger's callable may raise anything; it is told here and stops nothing)
            says = f"{origin} cannot say what provider {spec.id!r} sees: {type(error).__name__}: {error}"
            yield Item(
                _level(spec.id, examined), says, "Mend or update that distribution.", spec.id, traceback.format_exc()
            )
            continue
        if strange:
            says = f"provider {spec.id!r} of {origin} claims labels that are in no taxonomy: {', '.join(strange[:5])}"
            yield Item(_level(spec.id, examined), says, "Mend or update that distribution, or reelvet.", spec.id)


def check_allow_list(examined: Examined) -> Iterator[Item]:
    """What the allow-list of plugins names is installed."""
    allowed = examined.config.plugins.allow
    source = "[plugins] allow"
    if allowed is None and examined.environ.get(SWITCH, "").strip() not in {"", "off"}:
        allowed, source = tuple(name.strip() for name in examined.environ[SWITCH].split(",")), SWITCH
    installed = {point.name for point in metadata.entry_points(group=GROUP)}
    for name in allowed or ():
        if name not in installed:
            yield Item(
                "warning",
                f"{source} names {name!r}, which is not installed",
                f"Installed are {', '.join(sorted(installed)) or 'none'}.",
                source,
            )


def _level(plugin: str, examined: Examined) -> Level:
    return "wrong" if plugin in examined.used_plugins else "warning"


def _is_duplicate(problem: Problem) -> bool:
    return problem.error is None and _DUPLICATE in problem.says


def _is_about_labels(problem: Problem, examined: Examined) -> bool:
    return problem.plugin in examined.registry and isinstance(problem.error, PluginError)
