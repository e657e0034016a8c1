"""A recorded step: it depends on tensors that stay in place and on nothing else, and never waits for the device."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor

from hnet_core.engines import cuda_graph
from hnet_core.engines.cuda_graph import WARM_UP, RecordedStep
from hnet_core.training import TrialRun
from tests.hnet_core.engines.tape import NoWaiting, Tape
from tests.hnet_core.engines.test_fast_step import CHANGES, configured, deviation, trained
from tests.hnet_core.tiny import tiny

DEPENDS_ON_DRAW = "drawn tasks, own heads"
# Stacked seeds run as recorded steps with every option in test_stacked.py.
OPTIONS = ["as it comes", "no look-ahead epsilon correction", "drawn tasks", DEPENDS_ON_DRAW, "linear hypernetwork"]


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> list[Tape]:
    """Record steps on the CPU as on a GPU; the value is the list of all recordings."""
    made: list[Tape] = []

    class Noted(Tape):
        def __init__(self, device: torch.device) -> None:
            super().__init__(device)
            made.append(self)

    monkeypatch.setitem(cuda_graph.RECORDINGS, "cpu", Noted)
    return made


@pytest.mark.parametrize("option", OPTIONS)
def test_recorded_steps_equal_those_of_the_plain_engine(option: str, recorded: list[Tape]) -> None:
    ours = trained("fast", CHANGES[option])
    assert deviation(ours, trained("plain", CHANGES[option])) < 1e-9
    n_recorded = 2 if option == DEPENDS_ON_DRAW else 3  # there not the third task, the first with a choice
    assert sum(bool(tape._operations) for tape in recorded) == n_recorded


def test_the_target_network_itself_and_any_other_target_are_recorded_too(
    recorded: list[Tape], monkeypatch: pytest.MonkeyPatch
) -> None:
    def weights(engine: str) -> Tensor:
        config = tiny(method={"name": "finetune"}, training={"iterations": 10, "engine": engine})
        run = TrialRun(config, seed=0, dtype=torch.float64)
        flat: Tensor = run.train_task().checkpoint["method"]["flat"]
        return flat

    torch.testing.assert_close(weights("fast"), weights("plain"), rtol=1e-9, atol=1e-11)
    monkeypatch.setattr("hnet_core.engines.kernels.target_gradient.Mlp", type("NoSuchTarget", (), {}))
    torch.testing.assert_close(weights("fast"), weights("plain"), rtol=1e-9, atol=1e-11)
    assert deviation(trained("fast", {}), trained("plain", {})) < 1e-9


def test_what_cannot_be_recorded_is_called_every_time(recorded: list[Tape]) -> None:
    calls: list[int] = []
    for recordable, expected in ((False, 10), (True, WARM_UP + 1)):
        calls.clear()
        repeated = RecordedStep(lambda: calls.append(1), torch.device("cpu"), partial(bool, recordable))
        for _ in range(10):
            repeated()
        assert len(calls) == expected


def test_a_value_of_python_in_a_step_would_be_noticed(recorded: list[Tape]) -> None:
    """Show that the test above can fail: a number that changes from call to call keeps its recorded value."""
    total, count = torch.zeros(()), iter(range(100))
    repeated = RecordedStep(lambda: total.add_(next(count)), torch.device("cpu"))  # type: ignore[arg-type, return-value]
    for _ in range(WARM_UP + 3):
        repeated()
    assert total == sum(range(WARM_UP)) + 3 * WARM_UP


@pytest.mark.parametrize("changes", [{}, CHANGES["drawn tasks"]], ids=["all tasks", "drawn tasks"])
def test_the_training_loop_never_waits_for_the_device(changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    run = TrialRun(configured("fast", changes), seed=0)
    for _ in range(2):
        run.train_task()
    if changes:  # the draw itself is the host's
        monkeypatch.setattr(run._method, "_regularized_tasks", lambda task: [1])
    steps = run.steps()
    next(steps)  # preparing the task may wait
    with NoWaiting():
        assert sum(1 for _ in steps) == 15


def test_waiting_is_noticed() -> None:
    with NoWaiting(), pytest.raises(AssertionError, match="_local_scalar_dense makes the host wait"):
        torch.ones(1).item()
