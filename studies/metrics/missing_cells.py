"""Evaluations that a matrix lacks, in words: without them some metrics are not defined."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

MAX_LISTED = 8


def missing_cells(cells: Collection[tuple[str, int, int]], n_tasks: int) -> str | None:
    """Describe the missing evaluations of tasks trained so far and what they leave undefined; None if there are none.

    Args:
        cells: those that are there, (split, after_task, on_task), tasks from 1; after task 0 is the untrained model.
    """
    test = {(after, on) for split, after, on in cells if split == "test"}
    rows = {after: [on for on in range(1, after + 1) if (after, on) not in test] for after in range(1, n_tasks + 1)}
    rows[n_tasks] = [on for on in range(1, n_tasks + 1) if (n_tasks, on) not in test]
    found = words_of_missing(rows)
    if any(split == "validation" for split, _, _ in cells):
        last = [on for on in range(1, n_tasks + 1) if ("validation", n_tasks, on) not in cells]
        found += words_of_missing({n_tasks: last}, "validation value")
    if not found:
        return None
    undefined = "final accuracy or error is" if rows[n_tasks] else "metrics that need them are"
    counted = (0, 1) in test and rows[n_tasks] == list(range(1, n_tasks + 1))
    hint = " (after_task counts from 1; 0 is the untrained model)" if counted else ""
    return f"{'; '.join(found)}{hint}; {undefined} not defined"


def words_of_missing(rows: Mapping[int, list[int]], what: str = "value") -> list[str]:
    """List the missing evaluations of some rows in words.

    `no value after task 3, 4` for whole rows, `no value after task 5 on task 2` for parts of one.

    Args:
        rows: the tasks that were not evaluated after each task, from 1.
    """
    empty = [after for after, missing in rows.items() if len(missing) >= after]
    words = [f"no {what} after task {_listed(empty)}"] if empty else []
    parts = [after for after, missing in rows.items() if missing and after not in empty]
    words += [f"no {what} after task {after} on task {_listed(rows[after])}" for after in parts[:MAX_LISTED]]
    return words + ([f"and after {len(parts) - MAX_LISTED} more tasks"] if len(parts) > MAX_LISTED else [])


def _listed(numbers: Iterable[int]) -> str:
    """Write runs of numbers as `1 to 4, 6`."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][-1] + 1:
            spans[-1][1:] = [number]
        else:
            spans.append([number])
    return ", ".join(" to ".join(map(str, span)) for span in spans)
