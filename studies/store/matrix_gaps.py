"""Evaluations that trials measured elsewhere lack, each kind of gap once."""

from __future__ import annotations

from collections import Counter

from studies.database.schema import COMPLETE
from studies.metrics.missing_cells import missing_cells
from studies.store.imported_trials import ImportedTrial

MAX_KINDS = 20
MAX_LISTED = 8


class Gaps:
    """Gaps in the matrices of many trials, each kind of gap once."""

    def __init__(self) -> None:
        self._kinds: dict[str, list[str]] = {}
        self._counts: Counter[str] = Counter()
        self._tasks: dict[int, int] = {}  # number of tasks -> the first trial that has so many

    def note(self, trial: ImportedTrial) -> None:
        """Look through one trial; one that was pruned may end early."""
        if trial.state != COMPLETE:
            return
        self._tasks.setdefault(trial.n_tasks, trial.number)
        for run in trial.runs:
            gap = missing_cells(run.cells, trial.n_tasks)
            if gap is not None:
                kind = gap if gap in self._counts or len(self._counts) < MAX_KINDS else "other evaluations"
                self._kinds.setdefault(kind, [f"trial {trial.number}, seed {run.seed}"])
                self._counts[kind] += 1

    def remarks(self) -> list[str]:
        """One line for each kind of gap, and one where trials have different numbers of tasks."""
        lines = []
        for kind, (first,) in self._kinds.items():
            n = self._counts[kind] - 1
            also = f" and {n} more run{'s' * (n > 1)}" if n else ""
            lines.append(f"{first}{also}: {kind}")
        if len(self._tasks) > 1:
            each = ", ".join(f"{n} in trial {number}" for n, number in sorted(self._tasks.items())[:MAX_LISTED])
            lines.append(f"trials have different numbers of tasks, which cannot be compared: {each}")
        return lines
