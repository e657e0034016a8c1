"""TF32 is off where differences of weights are formed, and unchanged elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pkgutil import resolve_name
from typing import Any

import pytest
import torch

from hnet_core.runtime.precision import full_float32
from hnet_core.training import TrialRun
from tests.hnet_core.tiny import tiny


@pytest.fixture
def tf32() -> Iterator[None]:
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high")
    yield
    torch.set_float32_matmul_precision(before)


def precisions() -> tuple[str, str]:
    mkldnn: Any = torch.backends.mkldnn
    return torch.backends.cuda.matmul.fp32_precision, mkldnn.matmul.fp32_precision


def test_it_is_switched_off_inside_and_what_it_was_outside_even_after_an_error(tf32: None) -> None:
    assert precisions() == ("tf32", "tf32")
    with pytest.raises(KeyError), full_float32():
        assert precisions() == ("ieee", "ieee")
        raise KeyError
    assert precisions() == ("tf32", "tf32")
    assert torch.get_float32_matmul_precision() == "high"


@pytest.mark.parametrize(
    ("engine", "watched"),
    [
        ("plain", "hnet_core.regularizers.output.OutputRegularizer._drift"),
        ("plain", "hnet_core.regularizers.output.OutputRegularizer._generate"),
        ("fast", "hnet_core.engines.output_drift.gram.Gram.add_gradient"),
        ("fast", "hnet_core.engines.output_drift.previous_tasks._last_layer_inputs"),
    ],
)
def test_both_engines_form_differences_without_it(
    engine: str, watched: str, tf32: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: set[tuple[str, str]] = set()
    original = resolve_name(watched)

    def noted(*arguments: Any, **options: Any) -> Any:
        seen.add(precisions())
        return original(*arguments, **options)

    monkeypatch.setattr(watched, noted)
    config = tiny(training={"engine": engine, "iterations": 2, "regularizer_form": "gram"})
    run = TrialRun(config, seed=0)
    for _ in range(2):
        run.train_task()
    assert seen == {("ieee", "ieee")}
    assert precisions() == ("tf32", "tf32")
