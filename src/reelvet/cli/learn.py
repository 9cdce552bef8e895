"""`reelvet providers learn`: the declaration of a policy that is kept at a vendor."""

from typing import TYPE_CHECKING, Annotated

import typer

from reelvet.cli import completion, exits, output
from reelvet.cli import options as o
from reelvet.cli.job import read_json
from reelvet.cli.session import Session
from reelvet.cli.toml import key_of, value_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reelvet.plugins import Learned


def learn(
    context: typer.Context,
    payloads: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PAYLOAD",
            show_default=False,
            help='Stored replies to "get task" as JSON (- for stdin), with all that was looked at.',
        ),
    ] = None,
    *,
    provider: Annotated[
        str,
        typer.Option(
            metavar="PROVIDER",
            show_default=False,
            help="Whose policies: a provider or an instance.",
            autocompletion=completion.instances,
        ),
    ],
    tasks: Annotated[
        list[str] | None,
        typer.Option(
            "--task", metavar="TASK_ID", help="A task to ask the vendor for; may be repeated. Needs credentials."
        ),
    ] = None,
    as_json: o.JsonFlag = False,
) -> int:
    """Propose what a policy kept at the vendor looks at, by what it was seen to do: a declaration to check and paste. Exit code 12 if nothing was seen."""
    if not payloads and not tasks:
        raise typer.BadParameter("give a PAYLOAD, or a --task", ctx=context)
    session = Session.of(context)
    stored = [read_json(payload, "the payload") for payload in payloads or ()]
    with session.moderator(use=provider, credentials=bool(tasks)) as moderator:
        learned = moderator.learn(stored, tasks=tasks or (), use=provider)
    if as_json:
        policies = {name: policy.model_dump(mode="json") for name, policy in learned.policies.items()}
        notes = [note.model_dump(mode="json") for note in learned.notes]
        told = {"instance": provider, "setting": learned.setting, "policies": policies, "notes": notes}
        output.write_json(told)
    else:
        for line in _toml(provider, learned):
            output.plain(line)
        for note in learned.notes:
            output.note(f"Left out: {note.says}.")
    if not any(policy.covers for policy in learned.policies.values()):
        output.note("Nothing was seen that a policy looks at. Give tasks that were read with all that was looked at.")
        return exits.Exit.ERROR
    if not as_json:
        output.note(
            "Check it against the vendor's console before you paste it: what the media did not bring up may be missing."
        )
    return exits.Exit.PASS


def _toml(instance: str, learned: "Learned") -> "Iterator[str]":
    for number, (name, policy) in enumerate(learned.policies.items()):
        if number:
            yield ""
        yield f"[{'.'.join(map(key_of, ('providers', instance, learned.setting, name)))}]"
        yield "covers = ["
        for part in policy.covers:
            yield f"  {value_of(part.model_dump(mode='json'))},"
        yield "]"
