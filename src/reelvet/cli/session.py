"""What the global options say, and what is made from them: configuration, registry, moderator."""

from __future__ import annotations

import threading
import time
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reelvet.cli.exits import Interrupted
from reelvet.cli.output import note

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    import typer

    from reelvet.config import Config
    from reelvet.journal import Journal
    from reelvet.moderator import Moderator
    from reelvet.plugins import Registry


# Closing may take a while, and whoever pressed Ctrl-C is told first.
_left_open: list[Moderator] = []


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

    def journal(self, config: Config) -> Journal:
        """The journal that a moderator with this configuration uses. To be closed by whoever asks."""
        from reelvet.journal import open_journal  # noqa: PLC0415

        return open_journal(config.journal.target())

    def moderator(
        self,
        *,
        use: str | None = None,
        policy: Sequence[str] | None = None,
        credentials: bool = True,
        looks_once: bool = False,
    ) -> AbstractContextManager[Moderator]:
        """A moderator for one instance, closed by leaving the block.

        Args:
            use: The instance.
            policy: The policies that judge, over the configuration's.
            credentials: `False` for what talks to no vendor.
            looks_once: Whether a submission of unknown outcome is looked up once, rather than again and again for a while.
        """
        config = self.config(policy=policy or None)
        if looks_once:
            polling = config.polling.model_copy(update={"settle_window": 0.0})
            config = config.model_copy(update={"polling": polling})
        return self.moderator_of(config, use=use, credentials=credentials)

    @contextmanager
    def moderator_of(self, config: Config, *, use: str | None = None, credentials: bool = True) -> Iterator[Moderator]:
        """A moderator with a configuration at hand, closed by leaving the block; after Ctrl-C only by `close_left_open`."""
        from reelvet.moderator import Moderator  # noqa: PLC0415

        moderator = Moderator(config, use=use, registry=self.registry(config), credentials=credentials)
        try:
            yield moderator
        except (KeyboardInterrupt, Interrupted):
            _left_open.append(moderator)
            raise
        except BaseException:
            _close(moderator)  # what went wrong in the block is what is told
            raise
        _close(moderator)


def close_left_open(*, patience: float) -> bool:
    """Closes what Ctrl-C left open, once its user has been told. A second Ctrl-C ends that.

    Args:
        patience: Seconds that it may take; 0 for not at all.

    Returns:
        Whether all is closed, so that the process can end as usual.
    """
    closing = [threading.Thread(target=_close, args=(moderator,), daemon=True) for moderator in _left_open]
    _left_open.clear()
    until = time.monotonic() + patience
    try:
        for thread in closing if patience else ():
            thread.start()
            thread.join(max(until - time.monotonic(), 0.0))
    except KeyboardInterrupt:
        return False
    return not closing or (patience > 0 and not any(thread.is_alive() for thread in closing))


def _close(moderator: Moderator) -> None:
    """Closes a moderator. What fails here takes nothing back of what the command came to."""
    try:
        moderator.close()
    except Exception as error:  # noqa: BLE001  (a provider's close may do anything)
        note(f"reelvet: warning: not closed cleanly: {type(error).__name__}: {error}".rstrip(": "))


def discover(config: Config) -> Registry:
    """The installed providers, without Python's own warnings about broken ones: they are in `problems`."""
    from reelvet.plugins import Registry  # noqa: PLC0415

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return Registry.discover(allow=config.plugins.allow)
