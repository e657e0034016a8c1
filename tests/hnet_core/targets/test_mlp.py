from __future__ import annotations

import torch

from hnet_core.initialization import linear_layer
from hnet_core.targets.mlp import Mlp
from hnet_core.targets.target import ForwardMode
from hnet_core.training import TrialRun
from tests.hnet_core.tiny import tiny


def network(**options: float) -> Mlp:
    given = {"name": "mlp", "hidden": [50, 40], **options}
    return Mlp(Mlp.Options.model_validate(given), (30,), 4)


def mode(training: bool) -> ForwardMode:
    draws = torch.Generator().manual_seed(0)
    return ForwardMode(training=training, noise=lambda shape: torch.rand(shape, generator=draws))


def test_dropout_acts_in_training_only_and_keeps_the_mean() -> None:
    target = network(dropout_input=0.2, dropout_hidden=0.5)
    weights = target.initialize(torch.Generator().manual_seed(0), torch.float64)
    inputs = torch.ones(1, 30, dtype=torch.float64)
    whole = target.forward(inputs, weights, mode(training=False))
    assert torch.equal(whole, network().forward(inputs, weights))
    dropped = target.forward(inputs.expand(4000, -1), weights, mode(training=True))
    assert dropped.std(dim=0).min() > 0.05
    linear = network(activation="linear", dropout_input=0.2, dropout_hidden=0.5)  # type: ignore[arg-type]
    expected = linear.forward(inputs, weights)
    found = linear.forward(inputs.expand(20000, -1), weights, mode(training=True)).mean(dim=0)
    assert torch.allclose(found, expected[0], atol=0.05)


def test_parts_of_a_network_drop_out_what_the_network_does() -> None:
    target = network(dropout_input=0.2, dropout_hidden=0.5)
    weights = target.initialize(torch.Generator().manual_seed(0), torch.float64)
    inputs = torch.rand(6, 30, dtype=torch.float64)
    whole, front, back = mode(training=True), target.part(0, 1), target.part(1)
    in_parts = mode(training=True)
    features = front.forward(inputs, weights[: front.n_weights], in_parts)
    outputs = back.forward(features, weights[front.n_weights :], in_parts)
    assert torch.allclose(outputs, target.forward(inputs, weights, whole), rtol=1e-12)


def test_both_engines_drop_out_the_same_values() -> None:
    weights = []
    for engine in ("plain", "fast"):
        target = {"dropout_input": 0.2, "dropout_hidden": 0.5}
        run = TrialRun(tiny(target=target, training={"engine": engine}), seed=0, dtype=torch.float64)
        weights.append([*run.train_task().checkpoint["method"]["theta"]])
    for ours, theirs in zip(*weights, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-8, atol=1e-10)


def test_pytorch_is_another_name_of_kaiming_with_the_weights_of_a_linear_layer_of_torch() -> None:
    named, known = tiny(target={"initialization": "pytorch"}), tiny(target={"initialization": "kaiming"})
    assert named == known and named.hash() == known.hash()
    weight, bias = linear_layer(300, 100, "kaiming", torch.Generator().manual_seed(0), torch.float32)
    theirs = torch.nn.Linear(100, 300)
    for ours, other in ((weight, theirs.weight), (bias, theirs.bias)):
        assert float(ours.abs().max()) <= 0.1 and float(other.detach().abs().max()) <= 0.1
        assert abs(float(ours.std()) / float(other.detach().std()) - 1) < 0.15
