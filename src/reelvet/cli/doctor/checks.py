"""The list of checks. A check is a function that looks at what was gathered and tells what it finds; none stops another."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from reelvet.cli.doctor import configuration, instances, journal, plugins, policies, profiles, surroundings
from reelvet.cli.doctor.examined import Item
from reelvet.schema.errors import ReelvetError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from reelvet.cli.doctor.examined import Examined

CHECKS: tuple[Callable[[Examined], Iterable[Item]], ...] = (
    configuration.check_configuration_file,
    configuration.check_profile,
    configuration.check_variables,
    configuration.check_variable_conflicts,
    configuration.check_network_switch,
    configuration.check_keys,
    configuration.check_polling,
    configuration.check_fetch_allow,
    configuration.check_plain_secrets,
    configuration.check_seal_key,
    configuration.check_callback_secrets,
    configuration.check_events,
    plugins.check_plugins,
    plugins.check_versions,
    plugins.check_duplicate_plugins,
    plugins.check_plugin_labels,
    plugins.check_plugin_capabilities,
    plugins.check_allow_list,
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
    profiles.check_other_profiles,
    surroundings.check_state_directory,
    surroundings.check_state_permissions,
    journal.check_journal,
    journal.check_journal_permissions,
    journal.check_unsettled,
    journal.check_settling,
    surroundings.check_clock,
    surroundings.check_extras,
)


def run_checks(examined: Examined) -> list[tuple[str, Item]]:
    """Runs every check.

    Returns:
        Check name and what it told, in the order of `CHECKS`.
    """
    told: list[tuple[str, Item]] = []
    for check in CHECKS:
        name = check.__name__.removeprefix("check_")
        try:
            told += [(name, item) for item in check(examined)]
        except Exception as error:  # noqa: BLE001  (a check that fails must not hide what the others find)
            says = f"the check itself failed: {type(error).__name__}: {error}"
            told.append((name, Item("wrong", says, "Please report it.", detail=traceback.format_exc())))
    if not any(item.level == "wrong" for _, item in told):
        told += [("start", item) for item in check_start(examined)]
    return told


def check_start(examined: Examined) -> Iterable[Item]:
    """The last word: what every command does first works too."""
    from reelvet.moderator import Moderator  # noqa: PLC0415  (only where all else is well)

    try:
        Moderator(examined.session.config(), registry=examined.registry).close()
    except ReelvetError as error:
        yield Item("wrong", error.message, error.way_out)


def run_live_checks(examined: Examined, told: Sequence[tuple[str, Item]]) -> list[tuple[str, Item]]:
    """Asks every instance's provider, by a free call, whether it can be reached and accepts the credentials."""
    wrong = {item.where for _, item in told if item.level == "wrong" and item.where}
    asked = [("live", item) for item in journal.check_database(examined)]
    for instance in examined.instances:
        place = f"providers.{instance}"
        if any(where == place or where.startswith(f"{place}.") for where in wrong):
            asked.append(
                (
                    "live",
                    Item("note", f"instance {instance!r} was not asked: something above is wrong with it", where=place),
                )
            )
        else:
            asked.append(("live", _ask(instance, examined)))
    return asked


def _ask(instance: str, examined: Examined) -> Item:
    from reelvet.moderator import Moderator  # noqa: PLC0415  (only where somebody is asked)

    place = f"providers.{instance}"
    try:
        with Moderator(examined.config, use=instance, registry=examined.registry) as moderator:
            health = moderator.check()
    except ReelvetError as error:
        return Item("wrong", f"instance {instance!r}: {error.message}", error.way_out, place)
    except Exception as error:  # noqa: BLE001  (a stranger's provider; the others are still asked)
        return Item(
            "wrong",
            f"instance {instance!r}: {type(error).__name__}: {error}",
            "Mend or update its provider.",
            place,
            traceback.format_exc(),
        )
    return Item("ok" if health.ok else "wrong", f"instance {instance!r}: {health.says}", health.way_out, place)
