"""A sweep and its report name the same settings as reduced against the paper."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reports.analysis.provenance import paper_check
from studies.spec.deviations import Deviation, deviations, reductions
from studies.spec.loading import load_spec
from sweeps.presets import open_document
from tests.sweeps.tiny import tiny_spec

ROOT = Path(__file__).parents[3]
PRESETS = sorted(path.stem for path in (ROOT / "sweeps" / "presets").glob("*.yaml"))


def published(**settings: float) -> dict[str, Any]:
    return {"cite": "A paper (2020)", "settings": settings}


@pytest.mark.parametrize("preset", PRESETS)
def test_a_sweep_and_its_report_agree_on_what_is_reduced(preset: str) -> None:
    spec = load_spec(open_document(preset), ROOT)
    assert tuple(reductions(spec)) == paper_check(spec.to_dict()).reduced


def test_a_searched_setting_counts_at_its_lowest_value() -> None:
    spec = tiny_spec(
        search={"training.batch_size": {"int": [16, 64]}, "method.beta_output": {"choice": [0.01, 0.1]}},
        paper=published(**{"training.batch_size": 32, "method.beta_output": 0.01}),
    )
    assert reductions(spec) == ["training.batch_size 16 instead of 32"]
    assert deviations(spec.to_dict()) == [Deviation("training.batch_size", 16, 32)]


def test_a_setting_of_families_counts_at_the_lowest_of_those_searched() -> None:
    families = {"short": {"training": {"iterations": 10}}, "long": {"training": {"iterations": 50}}, "unused": {}}
    spec = {
        "trial": {"training": {"iterations": 99}},
        "families": families,
        "search": {"family": {"choice": ["short", "long"]}},
        "paper": published(**{"training.iterations": 40}),
    }
    assert [str(one) for one in deviations(spec)] == ["training.iterations 10 instead of 40"]
    spec["search"] = {"family": {"choice": ["long"]}}
    assert [str(one) for one in deviations(spec)] == ["training.iterations 50, the paper has 40"]


def test_a_setting_that_is_not_set_differs_and_is_not_reduced() -> None:
    (found,) = deviations({"trial": {}, "paper": published(**{"training.iterations": 40})})
    assert str(found) == "training.iterations is not set, the paper has 40"
    assert not found.is_reduction
