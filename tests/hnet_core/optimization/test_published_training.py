"""Every option of the training block against a slow, obvious training loop with torch.optim in float64."""

from __future__ import annotations

import copy
import functools
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from hnet_core.errors import UnsupportedTrial
from hnet_core.registry import METHODS
from hnet_core.seeding import generator
from hnet_core.stacked import StackedRuns
from hnet_core.streams import Split
from hnet_core.training import TrialRun
from hnet_core.trial import TrialConfig
from tests.hnet_core.checkpoints import packed, unpacked
from tests.hnet_core.tiny import tiny

TASKS, SEED = 3, 1
PERMUTED = {"name": "permuted", "dataset": "digits", "n_tasks": 3}
EPOCHS = {"iterations": None, "epochs": 2, "batch_size": 64}
STEPS = {"schedule": {"after": [1, 2], "factors": [0.3, 0.05]}}
PLATEAU = {"schedule": {"plateau": {"factor": 0.5, "patience": 0, "threshold": 0.02, "min_lr": 0.001}}}
BOTH_ENGINES: dict[str, dict[str, Any]] = {
    "epochs": {"training": EPOCHS},
    "epochs without the last batch": {"training": {**EPOCHS, "drop_last": True}},
    "iterations without the last batch": {"training": {"iterations": 9, "batch_size": 60, "drop_last": True}},
    "iterations with a short last batch": {"training": {"iterations": 9, "batch_size": 60, "drop_last": False}},
    "factors after epochs": {"training": {**EPOCHS, "epochs": 3, **STEPS}},
    "factors after iterations": {"training": {"iterations": 4, **STEPS}},
    "factors and an sgd look-ahead": {"training": {**EPOCHS, "epochs": 3, **STEPS}, "method": {"lookahead": "sgd"}},
    "plateau": {"training": {**EPOCHS, "epochs": 5, **PLATEAU}},
    "best on validation": {
        "training": {"iterations": 12, "lr": 0.05, "select": "best_validation", "validation_every": 2}
    },
    "best on validation of epochs, plateau": {
        "training": {**EPOCHS, "epochs": 5, **PLATEAU, "lr": 0.05, "select": "best_validation"}
    },
    "soft targets": {"stream": PERMUTED, "training": {"label_smoothing": 0.05}},
    "soft targets of two classes": {"training": {"label_smoothing": 0.1}},
}
PLAIN_ENGINE: dict[str, dict[str, Any]] = {
    "sgd": {"training": {"optimizer": "sgd", "momentum": 0.9, "weight_decay": 0.01}, "method": {"lookahead": "sgd"}},
    "sgd, schedule": {"training": {"optimizer": "sgd", "iterations": 4, **STEPS}, "method": {"lookahead": "none"}},
    "rmsprop": {
        "training": {"optimizer": "rmsprop", "momentum": 0.5, "rmsprop_alpha": 0.9},
        "method": {"lookahead": "none"},
    },
    "rmsprop, weight decay": {
        "training": {"optimizer": "rmsprop", "weight_decay": 0.1, "lr": 0.001},
        "method": {"lookahead": "sgd"},
    },
    "adam with weight decay": {"training": {"weight_decay": 0.1}},
    "adam that is kept": {"training": {"reset_optimizer": False}},
    "adam that is kept, schedule": {"training": {"reset_optimizer": False, "iterations": 4, **STEPS}},
    "sgd that is kept": {
        "training": {"optimizer": "sgd", "momentum": 0.9, "reset_optimizer": False},
        "method": {"lookahead": "none"},
    },
}
CASES = [(engine, name) for name in BOTH_ENGINES for engine in ("plain", "fast")]
CASES += [("plain", name) for name in PLAIN_ENGINE]
ALL = {**BOTH_ENGINES, **PLAIN_ENGINE}


def configured(engine: str, changes: dict[str, dict[str, Any]]) -> TrialConfig:
    training = {**changes.get("training", {}), "engine": engine}
    return tiny(**{"method": {"beta_output": 0.3}, **changes, "training": training})


def trained(config: TrialConfig, n_tasks: int = TASKS) -> list[Tensor]:
    run = TrialRun(config, SEED, dtype=torch.float64)
    for _ in range(n_tasks):
        state = run.train_task().checkpoint["method"]
    return [*state["theta"], *state["embeddings"]]


@pytest.mark.parametrize(("engine", "name"), CASES)
def test_weights_after_3_tasks_are_those_of_the_obvious_loop(engine: str, name: str) -> None:
    for ours, obvious in zip(trained(configured(engine, ALL[name])), expected(name), strict=True):
        torch.testing.assert_close(ours, obvious, rtol=1e-9, atol=1e-11)


