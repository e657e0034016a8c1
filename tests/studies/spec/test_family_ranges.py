"""Ranges by family: each is a searched field of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import optuna
import pytest

import studies
from hnet_core.errors import ConfigInvalid
from studies.spec.deviations import deviations
from studies.spec.document import parse_document
from studies.spec.loading import load_spec
from studies.spec.ranges import Choice, FloatRange
from studies.spec.spec import SweepSpec
from sweeps.runner import run_sweep
from sweeps.search.distributions import suggest
from tests.sweeps.tiny import inline, tiny_spec

FAMILIES: dict[str, Any] = {
    "plain": {"method": {"name": "hnet"}},
    "masks": {"method": {"name": "hypermask", "mask_sparsity": 30}},
    "parts": {"method": {"name": "partial_hnet"}},
    "none": {"method": {"name": "finetune"}},
}
BY_FAMILY: dict[str, Any] = {
    "plain": {"float": [0.01, 0.1], "log": True},
    "masks": {"choice": [1.0, 2.0], "when": {"method.mask_sparsity": 30}},
}
YAML = """
study: s
trial:
  stream: {name: split, dataset: digits, n_tasks: 2}
  method: {name: hnet}
  target: {name: mlp, hidden: [5]}
  hypernet: {name: chunked, chunk_size: 50}
families:
  one: {}
  other: {method: {name: hypermask}}
search:
  method.beta_output:
    one: {float: [0.01, 0.1]}
    RANGE
