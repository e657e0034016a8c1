"""Guarantees of run_trial beyond the contract of every method (test_contract.py)."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from hnet_core.errors import ConfigInvalid, TrainingDiverged, UnsupportedTrial
from hnet_core.training import TrialRun, run_trial
from hnet_core.trial import TaskReport, TrialConfig
from tests.hnet_core.checkpoints import packed, unpacked
from tests.hnet_core.tiny import tiny


def test_the_last_weights_of_a_resumed_run_are_bit_identical() -> None:
    reports: list[TaskReport] = []
    run_trial(tiny(), seed=0, on_task=reports.append)
    again: list[TaskReport] = []
    run_trial(tiny(), seed=0, resume=unpacked(packed(reports[1])), on_task=again.append)
    for ours, theirs in zip(
        reports[-1].checkpoint["method"]["theta"], again[-1].checkpoint["method"]["theta"], strict=True
    ):
        assert torch.equal(ours, theirs)


def test_a_checkpoint_of_another_configuration_or_seed_is_refused() -> None:
    reports: list[TaskReport] = []
    run_trial(tiny(training={"iterations": 1}), seed=0, on_task=reports.append)
    for config, seed in ((tiny(training={"iterations": 1}), 1), (tiny(training={"iterations": 2}), 0)):
        with pytest.raises(ConfigInvalid, match="the checkpoint must be of configuration"):
            run_trial(config, seed=seed, resume=reports[0].checkpoint)


def test_the_matrix_holds_tasks_seen_so_far_and_nothing_else() -> None:
    result = run_trial(tiny(training={"iterations": 2}), seed=0)
    for after, row in enumerate(result.test):
        assert [value is not None for value in row] == [task <= after for task in range(5)]


def test_joint_training_fills_only_the_last_row() -> None:
    result = run_trial(tiny(method={"name": "joint"}, training={"iterations": 2}), seed=0)
    assert all(value is None for row in result.test[:-1] for value in row)
    assert all(value is not None for value in result.test[-1])


def test_joint_training_says_that_it_has_no_fast_engine() -> None:
    with pytest.raises(UnsupportedTrial, match="engine fast: it mixes tasks; use auto or plain"):
        TrialRun(tiny(method={"name": "joint"}, training={"engine": "fast"}), seed=0)


def test_training_from_scratch_forgets_nothing() -> None:
    result = run_trial(tiny(method={"name": "scratch"}), seed=0)
    assert [result.test[task][task] for task in range(5)] == list(result.test[-1])


def test_weights_that_become_infinite_fail_the_trial_with_a_remedy() -> None:
    config = tiny(training={"lr": 1e30, "iterations": 20})
    with pytest.raises(TrainingDiverged, match=r"lower training\.lr"):
        run_trial(config, seed=0)


def test_the_hypernetwork_without_regulariser_is_finetuning_through_it() -> None:
    unprotected = run_trial(tiny(method={"name": "hnet", "beta_output": 0.0}), seed=0)
    finetuned = run_trial(tiny(method={"name": "finetune", "network": "hypernet"}), seed=0)
    for ours, theirs in zip(unprotected.test[-1], finetuned.test[-1], strict=True):
        assert ours == pytest.approx(theirs, abs=0.02)


def test_the_regulariser_protects_and_joint_training_bounds_from_above() -> None:
    """The order of the methods on real images: fine-tuning forgets, the regulariser does not."""
    training = {"iterations": 150, "lr": 0.005}
    hypernet = {"hidden": [10], "task_embedding": 8, "chunk_embedding": 8, "chunk_size": 200}

    def final(method: dict[str, Any]) -> float:
        result = run_trial(tiny(method=method, training=training, hypernet=hypernet), seed=0)
        return sum(value or 0.0 for value in result.test[-1]) / 5

    protected = final({"name": "hnet", "beta_output": 0.05})
    assert protected > final({"name": "hnet", "beta_output": 0.0}) + 0.05
    assert protected > 0.9
    assert final({"name": "joint"}) > 0.95


def test_a_gpu_that_is_not_there_is_refused_and_auto_takes_what_there_is() -> None:
    if not torch.cuda.is_available():
        with pytest.raises(ConfigInvalid, match="torch finds no GPU"):
            TrialRun(tiny(training={"device": "cuda"}), seed=0)
    assert run_trial(tiny(training={"iterations": 1}), seed=0).device


@pytest.mark.slow
def test_the_regression_of_the_paper_keeps_its_three_functions_in_five_of_five_seeds() -> None:
    from sweeps.presets import open_document

    config = TrialConfig.model_validate(open_document("polynomials").content["trial"])
    for seed in range(5):
        final = run_trial(config, seed).test[-1]
        assert max(value for value in final if value is not None) <= 0.02, (seed, final)
