"""Evaluations that a matrix measured elsewhere lacks, in words: without them some metrics are not defined."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from studies.database.schema import COMPLETE
from studies.store.imported_trials import Cells, ImportedTrial

MAX_KINDS = 20
MAX_LISTED = 8


class Gaps:
    """What is missing in many trials, each kind of gap once."""

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
            gap = missing(run.cells, trial.n_tasks)
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


def missing(cells: Cells, n_tasks: int) -> str | None:
    """The missing evaluations of tasks trained so far, and the metrics that go with them; None where all are there."""
    test = {(after, on) for split, after, on in cells if split == "test"}
    rows = {after: [on for on in range(1, after + 1) if (after, on) not in test] for after in range(1, n_tasks + 1)}
    rows[n_tasks] = [on for on in range(1, n_tasks + 1) if (n_tasks, on) not in test]
    found = _words(rows, "value")
    if any(split == "validation" for split, _, _ in cells):
        last = [on for on in range(1, n_tasks + 1) if ("validation", n_tasks, on) not in cells]
        found += _words({n_tasks: last}, "validation value")
    if not found:
        return None
    undefined = "final accuracy or error is" if rows[n_tasks] else "metrics that need them are"
    counted = (0, 1) in test and rows[n_tasks] == list(range(1, n_tasks + 1))
    hint = " (after_task counts from 1; 0 is the untrained model)" if counted else ""
    return f"{'; '.join(found)}{hint}; {undefined} not defined"


def _words(rows: dict[int, list[int]], what: str) -> list[str]:
    """`no value after task 3, 4` for whole rows, `no value after task 5 on task 2` for parts of one."""
    empty = [after for after, missing in rows.items() if len(missing) >= after]
    words = [f"no {what} after task {_listed(empty)}"] if empty else []
    parts = [after for after, missing in rows.items() if missing and after not in empty]
    words += [f"no {what} after task {after} on task {_listed(rows[after])}" for after in parts[:MAX_LISTED]]
    return words + ([f"and after {len(parts) - MAX_LISTED} more tasks"] if len(parts) > MAX_LISTED else [])


def _listed(numbers: Iterable[int]) -> str:
    """Runs of numbers as `1 to 4, 6`."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][-1] + 1:
            spans[-1][1:] = [number]
        else:
            spans.append([number])
    return ", ".join(" to ".join(map(str, span)) for span in spans)
