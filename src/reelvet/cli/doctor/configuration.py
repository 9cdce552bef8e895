"""Checks of the configuration: file, profile, variables, keys, secrets."""

from __future__ import annotations

import os
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from reelvet.cli.doctor.examined import SECRETIVE, Item
from reelvet.config import resolve_reference
from reelvet.config.sources import INSTANCE_PREFIX
from reelvet.http import LOOPBACK
from reelvet.schema.errors import ReelvetError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import SecretStr

    from reelvet.cli.doctor.examined import Examined

_REFERENCES = ("env:", "file:")
_METADATA = "169.254.169.254"
_READABLE_BY_OTHERS = 0o044


def check_configuration_file(examined: Examined) -> Iterator[Item]:
    """It is there, readable, and TOML; or there is none, which is fine."""
    if examined.file_error is not None:
        error = examined.file_error
        yield Item("wrong", error.message, error.way_out, error.source)
    elif examined.file is None:
        yield Item("ok", "no configuration file: built-in defaults and the environment hold")
    else:
        yield Item("ok", f"the configuration is {examined.file}", where=str(examined.file))


def check_profile(examined: Examined) -> Iterator[Item]:
    """The chosen profile exists."""
    if examined.profile_error is not None:
        known = ", ".join(examined.known_profiles) or "none"
        yield Item(
            "wrong",
            examined.profile_error,
            f"Write a [profiles.{examined.profile or 'NAME'}] table, or choose one of: {known}.",
            "profile",
        )
    elif examined.profile is not None:
        yield Item("ok", f"profile {examined.profile}")


def check_variables(examined: Examined) -> Iterator[Item]:
    """Every variable that begins with REELVET_ means something."""
    for error in examined.variable_errors:
        yield Item("wrong", error.message, error.way_out, "environment")


def check_network_switch(examined: Examined) -> Iterator[Item]:
    """Calls to vendors are not switched off."""
    word = examined.environ.get("REELVET_NETWORK", "").strip().lower()
    if word not in {"", "on", "off", "loopback"}:
        yield Item("wrong", f"REELVET_NETWORK={word!r} is unknown", "Use on, off or loopback.", "REELVET_NETWORK")
    elif word in {"off", "loopback"}:
        yield Item(
            "warning", f"REELVET_NETWORK={word}: calls to vendors are switched off", "Unset it.", "REELVET_NETWORK"
        )


def check_keys(examined: Examined) -> Iterator[Item]:
    """Every key of the configuration is known and has a value of its type."""
    for fault in examined.faults:
        yield Item("wrong", fault.sentence, fault.mend, fault.where)


def check_variable_conflicts(examined: Examined) -> Iterator[Item]:
    """No variable contradicts another, and each has an effect on what is there."""
    said: dict[tuple[str, ...], str] = {}
    for variable in (name for name in examined.environ if name.startswith(INSTANCE_PREFIX)):
        instance, _, field = variable.removeprefix(INSTANCE_PREFIX).partition("__")
        first = said.setdefault((instance.upper(), field.upper()), variable)
        if first != variable:
            yield Item("wrong", f"{first} and {variable} say the same setting", "Unset one of them.", variable)
        alike = [name for name in examined.raw_instances if name.replace("-", "_").upper() == instance.upper()]
        if len(alike) > 1:
            yield Item(
                "wrong",
                f"{variable} may mean any of the instances {', '.join(alike)}",
                "Rename one, so that their names differ in more than `-` and `_`.",
                variable,
            )
        elif field and not alike and not examined.is_installed(instance.lower()):
            known = ", ".join([*examined.raw_instances, *(spec.id for spec in examined.registry)]) or "none"
            yield Item(
                "wrong",
                f"{variable} is for an instance {instance.lower()!r}, which is neither configured nor a provider's id",
                f"Known are {known}.",
                variable,
            )
    if examined.config.plugins.allow is not None and examined.environ.get("REELVET_PLUGINS", "").strip():
        yield Item(
            "warning",
            "REELVET_PLUGINS is without effect: `[plugins] allow` says which plugins are loaded",
            "Keep one of them.",
            "REELVET_PLUGINS",
        )


def check_polling(examined: Examined) -> Iterator[Item]:
    """The pauses between two questions can grow as they are meant to."""
    polling = examined.config.polling
    for name, least in (("most", polling.first), ("give_up", polling.first)):
        if (value := getattr(polling, name)) < least:
            yield Item(
                "warning",
                f"polling.{name} is {value:g}, below polling.first, which is {polling.first:g}",
                f"Raise polling.{name}, or lower polling.first.",
                f"polling.{name}",
            )


