"""Every trial is counted once, and failures are grouped by their reasons."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.analysis.trial_outcomes import trial_outcomes
from reports.data.trial import Trial
from studies.spec.loading import load_spec
from studies.spec.spec import SweepSpec
from sweeps.presets import open_document
from tests.reports.cases import SPEC, make_study_data, make_trial

STATES = ["COMPLETE", "COMPLETE", "COMPLETE", "FAILED", "FAILED", "FAILED", "SKIPPED", "RUNNING", "PRUNED"]
REASONS = {3: "out of memory at step 12", 4: "NaN", 5: "out of memory at step 900", 6: "ratio 1.2 must be <= 1.0"}


def trials() -> list[Trial]:
    made = [make_trial(i, 0.5, 0.9, state=state, reason=REASONS.get(i)) for i, state in enumerate(STATES)]
    made[1] = make_trial(1, 0.5, 0.9, n=2)
    made[2] = make_trial(2, 0.5, 0.9, duplicate_of=0)
    return made


def test_outcomes_add_up_to_the_trials_and_those_not_started() -> None:
    found = trial_outcomes(make_study_data(trials(), spec={**SPEC, "budget": {"trials": 10}}))
    assert found.counts == {
        "complete": 2, "duplicate": 1, "pruned": 1, "failed": 3, "skipped": 1, "running": 1, "not started": 3,
    }  # fmt: skip
    assert found.sentence == (
        "7 of 10 planned trials asked for: 2 complete, 1 pruned, 3 failed, 1 running. "
        "Not counted by the budget: 1 duplicate, 1 skipped."
    )


def test_a_budget_of_hours_plans_no_number_of_trials() -> None:
    found = trial_outcomes(make_study_data(trials(), spec={**SPEC, "budget": {"hours": 2}}))
    assert found.planned is None
    assert "not started" not in found.counts
    assert found.sentence.startswith("7 trials asked for, with no number planned: ")


def test_a_grid_plans_no_more_trials_than_it_has_points() -> None:
    search = {"a.x": {"choice": [1, 2]}, "a.y": {"float": [0.0, 0.3], "step": 0.1}, "a.z": {"int": [1, 5], "step": 2}}
    spec = {**SPEC, "sampler": "grid", "search": search}
    assert trial_outcomes(make_study_data(trials(), spec={**spec, "budget": {"hours": 1}})).planned == 24
    assert trial_outcomes(make_study_data(trials(), spec={**spec, "budget": {"trials": 100}})).planned == 24
    assert trial_outcomes(make_study_data(trials(), spec={**spec, "budget": {"trials": 9}})).planned == 9


@pytest.mark.parametrize(("preset", "size"), [("partial_hnet_cifar100", 12), ("partial_hnet_cifar100:reduced", 10)])
def test_a_field_out_of_play_does_not_multiply_the_grid(preset: str, size: int) -> None:
    spec = load_spec(open_document(preset), Path("unused"))
    points = spec.space.grid()
    assert points is not None
    every = {**spec.to_dict(), "budget": {"hours": 1.0}}
    assert trial_outcomes(make_study_data(trials(), spec=every)).planned == len(points) == size
    fixed = {**every, "enqueue": [points[0], points[-1], points[0]]}  # points of the grid too, and suggested once
    assert trial_outcomes(make_study_data(trials(), spec=fixed)).planned == size


def test_conditions_on_what_a_family_brings_are_counted_as_the_sweep_does() -> None:
    search = {
        "method.beta_output": {"float": [0.0, 0.4], "step": 0.1, "when": {"method.name": "hnet"}},
        "training.lr": {"choice": [0.1, 0.2], "when": {"method.beta_output": [0.1, 0.2]}},
    }
    content = {
        "study": "s",
        "trial": {"stream": {"name": "split"}, "method": {"name": "hnet"}},
        "families": {"protects": {"method": {"name": "hnet"}}, "forgets": {"method": {"name": "finetune"}}},
        "search": search,
        "sampler": "grid",
        "budget": {"hours": 1.0},
    }
    spec = SweepSpec.model_validate(content)
    points = spec.space.grid()
    assert points is not None
    assert trial_outcomes(make_study_data(trials(), spec=spec.to_dict())).planned == len(points) == 5 + 2 + 1


def test_reasons_that_differ_only_in_numbers_are_one_group() -> None:
    reasons = trial_outcomes(make_study_data(trials())).reasons
    assert [(r.state, r.example, r.numbers) for r in reasons[:2]] == [
        ("failed", "out of memory at step 12", (3, 5)),
        ("failed", "NaN", (4,)),
    ]
    assert {r.state for r in reasons[2:]} == {"skipped", "pruned"}


def test_long_reasons_and_long_lists_are_cut() -> None:
    many = [make_trial(i, 0.5, 0.9, state="FAILED", reason="x" * 10_000) for i in range(40)]
    reason = trial_outcomes(make_study_data(many)).reasons[0]
    assert len(reason.example) < 320
    assert reason.listed.endswith("11 and 28 more")


def test_seeds_of_configurations_are_counted_and_gaps_noticed() -> None:
    found = trial_outcomes(make_study_data(trials()))
    assert found.seeds == [(3, 1), (2, 1)]
    assert found.has_uneven_seeds
    assert found.running == [7]
