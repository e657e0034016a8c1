"""Memory a training takes, from counts: below what is really allocated, and never by making what is counted."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
import torch

from hnet_core.build import networks, stream_shape
from hnet_core.config_validation import parse_trial
from hnet_core.errors import UnsupportedTrial
from hnet_core.memory_estimate import in_words, memory_complaint, training_bytes
from hnet_core.registry import METHODS, TARGETS
from hnet_core.training import TrialRun
from hnet_core.trial import TrialConfig
from tests.hnet_core.tiny import TINY


def changed(**blocks: Any) -> TrialConfig:
    raw = copy.deepcopy(TINY)
    for name, changes in blocks.items():
        raw[name] = changes if name == "method" else {**raw.get(name, {}), **changes}
    return parse_trial(raw)


def needed(config: TrialConfig) -> int:
    shape = stream_shape(config)
    return training_bytes(config, shape, networks(config, shape).counts)


@pytest.mark.parametrize("method", METHODS)
def test_the_estimate_is_not_above_what_a_training_allocates(method: str) -> None:
    wide = {"hidden": [400, 400]}
    config = changed(method={"name": method}, target=wide, training={"iterations": 2, "batch_size": 8})
    with torch.profiler.profile(profile_memory=True, activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        run = TrialRun(config, seed=0)
        run.train_task()
    allocated = sum(max(0, event.self_cpu_memory_usage) for event in profile.events())
    assert 0 < needed(config) <= allocated


def test_more_weights_tasks_and_examples_take_more_memory() -> None:
    small = needed(changed())
    assert needed(changed(target={"hidden": [100]})) > small
    assert needed(changed(training={"batch_size": 1000, "iterations": 1000})) >= small + 8 * 10**6 - 8 * 1000
    plain = needed(changed(training={"engine": "plain"}, target={"hidden": [100, 100]}))
    assert plain > needed(changed(training={"engine": "fast"}, target={"hidden": [100, 100]}))


HUGE: dict[str, dict[str, Any]] = {
    "wide layers": {"target": {"hidden": [200_000_000, 200_000_000]}},
    "more weights than 64 bits count": {"target": {"hidden": [2**62, 2**62]}},
    "a wide hypernetwork": {"hypernet": {"hidden": [10**9, 10**9]}},
    "a huge chunk": {"hypernet": {"chunk_size": 10**12}},
    "huge embeddings": {"hypernet": {"task_embedding": 10**12}},
    "many tasks": {"stream": {"name": "permuted", "n_tasks": 10**7}},
    "huge batches": {"training": {"batch_size": 10**13}},
}


@pytest.mark.parametrize("name", HUGE)
def test_what_no_machine_holds_is_counted_and_refused_with_both_numbers(name: str) -> None:
    config = changed(**HUGE[name])
    shape = stream_shape(config)
    complaint = memory_complaint(config, shape, networks(config, shape).counts)
    assert complaint is not None
    assert re.search(r"at least [\d.e+]+ [TP]iB of memory .*, and there are [\d.]+ [MGT]iB", complaint)


@pytest.mark.parametrize("target", TARGETS)
def test_counting_weights_makes_no_tensor_of_the_size_of_the_network(target: str) -> None:
    stream = {"name": "split_cifar100", "n_tasks": 10}
    for method in METHODS:
        config = parse_trial({**TINY, "stream": stream, "method": {"name": method}, "target": {"name": target}})
        if impossible(config):
            continue
        with torch.profiler.profile(profile_memory=True, activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
            counts = networks(config, stream_shape(config)).counts
        assert all(event.self_cpu_memory_usage <= 0 for event in profile.events())
        assert counts.target > 0


def impossible(config: TrialConfig) -> bool:
    try:
        networks(config, stream_shape(config))
    except UnsupportedTrial:
        return True
    return False


def test_bytes_are_written_with_a_unit() -> None:
    assert [in_words(n) for n in (12, 2048, 3 * 2**30, 10**700)] == ["12 bytes", "2 KiB", "3 GiB", "8.882e+284 PiB"]
