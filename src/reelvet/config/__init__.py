"""Configuration: `reelvet.toml`, profiles, environment, arguments."""

from reelvet.config.config import Config, vendor_variables
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

__all__ = [
    "Config",
    "EventsConfig",
    "FetchConfig",
    "JournalConfig",
    "PluginsConfig",
    "PollingConfig",
    "SecretsConfig",
    "SettleConfig",
    "find_file",
    "from_environment",
    "merge",
    "read_file",
    "resolve_reference",
    "vendor_variables",
]
