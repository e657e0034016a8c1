"""HyperMask against a slow, obvious version of its loss in float64, and its two engines against each other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from hnet_core.build import networks, stream_shape
from hnet_core.config_validation import parse_trial
from hnet_core.data import data_root
from hnet_core.engines.masked_fast import FastMaskedStep
from hnet_core.engines.masked_plain import PlainMaskedStep
from hnet_core.errors import UnsupportedTrial
from hnet_core.registry import STREAMS
from hnet_core.seeding import generator
from hnet_core.streams.stream import StreamShape, mini_batches
from hnet_core.training import TrialRun, run_trial
from hnet_core.trial import TrialConfig
from tests.hnet_core.obvious_adam import ObviousAdam
from tests.hnet_core.tiny import tiny

TASKS, STEPS = 3, 5
FULL = {"name": "full", "hidden": [6], "task_embedding": 4}
READINGS: dict[str, dict[str, Any]] = {
    "official code": {},
    "signed masks": {"mask_values": "signed"},
    "one division": {"output_division": 1},
    "l2 norm": {"target_norm": "l2"},
    "all weights held": {"target_norm_masked": False},
    "embeddings held": {"previous_embeddings": False},
    "no ramp": {"sparsity_ramp": False},
    "no regularisers": {"beta_output": 0.0, "lambda_target": 0.0},
}


def masked(engine: str = "auto", hypernet: dict[str, Any] | None = None, **options: Any) -> TrialConfig:
    method = {"name": "hypermask", "mask_sparsity": 40, "beta_output": 0.05, "lambda_target": 0.01, **options}
    training = {"iterations": STEPS, "batch_size": 8, "engine": engine}
    return tiny(method=method, hypernet=hypernet or {}, training=training)


def trained(config: TrialConfig) -> list[Tensor]:
    run = TrialRun(config, seed=1, dtype=torch.float64)
    for _ in range(TASKS):
        state = run.train_task().checkpoint["method"]
    return [*state["theta"], *state["embeddings"], state["flat"]]


def obvious_weights(config: TrialConfig) -> list[Tensor]:
    """Return theta, embeddings and W after training, sharing only data, initial values and the forward passes."""
    options: Any = config.method
    stream = STREAMS["split"].open(config.stream, data_root())
    parts = networks(config, stream_shape(config))
    assert parts.hypernet is not None
    hypernet, target = parts.hypernet, parts.target
    initial = TrialRun(config, seed=1, dtype=torch.float64)._method.state()
    theta, embeddings, w = [*initial["theta"]], [*initial["embeddings"]], initial["flat"]
    sizes = [int(np.prod(shape)) for shape in target.shapes]
    for task in range(TASKS):
        before = [hypernet.generate(theta, embeddings[j][None])[0] for j in range(task)]
        w_before = w
        movable = range(task + 1) if options.previous_embeddings else range(task, task + 1)
        parameters = [*theta, *(embeddings[j] for j in movable), w]
        adam = ObviousAdam(parameters, config.training.lr)
        split = stream.tasks[task].train
        batches = mini_batches(len(split), config.training.batch_size, STEPS, generator(1, "batches", task))
        for step, index in enumerate(batches):
            x, y = split.batch(index, torch.float64)
            ramped = task == 0 and options.sparsity_ramp
            p = options.mask_sparsity * (step + 1) / STEPS if ramped else options.mask_sparsity
            leaves = [part.clone().requires_grad_() for part in parameters]
            th, es, w_leaf = leaves[: len(theta)], dict(zip(movable, leaves[len(theta) : -1], strict=True)), leaves[-1]
            loss, reg = torch.zeros((), dtype=torch.float64), []
            logits = hypernet.generate(th, es[task][None])[0]
            pieces = []
            for n, (h, piece, old) in enumerate(
                zip(logits.split(sizes), w_leaf.split(sizes), w_before.split(sizes), strict=True)
            ):
                m = h.tanh()
                last = n == len(sizes) - 1
                threshold = np.percentile(m.detach().abs().numpy(), p)  # linear interpolation
                if not last:
                    m = torch.where(m.detach().abs() >= threshold, m, 0.0)
                if options.mask_values == "absolute":
                    m = m.abs()
                pieces.append(piece if last else piece * m)
                change = (piece - old) * m if options.target_norm_masked else piece - old
                reg.append(change.abs().sum() if options.target_norm == "l1" else change.square().sum().sqrt())
            scores = target.forward(x, torch.cat(pieces))
            loss = -torch.log_softmax(scores, dim=1)[torch.arange(len(y)), y].mean()
            if task > 0:
                drift = sum(
                    ((hypernet.generate(th, es.get(j, embeddings[j])[None])[0] - before[j]) ** 2).sum()
                    for j in range(task)
                )
                loss = loss + options.beta_output * drift / task**options.output_division
                if step or options.target_norm == "l1":  # the l2 norm has no gradient at zero: none is taken
                    loss = loss + options.lambda_target * sum(reg)
            gradients = torch.autograd.grad(loss, leaves, allow_unused=True)
            found = [torch.zeros_like(p) if g is None else g for g, p in zip(gradients, parameters, strict=True)]
            parameters = [p + c for p, c in zip(parameters, adam.change(found, keep=True), strict=True)]
            theta, w = parameters[: len(theta)], parameters[-1]
            for j, e in zip(movable, parameters[len(theta) : -1], strict=True):
                embeddings[j] = e
    return [*theta, *embeddings, w]


@pytest.mark.parametrize("engine", ["plain", "fast"])
@pytest.mark.parametrize("reading", READINGS.values(), ids=READINGS)
def test_training_follows_the_loss_step_by_step(reading: dict[str, Any], engine: str) -> None:
    config = masked(engine, FULL, **reading)
    for mine, obvious in zip(trained(config), obvious_weights(config), strict=True):
        torch.testing.assert_close(mine, obvious, rtol=1e-8, atol=1e-11)


@pytest.mark.parametrize("chunk_size", [9, 100], ids=["many chunks", "few chunks"])
@pytest.mark.parametrize("reading", [{}, {"previous_embeddings": False}], ids=["trained", "held"])
def test_a_chunked_mask_hypernetwork_trains_alike_with_both_engines(reading: dict[str, Any], chunk_size: int) -> None:
    plain, fast = (trained(masked(engine, {"chunk_size": chunk_size}, **reading)) for engine in ("plain", "fast"))
    for ours, theirs in zip(fast, plain, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-12)


def test_without_a_hidden_layer_embeddings_of_previous_tasks_need_the_plain_engine() -> None:
    linear = {"hidden": []}
    assert isinstance(engine_of(masked("auto", linear)), PlainMaskedStep)
    assert isinstance(engine_of(masked("auto", linear, previous_embeddings=False)), FastMaskedStep)
    with pytest.raises(UnsupportedTrial, match="through hidden layers only; use auto or plain"):
        engine_of(masked("fast", linear))


def engine_of(config: TrialConfig) -> object:
    method: Any = TrialRun(config, seed=0)._method
    return method._engine


# stream, hidden layers of the target, of the hypernet, task embedding; target weights, hypernet weights
PUBLISHED = {
    "split MNIST": (
        {"name": "split", "dataset": "mnist", "n_tasks": 5}, [400, 400], [25, 25], 128, 475_202, 12_359_767,
    ),
    "PermutedMNIST-10": (
        {"name": "permuted", "dataset": "mnist", "n_tasks": 10, "padding": 2, "permute_first": True},
        [1000, 1000], [100, 100], 24, 2_036_010, 205_649_850,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PUBLISHED)
def test_weight_counts_are_those_of_the_official_settings(name: str) -> None:
    stream, hidden, hypernet, embedding, target, masks = PUBLISHED[name]
    config = parse_trial(
        {
            "stream": stream,
            "method": {"name": "hypermask"},
            "target": {"name": "mlp", "hidden": hidden},
            "hypernet": {"name": "full", "hidden": hypernet, "task_embedding": embedding},
        }
    )
    counts = networks(config, stream_shape(config)).counts
    assert (counts.target, counts.hypernet, counts.model) == (target, masks, masks + target)


@pytest.mark.parametrize(
    ("network", "n_target", "n_masks"),
    [({"name": "resnet20", "width": 2}, 1_070_250, 107_825_910), ({"name": "zenkenet"}, 1_250_858, 126_342_038)],
    ids=["resnet20", "zenkenet"],
)
def test_weight_counts_of_convolutional_targets_are_those_of_the_official_code(
    network: dict[str, Any], n_target: int, n_masks: int
) -> None:
    """10 x 10 classes of CIFAR-100; scales and shifts of the ResNet have no mask."""
    config = parse_trial(
        {
            "stream": {"name": "split", "dataset": "cifar100", "n_tasks": 10},
            "method": {"name": "hypermask"},
            "target": network,
            "hypernet": {"name": "full", "hidden": [100], "task_embedding": 48},
        }
    )
    shape = StreamShape(10, (32, 32, 3), 10, shared_head=True)
    counts = networks(config, shape).counts
    assert (counts.target, counts.hypernet) == (n_target, n_masks)


def test_weight_counts_of_zenkenet_on_tiny_imagenet_are_those_of_the_official_code() -> None:
    """40 x 5 classes at 64 pixels, HyperMask's generator for them."""
    config = parse_trial(
        {
            "stream": {"name": "split_tiny_imagenet", "n_tasks": 40, "image_size": 64, "normalization": "imagenet"},
            "method": {"name": "hypermask"},
            "target": {"name": "zenkenet64"},
            "hypernet": {"name": "full", "hidden": [100, 100], "task_embedding": 96},
        }
    )
    counts = networks(config, StreamShape(40, (64, 64, 3), 5, shared_head=True)).counts
    assert (counts.target, counts.hypernet) == (175_301, 17_729_041)


@pytest.mark.slow
def test_masks_and_weights_are_held_in_place_by_the_regularisers() -> None:
    """On real images: earlier tasks are kept with the regularisers, and forgotten without."""
    training = {"iterations": 150, "lr": 0.003}
    hypernet = {"name": "full", "hidden": [10], "task_embedding": 8, "activation": "elu", "initialization": "kaiming"}

    def final(**options: Any) -> float:
        config = tiny(method={"name": "hypermask", **options}, training=training, hypernet=hypernet)
        return sum(value or 0.0 for value in run_trial(config, seed=0).test[-1]) / 5

    held, free = final(), final(beta_output=0.0, lambda_target=0.0)
    assert held > free + 0.02, (held, free)
    assert held > 0.9
