"""Specs of two studies side by side: a default that is written out is no difference."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path
from typing import Any

from hnet_core import trained_model
from hnet_core.training import TrialRun
from studies.comparing.configurations import differences
from studies.spec.continuation import fixed_part, with_defaults
from studies.spec.spec import SweepSpec
from tests.hnet_core.tiny import tiny
from tests.sweeps.tiny import SPEC, tiny_spec


def stored(**trial: Any) -> dict[str, Any]:
    content = copy.deepcopy(SPEC)
    for block, changes in trial.items():
        content["trial"][block] = {**content["trial"].get(block, {}), **changes}
    return SweepSpec.model_validate(content).to_dict()


def test_a_default_that_is_written_out_is_no_difference_and_another_value_is() -> None:
    plain = stored()
    written = stored(training={"lr": 0.001, "threads": 1}, method={"lookahead": "adam"}, target={"activation": "relu"})
    other = stored(training={"lr": 0.01})
    assert differences(plain, written)
    assert differences(with_defaults(plain), with_defaults(written)) == []
    (row,) = differences(with_defaults(plain), with_defaults(other))
    assert row == {"key": "trial.training.lr", "a": 0.001, "b": 0.01}


def test_a_spec_stored_before_an_option_existed_has_its_default() -> None:
    older = stored()
    del older["racing"], older["limits"]
    assert differences(with_defaults(older), with_defaults(stored())) == []


def test_families_are_compared_as_the_blocks_they_make() -> None:
    def families(base: dict[str, Any], plain: dict[str, Any]) -> dict[str, Any]:
        content = {**copy.deepcopy(SPEC), "families": {"plain": plain}, "search": {"training.lr": {"choice": [0.1]}}}
        content["trial"] |= base
        return SweepSpec.model_validate(content).to_dict()

    inherited = families({"method": {"name": "hnet", "beta_output": 0.5}}, {"method": {"name": "hnet"}})
    said = families({"method": {"name": "hnet", "beta_output": 0.5}}, {"method": {"beta_output": 0.5}})
    other = families({"method": {"name": "hnet", "beta_output": 0.5}}, {"method": {"beta_output": 0.01}})
    assert differences(with_defaults(inherited), with_defaults(said)) == []
    (row,) = differences(with_defaults(said), with_defaults(other))
    assert (row["key"], row["a"], row["b"]) == ("families.plain.method.beta_output", 0.5, 0.01)


def test_a_spec_that_is_none_of_a_sweep_is_left_as_it_is() -> None:
    imported = {"study": "theirs", "imported": True}
    assert with_defaults(imported) == imported


def test_a_study_is_continued_with_the_model_it_was_started_with(tmp_path: Path) -> None:
    def model(name: str, iterations: int) -> Path:
        run = TrialRun(tiny(method={"name": "finetune"}, training={"iterations": iterations}), seed=0)
        while not run.finished:
            report = run.train_task()
        trained_model.save(tmp_path / name, run._config, run._shape, report.checkpoint)
        return tmp_path / name

    def kept(path: Path, **changes: object) -> dict[str, object]:
        method = {"name": "latent_replay", "start_from": str(path), **changes}
        spec = tiny_spec(trial={**SPEC["trial"], "method": method}, search={"method.freeze_depth": {"choice": [0, 1]}})
        return dict(fixed_part(spec.to_dict()))

    first = kept(model("blocks.pt", 1))
    shutil.copy(tmp_path / "blocks.pt", tmp_path / "moved.pt")
    assert kept(tmp_path / "moved.pt") == first
    assert kept(model("blocks.pt", 2)) != first
    families = {"one": {"method": {"start_from": str(tmp_path / "moved.pt")}}}
    trial = {**SPEC["trial"], "method": {"name": "latent_replay"}}
    pinned = tiny_spec(trial=trial, families=families, search={"method.freeze_depth": {"choice": [0, 1]}}).families
    assert len(pinned["one"]["method"]["start_checksum"]) == 16
