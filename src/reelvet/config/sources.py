"""Where configuration comes from, and which source wins.

From weakest to strongest: the file, the profile chosen from it, environment variables, arguments. Tables are merged
key by key; everything else is replaced.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelvet.schema.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE_NAME = "reelvet.toml"
_PREFIX = "REELVET_"
INSTANCE_PREFIX = "REELVET_PROVIDERS__"

# Variables that choose or override one thing, and the key of the file they stand for.
_SIMPLE = {"REELVET_USE": "use", "REELVET_POLICY": "policy"}
# Variables that other rooms read.
_OTHERS = frozenset({"REELVET_CONFIG", "REELVET_PROFILE", "REELVET_PLUGINS", "REELVET_NETWORK", "REELVET_STATE_DIR"})


def find_file(path: Path | str | None, environ: Mapping[str, str]) -> Path | None:
    """The configuration file: the one named, `REELVET_CONFIG`, `./reelvet.toml`, or the user's own.

    Raises:
        ConfigurationError: A file was named and is not there.
    """
    named, by = (path, "argument") if path is not None else (environ.get("REELVET_CONFIG"), "REELVET_CONFIG")
    if named:
        file = Path(named).expanduser()
        if not file.is_file():
            raise ConfigurationError(
                f"there is no configuration file {file}", source=by, way_out="Name an existing reelvet.toml."
            )
        return file
    from platformdirs import user_config_path  # noqa: PLC0415  (only when nothing was named)

    candidates = (Path(FILE_NAME), user_config_path("reelvet") / FILE_NAME)
    return next((file for file in candidates if file.is_file()), None)


def read_file(file: Path) -> dict[str, Any]:
    """The tables of a configuration file.

    Raises:
        ConfigurationError: It cannot be read, or is no TOML.
    """
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))  # editors on Windows put a mark before it
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ConfigurationError(
            f"cannot read the configuration: {why}",
            source=str(file),
            way_out="Make it readable, write it as UTF-8, or name another with --config or REELVET_CONFIG.",
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(
            f"the configuration is no TOML: {error}", source=str(file), way_out="Mend the file at that place."
        ) from None


def from_environment(environ: Mapping[str, str], instances: Mapping[str, Any]) -> dict[str, Any]:
    """What environment variables say.

    `REELVET_USE`, `REELVET_POLICY`, and `REELVET_PROVIDERS__<INSTANCE>__<FIELD>`; in the instance's name `-` is
    written `_`, upper and lower case are the same.

    Args:
        environ: The environment.
        instances: The instances that are configured already, whose spelling is kept.

    Raises:
        ConfigurationError: A variable begins with `REELVET_` and means nothing.
    """
    found: dict[str, Any] = {key: environ[name] for name, key in _SIMPLE.items() if environ.get(name)}
    spelled = {name.replace("-", "_").upper(): name for name in instances}
    for variable, value in environ.items():
        if variable.startswith(INSTANCE_PREFIX):
            instance, _, field = variable.removeprefix(INSTANCE_PREFIX).partition("__")
            if not instance or not field:
                raise ConfigurationError(
                    f"{variable} names no field",
                    source="environment",
                    way_out="Write REELVET_PROVIDERS__<INSTANCE>__<FIELD>.",
                )
            name = spelled.get(instance.upper(), instance.lower())
            found.setdefault("providers", {}).setdefault(name, {})[field.lower()] = value
        elif variable.startswith(_PREFIX) and variable not in _SIMPLE and variable not in _OTHERS:
            known = ", ".join(sorted({*_SIMPLE, *_OTHERS}))
            raise ConfigurationError(
                f"{variable} is no variable of reelvet",
                source="environment",
                way_out=f"Known are {known}, and {INSTANCE_PREFIX}*.",
            )
    return found


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `over` on top: tables key by key, everything else replaced."""
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        merged[key] = merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def resolve_reference(value: str, *, field: str, environ: Mapping[str, str] | None = None) -> str:
    """The string that `env:NAME` or `file:PATH` stands for; any other string is itself.

    Raises:
        ConfigurationError: The variable is not set, or the file cannot be read.
    """
    environ = os.environ if environ is None else environ
    kind, colon, name = value.partition(":")
    if colon and kind == "env":
        if not environ.get(name):
            raise ConfigurationError(
                f"{field} refers to the environment variable {name}, which is not set",
                field=field,
                way_out=f"Set {name}.",
            )
        return environ[name]
    if colon and kind == "file":
        try:
            text = Path(name).expanduser().read_text(encoding="utf-8-sig").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or type(error).__name__
            raise ConfigurationError(
                f"{field} refers to the file {name}, which cannot be read: {why}",
                field=field,
                way_out="Make it readable, or name another.",
            ) from None
        if not text:
            raise ConfigurationError(
                f"{field} refers to the file {name}, which is empty", field=field, way_out="Write the value into it."
            )
        return text
    return value
