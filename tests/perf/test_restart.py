"""The study whose start is measured has the trials of both records, and its start trains nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

import studies
from perf.make_db import make_study
from perf.restart import add_optuna_trials, restart


@pytest.mark.slow
def test_a_made_up_study_starts_again_with_all_of_its_trials(tmp_path: Path, mnist_root: Path) -> None:
    url = str(tmp_path / "large.db")
    make_study(url, 30, n_seeds=2, n_tasks=2)
    for _ in range(2):
        add_optuna_trials(url, "large")  # the second time they are there
    cost = restart(url, "large", mnist_root)
    assert cost.n_trials == 30
    assert cost.peak_mib > 50 and cost.seconds > 0
    assert studies.open(url).trial_counts("large").total == 30
