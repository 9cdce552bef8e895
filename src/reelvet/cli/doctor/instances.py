"""Checks of the instances: which one jobs go to, its plugin, its secrets, its settings."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any

from reelvet.cli.doctor.examined import Item
from reelvet.config import resolve_reference
from reelvet.schema.errors import ConfigurationError, ReelvetError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reelvet.cli.doctor.examined import Examined
    from reelvet.moderator.instance import Instance


def check_active_instance(examined: Examined) -> Iterator[Item]:
    """It can be said which instance jobs go to."""
    try:
        active = examined.config.active(examined.registry)
    except ConfigurationError as error:
        yield Item("wrong", error.message, error.way_out, error.field)
    except ReelvetError:
        return  # its plugin cannot be used, which `check_instance_plugins` tells
    else:
        if examined.file_error is None:  # else nobody knows what the file says
            yield Item("ok", f"jobs go to {active!r}")


def check_instance_plugins(examined: Examined) -> Iterator[Item]:
    """Every instance's provider is installed and loads."""
    for instance in _known(examined):
        try:
            examined.registry.load(examined.config.plugin_of(instance, examined.registry))
        except ReelvetError as error:
            yield Item(
                "wrong",
                f"instance {instance!r}: {error.message}",
                error.way_out,
                f"providers.{instance}",
                _trace(error),
            )
        except Exception as error:  # noqa: BLE001  (whatever a stranger's module raises when it is imported)
            says = f"instance {instance!r}: its provider cannot be imported: {type(error).__name__}: {error}"
            yield Item("wrong", says, "Mend or update that distribution.", f"providers.{instance}", _trace(error))


def check_references(examined: Examined) -> Iterator[Item]:
    """Every `env:NAME` and `file:PATH` of an instance can be had."""
    for instance, table in examined.config.providers.items():
        for field, value in table.items():
            yield from _references(f"providers.{instance}.{field}", value, examined)


def _references(field: str, value: Any, examined: Examined) -> Iterator[Item]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _references(f"{field}.{key}", item, examined)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _references(f"{field}[{number}]", item, examined)
    elif isinstance(value, str):
        try:
            resolve_reference(value, field=field, environ=examined.environ)
        except ConfigurationError as error:
            yield Item("wrong", error.message, error.way_out or "Make the file readable, or name another.", field)


def check_settings(examined: Examined) -> Iterator[Item]:
    """Every instance has the credentials it needs, and settings that its provider knows."""
    for instance in _usable(examined):
        told: dict[str, Item] = {}
        # First as it is, then without credentials: a missing secret must not hide what else is wrong.
        for credentials in (True, False):
            try:
                examined.config.settings(instance, examined.registry, environ=examined.environ, credentials=credentials)
            except ConfigurationError as error:
                told.setdefault(
                    error.message,
                    Item("wrong", error.message, error.way_out or _schema(instance, examined), error.field),
                )
        already = {item.says for item in check_references(examined)}
        yield from (item for item in told.values() if item.says not in already)
        if not told:
            yield Item("ok", f"instance {instance!r} is complete")


def check_providers_start(examined: Examined) -> Iterator[Item]:
    """Every provider takes its settings; a production profile has no emulator among them."""
    for instance in _usable(examined):
        try:
            make(instance, examined)
        except ConfigurationError as error:
            if "settings" not in (error.field or "") and not _is_about_settings(instance, examined):
                yield Item("wrong", error.message, error.way_out, error.field)
        except Exception as error:  # noqa: BLE001  (whatever a stranger's provider raises when it is made)
            says = f"instance {instance!r}: its provider does not start: {type(error).__name__}: {error}"
            yield Item("wrong", says, "Mend or update that distribution.", f"providers.{instance}", _trace(error))


def make(instance: str, examined: Examined) -> Instance:
    """The instance, without credentials.

    Raises:
        ReelvetError: It cannot be made.
    """
    from reelvet.moderator.instance import Instance  # noqa: PLC0415  (only where something is to be made)

    return Instance(instance, examined.config, examined.registry, credentials=False)


def _known(examined: Examined) -> list[str]:
    """Instances that are configured or installed; of an unknown one `check_active_instance` has told."""
    problems = {problem.plugin for problem in examined.registry.problems}
    return [i for i in examined.instances if i in examined.config.providers or i in examined.registry or i in problems]


def _usable(examined: Examined) -> list[str]:
    """Instances whose provider can be imported; of the others `check_instance_plugins` has told."""
    told = {item.where for item in check_instance_plugins(examined)}
    return [instance for instance in _known(examined) if f"providers.{instance}" not in told]


def _is_about_settings(instance: str, examined: Examined) -> bool:
    try:
        examined.config.settings(instance, examined.registry, environ=examined.environ, credentials=False)
    except ConfigurationError:
        return True
    return False


def _schema(instance: str, examined: Examined) -> str:
    return f"`reelvet schema {examined.plugin(instance)}.settings` lists the settings."


def _trace(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))
