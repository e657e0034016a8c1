"""The fast engine trains the same weights as the plain one: complete runs in float64 over several tasks."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from hnet_core.activations import ACTIVATIONS
from hnet_core.engines import FastStep, PlainStep, hypernet_step
from hnet_core.engines.output_drift.direct import Direct
from hnet_core.engines.output_drift.gram import Gram
from hnet_core.errors import UnsupportedTrial
from hnet_core.hypernets.chunked import ChunkedHypernet
from hnet_core.seed_stack import MemberStep
from hnet_core.training import TrialRun
from hnet_core.trial import TrialConfig
from hnet_core.weights.sources import GeneratedWeights
from tests.hnet_core.tiny import tiny

POLYNOMIALS = {"name": "polynomials"}
FULL = {"name": "full", "hidden": [6], "task_embedding": 4}
CHANGES: dict[str, dict[str, Any]] = {
    "as it comes": {},
    "no look-ahead epsilon correction": {"method": {"lookahead_epsilon": "uncorrected"}},
    "sgd look-ahead": {"method": {"lookahead": "sgd"}},
    "no look-ahead": {"method": {"lookahead": "none"}},
    "own heads": {"method": {"regularized_outputs": "own_head"}},
    "drawn tasks": {"method": {"regularized_tasks": 1}},
    "drawn tasks, own heads": {"method": {"regularized_tasks": 1, "regularized_outputs": "own_head"}},
    "recomputed targets": {"method": {"regularizer_target": "recomputed"}},
    "no regulariser": {"method": {"beta_output": 0.0}},
    "linear hypernetwork": {"hypernet": {"hidden": []}},
    "linear hypernetwork, own heads": {"hypernet": {"hidden": []}, "method": {"regularized_outputs": "own_head"}},
    "three hidden layers": {"hypernet": {"hidden": [6, 7, 5]}},
    "one even chunk": {"hypernet": {"chunk_size": 922}},
    "full hypernetwork": {"hypernet": FULL},
    "full hypernetwork, linear": {"hypernet": {"name": "full", "hidden": [], "task_embedding": 4}},
    "permuted": {"stream": {"name": "permuted", "dataset": "digits", "n_tasks": 3}},
    "regression": {"stream": POLYNOMIALS, "hypernet": {"chunk_size": 10}},
    "regression, full": {"stream": POLYNOMIALS, "hypernet": FULL},
    "linear target": {"target": {"hidden": []}, "hypernet": {"chunk_size": 60}},
    "two hidden layers of the target": {"target": {"hidden": [12, 9]}},
    "other Adam": {"training": {"lr": 0.003, "adam_beta1": 0.5, "adam_beta2": 0.9}},
}


def configured(engine: str, changes: dict[str, dict[str, Any]]) -> TrialConfig:
    training = {"iterations": 15, "batch_size": 8, **changes.get("training", {}), "engine": engine}
    return tiny(**{**changes, "training": training})


def trained(engine: str, changes: dict[str, dict[str, Any]], n_tasks: int = 3) -> list[Tensor]:
    run = TrialRun(configured(engine, changes), seed=0, dtype=torch.float64)
    for _ in range(n_tasks):
        state = run.train_task().checkpoint["method"]
    return [*state["theta"], *state["embeddings"]]


def deviation(ours: list[Tensor], theirs: list[Tensor]) -> float:
    """Return the largest relative deviation of any tensor."""
    return max(
        float((a - b).abs().max()) / max(float(b.abs().max()), 1e-300) for a, b in zip(ours, theirs, strict=True)
    )


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
def test_45_steps_over_3_tasks_equal_those_of_the_plain_engine(changes: dict[str, dict[str, Any]]) -> None:
    assert deviation(trained("fast", changes), trained("plain", changes)) < 1e-9


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_has_the_right_gradient(activation: str) -> None:
    changes = {"hypernet": {"activation": activation}, "target": {"activation": activation}}
    assert deviation(trained("fast", changes, 2), trained("plain", changes, 2)) < 1e-9


@pytest.mark.parametrize("form", ["gram", "direct"])
def test_the_user_may_choose_the_form_of_the_regulariser(form: str) -> None:
    changes = {"training": {"regularizer_form": form}}
    assert deviation(trained("fast", changes, 2), trained("plain", {}, 2)) < 1e-9
    run = TrialRun(configured("fast", changes), seed=0)
    for _ in range(2):
        run.train_task()
    parts = run._method._engine.shared._drift._parts  # type: ignore[attr-defined]
    assert [type(part) for part in parts] == [{"gram": Gram, "direct": Direct}[form]]
    assert configured("fast", changes).hash() == configured("fast", {}).hash(), "the numbers are the same"


def test_any_other_target_network_is_trained_through_automatic_differentiation(monkeypatch: pytest.MonkeyPatch) -> None:
    by_hand = trained("fast", {})
    monkeypatch.setattr("hnet_core.engines.kernels.target_gradient.Mlp", type("NoSuchTarget", (), {}))
    assert deviation(trained("fast", {}), by_hand) < 1e-9


@pytest.mark.parametrize("engines", [("plain", "fast"), ("fast", "plain")])
def test_a_run_begun_by_one_engine_is_finished_by_the_other(engines: tuple[str, str]) -> None:
    first, second = engines
    begun = TrialRun(configured(first, {}), seed=0, dtype=torch.float64)
    checkpoint = begun.train_task().checkpoint
    resumed = TrialRun(configured(second, {}), seed=0, resume=checkpoint, dtype=torch.float64)
    for _ in range(2):
        state = resumed.train_task().checkpoint["method"]
    assert deviation([*state["theta"], *state["embeddings"]], trained("plain", {})) < 1e-9


@pytest.mark.parametrize("changes", [{}, {"hypernet": {"hidden": []}}, {"hypernet": FULL}], ids=str)
def test_the_fast_engine_repeats_and_resumes_bit_for_bit(changes: dict[str, dict[str, Any]]) -> None:
    def states(run: TrialRun, n_tasks: int) -> list[dict[str, Any]]:
        return [run.train_task().checkpoint for _ in range(n_tasks)]

    config = configured("fast", changes)
    once, again = states(TrialRun(config, seed=1), 3), states(TrialRun(config, seed=1), 3)
    resumed = states(TrialRun(config, seed=1, resume=once[0]), 2)
    for other in (again[-1], resumed[-1]):
        for ours, theirs in zip(other["method"]["theta"], once[-1]["method"]["theta"], strict=True):
            assert torch.equal(ours, theirs)


def test_the_engine_is_no_part_of_the_configuration_hash() -> None:
    assert len({configured(engine, {}).hash() for engine in ("auto", "plain", "fast")}) == 1


def test_auto_takes_the_fast_engine_for_what_it_knows_and_the_plain_one_for_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = TrialRun(configured("auto", {}), seed=0)
    problem = run._problem
    fast = hypernet_step(problem, GeneratedWeights(problem))
    assert isinstance(fast, MemberStep) and isinstance(fast.shared, FastStep)

    class Unknown(ChunkedHypernet):
        """A hypernetwork of another package, which might generate in any way."""

    monkeypatch.setattr(problem.hypernet, "__class__", Unknown)
    assert isinstance(hypernet_step(problem, GeneratedWeights(problem)), PlainStep)
    asked = TrialRun(configured("plain", {}), seed=0)._problem
    assert isinstance(hypernet_step(asked, GeneratedWeights(asked)), PlainStep)


def test_an_unsupported_fast_engine_is_refused_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = TrialRun(configured("fast", {}), seed=0)._problem
    monkeypatch.setattr(problem.hypernet, "activation", torch.sin)
    with pytest.raises(UnsupportedTrial, match="the activation of the hypernetwork has no gradient by hand; use auto"):
        hypernet_step(problem, GeneratedWeights(problem))
