"""Timing of a step of partial_hnet against one with weights for every image: `python -m perf.partial --json`.

Setting of Hemati et al. (2023) for split CIFAR-100: slim ResNet-18, 5 outputs, batch 64 of 32x32 images, task 2; one
thread, processor time, interleaved. One row per measurement: case, freeze_depth, ms (median), ratio (of the step with
weights for every image, at the same depth, to this; null where that was not measured).

Cases: per_image; partial_hnet; features_given (partial_hnet with activations of the frozen blocks computed once, as
without augmentation); plain (the same network and frozen blocks without a hypernetwork).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from hnet_core.build import method_shape, networks
from hnet_core.methods import Problem
from hnet_core.methods.latent_replay import LatentReplay
from hnet_core.methods.partial_hnet import PartialHnet
from hnet_core.streams import Split, StreamShape
from hnet_core.trial import TrialConfig
from perf.timing import interleaved

BATCH_SIZE = 64
TASK = 1  # counted from 0
SHAPE = StreamShape(n_tasks=20, input_shape=(32, 32, 3), outputs_per_task=5)
HYPERNET = {"name": "channelwise", "hidden": [50, 32], "task_embedding": 32, "channel_embedding": 32}
DEPTHS = (0, 1, 2, 3, 4)


@dataclass(frozen=True)
class PartialTiming:
    case: str
    freeze_depth: int
    ms: float
    ratio: float | None


def measure(depths: tuple[int, ...], rounds: int, per_image: bool = True) -> list[PartialTiming]:
    """Measure all cases at these freeze depths, interleaved."""
    functions: dict[tuple[str, int], Callable[[], None]] = {}
    for depth in depths:
        functions["partial_hnet", depth] = _partial(depth)
        functions["plain", depth] = _plain(depth)
        if depth > 0:
            functions["features_given", depth] = _features_given(depth)
        if per_image:
            functions["per_image", depth] = _per_image(depth)
    ms, _ = interleaved(functions, rounds)
    slow = {depth: value for (case, depth), value in ms.items() if case == "per_image"}
    return [
        PartialTiming(case, depth, value, slow[depth] / value if depth in slow else None)
        for (case, depth), value in ms.items()
    ]


def partial_hnet(depth: int, frozen_normalization: str = "batch", dtype: torch.dtype = torch.float32) -> PartialHnet:
    """Return the method after `start_task` of the second task."""
    options = {"name": "partial_hnet", "freeze_depth": depth, "frozen_normalization": frozen_normalization}
    method: PartialHnet = _begun(PartialHnet, options, dtype)
    return method


def images(dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    draws = torch.Generator().manual_seed(0)
    return torch.randn(BATCH_SIZE, 3072, generator=draws, dtype=dtype), torch.arange(BATCH_SIZE) % 5


def _begun(kind: Any, options: dict[str, Any], dtype: torch.dtype = torch.float32) -> Any:
    config = TrialConfig.model_validate(
        {
            "stream": {"name": "split_cifar100"},
            "method": options,
            "target": {"name": "slim_resnet18", "normalization": "instance"},
            "hypernet": HYPERNET,
            "training": {"batch_size": BATCH_SIZE},
        }
    )
    shape = method_shape(config, SHAPE)
    parts = networks(config, shape)
    problem = Problem(shape, parts.target, parts.hypernet, config.training, 0, torch.device("cpu"), dtype)
    method: Any = kind(config.method, problem)
    method.start_task(0)
    method.start_task(TASK)
    return method


def _partial(depth: int) -> Callable[[], None]:
    return partial(partial_hnet(depth).step, TASK, *images())


def _plain(depth: int) -> Callable[[], None]:
    options = {"name": "latent_replay", "freeze_depth": depth, "buffer_size": 0, "frozen_normalization": "batch"}
    method = _begun(LatentReplay, options)
    return partial(method.step, TASK, *images())


def _features_given(depth: int) -> Callable[[], None]:
    method = partial_hnet(depth, "instance")
    features = method.prepare(TASK, Split(*images()))
    return partial(method.step, TASK, *features.batch(slice(None), torch.float32))


def _per_image(depth: int) -> Callable[[], None]:
    from tests.oracles.per_image import PerImageStep  # the oracle of the tests is the slow baseline of this comparison

    return partial(PerImageStep(partial_hnet(depth), TASK).step, *images())


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m perf.partial", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="a JSON list instead of a table")
    parser.add_argument("--depth", type=int, action="append", choices=DEPTHS, help="repeatable; left out: 2 and 4")
    parser.add_argument("--rounds", type=int, default=7, help="turns of each measurement")
    given = parser.parse_args()
    torch.set_num_threads(1)
    rows = measure(tuple(given.depth or (2, 4)), given.rounds)
    if given.json:
        print(json.dumps([asdict(row) for row in rows], indent=1))
        return
    for row in rows:
        ratio = "" if row.ratio is None else f"x{row.ratio:6.1f}"
        print(f"freeze depth {row.freeze_depth}  {row.case:15} {row.ms:9.2f} ms  {ratio}", flush=True)


if __name__ == "__main__":
    main()
