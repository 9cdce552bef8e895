"""Options and arguments that several commands share."""

from typing import Annotated

import typer

from reelvet.cli import completion

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON on stdout, and nothing else there.")]
Use = Annotated[
    str | None,
    typer.Option(
        metavar="INSTANCE", help="The configured instance, or a provider's id.", autocompletion=completion.instances
    ),
]
Policies = Annotated[
    list[str] | None,
    typer.Option(
        "--policy",
        metavar="POLICY",
        help="A policy's name or file; may be repeated, the first decides.",
        autocompletion=completion.policies,
    ),
]
Out = Annotated[str | None, typer.Option(metavar="FILE", help="Also write the result's JSON there.")]
Timeout = Annotated[
    float | None,
    typer.Option(metavar="SECONDS", min=0, help="Stop waiting after this long; the job goes on, its ticket is kept."),
]
TicketArgument = Annotated[
    str,
    typer.Argument(
        metavar="TICKET",
        show_default=False,
        help="A ticket's file, - for stdin, or the key of a job (or how it begins).",
        autocompletion=completion.tickets,
    ),
]

# --- what a job is made of ---

_DEMANDS = "What is asked (refused where the provider cannot)"
_WISHES = "Wishes (a warning where the provider cannot)"
_KEPT = "What reelvet itself keeps"

Kind = Annotated[
    str | None,
    typer.Option(metavar="KIND", help="What MEDIA is: video (default), image, live, audio.", rich_help_panel=_DEMANDS),
]
Detect = Annotated[
    list[str] | None,
    typer.Option(
        metavar="LABEL", help="A label or pattern to look for; may be repeated. Default: every harm label the instance can see.",
        autocompletion=completion.labels, rich_help_panel=_DEMANDS,
    ),
]  # fmt: skip
Channels = Annotated[
    list[str] | None,
    typer.Option(
        "--channel",
        metavar="CHANNEL",
        help="Where to look: visual, ocr, speech, sound; may be repeated.",
        rich_help_panel=_DEMANDS,
    ),
]
Regions = Annotated[
    list[str] | None,
    typer.Option(
        "--region",
        metavar="REGION",
        help="A region the media may be processed in; may be repeated.",
        rich_help_panel=_DEMANDS,
    ),
]
Transcript = Annotated[
    list[str] | None,
    typer.Option(
        metavar="LANG",
        help="Write down what is said in this language, or in any with `auto`; may be repeated.",
        rich_help_panel=_DEMANDS,
    ),
]
TranslateTo = Annotated[
    str | None, typer.Option(metavar="LANG", help="Translate the transcript.", rich_help_panel=_DEMANDS)
]

Interval = Annotated[
    float | None,
    typer.Option(metavar="SECONDS", help="Seconds between two looked-at instants.", rich_help_panel=_WISHES),
]
StopOn = Annotated[
    list[str] | None,
    typer.Option(
        metavar="LABEL=SCORE",
        help="Look no further once a label reaches a score; may be repeated.",
        rich_help_panel=_WISHES,
    ),
]
Callback = Annotated[
    str | None, typer.Option(metavar="URL", help="Where the vendor shall report.", rich_help_panel=_WISHES)
]
CallbackSecret = Annotated[
    str | None, typer.Option(metavar="NAME", help="The name of a configured callback secret.", rich_help_panel=_WISHES)
]
User = Annotated[
    str | None, typer.Option(metavar="ID", help="Your id of whoever uploaded the media.", rich_help_panel=_WISHES)
]
Metadata = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=TEXT", help="Comes back in the result; may be repeated.", rich_help_panel=_WISHES),
]
Language = Annotated[
    str | None, typer.Option(metavar="LANG", help="The language of the media.", rich_help_panel=_WISHES)
]

Key = Annotated[
    str | None,
    typer.Option(metavar="KEY", help="Idempotency key: one key, one job, one submission.", rich_help_panel=_KEPT),
]
Attempt = Annotated[
    int | None,
    typer.Option(
        metavar="N", help="A deliberate re-run under the same key is the next attempt.", rich_help_panel=_KEPT
    ),
]
Deadline = Annotated[
    str | None,
    typer.Option(
        metavar="WHEN",
        help="Seconds from now, or a date with time zone, after which nobody wants the result.",
        rich_help_panel=_KEPT,
    ),
]
MaxCost = Annotated[
    str | None, typer.Option(metavar="AMOUNT", help="The most it may cost, as '0.50 USD'.", rich_help_panel=_KEPT)
]
ProviderOptions = Annotated[
    list[str] | None,
    typer.Option(
        "--option",
        metavar="PROVIDER.FIELD=VALUE",
        help="What only one provider knows; may be repeated.",
        rich_help_panel=_KEPT,
    ),
]
OnUnsupported = Annotated[
    str | None,
    typer.Option(
        metavar="WHAT",
        help="`skip` states what cannot be done in the coverage; `raise` (default) refuses the job.",
        rich_help_panel=_KEPT,
    ),
]
JobFile = Annotated[
    str | None,
    typer.Option(
        "--job",
        metavar="FILE",
        help="A job as JSON (- for stdin); options on the command line win.",
        rich_help_panel=_KEPT,
    ),
]
