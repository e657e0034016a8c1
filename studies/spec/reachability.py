"""Checks that a sweep can end with a result: objectives with a value, rungs that judge, bounds that a point keeps.

They are decided before anything is trained, from the cells that a run evaluates and from weight counts, on
configurations of the search space: the template of each branch, each end of a range and each choice.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hnet_core.component_check import Complaint
from hnet_core.config_validation import check_trial
from hnet_core.configuration.method_properties import two_gradients
from hnet_core.errors import ConfigInvalid
from hnet_core.registry import METHODS
from hnet_core.trial import TrialConfig, TrialResult, WeightCounts
from studies.metrics.definitions import METRICS, SELECTED_BY
from studies.metrics.values import run_metrics, static_metrics
from studies.spec.conditions import FAMILY
from studies.spec.constraints import Constraint
from studies.spec.space import SearchSpace

if TYPE_CHECKING:
    from hnet_core.streams import StreamShape
    from studies.spec.spec import SweepSpec

MOST_TASKS = 3  # no metric is defined for more tasks that is not defined for three
OF_INFERENCE = ("known_task", "inferred_task", "task_inference")
MOST_POINTS = 64  # for which weights are counted to see whether a bound can be kept


@dataclass(frozen=True)
class Probe:
    """A configuration of a search space, without its training.

    Attributes:
        params: of the search space; the last one is that which was varied.
        config: made of them.
        idle: settings that change nothing, in words by dotted key.
    """

    params: Mapping[str, Any]
    config: TrialConfig
    shape: StreamShape
    counts: WeightCounts
    idle: Mapping[str, str]

    @property
    def family(self) -> str | None:
        """The family it is of; None without families."""
        return self.params.get(FAMILY)

    @property
    def at_once(self) -> bool:
        return bool(METHODS[self.config.method.name].trains_all_tasks_at_once)

    @property
    def validates(self) -> bool:
        """True if a validation split is held out."""
        from hnet_core.optimization.task_course import may_validate

        return may_validate(self.config.stream)

    def result(self) -> TrialResult:
        """A result of this configuration, of three tasks at most, with every cell that a run evaluates, each 0."""
        n = min(self.shape.n_tasks, MOST_TASKS)
        rows = [(0.0,) * seen + (None,) * (n - seen) for seen in range(1, n + 1)]
        if self.at_once:
            rows[:-1] = [(None,) * n] * (n - 1)
        cosines = tuple((None,) * i + (0.0 if i else None,) + (None,) * (n - i - 1) for i in range(n))
        infers = self.config.task_inference is not None
        return TrialResult(
            config_hash="",
            seed=0,
            measure=self.shape.measure,
            counts=self.counts,
            test=tuple(rows),
            validation=tuple(rows) if self.validates else None,
            **{name: tuple(rows) for name in OF_INFERENCE if infers},
            gradient_cosine=cosines if two_gradients(self.config.method) else None,
            untrained=(0.0,) * n,
            seconds=(0.0,) * n,
            peak_memory_mib=0.0,
            device="",
            threads=1,
            data_checksum="",
        )


def probes(space: SearchSpace, data: Path) -> list[Probe]:
    """The template of each branch of a checked space, and each end and choice of its fields, one at a time."""
    points = [
        {**branch, **changed}
        for branch in space.branches()
        for changed in (
            {},
            *({name: value} for name in space.active(branch) for value in space.fields[name].examples()),
        )
        if changed.get(FAMILY, branch.get(FAMILY)) == branch.get(FAMILY)
    ]
    return list(_probed(space, points, data))


def _probed(space: SearchSpace, points: Sequence[Mapping[str, Any]], data: Path) -> Iterator[Probe]:
    from hnet_core.build import idle_settings, networks, stream_shape

    for params in points:
        config, _ = check_trial(space.place(params))
        try:
            if config is not None:
                shape = stream_shape(config, data)
                parts = networks(config, shape)
                yield Probe(params, config, shape, parts.counts, idle_settings(config, parts))
        except ConfigInvalid:  # a combination of values that are valid one at a time
            continue


def unreachable(spec: SweepSpec, data: Path) -> list[Complaint]:
    """Objectives, constraints and rungs that can come to nothing in any trial; empty for none."""
    found = probes(spec.space, data)
    defined = {name for probe in found for name, value in run_metrics(probe.result()).items() if value is not None}
    wrong = [
        Complaint((block, name), f"never has a value here: {_why_undefined(name, found[0])}")
        for block, names in (("objectives", spec.objectives), ("constraints", spec.constraints))
        for name in names
        if name in METRICS and name not in defined
    ]
    wrong += [
        Complaint(("constraints", bound.metric), f"{bound} can never hold, as the metric {_limits_in_words(bound)}")
        for bound in spec.parsed_constraints
        if not _can_hold(bound)
    ]
    if wrong:
        return wrong
    return [
        *_idle_rungs(spec, found, data),
        *(Complaint(("constraints",), text) for text in _broken_everywhere(spec, data)),
    ]


def too_large(spec: SweepSpec, data: Path) -> list[Complaint]:
    """Configurations whose training takes more memory than there is here; empty for none."""
    from hnet_core.memory_estimate import memory_complaint

    wrong: list[Complaint] = []
    for probe in probes(spec.space, data):
        complaint = memory_complaint(probe.config, probe.shape, probe.counts)
        if complaint is not None:
            varied = [name for name in probe.params if name != FAMILY]
            of_block = ("trial",) if probe.family is None else ("families", probe.family)
            path = ("search", varied[-1]) if varied else of_block
            wrong.append(Complaint(path, complaint))
    return wrong[:1]


def doubts(spec: SweepSpec, data: Path) -> list[str]:
    """Parts of a sweep, and settings, that can come to nothing in some trials, in words; empty for none."""
    found = probes(spec.space, data)
    return [
        *_undefined_in_families(spec, found),
        *_idle(spec, _rungs(spec, found, data)),
        *_broken_everywhere(spec, data, sampled=True),
        *_idle_settings(_probed(spec.space, list(_sample(spec.space)), data)),
    ]


def _why_undefined(name: str, probe: Probe) -> str:
    if name.startswith("validation") and not probe.validates:
        return f"stream {probe.config.stream.name} holds out no validation split"
    if name.startswith(OF_INFERENCE) and probe.config.task_inference is None:
        return "no task_inference block finds the task"
    if name == "gradient_cosine" and not two_gradients(probe.config.method):
        return f"method {probe.config.method.name} has one gradient, or no strength of the regulariser"
    if probe.shape.n_tasks == 1:
        return "it takes at least two tasks"
    if probe.at_once:
        return f"method {probe.config.method.name} trains all tasks at once and evaluates after the last"
    return "a task is evaluated only once it is trained"


def _undefined_in_families(spec: SweepSpec, found: Sequence[Probe]) -> Iterator[str]:
    for name in (*spec.objectives, *spec.constraints):
        lacking = [probe for probe in found if run_metrics(probe.result())[name] is None]
        for family in dict.fromkeys(probe.family for probe in lacking):
            where = "some trials" if family is None else f"family {family}"
            reason = _why_undefined(name, next(probe for probe in lacking if probe.family == family))
            yield f"{name} has no value in {where}, which the search learns nothing from: {reason}"


def _idle_settings(found: Iterable[Probe]) -> Iterator[str]:
    """Yield the settings that change nothing, each once for a family, with the first value that is seen."""
    seen = set()
    for probe in found:
        for key, text in probe.idle.items():
            if (key, probe.family) not in seen:
                seen.add((key, probe.family))
                yield text if probe.family is None else f"{text} (family {probe.family})"


# Rungs.


def _idle_rungs(spec: SweepSpec, found: Sequence[Probe], data: Path) -> Iterator[Complaint]:
    if spec.early_stopping is None:
        return
    rungs = _rungs(spec, found, data)
    if not rungs:
        end = sum(spec.early_stopping.lengths(found[0].config, data))
        unit = spec.early_stopping.unit
        message = f"must be below the number of {unit}, {end}, where every trial ends; remove early_stopping"
        yield Complaint(("early_stopping", "rungs"), message)
    elif all(rungs.values()):
        reasons = "; ".join(_idle(spec, rungs))
        yield Complaint(("early_stopping",), f"has no rung that can judge: {reasons}; add a later rung or remove it")


def _rungs(spec: SweepSpec, found: Sequence[Probe], data: Path) -> dict[int, list[str]]:
    """Return the objectives that have no value at each rung in any configuration."""
    rungs: dict[int, list[str]] = {}
    stopping = spec.early_stopping
    for probe in found if stopping is not None else ():
        lengths = stopping.lengths(probe.config, data) if stopping is not None else ()
        ends = list(accumulate(lengths))  # of the tasks, in the unit of the rungs
        for rung in stopping.of_tasks(lengths) if stopping is not None else ():
            n_tasks = bisect_left(ends, rung) + 1
            result = probe.result().after(min(n_tasks, MOST_TASKS - 1))
            metrics = run_metrics(result)
            missing = [
                name
                for name in spec.objectives
                if metrics[name] is None and metrics.get(SELECTED_BY.get(name, "")) is None
            ]
            rungs[rung] = [name for name in rungs.get(rung, missing) if name in missing]
    return rungs


def _idle(spec: SweepSpec, rungs: Mapping[int, Sequence[str]]) -> Iterator[str]:
    """The rungs at which each objective has no value."""
    unit = "tasks" if spec.early_stopping is None else spec.early_stopping.unit
    for name in spec.objectives:
        idle = [str(rung) for rung, missing in rungs.items() if name in missing]
        if idle:
            counted = unit.removesuffix("s") if idle == ["1"] else unit
            yield f"{name} has no value yet at the rung{'s' * (len(idle) > 1)} after {' and '.join(idle)} {counted}"


# Bounds.


def _can_hold(bound: Constraint) -> bool:
    low, high = _limits(bound.metric)
    at_best = low if bound.sign.startswith("<") else high
    return bound.violation(at_best) < 0 or (bound.violation(at_best) == 0 and bound.sign.endswith("="))


def _limits(metric: str) -> tuple[float, float]:
    """The lowest and the highest value of a metric by its definition."""
    if METRICS[metric].measure == "accuracy":
        return (0.0, 1.0) if metric.endswith("accuracy") else (-1.0, 1.0)
    return (-math.inf, 1.0) if metric == "compression_level" else (0.0, math.inf)


def _limits_in_words(bound: Constraint) -> str:
    low, high = _limits(bound.metric)
    return f"is at least {low:g}" if bound.sign.startswith("<") else f"is at most {high:g}"


def _broken_everywhere(spec: SweepSpec, data: Path, sampled: bool = False) -> Iterator[str]:
    """Bounds on weight counts that no point keeps: of a small grid every point is counted, of others a sample.

    Args:
        sampled: whether to judge by a sample; else only a space that is counted in full is judged.
    """
    bounds = [bound for bound in spec.parsed_constraints if METRICS[bound.metric].kind == "count"]
    size = spec.space.most_grid_points() if all(one.grid_size() for one in spec.search.values()) else math.inf
    is_whole = size <= MOST_POINTS
    if not bounds or is_whole == sampled:
        return
    points = (spec.space.grid() if is_whole else None) or list(_sample(spec.space))
    values = [static_metrics(probe.counts) for probe in _probed(spec.space, points, data)]
    if any(all(_keeps(bound, counted) for bound in bounds) for counted in values):
        return
    among = "no point of the search space" if is_whole else f"none of {len(values)} points that were counted"
    yield f"{among} keeps {' and '.join(_with_nearest(bound, values) for bound in bounds)}"


def _keeps(bound: Constraint, counted: Mapping[str, float | None]) -> bool:
    value = counted[bound.metric]
    return value is not None and bound.violation(value) <= 0


def _with_nearest(bound: Constraint, values: Sequence[Mapping[str, float | None]]) -> str:
    known = [value for counted in values if (value := counted[bound.metric]) is not None]
    return f"{bound} (nearest: {min(known, key=bound.violation):.6g})" if known else str(bound)


def _sample(space: SearchSpace) -> Iterator[dict[str, Any]]:
    """Combinations of the ends and choices of all fields, of each branch: all of them, or as many at random."""
    draws = random.Random(0)
    for branch in space.branches():
        examples = {name: space.fields[name].examples() for name in space.active(branch) if name not in branch}
        if math.prod(map(len, examples.values())) <= MOST_POINTS:
            chosen: list[tuple[Any, ...]] = list(product(*examples.values()))
        else:
            ends = [tuple(values[position] for values in examples.values()) for position in (0, -1)]
            rest = [tuple(map(draws.choice, examples.values())) for _ in range(MOST_POINTS - len(ends))]
            chosen = [*ends, *rest]
        yield from ({**branch, **dict(zip(examples, values, strict=True))} for values in chosen)
