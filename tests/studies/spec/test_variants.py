"""Variants of presets and of one's own specs."""

from __future__ import annotations

from pathlib import Path

import pytest

from hnet_core.errors import ConfigInvalid, NotFound
from studies.spec.loading import load_spec
from sweeps.presets import open_document, preset_names, preset_summary

SPEC = """
study: mine
trial:
  stream: {name: split, dataset: digits, n_tasks: 5}
  method: {name: hnet}
  target: {name: mlp, hidden: [10]}
  hypernet: {name: chunked, chunk_size: 100}
search:
  method.beta_output: {choice: [0.1, 0.2]}
budget: {trials: 4}
variants:
  smoke: {budget.trials: 2, training.iterations: 3, search.hypernet.chunk_size: {choice: [50]}}
  wrong: {method.beta_output: -1, bugdet.trials: 2}
  invalid: {method.beta_output: -1}
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(SPEC)
    return path


def test_a_variant_changes_dotted_fields_and_names_a_study_of_its_own(spec: Path) -> None:
    whole, smoke = (load_spec(open_document(f"{spec}{ending}"), Path()) for ending in ("", ":smoke"))
    assert (whole.study, whole.budget.trials, list(whole.search)) == ("mine", 4, ["method.beta_output"])
    assert (smoke.study, smoke.budget.trials) == ("mine_smoke", 2)
    assert smoke.config().training.iterations == 3
    assert list(smoke.search) == ["method.beta_output", "hypernet.chunk_size"]


def test_a_variant_that_is_not_there_is_refused_with_those_that_are(spec: Path) -> None:
    with pytest.raises(NotFound, match="has no variant 'smok'; did you mean 'smoke'"):
        open_document(f"{spec}:smok")


def test_errors_in_a_variant_name_its_line(spec: Path) -> None:
    with pytest.raises(ConfigInvalid, match=r"mine\.yaml:13: unknown key 'bugdet'; did you mean 'budget'"):
        open_document(f"{spec}:wrong")
    with pytest.raises(ConfigInvalid, match=r"mine\.yaml:14: trial\.method\.beta_output: must be greater"):
        load_spec(open_document(f"{spec}:invalid"), Path())


def test_a_variant_and_a_file_may_have_colons_in_their_names(tmp_path: Path) -> None:
    path = tmp_path / "a:b.yaml"
    path.write_text(SPEC.replace("  smoke:", "  quick:2: {budget.trials: 2}\n  smoke:"))
    assert open_document(f"{path}:quick:2").content["budget"] == {"trials": 2}
    assert open_document(f"{path}:smoke").content["study"] == "mine_smoke"
    assert open_document(str(path)).content["study"] == "mine"
    with pytest.raises(NotFound, match="has no variant 'quick'; did you mean 'quick:2'"):
        open_document(f"{path}:quick")
    with pytest.raises(NotFound, match="has no variant ''"):
        open_document(f"{path}:")
    with pytest.raises(NotFound, match="'quickstrt' is neither a file nor a preset; did you mean 'quickstart'"):
        open_document("quickstrt:smoke:2")
    with pytest.raises(NotFound, match=r"'vonoswald2020:table1' is no preset; .*: hnet benchmark run TABLE"):
        open_document("vonoswald2020:table1")


@pytest.mark.parametrize("name", preset_names())
def test_the_summary_of_a_preset_is_a_whole_sentence_whatever_its_lines(name: str) -> None:
    summary = preset_summary(name)
    head = " ".join(line.lstrip("# ") for line in open_document(name).text.splitlines() if line.startswith("#"))
    assert head.startswith(f"{summary}.")
    assert "#" not in summary and not summary.endswith((",", ".", " and"))
