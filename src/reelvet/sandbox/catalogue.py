"""Which media URL stands for which scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from reelvet.sandbox.builtin import built_in
from reelvet.sandbox.scenario import Ending, FailureReason, Scenario, close_to
from reelvet.schema.errors import ConfigurationError
from reelvet.schema.urls import mask_url

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reelvet.taxonomy import Taxonomy

MAGIC = "sandbox.reelvet.example"
"""The host whose URLs name a scenario: `https://sandbox.reelvet.example/<name>.mp4`, or `/<name>/anything`."""

_FILES = (".yaml", ".yml")
_ANYTHING = "clean"


class Catalogue:
    """All scenarios, by name and by URL. What no scenario was registered for is `clean`."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        self._taxonomy = taxonomy
        self._named: dict[str, Scenario] = {scenario.name: scenario for scenario in built_in()}
        self._by_url: dict[str, Scenario] = {}
        self._kept = (dict(self._named), dict(self._by_url))

    def __iter__(self) -> Iterator[Scenario]:
        return iter(self._named.values())

    def add(self, scenario: Scenario | Any, *urls: str, source: str | None = None, replace: bool = False) -> Scenario:
        """Takes a scenario in, for its magic URL, its own `urls` and these.

        Args:
            scenario: The scenario, or its data.
            urls: Media URLs that stand for it.
            source: Where it stands, for errors.
            replace: Whether a URL that stands for another scenario is to stand for this one from now on.

        Raises:
            ConfigurationError: It is wrong, or its name or a URL of it belongs to another.
        """
        if not isinstance(scenario, Scenario):
            scenario = Scenario.parse(scenario, taxonomy=self._taxonomy, source=source)
        if self._named.get(scenario.name, scenario) != scenario:
            raise ConfigurationError(
                f"there is another scenario {scenario.name!r}", field="name", source=source, way_out="Give it a name of its own."
            )  # fmt: skip
        wanted = (*scenario.urls, *urls)
        for url in wanted:
            self._check_url(url, source)
            other = self._by_url.get(url)
            if other is not None and other.name != scenario.name and not replace:
                raise ConfigurationError(
                    f"{mask_url(url)!r} stands for the scenario {other.name!r} already", field="urls", source=source,
                    way_out="Take it out of one of them.",
                )  # fmt: skip
        self._named[scenario.name] = scenario
        self._by_url.update(dict.fromkeys(wanted, scenario))
        return scenario

    @staticmethod
    def _check_url(url: str, source: str | None) -> None:
        shown = mask_url(url)
        if "://" not in url:
            raise ConfigurationError(
                f"{shown!r} is no URL", field="urls", source=source, way_out="Write it whole, as a job would name it."
            )
        if urlsplit(url).hostname == MAGIC:
            raise ConfigurationError(
                f"{shown!r} is on the host {MAGIC}, whose URLs name their scenario", field="urls", source=source,
                way_out="Leave it out; the name of the scenario suffices.",
            )  # fmt: skip

    def named(self, name: str) -> Scenario:
        """The scenario of a name.

        Raises:
            ConfigurationError: There is none.
        """
        if name in self._named:
            return self._named[name]
        raise ConfigurationError(
            f"there is no scenario {name!r}", field="scenario",
            way_out=close_to(name, list(self._named), otherwise="`reelvet sandbox scenarios` lists them."),
        )  # fmt: skip

    def for_url(self, url: str) -> Scenario:
        """What is in the media at a URL (or `obs://`, `cos://`): as registered, with or without its query.

        A name on the magic host that nobody has registered is unreachable, as a misspelled file is: it must not look clean.
        """
        bare = url.partition("#")[0].partition("?")[0]
        found = self._by_url.get(url) or self._by_url.get(bare)
        if found is not None:
            return found
        try:
            parts = urlsplit(url)
            host, path = parts.hostname, parts.path
        except ValueError:
            host, path = None, ""
        if host != MAGIC:
            return self._named[_ANYTHING]
        name = path.strip("/").partition("/")[0].partition(".")[0]
        if name in self._named:
            return self._named[name]
        return Scenario(name="no-such-scenario", ending=Ending.FAILS, reason=FailureReason.UNREACHABLE)

    def load(self, path: Path) -> list[Scenario]:
        """Takes in the scenarios of a YAML file, or of every one in a directory.

        Raises:
            ConfigurationError: It cannot be read, or a scenario in it is wrong.
        """
        if path.is_dir():
            files = sorted(file for file in path.iterdir() if file.suffix in _FILES)
            if not files:
                raise ConfigurationError(
                    f"there is no file {' or '.join('*' + ending for ending in _FILES)} in {path}", field="scenarios",
                    way_out="Write scenarios as YAML; docs/sandbox.md shows how.",
                )  # fmt: skip
            return [scenario for file in files for scenario in self.load(file)]
        data = read_yaml(path)
        if not isinstance(data, dict) or list(data) != ["scenarios"] or not isinstance(data["scenarios"], list):
            raise ConfigurationError(
                "a file of scenarios is a mapping with the one key `scenarios`, a list", field="scenarios", source=str(path),
                way_out="Begin it with `scenarios:` and write each one below as `- name: ...`.",
            )  # fmt: skip
        return [self.add(item, source=str(path)) for item in data["scenarios"]]

    def keep(self) -> None:
        """Has `reset` come back to what is registered now."""
        self._kept = (dict(self._named), dict(self._by_url))

    def reset(self) -> None:
        """Forgets what was registered since the start."""
        self._named, self._by_url = dict(self._kept[0]), dict(self._kept[1])


def read_yaml(path: Path) -> Any:
    """A YAML file.

    Raises:
        ConfigurationError: It cannot be read, is no YAML, or the package that reads it is not installed.
    """
    try:
        import yaml  # type: ignore[import-untyped]  # noqa: PLC0415  (an extra)
    except ImportError as error:
        raise ConfigurationError(
            "scenarios in YAML need the package pyyaml", field="scenarios", way_out="pip install 'reelvet[sandbox]'."
        ) from error
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{path} cannot be read: {getattr(error, 'strerror', None) or error}", field="scenarios", way_out="Give the path of a YAML file."
        ) from None  # fmt: skip
    except yaml.YAMLError as error:
        raise ConfigurationError(
            f"{path} is no YAML: {' '.join(str(error).split())}", field="scenarios", way_out="Mend it there."
        ) from None
