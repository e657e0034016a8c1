"""Configurations shown as one colour beside others: a study, or the trials of a study that share a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hnet_core.errors import ConfigInvalid
from reports.analysis.recommendation import Answer, answer
from reports.data.grouping import check_fields, group_label, stream_of
from reports.data.study_data import Evidence, gather
from reports.data.trial import Trial
from studies.spec.conditions import FAMILY
from studies.statistics.hypervolume import REFERENCE_POINT

if TYPE_CHECKING:
    from studies.queries.studies import Studies

MAX_FAMILIES = 8
# Points worse than this add nothing; fixed, so that the number can be compared between reports.
REFERENCE = {
    "accuracy": (REFERENCE_POINT["compression_ratio"], REFERENCE_POINT["final_accuracy"]),
    "mse": (REFERENCE_POINT["compression_ratio"], REFERENCE_POINT["final_mse"]),
}


@dataclass(frozen=True)
class Family:
    """Attributes:
    prefix: stands before the number of a trial wherever trials of several studies are told apart.
    evidence: only its configurations, with their front in the plane of quality and compression ratio.
    streams: what they were trained on, in words; empty where the families are of one study.
    hypervolume: area between its front (test means) and REFERENCE, as a share of that between zero ratio,
        the best value there is, and REFERENCE.
    """

    index: int
    label: str
    prefix: str
    evidence: Evidence
    answer: Answer
    streams: frozenset[str]
    hypervolume: float

    @property
    def style(self) -> str:
        return f"family-{self.index}"

    def key(self, trial: Trial) -> str:
        """What a point of this family is known by within the page."""
        return f"{self.prefix}{trial.number}"


def families_of(studies: Studies, names: Sequence[str], by: Sequence[str] = ()) -> list[Family]:
    """One family per study, or with `by` one per combination of those values within each study.

    Raises:
        StudyNotFound: if there is no study of a name.
        ConfigInvalid: if there is nothing to show, too much, or the measures differ.
    """
    if len(set(names)) < len(names):
        raise ConfigInvalid(f"each study may be named once, got {', '.join(names)}.")
    groups: list[tuple[str, Evidence, list[Mapping[str, Any]]]] = []
    for name in names:
        evidence = gather(studies, name)
        configs = {row["number"]: row["config"] for row in studies.ledger(name)}
        check_fields(by, [configs[trial.number] for trial in evidence.configurations])
        parts: dict[str, list[Trial]] = {}
        for trial in evidence.configurations:
            parts.setdefault(group_label(configs[trial.number], by), []).append(trial)
        for value, trials in parts.items():
            label = value if by and len(names) == 1 else f"{name}: {value}" if by else name
            groups.append((label, _only(evidence, trials), [configs[trial.number] for trial in trials]))
    _check(groups, names)
    return [
        Family(i, label, f"{i}-", part, answer(part), frozenset(map(stream_of, configs)), _hypervolume(part))
        for i, (label, part, configs) in enumerate(groups)
    ]


def families_within(evidence: Evidence) -> list[Family]:
    """The `families` a study searches over, in the order of its spec; [] where fewer than two have a finished trial.

    There are none either where they are more than one figure can tell apart.
    """
    if FAMILY not in evidence.parameters:
        return []
    names = evidence.record.spec["search"][FAMILY]["choice"]
    parts: dict[str, list[Trial]] = {name: [] for name in names}
    for trial in evidence.configurations:
        parts.setdefault(trial.params[FAMILY] or names[0], []).append(trial)
    found = {name: trials for name, trials in parts.items() if trials}
    if not 2 <= len(found) <= MAX_FAMILIES:
        return []
    named = [(name, _only(evidence, trials)) for name, trials in found.items()]
    return [
        Family(i, name, "", part, answer(part), frozenset(), _hypervolume(part)) for i, (name, part) in enumerate(named)
    ]


def _only(evidence: Evidence, trials: Sequence[Trial]) -> Evidence:
    """The evidence of some of the configurations, with the front in the plane that is drawn."""
    import numpy as np

    from studies.statistics.pareto import pareto_mask

    feasible = [trial for trial in trials if trial.number in evidence.feasible]
    quality = evidence.quality
    direction = "maximize" if quality.higher_is_better else "minimize"
    values = np.array([(trial.value(quality.selection), trial.ratio) for trial in feasible]).reshape(-1, 2)
    front = [
        trial
        for trial, is_member in zip(feasible, pareto_mask(values, (direction, "minimize")), strict=True)
        if is_member
    ]
    return replace(
        evidence,
        configurations=tuple(trials),
        feasible=frozenset(trial.number for trial in feasible),
        front=tuple(sorted(front, key=lambda trial: (trial.ratio, trial.number))),
    )


def _hypervolume(evidence: Evidence) -> float:
    import numpy as np

    from studies.statistics.pareto import hypervolume_2d

    quality = evidence.quality
    ratio, worst = REFERENCE[quality.measure]
    values = np.array([(trial.ratio, trial.value(quality.final)) for trial in evidence.front]).reshape(-1, 2)
    directions = ("minimize", "maximize" if quality.higher_is_better else "minimize")
    return hypervolume_2d(values, (ratio, worst), directions) / ratio


def _check(groups: Sequence[tuple[str, Evidence, Any]], names: Sequence[str]) -> None:
    if not groups:
        raise ConfigInvalid(f"nothing to show: no configuration of {', '.join(names)} has finished.")
    if len(groups) > MAX_FAMILIES:
        raise ConfigInvalid(f"one figure shows at most {MAX_FAMILIES} studies or values, got {len(groups)}.")
    measures = {evidence.quality.measure for _, evidence, _ in groups}
    if len(measures) > 1:
        raise ConfigInvalid("studies in one figure must have one measure, got accuracy and mse; report them apart.")
