from __future__ import annotations

from typing import Any

import pytest
import torch

from hnet_core.build import networks
from hnet_core.data import data_root
from hnet_core.methods.latent_replay import LatentReplay
from hnet_core.methods.replay_buffer import ReplayBuffer
from hnet_core.problem import Problem
from hnet_core.registry import STREAMS
from hnet_core.seeding import generator
from hnet_core.streams import Stream
from hnet_core.targets.slim_resnet18 import SlimResnet18
from hnet_core.training import run_trial
from tests.hnet_core.tiny import tiny

MIB = 2**20


def test_replay_memory_is_that_of_the_paper() -> None:
    """Table 6: 200 features of every depth; it prints 4x16x16 for depth 2, the number is that of 40x16x16."""
    target = SlimResnet18(SlimResnet18.Options(name="slim_resnet18"), (32, 32, 3), 5)
    sizes = []
    for depth in range(5):
        options = LatentReplay.Options(name="latent_replay", freeze_depth=depth, buffer_size=200)
        sizes.append(round(LatentReplay.replay_bytes(options, target) / MIB, 3))
    assert sizes == [2.344, 15.625, 7.812, 3.906, 1.953]


def test_the_buffer_is_balanced_over_classes_and_never_larger_than_its_size() -> None:
    buffer, draws = ReplayBuffer(20, torch.device("cpu")), generator(0)
    for task in range(3):
        labels = torch.arange(60) % 2
        n_classes = 2 * (task + 1)
        index = buffer.chosen(labels, n_classes, draws)
        buffer.add(index.float().unsqueeze(1), labels[index], task, n_classes)
        _, kept, tasks = buffer.draw(100, draws)
        per_class = [int(((kept == label) & (tasks == t)).sum()) for t in range(task + 1) for label in range(2)]
        assert per_class == [20 // n_classes] * n_classes


def made(**options: object) -> tuple[LatentReplay, Stream]:
    config = tiny(method={"name": "latent_replay", "buffer_size": 20, **options})
    stream: Stream = STREAMS[config.stream.name].open(config.stream, data_root())
    parts = networks(config, stream.shape)
    problem = Problem(stream.shape, parts.target, None, config.training, 0, torch.device("cpu"), torch.float64)
    return LatentReplay(config.method, problem), stream


def test_replayed_examples_are_judged_by_the_head_of_their_own_task() -> None:
    """An oracle: the mean over replayed examples one by one."""
    method, stream = made(freeze_depth=1)
    for task in (0, 1):
        method.start_task(task)
        method.step(task, *stream.tasks[task].train.batch(slice(0, 8), torch.float64))
        method.end_task(task, stream.tasks[task].train)
    method._draws = generator(5)
    found = method._replay_loss(2)
    features, labels, tasks = method.buffer.draw(64, generator(5))
    losses = [
        method.problem.task_loss(int(task), method.source.flat, x.unsqueeze(0), label.unsqueeze(0))
        for x, label, task in zip(features, labels, tasks, strict=True)
    ]
    assert set(tasks.tolist()) == {0, 1}
    assert torch.allclose(found, torch.stack(losses).mean())


@pytest.mark.slow
def test_replay_keeps_what_fine_tuning_forgets() -> None:
    training = {"iterations": 150, "lr": 0.005}
    replayed = run_trial(tiny(method={"name": "latent_replay", "buffer_size": 100}, training=training), seed=0)
    unprotected = run_trial(tiny(method={"name": "latent_replay", "buffer_size": 0}, training=training), seed=0)
    ours, theirs = (sum(v for v in r.test[-1] if v is not None) / 5 for r in (replayed, unprotected))
    assert ours > theirs + 0.05


@pytest.mark.parametrize("coefficient", [0.0, 1.0])
def test_without_a_buffer_it_is_fine_tuning(coefficient: float) -> None:
    frozen = tiny(method={"name": "latent_replay", "buffer_size": 0, "coefficient": coefficient})
    plain = run_trial(tiny(method={"name": "naive"}, training={"engine": "plain"}), seed=0)
    for ours, theirs in zip(run_trial(frozen, seed=0).test[0], plain.test[0], strict=True):
        assert ours == theirs


def test_passes_over_the_buffer_use_every_example_once_in_full_batches() -> None:
    buffer, draws = ReplayBuffer(10, torch.device("cpu")), generator(0)
    buffer.add(torch.arange(10.0).unsqueeze(1), torch.arange(10), 0, 10)
    batches = buffer.passes(4, draws)
    for _ in range(3):
        first, second = (next(batches)[1].tolist() for _ in range(2))
        assert len(set(first + second)) == 8, "the two examples left over wait for another pass"
    assert sorted(next(buffer.passes(64, draws))[1].tolist()) == list(range(10))


def test_a_coefficient_of_0_trains_as_without_a_buffer() -> None:
    def final(**options: Any) -> Any:
        method = {"name": "latent_replay", "freeze_depth": 1, **options}
        return run_trial(tiny(method=method, training={"iterations": 4}), 0).test

    assert final(coefficient=0.0) == final(buffer_size=0) != final(coefficient=1.0)
    assert final(coefficient=1.0, replay_order="passes", replay_batch_size=8) != final(replay_batch_size=8)
