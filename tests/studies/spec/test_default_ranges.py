"""`default` as the range of a searched field."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from hnet_core.errors import ConfigInvalid
from studies.spec.document import parse_document
from studies.spec.loading import load_spec
from studies.spec.ranges import Choice, FloatRange, IntRange
from studies.spec.reachability import doubts, probes
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


@pytest.mark.parametrize("hidden", [[], [5], [400, 400]])
def test_the_default_chunk_sizes_go_from_200_chunks_to_one(hidden: list[int]) -> None:
    spec = tiny_spec(
        trial={**tiny_spec().trial, "target": {"name": "mlp", "hidden": hidden}},
        search={"hypernet.chunk_size": "default"},
    )
    sizes = spec.search["hypernet.chunk_size"]
    n_weights = sum(n_in * n_out + n_out for n_in, n_out in itertools.pairwise([64, *hidden, 10]))
    assert isinstance(sizes, IntRange) and sizes.log
    assert sizes.bounds == (math.ceil(n_weights / 200), n_weights)
    assert [probe.counts.target for probe in probes(spec.space, Path("unused"))] == [n_weights] * 3
    assert not doubts(spec, Path("unused")), "no output is cut off"


def test_the_default_chunk_sizes_of_an_own_data_set_are_read_from_the_data(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    for part in ("train", "test"):
        images = np.zeros((20, 6, 5), np.uint8)
        np.savez(tmp_path / "own" / f"{part}.npz", images=images, labels=np.arange(20) % 4)
    text = YAML.replace("RANGE", "hypernet.chunk_size: default").replace("digits", "own")
    spec = load_spec(parse_document(text, "s.yaml"), tmp_path)
    ranges = {key: one for key, one in spec.search.items() if isinstance(one, IntRange)}
    assert {key: one.bounds for key, one in ranges.items()} == {
        "hypernet.chunk_size[plain]": (1, 30 * 5 + 5 + 5 * 4 + 4),  # a head for each of two tasks
        "hypernet.chunk_size[masks]": (1, 30 * 5 + 5 + 5 * 2 + 2),  # one head
    }


def test_a_trial_that_leaves_a_size_open_has_the_default_chunk_sizes_of_the_option() -> None:
    trial = {**tiny_spec().trial, "target": {"name": "mlp"}}
    search = {"hypernet.chunk_size": "default", "target.hidden": {"choice": [[5], [6]]}}
    sizes = tiny_spec(trial={**trial, "stream": {"name": "split"}}, search=search).search["hypernet.chunk_size"]
    assert isinstance(sizes, IntRange) and sizes.bounds == (100, 50_000)


def test_a_stored_range_of_chunk_sizes_is_read_back_as_it_is() -> None:
    stored = {**tiny_spec().to_dict(), "search": {"hypernet.chunk_size": {"int": [100, 50_000], "log": True}}}
    assert type(tiny_spec()).model_validate(stored).to_dict() == stored


def test_a_default_without_a_range_hides_no_other_error() -> None:
    text = YAML.replace("RANGE", "method.sparsity: default\n  method.lookahead: {flaot: [0, 1]}").replace(
        "2}\n", "0}\n"
    )
    with pytest.raises(ConfigInvalid) as refused:
        load_spec(parse_document(text, "s.yaml"), Path("unused"))
    assert [line.split(": ")[1] for line in str(refused.value).splitlines()] == [
        "search.method.sparsity", "search.method.lookahead", "budget.trials",
    ]  # fmt: skip
