"""`reelvet plan` and `reelvet normalize`: what maps, without a network and without credentials."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reelvet.cli import completion, exits, output, vetting
from reelvet.cli import options as o
from reelvet.cli.job import build_job, read_json
from reelvet.cli.session import Session

if TYPE_CHECKING:
    from reelvet.moderator import Moderator
    from reelvet.schema.plan import Plan
    from reelvet.schema.result import Note


def plan(
    context: typer.Context,
    media: Annotated[
        str,
        typer.Argument(
            metavar="MEDIA_OR_JOB", show_default=False, help="A file, a URL, provider:ID, or a job as .json."
        ),
    ],
    *,
    use: o.Use = None,
    detect: o.Detect = None,
    channels: o.Channels = None,
    kind: o.Kind = None,
    policy: o.Policies = None,
    as_json: o.JsonFlag = False,
) -> int:
    """Show exactly what would be sent, and what would be looked at. Needs no credentials; exit code 2 if it would be refused."""
    session = Session.of(context)
    is_job = media.endswith(".json") and Path(media).is_file()
    job = build_job(
        None if is_job else media, job=media if is_job else None, kind=kind, detect=detect, channels=channels
    )
    with session.moderator(use=use, policy=policy, credentials=False) as moderator:
        made = moderator.plan(job, use=use)
        made = made.model_copy(update={"warnings": (*made.warnings, *_floor_gaps(made, moderator))})
    if as_json:
        output.write_json(made.dump())
    else:
        from reelvet.cli.plan_report import print_plan  # noqa: PLC0415  (rich, for people only)

        print_plan(made)
    refused = made.unsupported and job.on_unsupported == "raise"
    return exits.Exit.USAGE if refused else exits.Exit.PASS


def _floor_gaps(made: "Plan", moderator: "Moderator") -> "list[Note]":
    from reelvet.moderator import load_policies  # noqa: PLC0415  (each command loads what it needs)
    from reelvet.policy import thresholds_below_floor  # noqa: PLC0415
    from reelvet.schema.result import Note  # noqa: PLC0415

    taxonomy = moderator.registry.taxonomy
    rows = [(row.label, row.channel, row.floor) for row in made.coverage if row.state == "planned"]
    return [
        Note(code="threshold_below_floor", says=str(gap))
        for policy in load_policies(moderator.config, moderator.registry)
        for gap in thresholds_below_floor(
            policy, rows, provider=made.provider, instance=made.instance, taxonomy=taxonomy
        )
    ]


def normalize(
    context: typer.Context,
    payload: Annotated[
        str, typer.Argument(metavar="PAYLOAD", show_default=False, help="The stored reply as JSON (- for stdin).")
    ],
    *,
    provider: Annotated[
        str,
        typer.Option(
            metavar="PROVIDER",
            show_default=False,
            help="Whose reply it is: a provider or an instance.",
            autocompletion=completion.instances,
        ),
    ],
    job: o.JobFile = None,
    policy: o.Policies = None,
    as_json: o.JsonFlag = False,
) -> int:
    """Turn a stored reply to a vendor's "get task" into a judged result. No network."""
    session = Session.of(context)
    reply = read_json(payload, "the payload")
    asked = build_job(None, job=job) if job is not None else None
    with session.moderator(use=provider, policy=policy, credentials=False) as moderator:
        result = moderator.normalize(reply, use=provider, job=asked)
        return vetting.show_result(result, moderator, None, as_json=as_json)