@functools.cache
def expected(name: str) -> list[Tensor]:
    """Return the obvious weights of a case, which are the same for every engine."""
    return obvious_weights(configured("plain", ALL[name]))


def obvious_weights(config: TrialConfig) -> list[Tensor]:
    """Return theta and embeddings, sharing only data, initial values and the networks' forward passes."""
    training = config.training
    run = TrialRun(config, SEED, dtype=torch.float64)
    stream, shape, target = run._stream, run._shape, run._problem.target
    hypernet = run._problem.hypernet
    assert hypernet is not None
    initial = METHODS["hnet"](config.method, run._problem).state()
    theta = [part.clone().requires_grad_() for part in initial["theta"]]
    embeddings = [part.clone().requires_grad_() for part in initial["embeddings"]]
    optimizer = None

    def outputs(inputs: Tensor, task: int) -> Tensor:
        weights = hypernet.generate(theta, embeddings[task].unsqueeze(0))[0]
        return target.forward(inputs, weights)[:, shape.head(task)]

    for task in range(TASKS):
        split, held_out = stream.tasks[task].train, stream.tasks[task].validation
        assert held_out is not None
        before = [hypernet.generate(theta, embeddings[j].unsqueeze(0)).detach() for j in range(task)]
        if optimizer is None or training.reset_optimizer:
            optimizer = obvious_optimizer(config, [*theta, *embeddings])
        lr, best, seen, since_best = training.lr, None, None, 0
        steps = obvious_batches(config, split, task)
        n_units = len(steps) // (training.epochs or len(steps))
        every = (training.validation_every or (1 if training.epochs else 100)) * n_units
        for done, index in enumerate(steps):
            if training.schedule is not None and training.plateau is None:
                begun = sum(done // n_units >= begin for begin in training.schedule.after)
                past = training.schedule.factors[:begun]
                lr = training.lr * (past[-1] if past else 1.0)
            optimizer.param_groups[0]["lr"] = lr
            x, y = split.batch(index, torch.float64)
            log_p = torch.log_softmax(outputs(x, task), dim=1)
            soft = torch.full_like(log_p, training.label_smoothing / (log_p.shape[1] - 1))
            soft[torch.arange(len(y)), y] = 1 - training.label_smoothing
            gradients = list(torch.autograd.grad(-(soft * log_p).sum() / len(y), [*theta, embeddings[task]]))
            if task:
                ahead = obvious_lookahead(config, optimizer, theta, gradients[:-1], lr)
                drift = sum(
                    ((hypernet.generate(ahead, embeddings[j].detach().unsqueeze(0)) - before[j]) ** 2).sum()
                    for j in range(task)
                )
                penalty = torch.autograd.grad(config.method.beta_output * drift / task, ahead)  # type: ignore[attr-defined]
                gradients = [*(a + b for a, b in zip(gradients, penalty, strict=False)), gradients[-1]]
            optimizer.zero_grad()
            for part, gradient in zip([*theta, embeddings[task]], gradients, strict=True):
                part.grad = gradient
            optimizer.step()
            if training.validates and ((done + 1) % every == 0 or done + 1 == len(steps)):
                x, y = held_out.batch(slice(None), torch.float64)
                accuracy = float((outputs(x, task).argmax(dim=1) == y).double().mean())
                if training.plateau is not None:
                    if seen is None or accuracy > seen * (1 + training.plateau.threshold):
                        seen, since_best = accuracy, 0
                    else:
                        since_best += 1
                    if since_best > training.plateau.patience:
                        lr, since_best = max(lr * training.plateau.factor, training.plateau.min_lr), 0
                if best is None or accuracy > best[0]:
                    best = accuracy, [part.detach().clone() for part in [*theta, embeddings[task]]]
        if training.select == "best_validation":
            assert best is not None
            with torch.no_grad():
                for part, value in zip([*theta, embeddings[task]], best[1], strict=True):
                    part.copy_(value)
    return [part.detach() for part in [*theta, *embeddings]]


def obvious_optimizer(config: TrialConfig, parameters: list[Tensor]) -> torch.optim.Optimizer:
    training = config.training
    kind: Any = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD, "rmsprop": torch.optim.RMSprop}[training.optimizer]
    momentum = {} if training.optimizer == "adam" else {"momentum": training.momentum}
    if training.optimizer == "rmsprop":
        momentum["alpha"] = training.rmsprop_alpha
    made: torch.optim.Optimizer = kind(parameters, lr=training.lr, weight_decay=training.weight_decay, **momentum)
    return made


