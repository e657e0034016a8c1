"""Seeds trained in the same steps have the same results as alone."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from hnet_core.engines import PlainStep, cuda_graph
from hnet_core.stacked import StackedRuns, groups, run_trials
from hnet_core.training import TrialRun, run_trial
from hnet_core.trial import TaskReport, TrialConfig
from tests.hnet_core.engines.tape import Tape
from tests.hnet_core.engines.test_fast_step import CHANGES, configured, deviation
from tests.hnet_core.tiny import tiny

SEEDS = (4, 0, 7)
OTHER_METHODS: dict[str, dict[str, Any]] = {
    "fine-tuning": {"method": {"name": "finetune"}},
    "fine-tuning a hypernetwork": {"method": {"name": "finetune", "network": "hypernet"}},
    "a kept optimiser": {"method": {"name": "finetune"}, "training": {"reset_optimizer": False}},
    "elastic weights": {"method": {"name": "ewc", "fisher_examples": 10, "penalty": 50.0}},
    "synaptic intelligence": {"method": {"name": "si", "coefficient": 50.0}},
    "scratch": {"method": {"name": "scratch"}},
    "masks": {"method": {"name": "hypermask"}},
    "plain engine": {"training": {"engine": "plain"}},
    "joint": {"method": {"name": "joint"}},
}
ALL = {**CHANGES, **OTHER_METHODS}


def tensors(report: TaskReport) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(report.checkpoint["method"]) if isinstance(leaf, Tensor)]


def seen(report: TaskReport) -> list[float]:
    return [value for value in report.test if value is not None]


def config_of(changes: dict[str, dict[str, Any]]) -> TrialConfig:
    return configured(changes.get("training", {}).get("engine", "auto"), changes)


@pytest.mark.parametrize("changes", ALL.values(), ids=ALL)
def test_stacked_and_recorded_seeds_give_the_weights_each_gives_alone(
    changes: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_of(changes)
    n_tasks = 1 if changes is OTHER_METHODS["joint"] else 3  # which trains all of them as one
    runs = [TrialRun(config, seed, dtype=torch.float64) for seed in SEEDS]
    alone = [[run.train_task() for run in runs] for _ in range(n_tasks)]
    monkeypatch.setitem(cuda_graph.RECORDINGS, "cpu", Tape)
    stacked = StackedRuns(config, SEEDS, dtype=torch.float64)
    for separate in alone:
        for ours, theirs in zip(stacked.train_task(), separate, strict=True):
            assert deviation(tensors(ours), tensors(theirs)) < 1e-9
            assert seen(ours) == pytest.approx(seen(theirs), rel=1e-9)


def test_every_seed_is_trained_in_one_step_not_one_after_the_other() -> None:
    stacked = StackedRuns(tiny(), SEEDS)
    shared = {id(run._method._engine.shared) for run in stacked.runs}  # type: ignore[attr-defined]
    assert len(shared) == 1
    theta = stacked.runs[0]._method.source.theta[0]  # type: ignore[attr-defined]
    assert theta.untyped_storage().nbytes() > 3 * theta.nbytes, "the weights of all seeds lie in one buffer"


def test_a_stack_resumes_bit_for_bit_each_seed_from_its_own_checkpoint() -> None:
    whole = StackedRuns(tiny(), SEEDS)
    reports = [whole.train_task() for _ in range(5)]
    checkpoints = {seed: report.checkpoint for seed, report in zip(SEEDS, reports[1], strict=True)}
    resumed = StackedRuns(tiny(), SEEDS, resume=checkpoints)
    again = [resumed.train_task() for _ in range(3)]
    for ours, theirs in zip(again[-1], reports[-1], strict=True):
        assert all(torch.equal(a, b) for a, b in zip(tensors(ours), tensors(theirs), strict=True))
    alone = run_trial(tiny(), SEEDS[1], resume=checkpoints[SEEDS[1]])
    assert alone.test[-1] == pytest.approx(resumed.results()[1].test[-1], abs=0.05), "a seed may go on alone"


def test_seeds_at_different_tasks_cannot_be_stacked() -> None:
    checkpoint = TrialRun(tiny(training={"iterations": 1}), 0).train_task().checkpoint
    with pytest.raises(ValueError, match=r"same number of tasks and steps, got \[\(0, 0\), \(1, 0\)\]"):
        StackedRuns(tiny(training={"iterations": 1}), (0, 1), resume={0: checkpoint})


def test_seeds_are_grouped_as_the_configuration_says_and_by_what_is_trained_already() -> None:
    begun = {0: {"progress": {"test": [1, 2]}}}
    assert groups(tiny(training={"stack_seeds": True}), SEEDS, {}) == [SEEDS]
    assert groups(tiny(training={"stack_seeds": True}), (0, 1, 2), begun) == [(0,), (1, 2)]
    assert groups(tiny(training={"stack_seeds": False}), SEEDS, {}) == [(4,), (0,), (7,)]
    if not torch.cuda.is_available():
        assert groups(tiny(), SEEDS, {}) == [(4,), (0,), (7,)], "a CPU gains nothing"


@pytest.mark.parametrize("stack_seeds", [True, False])
def test_results_come_in_the_order_of_the_seeds_with_an_equal_share_of_the_time(stack_seeds: bool) -> None:
    config, called = tiny(training={"iterations": 3, "stack_seeds": stack_seeds}), []
    results = run_trials(config, SEEDS, on_task=lambda seed, report: called.append((seed, report.task)))
    assert [result.seed for result in results] == list(SEEDS)
    assert sorted(called) == sorted((seed, task) for seed in SEEDS for task in range(5))
    assert (len({result.seconds for result in results}) == 1) == stack_seeds


def test_stacking_is_no_part_of_the_configuration_hash() -> None:
    hashes = {tiny(training={"stack_seeds": choice}).hash() for choice in (True, False, "auto")}
    assert hashes == {tiny().hash()}


def test_the_seeds_of_a_stack_must_take_turns() -> None:
    stacked = StackedRuns(tiny(), SEEDS)
    with pytest.raises(RuntimeError, match="must take turns: 0 is next, not 1"):
        next(stacked.runs[1].steps())


def test_the_plain_engine_takes_no_part_in_a_stack() -> None:
    stacked = StackedRuns(tiny(training={"engine": "plain"}), SEEDS)
    assert all(isinstance(run._method._engine, PlainStep) for run in stacked.runs)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["fast engine", "plain engine", "masks", "fine-tuning a hypernetwork"])
def test_a_look_within_a_task_changes_nothing_of_a_recorded_step(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cuda_graph.RECORDINGS, "cpu", Tape)
    config = config_of(OTHER_METHODS.get(name, {}))
    undisturbed, watched = StackedRuns(config, SEEDS), StackedRuns(config, SEEDS)
    for _ in range(2):
        pauses = list(range(1, config.training.iterations))
        seen_at = []
        for iteration in watched.pausing_task(pauses):
            seen_at.append(iteration)
            for run in watched.runs:
                run.result_within_task()
        assert seen_at == pauses
        for ours, theirs in zip(watched.reports, undisturbed.train_task(), strict=True):
            assert all(torch.equal(a, b) for a, b in zip(tensors(ours), tensors(theirs), strict=True))
            assert ours.test == theirs.test and ours.seconds > 0
