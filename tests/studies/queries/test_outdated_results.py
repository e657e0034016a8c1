"""Results with the batch statistics of earlier versions are found, and a study that has some is not continued."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, update

from hnet_core.configuration.normalization_choice import had_wrong_statistics, with_normalization
from hnet_core.registry import METHODS, TARGETS
from studies.database.schema import trial
from studies.queries.studies import Studies
from tests.hnet_core.tiny import tiny
from tests.studies.sample import sample_study

CASES: list[tuple[dict[str, Any], str, str, bool]] = [
    ({"name": "finetune"}, "slim_resnet18", "task", True),
    ({"name": "ewc"}, "resnet32", "task", True),
    ({"name": "latent_replay"}, "slim_resnet18", "task", True),
    ({"name": "hnet", "beta_output": 0}, "resnet32", "task", True),
    ({"name": "scratch"}, "resnet32", "running", True),
    ({"name": "hnet", "beta_output": 0.01}, "resnet32", "task", False),
    ({"name": "finetune"}, "resnet32", "running", False),
    ({"name": "finetune"}, "zenkenet", "task", False),
    ({"name": "finetune"}, "mlp", "task", False),
    ({"name": "scratch"}, "resnet32", "task", False),
]


@pytest.mark.parametrize(("method", "target", "normalization", "is_wrong"), CASES)
def test_stored_configurations_of_weights_that_moved_on_are_named(
    method: dict[str, Any], target: str, normalization: str, is_wrong: bool
) -> None:
    config = {"method": method, "target": {"name": target, "normalization": normalization}}
    assert (had_wrong_statistics(config) is not None) == is_wrong


@pytest.mark.parametrize(
    ("method", "asked", "chosen"),
    [
        ({"name": "hnet"}, "auto", "task"),
        ({"name": "hnet", "beta_output": 0.0}, "auto", "running"),
        ({"name": "finetune"}, "auto", "running"),
        ({"name": "ewc"}, "auto", "running"),
        ({"name": "latent_replay"}, "auto", "running"),
        ({"name": "joint"}, "auto", "running"),
        ({"name": "scratch"}, "auto", "task"),
        ({"name": "scratch"}, "running", "task"),
        ({"name": "finetune"}, "batch", "batch"),
    ],
)
def test_the_normalisation_follows_the_method(method: dict[str, Any], asked: str, chosen: str) -> None:
    of_method = METHODS[method["name"]].Options.model_validate(method)
    of_target = TARGETS["resnet32"].Options.model_validate({"name": "resnet32", "normalization": asked})
    assert getattr(with_normalization(of_target, of_method), "normalization", None) == chosen


@pytest.mark.parametrize(("beta_output", "n_wrong"), [(0, 1), (0.0, 1), (0.01, 0), ("high", 0), (None, 0)])
def test_stored_trials_are_counted_whatever_an_import_calls_a_setting(
    engine: Engine, beta_output: object, n_wrong: int
) -> None:
    sample_study(engine, 1, name="kept")
    config = {
        "method": {"name": "hnet", "beta_output": beta_output},
        "target": {"name": "resnet32", "normalization": "task"},
    }
    with engine.begin() as connection:
        connection.execute(update(trial).values(config=config))
    assert sum(Studies(engine).outdated_results("kept").values()) == n_wrong


@pytest.mark.parametrize(
    ("beta_output", "state", "is_earlier", "n_wrong"),
    [(0, "COMPLETE", True, 1), (0.0, "RUNNING", True, 1), (0, "COMPLETE", False, 0), (0.5, "COMPLETE", True, 0)],
)
def test_trials_under_a_hash_from_before_a_correction_are_counted(
    beta_output: float, state: str, is_earlier: bool, n_wrong: int, engine: Engine
) -> None:
    sample_study(engine, 1, name="kept")
    method = {"name": "partial_hnet", "beta_output": beta_output}
    config = tiny(method=method, target={"name": "mlp", "hidden": [4]}, hypernet={"name": "full"})
    earlier = next(iter(config.earlier_hashes()), config.hash())
    stored = {"config": config.model_dump(mode="json"), "config_hash": earlier if is_earlier else config.hash()}
    with engine.begin() as connection:
        connection.execute(update(trial).values(**stored, state=state))
    assert sum(Studies(engine).outdated_results("kept").values()) == n_wrong


def test_only_corrected_configurations_have_another_hash_than_before() -> None:
    def hashes(**method: Any) -> tuple[str, list[str]]:
        blocks = {"target": {"name": "mlp", "hidden": [4]}, "hypernet": {"name": "full", "hidden": [4]}}
        config = tiny(method=method, **blocks)
        return config.hash(), list(config.earlier_hashes())

    assert hashes(name="partial_hnet", beta_output=0) == ("8ff5273a35a6df45", ["1712db27a3f596bb"])
    assert hashes(name="partial_hnet", beta_output=0.5) == ("0953c6e230d0bbcf", [])
    assert hashes(name="hnet", beta_output=0) == ("ae7f66fc486ea703", [])
