"""Model of a sweep spec: trial, search space, objectives, constraints and budget."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator

from hnet_core.config_validation import parse_trial
from hnet_core.errors import ConfigInvalid
from hnet_core.trial import Options, TrialConfig
from studies.metrics.definitions import METRICS
from studies.spec.conditions import FAMILY
from studies.spec.constraints import Constraint
from studies.spec.default_ranges import with_default_ranges
from studies.spec.family_ranges import with_family_ranges
from studies.spec.notify import check_address
from studies.spec.ranges import Dimension, RungUnit
from studies.spec.resources import Request, Resources, TrialResources, request_of, with_resources
from studies.spec.space import SearchSpace

MAX_ENTRIES = 100  # fields searched, and families: each is checked with each

SamplerName = Literal["tpe", "nsga2", "random", "grid", "gp"]


class Budget(Options):
    """End of a sweep: a number of trials, or hours of driver time, whichever comes first.

    Failed trials count; duplicates and trials skipped as infeasible do not.
    """

    trials: int | None = Field(None, ge=1)
    hours: float | None = Field(None, gt=0)

    @model_validator(mode="after")
    def _has_an_end(self) -> Budget:
        if self.trials is None and self.hours is None:
            raise ValueError("must give trials, hours or both")
        return self


class Limits(Options):
    """Limits on the time of a trial, on what it may lose, on retries after a lost worker or node, and on failures."""

    trial_minutes: float | None = Field(None, gt=0, description="of training, all seeds and attempts together")
    task_minutes: float | None = Field(
        None,
        gt=0,
        description="without a finished task or checkpoint a worker is taken for hung and killed, its trial retried; "
        "left out: five times what the slowest trial of its method took, at least 10",
    )
    checkpoint_minutes: float = Field(
        10, gt=0, description="between the checkpoints within a long task; there is one after every task anyway"
    )
    retries: int = Field(3, ge=0, le=100, description="after the worker of a trial died, hung or ran out of memory")
    preemptions: int = Field(
        20, ge=0, le=1000, description="further attempts after the node of a trial was lost, drained or low on memory"
    )
    failures: int = Field(
        5,
        ge=0,
        le=10_000,
        description="of the first trials that stop the sweep; more than half of the last 20 (or twice as many, if that "
        "is more) stop it too; 0: none do",
    )


class EarlyStopping(Options):
    """Rungs at which the first seed of a trial is compared with other trials, and the share that continues."""

    eta: float = Field(3, ge=2, le=100, description="the best 1/eta of the trials seen at a rung continue")
    unit: RungUnit = Field("tasks", description="of the rungs; iterations are counted over all tasks")
    rungs: tuple[int, ...] | None = Field(
        None,
        min_length=1,
        description="left out: 1, eta, eta^2, ... tasks; in iterations from those of a task over eta^2 on",
    )

    @field_validator("rungs")
    @classmethod
    def _rising(cls, value: tuple[int, ...] | None) -> tuple[int, ...] | None:
        if value is not None and (value[0] < 1 or list(value) != sorted(set(value))):
            raise ValueError(f"must be rising numbers of tasks or iterations from 1, got {list(value)}")
        return value

    def lengths(self, config: TrialConfig, data: Path) -> tuple[int, ...]:
        """Return the length of each task in the unit of the rungs; with training.epochs the data may be read."""
        from hnet_core.build import steps_per_task, stream_shape

        return (1,) * stream_shape(config, data).n_tasks if self.unit == "tasks" else steps_per_task(config, data)

    def of_tasks(self, lengths: Sequence[int]) -> tuple[int, ...]:
        """Return the rungs of tasks of these lengths, without the end of the last one."""
        end = sum(lengths)
        if self.rungs is not None:
            return tuple(rung for rung in self.rungs if rung < end)
        found, rung = [], 1.0 if self.unit == "tasks" else max(1.0, lengths[0] / self.eta**2)
        while round(rung) < end:
            found.append(round(rung))
            rung *= self.eta
        return tuple(found)


class Paper(Options):
    """The published experiment that a sweep follows; running less than it did is labelled reduced everywhere."""

    cite: str
    settings: dict[str, float] = Field(default={}, description="dotted field (or seeds) -> value in the paper")


class SweepSpec(Options):
    """A checked sweep spec.

    Example:
        >>> spec = SweepSpec.model_validate({
        ...     "study": "tiny",
        ...     "trial": {"stream": {"name": "split", "dataset": "digits", "n_tasks": 2},
        ...               "method": {"name": "hnet"}, "target": {"name": "mlp", "hidden": [10]},
        ...               "hypernet": {"name": "chunked", "chunk_size": 100}},
        ...     "search": {"method.beta_output": {"float": [0.001, 1.0], "log": True}},
        ...     "budget": {"trials": 4},
        ... })
        >>> spec.config({"method.beta_output": 0.1}).method.beta_output
        0.1
    """

    study: str = Field(max_length=200, pattern=r"\S")
    trial: dict[str, Any]
    families: dict[str, dict[str, Any]] = Field(
        default={},
        max_length=MAX_ENTRIES,
        description="alternatives by name, each with what it changes in the trial block; searched as family",
    )
    search: dict[str, Dimension] = Field(min_length=1, max_length=MAX_ENTRIES)
    objectives: dict[str, Literal["maximize", "minimize"]] = Field(
        default={"final_accuracy": "maximize", "compression_ratio": "minimize"}, min_length=1
    )
    constraints: dict[str, str] = Field(default={})
    seeds: int = Field(1, ge=1, le=1000, description="seeds 0, 1, ... of every configuration")
    sampler: SamplerName = "tpe"
    sampler_seed: int = Field(0, ge=0)
    enqueue: tuple[dict[str, Any], ...] = Field(
        (), description="trials to train first, of any family; fields left out are drawn"
    )
    warm_start: str | None = Field(
        None, description="past study of the same database whose results the sampler starts with"
    )
    early_stopping: EarlyStopping | None = None
    racing: bool = Field(False, description="train further seeds only while a configuration may be on the front")
    limits: Limits = Limits()
    resources: Resources | None = Field(None, description="of one trial; left out: one CPU, and a GPU if there are any")
    keep: Literal["front"] | None = Field(None, description="checkpoints of finished trials to keep; left out: none")
    budget: Budget
    paper: Paper | None = None
    notify: str | None = Field(
        None,
        exclude=True,
        description="http(s) address for one POST when the sweep ends, stalls or is stopped by its guard",
    )

    @model_validator(mode="before")
    @classmethod
    def _families_are_searched(cls, content: Any, info: ValidationInfo) -> Any:
        families, search = (content.get(key) or {} for key in ("families", "search"))
        if isinstance(families, Mapping) and families and isinstance(search, Mapping) and FAMILY not in search:
            content = {**content, "search": {FAMILY: {"choice": list(families)}, **search}}
        if not isinstance(search, Mapping) or not search:
            return content
        data = (info.context or {}).get("data")
        return with_family_ranges(with_default_ranges(content, data))

    @field_validator("trial")
    @classmethod
    def _pin_trial(cls, value: dict[str, Any]) -> dict[str, Any]:
        return with_checksums(value)

    @field_validator("families")
    @classmethod
    def _pin_families(cls, value: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        return {name: with_checksums(block) for name, block in value.items()}

    @field_validator("search", mode="before")
    @classmethod
    def _not_empty(cls, value: object) -> object:
        if not value:
            raise ValueError("must name at least one field; to train one configuration use: hnet trial run")
        return value

    @field_validator("notify")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        return None if value is None else check_address(value)

    @field_validator("constraints")
    @classmethod
    def _readable(cls, value: dict[str, str]) -> dict[str, str]:
        for metric, text in value.items():
            if metric in METRICS:  # an unknown one is reported with its own line later
                try:
                    Constraint.parse(metric, text)
                except ConfigInvalid as error:
                    raise ValueError(str(error).removeprefix("constraints: ")) from None
        return value

    def config(self, params: Mapping[str, Any] | None = None) -> TrialConfig:
        """Return the trial configuration with these parameters in place; without any, the template."""
        return parse_trial(self.block(self.space.example() if params is None else params))

    def block(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return the trial block with these parameters in place, which uses the resources that are asked for."""
        return with_resources(self.space.place(params), self._resources_of(params.get(FAMILY)))

    def request(self, config: TrialConfig, family: str | None = None) -> Request:
        """Return the resources that a trial of a configuration asks for."""
        return request_of(self._resources_of(family), config)

    def requests(self) -> list[Request]:
        """Return the different resources that trials of this sweep ask for, one or more."""
        return list(
            dict.fromkeys(self.request(self.config(params), params.get(FAMILY)) for params in self.space.branches())
        )

    def _resources_of(self, family: str | None) -> TrialResources:
        return TrialResources() if self.resources is None else self.resources.of_family(family)

    @functools.cached_property
    def space(self) -> SearchSpace:
        return SearchSpace(self.trial, self.families, self.search)

    @functools.cached_property
    def parsed_constraints(self) -> tuple[Constraint, ...]:
        return tuple(Constraint.parse(metric, text) for metric, text in self.constraints.items())

    @functools.cached_property
    def planned_trials(self) -> int | None:
        """Number of trials the budget allows, None where only time ends the sweep; a grid ends with its last point."""
        points = self.space.grid_size() if self.sampler == "grid" else None
        return self.budget.trials if points is None else min(points, self.budget.trials or points)

    @functools.cached_property
    def grid_order(self) -> list[dict[str, Any]] | None:
        """Points of a grid in the order they are suggested, enqueued ones first; None for other samplers."""
        return self.space.grid_after(self.enqueue) if self.sampler == "grid" else None

    def has_asked_all(self, counted: int, uncounted: int) -> bool:
        """Return whether the trials of the budget are spent, or every point of a grid was suggested.

        Args:
            counted: trials asked for so far that the budget counts.
            uncounted: duplicates, and trials that were skipped.
        """
        is_spent = self.planned_trials is not None and counted >= self.planned_trials
        return is_spent or (self.grid_order is not None and counted + uncounted >= len(self.grid_order))

    def to_dict(self) -> dict[str, Any]:
        """Return the spec as plain JSON types, which SweepSpec.model_validate reads back; without `notify`."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def with_checksums(block: dict[str, Any]) -> dict[str, Any]:
    """Add the checksum of an exported model that a trial block names, so that a study continues with the same one."""
    method = block.get("method")
    if not isinstance(method, Mapping) or "start_from" not in method:
        return block
    from hnet_core.methods.exported_blocks import with_checksum  # imports torch

    return {**block, "method": with_checksum(method)}


def planned_trials(stored: Mapping[str, Any]) -> int | None:
    """Return the number of trials that a stored spec allows, None where only time ends the sweep.

    Of an imported study, or of a spec that is no longer valid, those of its budget.
    """
    try:
        return SweepSpec.model_validate(stored).planned_trials
    except ValidationError:
        trials: int | None = (stored.get("budget") or {}).get("trials")
        return trials
