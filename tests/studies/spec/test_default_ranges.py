"""`default` as the range of a searched field."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from hnet_core.errors import ConfigInvalid
from studies.spec.document import parse_document
from studies.spec.loading import load_spec
from studies.spec.ranges import Choice, FloatRange
from tests.sweeps.tiny import tiny_spec


def test_default_takes_the_range_of_the_option_or_every_value_it_can_have() -> None:
    search: dict[str, Any] = {"method.beta_output": "default", "method.lookahead": "default"}
    spec = tiny_spec(search=search)
    beta, lookahead = spec.search["method.beta_output"], spec.search["method.lookahead"]
    assert isinstance(beta, FloatRange) and (beta.bounds, beta.log) == ((0.0005, 1.0), True)
    assert isinstance(lookahead, Choice) and lookahead.choice == ("adam", "sgd", "none")
    assert type(spec).model_validate(spec.to_dict()) == spec


def test_default_looks_into_families_too() -> None:
    families = {"masks": {"method": {"name": "hypermask"}}, "none": {}}
    search = {"method.mask_sparsity": "default"}
    assert tiny_spec(families=families, search=search).search["method.mask_sparsity"] == Choice(
        choice=(0, 30, 50, 70, 95), when={"family": ["masks"]}
    )


def test_an_option_without_a_range_of_its_own_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"hypernet\.hidden has no default range; give \{float: \[low, high\]\}"):
        tiny_spec(search={"hypernet.hidden": "default"})


YAML = """
study: s
trial:
  stream: {name: split, dataset: digits, n_tasks: 2}
  method: {name: hnet}
  target: {name: mlp, hidden: [5]}
  hypernet: {name: chunked, chunk_size: 50}
families:
  plain: {}
  masks: {method: {name: hypermask}}
search:
  training.lr: {choice: [0.1]}
  RANGE
budget: {trials: 2}
"""


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("method.sparsity: default", "method.sparsity: no family has an option method.sparsity; did you mean "
         "'method.mask_sparsity'? known: "),
        ("method.sparsity: {masks: default}", "method.sparsity[masks]: the family has no option method.sparsity; did "
         "you mean 'method.mask_sparsity'? "),
        ("methods.mask_sparsity: default", "did you mean 'method.mask_sparsity'? closest of "),
        ("training.lrr: default", "training.lrr: no family has an option training.lrr; did you mean 'training.lr'? "),
        ("training.momentum: default", "training.momentum has no default range; give {float: [low, high]}"),
        ("scenario: default", "scenario has no default range; give {float: [low, high]}"),
        ("hypernet.hidden: {plain: default}", "hypernet.hidden has no default range; give {float: [low, high]}"),
        ("task_inference.x: default", "default needs the task inference to be named in the trial block or a family"),
    ],
)  # fmt: skip
def test_a_default_without_a_range_is_explained_with_its_line(line: str, says: str) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        load_spec(parse_document(YAML.replace("RANGE", line), "s.yaml"), Path("unused"))
    assert str(refused.value).startswith("s.yaml:13: search.") and says in str(refused.value)


def test_a_default_without_a_range_hides_no_other_error() -> None:
    text = YAML.replace("RANGE", "method.sparsity: default\n  method.lookahead: {flaot: [0, 1]}").replace(
        "2}\n", "0}\n"
    )
    with pytest.raises(ConfigInvalid) as refused:
        load_spec(parse_document(text, "s.yaml"), Path("unused"))
    assert [line.split(": ")[1] for line in str(refused.value).splitlines()] == [
        "search.method.sparsity", "search.method.lookahead", "budget.trials",
    ]  # fmt: skip
