"""Curves by task: their numbers against the matrices they come from, one colour for each label, and refusals."""

from __future__ import annotations

import numpy as np
import pytest

from hnet_core.errors import ConfigInvalid
from reports.data.task_curves import MAX_CURVES, task_curves
from studies.errors import TrialNotFound
from studies.queries.studies import Studies
from studies.statistics.intervals import t_interval
from tests.reports.cases import import_cells, open_in

N_TASKS, N_SEEDS = 3, 3


def cells(draws: np.random.Generator, *, only_final: bool = False) -> dict[tuple[int, int], float]:
    return {
        (after, on): float(draws.random())
        for after in range(1, N_TASKS + 1)
        for on in range(1, after + 1)
        if not only_final or after == N_TASKS
    }


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Studies:
    folder, draws = tmp_path_factory.mktemp("curves"), np.random.default_rng(0)
    methods = [{"stream.dataset": "a", "method": name} for name in ("hnet", "ewc")]
    import_cells(folder, "pair", [[cells(draws) for _ in range(N_SEEDS)] for _ in methods], methods)
    import_cells(folder, "other", [[cells(draws)]], [{"stream.dataset": "b", "method": "ewc"}])
    import_cells(folder, "joint", [[cells(draws, only_final=True)] * 2], [{"stream.dataset": "a"}])
    import_cells(folder, "errors", [[cells(draws)]], [{"stream.dataset": "a"}], measure="mse")
    many = [{"stream.dataset": "a", "method": f"method {i}"} for i in range(MAX_CURVES + 1)]
    import_cells(folder, "many", [[cells(draws)] for _ in many], many)
    return open_in(folder)


def test_final_during_and_averages_are_those_of_the_matrix_of_each_seed(studies: Studies) -> None:
    (stream,) = task_curves(studies, ["pair"], by=["method"])
    for curve in stream.curves:
        runs = studies.matrices("pair", curve.method.trial.number)
        for task in range(1, N_TASKS + 1):
            assert curve.finals()[task - 1].mean == pytest.approx(runs[:, N_TASKS, task - 1].mean())
            assert curve.during()[task - 1].mean == pytest.approx(runs[:, task, task - 1].mean())
            expected = t_interval([float(np.mean(run[task, :task])) for run in runs])
            found = curve.averages[task - 1]
            assert found.mean == pytest.approx(expected.mean)
            assert found.n == N_SEEDS
            assert found.low == pytest.approx(max(expected.low or 0.0, 0.0))
            over_time = [cell.mean for cell in curve.over_time(task)]
            assert over_time == pytest.approx(runs[:, task:, task - 1].mean(axis=0).tolist())


def test_a_label_has_one_colour_on_all_streams(studies: Studies) -> None:
    streams = task_curves(studies, ["pair", "other"], by=["method"])
    found = [[(curve.label, curve.index) for curve in stream.curves] for stream in streams]
    assert found == [[("hnet", 0), ("ewc", 1)], [("ewc", 1)]]


def test_errors_and_accuracies_share_no_figure(studies: Studies) -> None:
    accuracies, errors = task_curves(studies, ["pair", "errors"])
    assert accuracies.stream == errors.stream
    assert (accuracies.word, errors.word) == ("accuracy on the test split", "mean squared error on the test split")


def test_joint_training_has_finals_alone_and_an_average_after_the_last_task(studies: Studies) -> None:
    (stream,) = task_curves(studies, ["joint"])
    (curve,) = stream.curves
    assert not stream.has_during
    assert [cell.mean for cell in curve.during()] == [None] * N_TASKS
    assert [average.mean is None for average in curve.averages] == [True, True, False]


@pytest.mark.parametrize(
    ("names", "by", "split", "message"),
    [
        (["pair"], [], "tset", "--split must be one of test, validation"),
        (["pair"], [], "known_task", "trial . of 'pair' has no matrix 'known_task'"),
        (["many"], ["method"], "test", f"at most {MAX_CURVES} curves, got {MAX_CURVES + 1}"),
    ],
)
def test_what_cannot_be_drawn_is_an_error(
    studies: Studies, names: list[str], by: list[str], split: str, message: str
) -> None:
    with pytest.raises(ConfigInvalid, match=message):
        task_curves(studies, names, by, split)


def test_a_trial_that_is_not_there_is_not_found(studies: Studies) -> None:
    with pytest.raises(TrialNotFound, match="no finished trial 7"):
        task_curves(studies, ["pair:7"], [], "test")
