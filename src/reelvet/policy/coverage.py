"""What was not looked at, or not closely enough, and what that does to a verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelvet.schema.media import MediaKind
from reelvet.schema.result import CoverageState, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelvet.policy.origins import Origins
    from reelvet.policy.rulebook import Rulebook, Standing
    from reelvet.policy.signals import Signals
    from reelvet.schema.result import Coverage, Finding, MediaFacts, ModerationResult

# A row that is still `planned` in a final result was promised, and nobody said what became of it: not evaluated, from
# the first second on.
_EVALUATED = frozenset({CoverageState.HIT, CoverageState.CLEAN, CoverageState.BELOW_FLOOR})

# The last instant that is looked at stands before the end of the media, by up to the distance between two instants.
# Where that distance is not known, a second is allowed: the usual interval of all vendors. Where it is large, because
# the rest was never looked at, it excuses no more than this share of the media (or that second).
_USUAL_GAP = 1.0
_MOST_OF_MEDIA = 0.05


def tell_coverage(result: ModerationResult, book: Rulebook, origins: Origins, signals: Signals) -> None:
    """Add what the coverage rows speak for."""
    rows = result.coverage
    asked = bool(rows) or not result.transcribes_only
    if asked and not any(row.state in _EVALUATED for row in rows):
        signals.add(Verdict.ERROR, "nothing that was asked for was looked at")
    found = {(label, finding.channel) for finding in _distinct(result) for label in book.above(finding.label)}
    for row in rows:
        standings = [book.standing(row.label, row.channel, *origin) for origin in origins.of(row.provider)]
        judged = [standing for standing in standings if not standing.off]
        if not judged:
            if row.through is None and row.state in _EVALUATED and _is_cut(row, result.media):
                # It stopped at a label that is off, and nobody says where: what else it looked for broke off too.
                _tell_cut(row, result.media, signals)
            continue
        if row.state is CoverageState.BELOW_FLOOR:
            _tell_floor(row, judged, signals)
        if row.state is CoverageState.HIT and (row.label, row.channel) not in found:
            signals.add(
                Verdict.REVIEW,
                "reported as a hit, but there is no finding for it",
                label=row.label,
                provider=row.provider,
            )
        if _is_cut(row, result.media):
            _tell_cut(row, result.media, signals)
    for pattern, labels in book.required.items():
        _tell_required(pattern, labels, result, signals)


def _distinct(result: ModerationResult) -> Sequence[Finding]:
    return [*{(finding.label, finding.channel): finding for finding in result.findings}.values()]


def _tell_floor(row: Coverage, standings: Sequence[Standing], signals: Signals) -> None:
    lowest = min((standing.lowest for standing in standings if standing.lowest is not None), default=None)
    if lowest is None or (row.floor is not None and lowest >= row.floor):
        return
    below = f"scores below {row.floor:g}" if row.floor is not None else "low scores (nobody says how low)"
    why = f"nothing is reported of {below}, and the policy judges from {lowest:g}"
    signals.add(Verdict.REVIEW, why, label=row.label, provider=row.provider, threshold=lowest, kind="floor")


def _is_cut(row: Coverage, media: MediaFacts) -> bool:
    """Whether the looking stopped before the end of the media, or may have."""
    if row.state in _EVALUATED and row.why is not None:
        return True
    if row.state is CoverageState.PLANNED:
        return row.clearable
    if row.through is None or not (row.clearable or row.state in _EVALUATED):
        return False
    if media.duration is None:
        # Whoever says how far it came, and not how far there was to go, may have stopped anywhere. Live media has no
        # length to tell: there only a row that says so is cut.
        return media.kind is not MediaKind.LIVE or row.why is not None
    slack = 0.0
    if row.state in _EVALUATED:
        slack = min(media.largest_gap or _USUAL_GAP, max(_USUAL_GAP, _MOST_OF_MEDIA * media.duration))
    return not row.through >= media.duration - slack  # so that a number that is none counts as cut


def _tell_cut(row: Coverage, media: MediaFacts, signals: Signals) -> None:
    why = f": {row.why}" if row.why else ""
    if row.state is CoverageState.PLANNED:
        told = "was to be looked at, and nobody says that it was"
    elif row.state is CoverageState.NOT_EVALUATED and row.through == 0:
        told = f"not looked at at all{why}"
    elif row.through is None or (media.duration is not None and row.through >= media.duration):
        told = f"not looked at wholly{why}"
    else:
        end = f" of {media.duration:g} s" if media.duration is not None else ", and how long the media is nobody says"
        told = f"looked at only through {row.through:g} s{end}"
    signals.add(Verdict.REVIEW, told, provider=row.provider, kind="cut")


def _tell_required(pattern: str, labels: frozenset[str], result: ModerationResult, signals: Signals) -> None:
    possible = [row for row in result.coverage if row.label in labels and row.clearable]
    missed = [row for row in possible if row.state not in _EVALUATED or _is_cut(row, result.media)]
    if not result.coverage or (possible and not missed):
        return
    if not possible:
        signals.add(Verdict.REVIEW, "required, and nobody who took part can see it", label=pattern, kind="required")
        return
    row = missed[0]
    why = f": {row.why}" if row.why else ""
    signals.add(
        Verdict.REVIEW,
        f"required, but {row.label} ({row.channel}) was not looked at, or not wholly{why}",
        label=pattern,
        kind="required",
    )
