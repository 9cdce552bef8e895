"""What is made sure of before a job or a ticket is taken to a vendor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ValidationError

from reelvet.schema.errors import InvalidOptions, InvalidTicket, PluginNotFound, UnsupportedFeature
from reelvet.schema.result import Note
from reelvet.schema.validation import sentences

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reelvet.moderator.instance import Instance
    from reelvet.plugins import Registry
    from reelvet.schema.job import ModerationJob
    from reelvet.schema.plan import Plan, Unsupported
    from reelvet.schema.ticket import Ticket


def check_demands(job: ModerationJob, plan: Plan) -> None:
    """Refuses a plan that cannot honour the job.

    Raises:
        UnsupportedFeature: A demand cannot be met, and the job does not say `on_unsupported="skip"`.
    """
    if plan.unsupported and job.on_unsupported == "raise":
        raise UnsupportedFeature(plan.unsupported, provider=plan.provider, instance=plan.instance)


def skipped(unsupported: Iterable[Unsupported]) -> tuple[Note, ...]:
    """What a job with `on_unsupported="skip"` does without, as warnings."""
    return tuple(Note(code="unsupported_skipped", says=f"{item.field}: {item.says}") for item in unsupported)


def learnt(plan: Plan, prepared: Plan) -> tuple[Note, ...]:
    """What preparing a plan has brought to light, as warnings."""
    warnings = (note for note in prepared.warnings if note not in plan.warnings)
    return (*warnings, *skipped(item for item in prepared.unsupported if item not in plan.unsupported))


def check_owner(ticket: Ticket, instance: Instance) -> None:
    """Makes sure that a ticket's instance still is what it was.

    Another vendor's task of that id is somebody else's video.

    Raises:
        InvalidTicket: The instance now is another provider's, or another API or region of it.
    """
    settings = instance.provider.settings
    for field, now in (
        ("provider", instance.provider.id),
        ("api", getattr(settings, "api", None)),
        ("region", getattr(settings, "region", None)),
    ):
        then = getattr(ticket, field)
        if then is not None and now is not None and then != now:
            raise InvalidTicket(
                f"the ticket was made for {field} {then!r}, and instance {ticket.instance!r} now is {now!r}",
                field=field,
                way_out="Configure the old one under a name of its own, and name that in the ticket's `instance`.",
            )


def check_options(job: ModerationJob, registry: Registry) -> None:
    """Holds a job's options against the models of the providers that are installed.

    Raises:
        InvalidOptions: They are not a provider's own.
    """
    for provider, options in job.options.items():
        try:
            model: type[BaseModel] | None = registry.load(provider, "options")
        except PluginNotFound:
            continue  # not installed here: carried along for where it is
        if model is None:
            if options:
                raise InvalidOptions(
                    f"options.{provider}: the provider takes no options, got {', '.join(options)}",
                    field=f"options.{provider}",
                    way_out="Take them out.",
                )
            continue
        try:
            model(**options)
        except ValidationError as error:
            faults = "; ".join(f"options.{provider}.{field}: {says}" for field, says in sentences(error, model=model))
            raise InvalidOptions(
                f"invalid options: {faults}",
                field=f"options.{provider}",
                way_out=f"`reelvet schema {provider}.options` says what each takes.",
            ) from None
