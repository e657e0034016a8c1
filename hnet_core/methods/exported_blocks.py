"""Blocks of a target network that start as those of an exported model."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from pydantic import Field, model_validator
from torch import Tensor

from hnet_core.errors import ConfigInvalid, NotFound
from hnet_core.options import ADDED_LATER, NOT_HASHED
from hnet_core.problem import Problem
from hnet_core.targets import Target
from hnet_core.trained_model import TrainedModel, load
from hnet_core.trial import ComponentOptions


class StartOptions(ComponentOptions):
    """Options of a method whose blocks can start as those of a model written by `hnet trial export`."""

    start_from: str | None = Field(
        None,
        description="file of hnet trial export whose first blocks are taken; left out: they are learnt with task 1",
        json_schema_extra={**ADDED_LATER, **NOT_HASHED},
    )
    start_checksum: str | None = Field(
        None,
        description="of the weights in that file; found by hnet, and part of the configuration in place of the path",
        json_schema_extra=ADDED_LATER,
    )

    @model_validator(mode="before")
    @classmethod
    def _find_checksum(cls, content: Any) -> Any:
        return with_checksum(content) if isinstance(content, Mapping) else content


def with_checksum(block: Mapping[str, Any]) -> Mapping[str, Any]:
    """Make the path in a raw block absolute, since workers have other folders, and read the checksum unless given.

    Raises:
        ValueError: there is no such file, or it is no exported model.
    """
    path, checksum = block.get("start_from"), block.get("start_checksum")
    if not isinstance(path, str):
        return block
    absolute = str(Path(path).expanduser().absolute())
    try:
        return {**block, "start_from": absolute, "start_checksum": checksum or read_model(absolute).checksum}
    except (NotFound, ConfigInvalid) as error:
        raise ValueError(f"start_from: {error}") from None


def misfit(options: StartOptions, target: Target, n_blocks: int) -> str | None:
    """Return the reason why a target network cannot take its first blocks from the file; None if it can.

    A file that is gone is none: a stored configuration outlives it.
    """
    if options.start_from is None or not Path(options.start_from).exists():
        return None
    blocks = target.part(0, min(n_blocks, target.n_blocks))
    theirs = read_model(options.start_from).target
    if theirs.n_blocks >= n_blocks and theirs.part(0, n_blocks).shapes == blocks.shapes:
        return None
    return (
        f"cannot take {n_blocks} blocks with {blocks.n_weights:,} weights from {options.start_from}, whose network has "
        f"{theirs.n_blocks} blocks of other shapes; export a model of the same target network"
    )


def take_blocks(options: StartOptions, parts: Sequence[tuple[Problem, Tensor]]) -> None:
    """Copy the first blocks of the exported model, with their running statistics; nothing where none is named.

    Of a model with weights for each task those of its first task are taken. The last layer of a network is no block.

    Args:
        parts: consecutive parts of a target network from its first block on, each with its flat weights.

    Raises:
        NotFound, ConfigInvalid: the file is gone, has been changed, or keeps no running statistics where ours are used.
        HnetError: the model keeps its weights in parts.
    """
    if options.start_from is None:
        return
    model = read_model(options.start_from)
    if model.checksum != options.start_checksum:
        raise ConfigInvalid(
            f"{options.start_from} must have checksum {options.start_checksum}, got {model.checksum}: it is another "
            "model now; restore it, or remove method.start_checksum.",
            key="method.start_checksum",
        )
    weights, statistics = model.weights(0), model.statistics(0)
    for problem, flat in parts:
        blocks = problem.target.part(0, problem.target.n_blocks)
        n_statistics = len(blocks.initial_statistics(problem.dtype))
        with torch.no_grad():
            flat[: blocks.n_weights].copy_(weights[: blocks.n_weights])
        kept = problem.statistics.state()
        if kept.numel() and n_statistics:
            if not len(statistics):
                raise ConfigInvalid(
                    f"{options.start_from} must keep running statistics, which these blocks use; export a model with "
                    "target.normalization running or task.",
                    key="method.start_from",
                )
            kept[:, :n_statistics] = statistics[:n_statistics]
            problem.statistics.load_state(kept)
        weights, statistics = weights[blocks.n_weights :], statistics[n_statistics:]


def read_model(path: str) -> TrainedModel:
    """Read an exported model; a file that has not changed is read once.

    Raises:
        NotFound, ConfigInvalid: there is no such file, or it is no exported model.
    """
    try:
        found = Path(path).stat()
    except OSError:
        return load(path)  # which says what is wrong
    return _read(path, found.st_mtime_ns, found.st_size)


@functools.lru_cache(maxsize=4)
def _read(path: str, changed: int, size: int) -> TrainedModel:
    return load(path)