budget: {trials: 2}
"""


def spec_of(search: dict[str, Any]) -> SweepSpec:
    return tiny_spec(families=FAMILIES, search=search)


def test_each_family_has_a_range_of_its_own_and_the_others_keep_their_value() -> None:
    spec = spec_of({"method.beta_output": BY_FAMILY})
    drawn = {}
    for name in FAMILIES:
        study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
        study.enqueue_trial({"family": name})
        drawn[name] = suggest(spec.space, study.ask())
    assert {name: [key for key in params if key != "family"] for name, params in drawn.items()} == {
        "plain": ["method.beta_output[plain]"], "masks": ["method.beta_output[masks]"], "parts": [], "none": [],
    }  # fmt: skip
    beta = {name: getattr(spec.config(params).method, "beta_output", None) for name, params in drawn.items()}
    assert 0.01 <= beta["plain"] <= 0.1 and beta["masks"] in (1.0, 2.0) and (beta["parts"], beta["none"]) == (0.5, None)


def test_a_condition_of_the_range_is_kept_beside_that_of_the_family() -> None:
    spec = spec_of({"method.mask_sparsity": {"masks": {"choice": [0, 30]}}, "method.beta_output": BY_FAMILY})
    assert spec.search["method.beta_output[masks]"].when == {"family": ("masks",), "method.mask_sparsity": (30,)}
    assert SweepSpec.model_validate(spec.to_dict()) == spec, "a stored spec is read back as it is"


def test_default_gives_families_with_different_ranges_each_its_own() -> None:
    search = spec_of({"method.beta_output": "default", "method.freeze_depth": "default"}).search
    assert list(search) == [
        "family", "method.beta_output[plain]", "method.beta_output[masks]", "method.beta_output[parts]",
        "method.freeze_depth",
    ]  # fmt: skip
    assert isinstance(search["method.beta_output[masks]"], FloatRange)
    assert search["method.beta_output[masks]"].bounds == (0.0001, 1.0)
    assert search["method.freeze_depth"] == Choice(choice=(0, 1), when={"family": ["parts"]})
    one = spec_of({"method.beta_output": {"masks": "default"}}).search
    assert list(one) == ["family", "method.beta_output[masks]"]


@pytest.mark.parametrize(
    ("target", "depths"),
    [
        ({"name": "mlp", "hidden": [4, 4, 4]}, 3),
        ({"name": "resnet20"}, 3),
        ({"name": "slim_resnet18"}, 4),
        ({"name": "zenkenet64"}, 2),
    ],
)
def test_the_default_freeze_depths_are_those_the_target_has(target: dict[str, Any], depths: int) -> None:
    trial = {**tiny_spec().trial, "method": {"name": "partial_hnet"}, "target": target}
    assert tiny_spec(trial=trial, search={"method.freeze_depth": "default"}).search["method.freeze_depth"] == Choice(
        choice=tuple(range(depths + 1))
    )


@pytest.mark.parametrize(
    "key", ["method.beta_output", "hypernet.task_embedding", "hypernet.chunk_embedding", "hypernet.chunk_size"]
)
def test_every_axis_of_a_chunked_hypernetwork_has_a_default_range(key: str) -> None:
    assert tiny_spec(search={key: "default"}).space.fields[key].examples()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("other: {float: [2, 1]}", r"s\.yaml:14: search\..*\[other\].*: low must be below high"),
        ("other: {choice: [0.1, -1]}", r"s\.yaml:14: search\..*\[other\]: must be greater than or equal to 0"),
        ("third: {float: [1, 2]}", r"s\.yaml:14: search\..*\[third\]: unknown family 'third'; did you mean 'other'\?"),
        ("othr: default", r"s\.yaml:14: .*\[othr\]: unknown family 'othr'; did you mean 'other'\?"),
        ("float: [1, 2]", r"s\.yaml:13: search\.method\.beta_output\.one: unknown key"),
    ],
)
def test_a_wrong_range_of_a_family_is_named_with_its_line(text: str, says: str) -> None:
    with pytest.raises(ConfigInvalid, match=says):
        load_spec(parse_document(YAML.replace("RANGE", text), "s.yaml"), Path("unused"))


@pytest.mark.parametrize("value", ["{othr: default}", "{othr: {float: [1, 2]}, third: default}"])
def test_an_unknown_family_is_named_where_no_other_family_is(value: str) -> None:
    text = YAML[: YAML.index("    one:")].rstrip() + f" {value}\nbudget: {{trials: 2}}\n"
    with pytest.raises(ConfigInvalid, match=r"s\.yaml:12: .*: unknown family 'othr'; did you mean 'other'\?"):
        load_spec(parse_document(text, "s.yaml"), Path("unused"))
    alone = text.replace(text[text.index("families") : text.index("search")], "")
    with pytest.raises(ConfigInvalid, match=r"s\.yaml:9: .*: unknown family 'othr'; the spec has no families"):
        load_spec(parse_document(alone, "s.yaml"), Path("unused"))


def test_a_sweep_stores_each_range_as_a_parameter_that_queries_name(tmp_path: Path) -> None:
    families = {"plain": {"method": {"name": "hnet"}}, "masks": {"method": {"name": "hypermask"}}}
    search = {"method.beta_output": {"plain": {"choice": [0.1, 0.2]}, "masks": {"choice": [1.0, 2.0]}}}
    spec = tiny_spec(families=families, search=search, sampler="grid", budget={"trials": 9})
    url = str(tmp_path / "runs.db")
    run_sweep(spec, url, backend=inline)
    opened = studies.open(url)
    trials = opened.trials("tiny")
    assert trials["method.beta_output[masks]"].dropna().tolist() == [1.0, 2.0]
    assert trials["method.beta_output[plain]"].isna().tolist() == [False, False, True, True]
    found = opened.trials("tiny", where="method.beta_output[masks] > 1.5")
    assert found["number"].tolist() == [3]


def test_a_reduction_is_found_in_the_range_of_a_family() -> None:
    search = {"method.beta_output": BY_FAMILY}
    spec = tiny_spec(families=FAMILIES, search=search, paper={"cite": "x", "settings": {"method.beta_output": 0.5}})
    assert [one.actual for one in deviations(spec.to_dict())] == [0.01]
