"""Permuted streams: every task is the full data set under a fixed permutation of its pixels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from hnet_core.data import open_images
from hnet_core.errors import ConfigInvalid
from hnet_core.seeding import generator
from hnet_core.streams.image_options import ImageStreamOptions, image_facts, splits
from hnet_core.streams.orders import PermutationSeed, is_of_run, order_seed
from hnet_core.streams.stream import Stream, StreamShape, Task


class PermutedStream:
    """PermutedMNIST and similar streams (Goodfellow et al. 2013); task 1 is not permuted, as in the official code.

    By default the permutations are the same for every seed of a trial, as in the official code of von Oswald et al.
    (2020); with `permutation_seed: run` they are drawn from the seed of the run, as in the codes of HyperMask and of
    van de Ven et al. (The permutations themselves are ours: torch draws them.)
    """

    name = "permuted"
    summary = "the whole data set under one pixel permutation per task (PermutedMNIST)"
    tiny: ClassVar[dict[str, Any]] = {"dataset": "digits", "n_tasks": 2}

    class Options(ImageStreamOptions):
        padding: int = Field(0, ge=0, description="zero pixels added on each side; PermutedMNIST takes 2: 32x32 = 1024")
        permutation_seed: PermutationSeed = Field(
            42,
            description="draws the permutations: a number for all seeds of a trial alike, run: the seed of the run",
        )
        permute_first: bool | Literal["run_except_0"] = Field(
            False,
            description="permute task 1 too, as HyperMask does; von Oswald et al. do not; run_except_0: not in the run "
            "of seed 0, but in all others, as van de Ven et al. do",
        )

    @staticmethod
    def shape(options: Options, root: Path) -> StreamShape:
        input_shape, n_classes = image_facts(options.dataset, root)
        if len(input_shape) != 2:
            raise ConfigInvalid(
                f"stream {options.name} takes grey images (height, width), got {input_shape} from {options.dataset}.",
                key="stream.dataset",
            )
        height, width = (side + 2 * options.padding for side in input_shape)
        return StreamShape(options.n_tasks, (height, width), n_classes)

    @staticmethod
    def varies_with_seed(options: Options) -> bool:
        return is_of_run(options.permutation_seed) or is_of_run(options.permute_first)

    @staticmethod
    def open(options: Options, root: Path, seed: int = 0) -> Stream:
        shape = PermutedStream.shape(options, root)
        images = open_images(options.dataset, root, options.validation)
        sides = (options.padding,) * 4
        padded = replace(
            images,
            train=F.pad(images.train, sides),
            validation=None if images.validation is None else F.pad(images.validation, sides),
            test=F.pad(images.test, sides),
        )
        whole = splits(padded)
        orders = [_order(options, task, shape.n_inputs, seed) for task in range(options.n_tasks)]
        return Stream(shape, tuple(_reordered(whole, order) for order in orders), images.checksum)


def _order(options: PermutedStream.Options, task: int, n_inputs: int, seed: int) -> Tensor | None:
    """Return the permutation of a task in the run of this seed, (n_inputs,); None for none."""
    permutes_first = options.permute_first is True or (options.permute_first == "run_except_0" and seed != 0)
    drawn_from = order_seed(options.permutation_seed, seed)
    if drawn_from is None or (task == 0 and not permutes_first):
        return None
    return torch.randperm(n_inputs, generator=generator(drawn_from, "permutation", task))


def _reordered(whole: Task, order: Tensor | None) -> Task:
    """Return the images under one permutation; the pixels stay shared in memory."""
    return Task(
        train=replace(whole.train, order=order),
        validation=whole.validation and replace(whole.validation, order=order),
        test=replace(whole.test, order=order),
    )
