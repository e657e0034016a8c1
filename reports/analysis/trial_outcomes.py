"""Outcomes of all trials of a study: complete, pruned, failed, skipped, running or not started."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from reports.data.study_data import StudyData
from reports.data.trial import Trial
from reports.formatting import count_text, plural
from reports.table import Columns
from studies.spec.spec import planned_trials

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
    """Trials that ended alike: their state, one of their reasons in full, and their numbers."""

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
class TrialOutcomes:
    """Counts of trials by outcome, of configurations by seeds, and the reasons of trials without a result.

    Attributes:
        planned: trials the budget allows, None where only time limits it.
        counts: trials by outcome, in the order of MEANINGS, without the outcomes no trial had.
        stale: description of trials that are RUNNING although nobody drives the study.
        seeds: (seeds done, configurations) pairs, most seeds first.
    """

    planned: int | None
    counts: dict[str, int]
    seeds: list[tuple[int, int]]
    seeds_planned: int
    reasons: list[Reason]
    running: list[int]
    stale: str | None

    @property
    def sentence(self) -> str:
        """Progress of the study in a sentence."""
        asked = sum(self.counts.get(key, 0) for key in IN_BUDGET)
        inside = [f"{self.counts[key]} {key}" for key in IN_BUDGET if key in self.counts]
        outside = [f"{self.counts[key]} {key}" for key in ("duplicate", "skipped") if key in self.counts]
        text = f"{plural(asked, 'trial')} asked for, with no number planned"
        if self.planned is not None:
            text = f"{count_text(asked)} of {plural(self.planned, 'planned trial')} asked for"
        text += f": {', '.join(inside)}" if inside else ""
        return f"{text}. Not counted by the budget: {', '.join(outside)}." if outside else f"{text}."

    @property
    def has_uneven_seeds(self) -> bool:
        return any(done != self.seeds_planned for done, _ in self.seeds)


def trial_outcomes(data: StudyData) -> TrialOutcomes:
    """Count every trial of the study once."""
    counts = Counter(_outcome(trial) for trial in data.trials)
    planned = planned_trials(data.record.spec)
    if planned is not None:
        asked = sum(counts[key] for key in IN_BUDGET)
        counts["not started"] = max(0, planned - asked)
    ordered = {key: counts[key] for key in MEANINGS if counts[key]}
    seeds = Counter(trial.n for trial in data.trials if _outcome(trial) == "complete")
    return TrialOutcomes(
        planned=planned,
        counts=ordered,
        seeds=sorted(seeds.items(), reverse=True),
        seeds_planned=data.record.seeds,
        reasons=group_reasons(trial for trial in data.trials if trial.state in ("FAILED", "SKIPPED", "PRUNED")),
        running=[trial.number for trial in data.trials if trial.state == "RUNNING"],
        stale=data.record.stale_trials(sum(trial.state == "RUNNING" for trial in data.trials)),
    )


def outcome_table(data: StudyData) -> Columns:
    """Return every trial with its outcome, for the CSV."""
    return {
        "number": [trial.number for trial in data.trials],
        "state": [trial.state for trial in data.trials],
        "reason": [trial.reason for trial in data.trials],
        "duplicate_of": [trial.duplicate_of for trial in data.trials],
        "seeds": [trial.n for trial in data.trials],
    }


def _outcome(trial: Trial) -> str:
    if trial.duplicate_of is not None and trial.state != "RUNNING":
        return "duplicate"
    return trial.state.lower()


def group_reasons(trials: Iterable[Trial]) -> list[Reason]:
    """Group reasons that differ only in their numbers, failures first, then the most frequent."""
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