def obvious_lookahead(
    config: TrialConfig, optimizer: torch.optim.Optimizer, theta: list[Tensor], gradients: list[Tensor], lr: float
) -> list[Tensor]:
    """Return theta after a step of a copy of the optimiser, or of gradient descent, or none."""
    lookahead = config.method.lookahead  # type: ignore[attr-defined]
    if lookahead == "adam":
        trial = copy.deepcopy(optimizer)
        parts: list[Tensor] = trial.param_groups[0]["params"]
        trial.zero_grad()
        for part, gradient in zip(parts, gradients, strict=False):
            part.grad = gradient.clone()
        trial.step()
        return [part.detach().requires_grad_() for part in parts[: len(theta)]]
    step = lr if lookahead == "sgd" else 0.0
    return [(part - step * gradient).detach().requires_grad_() for part, gradient in zip(theta, gradients, strict=True)]


def obvious_batches(config: TrialConfig, split: Split, task: int) -> list[Tensor]:
    training, draws = config.training, generator(SEED, "batches", task)
    wanted, found = training.iterations or 10**9, list[Tensor]()
    in_epochs = training.epochs is not None or training.drop_last is not None
    for _ in range(training.epochs or wanted):
        shuffled = torch.randperm(len(split), generator=draws)
        if not in_epochs:
            while len(shuffled) < wanted * training.batch_size:
                shuffled = torch.cat([shuffled, torch.randperm(len(split), generator=draws)])
        for begin in range(0, len(shuffled), training.batch_size):
            batch = shuffled[begin : begin + training.batch_size]
            if len(batch) == training.batch_size or not (training.drop_last or not in_epochs):
                found.append(batch)
        if len(found) >= wanted:
            break
    return found[:wanted]


def test_the_cases_do_lower_the_learning_rate_and_choose_earlier_weights() -> None:
    run = TrialRun(configured("auto", ALL["plateau"]), SEED, dtype=torch.float64)
    run.train_task()
    assert run._problem.lr < run._config.training.lr
    best = configured("auto", ALL["best on validation"])
    last = best.model_copy(update={"training": best.training.model_copy(update={"select": "last"})})
    assert not torch.equal(trained(best)[0], trained(last)[0])


@pytest.mark.parametrize(
    "name", ["best on validation of epochs, plateau", "adam that is kept, schedule", "sgd that is kept"]
)
def test_a_run_resumed_in_the_middle_ends_with_the_same_bits(name: str) -> None:
    config = configured("auto", ALL[name])
    whole = TrialRun(config, SEED)
    reports = [whole.train_task() for _ in range(4)]
    resumed = TrialRun(config, SEED, resume=unpacked(packed(reports[1])))
    resumed.train_task()
    again = resumed.train_task().checkpoint
    last = reports[-1].checkpoint
    for key in ("theta", "embeddings"):
        assert all(torch.equal(a, b) for a, b in zip(again["method"][key], last["method"][key], strict=True))
    assert len(again["optimizers"]) == len(last["optimizers"]) == (2 if "kept" in name else 0)


