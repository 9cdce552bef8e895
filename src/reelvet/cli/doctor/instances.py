"""Checks of the instances: which one jobs go to, its plugin, its secrets, its settings."""

from __future__ import annotations

import contextlib
import traceback
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, SecretStr

from reelvet.cli.doctor.examined import Item
from reelvet.config import resolve_reference
from reelvet.plugins import Provider
from reelvet.schema.errors import ConfigurationError, MissingSecret, PluginBroken, ReelvetError

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
    """Every instance's provider is installed and loads, with the models of its settings and options."""
    for instance in _known(examined):
        place = f"providers.{instance}"
        try:
            plugin = examined.config.plugin_of(instance, examined.registry)
            for part, base in (
                ("provider", Provider),
                ("settings", BaseModel),
                ("options", BaseModel),
                ("sandbox", object),
            ):
                loaded = examined.registry.load(plugin, part)
                if loaded is not None and not (isinstance(loaded, type) and issubclass(loaded, base)):
                    says = (
                        f"instance {instance!r}: {getattr(examined.registry.spec(plugin), part)} is no {base.__name__}"
                    )
                    yield Item("wrong", says, PluginBroken.default_way_out, place)
                    break
        except ReelvetError as error:
            yield Item("wrong", f"instance {instance!r}: {error.message}", error.way_out, place, _trace(error))


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
            yield Item("wrong", error.message, error.way_out, field, of_machine=True)


def check_settings(examined: Examined) -> Iterator[Item]:
    """Every instance has the credentials it needs, and settings that its provider knows."""
    already = {item.says for item in check_references(examined)}
    for instance in _usable(examined):
        told = {error.message: error for error in _settings_errors(instance, examined)}
        for error in told.values():
            if error.message not in already:
                missing = isinstance(error, MissingSecret)
                yield Item("wrong", error.message, error.way_out, error.field, of_machine=missing)
        if not told:
            yield Item("ok", f"instance {instance!r} is complete")


def _settings_errors(instance: str, examined: Examined) -> Iterator[ConfigurationError]:
    # First as it is, then without credentials: a missing secret must not hide what else is wrong.
    for credentials in (True, False):
        try:
            examined.config.settings(instance, examined.registry, environ=examined.environ, credentials=credentials)
        except ConfigurationError as error:
            yield error


def check_credentials(examined: Examined) -> Iterator[Item]:
    """No secret is empty, or what is left of one that was copied from where it is not shown."""
    for instance in _complete(examined):
        settings = examined.config.settings(instance, examined.registry, environ=examined.environ)
        for name in type(settings).model_fields if settings is not None else ():
            value = getattr(settings, name)
            if not isinstance(value, SecretStr):
                continue
            text, place = value.get_secret_value(), f"providers.{instance}.{name}"
            if text.strip() != text:
                says, mend = f"{place} begins or ends with white space", "Copy it again, without."
                yield Item("warning" if text.strip() else "wrong", says, mend, place)
            elif not text:
                yield Item("wrong", f"{place} is empty", "Write the secret, or take the key out.", place)
            elif not text.strip("*"):
                yield Item("wrong", f"{place} is masked: it holds only `*`", "Copy it from where it is whole.", place)


def check_providers_start(examined: Examined) -> Iterator[Item]:
    """Every provider takes its settings and its label map; a production profile has no emulator among them."""
    for instance in _usable(examined):
        place = f"providers.{instance}"
        if not _is_clear_but_for_secrets(instance, examined):
            continue
        try:
            make(instance, examined, credentials=next(_settings_errors(instance, examined), None) is None)
        except ReelvetError as error:
            field = getattr(error, "field", None)  # then the message names it
            says = error.message if field else f"instance {instance!r}: {error.message}"
            yield Item("wrong", says, error.way_out, field or place)
        except Exception as error:  # noqa: BLE001  (whatever a stranger's provider raises when it is made)
            says = f"instance {instance!r}: its provider does not start: {type(error).__name__}: {error}"
            yield Item("wrong", says, PluginBroken.default_way_out, place, _trace(error))


def check_provider_faults(examined: Examined) -> Iterator[Item]:
    """Every provider finds its settings in order, as far as that can be seen from here."""
    for instance in _complete(examined):
        place = f"providers.{instance}"
        provider: Provider | None = None
        with contextlib.suppress(Exception):  # that it does not start has been told
            provider = make(instance, examined, credentials=True).provider
        try:
            faults = list(provider.examine()) if provider is not None else []
        except Exception as error:  # noqa: BLE001  (a stranger's provider; the others are still asked)
            says = f"instance {instance!r}: its provider cannot be examined: {type(error).__name__}: {error}"
            yield Item("wrong", says, PluginBroken.default_way_out, place, _trace(error))
            continue
        for fault in faults:
            where = f"{place}.{fault.field}" if fault.field else place
            yield Item("wrong", f"instance {instance!r}: {fault.says}", fault.way_out, where)


def make(instance: str, examined: Examined, *, credentials: bool = False) -> Instance:
    """The instance, by default without credentials.

    Raises:
        ReelvetError: It cannot be made.
    """
    from reelvet.moderator.instance import Instance  # noqa: PLC0415  (only where something is to be made)

    return Instance(instance, examined.config, examined.registry, credentials=credentials)


def _known(examined: Examined) -> list[str]:
    """Instances that are configured or installed; of an unknown one `check_active_instance` has told."""
    return [i for i in examined.instances if i in examined.config.providers or examined.is_installed(i)]


def _usable(examined: Examined) -> list[str]:
    """Instances whose provider can be imported; of the others `check_instance_plugins` has told."""
    told = {item.where for item in check_instance_plugins(examined)}
    return [instance for instance in _known(examined) if f"providers.{instance}" not in told]


def _complete(examined: Examined) -> list[str]:
    """Instances whose settings are as their provider wants them; of the others `check_settings` has told."""
    return [one for one in _usable(examined) if next(_settings_errors(one, examined), None) is None]


def _is_clear_but_for_secrets(instance: str, examined: Examined) -> bool:
    try:
        examined.config.settings(instance, examined.registry, environ=examined.environ, credentials=False)
    except ConfigurationError:
        return False
    return True


def _trace(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))
