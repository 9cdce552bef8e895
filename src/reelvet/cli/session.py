"""What the global options say, and what is made from them: configuration, registry, moderator."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reelvet.cli.output import note

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import typer

    from reelvet.config import Config
    from reelvet.moderator import Moderator
    from reelvet.plugins import Registry


@dataclass(frozen=True, slots=True)
class Session:
    """One run of the command line."""

    config_path: Path | None = None
    profile: str | None = None
    verbose: bool = False

    @classmethod
    def of(cls, context: typer.Context) -> Session:
        """The run that a command belongs to."""
        session: Session = context.obj
        return session

    def config(self, **arguments: Any) -> Config:
        """The configuration, the arguments over it."""
        from reelvet.config import Config  # noqa: PLC0415  (each command loads what it needs)

        return Config.load(self.config_path, profile=self.profile, **arguments)

    def registry(self, config: Config, *, quiet: bool = False) -> Registry:
        """The installed providers; broken plugins are told on stderr unless `quiet`."""
        registry = discover(config)
        if not quiet:
            for problem in registry.problems:
                note(f"reelvet: warning: plugin {problem.plugin!r} of {problem.distribution}: {problem.says}")
        return registry

    def moderator(
        self, *, use: str | None = None, policy: Sequence[str] | None = None, credentials: bool = True
    ) -> Moderator:
        """A moderator for one instance."""
        return self.moderator_of(self.config(policy=policy or None), use=use, credentials=credentials)

    def moderator_of(self, config: Config, *, use: str | None = None, credentials: bool = True) -> Moderator:
        """A moderator with a configuration at hand."""
        from reelvet.moderator import Moderator  # noqa: PLC0415

        return Moderator(config, use=use, registry=self.registry(config), credentials=credentials)


def discover(config: Config) -> Registry:
    """The installed providers, without Python's own warnings about broken ones: they are in `problems`."""
    from reelvet.plugins import Registry  # noqa: PLC0415

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return Registry.discover(allow=config.plugins.allow)
