"""Complete trials that a report leaves out, because a value after the last task or their cost is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.data.study_data import StudyData
from reports.data.trial import Trial
from reports.formatting import numbered
from studies.metrics.cost_axes import COMPRESSION
from studies.metrics.missing_cells import words_of_missing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from studies.queries.studies import Studies

MAX_READ = 100


def incomplete_trials(studies: Studies, data: StudyData) -> str | None:
    """Name the complete trials without a final value or a cost, with what is missing; None if there are none.

    Of more than `MAX_READ` the first are read and the others counted.
    """
    from studies.database.schema import COMPLETE

    shown = {trial.number for trial in data.configurations}
    found = [
        trial
        for trial in data.trials
        if trial.state == COMPLETE and trial.duplicate_of is None and trial.number not in shown
    ]
    if not found:
        return None
    matrices = studies.matrices_of(data.record.name, [trial.number for trial in found[:MAX_READ]])
    groups: dict[str, list[int]] = {}
    for trial in found[:MAX_READ]:
        groups.setdefault(_missing(data, trial, matrices[trial.number]), []).append(trial.number)
    texts = [f"{numbered('trial', numbers)} with {missing}" for missing, numbers in groups.items()]
    if len(found) > MAX_READ:
        texts.append(f"{len(found) - MAX_READ:,} more")
    return "; ".join(texts)


def _missing(data: StudyData, trial: Trial, runs: NDArray[np.float64]) -> str:
    """Name what a trial lacks.

    Args:
        runs: (n_seeds, n_tasks + 1, n_tasks), NaN where not evaluated.
    """
    import numpy as np

    n_tasks = runs.shape[2]
    tasks = (np.flatnonzero(np.isnan(runs[:, -1]).any(axis=0)) + 1).tolist() if n_tasks else []
    if tasks:
        return "; ".join(words_of_missing({n_tasks: tasks}))
    if trial.mean(data.quality.final) is None:
        return f"no {data.quality.word}"
    return "unknown numbers of weights" if data.x == COMPRESSION else f"no {data.x.name}"
