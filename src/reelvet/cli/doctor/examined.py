"""What the checks look at, gathered without stopping at the first thing that is wrong.

Commands load the configuration strictly and stop at its first fault. Here each source is read by itself, what is
faulty in it is noted and left out, and the rest goes on to be checked.
"""

from __future__ import annotations

import copy
import difflib
import os
import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from pydantic import BaseModel, ValidationError

from reelvet.cli.session import discover
from reelvet.config import Config, find_file, from_environment, merge, read_file
from reelvet.schema.errors import ConfigurationError, ReelvetError
from reelvet.schema.validation import sentences

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from reelvet.cli.session import Session
    from reelvet.plugins import Registry

T = TypeVar("T")

Level = Literal["ok", "note", "warning", "wrong"]

SECRETIVE = re.compile(r"(^|[._])(ak|sk|key|secrets?|tokens?|passwords?|credentials?)([._]|$)")
"""Names of fields whose values are not shown."""

_MOST_ROUNDS = 20


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that was checked."""

    level: Level
    says: str
    mend: str | None = None
    where: str | None = None
    """A dotted field, an instance, a file or a variable."""
    detail: str | None = None
    """A traceback."""
    of_machine: bool = False
    """Whether it may be otherwise on another machine: a variable that is not set, a file that is not there."""


@dataclass(frozen=True, slots=True)
class BadKey:
    """A key of the configuration that cannot stay as it is."""

    where: str
    says: str
    mend: str

    @property
    def sentence(self) -> str:
        """What is wrong with which key."""
        return f"unknown key {self.where!r}" if self.says == "unknown key" else f"{self.where}: {self.says}"


@dataclass(frozen=True)
class Examined:
    """The configuration as far as it can be read, and what is wrong with the rest."""

    session: Session
    environ: Mapping[str, str]
    file: Path | None = None
    file_error: ConfigurationError | None = None
    raw: dict[str, Any] = field(default_factory=dict)
    """The file as it is."""
    profile: str | None = None
    known_profiles: Sequence[str] = ()
    profile_error: str | None = None
    variable_errors: Sequence[ConfigurationError] = ()
    faults: Sequence[BadKey] = ()
    """Dotted field, what is wrong, the mend."""
    other_faults: Sequence[BadKey] = ()
    """The same for the profiles that were not chosen."""
    config: Config = field(default_factory=Config)

    @cached_property
    def registry(self) -> Registry:
        """The installed providers."""
        registry = discover(self.config)
        _ = registry.taxonomy  # notes what is wrong with plugins' labels
        return registry

    @cached_property
    def active(self) -> str | None:
        """The instance that jobs go to; `None` where that cannot be said."""
        try:
            return self.config.active(self.registry)
        except ReelvetError:
            return self.config.use

    @property
    def raw_instances(self) -> list[str]:
        """The instances that the file itself names, those of the chosen profile too."""
        tables = [self.raw, self.raw.get("profiles", {}).get(self.profile, {}) if not self.profile_error else {}]
        named = [table.get("providers") for table in tables if isinstance(table, dict)]
        return list(dict.fromkeys(name for table in named if isinstance(table, dict) for name in table))

    @property
    def instances(self) -> list[str]:
        """Every configured instance, and the active one."""
        return list(dict.fromkeys([*self.config.providers, *([self.active] if self.active else [])]))

    def is_installed(self, name: str) -> bool:
        """Whether there is a provider of that id, be it broken or kept out."""
        problems = {problem.plugin for problem in self.registry.problems}
        return name in self.registry or name in problems or self.registry.is_barred(name)

    def plugin(self, instance: str) -> str:
        """The provider that an instance means, whether it is installed or not."""
        return str(self.config.providers.get(instance, {}).get("plugin", instance))

    @cached_property
    def used_plugins(self) -> set[str]:
        """Providers that some instance means."""
        return {self.plugin(instance) for instance in self.instances}


def examine(session: Session, environ: Mapping[str, str] | None = None, *, instead: str | None = None) -> Examined:
    """Gathers everything that can be gathered.

    Args:
        session: What the command line says.
        environ: The environment.
        instead: A profile to look at in place of the chosen one.
    """
    environ = os.environ if environ is None else environ
    file, file_error = _attempt(lambda: find_file(session.config_path, environ))
    raw, read_error = _attempt(lambda: read_file(file)) if file is not None else (None, None)
    data = copy.deepcopy(raw or {})
    profiles = data.pop("profiles", {})
    chosen = data.pop("profile", None)
    profile = instead or session.profile or environ.get("REELVET_PROFILE") or chosen
    profile_error = None
    if profile is not None and not isinstance(profile, str):
        profile_error, profile = f"profile is {profile!r}, which is no name", None
    if not isinstance(profiles, dict) or not all(isinstance(table, dict) for table in profiles.values()):
        profile_error, profiles = (
            profile_error or "[profiles] holds something that is no table; write [profiles.<name>]",
            {},
        )
    if profile is not None and profile not in profiles:
        profile_error = profile_error or f"there is no profile {profile!r}"
    elif profile is not None:
        data = merge(data, profiles[profile])
    data, variable_errors = _with_variables(data, environ)
    config, faults = _valid(data, profile if profile in profiles else None, str(file) if file else None)
    return Examined(
        session=session,
        environ=environ,
        file=file,
        file_error=file_error or read_error,
        raw=raw or {},
        profile=profile,
        known_profiles=tuple(profiles),
        profile_error=profile_error,
        variable_errors=variable_errors,
        faults=faults,
        other_faults=[
            replace(fault, where=f"profiles.{name}.{fault.where}")
            for name, table in profiles.items()
            if name != profile
            for fault in _valid(copy.deepcopy(table), None, None)[1]
        ],
        config=config,
    )


def _attempt(call: Callable[[], T]) -> tuple[T | None, ConfigurationError | None]:
    try:
        return call(), None
    except ConfigurationError as error:
        return None, error


def _with_variables(
    data: dict[str, Any], environ: Mapping[str, str]
) -> tuple[dict[str, Any], list[ConfigurationError]]:
    instances = data.get("providers")
    errors = []
    for name, value in environ.items():
        try:
            data = merge(data, from_environment({name: value}, instances if isinstance(instances, dict) else {}))
        except ConfigurationError as error:
            errors.append(error)
    return data, errors


def _valid(data: dict[str, Any], profile: str | None, source: str | None) -> tuple[Config, list[BadKey]]:
    """The configuration without its faults, and the faults."""
    faults: list[BadKey] = []
    if data.pop("source", None) is not None:
        faults.append(BadKey("source", "cannot be configured", "Take it out of the file."))
    for _ in range(_MOST_ROUNDS):
        try:
            return Config(**data, profile=profile, source=source), faults
        except ValidationError as error:
            told = sentences(error, secret=lambda name: bool(SECRETIVE.search(name)))
            for (name, says), item in zip(told, error.errors(include_url=False, include_input=False), strict=True):
                faults.append(_bad_key(name, says, item))
                _prune(data, item["loc"])
    return Config(profile=profile, source=source), faults


def _bad_key(name: str, says: str, item: Any) -> BadKey:
    if item["type"] == "extra_forbidden":
        nearest = _nearest(item["loc"])
        mend = f"Did you mean {nearest!r}?" if nearest else "Remove it; `reelvet schema config` lists the keys."
        return BadKey(name, "unknown key", mend)
    return BadKey(name, says, "`reelvet schema config` says what each key takes.")


def _prune(data: dict[str, Any], location: Sequence[int | str]) -> None:
    """Takes a faulty value out, or the innermost table entry that it stands in."""
    table: Any = data
    for part in location[:-1]:
        if not isinstance(table.get(part), dict):
            table.pop(part, None)
            return
        table = table[part]
    table.pop(location[-1], None)


def _nearest(location: Sequence[int | str]) -> str | None:
    model: Any = Config
    for part in location[:-1]:
        found = model.model_fields.get(str(part))
        if found is None or not isinstance(found.annotation, type) or not issubclass(found.annotation, BaseModel):
            return None
        model = found.annotation
    close = difflib.get_close_matches(
        str(location[-1]), [*model.model_fields, *(["profiles"] if model is Config else [])], n=1
    )
    return close[0] if close else None
