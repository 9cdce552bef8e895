"""What the caller can mend: a job, a configuration, a plugin; and a job that ended badly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reelvet.schema.errors.base import ReelvetError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelvet.schema.plan import Unsupported


class CallerError(ReelvetError):
    """Something that the caller can mend: the job, the configuration, the installation."""

    default_way_out = "Mend what the message names; `reelvet doctor` checks configuration and plugins."


class InvalidJob(CallerError, ValueError):
    """A job, ticket, policy or payload file that cannot be read as one. `field` names the place."""

    default_way_out = "`reelvet schema` prints what jobs, tickets, results and policies are made of."
    _faults: Sequence[tuple[str, str]] = ()
    """Field by field what was wrong, where several were."""

    def __init__(self, message: str, *, field: str | None = None, way_out: str | None = None) -> None:
        super().__init__(message, way_out=way_out)
        self.field = field


class UnknownLabel(InvalidJob):
    """A label or pattern that is in no taxonomy. `nearest` lists ids that look like it."""

    default_way_out = "See `reelvet labels`."

    def __init__(self, label: str, *, nearest: Sequence[str] = (), field: str = "detect") -> None:
        hint = f"Did you mean {' or '.join(repr(n) for n in nearest)}?" if nearest else None
        super().__init__(f"unknown label {label!r} in {field}", field=field, way_out=hint)
        self.label = label
        self.nearest = tuple(nearest)


class InvalidOptions(InvalidJob):
    """Per-provider options that the provider's own model refuses."""

    default_way_out = "`reelvet schema PROVIDER.options` says what each option takes."


class InvalidTicket(InvalidJob):
    """A ticket that this version cannot read, or whose sealed part cannot be opened here."""

    default_way_out = "Give what `submit` returned, as `save` or `dump_json` wrote it."


class SealRefused(CallerError):
    """A URL that may carry a signature would have to be stored, and there is neither a key nor a private file for it."""

    default_way_out = "Set `[secrets] key`, or use ticket.save(path), which writes a file of mode 0600."


class KeyConflict(CallerError, ValueError):
    """The same idempotency key was used for two different jobs."""

    default_way_out = "Give the changed job a key of its own, or submit the old job again with attempt=n."

    def __init__(self, key: str, *, attempt: int = 1) -> None:
        super().__init__(f"key {key!r} (attempt {attempt}) already stands for another job")
        self.key = key
        self.attempt = attempt


class UnsupportedFeature(CallerError, ValueError):
    """A demand of the job that the provider cannot honour. `items` says which, each with its alternatives."""

    default_way_out = (
        "Change the job, choose another instance, or set on_unsupported='skip' to have it stated in the coverage."
    )

    def __init__(self, items: Sequence[Unsupported], *, provider: str, instance: str | None = None) -> None:
        lines = "; ".join(
            f"{i.field}: {i.says}" + (f" (instead: {', '.join(i.alternatives)})" if i.alternatives else "")
            for i in items
        )
        super().__init__(f"{provider} cannot do what the job asks: {lines}")
        self.items = tuple(items)
        self.provider = provider
        self.instance = instance


class ConfigurationError(CallerError, ValueError):
    """A configuration that cannot work. `field` is its dotted path, `source` the file or variable it stands in."""

    default_way_out = "`reelvet doctor` names everything that is wrong with the configuration, with the mend."

    def __init__(
        self, message: str, *, field: str | None = None, source: str | None = None, way_out: str | None = None
    ) -> None:
        where = f" ({source})" if source else ""
        super().__init__(f"{message}{where}", way_out=way_out)
        self.field = field
        self.source = source


class MissingSecret(ConfigurationError):
    """A credential is needed and nowhere to be found."""

    default_way_out = "Give it in reelvet.toml, best as env:NAME or file:PATH."


class UnknownInstance(ConfigurationError):
    """An instance that is neither configured nor the name of an installed provider."""

    default_way_out = "Write a [providers.NAME] table for it, or choose another with `use`."


class PluginError(CallerError):
    """A provider plugin cannot be used. `plugin` is its id or entry-point name, `distribution` what installed it."""

    default_way_out = "Mend, update or uninstall what brings it; `reelvet doctor` shows more."

    def __init__(
        self, message: str, *, plugin: str, distribution: str | None = None, way_out: str | None = None
    ) -> None:
        super().__init__(message, way_out=way_out)
        self.plugin = plugin
        self.distribution = distribution


class PluginNotFound(PluginError, LookupError):
    """No installed distribution registers a provider of that id."""

    default_way_out = "Install the distribution that brings it."


class PluginBroken(PluginError):
    """A plugin that was found but fails to load; the cause is chained."""

    default_way_out = "Mend or reinstall that distribution; `reelvet doctor` shows more."


class DuplicatePlugin(PluginError):
    """Two distributions register the same provider id, so neither can be trusted to be the one that is meant."""

    default_way_out = "Uninstall one of them."


class NotFinished(CallerError):
    """A result was asked for before the job had ended."""

    default_way_out = "Wait for the job's ticket."


class JobFailed(ReelvetError):
    """Raised by `ModerationResult.or_raise()` alone: the job ended, and not well. The result is attached."""

    default_way_out = "The error's `result` says of each task what became of it; submit the job again as its next attempt if that may mend it."

    def __init__(self, message: str, *, status: str, result: Any = None, way_out: str | None = None) -> None:
        super().__init__(message, way_out=way_out)
        self.status = status
        self.result = result
