"""`reelvet watch`: what is new about a job, as it becomes known."""

import sys
from typing import TYPE_CHECKING

import typer

from reelvet.cli import exits, output, submission, vetting
from reelvet.cli import options as o
from reelvet.cli.session import Session
from reelvet.cli.state import State
from reelvet.cli.text import clean, clock

if TYPE_CHECKING:
    from reelvet.schema.delta import Delta
    from reelvet.schema.result import Finding, ModerationResult

_TEXT_WIDTH = 60


def watch(
    context: typer.Context,
    ticket: o.TicketArgument,
    *,
    policy: o.Policies = None,
    timeout: o.Timeout = None,
    as_json: o.JsonFlag = False,
    out: o.Out = None,
) -> int:
    """Watch a job that runs, such as a live stream: print what is found and said as it becomes known, and at the end the verdict. --json prints a document a line. Ctrl-C leaves the job running."""
    output.set_lines(as_json)
    vetting.check_out(out)
    state, session = State(), Session.of(context)
    held, file = vetting.load_ticket(ticket, state, session)
    show = _Shown(as_json=as_json)
    if held is None:
        if file is None:
            return exits.Exit.USAGE
        result = vetting.load_result(file)
        if as_json:
            show(_whole(result))
            return exits.of_result(result)
        return vetting.show_result(result, None, file, as_json=False)
    with session.moderator(use=held.instance, policy=policy) as moderator:
        if file is None:  # it came by stdin: kept, so that this can be interrupted too
            state.save_ticket(held)
        held = submission.take_up(moderator, held, file, state)
        last = vetting.watch(moderator, held, state, timeout=timeout, show=show)
        if last.result is None:
            return exits.Exit.NOT_FINISHED
        path = vetting.keep_result(last.result, held, state, out=out)
        if path is not None:
            vetting.erase_seal(held, file)
        show(last)
        if as_json:
            return exits.of_result(last.result)
        return vetting.show_result(last.result, moderator, path, as_json=False)


def _whole(result: "ModerationResult") -> "Delta":
    """All of a job that ended before, as one delta."""
    from reelvet.schema.delta import Delta  # noqa: PLC0415  (each command loads what it needs)

    return Delta(
        key=result.key, status=result.status, findings=result.findings, transcripts=result.transcripts,
        warnings=result.warnings, result=result,
    )  # fmt: skip


class _Shown:
    """What was shown last."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._status: str | None = None

    def __call__(self, delta: "Delta") -> None:
        """Shows a delta: as a line of JSON, or its findings and what was said on stdout and all else on stderr.

        Raises:
            KeyboardInterrupt: Nobody reads what there is to come.
        """
        try:
            self._show(delta)
            sys.stdout.flush()
        except BrokenPipeError:
            output.close_stdout()
            if delta.result is None:  # else the exit code stays that of the verdict
                raise KeyboardInterrupt from None

    def _show(self, delta: "Delta") -> None:
        if self._as_json:
            output.write_json(delta.dump())
            return
        if delta.status != self._status and delta.result is None:
            output.note(str(delta.status))
        self._status = delta.status
        for finding in delta.findings:
            output.plain(_line(finding))
        for transcript in delta.transcripts:
            output.plain(f"said: {transcript.text}")
        for warning in delta.warnings if delta.result is None else ():  # the report has those of the result
            output.note(warning.says)


def _line(finding: "Finding") -> str:
    from reelvet.taxonomy import QUARANTINE  # noqa: PLC0415  (each command loads what it needs)

    when = clock(finding.start) if finding.at_date is None else f"{finding.at_date:%Y-%m-%d %H:%M:%S}"
    score = "   -" if finding.score is None else f"{finding.score:.2f}"
    # What stands under quarantine is reported and not rendered, its words included.
    text = "" if finding.label.partition(".")[0] == QUARANTINE else clean(finding.text or "", _TEXT_WIDTH)
    return f"{when}  {score}  {finding.channel:6}  {finding.label}" + (f"  {text}" if text else "")
