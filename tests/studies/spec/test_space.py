"""Families and conditions: the fields and the block of a trial, and the specs that are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import optuna
import pytest
import yaml

import studies
from hnet_core.errors import ConfigInvalid
from studies.spec.document import parse_document
from studies.spec.loading import load_spec
from studies.spec.spec import SweepSpec
from sweeps.runner import run_sweep
from sweeps.search.distributions import suggest
from tests.sweeps.tiny import SPEC, inline

# Three families on one stream, the form of the preset three_families.
FAMILIES: dict[str, Any] = {
    **SPEC,
    "trial": {key: SPEC["trial"][key] for key in ("stream", "target", "training")},
    "families": {
        "hnet": {"method": {"name": "hnet"}, "hypernet": SPEC["trial"]["hypernet"]},
        "plain": {"method": {"name": "finetune", "network": "target"}, "training": {"lr": 0.01}},
        "bound": {"method": {"name": "joint"}, "training": {"iterations": 1}},
    },
    "search": {
        "method.beta_output": {"float": [0.001, 1.0], "log": True, "when": {"family": "hnet"}},
        "hypernet.chunk_size": {"int": [20, 200], "log": True, "when": {"method.name": ["hnet"]}},
        "training.lr": {"float": [0.001, 0.01], "when": {"method.name": ["hnet", "finetune"]}},
    },
    "sampler": "tpe",
    "seeds": 1,
    "budget": {"trials": 9},
}


def families(**changes: Any) -> SweepSpec:
    return SweepSpec.model_validate({**FAMILIES, **changes})


def load(content: dict[str, Any]) -> SweepSpec:
    return load_spec(parse_document(yaml.safe_dump(content, sort_keys=False), "f.yaml"), Path("unused"))


def test_a_family_replaces_a_block_of_another_name_and_is_merged_into_the_rest() -> None:
    spec = families()
    config = spec.config({"family": "plain"})
    assert (config.method.name, config.hypernet, config.training.lr) == ("finetune", None, 0.01)
    assert config.training.iterations == 3
    assert spec.config().method.name == "hnet"
    assert "families" not in spec.space.place({"family": "bound"})


def test_a_trial_has_exactly_the_fields_whose_conditions_hold() -> None:
    spec = families()
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    expected = {
        "hnet": {"family", "method.beta_output", "hypernet.chunk_size", "training.lr"},
        "plain": {"family", "training.lr"},
        "bound": {"family"},
    }
    seen = set()
    for _ in range(20):
        params = suggest(spec.space, study.ask())
        assert set(params) == expected[params["family"]]
        assert spec.config(params).method.name == {"plain": "finetune", "bound": "joint"}.get(params["family"], "hnet")
        seen.add(params["family"])
    assert seen == set(expected)


@pytest.mark.parametrize("sampler", ["tpe", "nsga2", "gp"])
def test_a_conditional_sweep_is_resumable_and_leaves_fields_out_of_play_empty(tmp_path: Path, sampler: str) -> None:
    url = str(tmp_path / "runs.db")
    run_sweep(families(sampler=sampler, budget={"trials": 3}), url, backend=inline)
    outcome = run_sweep(families(sampler=sampler, budget={"trials": 5}), url, backend=inline)
    assert (outcome.counters.asked, outcome.counters.failed) == (5, 0)
    trials = studies.open(url).trials("tiny")
    assert trials.loc[trials["family"] != "hnet", ["method.beta_output", "hypernet.chunk_size"]].isna().all(axis=None)
    assert trials.loc[trials["family"] == "hnet", ["method.beta_output", "hypernet.chunk_size"]].notna().all(axis=None)
    assert set(trials["method"]) <= {"hnet", "finetune", "joint"}


def test_a_grid_counts_a_field_only_where_it_is_in_play(tmp_path: Path) -> None:
    search = {
        "method.beta_output": {"choice": [0.01, 0.1, 1.0], "when": {"family": "hnet"}},
        "training.lr": {"choice": [0.001, 0.01], "when": {"method.name": ["finetune"]}},
    }
    spec = families(search=search, sampler="grid", budget={"trials": 50})
    assert spec.planned_trials == 3 + 2 + 1
    url = str(tmp_path / "runs.db")
    run_sweep(spec, url, backend=inline)
    rows = studies.open(url).ledger("tiny")
    assert [row["params"] for row in rows] == spec.space.grid()
    assert {row["state"] for row in rows} == {"COMPLETE"}


def test_a_condition_can_depend_on_a_conditional_field_and_on_a_number() -> None:
    search = {
        "method.regularized_tasks": {"int": [1, 3], "when": {"method.lookahead": "none"}},
        "method.lookahead": {"choice": ["adam", "none"], "when": {"method.name": "hnet"}},
        "training.batch_size": {"choice": [8, 16], "when": {"method.regularized_tasks": [2, 3]}},
    }
    spec = load({**SPEC, "search": search, "sampler": "grid", "budget": {"trials": 1}, **_stepped(search)})
    points = spec.space.grid()
    assert points is not None
    assert {point["method.lookahead"] for point in points if "method.regularized_tasks" in point} == {"none"}
    assert sum("training.batch_size" in point for point in points) == 4
    assert len(points) == 1 + 1 + 4


def _stepped(search: dict[str, Any]) -> dict[str, Any]:
    field = {**search["method.regularized_tasks"], "step": 1}
    return {"search": {**search, "method.regularized_tasks": field}}


def test_a_spec_with_families_survives_the_database() -> None:
    spec = load(FAMILIES)
    assert SweepSpec.model_validate(spec.to_dict()) == spec
    assert next(iter(spec.to_dict()["search"])) == "family"
    chosen = families(search={"family": {"choice": ["bound", "plain"]}, "training.batch_size": {"int": [4, 8]}})
    assert chosen.config().method.name == "joint"


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "condition that never holds": (
        {"search": {"method.beta_output": {"float": [0.1, 1.0], "when": {"method.name": "hypermsk"}}}},
        r"f\.yaml:\d+: search\.method\.beta_output\.when: never holds: in no trial method\.name is hypermsk",
    ),
    "field of another family": (
        {"search": {"method.beta_output": {"float": [0.1, 1.0]}}},
        r"search\.method\.beta_output: unknown key 'beta_output'.*\(family bound; restrict .* when: \{family: NAME\}",
    ),
    "circle": (
        {"search": {"training.lr": {"float": [0.1, 1.0], "when": {"training.batch_size": 8}},
                    "training.batch_size": {"choice": [8], "when": {"training.lr": 0.1}}}},
        r"search\.training\.lr: conditions refer to each other in a circle: training\.lr, training\.batch_size",
    ),
    "empty condition": (
        {"search": {"training.lr": {"float": [0.1, 1.0], "when": {}}}},
        r"search\.training\.lr.*must be a mapping such as \{method\.name: hypermask\}",
    ),
    "mistake in a family": (
        {"families": {"one": {"method": {"name": "hnt"}}, "two": {"method": {"name": "joint"}}}, "search": {}},
        r"f\.yaml:\d+: families\.one\.method\.name: unknown method 'hnt'; did you mean",
    ),
    "unknown family": (
        {"search": {"family": {"choice": ["hnet", "bond"]}}}, r"search\.family: unknown family 'bond'; did you mean"
    ),
    "no families": (
        {"families": {}, "trial": SPEC["trial"], "search": {"family": {"choice": ["hnet"]}}},
        r"search\.family: must choose among families, and there are none",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_condition_or_family_is_refused_where_it_stands(name: str) -> None:
    changes, says = WRONG[name]
    with pytest.raises(ConfigInvalid, match=says):
        load({**FAMILIES, **changes})


def test_a_sweep_over_families_alone_compares_them(tmp_path: Path) -> None:
    spec = load({**FAMILIES, "search": {}, "sampler": "grid"})
    assert run_sweep(spec, str(tmp_path / "runs.db"), backend=inline).counters.complete == 3
