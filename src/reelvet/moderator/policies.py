"""The policies that a configuration names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reelvet.policy import Policy
from reelvet.schema.errors import ConfigurationError

if TYPE_CHECKING:
    from reelvet.config import Config
    from reelvet.plugins import Registry

_POLICY_FILES = (".toml", ".json")


def load_policies(config: Config, registry: Registry) -> tuple[Policy, ...]:
    """The policies that a configuration names: its own, shipped ones, or files.

    Raises:
        ConfigurationError: There is no such policy, or it is malformed.
    """
    policies = []
    for name in config.policy:
        if name in config.policies:
            policies.append(Policy.parse({"name": name, **config.policies[name]}, taxonomy=registry.taxonomy))
        elif name.endswith(_POLICY_FILES):
            policies.append(Policy.load(Path(name), taxonomy=registry.taxonomy))
        else:
            policies.append(Policy.named(name))
    if not policies:
        raise ConfigurationError(
            "no policy is named, so nothing could be decided",
            field="policy",
            source=config.source,
            way_out='Write policy = "default".',
        )
    return tuple(policies)
