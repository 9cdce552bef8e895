"""Configuration: `reelvet.toml`, profiles, environment, arguments."""

from reelvet.config.config import Config, FetchConfig, PluginsConfig, PollingConfig, SecretsConfig, vendor_variables
from reelvet.config.sources import merge, resolve_reference

__all__ = [
    "Config",
    "FetchConfig",
    "PluginsConfig",
    "PollingConfig",
    "SecretsConfig",
    "merge",
    "resolve_reference",
    "vendor_variables",
]
