"""The check before training: it refuses what training refuses, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hnet_core import build
from hnet_core.build import networks, stream_shape
from hnet_core.errors import ConfigInvalid, UnsupportedTrial
from hnet_core.registry import METHODS
from hnet_core.training import TrialRun
from hnet_core.trial import TrialConfig
from tests.hnet_core.tiny import tiny

ROOT = Path("unused")
METHOD_BLOCKS = [
    {"name": name, **options, **({"lookahead": "none"} if name == "hnet" and not options else {})}
    for name, method in METHODS.items()
    for options in method.tested_options
]
TRAININGS: dict[str, dict[str, Any]] = {
    "adam": {},
    "adam, kept": {"reset_optimizer": False},
    "adam, decay": {"weight_decay": 0.1},
    "rmsprop": {"optimizer": "rmsprop"},
}


@pytest.mark.parametrize("training", TRAININGS.values(), ids=TRAININGS)
@pytest.mark.parametrize("method", METHOD_BLOCKS, ids=lambda one: "-".join(map(str, one.values())))
def test_engine_fast_is_refused_before_training_exactly_where_training_refuses_it(
    method: dict[str, Any], training: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    block = {**training, "engine": "fast", "iterations": 1}
    config = tiny(method=method, training=block, stream={"n_tasks": 2})
    refused = _refusal(config)
    monkeypatch.setattr(build, "picked", lambda *_: "plain")
    if refused is None or str(refused).startswith("training.engine fast"):
        try:
            TrialRun(config, 0).train_task()
            trains = True
        except UnsupportedTrial:
            trains = False
        assert trains == (refused is None), refused


def _refusal(config: TrialConfig) -> ConfigInvalid | None:
    try:
        networks(config, stream_shape(config, ROOT))
    except ConfigInvalid as error:
        return error
    return None


@pytest.mark.parametrize("name", ["vae", "gan"])
def test_a_generated_decoder_needs_the_plain_engine_where_optimisers_are_kept(name: str) -> None:
    generator = {"name": name, "decoder": [8], "hypernet": {"name": "chunked", "chunk_size": 100}}
    config = tiny(
        method={"name": "hnet_replay", "generator": generator},
        stream={"n_tasks": 2},
        training={"engine": "fast", "reset_optimizer": False},
    )
    refused = _refusal(config)
    assert refused is not None and "generator by training.engine fast: it makes a new optimiser" in str(refused)


@pytest.mark.parametrize(
    ("training", "key"),
    [
        ({"select": "best_validation"}, "training.select"),
        ({"schedule": {"plateau": {}}}, "training.schedule"),
        ({"engine": "fast", "weight_decay": 0.1}, "training.engine"),
    ],
)
def test_a_refused_training_names_its_key(training: dict[str, Any], key: str) -> None:
    refused = _refusal(tiny(training=training, stream={"validation": 0}))
    assert refused is not None and refused.key == key


@pytest.mark.parametrize("changes", [{"adam_beta1": 0.5}, {"adam_beta2": 0.9}])
@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop"])
def test_moments_of_adam_are_refused_with_another_optimiser(optimizer: str, changes: dict[str, float]) -> None:
    (key, value), method = next(iter(changes.items())), {"name": "finetune"}
    refused = _refusal(tiny(method=method, training={"optimizer": optimizer, **changes}))
    assert refused is not None and refused.key == f"training.{key}"
    assert str(refused) == f"training.{key} must be left out with optimizer {optimizer}, got {value}."
    assert _refusal(tiny(method=method, training=changes)) is None


def test_a_stored_configuration_with_the_default_moments_is_accepted_with_every_optimiser() -> None:
    config = tiny(method={"name": "finetune"}, training={"optimizer": "sgd", "momentum": 0.9})
    stored = config.model_dump(mode="json")
    assert stored["training"]["adam_beta1"] == 0.9
    assert _refusal(TrialConfig.model_validate(stored)) is None
    other = {**stored, "training": {**stored["training"], "adam_beta1": 0.5}}
    assert TrialConfig.model_validate(other).training.adam_beta1 == 0.5, "of an old study it can still be read"


def test_a_generator_is_trained_by_adam_whatever_trains_the_classifier() -> None:
    training = {"optimizer": "sgd", "adam_beta1": 0.5}
    method = {"name": "hnet_replay", **METHODS["hnet_replay"].tested_options[0]}
    assert _refusal(tiny(method=method, training=training, stream={"n_tasks": 2})) is None
