"""Configurations shown as one colour beside others: a study, or the trials of a study that share a value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hnet_core.errors import ConfigInvalid
from reports.analysis.recommendation import Recommendation, recommend
from reports.data.grouping import check_fields, first_family, group_label, stream_of, with_family
from reports.data.study_data import StudyData, read_study
from reports.data.trial import Trial
from reports.formatting import MISSING
from reports.table import exact_text
from studies.spec.conditions import FAMILY

if TYPE_CHECKING:
    from studies.queries.studies import Studies

MAX_FAMILIES = 8


@dataclass(frozen=True)
class Family:
    """The configurations of one family, with its recommendation and hypervolume.

    Attributes:
        prefix: of trial numbers on the page, so that trials of several studies have different keys.
        data: only its configurations, with their front in the plane of quality and compression ratio.
        streams: descriptions of the streams they were trained on; empty where the families are of one study.
        hypervolume: share that its front (test means) dominates of the area between the best values and the fixed
            reference of `studies.statistics.hypervolume`.
    """

    index: int
    label: str
    prefix: str
    data: StudyData
    recommendation: Recommendation
    streams: frozenset[str]
    hypervolume: float

    @property
    def style(self) -> str:
        return f"family-{self.index}"

    def key(self, trial: Trial) -> str:
        """Return the key of a trial of this family within the page."""
        return f"{self.prefix}{trial.number}"


def families_of(studies: Studies, names: Sequence[str], by: Sequence[str] = ()) -> list[Family]:
    """Make one family per study, or with `by` one per combination of those values within each study.

    Raises:
        StudyNotFound: if there is no study of a name.
        ConfigInvalid: if there is nothing to show, too much, or the measures differ.
    """
    if len(set(names)) < len(names):
        raise ConfigInvalid(f"each study may be named once, got {', '.join(names)}.")
    groups: list[tuple[str, StudyData, frozenset[str]]] = []
    for name in names:
        data = read_study(studies, name)
        configs = {row["number"]: with_family(row, data.record) for row in studies.ledger(name)}
        n_tasks = studies.numbers_of_tasks(name)
        check_fields(by, [configs[trial.number] for trial in data.configurations])
        parts: dict[str, list[Trial]] = {}
        for trial in data.configurations:
            parts.setdefault(group_label(configs[trial.number], by), []).append(trial)
        for value, trials in parts.items():
            label = value if by and len(names) == 1 else f"{name}: {value}" if by else name
            streams = frozenset(stream_of(configs[trial.number], n_tasks[trial.number]) for trial in trials)
            groups.append((label, _restricted(data, trials), streams))
    _check(groups, names)
    return [
        Family(i, label, f"{i}-", part, recommend(part), streams, _hypervolume(part))
        for i, (label, part, streams) in enumerate(groups)
    ]


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
    named = [(name, _restricted(data, trials)) for name, trials in found.items()]
    return [
        Family(i, name, "", part, recommend(part), frozenset(), _hypervolume(part))
        for i, (name, part) in enumerate(named)
    ]


def _restricted(data: StudyData, trials: Sequence[Trial]) -> StudyData:
    """Restrict the data of a study to some configurations, with their front by quality and compression ratio."""
    import numpy as np

    from studies.statistics.pareto import pareto_mask

    feasible = [trial for trial in trials if trial.number in data.feasible]
    quality = data.quality
    direction = "maximize" if quality.higher_is_better else "minimize"
    values = np.array([(trial.value(quality.selection), trial.ratio) for trial in feasible]).reshape(-1, 2)
    front = [
        trial
        for trial, is_member in zip(feasible, pareto_mask(values, (direction, "minimize")), strict=True)
        if is_member
    ]
    return replace(
        data,
        configurations=tuple(trials),
        feasible=frozenset(trial.number for trial in feasible),
        front=tuple(sorted(front, key=lambda trial: (trial.ratio, trial.number))),
    )


def _hypervolume(data: StudyData) -> float:
    from studies.statistics.hypervolume import front_hypervolume

    final = data.quality.final
    objectives = {"compression_ratio": "minimize", final: "maximize" if data.quality.higher_is_better else "minimize"}
    front = [{"compression_ratio": trial.ratio, final: trial.value(final)} for trial in data.front]
    found = front_hypervolume(front, objectives)
    return 0.0 if found is None else float(found["share"])


def _check(groups: Sequence[tuple[str, StudyData, Any]], names: Sequence[str]) -> None:
    if not groups:
        raise ConfigInvalid(f"nothing to show: no configuration of {', '.join(names)} has finished.")
    if len(groups) > MAX_FAMILIES:
        raise ConfigInvalid(f"one figure shows at most {MAX_FAMILIES} studies or values, got {len(groups)}.")
    measures = {data.quality.measure for _, data, _ in groups}
    if len(measures) > 1:
        raise ConfigInvalid("studies in one figure must have one measure, got accuracy and mse; report them apart.")