@pytest.mark.parametrize("name", BOTH_ENGINES)
def test_stacked_seeds_have_the_weights_of_each_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from hnet_core.engines import cuda_graph
    from tests.hnet_core.engines.tape import Tape

    config, seeds = configured("fast", ALL[name]), (4, SEED)
    alone = trained(config, 2)
    monkeypatch.setitem(cuda_graph.RECORDINGS, "cpu", Tape)
    stacked = StackedRuns(config, seeds, dtype=torch.float64)
    for _ in range(2):
        state = stacked.train_task()[1].checkpoint["method"]
    for ours, theirs in zip([*state["theta"], *state["embeddings"]], alone, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize(
    ("training", "says"),
    [
        ({"optimizer": "sgd"}, "its steps are Adam's, got optimizer sgd; use auto or plain"),
        ({"weight_decay": 0.1}, r"no weight decay, got weight_decay 0\.1; use auto or plain"),
        ({"reset_optimizer": False}, "new optimiser for every task, got reset_optimizer false; use auto or plain"),
    ],
)
@pytest.mark.parametrize("method", [{"name": "finetune"}, {"lookahead": "none"}, {"name": "hypermask"}], ids=str)
def test_the_fast_engine_refuses_the_optimisers_it_does_not_have(
    method: dict[str, Any], training: dict[str, Any], says: str
) -> None:
    run = TrialRun(tiny(method=method, training={**training, "iterations": 1}), 0)
    run.train_task()
    if method == {"name": "finetune"} and "reset_optimizer" in training:
        return  # the engine of a network's own weights keeps its Adam
    with pytest.raises(UnsupportedTrial, match=says):
        TrialRun(tiny(method=method, training={**training, "engine": "fast"}), 0).train_task()


def test_the_look_ahead_of_adam_is_refused_with_another_optimiser() -> None:
    with pytest.raises(UnsupportedTrial, match=r"got training\.optimizer sgd; set method\.lookahead to sgd or none"):
        TrialRun(tiny(training={"optimizer": "sgd"}), 0)
    TrialRun(tiny(method={"beta_output": 0.0}, training={"optimizer": "sgd"}), 0)


@pytest.mark.parametrize(
    ("training", "what"),
    [({"select": "best_validation"}, "select best_validation"), (PLATEAU, r"schedule\.plateau")],
)
def test_training_never_selects_on_the_test_split(training: dict[str, Any], what: str, tmp_path: Any) -> None:
    import numpy as np

    (tmp_path / "own").mkdir()
    for part in ("train", "test"):
        images, labels = np.zeros((20, 4, 4), np.uint8), np.arange(20) % 4
        np.savez(tmp_path / "own" / f"{part}.npz", images=images, labels=labels)
    stream = {"name": "split", "dataset": "own", "n_tasks": 2, "validation": 0}
    with pytest.raises(UnsupportedTrial, match=f"{what} needs a validation split, .* set stream.validation"):
        TrialRun(tiny(stream={**stream}, training=training), 0, tmp_path)


def test_soft_targets_need_classes() -> None:
    with pytest.raises(UnsupportedTrial, match=r"label_smoothing must be 0 where the targets are numbers, got 0\.1"):
        TrialRun(tiny(stream={"name": "polynomials"}, training={"label_smoothing": 0.1}), 0)
    with pytest.raises(UnsupportedTrial, match=r"label_smoothing must be 0 where a task has a single class, got 0\.1"):
        TrialRun(tiny(stream={"n_tasks": 10}, training={"label_smoothing": 0.1}), 0)


def test_the_importance_of_weights_is_that_of_the_true_labels() -> None:
    hard, soft = (TrialRun(tiny(training={"label_smoothing": s}), 0)._problem for s in (0.0, 0.3))
    weights, inputs = torch.zeros(hard.target.n_weights), torch.zeros(2, hard.shape.n_inputs)
    weights[-hard.shape.n_outputs] = 3.0  # the first output of the first task
    labels = torch.tensor([0, 0])
    for training in (False, True):
        losses = [problem.task_loss(0, weights, inputs, labels, training=training) for problem in (hard, soft)]
        assert (losses[0] == losses[1]) == (not training)


@pytest.mark.parametrize("name", BOTH_ENGINES)
@pytest.mark.parametrize(
    "method",
    [{"name": "finetune"}, {"name": "scratch"}, {"name": "hypermask"}],
    ids=["own weights", "a network per task", "masks"],
)
def test_the_fast_engine_equals_the_plain_one_for_other_weights(method: dict[str, Any], name: str) -> None:
    def leaves(engine: str) -> list[Tensor]:
        changes = {key: value for key, value in ALL[name].items() if key != "method"}
        run = TrialRun(configured(engine, {**changes, "method": method}), SEED, dtype=torch.float64)
        for _ in range(TASKS):
            state = run.train_task().checkpoint["method"]
        return [leaf for leaf in tree_leaves(state) if isinstance(leaf, Tensor)]

    for fast, plain in zip(leaves("fast"), leaves("plain"), strict=True):
        torch.testing.assert_close(fast, plain, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("name", ["sgd", "adam that is kept"])
@pytest.mark.parametrize("method", ["ewc", "hypermask", "latent_replay", "partial_hnet", "joint"])
def test_frozen_and_earlier_parts_stay_with_every_optimiser(method: str, name: str) -> None:
    """Momentum and weight decay move only what a task trains: embeddings of tasks to come keep their values."""
    run = TrialRun(tiny(method={"name": method}, training={**ALL[name]["training"], "iterations": 3}), SEED)
    embeddings = run._method.task_embeddings()  # type: ignore[attr-defined]
    before = None if embeddings is None else [part.detach().clone() for part in embeddings]
    run.train_task()
    if before is not None and method != "joint":
        after = run._method.task_embeddings()  # type: ignore[attr-defined]
        assert [torch.equal(a, b) for a, b in zip(after, before, strict=True)] == [False, True, True, True, True]
