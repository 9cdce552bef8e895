"""`reelvet.toml` and everything that overrides it, as one frozen object."""

from __future__ import annotations

import difflib
import os
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from pydantic import Field, SecretStr, ValidationError, field_serializer, field_validator

from reelvet.config.sections import (
    EventsConfig,
    FetchConfig,
    JournalConfig,
    PluginsConfig,
    PollingConfig,
    SecretsConfig,
    SettleConfig,
)
from reelvet.config.sources import find_file, from_environment, merge, read_file, resolve_reference
from reelvet.schema.base import Strict
from reelvet.schema.errors import ConfigurationError, MissingSecret, PluginNotFound, UnknownInstance
from reelvet.schema.urls import MASK
from reelvet.schema.validation import first_field, sentences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from pydantic import BaseModel

    from reelvet.plugins import Registry

_SECRET_HINTS = ("key", "secret", "token", "password", "credential")


class Config(Strict):
    """A whole configuration, its references to secrets not yet resolved.

    Raises:
        ConfigurationError: By `load` and `parse`: something is unknown, missing or of the wrong type.
    """

    use: str | None = Field(None, description="The instance jobs go to.")
    policy: tuple[str, ...] = Field(
        ("default",),
        description="Policies that judge: names of shipped or configured ones, or paths. The first decides.",
    )
    providers: dict[str, dict[str, Any]] = Field(
        default_factory=dict,
        description="Instance -> its settings; `plugin` names the provider where the instance's name does not.",
    )
    policies: dict[str, dict[str, Any]] = Field(default_factory=dict, description="Name -> a policy of your own.")
    fetch: FetchConfig = Field(default_factory=FetchConfig)
    secrets: SecretsConfig = Field(default_factory=SecretsConfig)
    polling: PollingConfig = Field(default_factory=PollingConfig)
    journal: JournalConfig = Field(default_factory=JournalConfig)
    settle: SettleConfig = Field(default_factory=SettleConfig)
    plugins: PluginsConfig = Field(default_factory=PluginsConfig)
    events: EventsConfig | None = Field(None, description="What the platform is told, and where.")
    production: bool = Field(
        False, description="Refuse results from emulators and from base URLs that are not the vendor's."
    )
    profile: str | None = Field(None, description="The profile that was chosen.")
    source: str | None = Field(None, description="The file it was read from.")

    @field_validator("policy", mode="before")
    @classmethod
    def _one_policy(cls, value: Any) -> Any:
        if isinstance(value, dict):
            raise ValueError("names policies, it is no table; write a policy of your own as [policies.<name>]")  # noqa: TRY004  (pydantic knows a ValueError)
        return [value] if isinstance(value, str) else value

    @classmethod
    def load(
        cls,
        path: Path | str | None = None,
        *,
        profile: str | None = None,
        environ: Mapping[str, str] | None = None,
        **arguments: Any,
    ) -> Self:
        """The configuration from file, profile, environment and arguments, each overriding what comes before it.

        Args:
            path: The file; by default `REELVET_CONFIG`, `./reelvet.toml`, or the user's own.
            profile: A `[profiles.<name>]` table to lay over the file; by default `REELVET_PROFILE`.
            environ: The environment.
            arguments: Any key of the file, as `use="local"` or `providers={"local": {...}}`; `None` says nothing.
        """
        environ = os.environ if environ is None else environ
        file = find_file(path, environ)
        data = read_file(file) if file else {}
        return cls.parse(data, profile=profile, environ=environ, source=str(file) if file else None, **arguments)

    @classmethod
    def parse(
        cls,
        data: Mapping[str, Any],
        *,
        profile: str | None = None,
        environ: Mapping[str, str] | None = None,
        source: str | None = None,
        **arguments: Any,
    ) -> Self:
        """The same from data that has the shape of the file; without `environ`, no variable overrides it."""
        data = dict(data)
        profiles, chosen = data.pop("profiles", {}), data.pop("profile", None)
        profile = profile or (environ or {}).get("REELVET_PROFILE") or chosen
        if profile is not None:
            data = merge(data, _profile(profile, _table(profiles, "profiles", source), source))
        if environ is not None:
            configured = _table(data.get("providers", {}), "providers", source)
            spelled = merge(configured, _table(arguments.get("providers") or {}, "providers", "argument"))
            data = merge(data, from_environment(environ, spelled))
        data = merge(data, {name: value for name, value in arguments.items() if value is not None})
        for name in sorted({"source", "profile", "profiles"} & data.keys()):
            raise ConfigurationError(
                f"{name!r} cannot be set here", field=name, source=source, way_out=f"Take {name!r} out of it."
            )
        try:
            return cls(**data, profile=profile, source=source)
        except ValidationError as error:
            says = _explain(error, cls, _is_secret)
            raise ConfigurationError(
                says,
                field=first_field(error),
                source=source,
                way_out="`reelvet schema config` says what each key takes.",
            ) from None

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        for name, value in super().__repr_args__():
            yield name, _hidden(value) if name == "providers" else value

    @field_serializer("providers")
    def _hide_settings(self, value: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        return {instance: _hidden(table) for instance, table in value.items()}

    # --- instances ---

    def active(self, registry: Registry) -> str:
        """The instance that jobs go to.

        Raises:
            ConfigurationError: Several are configured and none is chosen, or none is and `local` is not installed.
            UnknownInstance: The chosen one is neither configured nor an installed provider.
        """
        if self.use is not None:
            self.plugin_of(self.use, registry)
            return self.use
        if len(self.providers) == 1:
            return next(iter(self.providers))
        if self.providers:
            raise ConfigurationError(
                f"several instances are configured ({', '.join(self.providers)}) and none is chosen",
                field="use", source=self.source, way_out='Set `use = "..."`, REELVET_USE, or the argument use=.',
            )  # fmt: skip
        if "local" in registry or any(problem.plugin == "local" for problem in registry.problems):
            registry.spec("local")  # installed and broken is another trouble than not installed
            return "local"
        if registry.is_barred("local"):
            raise ConfigurationError(
                "no instance is configured and the local provider is kept out", field="use", source=self.source,
                way_out="Let REELVET_PLUGINS or `[plugins] allow` name it, or write a [providers.<name>] table.",
            )  # fmt: skip
        raise ConfigurationError(
            "no instance is configured and the local provider is not installed", field="use", source=self.source,
            way_out="Install it (from a clone: pip install -e providers/local), or write a [providers.<name>] table.",
        )  # fmt: skip

    def plugin_of(self, instance: str, registry: Registry) -> str:
        """The provider id of an instance.

        Raises:
            UnknownInstance: It is neither configured nor the id of an installed provider.
            PluginError: The plugin it names is missing or broken.
        """
        if instance in self.providers:
            plugin = str(self.providers[instance].get("plugin", instance))
            try:
                registry.spec(plugin)
            except PluginNotFound as error:
                if "plugin" in self.providers[instance]:
                    raise
                error.way_out = f'{error.way_out} Or say with `plugin = "..."` in [providers.{instance}] which it is.'
                raise
            return plugin
        if instance in registry:
            return instance
        if registry.is_barred(instance) or any(problem.plugin == instance for problem in registry.problems):
            registry.spec(instance)  # says what keeps it from being used
        known = sorted({*self.providers, *(spec.id for spec in registry)})
        close = difflib.get_close_matches(instance, known, n=1)
        hint = f"Did you mean {close[0]!r}?" if close else f"Known are {', '.join(known) or 'none'}."
        raise UnknownInstance(f"there is no instance {instance!r}", field="use", source=self.source, way_out=hint)

    def settings(
        self, instance: str, registry: Registry, *, environ: Mapping[str, str] | None = None, credentials: bool = True
    ) -> BaseModel | None:
        """An instance's settings, its references resolved, checked by its provider's own model.

        A field that is not configured is taken from the vendor's own environment variable, where the provider's
        model names one.

        Args:
            instance: The instance.
            registry: The installed providers.
            environ: The environment.
            credentials: `False` puts `***` in place of every secret, for what is planned or read without talking.

        Raises:
            MissingSecret: A credential is needed and not given.
            ConfigurationError: A field is unknown, missing or of the wrong type.
        """
        environ = os.environ if environ is None else environ
        plugin = self.plugin_of(instance, registry)
        model = registry.load(plugin, "settings")
        table = {key: value for key, value in self.providers.get(instance, {}).items() if key != "plugin"}
        where = f"providers.{instance}"
        secret = secret_fields(model) if model is not None else frozenset()
        if not credentials and model is not None:
            needed = {name: MASK for name in secret if model.model_fields[name].is_required()}
            table = needed | {key: _masked(value) if key in secret else value for key, value in table.items()}
        table = {key: _resolve(value, f"{where}.{key}", environ) for key, value in table.items()}
        if model is None:
            if table:
                raise ConfigurationError(
                    f"{where} takes no settings, got {', '.join(table)}",
                    field=where,
                    source=self.source,
                    way_out="Take them out; its table may hold `plugin` alone.",
                )
            return None
        for name, variables in vendor_variables(model).items():
            value = next((environ[v] for v in variables if environ.get(v)), None)
            if name not in table and value is not None and (credentials or name not in secret):
                table[name] = value
        try:
            settings: BaseModel = model.model_validate(table, context={"credentials": credentials})
        except ValidationError as error:
            raise _settings_error(error, model, where, plugin, self.source) from None
        return settings

    @cached_property
    def seal_key(self) -> SecretStr | None:
        """`[secrets] key`, its reference resolved."""
        if self.secrets.key is None:
            return None
        return SecretStr(resolve_reference(self.secrets.key.get_secret_value(), field="secrets.key"))

    @cached_property
    def callback_secrets(self) -> tuple[SecretStr, ...]:
        """The values of `[secrets.callbacks]`, their references resolved."""
        return tuple(
            SecretStr(resolve_reference(secret.get_secret_value(), field=f"secrets.callbacks.{name}"))
            for name, secret in self.secrets.callbacks.items()
        )


def _table(value: Any, field: str, source: str | None) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ConfigurationError(
            f"[{field}] must be a table, not a value of type {type(value).__name__}",
            field=field,
            source=source,
            way_out=f"Write [{field}] and its keys below it.",
        )
    return value


def _profile(name: Any, profiles: dict[str, Any], source: str | None) -> dict[str, Any]:
    if isinstance(name, str) and name in profiles:
        return _table(profiles[name], f"profiles.{name}", source)
    close = difflib.get_close_matches(str(name), profiles, n=1)
    raise ConfigurationError(
        f"there is no profile {name!r} (known: {', '.join(sorted(profiles)) or 'none'})",
        field="profile",
        source=source,
        way_out=f"Did you mean {close[0]!r}?"
        if close
        else "Write a [profiles.NAME] table of that name, or choose another.",
    )


def vendor_variables(model: type[BaseModel]) -> dict[str, list[str]]:
    """Field -> the environment variables that the vendor's own tools read for it.

    A settings model names them as `Field(json_schema_extra={"env": ["ACME_API_KEY"]})`.
    """
    found = {}
    for name, field in model.model_fields.items():
        extra = field.json_schema_extra
        if isinstance(extra, dict) and isinstance(extra.get("env"), list):
            found[name] = [str(variable) for variable in extra["env"]]  # type: ignore[union-attr]
    return found


def secret_fields(model: type[BaseModel]) -> frozenset[str]:
    """The fields of a settings model that are secrets."""
    return frozenset(name for name, field in model.model_fields.items() if "SecretStr" in str(field.annotation))


def _resolve(value: Any, field: str, environ: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return resolve_reference(value, field=field, environ=environ)
    if isinstance(value, dict):
        return {key: _resolve(item, f"{field}.{key}", environ) for key, item in value.items()}
    if isinstance(value, list):
        return [_resolve(item, f"{field}[{index}]", environ) for index, item in enumerate(value)]
    return value


def _looks_secret(field: str) -> bool:
    return any(hint in field.lower() for hint in _SECRET_HINTS)


def _is_secret(field: str) -> bool:
    """Whether a field of the file may hold a secret: whatever stands below `providers` may."""
    return field.startswith("providers") or _looks_secret(field)


def _hidden(value: Any) -> Any:
    """The same with every value masked, save names of plugins, references to secrets, and yes or no."""
    if isinstance(value, dict):
        return {key: item if key == "plugin" else _hidden(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden(item) for item in value]
    is_reference = isinstance(value, str) and value.startswith(("env:", "file:"))
    return value if value is None or isinstance(value, bool) or is_reference else MASK


def _masked(value: Any) -> Any:
    """The same with every value masked, references too, so that none has to be there."""
    if isinstance(value, dict):
        return {key: _masked(item) for key, item in value.items()}
    return [_masked(item) for item in value] if isinstance(value, list | tuple) else MASK


def _explain(error: ValidationError, model: type[BaseModel], secret: Callable[[str], bool]) -> str:
    told = [f"{field or 'file'}: {says}" for field, says in sentences(error, secret=secret, model=model)]
    return "invalid configuration: " + "; ".join(told)


def _settings_error(
    error: ValidationError, model: type[BaseModel], where: str, plugin: str, source: str | None
) -> ConfigurationError:
    variables, secrets = vendor_variables(model), secret_fields(model)

    def is_secret(field: str) -> bool:
        return _looks_secret(field) or field.partition(".")[0] in secrets

    faults = error.errors(include_url=False, include_input=False)
    missing = [str(item["loc"][0]) for item in faults if item["type"] == "missing" and len(item["loc"]) == 1]
    ways = [" or as ".join([f"`{name}` in [{where}]", *variables.get(name, [])]) for name in missing]
    way_out = f"Give {'; '.join(ways)}." if ways else f"`reelvet schema {plugin}.settings` lists the settings."
    wanted = [name for name in missing if is_secret(name)]
    if wanted:
        names = ", ".join(f"{where}.{name}" for name in missing)
        told = sentences(error, secret=is_secret, model=model)
        others = [f"{field or where}: {says}" for field, says in told if field not in missing]
        says = "; ".join([f"{names} {'is' if len(missing) == 1 else 'are'} missing", *others])
        return MissingSecret(says, field=f"{where}.{wanted[0]}", source=source, way_out=way_out)
    return ConfigurationError(
        f"[{where}] {_explain(error, model, is_secret)}",
        field=f"{where}.{first_field(error) or ''}".rstrip("."),
        source=source,
        way_out=way_out,
    )