def check_plain_secrets(examined: Examined) -> Iterator[Item]:
    """A configuration file that holds secrets as they are is for its owner's eyes only."""
    if examined.file is None or os.name != "posix":
        return
    if not examined.file.stat().st_mode & _READABLE_BY_OTHERS:
        return
    plain = [name for name, value in _leaves(examined.raw) if _is_secret(name) and not value.startswith(_REFERENCES)]
    if plain:
        yield Item(
            "warning", f"{examined.file} holds secrets ({', '.join(plain)}) and others may read it",
            f"chmod 600 {examined.file}, or write them as env:NAME or file:PATH.", str(examined.file),
        )  # fmt: skip


def check_fetch_allow(examined: Examined) -> Iterator[Item]:
    """What media may be fetched from does not hold a cloud's metadata service, which gives credentials to whoever asks."""
    from reelvet.http import AllowList  # noqa: PLC0415  (most configurations allow nothing)

    for entry in examined.config.fetch.allow:
        if AllowList([entry]).refusal("", 80, ip_address(_METADATA)) is None:
            yield Item(
                "warning",
                f"fetch.allow holds {entry!r}, and with it {_METADATA}, where clouds give out credentials",
                "Name the hosts that are meant, or a range without that address.",
                "fetch.allow",
            )


def check_seal_key(examined: Examined) -> Iterator[Item]:
    """`[secrets] key` can be had, is a key, and there is the library that seals with it."""
    from pydantic import SecretStr  # noqa: PLC0415

    from reelvet.moderator.seal import seal  # noqa: PLC0415
    from reelvet.schema.ticket import Ticket  # noqa: PLC0415

    key = examined.config.secrets.key
    if key is None:
        return
    try:
        value = resolve_reference(key.get_secret_value(), field="secrets.key", environ=examined.environ)
        seal(
            Ticket(key="doctor", provider="doctor", instance="doctor").with_secret_url("https://any.invalid/?a"),
            SecretStr(value),
        )
    except ReelvetError as error:
        yield Item("wrong", error.message, error.way_out, "secrets.key", of_machine=is_reference(key))
    else:
        yield Item("ok", "URLs in tickets are sealed with [secrets] key")


def check_callback_secrets(examined: Examined) -> Iterator[Item]:
    """Every callback secret can be had."""
    for name, secret in examined.config.secrets.callbacks.items():
        place = f"secrets.callbacks.{name}"
        try:
            value = resolve_reference(secret.get_secret_value(), field=place, environ=examined.environ)
        except ReelvetError as error:
            yield Item("wrong", error.message, error.way_out, place, of_machine=True)
        else:
            if not value:
                yield Item(
                    "wrong", f"{place} is empty: anybody could forge callbacks", "Give it a long random value.", place
                )


def check_events(examined: Examined) -> Iterator[Item]:
    """Whoever is to be told can be called, and what they are told can be signed."""
    from reelvet.events import Signatures  # noqa: PLC0415  (most configurations tell nobody)

    events = examined.config.events
    if events is None:
        return
    of_machine = events.url.startswith(_REFERENCES) or any(is_reference(secret) for secret in events.secrets)
    try:
        url = events.target(examined.environ)
        Signatures(events.keys(examined.environ))
    except ReelvetError as error:
        yield Item("wrong", error.message, error.way_out, getattr(error, "field", "events"), of_machine=of_machine)
        return
    if url.startswith("http:") and urlsplit(url).hostname not in LOOPBACK:
        yield Item(
            "warning", f"events go to {url.masked} in the clear: others on the way can read them", "Give an https URL.", "events.url"
        )  # fmt: skip
    yield Item("ok", f"events are signed, and sent to {url.masked}")


def is_reference(secret: SecretStr) -> bool:
    """Whether it stands for a variable or a file."""
    return secret.get_secret_value().startswith(_REFERENCES)


def _is_secret(name: str) -> bool:
    return bool(SECRETIVE.search(name)) and not name.endswith((".plugin", ".use"))


def _leaves(data: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _leaves(value, f"{path}.{key}" if path else str(key))
    elif isinstance(data, list):
        for item in data:
            yield from _leaves(item, path)
    elif isinstance(data, str):
        yield path, data
