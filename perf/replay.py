"""Timing of the steps of HNET+R and HNET+TIR on split MNIST, engines against each other: `python -m perf.replay`.

One row per measurement: part, task (from 1), engine (plain | fast), ms (median of processor time), ratio (of plain to
this). Parts: classifier, a step with rehearsal, its samples included; generator, a step of the variational autoencoder;
decoder, its decoder with hypernetwork, output regulariser and optimisers alone. The inputs are random pixels: the time
of a step does not depend on their values.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import torch

from hnet_core.generators.vae import Vae
from hnet_core.methods.hnet_replay import HnetReplay
from hnet_core.problem import Problem
from hnet_core.streams import StreamShape
from hnet_core.targets.mlp import Mlp
from hnet_core.trial import TrainingOptions
from perf.timing import interleaved

ENGINES = ("plain", "fast")
PARTS = ("classifier", "generator", "decoder")
N_TASKS = 6  # one more than split MNIST has, so that the generator can be timed on task 5


@dataclass(frozen=True)
class ReplayTiming:
    part: str
    task: int
    engine: str
    ms: float
    ratio: float


def measure(task: int, rounds: int) -> Iterator[ReplayTiming]:
    """Time every part on one task, all parts and engines in turns.

    Args:
        task: from 1; there are task - 1 earlier ones.
    """
    steps = {(part, engine): _step(part, engine, task - 1) for part in PARTS for engine in ENGINES}
    ms, _ = interleaved(steps, rounds)
    for part, engine in steps:
        own = ms[part, engine]
        yield ReplayTiming(part, task, engine, own, ms[part, "plain"] / own)


def _step(part: str, engine: Any, task: int) -> Callable[[], None]:
    """Return a function that makes one step of a part, after a first step."""
    training = TrainingOptions(iterations=2000, batch_size=128, lr=0.001, engine=engine)
    shape = StreamShape(N_TASKS, (28, 28), 2)
    target = Mlp(Mlp.Options(name="mlp"), shape.input_shape, shape.n_outputs)
    problem = Problem(shape, target, None, training, 0, torch.device("cpu"), torch.float32)
    draws = torch.Generator().manual_seed(0)
    inputs = torch.rand(training.batch_size, shape.n_inputs, generator=draws)
    if part == "classifier":
        labels = torch.randint(2, (len(inputs),), generator=draws)
        method = HnetReplay(HnetReplay.Options(name="hnet_replay"), problem)
        method.start_task(task)

        def step() -> None:
            method.step(task, inputs, labels)

    else:
        network = Vae(Vae.Options(name="vae"), problem)
        network.start_task(task)
        noise = network.decoder.noise(len(inputs), draws)

        def step() -> None:
            if part == "generator":
                network.step(inputs)
            else:
                network.decoder.step(noise, inputs)

    step()
    return step


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m perf.replay", description=__doc__, formatter_class=_AsWritten)
    parser.add_argument("--json", action="store_true", help="a JSON list instead of a table")
    parser.add_argument("--task", type=int, default=5, help="from 1; there are task - 1 earlier ones (default: 5)")
    parser.add_argument("--rounds", type=int, default=40, help="turns of each measurement (default: 40)")
    given = parser.parse_args()
    torch.set_num_threads(1)
    rows = measure(given.task, given.rounds)
    if given.json:
        print(json.dumps([asdict(row) for row in rows], indent=1))
        return
    for row in rows:
        print(f"{row.part:10} task {row.task} {row.engine:5} {row.ms:8.2f} ms  x{row.ratio:5.2f}", flush=True)


class _AsWritten(argparse.RawDescriptionHelpFormatter):
    """A formatter that keeps the line breaks of the module's docstring."""


if __name__ == "__main__":
    main()
