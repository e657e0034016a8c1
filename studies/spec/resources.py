"""The `resources` block of a spec: CPUs, a share of a GPU and memory of one trial."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import Field, field_validator

from hnet_core.trial import Options, TrialConfig

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_UNITS |= {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_MEMORY = re.compile(r"(\d+(?:\.\d+)?) ?([KMGT]i?B|B)")


@dataclass(frozen=True)
class Request:
    """Resources that one trial takes while it trains.

    Attributes:
        cpus: which are its threads too.
        gpus: share of one GPU; None for an equal share of those there are, see `sweeps.allocation`.
        memory: bytes of main memory; 0 is not asked for.
        needs_gpu: the training fails without one.
    """

    cpus: int = 1
    gpus: float | None = 0.0
    memory: int = 0
    needs_gpu: bool = False


class TrialResources(Options):
    """Resources of one trial; what is left out has its default."""

    cpus: int | None = Field(None, ge=1, le=4096, description="left out: training.threads")
    gpus: float | None = Field(
        None, ge=0, le=1, description="share of one GPU; left out: one, or less with more --workers than GPUs"
    )
    memory: str | None = Field(None, description="of the machine, such as 8 GiB; left out: not limited")

    @field_validator("memory", mode="before")
    @classmethod
    def _is_memory(cls, value: object) -> object:
        if value is not None:
            memory_in_bytes(value)
        return value


class Resources(TrialResources):
    """Resources of the trials of a sweep, and those of families that differ."""

    families: dict[str, TrialResources] = Field(default={}, description="families that differ, by name")

    def of_family(self, family: str | None) -> TrialResources:
        """Return the resources of a family, with those of all for what it leaves out."""
        own = self.families.get(family or "")
        given = {} if own is None else own.model_dump(exclude_none=True)
        return TrialResources.model_validate({**self.model_dump(exclude={"families"}), **given})


def memory_in_bytes(text: object) -> int:
    """Return the bytes of a size such as "8 GiB".

    Raises:
        ValueError: it is none.
    """
    found = _MEMORY.fullmatch(text.strip()) if isinstance(text, str) else None
    n_bytes = 0 if found is None else int(float(found[1]) * _UNITS[found[2]])
    if n_bytes < 1:
        raise ValueError(f"must be a size with a unit, such as 8 GiB or 500 MB, got {text!r}")
    return n_bytes


def request_of(resources: TrialResources, config: TrialConfig) -> Request:
    """Return the resources that a trial of a configuration takes."""
    training, memory = config.training, resources.memory
    gpus: float | None = 0.0
    if training.device in ("auto", "cuda"):
        gpus = resources.gpus
    # A card that is named (cuda:1) is not one for Ray to choose: all workers use it together.
    return Request(
        cpus=resources.cpus or training.threads,
        gpus=gpus,
        memory=0 if memory is None else memory_in_bytes(memory),
        needs_gpu=training.device.startswith("cuda"),
    )


def with_resources(block: Mapping[str, Any], resources: TrialResources) -> dict[str, Any]:
    """Return a trial block that uses what it is given: as many threads as CPUs, and no GPU with a share of 0.

    Neither is part of the identity of a configuration. What the block itself sets, stays.
    """
    training = dict(block.get("training") or {})
    if resources.cpus is not None:
        training.setdefault("threads", resources.cpus)
    if resources.gpus == 0 and training.get("device", "auto") == "auto":
        training["device"] = "cpu"
    return {**block, "training": training} if training else dict(block)
