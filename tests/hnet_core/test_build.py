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
