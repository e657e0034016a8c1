"""The contract of every method: it trains, resumes bit-identically and reports, or gives the reason why it cannot.

New methods, streams and target networks are tested without a line here: a method names its `tested_options`, streams
and target networks bring `tiny` options. The colour data sets are stand-ins cut from the digits images, in the shapes
of the real ones.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any, get_args

import pytest

from hnet_core.build import networks, stream_shape
from hnet_core.config_validation import parse_trial
from hnet_core.errors import ConfigInvalid
from hnet_core.registry import METHODS, STREAMS, TARGETS, TASK_INFERENCE
from hnet_core.stacked import StackedRuns
from hnet_core.training import run_trial
from hnet_core.trial import Scenario, TrialConfig, TrialResult
from tests.hnet_core.checkpoints import assert_resumes_to, interrupted_at_every_step, packed, unpacked
from tests.hnet_core.tiny import TINY, tiny

FAST = [{"name": name, **options} for name, method in METHODS.items() for options in method.tested_options]
INFERENCE = [{"name": name, **options} for name, one in TASK_INFERENCE.items() for options in one.tested_options]

EPOCH = {"iterations": None, "epochs": 2, "batch_size": 50}
TRAINING: dict[str, dict[str, Any]] = {
    "adam, kept, factors": {**EPOCH, "reset_optimizer": False, "schedule": {"after": [1], "factors": [0.1]}},
    "sgd, kept": {"optimizer": "sgd", "momentum": 0.9, "weight_decay": 0.01, "reset_optimizer": False},
    "rmsprop": {**EPOCH, "optimizer": "rmsprop", "momentum": 0.5, "drop_last": True},
    "plateau": {**EPOCH, "epochs": 4, "schedule": {"plateau": {"patience": 0, "threshold": 0.05}}},
    "best validation": {"iterations": 6, "select": "best_validation", "validation_every": 2, "label_smoothing": 0.05},
}


def case_name(case: Any) -> str:
    return "-".join(str(value) for value in case.values())


@pytest.mark.parametrize("method", FAST, ids=case_name)
def test_a_method_trains_resumes_bit_identically_and_reports(method: dict[str, Any], stand_ins: Path) -> None:
    assert_contract(first_possible(method, stand_ins), stand_ins)


@pytest.mark.parametrize(
    "training",
    [pytest.param(block, id=name, marks=pytest.mark.slow) for name, block in TRAINING.items()],
)
@pytest.mark.parametrize("method", METHODS)
def test_a_method_trains_and_resumes_as_published_or_says_why_not(
    method: str, training: dict[str, Any], stand_ins: Path
) -> None:
    options = {"lookahead": "none"} if method == "hnet" else METHODS[method].tested_options[0]
    config = tiny(method={"name": method, **options}, training=training)
    reason = impossible(config, stand_ins)
    if reason is None:
        assert_contract(config, stand_ins)
    else:
        assert method == "hat" and "keeps weights by their gradient" in reason


@pytest.mark.parametrize(
    ("scenario", "inference"),
    [
        pytest.param(scenario, inference, id=f"{scenario}-{case_name(inference)}", marks=marks)
        for scenario in get_args(Scenario)
        for inference in INFERENCE
        for marks in [() if scenario == "class" and inference == INFERENCE[0] else pytest.mark.slow]
    ],
)
@pytest.mark.parametrize("method", METHODS)
def test_a_method_learns_in_every_scenario_or_says_why_not(
    method: str, scenario: str, inference: dict[str, Any], stand_ins: Path
) -> None:
    block = {
        **combined({"name": method}, "split", scenario, "mlp").model_dump(mode="json"),
        "task_inference": inference,
    }
    config = parse_trial(block)
    reason = impossible(config, stand_ins)
    if reason is None:
        result = assert_contract(config, stand_ins)
        assert (result.task_inference is None) == (config.task_inference is None and scenario != "class")
    else:
        assert len(reason) > 20, reason


@pytest.mark.slow
@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("method", METHODS)
def test_a_method_learns_every_stream_or_says_why_not(method: str, stream: str, stand_ins: Path) -> None:
    assert_contract_or_reason(combined({"name": method}, stream, "task", "mlp"), stand_ins)


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("method", METHODS)
def test_a_method_trains_every_target_or_says_why_not(method: str, target: str, stand_ins: Path) -> None:
    assert_contract_or_reason(combined({"name": method}, "split_cifar100", "task", target), stand_ins)


def assert_contract_or_reason(config: TrialConfig, root: Path) -> None:
    reason = impossible(config, root)
    if reason is None:
        assert_contract(config, root)
    else:
        assert len(reason) > 20, reason


def combined(method: dict[str, Any], stream: str, scenario: str, target: str) -> TrialConfig:
    """Return a configuration with few steps on little data, and default options otherwise."""
    return parse_trial(
        {
            "stream": {"name": stream, **STREAMS[stream].tiny},
            "scenario": scenario,
            "method": method,
            "target": {"name": target, **TARGETS[target].tiny},
            "hypernet": {**TINY["hypernet"], "chunk_size": 5000 if target != "mlp" else 100},
            "training": {"iterations": 2, "batch_size": 6, "lr": 0.001},
        }
    )


def impossible(config: TrialConfig, root: Path) -> str | None:
    """Return the reason why a combination cannot be trained, without training, as a sweep does; None if it can."""
    try:
        networks(config, stream_shape(config, root))
    except ConfigInvalid as error:
        return str(error)
    return None


def first_possible(method: dict[str, Any], root: Path) -> TrialConfig:
    """Return a configuration of the method on the digits, or on the first stream and target it can train."""
    digits = tiny(method=method, training={"iterations": 4})
    others = (combined(method, stream, "task", target) for stream, target in itertools.product(STREAMS, TARGETS))
    return next(config for config in itertools.chain([digits], others) if impossible(config, root) is None)


def assert_contract(config: TrialConfig, root: Path) -> TrialResult:
    saved: list[bytes] = []
    whole = run_trial(config, 3, root, on_task=lambda report: saved.append(packed(report)))
    assert_complete(whole, config)
    for checkpoint in saved[:-1] or saved:
        assert comparable(run_trial(config, 3, root, resume=unpacked(checkpoint))) == comparable(whole)
    assert comparable(watched(config, root)) == comparable(whole)
    assert_resumes_within_a_task(config, root)
    if whole.measure == "mse" or len(whole.test) > 2:  # on so few images two networks may have equal accuracies
        assert comparable(run_trial(config, 4, root)) != comparable(whole)
    return whole


def watched(config: TrialConfig, root: Path) -> TrialResult:
    """Return the result of a run that is evaluated in the middle of every task."""
    runs = StackedRuns(config, [3], root)
    while not runs.finished:
        for _ in runs.pausing_task([runs.runs[0].steps_per_task[0] // 2]):
            within = runs.runs[0].result_within_task()
            assert len(within.test) == runs.runs[0].tasks_done + 1 and within.test[-1][0] is not None
    return runs.results()[0]


def assert_resumes_within_a_task(config: TrialConfig, root: Path) -> None:
    """Interrupt a run in the middle of each task, and there in the middle of the training of each further network.

    Every bit of its end is that of a run without interruption.
    """
    steps, whole = interrupted_at_every_step(config, root)
    assert steps
    for checkpoints in steps.values():
        assert_resumes_to(whole, config, checkpoints[len(checkpoints) // 2], root)


def assert_complete(result: TrialResult, config: TrialConfig) -> None:
    n_tasks = len(result.untrained)
    assert result.config_hash == config.hash()
    assert len(result.test) == len(result.seconds) == n_tasks
    assert all(len(row) == n_tasks for row in result.test)
    assert all(value is not None for value in result.test[-1])
    assert result.peak_memory_mib > 50
    counts = result.counts
    assert counts.trained is not None and 0 < counts.trained <= counts.model
    assert counts.inference is not None and counts.inference > 0
    assert counts.generation is not None and (counts.generation > 0) == (counts.hypernet > 0)
    assert TrialResult.from_dict(result.to_dict()) == result


def comparable(result: TrialResult) -> dict[str, Any]:
    """Return all of a result that does not depend on the speed and the memory of the machine."""
    return {key: value for key, value in result.to_dict().items() if key not in ("seconds", "peak_memory_mib")}
