"""Configurations shown as one colour beside others: a study, or the trials of a study that share a value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hnet_core.errors import ConfigInvalid
from reports.analysis.recommendation import Recommendation, recommend
from reports.data.grouping import (
    check_fields,
    check_named_once,
    configurations_of,
    first_family,
    group_label,
    stream_of,
)
from reports.data.study_data import StudyData, read_study
from reports.data.trial import Trial
from reports.exact_values import exact_text
from reports.formatting import MISSING
from studies.metrics.cost_axes import COMPRESSION, axis_of_objectives
from studies.spec.conditions import FAMILY
from studies.statistics.hypervolume import front_hypervolume, reference_cost

if TYPE_CHECKING:
    from studies.queries.studies import Studies

MAX_FAMILIES = 8

Group = tuple[str, StudyData, frozenset[str]]  # label, configurations and streams of a family


@dataclass(frozen=True)
class Family:
    """The configurations of one family, with its recommendation and hypervolume.

    Attributes:
        prefix: of trial numbers on the page, so that trials of several studies have different keys.
        data: only its configurations, with their front in the plane of quality and cost.
        streams: descriptions of the streams they were trained on; empty where the families are of one study.
        hypervolume: share that its front (test means) dominates of the area between the best values and the reference.
        reference: the cost up to which that area extends, see `studies.statistics.hypervolume`; None without one.
    """

    index: int
    label: str
    prefix: str
    data: StudyData
    recommendation: Recommendation
    streams: frozenset[str]
    hypervolume: float | None
    reference: float | None

    @property
    def style(self) -> str:
        return f"family-{self.index}"

    def key(self, trial: Trial) -> str:
        """Return the key of a trial of this family within the page."""
        return f"{self.prefix}{trial.number}"


def families_of(studies: Studies, names: Sequence[str], by: Sequence[str] = (), x: str | None = None) -> list[Family]:
    """Make one family per study, or with `by` one per combination of those values within each study.

    Args:
        x: the cost on their common axis; None: the one that all studies minimise, else the compression ratio.

    Raises:
        StudyNotFound: if there is no study of a name.
        ConfigInvalid: if there is nothing to show, too much, the measures differ, or `x` is no cost.
    """
    check_named_once(names)
    groups: list[Group] = []
    axis = _common_axis(studies, names) if x is None else x
    for name in names:
        data = read_study(studies, name, axis)
        configs = configurations_of(studies, data.record)
        n_tasks = studies.numbers_of_tasks(name)
        check_fields(by, [configs[trial.number] for trial in data.configurations])
        parts: dict[str, list[Trial]] = {}
        for trial in data.configurations:
            parts.setdefault(group_label(configs[trial.number], by), []).append(trial)
        for value, trials in parts.items():
            label = value if by and len(names) == 1 else f"{name}: {value}" if by else name
            streams = frozenset(stream_of(configs[trial.number], n_tasks[trial.number]) for trial in trials)
            groups.append((label, _restricted(data, trials), streams))
    _check(groups, names, axis)
    return _with_hypervolume(groups, are_prefixed=True)


def _common_axis(studies: Studies, names: Sequence[str]) -> str:
    axes = {axis_of_objectives(studies.study(name).objectives).metric for name in names}
    return axes.pop() if len(axes) == 1 else COMPRESSION.metric


def families_within(data: StudyData) -> list[Family]:
    """Return the `families` a study searches over, in the order of its spec; [] if fewer than two have finished trials.

    Of an imported study, those of its column `family`. Also [] for more families than one figure has shapes for.
    """
    if FAMILY not in data.parameters:
        return []
    first = first_family(data.record)
    parts: dict[str, list[Trial]] = {str(exact_text(name)): [] for name in data.space(FAMILY).get("choice", ())}
    for trial in data.configurations:
        name = trial.params[FAMILY]
        parts.setdefault(exact_text(first if name is None else name) or MISSING, []).append(trial)
    found = {name: trials for name, trials in parts.items() if trials}
    if not 2 <= len(found) <= MAX_FAMILIES:
        return []
    groups = [(name, _restricted(data, trials), frozenset[str]()) for name, trials in found.items()]
    return _with_hypervolume(groups, are_prefixed=False)


def _with_hypervolume(groups: Sequence[Group], *, are_prefixed: bool) -> list[Family]:
    """Make the families of a page, whose hypervolumes go up to one reference.

    Args:
        are_prefixed: trials of several studies may have the same number.
    """
    reference = reference_cost(groups[0][1].x, max(data.cost_ends[-1] for _, data, _ in groups))
    return [
        Family(
            index=i,
            label=label,
            prefix=f"{i}-" if are_prefixed else "",
            data=data,
            recommendation=recommend(data),
            streams=streams,
            hypervolume=_hypervolume(data, reference),
            reference=reference,
        )
        for i, (label, data, streams) in enumerate(groups)
    ]


def _restricted(data: StudyData, trials: Sequence[Trial]) -> StudyData:
    """Restrict the data of a study to some configurations, with their front by quality and cost."""
    import numpy as np

    from studies.statistics.pareto import pareto_mask

    feasible = [trial for trial in trials if trial.number in data.feasible]
    quality = data.quality
    direction = "maximize" if quality.higher_is_better else "minimize"
    values = np.array([(trial.value(quality.selection), data.cost(trial)) for trial in feasible]).reshape(-1, 2)
    front = [
        trial
        for trial, is_member in zip(feasible, pareto_mask(values, (direction, "minimize")), strict=True)
        if is_member
    ]
    return replace(
        data,
        configurations=tuple(trials),
        feasible=frozenset(trial.number for trial in feasible),
        front=tuple(data.by_cost(front)),
        is_front_of_axis=True,
    )


def _hypervolume(data: StudyData, reference: float | None) -> float | None:
    if reference is None:
        return None
    final = data.quality.final
    cost = data.x.metric
    objectives = {cost: "minimize", final: "maximize" if data.quality.higher_is_better else "minimize"}
    front = [{cost: data.cost(trial), final: trial.value(final)} for trial in data.front]
    found = front_hypervolume(front, objectives, {cost: reference})
    return 0.0 if found is None else float(found["share"])


def _check(groups: Sequence[Group], names: Sequence[str], axis: str) -> None:
    if not groups:
        raise ConfigInvalid(
            f"nothing to show: no configuration of {', '.join(names)} has finished with a value of {axis}; "
            "choose another cost with --x, or see: hnet study trials STUDY"
        )
    if len(groups) > MAX_FAMILIES:
        raise ConfigInvalid(f"one figure shows at most {MAX_FAMILIES} studies or values, got {len(groups)}.")
    measures = {data.quality.measure for _, data, _ in groups}
    if len(measures) > 1:
        raise ConfigInvalid("studies in one figure must have one measure, got accuracy and mse; report them apart.")
