"""The replay methods as a whole: they keep earlier classes, and both engines train the same networks."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.utils._pytree import tree_leaves

from hnet_core.build import networks, stream_shape
from hnet_core.errors import UnsupportedTrial
from hnet_core.generators.generator import TINY
from hnet_core.training import TrialRun, run_trial
from tests.hnet_core.tiny import tiny

VAE: dict[str, Any] = {"name": "vae", "encoder": [8], **TINY}
METHODS: list[dict[str, Any]] = [
    {"name": "hnet_replay", "generator": VAE},
    {"name": "real_replay"},
    {"name": "generative_replay", "generator": {"name": "vae", "encoder": [8], "decoder": [6], "latent": 3}},
]


@pytest.mark.parametrize("scenario", ["task", "domain", "class"])
@pytest.mark.parametrize("method", METHODS, ids=lambda method: method["name"])
def test_both_engines_train_the_same_networks(method: dict[str, Any], scenario: str) -> None:
    found = []
    for engine in ("plain", "fast"):
        training = {"iterations": 4, "engine": engine}
        config = tiny(method=method, training=training).model_copy(update={"scenario": scenario})
        run = TrialRun(config, seed=0, dtype=torch.float64)
        for _ in range(3):
            checkpoint = run.train_task().checkpoint
        found.append(tree_leaves(checkpoint["method"]))
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-8)


def test_rehearsal_keeps_the_classes_of_earlier_tasks_in_scenario_class() -> None:
    last = {}
    for name in ("finetune", "real_replay"):
        config = tiny(method={"name": name}, training={"iterations": 60}).model_copy(update={"scenario": "class"})
        last[name] = [value or 0.0 for value in run_trial(config, 0).test[-1][:4]]
    assert max(last["finetune"]) < 0.1
    assert min(last["real_replay"]) > 0.3


@pytest.mark.slow
def test_samples_of_a_protected_generator_keep_the_classes_of_earlier_tasks() -> None:
    generator = {"name": "vae", "encoder": [40], "decoder": [40], "latent": 8, "condition_size": 4, "beta_output": 0.1}
    hypernet = {**TINY["hypernet"], "hidden": [10], "task_embedding": 8, "chunk_embedding": 8, "chunk_size": 700}
    method = {"name": "hnet_replay", "generator": {**generator, "hypernet": hypernet, "iterations": 250}}
    config = tiny(method=method, training={"iterations": 60, "lr": 0.005}).model_copy(update={"scenario": "class"})
    rows = run_trial(config, 0).test
    assert sum(value or 0.0 for value in rows[-1][:4]) > 0.6  # 0 without rehearsal


def test_a_generator_needs_pixels_and_an_earlier_task() -> None:
    method = {"name": "hnet_replay", "generator": VAE}
    for stream, reason in (
        ({"normalization": "mnist"}, "got stream.normalization mnist; set it to none"),
        ({"n_tasks": 1}, "the stream has a single one"),
        ({"name": "polynomials"}, "generates images"),
    ):
        config = tiny(method=method, stream=stream)
        with pytest.raises(UnsupportedTrial, match=reason):
            networks(config, stream_shape(config))


def test_deep_generative_replay_refuses_a_generator_that_tells_tasks_apart() -> None:
    config = tiny(method={"name": "generative_replay", "generator": {"name": "vae", "condition": "one_hot"}})
    with pytest.raises(UnsupportedTrial, match="must have hypernet null and condition none"):
        networks(config, stream_shape(config))


def test_the_generator_counts_as_memory_not_as_model() -> None:
    config = tiny(method={"name": "hnet_replay"})
    counts = networks(config, stream_shape(config)).counts
    assert counts.model == counts.target
    assert counts.generator_hypernet > 0
    encoder = 64 * 400 + 400 + 400 * 400 + 400 + 400 * 200 + 200
    assert counts.memory_bytes == 4 * (counts.generator_hypernet + encoder)
