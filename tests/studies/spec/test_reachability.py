"""A sweep that cannot end with a result is refused before it starts; one that partly cannot is warned of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from hnet_core.config_validation import parse_trial
from hnet_core.errors import ConfigInvalid
from hnet_core.registry import METHODS
from hnet_core.training import run_trial
from studies.spec.document import parse_document
from studies.spec.loading import load_spec
from studies.spec.reachability import doubts, probes
from studies.spec.spec import SweepSpec
from tests.sweeps.tiny import SPEC, tiny_spec

ROOT = Path("unused")
FORGETTING = {"final_accuracy": "maximize", "forgetting": "minimize"}
THREE_TASKS = {**SPEC["trial"], "stream": {"name": "permuted", "dataset": "digits", "n_tasks": 3}}
JOINT = {**SPEC["trial"], "method": {"name": "joint"}}
LEARNING_RATE = {"training.lr": {"float": [0.001, 0.1]}}


def load(**changes: Any) -> SweepSpec:
    return load_spec(parse_document(yaml.safe_dump({**SPEC, **changes}, sort_keys=False), "q.yaml"), ROOT)


def test_the_accuracies_of_task_inference_are_objectives_where_a_block_infers_the_task() -> None:
    names = ("final_accuracy", "known_task_accuracy", "inferred_task_accuracy", "task_inference_accuracy")
    trial = {**SPEC["trial"], "task_inference": {"name": "entropy"}}
    assert len(load(trial=trial, objectives=dict.fromkeys(names, "maximize")).objectives) == 4


UNREACHABLE: dict[str, tuple[dict[str, Any], str]] = {
    "transfer to tasks that are not evaluated": (
        {"objectives": {"forward_transfer": "maximize"}},
        r"objectives\.forward_transfer: never has a value here: a task is evaluated only once it is trained",
    ),
    "a bound on it": (
        {"constraints": {"forward_transfer": ">= 0"}},
        r"constraints\.forward_transfer: never has a value here",
    ),
    "forgetting of one task": (
        {"trial": {**SPEC["trial"], "stream": {"name": "permuted", "dataset": "digits", "n_tasks": 1}}}
        | {"objectives": FORGETTING},
        r"objectives\.forgetting: never has a value here: it takes at least two tasks",
    ),
    "forgetting where all tasks are trained at once": (
        {"trial": JOINT, "search": LEARNING_RATE, "objectives": FORGETTING},
        r"objectives\.forgetting: never has a value here: method joint trains all tasks at once",
    ),
    "task inference where nothing infers the task": (
        {"objectives": {"task_inference_accuracy": "maximize"}},
        r"task_inference_accuracy: never has a value here: no task_inference block finds the task",
    ),
    "validation where nothing is held out": (
        {"trial": {**SPEC["trial"], "stream": {**SPEC["trial"]["stream"], "validation": 0}}}
        | {"objectives": {"validation_final_accuracy": "maximize"}},
        r"validation_final_accuracy: never has a value here: stream split holds out no validation split",
    ),
    "an accuracy above 1": (
        {"constraints": {"final_accuracy": "> 1"}},
        r"constraints\.final_accuracy: final_accuracy > 1 can never hold, as the metric is at most 1",
    ),
    "weights below 0": ({"constraints": {"model_weights": "< 0"}}, r"can never hold, as the metric is at least 0"),
    "a bound that no point keeps": (
        {"constraints": {"compression_ratio": "<= 0.001"}}
        | {"search": {"hypernet.chunk_size": {"int": [50, 100], "step": 25}}},
        r"constraints: no point of the search space keeps compression_ratio <= 0\.001 \(nearest: 0\.\d+\)",
    ),
    "rungs before forgetting has a value": (
        {"early_stopping": {"eta": 3}, "objectives": FORGETTING},
        r"early_stopping: has no rung that can judge: forgetting has no value yet at the rung after 1 task;",
    ),
    "rungs within the first task": (
        {"trial": THREE_TASKS, "objectives": FORGETTING, "early_stopping": {"unit": "iterations", "rungs": [1, 3]}},
        r"early_stopping: has no rung that can judge: .* at the rungs after 1 and 3 iterations;",
    ),
    "rungs of tasks that are trained at once": (
        {"trial": {**THREE_TASKS, "method": {"name": "joint"}}, "search": LEARNING_RATE, "early_stopping": {"eta": 2}},
        r"early_stopping: has no rung that can judge: final_accuracy has no value yet",
    ),
}


@pytest.mark.parametrize("name", UNREACHABLE)
def test_a_sweep_that_can_come_to_nothing_only_is_refused_with_its_line(name: str) -> None:
    changes, says = UNREACHABLE[name]
    with pytest.raises(ConfigInvalid, match=rf"^q\.yaml:\d+: [^\n]*{says}"):
        load(**changes)


def test_objectives_rungs_and_bounds_that_can_be_reached_are_not_refused() -> None:
    load(trial=THREE_TASKS, objectives=FORGETTING, early_stopping={"eta": 2}, constraints={"compression_ratio": "<= 1"})
    load(objectives={"seconds": "minimize", "hypernet_ratio": "minimize"}, early_stopping={"eta": 3})


FAMILIES = {
    "trial": {key: THREE_TASKS[key] for key in ("stream", "target", "training")},
    "families": {"tuned": {"method": {"name": "finetune"}}, "bound": {"method": {"name": "joint"}}},
    "search": LEARNING_RATE,
}


def test_what_only_some_trials_cannot_reach_is_warned_of() -> None:
    spec = load(**FAMILIES, objectives=FORGETTING, early_stopping={"rungs": [1, 2]})
    no_value, idle = doubts(spec, ROOT)
    assert "forgetting has no value in family bound" in no_value
    assert "trains all tasks at once" in no_value
    assert "forgetting has no value yet at the rung after 1 task" in idle


def test_a_bound_that_no_counted_point_of_a_continuous_space_keeps_is_warned_of_with_the_nearest() -> None:
    assert not doubts(tiny_spec(constraints={"compression_ratio": "<= 1.0"}), ROOT)
    (doubt,) = doubts(tiny_spec(constraints={"compression_ratio": "<= 0.01"}), ROOT)
    assert "none of" in doubt and "compression_ratio <= 0.01 (nearest: 0." in doubt


def test_a_setting_that_changes_nothing_is_warned_of_once_for_each_family() -> None:
    late = {"schedule": {"after": [2], "factors": [0.1]}}
    bound = {"method": {"name": "joint"}, "training": late}
    families = {**FAMILIES["families"], "bound": bound, "other": {**bound, "training": {"epochs": 2, **late}}}
    trial = {**FAMILIES["trial"], "training": {"iterations": None, "batch_size": 16, "epochs": 3}}
    (warned,) = doubts(load(**{**FAMILIES, "trial": trial, "families": families}), ROOT)
    assert warned == "training.schedule.after 2 is never reached: a task has 2 epochs (family other)"
    searched = {"training.epochs": {"int": [1, 4]}}
    spec = load(**{**FAMILIES, "families": {"bound": bound}, "trial": trial, "search": searched})
    assert list(doubts(spec, ROOT)) == ["training.schedule.after 2 is never reached: a task has 1 epoch (family bound)"]


def test_a_value_of_the_trial_block_that_the_search_replaces_is_not_warned_of() -> None:
    trial = {**SPEC["trial"], "hypernet": {**SPEC["trial"]["hypernet"], "chunk_size": 5000}}
    search = {"hypernet.chunk_size": {"int": [20, 200]}, **LEARNING_RATE}
    assert not doubts(load(trial=trial, search=search), ROOT)
    (warned,) = doubts(load(trial=trial, search={**search, "hypernet.chunk_size": {"int": [20, 2000]}}), ROOT)
    assert warned.startswith("hypernet.chunk_size 2000 is more than the 910 weights to generate")


@pytest.mark.parametrize("method", METHODS)
def test_a_probe_has_the_cells_that_a_training_evaluates(method: str) -> None:
    trial = {**THREE_TASKS, "method": {"name": method}, "training": {"iterations": 1, "batch_size": 8}}
    trained = run_trial(parse_trial(trial), seed=0)
    probe = probes(tiny_spec(trial=trial, search={"training.lr": {"choice": [0.001]}}).space, ROOT)[0].result()
    cells = [[[value is not None for value in row] for row in result.test] for result in (probe, trained)]
    assert cells[0] == cells[1]
    assert (probe.validation is None) == (trained.validation is None)


TYPES: dict[str, tuple[str, dict[str, Any], str]] = {
    "float on a whole number": ("hypernet.chunk_size", {"float": [20, 200]}, "takes whole numbers; write int"),
    "float steps on it": ("hypernet.chunk_size", {"float": [20, 200], "step": 20}, "takes whole numbers; write int"),
    "float on an optional one": ("method.regularized_tasks", {"float": [1, 5]}, "takes whole numbers; write int"),
    "int on true or false": ("training.stack_seeds", {"int": [0, 1]}, "must be true or false or auto, got 0"),
    "int on text": ("training.device", {"int": [0, 1]}, "must be text, got 0"),
    "int on a list": ("target.hidden", {"int": [10, 20]}, "must be a list, got 10"),
    "fraction in a list": ("target.hidden", {"choice": [[10], [10, 10.5]]}, "must be a whole number, got 10.5"),
    "a value between the ends": ("stream.n_tasks", {"int": [2, 10]}, "n_tasks must divide the 10 classes"),
    "inside a list": ("target.hidden.0", {"int": [10, 20]}, "must name one field of a block"),
}


@pytest.mark.parametrize("name", TYPES)
def test_a_range_must_fit_the_type_of_its_field_between_its_ends_too(name: str) -> None:
    field, dimension, says = TYPES[name]
    with pytest.raises(ConfigInvalid, match=says) as error:
        load(search={field: dimension})
    assert str(error.value).startswith("q.yaml:") and f"search.{field}: " in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_whole_numbers_are_in_a_float_field_and_float_choices_without_a_fraction_in_a_whole_one() -> None:
    load(search={"method.beta_output": {"int": [1, 3]}, "hypernet.chunk_size": {"choice": [50.0, 60]}})


@pytest.mark.parametrize("bounds", [[0, 0.5], [0, 1], [0.5, 1.5], [0.1, 3.2], [1e-320, 1], [0.1, 1e308]])
def test_a_float_field_takes_any_range_of_floats(bounds: list[float]) -> None:
    load(search={"method.beta_output": {"float": bounds}})
    if bounds[0]:
        load(search={"method.beta_output": {"float": bounds, "log": True}})
