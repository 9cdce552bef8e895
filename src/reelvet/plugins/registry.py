"""Finding the installed providers.

Not pluggy's own loader: that one stops at the first plugin that fails, passes silently over a second distribution that
uses the same name, and does not notice a misspelled hook.
"""

from __future__ import annotations

import importlib
import os
import re
import warnings
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata
from typing import TYPE_CHECKING, Any

import pluggy

from reelvet.plugins import hookspec as hooks
from reelvet.plugins.spec import ProviderSpec
from reelvet.schema.errors import DuplicatePlugin, PluginBroken, PluginError, PluginNotFound
from reelvet.taxonomy import Taxonomy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

GROUP = "reelvet"
"""The entry-point group in which a distribution names its plugin module."""

SWITCH = "REELVET_PLUGINS"
"""Environment variable: a comma-separated allow-list of entry-point names, or `off`."""


_ID = re.compile(r"[a-z][a-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Problem:
    """A plugin that was found and cannot be used."""

    plugin: str
    """The entry-point name, or the provider id that is in doubt."""
    distribution: str
    says: str
    error: BaseException | None = None


class Registry:
    """The providers that are installed. A broken plugin is reported in `problems`, and raised when it is asked for."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._specs: dict[str, tuple[ProviderSpec, str]] = {}
        self._duplicates: dict[str, list[str]] = {}
        self._barred: set[str] = set()

    @classmethod
    def discover(cls, *, allow: Iterable[str] | None = None) -> Registry:
        """The registry of what is installed.

        Args:
            allow: Entry-point names to load; `None` leaves it to the variable `REELVET_PLUGINS`, else all.
        """
        registry = cls()
        wanted = _allowed() if allow is None else set(allow)
        for point in metadata.entry_points(group=GROUP):
            if wanted is None or point.name in wanted:
                registry._load(point)
            else:
                registry._barred.add(point.name)
        for problem in registry.problems:
            warnings.warn(
                f"reelvet plugin {problem.plugin!r} of {problem.distribution}: {problem.says}",
                RuntimeWarning,
                stacklevel=2,
            )
        return registry

    def _load(self, point: metadata.EntryPoint) -> None:
        origin = f"{point.dist.name} {point.dist.version}" if point.dist else "an unknown distribution"
        try:
            self.add_plugin(point.load(), origin=origin, name=point.name)
        except (Exception, SystemExit) as error:  # noqa: BLE001  (whatever a stranger's module raises must not stop the others; it is kept and raised on demand)
            self.problems.append(Problem(point.name, origin, f"{type(error).__name__}: {error}", error))

    def add_plugin(self, plugin: Any, *, origin: str = "this process", name: str | None = None) -> None:
        """Registers what a plugin module (or object) brings.

        Raises:
            PluginError: It implements a hook that does not exist, or none.
        """
        name = name or str(getattr(plugin, "__name__", plugin))
        manager = pluggy.PluginManager(hooks.PROJECT)
        manager.add_hookspecs(hooks)
        try:
            manager.register(plugin, name)
            manager.check_pending()
        except pluggy.PluginValidationError as error:
            raise PluginError(
                f"{error}", plugin=name, distribution=origin, way_out="The one hook is reelvet_register(register)."
            ) from error
        if not manager.get_hookcallers(plugin):
            raise PluginError(
                "it implements no hook",
                plugin=name,
                distribution=origin,
                way_out="Mark reelvet_register with @hookimpl.",
            )
        specs: list[Any] = []
        manager.hook.reelvet_register(register=specs.append)
        for spec in specs:
            if not isinstance(spec, ProviderSpec) or not _ID.fullmatch(spec.id):
                shown = f"the id {spec.id!r}" if isinstance(spec, ProviderSpec) else f"{spec!r}"
                raise PluginError(
                    f"it registers {shown}",
                    plugin=name,
                    distribution=origin,
                    way_out="Register ProviderSpec objects, whose ids are lower case letters, digits, `_` and `-`.",
                )
        for spec in specs:
            self.register(spec, origin=origin)

    def register(self, spec: ProviderSpec, *, origin: str = "this process") -> None:
        """Registers one provider; a second one with the same id makes both unusable, and says so."""
        if spec.id in self._specs:
            rivals = self._duplicates.setdefault(spec.id, [self._specs[spec.id][1]])
            rivals.append(origin)
            self.problems.append(
                Problem(spec.id, origin, f"provider {spec.id!r} is registered by {' and by '.join(rivals)}")
            )
            return
        self._specs[spec.id] = (spec, origin)
        self.__dict__.pop("taxonomy", None)

    def __iter__(self) -> Iterator[ProviderSpec]:
        return (spec for id_, (spec, _) in self._specs.items() if id_ not in self._duplicates)

    def __contains__(self, provider: str) -> bool:
        return provider in self._specs and provider not in self._duplicates

    def origin(self, provider: str) -> str:
        """The distribution, with its version, that registers a provider."""
        self.spec(provider)
        return self._specs[provider][1]

    def spec(self, provider: str) -> ProviderSpec:
        """The card of a provider.

        Raises:
            PluginNotFound: Nothing installed registers it.
            PluginBroken: The plugin of that name failed to load; the cause is chained.
            DuplicatePlugin: Two distributions register it.
        """
        if provider in self._duplicates:
            rivals = " and by ".join(self._duplicates[provider])
            raise DuplicatePlugin(
                f"provider {provider!r} is registered by {rivals}", plugin=provider, way_out="Uninstall one of them."
            )
        if provider in self._specs:
            return self._specs[provider][0]
        for problem in self.problems:
            if problem.plugin == provider:
                raise PluginBroken(
                    f"plugin {provider!r} of {problem.distribution} failed to load: {problem.says}",
                    plugin=provider, distribution=problem.distribution,
                    way_out="Mend or reinstall that distribution; `reelvet doctor` shows more.",
                ) from problem.error  # fmt: skip
        known = ", ".join(sorted(spec.id for spec in self)) or "none"
        way_out = "Install the distribution that brings it; for those of this project see README.md."
        if provider in self._barred:
            way_out = f"It is installed; let {SWITCH} or `[plugins] allow` name it."
        elif self.problems:
            broken = ", ".join(dict.fromkeys(f"{p.plugin} of {p.distribution}" for p in self.problems))
            way_out += f" If it is one of {broken}: that fails to load, see `reelvet doctor`."
        raise PluginNotFound(
            f"no installed plugin provides {provider!r} (installed: {known})", plugin=provider, way_out=way_out
        )

    def is_barred(self, name: str) -> bool:
        """Whether a plugin of that name is installed, and kept out by `REELVET_PLUGINS` or `[plugins] allow`."""
        return name in self._barred

    def load(self, provider: str, what: str = "provider") -> Any:
        """A class of a provider: its `provider`, `settings`, `options` or `sandbox`; `None` where it has none.

        Raises:
            PluginNotFound: Nothing installed registers the provider.
            PluginBroken: The class cannot be imported; the cause is chained.
        """
        path = getattr(self.spec(provider), what)
        if path is None:
            return None
        module, _, name = path.partition(":")
        try:
            return getattr(importlib.import_module(module), name)
        except Exception as error:
            raise PluginBroken(
                f"cannot import {path} of provider {provider!r}: {type(error).__name__}: {error}", plugin=provider, distribution=self.origin(provider),
                way_out="Reinstall that distribution with what it needs.",
            ) from error  # fmt: skip

    @cached_property
    def taxonomy(self) -> Taxonomy:
        """The labels of reelvet and of every plugin; a plugin whose labels are wrong is reported and its labels left out."""
        taxonomy = Taxonomy.default()
        for spec in self:
            try:
                taxonomy = taxonomy.extended(spec.id, spec.labels)
            except PluginError as error:
                problem = Problem(spec.id, self._specs[spec.id][1], str(error), error)
                if not any((known.plugin, known.says) == (problem.plugin, problem.says) for known in self.problems):
                    self.problems.append(problem)
        return taxonomy


def _allowed() -> set[str] | None:
    value = os.environ.get(SWITCH)
    if value is None or not value.strip():
        return None
    names = {name.strip() for name in value.split(",")}
    return set() if names == {"off"} else names
