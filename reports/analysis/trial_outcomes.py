"""What the report does not rest on: trials that failed, were left out, still run or were never started."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from reports.data.study_data import Evidence, Trial
from reports.drawing.svg import element, figure
from reports.formatting import plural, whole
from reports.table import Columns
from studies.spec.conditions import FAMILY, Conditions

WIDTH, HEIGHT = 960.0, 26.0
MAX_REASON = 300
MAX_NUMBERS = 12
IN_BUDGET = ("complete", "pruned", "failed", "running")
MEANINGS = {
    "complete": "trained with at least one seed; every number rests on these",
    "duplicate": "the same configuration as an earlier trial: not trained again, not counted",
    "pruned": "stopped early by the scheduler",
    "failed": "ended with an error; left out of every number",
    "skipped": "would have broken a constraint: not trained",
    "running": "not finished when this was written",
    "not started": "planned, and not asked for so far",
}


@dataclass(frozen=True)
class Reason:
    """Trials that ended alike: their state, one of their reasons in full, and which they are."""

    state: str
    example: str
    numbers: tuple[int, ...]

    @property
    def listed(self) -> str:
        """The trial numbers, cut short where there are many."""
        shown = ", ".join(str(number) for number in self.numbers[:MAX_NUMBERS])
        rest = len(self.numbers) - MAX_NUMBERS
        return f"{shown} and {rest} more" if rest > 0 else shown


@dataclass(frozen=True)
class Coverage:
    """Attributes:
    planned: trials the budget allows, None where only time limits it.
    counts: trials by outcome, in the order of MEANINGS, without the outcomes nobody had.
    seeds: (seeds done, configurations) pairs, most seeds first.
    """

    planned: int | None
    counts: dict[str, int]
    seeds: list[tuple[int, int]]
    seeds_planned: int
    reasons: list[Reason]
    running: list[int]
    bar: Markup

    @property
    def sentence(self) -> str:
        """How far the study came."""
        asked = sum(self.counts.get(key, 0) for key in IN_BUDGET)
        inside = [f"{self.counts[key]} {key}" for key in IN_BUDGET if key in self.counts]
        outside = [f"{self.counts[key]} {key}" for key in ("duplicate", "skipped") if key in self.counts]
        text = f"{plural(asked, 'trial')} asked for, with no number planned"
        if self.planned is not None:
            text = f"{whole(asked)} of {plural(self.planned, 'planned trial')} asked for"
        text += f": {', '.join(inside)}" if inside else ""
        return f"{text}. Not counted by the budget: {', '.join(outside)}." if outside else f"{text}."

    @property
    def has_uneven_seeds(self) -> bool:
        return any(done != self.seeds_planned for done, _ in self.seeds)


def coverage(evidence: Evidence) -> Coverage:
    """Counts every trial of the study once."""
    counts = Counter(_outcome(trial) for trial in evidence.trials)
    planned = _planned(evidence.record.spec)
    if planned is not None:
        asked = sum(counts[key] for key in IN_BUDGET)
        counts["not started"] = max(0, planned - asked)
    ordered = {key: counts[key] for key in MEANINGS if counts[key]}
    seeds = Counter(trial.n for trial in evidence.trials if _outcome(trial) == "complete")
    return Coverage(
        planned=planned,
        counts=ordered,
        seeds=sorted(seeds.items(), reverse=True),
        seeds_planned=evidence.record.seeds,
        reasons=_reasons(trial for trial in evidence.trials if trial.state in ("FAILED", "SKIPPED", "PRUNED")),
        running=[trial.number for trial in evidence.trials if trial.state == "RUNNING"],
        bar=_bar(ordered),
    )


def coverage_table(evidence: Evidence) -> Columns:
    """Every trial with its outcome, for the CSV."""
    return {
        "number": [trial.number for trial in evidence.trials],
        "state": [trial.state for trial in evidence.trials],
        "reason": [trial.reason for trial in evidence.trials],
        "duplicate_of": [trial.duplicate_of for trial in evidence.trials],
        "seeds": [trial.n for trial in evidence.trials],
    }


def _planned(spec: Mapping[str, Any]) -> int | None:
    """Trials the budget allows; a grid ends with its last point, after those enqueued before it."""
    allowed: int | None = (spec.get("budget") or {}).get("trials")
    if spec.get("sampler") != "grid":
        return allowed
    points = _grid_size(spec) + len(spec.get("enqueue") or ())
    return points if allowed is None else min(points, allowed)


def _grid_size(spec: Mapping[str, Any]) -> int:
    search: Mapping[str, Mapping[str, Any]] = spec["search"]
    values = {name: _grid_values(space) for name, space in search.items()}
    when = {name: space.get("when") for name, space in search.items()}
    if not any(when.values()):
        return math.prod(len(each) for each in values.values())
    families = spec.get("families") or {}
    first = values[FAMILY][0] if FAMILY in values else None
    return len(Conditions(spec["trial"], families, first, when).grid(values))


def _grid_values(space: Mapping[str, Any]) -> Sequence[Any]:
    if "choice" in space:
        return list(space["choice"])
    low, high = space["float"] if "float" in space else space["int"]
    return [low + i * space["step"] for i in range(int((high - low) / space["step"] + 1e-9) + 1)]


def _outcome(trial: Trial) -> str:
    if trial.duplicate_of is not None and trial.state == "COMPLETE":
        return "duplicate"
    return trial.state.lower()


def _reasons(trials: Iterable[Trial]) -> list[Reason]:
    """Groups reasons that differ only in their numbers, failures first, then the most frequent."""
    groups: dict[tuple[str, str], list[Trial]] = defaultdict(list)
    for trial in trials:
        groups[trial.state, re.sub(r"\d+(\.\d+)?(e[+-]?\d+)?", "#", trial.reason or "")].append(trial)
    reasons = [
        Reason(state.lower(), _shortened(group[0].reason or "no reason was recorded"), tuple(t.number for t in group))
        for (state, _), group in groups.items()
    ]
    return sorted(reasons, key=lambda reason: (reason.state != "failed", -len(reason.numbers), reason.numbers))


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_REASON else text[:MAX_REASON] + " …"


def _bar(counts: dict[str, int]) -> Markup:
    """All trials as one bar, a segment per outcome."""
    total = sum(counts.values())
    segments, x = [], 0.0
    for key, count in counts.items():
        width = WIDTH * count / total
        segments.append(element("rect", x=x, y=0, width=max(width - 2, 1.0), height=HEIGHT, rx=2, class_=_class(key)))
        x += width
    words = ", ".join(f"{count} {key}" for key, count in counts.items()) or "no trials"
    return figure("coverage-bar", (WIDTH, HEIGHT), f"Trials: {words}.", "One segment per outcome.", segments)


def _class(outcome: str) -> str:
    return f"outcome-{outcome.replace(' ', '-')}"
