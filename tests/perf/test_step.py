"""The timing of steps: rows, ratios and operation counts; the times themselves are not tested."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from hnet_core.targets.mlp import Mlp
from perf import flops, settings, step
from perf.settings import RegularizerSetting, StepSetting
from perf.timing import interleaved
from tests.hnet_core.tiny import TINY

FIELDS = {"setting", "task", "what", "engine", "ms", "ratio", "gemm_share", "peak_mib", "note"}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small settings in place of the published ones."""
    regularizer = RegularizerSetting(TINY["hypernet"], 940, (2, 4), 2, n_tasks=5, n_head_inputs=12, n_head_outputs=2)
    looped = RegularizerSetting(TINY["hypernet"], 940, (6,), 2, loop_tasks=2)
    monkeypatch.setattr(step, "STEPS", {"split": StepSetting(TINY, (1, 3), 2)})
    monkeypatch.setattr(step, "REGULARIZERS", {"split": regularizer, "long": looped})


@pytest.mark.slow
def test_every_task_gives_a_row_per_engine(small: None) -> None:
    rows = list(step.measure(["split", "long"], ["step", "regularizer"], None))
    assert [(row.setting, row.what, row.task, row.engine) for row in rows] == [
        (setting, what, task, engine)
        for setting, what, task in (
            ("split", "step", 1),
            ("split", "step", 3),
            ("split", "regularizer", 2),
            ("split", "regularizer", 4),
            ("long", "regularizer", 6),
        )
        for engine in ("plain", "fast")
    ]
    assert all(row.ms > 0 and row.gemm_share > 0 for row in rows)
    assert all(row.ratio == 1 for row in rows if row.engine == "plain")


@pytest.mark.slow
def test_a_loop_timed_on_some_tasks_only_is_scaled_and_says_so(small: None) -> None:
    plain, fast = step.measure(["long"], ["regularizer"], None)
    assert plain.note == fast.note == "the loop over 2 of 5 previous tasks, scaled"
    assert plain.peak_mib is None, "the memory of two tasks is not that of five"
    assert fast.ratio == pytest.approx(plain.ms / fast.ms)


def test_a_mask_keeps_everything_but_other_heads() -> None:
    setting = settings.REGULARIZERS["resnet32"]
    kept = setting.kept(5)
    assert kept is not None and kept.shape == (5, 468_540)
    of_heads = 60 * 65
    assert kept[:, :-of_heads].all()
    assert kept[:, -of_heads:].sum(dim=1).tolist() == [10 * 65] * 5
    assert kept.sum(dim=0).max() == 5 and kept[:, -60:].sum(dim=0).tolist() == [1] * 50 + [0] * 10
    assert settings.REGULARIZERS["split_mnist"].kept(4) is None


def test_operations_of_split_mnist_are_those_counted_by_hand() -> None:
    network = settings.REGULARIZERS["split_mnist"].network()
    hidden = 192 * 10 + 10 * 10
    assert flops.generation_step(network) == 3 * 2 * 12 * (hidden + 10 * 42_000)
    assert flops.gram(step._layout(network), 4) == 4 * (42_000 + 48) * 11 * 21 + 6 * 48 * 10 * 10
    target = Mlp(Mlp.Options(name="mlp", hidden=(400, 400)), (28, 28), 10)
    layers = [784 * 400, 400 * 400, 400 * 2]
    assert flops.target_step(target, 128, head=2) == 2 * 128 * (3 * sum(layers) - layers[0])


def test_functions_are_timed_in_turns() -> None:
    order: list[str] = []
    ms, limit = interleaved({name: partial(order.append, name) for name in "ab"}, rounds=2)
    assert order == ["a", "a", "b", "b"] * 3, "one turn to warm up, two whose second calls count"
    assert set(ms) == {"a", "b"}
    assert limit > 1e5, "any machine makes more than 0.1 GFLOP/s"


@pytest.mark.slow
def test_the_command_prints_rows_as_json(mnist_root: Path) -> None:
    command = [sys.executable, "-m", "perf.step", "--json", "--setting", "split_mnist", "--rounds", "2"]
    found = subprocess.run([*command, "--data", str(mnist_root)], capture_output=True, text=True, check=True)
    rows: list[dict[str, Any]] = json.loads(found.stdout)
    assert all(set(row) == FIELDS for row in rows)
    assert {row["task"] for row in rows if row["what"] == "step"} == {1, 2, 3, 4, 5}
    assert torch.tensor([row["ms"] for row in rows]).isfinite().all()
