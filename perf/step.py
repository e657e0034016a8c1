"""Timing of the engines against each other in one process: `python -m perf.step --json`.

One row per measurement: setting, task (from 1), what (step | regularizer), engine (plain | fast), ms (median), ratio
(of plain to this), gemm_share (of the rate of a large matrix product measured in turns with it), peak_mib (memory while
it was made and first run), note.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial

import torch

from hnet_core.build import networks
from hnet_core.data import data_root
from hnet_core.engines.kernels.flat_theta import FlatTheta, Layout, layout_of
from hnet_core.engines.output_drift.output_drift import OutputDrift, gram_is_cheaper
from hnet_core.hypernets import Hypernet
from hnet_core.methods import Problem
from hnet_core.registry import METHODS, STREAMS
from hnet_core.regularizers.output import OutputRegularizer
from hnet_core.streams import Stream
from hnet_core.streams.stream import mini_batches
from hnet_core.targets.mlp import Mlp
from perf import flops
from perf.settings import REGULARIZERS, STEPS, RegularizerSetting, StepSetting
from perf.timing import interleaved, peak_mib

ENGINES = ("plain", "fast")
CPU = torch.device("cpu")


@dataclass(frozen=True)
class StepTiming:
    setting: str
    task: int
    what: str
    engine: str
    ms: float
    ratio: float
    gemm_share: float
    peak_mib: float | None
    note: str = ""


def measure(settings: list[str], what: list[str], data: str | None, rounds: int | None = None) -> Iterator[StepTiming]:
    """Measure the named settings; all tasks and engines of one setting are interleaved."""
    for name in settings:
        if "step" in what and name in STEPS:
            yield from _steps(name, STEPS[name], data, rounds or STEPS[name].rounds)
        if "regularizer" in what and name in REGULARIZERS:
            yield from _regularizers(name, REGULARIZERS[name], rounds or REGULARIZERS[name].rounds)


def _steps(name: str, setting: StepSetting, data: str | None, rounds: int) -> Iterator[StepTiming]:
    config = setting.trial("plain")
    stream: Stream = STREAMS[config.stream.name].open(config.stream, data_root(data))
    made = {
        (task, engine): peak_mib(partial(_step, setting, stream, task - 1, engine, rounds))
        for task in setting.tasks
        for engine in ENGINES
    }
    ms, limit = interleaved({case: step for case, (step, _) in made.items()}, rounds)
    for (task, engine), (_, memory) in made.items():
        own = ms[task, engine]
        share = _operations_of_step(setting, stream, task, engine) / own / limit
        yield StepTiming(name, task, "step", engine, own, ms[task, "plain"] / own, share, memory)


def _step(setting: StepSetting, stream: Stream, task: int, engine: str, rounds: int) -> Callable[[], None]:
    """Return a function that makes one training step, its batch included, after a first step."""
    config = setting.trial(engine)
    parts = networks(config, stream.shape)
    problem = Problem(stream.shape, parts.target, parts.hypernet, config.training, 0, CPU, torch.float32)
    method = METHODS[config.method.name](config.method, problem)
    method.start_task(task)
    train = stream.tasks[task].train
    batches = mini_batches(len(train), config.training.batch_size, 2 * (rounds + 2), torch.Generator().manual_seed(0))
    remaining = iter(batches)

    def step() -> None:
        method.step(task, *train.batch(next(remaining), torch.float32))

    step()
    return step


def _operations_of_step(setting: StepSetting, stream: Stream, task: int, engine: str) -> int:
    config = setting.trial(engine)
    parts = networks(config, stream.shape)
    target: object = parts.target
    if not isinstance(target, Mlp) or parts.hypernet is None:
        raise ValueError("a step setting must have an mlp target and a hypernet; others are not counted.")
    n_outputs = stream.shape.outputs_per_task if engine == "fast" else stream.shape.n_outputs
    work = flops.target_step(target, config.training.batch_size, n_outputs)
    regularizer = _operations_of_regularizer(parts.hypernet, task - 1, engine)
    return work + flops.generation_step(parts.hypernet) + regularizer


def _regularizers(name: str, setting: RegularizerSetting, rounds: int) -> Iterator[StepTiming]:
    network = setting.network()
    made = {
        (task, engine): peak_mib(partial(_regularizer, setting, task - 1, engine))
        for task in setting.tasks
        for engine in ENGINES
    }
    ms, limit = interleaved({case: function for case, (function, _) in made.items()}, rounds)
    for (task, engine), (_, memory) in made.items():
        n_previous = task - 1
        scale = n_previous / min(n_previous, setting.loop_tasks)
        own = ms[task, engine] * (scale if engine == "plain" else 1)
        yield StepTiming(
            setting=name,
            task=task,
            what="regularizer",
            engine=engine,
            ms=own,
            ratio=ms[task, "plain"] * scale / own,
            gemm_share=_operations_of_regularizer(network, n_previous, engine) / own / limit,
            peak_mib=None if scale > 1 and engine == "plain" else memory,
            note=f"the loop over {setting.loop_tasks} of {n_previous} previous tasks, scaled" if scale > 1 else "",
        )


def _regularizer(setting: RegularizerSetting, n_previous: int, engine: str) -> Callable[[], object]:
    """Return a function that computes value and gradient, after a first call."""
    network = setting.network()
    draws = torch.Generator().manual_seed(0)
    theta = network.initialize(draws, torch.float32)
    moved = [part + 1e-3 * torch.randn(part.shape, generator=draws) for part in theta]
    embeddings = torch.randn(n_previous, network.embedding_size, generator=draws)
    kept = setting.kept(n_previous)
    if engine == "plain":
        timed = min(n_previous, setting.loop_tasks)
        regularizer = OutputRegularizer(network, theta, embeddings[:timed], None if kept is None else kept[:timed])
        function: Callable[[], object] = partial(regularizer.gradient, moved)
    else:
        layout = _layout(network)
        flat, gradient = FlatTheta.zeros(layout, theta[0]), FlatTheta.zeros(layout, theta[0])
        flat.fill(theta)
        drift = OutputDrift(layout, flat, embeddings, kept)
        flat.fill(moved)
        drift.lookahead.set_to(flat)
        function = partial(drift.add_gradient, gradient, 1.0, want_value=True)
    function()
    return function


def _operations_of_regularizer(network: Hypernet, n_previous: int, engine: str) -> int:
    if n_previous == 0:
        return 0
    layout = _layout(network)
    if engine == "fast" and gram_is_cheaper(layout, layout.n_chunks, n_previous):
        return flops.gram(layout, n_previous)
    return flops.loop(network, n_previous)


def _layout(network: Hypernet) -> Layout:
    layout = layout_of(network)
    if layout is None:
        raise ValueError(f"a setting must have a hypernetwork that the fast engine supports, got {network.name}.")
    return layout


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m perf.step", description=__doc__, formatter_class=_AsWritten)
    parser.add_argument("--json", action="store_true", help="a JSON list instead of a table")
    parser.add_argument("--setting", action="append", choices=sorted({*STEPS, *REGULARIZERS}), help="repeatable")
    parser.add_argument("--what", action="append", choices=["step", "regularizer"], help="repeatable")
    parser.add_argument("--rounds", type=int, help="turns of each measurement; left out: each setting's own")
    parser.add_argument("--data", help="data root; left out: HNET_DATA")
    given = parser.parse_args()
    torch.set_num_threads(1)
    settings = given.setting or list(dict.fromkeys([*STEPS, *REGULARIZERS]))
    rows = measure(settings, given.what or ["step", "regularizer"], given.data, given.rounds)
    if given.json:
        print(json.dumps([asdict(row) for row in rows], indent=1))
        return
    for row in rows:
        memory = "" if row.peak_mib is None else f"{row.peak_mib:7.0f} MiB"
        print(
            f"{row.setting:18} task {row.task:3} {row.what:11} {row.engine:5} {row.ms:10.2f} ms  x{row.ratio:5.2f}"
            f"  {row.gemm_share:5.2f} of GEMM {memory} {row.note}",
            flush=True,
        )


class _AsWritten(argparse.RawDescriptionHelpFormatter):
    """A formatter that keeps the line breaks of the module's docstring."""


if __name__ == "__main__":
    main()
