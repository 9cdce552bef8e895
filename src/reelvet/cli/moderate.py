"""`reelvet moderate` and `reelvet submit`: the main job."""

from typing import Annotated

import typer

from reelvet.cli import options as o
from reelvet.cli import submission, vetting
from reelvet.cli.job import build_job
from reelvet.cli.session import Session
from reelvet.cli.state import State

_Media = Annotated[
    str | None,
    typer.Argument(metavar="MEDIA", show_default=False, help="A file, a URL, or provider:ID for a vendor's own asset."),
]


def moderate(
    context: typer.Context,
    media: _Media = None,
    *,
    use: o.Use = None,
    detect: o.Detect = None,
    channels: o.Channels = None,
    kind: o.Kind = None,
    regions: o.Regions = None,
    transcript: o.Transcript = None,
    translate_to: o.TranslateTo = None,
    interval: o.Interval = None,
    stop_on: o.StopOn = None,
    callback: o.Callback = None,
    callback_secret: o.CallbackSecret = None,
    user: o.User = None,
    metadata: o.Metadata = None,
    language: o.Language = None,
    key: o.Key = None,
    attempt: o.Attempt = None,
    deadline: o.Deadline = None,
    max_cost: o.MaxCost = None,
    options: o.ProviderOptions = None,
    on_unsupported: o.OnUnsupported = None,
    job: o.JobFile = None,
    policy: o.Policies = None,
    timeout: o.Timeout = None,
    as_json: o.JsonFlag = False,
    out: o.Out = None,
) -> int:
    """Vet one video: submit it, wait, print the verdict.

    The ticket is kept before anything waits: after Ctrl-C, `reelvet wait KEY` goes on.
    """
    session = Session.of(context)
    wanted = build_job(
        media, job=job, kind=kind, transcript=transcript, translate_to=translate_to, callback=callback, callback_secret=callback_secret,
        stop_on=stop_on, metadata=metadata, deadline=deadline, options=options, detect=detect, channels=channels, regions=regions,
        interval=interval, user=user, language=language, key=key, attempt=attempt, max_cost=max_cost, on_unsupported=on_unsupported,
    )  # fmt: skip
    vetting.check_out(out)
    state = State()
    with session.moderator(use=use, policy=policy) as moderator:
        ticket = submission.submit(moderator, wanted, state)
        result = vetting.wait(moderator, ticket, state, timeout=timeout, quiet=as_json)
        path = vetting.keep_result(result, ticket, state, out=out)
        return vetting.show_result(result, moderator, path, as_json=as_json)


def submit(
    context: typer.Context,
    media: _Media = None,
    *,
    use: o.Use = None,
    detect: o.Detect = None,
    channels: o.Channels = None,
    kind: o.Kind = None,
    regions: o.Regions = None,
    transcript: o.Transcript = None,
    translate_to: o.TranslateTo = None,
    interval: o.Interval = None,
    stop_on: o.StopOn = None,
    callback: o.Callback = None,
    callback_secret: o.CallbackSecret = None,
    user: o.User = None,
    metadata: o.Metadata = None,
    language: o.Language = None,
    key: o.Key = None,
    attempt: o.Attempt = None,
    deadline: o.Deadline = None,
    max_cost: o.MaxCost = None,
    options: o.ProviderOptions = None,
    on_unsupported: o.OnUnsupported = None,
    job: o.JobFile = None,
    as_json: o.JsonFlag = False,
) -> int:
    """Submit one video and print the job's key; with --json, its ticket."""
    session = Session.of(context)
    wanted = build_job(
        media, job=job, kind=kind, transcript=transcript, translate_to=translate_to, callback=callback, callback_secret=callback_secret,
        stop_on=stop_on, metadata=metadata, deadline=deadline, options=options, detect=detect, channels=channels, regions=regions,
        interval=interval, user=user, language=language, key=key, attempt=attempt, max_cost=max_cost, on_unsupported=on_unsupported,
    )  # fmt: skip
    state = State()
    with session.moderator(use=use) as moderator:
        ticket = submission.submit(moderator, wanted, state)
    vetting.show_ticket(ticket, state.ticket_path(ticket.key, ticket.attempt), as_json=as_json)
    return 0
