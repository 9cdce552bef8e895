"""Checks of the profiles that were not chosen: each as if it were, so that it is no surprise when it is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reelvet.cli.doctor import configuration, instances, journal, policies
from reelvet.cli.doctor.examined import Item, examine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from reelvet.cli.doctor.examined import Examined

_CHECKS: tuple[Callable[[Examined], Iterable[Item]], ...] = (
    configuration.check_polling,
    configuration.check_fetch_allow,
    configuration.check_seal_key,
    configuration.check_callback_secrets,
    configuration.check_events,
    instances.check_active_instance,
    instances.check_instance_plugins,
    instances.check_references,
    instances.check_settings,
    instances.check_credentials,
    instances.check_providers_start,
    instances.check_provider_faults,
    policies.check_policies,
    policies.check_policy_names,
    policies.check_thresholds,
    journal.check_journal,
    journal.check_settling,
)


def check_other_profiles(examined: Examined) -> Iterator[Item]:
    """What is wrong in a profile that was not chosen, and is not wrong without it.

    Nothing of it stands in the way now, so it is a warning; what may well be there where the profile is used, as a
    variable that is not set here, is a note.
    """
    for fault in examined.other_faults:
        yield Item("warning", fault.sentence, fault.mend, fault.where)
    others = [name for name in examined.known_profiles if name != examined.profile]
    told = {item.says for check in _CHECKS for item in check(examined)} if others else set()
    for name in others:
        other = examine(examined.session, examined.environ, instead=name)
        for item in (item for check in _CHECKS for item in check(other)):
            if item.level in {"wrong", "warning"} and item.says not in told:
                yield replace(
                    item,
                    level="note" if item.of_machine else "warning",
                    says=f"in profile {name!r}: {item.says}",
                    where=f"profiles.{name}.{item.where}" if item.where else f"profiles.{name}",
                )
