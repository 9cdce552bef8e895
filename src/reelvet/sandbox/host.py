"""The sandbox as a whole: which emulators there are, and all that can be done with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from reelvet.sandbox.faults import FAULTS, Fault, parse_fault
from reelvet.sandbox.received import SeenTask
from reelvet.sandbox.scenario import Scenario, checked, close_to
from reelvet.sandbox.world import World
from reelvet.schema.errors import ConfigurationError, PluginError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reelvet.plugins import Registry
    from reelvet.sandbox.clock import Clock
    from reelvet.sandbox.emulator import Asset, Emulator
    from reelvet.sandbox.outbox import Delivery
    from reelvet.sandbox.planted import Planted
    from reelvet.sandbox.received import Received
    from reelvet.sandbox.serving import Serving

_POLLING = {"first": 0.01, "most": 0.05, "give_up": 60.0, "settle_window": 0.5}
"""Quick enough for tests: at the speed they run with, a task is done in milliseconds."""


class Sandbox:
    """The emulators of the installed providers, on loopback, in a thread of their own.

    Args:
        providers: Whose emulators; `None`: of every installed provider that has one.
        registry: The installed providers; by default what is discovered.
        host: The address to listen on.
        port: The control's port, the emulators' behind it in order; 0 takes any that are free.
        speed: Virtual seconds in one second of the wall.
        scenarios: YAML files, or directories of them.

    Raises:
        ConfigurationError: A provider has no emulator, a file of scenarios is wrong, or a port is taken.
        PluginError: A provider that was named is not installed, or its emulator cannot be loaded.
    """

    def __init__(
        self,
        providers: Sequence[str] | None = None,
        *,
        registry: Registry | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        speed: float = 1.0,
        scenarios: Sequence[Path] = (),
    ) -> None:
        if registry is None:
            from reelvet.plugins import Registry  # noqa: PLC0415  (only where none is given)

            registry = Registry.discover()
        self.problems: list[PluginError] = []
        """Emulators that were left out because they cannot be loaded."""
        self._world = World(speed=speed, taxonomy=registry.taxonomy)
        self._emulators = self._load(providers, registry)
        for path in scenarios:
            self._world.catalogue.load(path)
        self._world.catalogue.keep()
        self._host, self._port = host, port
        self._serving: Serving | None = None

    def _load(self, providers: Sequence[str] | None, registry: Registry) -> dict[str, Emulator]:
        emulators: dict[str, Emulator] = {}
        wanted = list(dict.fromkeys(providers)) if providers else [spec.id for spec in registry if spec.sandbox]
        for provider in wanted:
            if registry.spec(provider).sandbox is None:
                others = ", ".join(spec.id for spec in registry if spec.sandbox) or "none of the installed"
                raise ConfigurationError(
                    f"provider {provider!r} has no emulator", field="provider", way_out=f"These have one: {others}."
                )
            try:
                emulators[provider] = registry.load(provider, "sandbox")(self._world)
            except PluginError as error:
                if providers:
                    raise
                self.problems.append(error)
        if not emulators:
            raise ConfigurationError(
                "no installed provider has an emulator that can be loaded", field="provider",
                way_out=str(self.problems[0]) if self.problems else "Install one that brings an emulator, as reelvet-gcore.",
            )  # fmt: skip
        return emulators

    # --- its life ---

    def start(self) -> Self:
        """Serves, until `stop`.

        Raises:
            ConfigurationError: A port is taken, or what serves is not installed.
        """
        if self._serving is not None:
            return self
        try:
            from reelvet.sandbox.control import control_app  # noqa: PLC0415  (an extra)
            from reelvet.sandbox.serving import Serving  # noqa: PLC0415
        except ModuleNotFoundError as error:
            raise ConfigurationError(
                f"the sandbox needs the package {error.name}", field="sandbox", way_out="pip install 'reelvet[sandbox]'."
            ) from error  # fmt: skip
        serving = Serving(self._emulators, control_app(self), self._world.outbox, host=self._host, port=self._port)
        for provider, emulator in self._emulators.items():
            emulator.base_url = serving.urls[provider]
        serving.start()
        self._serving = serving
        return self

    def stop(self) -> None:
        """Frees the ports. What was received stays to be looked at."""
        if self._serving is not None:
            self._serving.stop()
            self._serving = None
            for emulator in self._emulators.values():
                emulator.base_url = None

    def wait(self) -> None:
        """Returns when it has ended, be it by itself."""
        if self._serving is not None:
            self._serving.wait()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def reset(self) -> None:
        """As at the start: no faults, no tasks, no requests, the clock anew, the scenarios of the start."""
        with self._world.lock:
            self._world.reset()
            for emulator in self._emulators.values():
                emulator.reset()

    # --- where it is ---

    @property
    def providers(self) -> tuple[str, ...]:
        """Whose emulators there are."""
        return tuple(self._emulators)

    @property
    def control(self) -> str:
        """The URL of the control."""
        return self._urls["control"]

    @property
    def _urls(self) -> dict[str, str]:
        if self._serving is None:
            raise ConfigurationError(
                "the sandbox does not serve", field="sandbox", way_out="Call start(), or use it in a `with` statement."
            )
        return self._serving.urls

    def base_url(self, provider: str) -> str:
        """The URL that stands for the vendor's own."""
        self._emulator(provider)
        return self._urls[provider]

    def settings(self, provider: str) -> dict[str, Any]:
        """What belongs under `[providers.<id>]`: `base_url`, and credentials that the emulator accepts."""
        return {"base_url": self.base_url(provider), **self._emulator(provider).settings()}

    def config(self, use: str | None = None) -> dict[str, Any]:
        """A whole configuration for `Config.parse`, with quick polling.

        Args:
            use: The instance that jobs go to; `None`: the only one, where there is one only.
        """
        chosen = use or (self.providers[0] if len(self._emulators) == 1 else None)
        tables = {provider: self.settings(provider) for provider in self._emulators}
        return {**({"use": chosen} if chosen else {}), "providers": tables, "polling": dict(_POLLING)}

    def describe(self) -> dict[str, Any]:
        """Where everything is, as `reelvet sandbox --json` prints it."""
        found = {
            provider: {"base_url": self.base_url(provider), "settings": emulator.settings()}
            for provider, emulator in self._emulators.items()
        }
        return {"providers": found, "control": self.control}

    def _emulator(self, provider: str) -> Emulator:
        if provider in self._emulators:
            return self._emulators[provider]
        for problem in self.problems:
            if problem.plugin == provider:
                raise problem
        raise ConfigurationError(
            f"there is no emulator of {provider!r} here", field="provider",
            way_out=close_to(provider, list(self._emulators), otherwise=f"There are {', '.join(self._emulators)}."),
        )  # fmt: skip

    def _chosen(self, provider: str | None) -> list[Emulator]:
        return list(self._emulators.values()) if provider is None else [self._emulator(provider)]

    # --- what is in the videos ---

    def scenario(self, url: str | None, scenario: Scenario | dict[str, Any] | str) -> Scenario:
        """Has a media URL stand for a scenario until `reset`.

        Args:
            url: The URL as a job names it; what it stood for before is forgotten. `None`: only the scenario's own `urls`.
            scenario: A scenario, its data, or the name of one that is there.
        """
        with self._world.lock:
            known = self._world.catalogue.named(scenario) if isinstance(scenario, str) else scenario
            return self._world.catalogue.add(known, *([url] if url is not None else []), replace=True)

    def scenarios(self) -> list[Scenario]:
        """All of them."""
        with self._world.lock:
            return list(self._world.catalogue)

    def assets(self, provider: str) -> tuple[Asset, ...]:
        """What is stored at a vendor from the start."""
        return self._emulator(provider).assets()

    # --- what goes wrong ---

    def fault(self, provider: str | None, kind: str, **fields: Any) -> Planted:
        """Has something go wrong.

        Args:
            provider: Whose emulator; `None`: each.
            kind: What; docs/sandbox.md lists the kinds and their parameters.
            fields: `operation`, `times`, `skip`, and the parameters of the kind.

        Raises:
            ConfigurationError: There is no such kind, parameter or operation, or the emulator cannot do that.
        """
        return self.plant({"provider": provider, "kind": kind, **fields})

    def plant(self, fault: Fault | Any) -> Planted:
        """The same, from a `Fault` or from data as `POST /faults` takes it."""
        fault = fault if isinstance(fault, Fault) else parse_fault(fault)
        emulators = self._chosen(fault.provider)
        faulty = [_unfit(fault, emulator) for emulator in emulators]
        if all(faulty):
            raise next(error for error in faulty if error is not None)
        with self._world.lock:
            return self._world.faults.plant(fault)

    def faults(self) -> list[Planted]:
        """Those that still wait to strike."""
        with self._world.lock:
            return list(self._world.faults)

    def clear_faults(self, id_: int | None = None) -> None:
        """Takes one, or all of them, away."""
        with self._world.lock:
            if id_ is None:
                self._world.faults.clear()
            else:
                self._world.faults.remove(id_)

    def set_up(self, provider: str, **fields: Any) -> dict[str, Any]:
        """Gives an emulator other quotas and switches until `reset`; those that are not named stay.

        Raises:
            ConfigurationError: It has no such field, or the value is wrong.
        """
        emulator = self._emulator(provider)
        with self._world.lock:
            data = {**emulator.setup.model_dump(), **fields}
            emulator.set_up(checked(emulator.setup_model, data, what=f"setup of {provider!r}"))
            return emulator.setup.model_dump(mode="json")

    def setups(self) -> dict[str, Any]:
        """The quotas and switches of every emulator."""
        return {provider: emulator.setup.model_dump(mode="json") for provider, emulator in self._emulators.items()}

    # --- what has happened ---

    @property
    def clock(self) -> Clock:
        """Virtual time."""
        return self._world.clock

    def requests(self, provider: str | None = None) -> list[Received]:
        """Everything that was received since the start or `reset`."""
        chosen = {emulator.id for emulator in self._chosen(provider)}
        with self._world.lock:
            return [received for received in self._world.received if received.provider in chosen]

    def tasks(self, provider: str | None = None) -> list[SeenTask]:
        """Every task that was created since the start or `reset`."""
        with self._world.lock:
            now = self._world.clock.now()
            return [
                SeenTask(
                    id=task.id, provider=emulator.id, operation=task.operation, phase=task.phase(now),
                    scenario=task.scenario.name, data=task.data, date=task.created_date,
                )
                for emulator in self._chosen(provider)
                for task in emulator.tasks
            ]  # fmt: skip

    def callbacks(self, provider: str | None = None) -> list[Delivery]:
        """Every callback that was sent, or waits to be."""
        chosen = {emulator.id for emulator in self._chosen(provider)}
        with self._world.lock:
            return [delivery for delivery in self._world.outbox.deliveries if delivery.provider in chosen]


def _unfit(fault: Fault, emulator: Emulator) -> ConfigurationError | None:
    """Why an emulator cannot have a fault."""
    able = emulator.struck_by(fault.kind, by_host=fault.by_host)
    if not able:
        kinds = [kind for kind, model in FAULTS.items() if emulator.struck_by(kind, by_host=model.by_host)]
        return ConfigurationError(
            f"the emulator of {emulator.id!r} has no fault {fault.kind!r}", field="kind", way_out=f"It has {', '.join(kinds)}."
        )  # fmt: skip
    if fault.operation is None or fault.operation in able:
        return None
    return ConfigurationError(
        f"the fault {fault.kind!r} of {emulator.id!r} does not strike {fault.operation!r}", field="operation",
        way_out=close_to(fault.operation, list(able), otherwise=f"It strikes {', '.join(able)}."),
    )  # fmt: skip
